"""Who leaves leaves nothing open, in whatever moment it comes."""

import asyncio
import gc
import warnings
from collections import Counter

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from peermeet.core.messages import Leave
from peermeet.protocol import Bye, Do, Done, Profile, client_frames
from peermeet.robots import line
from peermeet.robots.call import Call
from peermeet.robots.pictures import Pictures
from peermeet.robots.robot import Robot, RobotFailed
from peermeet.robots.speech import Speech
from tests.robots.test_line import WELCOME, scripted, tell


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[ClientConnection]:
    """Every client socket that the robots of this test open."""
    opened: list[ClientConnection] = []

    async def noted(*arguments: object, **options: object) -> ClientConnection:
        opened.append(await connect(*arguments, **options))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(line, "connect", noted)
    return opened


async def test_a_goodbye_on_the_heels_of_done_leaves_no_socket_open(
    sockets: list[ClientConnection],
) -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME)
        async for text in socket:
            frame = client_frames.validate_json(text)
            if isinstance(frame, Do) and isinstance(frame.command, Leave):
                await tell(socket, Done(frame.ref, 1), Bye("left", False))

    async with scripted(script) as link:
        with pytest.raises(RobotFailed):
            # No media here, so that joining fails and leaves again.
            await Robot(link, Profile("Ana", "teal"), pairs=0).join(within_s=0.2)
        assert [socket.state for socket in sockets] == [State.CLOSED]


async def test_who_leaves_while_the_server_dawdles_over_its_close_leaves_no_socket_open(
    sockets: list[ClientConnection],
) -> None:
    left = asyncio.Event()

    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME, Bye("circle_ended", False))
        socket.transport.pause_reading()
        await left.wait()
        socket.transport.abort()

    async with scripted(script) as link:
        with pytest.raises(RobotFailed):
            await Robot(link, Profile("Ana", "teal"), pairs=0).join(within_s=0.2)
        states = [socket.state for socket in sockets]
        left.set()
    assert states == [State.CLOSED]


@pytest.mark.parametrize("work", ["offer", "close"])
def test_a_call_cut_short_in_the_middle_of_its_work_still_closes_every_socket(work: str) -> None:
    async def scene(steps: int) -> None:
        call = Call(Speech(), Pictures("Ana", "teal", 8), 0, Counter(), Counter(), print, print)
        if work == "close":
            await call.offer()
        cut_short = asyncio.create_task(call.offer() if work == "offer" else call.close())
        for _ in range(steps):
            await asyncio.sleep(0)
        cut_short.cancel()
        await asyncio.gather(cut_short, return_exceptions=True)
        await call.close()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for steps in range(12):
            asyncio.run(scene(steps))
        gc.collect()
    assert [str(warning.message) for warning in told] == []
