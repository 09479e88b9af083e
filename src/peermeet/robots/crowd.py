"""Several robots in one circle, and one report about them."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypedDict

from peermeet.protocol import COLORS, Profile
from peermeet.robots.cast import PRACTICE, Pace, Part, play, profile_of
from peermeet.robots.door import is_encrypted, make_secret
from peermeet.robots.habits import Habits, facilitate, take_part
from peermeet.robots.line import BadLink, Link
from peermeet.robots.options import MAX_ROBOTS
from peermeet.robots.robot import Robot, RobotFailed

NAMES = (
    "Robin",
    "Wren",
    "Linnet",
    "Merle",
    "Finch",
    "Starling",
    "Swift",
    "Martin",
    "Dove",
    "Lark",
    "Heron",
    "Teal",
    "Siskin",
    "Plover",
    "Curlew",
    "Jay",
)
assert len(NAMES) == MAX_ROBOTS

# One robot after the other: a handshake costs more than anything after it.
_ARRIVAL_S = 0.2
# A picture costs one encoding and a decoding at everybody else.
_PICTURES_PER_SECOND_IN_ALL = 40.0
_MOST_PICTURES_PER_SECOND = 8.0


class RobotReport(TypedDict):
    """What one robot lived through. join_ms is None when it never took part."""

    name: str
    seat: str | None
    join_ms: int | None
    turns_held: int
    heard: dict[str, int]
    """Audio packets by seat."""
    seen: dict[str, int]
    """Decoded pictures by seat."""
    errors: list[str]


class CrowdReport(TypedDict):
    robots: list[RobotReport]


def main(chosen: argparse.Namespace) -> int:
    """Run `peermeet robots` until it is over, or until SIGINT or SIGTERM.

    Exit code 2: no invitation; 1: no robot got in; else 0.
    """
    if chosen.cast is not None:
        # Nobody's real circle on this machine should feel that somebody practises.
        os.nice(10)
    habits = Habits()
    if chosen.turn_seconds is not None:
        least, most = sorted(chosen.turn_seconds)
        habits = Habits(turn_s=(least, most))
    try:
        told = asyncio.run(
            _until_told(
                run(
                    chosen.link,
                    chosen.count,
                    seconds=chosen.seconds,
                    report=chosen.report,
                    habits=habits,
                    lead=chosen.lead,
                    seed=chosen.seed,
                    new_key=chosen.new_key,
                )
                if chosen.cast is None
                else practise(chosen.link, seconds=chosen.seconds, report=chosen.report)
            )
        )
    except BadLink as error:
        sys.stderr.write(f"LINK: {error}\n")
        return 2
    except asyncio.CancelledError:
        return 0
    if all(robot["join_ms"] is None for robot in told["robots"]):
        reasons = sorted({error for robot in told["robots"] for error in robot["errors"]})
        sys.stderr.write(f"No robot got in: {', '.join(reasons)}\n")
        return 1
    return 0


async def run(
    link: str,
    count: int,
    *,
    seconds: float | None = None,
    report: Path | None = None,
    habits: Habits | None = None,
    lead: str | None = None,
    seed: int = 1,
    new_key: bool = False,
) -> CrowdReport:
    """Let `count` robots (1–16) take part until `seconds` are over, or the circle is.

    Cancelling ends it as well; the robots leave properly and the report is written in each case.
    lead: the first robot comes by this link, starts rounds and moves them on. new_key: if the
    group is encrypted, make a new secret for it with `lead`, and print the links that have it.
    Raises `BadLink` before anybody joins.
    """
    invitation = Link.parse(link)
    first = invitation if lead is None else Link.parse(lead)
    if new_key and lead is not None:
        invitation, first = await _with_new_key(invitation, first)
    robots = [
        Robot(
            invitation if index else first,
            # The palette is a plain tuple; mypy cannot see that its words are the right ones.
            Profile(NAMES[index], COLORS[index % len(COLORS)]),  # type: ignore[arg-type]
            seed=seed * MAX_ROBOTS + index,
            pictures_per_second=min(_MOST_PICTURES_PER_SECOND, _PICTURES_PER_SECOND_IN_ALL / count),
        )
        for index in range(count)
    ]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                *(
                    _live(
                        robot,
                        index * _ARRIVAL_S,
                        habits or Habits(),
                        lead is not None and index == 0,
                    )
                    for index, robot in enumerate(robots)
                )
            )
    except TimeoutError:
        pass  # The time that was asked for is over.
    finally:
        await asyncio.gather(*(_leave(robot) for robot in robots))
        told = CrowdReport(robots=[_report(robot) for robot in robots])
        _write(told, report)
    return told


async def _with_new_key(invitation: Link, lead: Link) -> tuple[Link, Link]:
    try:
        if not await is_encrypted(lead):
            return invitation, lead
        secret = await make_secret(lead)
    except OSError as error:
        raise BadLink(f"the server does not take it: {error}") from error
    invitation, lead = invitation.with_secret(secret), lead.with_secret(secret)
    sys.stdout.write(f"Facilitator:  {lead}\nParticipants: {invitation}\n")
    sys.stdout.flush()
    return invitation, lead


async def practise(
    link: str,
    *,
    seconds: float | None = None,
    report: Path | None = None,
    habits: Habits | None = None,
    pace: Pace | None = None,
) -> CrowdReport:
    """Let the cast of the practice room play until `seconds` are over, or nobody leads any more.

    Cancelling ends it as well. Raises `BadLink` before anybody joins.
    """
    invitation = Link.parse(link)
    habits = habits or Habits(later_chance=0.0)
    robots = [
        Robot(
            invitation,
            profile_of(place),
            seed=place,
            pictures_per_second=_PICTURES_PER_SECOND_IN_ALL / len(PRACTICE) / 2,
        )
        for place in range(len(PRACTICE))
    ]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                *(
                    _play(robot, place * _ARRIVAL_S, part, habits, pace or Pace())
                    for place, (robot, (_, part)) in enumerate(zip(robots, PRACTICE, strict=True))
                )
            )
    except TimeoutError:
        pass  # The time that was asked for is over.
    finally:
        await asyncio.gather(*(_leave(robot) for robot in robots))
        told = CrowdReport(robots=[_report(robot) for robot in robots])
        _write(told, report)
    return told


async def _play(robot: Robot, after_s: float, part: Part, habits: Habits, pace: Pace) -> None:
    await asyncio.sleep(after_s)
    try:
        await robot.join()
    except RobotFailed as error:
        robot.errors.append(f"join: {error}")
        return
    await play(robot, part, habits, pace)
    await _leave(robot)


async def _until_told(work: Coroutine[Any, Any, CrowdReport]) -> CrowdReport:
    """Let a signal cancel the work, so that the robots leave their seats first."""
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _live(robot: Robot, after_s: float, habits: Habits, facilitator: bool) -> None:
    await asyncio.sleep(after_s)
    try:
        await robot.join()
    except RobotFailed as error:
        robot.errors.append(f"join: {error}")
        return
    robot.live(take_part(robot, habits))
    if facilitator:
        robot.live(facilitate(robot))
    while robot.ended is None:
        await robot.wait(lambda: robot.ended is not None, 60.0)


async def _leave(robot: Robot) -> None:
    try:
        await robot.leave()
    except TimeoutError:
        robot.errors.append("leave: media did not close")


def _write(told: CrowdReport, path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(told) + "\n")


def _report(robot: Robot) -> RobotReport:
    return RobotReport(
        name=robot.profile.name,
        seat=robot.seat,
        join_ms=robot.join_ms,
        turns_held=len(robot.turns),
        heard={str(seat): packets for seat, packets in sorted(robot.heard.items())},
        seen={str(seat): pictures for seat, pictures in sorted(robot.seen.items())},
        errors=list(robot.errors),
    )
