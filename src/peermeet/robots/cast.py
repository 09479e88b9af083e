"""The parts of the practice room: what is hard about holding a circle, played by robots.

A facilitator alone with this cast can try what a handbook only tells: somebody who talks on,
somebody silent, an intruder, somebody in distress, a dropped line, a guest on a phone. Parts are
habits (habits.py) with one thing done otherwise; they press buttons that any person could press.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from peermeet.core.messages import (
    Command,
    LeaveSpace,
    LowerHand,
    OfferQuiet,
    PassTurn,
    RaiseHand,
    SetMic,
    StepOut,
)
from peermeet.core.model import Role
from peermeet.protocol import COLORS, Profile
from peermeet.robots.habits import Habits, Range, has_floor, hold_floor, press, take_part
from peermeet.robots.line import LineEnded, Refused
from peermeet.robots.robot import Robot


@dataclass(frozen=True)
class Pace:
    """How long the parts take over things, in seconds."""

    silence_s: Range = (25.0, 40.0)
    """A silent turn."""
    share_s: Range = (8.0, 15.0)
    """What is said before it becomes too much, or before the line drops."""
    plea_s: float = 45.0
    """How long somebody in distress waits for a quiet word."""
    quiet_s: Range = (15.0, 30.0)
    """How long they talk in the quiet space."""
    outside_s: float = 15.0
    """How long they are stepped out before they go for good."""
    away_s: float = 15.0
    """How long the line stays down."""
    peace_s: float = 45.0
    """How long an intruder behaves once somebody leads."""
    mischief_s: Range = (2.0, 6.0)
    """Between two of an intruder's acts."""
    unlimited_s: float = 120.0
    """How long an over-runner talks where nothing limits a turn."""
    lost_s: float = 60.0
    """How long they try to reach a server that does not answer."""
    lead_s: float = 180.0
    """How long everybody waits for somebody to lead, before they go."""


Part = Callable[[Robot, Habits, Pace], Coroutine[Any, Any, None]]
"""What a robot does from its coming to its going. It may return: then the robot leaves."""


