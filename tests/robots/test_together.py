"""Robots in a circle on a real server: what they hear and see is what the floor allows."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from peermeet.cli import main
from peermeet.core.messages import EndCircle, PassTurn, RaiseHand, StartPhase
from peermeet.core.model import Mode, SeatId
from peermeet.core.project import Camera
from peermeet.protocol import Profile
from peermeet.robots.crowd import run
from peermeet.robots.habits import Habits, facilitate, take_part
from peermeet.robots.line import LineEnded, Link, Refused
from peermeet.robots.robot import Robot, RobotFailed
from tests.robots.conftest import Server


def seat_of(person: Robot) -> SeatId:
    assert person.seat is not None
    return person.seat


QUICK = Habits(
    turn_s=(0.3, 0.6), breath_s=(0.0, 0.1), talk_s=(0.2, 0.4), listen_s=(0.2, 0.5), later_chance=0
)
BAD_LINK = "http://localhost:1/join"


@pytest_asyncio.fixture
async def circle(server: Server) -> AsyncIterator[tuple[Robot, Robot, Robot]]:
    """Fay facilitates, Ana and Ben sit; they do only what they are told."""
    fay = Robot(server.for_fay, Profile("Fay", "clay"), seed=1, pairs=2)
    ana = Robot(server.for_others, Profile("Ana", "teal"), seed=2, pairs=2)
    ben = Robot(server.for_others, Profile("Ben", "sky"), seed=3, pairs=2)
    async with AsyncExitStack() as there:
        for person in (fay, ana, ben):
            await there.enter_async_context(person)
        yield fay, ana, ben


async def test_everybody_is_seen_whose_camera_is_on(circle: tuple[Robot, Robot, Robot]) -> None:
    fay, ana, ben = circle
    await ana.switch_camera(True)

    await fay.until(lambda: fay.seen[seat_of(ana)] >= 5)
    await ben.until(lambda: ben.seen[seat_of(ana)] >= 5)

    assert seat_of(ben) not in fay.seen
    assert seat_of(fay) not in ben.seen


async def test_only_the_holder_of_the_floor_is_heard(circle: tuple[Robot, Robot, Robot]) -> None:
    fay, ana, ben = circle
    assert ben.call
    await fay.do(StartPhase(Mode.ROUND, first=seat_of(ana)))
    await ana.until(lambda: len(ana.turns) == 1)
    await ana.switch_mic(True)
    with pytest.raises(Refused, match="floor_taken"):
        await ben.switch_mic(True)
    # Ben's client breaks the rules and sends all the same.
    ben.call.microphone.switch(True)

    await fay.until(lambda: fay.heard[seat_of(ana)] >= 50)
    assert ben.call.microphone.sent >= 40
    assert seat_of(ben) not in fay.heard
    assert seat_of(ben) not in ana.heard

    # The same client with the floor is heard: what was measured above is the floor.
    ben.call.microphone.switch(False)
    assert ana.view and ana.view.turn
    await ana.do(PassTurn(ana.view.turn.number))
    await ben.until(lambda: len(ben.turns) == 1)
    await ben.switch_mic(True)
    await fay.until(lambda: fay.heard[seat_of(ben)] >= 20)
    await ana.until(lambda: not ana.me or ana.me.mic == "off")
    assert ana.call and not ana.call.microphone.switched_on


async def test_who_loses_the_network_comes_back_to_the_same_seat(
    circle: tuple[Robot, Robot, Robot],
) -> None:
    fay, ana, _ = circle
    await ana.switch_camera(True)
    await fay.until(lambda: fay.seen[seat_of(ana)] >= 2)
    seat, call = seat_of(ana), ana.call
    ana.cut_line()

    await ana.until(lambda: ana.connections == 2 and ana.view is not None)
    await ana.until(lambda: ana.me is not None and ana.me.camera is Camera.ON)
    before = fay.seen[seat]
    await fay.until(lambda: fay.seen[seat] > before)

    assert ana.seat == seat
    assert ana.call is call
    assert not ana.errors


async def test_a_new_call_replaces_a_lost_one(circle: tuple[Robot, Robot, Robot]) -> None:
    fay, ana, _ = circle
    assert ana.call
    await ana.switch_camera(True)
    await fay.until(lambda: fay.seen[seat_of(ana)] >= 2)
    old = ana.call
    ana.renew_call()

    await ana.until(lambda: ana.call is not old and ana.connected)
    before = fay.seen[seat_of(ana)]
    await fay.until(lambda: fay.seen[seat_of(ana)] > before)
    assert not ana.errors


async def test_pictures_come_back_after_the_media_worker_has_died(
    server: Server, circle: tuple[Robot, Robot, Robot]
) -> None:
    fay, ana, _ = circle
    await ana.switch_camera(True)
    await fay.until(lambda: fay.seen[seat_of(ana)] >= 2)
    old = fay.call, ana.call
    server.kill_media_worker()

    await fay.until(lambda: fay.call is not old[0] and fay.connected, 30)
    await ana.until(lambda: ana.call is not old[1] and ana.connected, 30)
    before = fay.seen[seat_of(ana)]
    await fay.until(lambda: fay.seen[seat_of(ana)] > before)
    assert fay.connections == ana.connections == 1


async def test_the_end_of_the_circle_ends_everybodys_part(
    circle: tuple[Robot, Robot, Robot],
) -> None:
    fay, ana, _ = circle
    # The goodbye may overtake the answer.
    with suppress(LineEnded):
        await fay.do(EndCircle())

    for person in circle:
        await person.until(lambda person=person: person.ended is not None)  # type: ignore[misc]
    assert [person.ended for person in circle] == ["circle_ended"] * 3
    with pytest.raises(LineEnded):
        await ana.do(RaiseHand())


async def test_a_false_invitation_is_refused_at_once(server: Server) -> None:
    link = Link(server.for_others.socket, "x" * 30)
    with pytest.raises(RobotFailed, match="bad_link"):
        await Robot(link, Profile("Dev", "sand")).join()


async def test_robots_take_turns_by_themselves(circle: tuple[Robot, Robot, Robot]) -> None:
    fay, ana, ben = circle
    for person in circle:
        person.live(take_part(person, QUICK))
    fay.live(facilitate(fay, talk_s=(0.5, 1.0)))

    for person in circle:
        await person.until(lambda person=person: len(person.turns) >= 2, 60)  # type: ignore[misc]
    # A second round began by itself, after open talk.
    assert fay.view and fay.view.phase.number >= 3
    for person in circle:
        others = {other.seat for other in circle if other is not person}
        assert set(person.heard) == others
        assert not person.errors


async def test_a_crowd_reports_what_it_lived_through(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    told = await run(
        server.participant, 2, seconds=4, report=file, habits=QUICK, lead=server.facilitator
    )

    assert json.loads(file.read_text()) == told
    robin, wren = told["robots"]
    assert list(robin) == ["name", "seat", "join_ms", "turns_held", "heard", "seen", "errors"]
    assert (robin["name"], wren["name"]) == ("Robin", "Wren")
    assert robin["seat"] and wren["seat"] and robin["seat"] != wren["seat"]
    assert set(robin["seen"]) == {wren["seat"]}
    assert set(wren["heard"]) == {robin["seat"]}
    assert 0 < (robin["join_ms"] or 0) < 4000
    assert robin["errors"] == wren["errors"] == []


async def test_a_crowd_leaves_properly_when_it_is_stopped(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    watcher = Robot(server.for_fay, Profile("Fay", "clay"), pairs=0)
    async with watcher:
        crowd = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "peermeet", "robots", server.participant),
            *("--count", "2", "--report", str(file)),
        )
        try:
            await watcher.until(
                lambda: watcher.view is not None and len(watcher.view.seats) == 3, 20
            )
        finally:
            crowd.terminate()
            async with asyncio.timeout(15):
                assert await crowd.wait() == 0

        await watcher.until(lambda: watcher.view is not None and len(watcher.view.seats) == 1)
    assert len(json.loads(file.read_text())["robots"]) == 2


def test_the_command_says_when_the_text_is_no_invitation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["robots", BAD_LINK]) == 2
    assert "invitation" in capsys.readouterr().err
