"""The robot's end of the WebSocket, against a server that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from peermeet.core.messages import RaiseHand
from peermeet.core.model import SeatId
from peermeet.protocol import (
    AGREEMENT_VERSION,
    VERSION,
    Bye,
    Do,
    Done,
    FaultFrame,
    Hello,
    Profile,
    RefusedFrame,
    Reoffer,
    ServerFrame,
    Welcome,
    client_frames,
    encode,
)
from peermeet.robots.line import BadLink, Line, LineEnded, Link, Refused

TOKEN = "t" * 24
WELCOME = Welcome(SeatId("s1"), "r" * 24, "meeting", False, 4)
Script = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Link]:
    async with serve(script, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield Link.parse(f"http://127.0.0.1:{port}/join#{TOKEN}")


async def tell(socket: ServerConnection, *frames: ServerFrame) -> None:
    for frame in frames:
        await socket.send(encode(frame))


async def opened(link: Link) -> Line:
    hello = Hello(VERSION, Profile("Wren", "teal"), AGREEMENT_VERSION, link.token)
    return await Line.open(link, hello)


async def ending(line: Line) -> LineEnded:
    with pytest.raises(LineEnded) as ended:
        async for _ in line.frames():
            pass
    await line.close()
    return ended.value


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ("http://localhost:8000/join#abc", "ws://localhost:8000/ws"),
        ("https://meet.example.org/join#abc", "wss://meet.example.org/ws"),
        ("http://[::1]:8000/join#abc", "ws://[::1]:8000/ws"),
    ],
)
def test_an_invitation_names_its_server_and_its_token(text: str, socket: str) -> None:
    assert Link.parse(text) == Link(socket, "abc")


@pytest.mark.parametrize(
    "text", ["", "join", "ftp://host/join#a", "http://host/join", "http://#a", "http://h:x/#a"]
)
def test_another_text_is_no_invitation(text: str) -> None:
    with pytest.raises(BadLink):
        Link.parse(text)


async def test_the_first_frame_is_hello_with_the_token_of_the_link() -> None:
    heard = []

    async def script(socket: ServerConnection) -> None:
        heard.append(client_frames.validate_json(await socket.recv()))
        await tell(socket, WELCOME)
        await socket.wait_closed()

    async with scripted(script) as link:
        line = await opened(link)
        assert line.welcome == WELCOME
        await line.close()

    assert heard == [Hello(VERSION, Profile("Wren", "teal"), AGREEMENT_VERSION, TOKEN)]


@pytest.mark.parametrize(("code", "again"), [("bad_link", False), ("restarting", True)])
async def test_a_goodbye_instead_of_a_welcome_says_whether_to_come_again(
    code: str, again: bool
) -> None:
    async def script(socket: ServerConnection) -> None:
        await tell(socket, Bye(code, again))

    async with scripted(script) as link:
        with pytest.raises(LineEnded) as ended:
            await opened(link)
    assert (ended.value.code, ended.value.again) == (code, again)


@pytest.mark.parametrize(
    ("status", "again"), [(HTTPStatus.FORBIDDEN, False), (HTTPStatus.BAD_GATEWAY, True)]
)
async def test_a_refused_upgrade_says_whether_to_come_again(
    status: HTTPStatus, again: bool
) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        return socket.respond(status, "")

    async def script(socket: ServerConnection) -> None: ...

    async with serve(script, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(LineEnded) as ended:
            await opened(Link.parse(f"http://127.0.0.1:{port}/join#{TOKEN}"))
    assert (ended.value.code, ended.value.again) == (f"http_{status.value}", again)


async def test_nobody_there_is_a_reason_to_try_again() -> None:
    async def script(socket: ServerConnection) -> None: ...

    async with scripted(script) as link:
        pass
    with pytest.raises(LineEnded) as ended:
        await opened(link)
    assert (ended.value.code, ended.value.again) == ("unreachable", True)


async def test_questions_get_their_own_answers_in_any_order() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME)
        asked = [client_frames.validate_json(await socket.recv()) for _ in range(3)]
        first, second, third = (frame.ref for frame in asked if isinstance(frame, Do))
        await tell(
            socket,
            FaultFrame("too_fast", third),
            Reoffer(),
            RefusedFrame(second, "stale_turn"),
            Done(first, 7),
            Bye("circle_ended", False),
        )

    async with scripted(script) as link:
        line = await opened(link)
        questions = [
            asyncio.create_task(line.ask(lambda ref: Do(ref, RaiseHand()))) for _ in range(3)
        ]
        told = []
        with pytest.raises(LineEnded, match="circle_ended"):
            async for frame in line.frames():
                told.append(frame)
        answers = await asyncio.gather(*questions, return_exceptions=True)
        await line.close()

    assert told == [Reoffer()]
    assert answers[0] == Done("1", 7)
    assert [str(answer) for answer in answers[1:]] == ["stale_turn", "too_fast"]
    assert all(isinstance(answer, Refused) for answer in answers[1:])


async def test_a_question_ends_with_the_line() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME)
        await socket.recv()
        socket.transport.abort()

    async with scripted(script) as link:
        line = await opened(link)
        question = asyncio.create_task(line.ask(lambda ref: Do(ref, RaiseHand())))
        end = await ending(line)
        with pytest.raises(LineEnded):
            await question
    assert (end.code, end.again) == ("dropped", True)


async def test_a_question_after_the_end_is_not_waited_for() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME)
        await tell(socket, Bye("circle_ended", again=False))
        await socket.wait_closed()

    async with scripted(script) as link:
        line = await opened(link)
        assert (await ending(line)).code == "circle_ended"
        with pytest.raises(LineEnded, match="circle_ended"):
            await line.ask(lambda ref: Do(ref, RaiseHand()))
        await line.close()


async def test_a_server_that_says_nothing_is_taken_as_lost() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, Welcome(SeatId("s1"), "r" * 24, "meeting", False, 4, silence_ms=30))
        await socket.wait_closed()

    async with scripted(script) as link:
        end = await ending(await opened(link))
    assert (end.code, end.again) == ("silent", True)


async def test_who_was_too_fast_does_not_come_again() -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, WELCOME)
        await socket.close(1008)

    async with scripted(script) as link:
        end = await ending(await opened(link))
    assert (end.code, end.again) == ("dropped", False)


async def test_the_heart_beats_as_the_server_wants() -> None:
    beats = asyncio.Event()

    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        await tell(socket, Welcome(SeatId("s1"), "r" * 24, "meeting", False, 4, heartbeat_ms=5))
        assert [await socket.recv() for _ in range(3)] == ['{"kind":"ping"}'] * 3
        beats.set()

    async with scripted(script) as link:
        line = await opened(link)
        async with asyncio.timeout(5):
            await line.beat()
        await line.close()
    assert beats.is_set()