async def over_runner(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Talks in every turn until somebody thanks them and moves the floor on."""

    async def talk_on(robot: Robot, habits: Habits) -> None:
        number, over = _turn(robot)
        await press(robot, SetMic(True))
        limited = robot.view and robot.view.turn and robot.view.turn.remaining_ms is not None
        if not await robot.wait(over, 3600.0 if limited else pace.unlimited_s):
            await press(robot, PassTurn(number))

    await take_part(robot, habits, talk_on)


async def silent_holder(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Takes the floor, says nothing for a good while, and passes. Silence is a turn."""

    async def be_silent(robot: Robot, habits: Habits) -> None:
        number, over = _turn(robot)
        if not await robot.wait(over, robot.chance.uniform(*pace.silence_s)):
            await press(robot, PassTurn(number))
            await robot.wait(over, 2.0)

    # In open talk they listen as well.
    quiet = replace(habits, listen_s=(3600.0, 3600.0), hand_chance=0.0)
    await take_part(robot, quiet, be_silent)


async def distressed(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Stops in the middle of the first share, asks for a quiet word, and goes if none comes."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def break_off(robot: Robot, habits: Habits) -> None:
        if asked.is_set():
            await hold_floor(robot, habits)
            return
        _, over = _turn(robot)
        await press(robot, SetMic(True))
        if await robot.wait(over, robot.chance.uniform(*pace.share_s)):
            return
        asked.set()
        await press(robot, SetMic(False))
        await press(robot, OfferQuiet())
        if await robot.wait(lambda: _is_in_quiet(robot), pace.plea_s):
            await press(robot, SetMic(True))
            await robot.wait(lambda: not _is_in_quiet(robot), robot.chance.uniform(*pace.quiet_s))
            await press(robot, LeaveSpace())
            await robot.wait(lambda: not _is_in_quiet(robot), 2.0)
            return
        await press(robot, StepOut())
        await robot.wait(lambda: False, pace.outside_s)
        gone.set()

    await _until_one_ends(take_part(robot, habits, break_off), _wait_for(gone))


async def dropper(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Loses the network in the middle of the first share, comes back, and goes on."""
    dropped = asyncio.Event()

    async def drop(robot: Robot, habits: Habits) -> None:
        if dropped.is_set():
            await hold_floor(robot, habits)
            return
        _, over = _turn(robot)
        await press(robot, SetMic(True))
        if await robot.wait(over, robot.chance.uniform(*pace.share_s)):
            return
        dropped.set()
        before = robot.connections
        await robot.drop_out(pace.away_s)
        await robot.wait(
            lambda: robot.connections > before and robot.view is not None, pace.away_s + 30.0
        )

    await take_part(robot, replace(habits, later_chance=0.0), drop)


async def phone_guest(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Is only heard: no camera, ever."""
    await take_part(robot, habits, camera=False)


async def intruder(robot: Robot, habits: Habits, pace: Pace) -> None:
    """Behaves for a while; then talks over everybody, waves, writes rubbish and changes the name.

    The server lets none of it through that the rules do not permit; in open talk it is heard.
    """
    peaceful = take_part(robot, replace(habits, hand_chance=0.0))
    await _until_one_ends(peaceful, _misbehave_soon(robot, pace))


A_DAY_S = 86_400.0

LOUD_NAMES = ("LOOK AT ME", "Boring!!!", "Everybody's boss", "xX loud Xx")
RUBBISH = ("blah blah blah", "who cares", "LOOK AT ME", "this is so boring")


async def _misbehave_soon(robot: Robot, pace: Pace) -> None:
    await robot.wait(lambda: robot.ended is not None or is_led(robot), 3600.0)
    if await robot.wait(lambda: robot.ended is not None, pace.peace_s):
        return
    robot.unruly = True
    acts = (_shout, _wave, _scribble, _rename)
    while robot.ended is None:
        for act in acts:
            with suppress(Refused, LineEnded, TimeoutError):
                await act(robot)
            if await robot.wait(
                lambda: robot.ended is not None, robot.chance.uniform(*pace.mischief_s)
            ):
                return


async def _shout(robot: Robot) -> None:
    await robot.switch_mic(True)


async def _wave(robot: Robot) -> None:
    hand: Command = LowerHand() if robot.me is not None and robot.me.hand else RaiseHand()
    await robot.do(hand)


async def _scribble(robot: Robot) -> None:
    to = () if robot.view is None else robot.view.write
    if to:
        await robot.say(to[0], robot.chance.choice(RUBBISH))


async def _rename(robot: Robot) -> None:
    await robot.rename(replace(robot.profile, name=robot.chance.choice(LOUD_NAMES)))


PRACTICE: Sequence[tuple[str, Part]] = (
    ("Robin", over_runner),
    ("Wren", silent_holder),
    ("Linnet", distressed),
    ("Merle", dropper),
    ("Phone guest 1", phone_guest),
    ("Finch", intruder),
)
"""Who is in the practice room, by the name they come with."""


def profile_of(place: int) -> Profile:
    """How the part at this place of PRACTICE appears at first."""
    # The palette is a plain tuple; mypy cannot see that its words are the right ones.
    return Profile(PRACTICE[place][0], COLORS[place % len(COLORS)])  # type: ignore[arg-type]


async def play(robot: Robot, part: Part, habits: Habits, pace: Pace) -> None:
    """Play a part until it is over, nobody leads the circle any more, or the circle ends."""
    await _until_one_ends(part(robot, habits, pace), _until_left_alone(robot, pace))


async def _until_left_alone(robot: Robot, pace: Pace) -> None:
    """Return when whoever practised has left, did not come, or has ended the circle; or when
    the server is gone."""
    if not await robot.wait(lambda: robot.ended is not None or is_led(robot), pace.lead_s):
        return
    while robot.ended is None and not _has_lost_its_lead(robot):
        if robot.view is None:
            if not await robot.wait(lambda: _is_back(robot), pace.lost_s):
                return
        else:
            await robot.wait(lambda: not _is_back(robot) or _has_lost_its_lead(robot), A_DAY_S)


def _is_back(robot: Robot) -> bool:
    return robot.view is not None and robot.ended is None


def is_led(robot: Robot) -> bool:
    """Whether somebody with a seat leads the circle, here or not."""
    leading = {Role.FACILITATOR, Role.CO_FACILITATOR}
    return robot.view is not None and any(leading & set(seat.roles) for seat in robot.view.seats)


def _has_lost_its_lead(robot: Robot) -> bool:
    return robot.view is not None and not robot.view.waiting and not is_led(robot)


def _turn(robot: Robot) -> tuple[int, Callable[[], bool]]:
    """The number of the robot's own turn, and whether it is over."""
    assert robot.view is not None and robot.view.turn is not None
    number = robot.view.turn.number
    return number, lambda: not has_floor(robot, number)


def _is_in_quiet(robot: Robot) -> bool:
    return robot.view is not None and robot.view.quiet.with_you is not None


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Let these run beside one another until the first is over; its fault is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
