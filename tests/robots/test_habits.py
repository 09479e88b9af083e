"""What robots do of their own will, in a circle on paper with the real rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import Command
from peermeet.core.model import Mode, Role
from peermeet.core.project import view_for
from peermeet.protocol import Done, Profile
from peermeet.robots.habits import Habits, facilitate, take_part
from peermeet.robots.line import LineEnded, Link, Refused
from peermeet.robots.robot import Robot
from tests.kit import Meeting

QUICK = Habits(
    turn_s=(0.01, 0.02),
    breath_s=(0.0, 0.01),
    talk_s=(0.01, 0.02),
    listen_s=(0.01, 0.02),
    later_chance=0.0,
    hand_chance=0.0,
)


class Puppet(Robot):
    """A robot whose server is a meeting on paper, and whose every button is written down."""

    def __init__(self, meeting: Meeting, name: str, seed: int = 0) -> None:
        super().__init__(Link("", ""), Profile(name.title(), "teal"), seed=seed)
        self.meeting = meeting
        self.seat = meeting.seat(name)
        self.pressed: list[Command] = []
        self.no: Exception | None = None
        self.look()

    def look(self) -> None:
        assert self.seat is not None
        self.view = view_for(self.meeting.circle, self.seat, self.meeting.now)
        self._wake()

    async def do(self, command: Command) -> Done:
        assert self.seat is not None
        self.pressed.append(command)
        try:
            if self.no is not None:
                raise self.no
            self.meeting.decide(self.seat, command)
        except m.Refused as refusal:
            raise Refused(refusal.code) from None
        finally:
            self.look()
        return Done("1", 1)

    def has_pressed(self, *wanted: type[Any]) -> Callable[[], bool]:
        """Whether these buttons are among the pressed ones."""
        return lambda: set(wanted) <= {type(command) for command in self.pressed}


@asynccontextmanager
async def living(puppet: Puppet, habit: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    puppet.live(habit)
    try:
        yield
    finally:
        await puppet.leave()
    assert not puppet.errors


async def test_with_the_floor_a_robot_speaks_and_passes() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, QUICK)):
        await ana.until(ana.has_pressed(m.PassTurn))

    assert ana.pressed == [m.SetCamera(True), m.SetMic(True), m.SetMic(False), m.PassTurn(1)]
    assert meeting.holder != "ana"


async def test_a_robot_that_asked_for_later_speaks_at_the_end_of_the_round() -> None:
    meeting = Meeting("fay*", "ana").round(first="ana")
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, replace(QUICK, later_chance=1.0))):
        await ana.until(ana.has_pressed(m.Later))
        assert meeting.holder == "fay"
        meeting.people["fay"].does(m.PassTurn)
        ana.look()
        await ana.until(ana.has_pressed(m.PassTurn))

    assert ana.pressed[1:] == [m.Later(1), m.SetMic(True), m.SetMic(False), m.PassTurn(3)]


async def test_without_the_floor_a_robot_raises_its_hand_and_touches_no_microphone() -> None:
    meeting = Meeting("fay*", "ana").round(first="fay")
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, replace(QUICK, hand_chance=1.0))):
        await ana.until(ana.has_pressed(m.RaiseHand, m.LowerHand))

    assert not ana.has_pressed(m.SetMic)()


async def test_a_turn_that_is_taken_away_is_not_passed() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, replace(QUICK, turn_s=(60.0, 60.0)))):
        await ana.until(ana.has_pressed(m.SetMic))
        meeting.people["fay"].does(m.NextTurn)
        ana.look()
        meeting.people["ben"].does(m.PassTurn)
        meeting.people["fay"].does(m.GiveTurn, seat="ana")
        ana.look()
        await ana.until(lambda: ana.pressed.count(m.SetMic(True)) == 2)

    assert not ana.has_pressed(m.PassTurn)()


async def test_nobody_speaks_while_the_circle_is_paused() -> None:
    meeting = Meeting("fay*", "ana").round(first="ana")
    meeting.people["fay"].does(m.PauseCircle)
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, replace(QUICK, hand_chance=1.0))):
        await ana.until(ana.has_pressed(m.RaiseHand))
        assert not ana.has_pressed(m.SetMic)()
        meeting.people["fay"].does(m.ResumeCircle)
        ana.look()
        await ana.until(ana.has_pressed(m.SetMic, m.PassTurn))


async def test_in_open_talk_a_robot_speaks_now_and_then() -> None:
    meeting = Meeting("fay*", "ana")
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, QUICK)):
        await ana.until(lambda: ana.pressed.count(m.SetMic(False)) == 2)

    assert ana.pressed[:5] == [m.SetCamera(True), *[m.SetMic(True), m.SetMic(False)] * 2]


async def test_in_silence_a_robot_is_silent() -> None:
    meeting = Meeting("fay*", "ana").phase(Mode.SILENCE)
    ana = Puppet(meeting, "ana")
    async with living(ana, take_part(ana, replace(QUICK, hand_chance=1.0))):
        await ana.until(ana.has_pressed(m.RaiseHand))

    assert not ana.has_pressed(m.SetMic)()


async def test_the_same_seed_gives_the_same_deeds() -> None:
    habits = replace(QUICK, later_chance=0.5, hand_chance=0.5)

    async def deeds(seed: int) -> list[Command]:
        meeting = Meeting("fay*", "ana").round(first="ana")
        ana = Puppet(meeting, "ana", seed)
        async with living(ana, take_part(ana, habits)):
            await ana.until(lambda: len(ana.pressed) >= 4)
        return ana.pressed[:4]

    runs = [await deeds(seed) for seed in range(8)]
    assert [await deeds(seed) for seed in range(8)] == runs
    assert any(run != runs[0] for run in runs)


async def test_a_leading_robot_starts_a_round_after_open_talk() -> None:
    meeting = Meeting("fay*", "ana")
    fay = Puppet(meeting, "fay")
    async with living(fay, facilitate(fay, turn_ms=30_000, talk_s=(0.01, 0.02))):
        await fay.until(fay.has_pressed(m.StartPhase))

    assert fay.pressed == [m.StartPhase(Mode.ROUND, turn_ms=30_000)]
    assert meeting.holder == "fay"


async def test_a_leading_robot_moves_on_only_when_a_turn_is_overdue() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(turn_s=60, first="ana")
    fay = Puppet(meeting, "fay")
    async with living(fay, facilitate(fay)):
        meeting.at(s=89)
        fay.look()
        assert not await fay.wait(fay.has_pressed(m.NextTurn), 0.05)
        meeting.at(s=91)
        fay.look()
        await fay.until(fay.has_pressed(m.NextTurn))

    assert fay.pressed == [m.NextTurn(1)]
    assert meeting.holder != "ana"


async def test_a_leading_robot_opens_talk_after_a_round() -> None:
    meeting = Meeting("fay*", "ana").round(first="ana")
    fay = Puppet(meeting, "fay")
    async with living(fay, facilitate(fay, talk_s=(60.0, 60.0))):
        meeting.people["ana"].does(m.PassTurn)
        meeting.people["fay"].does(m.PassTurn)
        fay.look()
        await fay.until(fay.has_pressed(m.StartPhase))

    assert fay.pressed == [m.StartPhase(Mode.TALK)]


async def test_a_leading_robot_hands_the_lead_to_a_person_who_comes_to_facilitate() -> None:
    meeting = Meeting("fay*", "ana", "gus*")
    fay = Puppet(meeting, "fay")
    async with living(fay, facilitate(fay, talk_s=(0.0, 0.01))):
        await fay.until(fay.has_pressed(m.SetRoles))
        assert not await fay.wait(fay.has_pressed(m.StartPhase), 0.1)

    assert meeting.circle.seats[meeting.seat("gus")].roles == {Role.FACILITATOR}
    assert fay.pressed == [m.SetRoles(meeting.seat("gus"), (Role.FACILITATOR,))]


async def test_a_leading_robot_hands_over_to_a_person_who_may_lead() -> None:
    meeting = Meeting("fay*", "dev*", "ana")
    fay = Puppet(meeting, "fay")
    async with living(fay, facilitate(fay, talk_s=(0.0, 0.01))):
        await fay.until(fay.has_pressed(m.SetRoles))
        assert not await fay.wait(fay.has_pressed(m.StartPhase), 0.1)

    assert fay.pressed == [m.SetRoles(meeting.seat("dev"), (Role.FACILITATOR,))]


async def test_a_member_cannot_lead() -> None:
    meeting = Meeting("fay*", "ana")
    ana = Puppet(meeting, "ana")
    async with living(ana, facilitate(ana, talk_s=(0.0, 0.01))):
        assert not await ana.wait(lambda: bool(ana.pressed), 0.1)


@pytest.mark.parametrize(
    ("no", "errors"),
    [
        (Refused("stale_turn"), []),
        (Refused("floor_taken"), []),
        (LineEnded("dropped", again=True), []),
        (Refused("bad_frame"), ["set_camera: bad_frame"]),
        (TimeoutError(), ["set_camera: no answer"]),
    ],
)
async def test_only_what_should_not_happen_is_an_error(no: Exception, errors: list[str]) -> None:
    ana = Puppet(Meeting("fay*", "ana"), "ana")
    ana.no = no
    ana.live(take_part(ana, QUICK))
    await ana.until(lambda: len(ana.pressed) >= 2)
    assert list(ana.errors)[:1] == errors
    await ana.leave()
