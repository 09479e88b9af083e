"""What robots do of their own will: they take turns as people do.

Habits read the view and press the buttons it offers. They decide by the robot's seeded chance,
so that a run can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from peermeet.core.messages import (
    Command,
    Later,
    LowerHand,
    NextTurn,
    PassTurn,
    RaiseHand,
    SetCamera,
    SetMic,
    SetRoles,
    StartPhase,
)
from peermeet.core.model import Mode, Order, Role, Stage
from peermeet.core.project import SeatView, View
from peermeet.robots.line import LineEnded, Refused
from peermeet.robots.robot import Robot

Range = tuple[float, float]

# Answers to a button that somebody else was quicker with.
_LOST_RACES = {
    "stale_turn",
    "no_turn",
    "not_your_turn",
    "floor_taken",
    "paused",
    "mic_held",
    "camera_covered",
    "already_later",
    "wrong_phase",
    "nobody_left",
    "not_allowed",
    "busy",
    "unled",
    "veiled",
    "in_waiting_area",
    "away_from_circle",
    "not_offered",
    "no_offer",
    "chat_off",
    "too_fast",
}


@dataclass(frozen=True)
class Habits:
    """Lengths in seconds, each drawn anew between the two; chances from 0 to 1."""

    turn_s: Range = (4.0, 12.0)
    """How long it speaks when it has the floor."""
    breath_s: Range = (0.4, 1.5)
    """From getting the floor to switching the microphone on."""
    talk_s: Range = (2.0, 5.0)
    """How long it speaks in open talk."""
    listen_s: Range = (5.0, 20.0)
    """How long it listens before it does something by itself."""
    later_chance: float = 0.08
    hand_chance: float = 0.15
    queue_chance: float = 0.5
    """Of raising a hand where that asks for the floor."""


Hold = Callable[[Robot, Habits], Coroutine[Any, Any, None]]
"""What somebody does with a turn that has just begun."""


async def take_part(
    robot: Robot, habits: Habits, hold: Hold | None = None, camera: bool = True
) -> None:
    """Live in the circle until cancelled: show oneself, wait for the floor, speak, pass."""
    chance, hold = robot.chance, hold or hold_floor
    if camera:
        await press(robot, SetCamera(True))
    while robot.ended is None:
        view = robot.view
        if view is None:
            await robot.wait(lambda: robot.view is not None, 1.0)
        elif has_floor(robot):
            await hold(robot, habits)
        elif view.phase.mode in (Mode.TALK, Mode.PAIRS) and not view.paused:
            await _talk(robot, habits)
        else:
            patience_s = chance.uniform(*habits.listen_s)
            if not await robot.wait(partial(_is_news, robot, view), patience_s):
                await _consider_hand(robot, habits)


async def facilitate(robot: Robot, turn_ms: int = 60_000, talk_s: Range = (8.0, 15.0)) -> None:
    """Start rounds with open talk between them, and press *next* when a turn is overdue.

    As soon as somebody else who facilitates is here, the robot hands the lead over and only
    takes part; a robot whose seat may not lead does nothing.
    """
    while robot.ended is None:
        view = robot.view
        if view is None or "start_phase" not in view.may or view.paused:
            await robot.wait(partial(_is_newer, robot, view), 1.0)
        elif (other := _other_facilitator(view)) is not None:
            if Role.FACILITATOR not in other.roles and "set_roles" in other.may:
                await press(robot, SetRoles(other.id, (Role.FACILITATOR,)))
            await robot.wait(partial(_is_newer, robot, view), 1.0)
        elif view.phase.mode is Mode.TALK:
            patience_s = robot.chance.uniform(*talk_s)
            if not await robot.wait(partial(_is_news, robot, view), patience_s):
                await press(robot, StartPhase(Mode.ROUND, turn_ms=turn_ms))
        elif view.phase.mode is Mode.SILENCE or view.phase.over:
            await press(robot, StartPhase(Mode.TALK))
        elif view.turn is None:
            await press(robot, NextTurn(view.turns_given))
        elif view.turn.stage is Stage.OVERDUE:
            await press(robot, NextTurn(view.turn.number))
        else:
            await robot.wait(partial(_is_newer, robot, view), 1.0)


_LEADING = {Role.FACILITATOR, Role.CO_FACILITATOR}


def _other_facilitator(view: View) -> SeatView | None:
    """Somebody else who is here and may lead."""
    for seat in view.seats:
        if seat.id != view.you and seat.present and _LEADING & set(seat.roles):
            return seat
    return None


async def hold_floor(robot: Robot, habits: Habits) -> None:
    """Speak for a while and pass; sometimes ask for later."""
    view, chance = robot.view, robot.chance
    assert view is not None and view.turn is not None
    number = view.turn.number

    def gone() -> bool:
        return not has_floor(robot, number)

    if await robot.wait(gone, chance.uniform(*habits.breath_s)):
        return
    if "later" in view.may and chance.random() < habits.later_chance:
        await press(robot, Later(number))
    else:
        await press(robot, SetMic(True))
        if await robot.wait(gone, chance.uniform(*habits.turn_s)):
            return
        await press(robot, SetMic(False))
        await press(robot, PassTurn(number))
    # The view that shows it comes by itself; do not press twice before it is here.
    await robot.wait(gone, 2.0)


async def _talk(robot: Robot, habits: Habits) -> None:
    view, chance = robot.view, robot.chance
    assert view is not None
    over = partial(_is_news, robot, view)
    if await robot.wait(over, chance.uniform(*habits.listen_s)) or robot.view is None:
        return
    if "set_mic" in robot.view.may:
        await press(robot, SetMic(True))
        await robot.wait(over, chance.uniform(*habits.talk_s))
        await press(robot, SetMic(False))


async def _consider_hand(robot: Robot, habits: Habits) -> None:
    view, me = robot.view, robot.me
    if view is None or me is None:
        return
    in_line = view.phase.mode is Mode.QUEUE or view.phase.order is Order.HAND
    if me.hand:
        if not in_line:
            await press(robot, LowerHand())
    elif in_line and "raise_hand" in view.may and robot.chance.random() < habits.queue_chance:
        await press(robot, RaiseHand())
    elif "raise_hand" in view.may and robot.chance.random() < habits.hand_chance:
        await press(robot, RaiseHand())


async def press(robot: Robot, command: Command) -> None:
    """Press a button; a "no" because somebody was quicker is part of life."""
    try:
        match command:
            case SetMic(on=on):
                await robot.switch_mic(on)
            case SetCamera(on=on):
                await robot.switch_camera(on)
            case _:
                await robot.do(command)
    except Refused as refused:
        if refused.code not in _LOST_RACES:
            robot.errors.append(f"{command.kind}: {refused.code}")
        await robot.wait(lambda: False, _moment_s(robot.chance))
    except LineEnded:
        await robot.wait(lambda: robot.view is not None, 1.0)
    except TimeoutError:
        robot.errors.append(f"{command.kind}: no answer")


def has_floor(robot: Robot, number: int | None = None) -> bool:
    """Whether it is the robot's turn, of this number if one is given, and nothing stands."""
    view = robot.view
    if view is None or view.turn is None or view.paused or view.safe:
        return False
    return view.turn.seat == robot.seat and number in (None, view.turn.number)


def _is_news(robot: Robot, view: View) -> bool:
    """The phase, the pause or the own turn is no longer as `view` says."""
    new = robot.view
    return (
        new is None
        or new.phase.number != view.phase.number
        or new.paused != view.paused
        or new.safe != view.safe
        or has_floor(robot)
    )


def _is_newer(robot: Robot, view: View | None) -> bool:
    return robot.view is not view


def _moment_s(chance: random.Random) -> float:
    return chance.uniform(0.3, 1.0)
