"""The parts of the practice room, in a circle on paper with the real rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from peermeet.core import messages as m
from peermeet.core.model import Chat, Mode, Phase, Timeout
from peermeet.core.project import To
from peermeet.protocol import Profile
from peermeet.robots.cast import (
    LOUD_NAMES,
    PRACTICE,
    RUBBISH,
    Pace,
    Part,
    distressed,
    dropper,
    intruder,
    over_runner,
    phone_guest,
    play,
    silent_holder,
)
from tests.kit import Meeting
from tests.robots.test_habits import QUICK, Puppet

PACE = Pace(
    silence_s=(0.05, 0.06),
    share_s=(0.02, 0.03),
    plea_s=0.2,
    quiet_s=(0.03, 0.04),
    outside_s=0.02,
    away_s=0.05,
    peace_s=0.05,
    mischief_s=(0.01, 0.02),
    unlimited_s=0.1,
    lost_s=0.2,
    lead_s=0.2,
)


class Actor(Puppet):
    """A puppet that can also be away, rename itself and write."""

    def __init__(self, meeting: Meeting, name: str, seed: int = 0) -> None:
        super().__init__(meeting, name, seed)
        self.written: list[str] = []
        self.names: list[str] = []
        self.away_s: list[float] = []

    async def drop_out(self, for_s: float) -> None:
        self.away_s.append(for_s)
        self.meeting.people[self.profile.name.lower()].drops()
        self.view = None
        self._wake()

    def comes_back(self) -> None:
        self.meeting.people[self.profile.name.lower()].returns()
        self.connections += 1
        self.look()

    async def say(self, to: To, text: str) -> None:
        assert self.seat is not None
        self.meeting.decide(self.seat, m.Write(to))
        self.written.append(text)

    async def rename(self, profile: Profile) -> None:
        self.profile = profile
        self.names.append(profile.name)


@asynccontextmanager
async def playing(actor: Actor, part: Part) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(play(actor, part, QUICK, PACE))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await actor.leave()
    assert not actor.errors


async def test_the_over_runner_talks_until_thanked() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(turn_s=10, first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, over_runner):
        await ana.until(ana.has_pressed(m.SetMic))
        meeting.at(s=600)
        ana.look()
        assert not await ana.wait(ana.has_pressed(m.PassTurn), 0.2)
        meeting.people["fay"].does(m.NextTurn)
        ana.look()
        assert meeting.heard == set(), "and then they are not heard any more"


async def test_where_nothing_limits_a_turn_even_the_over_runner_ends() -> None:
    meeting = Meeting("fay*", "ana").round(first="ana", timeout=Timeout.NONE)
    ana = Actor(meeting, "ana")
    async with playing(ana, over_runner):
        await ana.until(ana.has_pressed(m.PassTurn))


async def test_the_silent_holder_says_nothing_and_passes() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, silent_holder):
        await ana.until(ana.has_pressed(m.PassTurn))
    assert not ana.has_pressed(m.SetMic)()
    assert meeting.holder != "ana"


async def test_who_is_in_distress_talks_in_a_quiet_space_and_comes_back() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, distressed):
        await ana.until(ana.has_pressed(m.OfferQuiet))
        assert meeting.holder == "ana" and "ana" not in meeting.heard
        meeting.people["fay"].does(m.AcceptQuiet, seat="ana")
        ana.look()
        await ana.until(lambda: "ana" in meeting.heard)
        assert meeting.space("ana") == {"ana", "fay"}
        await ana.until(ana.has_pressed(m.LeaveSpace))
        assert "ana" in meeting.waiting, "the rest of the turn comes later"
    assert not ana.has_pressed(m.StepOut)()


async def test_who_is_in_distress_and_left_alone_with_it_goes() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, distressed) as part:
        await asyncio.wait_for(part, 5)
        assert ana.has_pressed(m.OfferQuiet, m.StepOut)()
        assert meeting.holder != "ana"


async def test_a_dropped_line_comes_back_to_the_same_turn_and_goes_on() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, dropper):
        await ana.until(lambda: bool(ana.away_s))
        assert ana.away_s == [PACE.away_s]
        assert meeting.holder == "ana"
        ana.comes_back()
        await ana.until(ana.has_pressed(m.PassTurn))
    assert len(ana.away_s) == 1, "once is enough"


async def test_a_guest_on_a_phone_has_no_camera_and_takes_turns() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, phone_guest):
        await ana.until(ana.has_pressed(m.PassTurn))
    assert not ana.has_pressed(m.SetCamera)()


async def test_the_intruder_behaves_for_a_while_and_then_does_not() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.TALK, chat=Chat.ON))
    ana = Actor(meeting, "ana")
    async with playing(ana, intruder):
        assert not ana.unruly
        await ana.until(lambda: ana.unruly and bool(ana.written) and bool(ana.names))
        await ana.until(ana.has_pressed(m.SetMic, m.RaiseHand, m.LowerHand))
        meeting.people["fay"].does(m.SafeRoom)
        ana.look()
        pressed, written = len(ana.pressed), len(ana.written)
        await ana.until(lambda: len(ana.pressed) > pressed + 3)
        assert meeting.heard == set() and len(ana.written) == written
    assert set(ana.written) <= set(RUBBISH) and set(ana.names) <= set(LOUD_NAMES)


async def test_nobody_misbehaves_before_somebody_leads_and_all_go_if_nobody_does() -> None:
    meeting = Meeting("ana", "ben")
    ana = Actor(meeting, "ana")
    async with playing(ana, intruder) as part:
        await asyncio.wait_for(part, 5)
    assert not ana.unruly


async def test_the_cast_goes_when_whoever_practised_has_left() -> None:
    meeting = Meeting("fay*", "ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, phone_guest) as part:
        await asyncio.sleep(0)
        meeting.people["fay"].drops()
        ana.look()
        assert not await ana.wait(part.done, 0.1), "a dropped line is no farewell"
        meeting.people["fay"].returns()
        meeting.people["fay"].does(m.Leave)
        ana.look()
        await asyncio.wait_for(part, 5)


async def test_the_cast_goes_when_the_server_does_not_come_back() -> None:
    meeting = Meeting("fay*", "ana")
    ana = Actor(meeting, "ana")
    async with playing(ana, phone_guest) as part:
        await asyncio.sleep(0)
        for _ in range(2):
            ana.view = None
            ana._wake()
            assert not await ana.wait(part.done, 0.1), "a restart is borne"
            ana.look()
        ana.view = None
        ana._wake()
        await asyncio.wait_for(part, 5)


def test_the_cast_fits_beside_a_facilitator_and_has_every_part_once() -> None:
    parts = [part for _, part in PRACTICE]
    assert len(set(parts)) == len(parts) == 6
    assert len({name for name, _ in PRACTICE}) == 6
