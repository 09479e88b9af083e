"""Will it fit: the minutes a run sheet needs for the people who are here.

The turn of a round is `min(cap, floor15((length - n * 8 s) / n))`, at least 60 s (or the cap, if
that is shorter); 8 s go by from one person to the next (circle.md §2, rules common to all).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from peermeet.core.model import Mode, Phase, Sheet

HAND_OVER_MS = 8_000
"""What passes between one speaker and the next."""

SHORTEST_MS = 60_000
"""No turn is made shorter than this to make a round fit."""

TOLERANCE_MS = 60_000
"""Nobody is asked to change a plan that is over by less."""

_STEP_MS = 15_000


@dataclass(frozen=True)
class Fit:
    """What one phase of a sheet needs. needed_ms: with `turn_ms` for everyone.

    length_ms: what the sheet gives it. turn_ms: as planned. shorter_ms: the turn that would fit,
    or None if the plan fits or no turn would. two_circles: even the shortest turn is too long.
    """

    index: int
    needed_ms: int
    length_ms: int
    turn_ms: int
    shorter_ms: int | None
    two_circles: bool


def turn_ms(phase: Phase, people: int) -> int:
    """The length of a turn of this phase with so many people to come."""
    if not phase.fit or phase.length_ms is None or people == 0:
        return phase.turn_ms
    share = (phase.length_ms - people * HAND_OVER_MS) // people // _STEP_MS * _STEP_MS
    return min(phase.turn_ms, max(share, min(phase.turn_ms, SHORTEST_MS)))


def needed_ms(phase: Phase, people: int, turn: int) -> int:
    """How long the phase lasts if everyone takes the whole of such a turn."""
    if phase.mode is Mode.PAIRS:
        return pairs_ms(phase)
    if phase.mode is Mode.ROUND:
        return people * (turn + HAND_OVER_MS)
    return phase.length_ms or 0


def pairs_ms(phase: Phase) -> int:
    """The whole of a pair's time together; the same in a three (spaces.steps)."""
    return phase.warm_up_ms + 2 * (phase.turn_ms + phase.pause_ms) + phase.together_ms


def check(sheet: Sheet, people: int) -> tuple[Fit, ...]:
    """What each phase with a length needs for so many people who take turns."""
    found = []
    for index, phase in enumerate(sheet.phases):
        if phase.length_ms is None:
            continue
        planned = needed_ms(phase, people, phase.turn_ms)
        shorter, two_circles = None, False
        if phase.mode is Mode.ROUND and planned > phase.length_ms + TOLERANCE_MS:
            turn = turn_ms(replace(phase, fit=True), people)
            fits = needed_ms(phase, people, turn) <= phase.length_ms + TOLERANCE_MS
            shorter, two_circles = (turn, False) if fits else (None, True)
        found.append(Fit(index, planned, phase.length_ms, phase.turn_ms, shorter, two_circles))
    return tuple(found)
