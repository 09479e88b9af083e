"""Who may be heard, and by whom: the permissions a circle's value gives.

Nothing here switches anything on, and nothing changes: evolve.py closes what lost its permission,
decide.py asks before it opens, project.py turns the answers into gates.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from peermeet.core.model import Circle, Mics, Mode, Phase, SeatId, Space, Who
from peermeet.core.powers import Power, has, takes_turns

MAIN = "main"
"""The space of the whole circle."""

FLOOR_MODES = frozenset({Mode.ROUND, Mode.QUEUE, Mode.READ})
"""The modes in which somebody holds the floor."""


class StepKind(StrEnum):
    """What a pair does."""

    TOGETHER = "together"
    """All of the pair may be heard by one another."""
    SPEAK = "speak"
    """One speaks, the others listen."""
    SILENCE = "silence"


@dataclass(frozen=True)
class Step:
    """One step of a pair. speaker: in SPEAK only. length_ms: the same for each speaker."""

    kind: StepKind
    speaker: SeatId | None
    length_ms: int


def steps(phase: Phase, order: tuple[SeatId, ...]) -> tuple[Step, ...]:
    """What a pair or a three does, one after the other, in a phase of mode pairs.

    A three takes as long as a pair, so its people speak for less each, and for the same.
    """
    pairs_share = 2 * (phase.turn_ms + phase.pause_ms)
    turn_ms = phase.turn_ms
    if len(order) != 2:
        turn_ms = max(1_000, (pairs_share // len(order) - phase.pause_ms) // 1_000 * 1_000)
    found = []
    if phase.warm_up_ms:
        found.append(Step(StepKind.TOGETHER, None, phase.warm_up_ms))
    for seat in order:
        found.append(Step(StepKind.SPEAK, seat, turn_ms))
        if phase.pause_ms:
            found.append(Step(StepKind.SILENCE, None, phase.pause_ms))
    if phase.together_ms:
        found.append(Step(StepKind.TOGETHER, None, phase.together_ms))
    return tuple(found)


def step_of(circle: Circle, space: Space) -> Step:
    """What this pair does now."""
    return steps(circle.phase, space.order)[space.step]


def pair_of(circle: Circle, seat: SeatId) -> str | None:
    """The name of the pair this seat is in."""
    return next((n for n, s in circle.spaces.items() if seat in s.seats), None)


def is_in_quiet(circle: Circle, seat: SeatId) -> bool:
    """Whether the seat is in a quiet space with one other."""
    return any(seat in two for two in circle.quiet)


def space_of(circle: Circle, seat: SeatId) -> str:
    """The space whose people this seat hears and sees."""
    own = circle.seats[seat]
    if own.waiting:
        return f"waiting-{seat}"
    if own.stepped_out:
        return f"out-{seat}"
    for two in circle.quiet:
        if seat in two:
            return f"quiet-{two[0]}"
    return pair_of(circle, seat) or MAIN


def is_in_circle(circle: Circle, seat: SeatId) -> bool:
    """Whether the seat could be heard by the whole circle, should its line hold."""
    own = circle.seats[seat]
    return not own.veiled and takes_turns(own) and space_of(circle, seat) == MAIN


def is_available(circle: Circle, seat: SeatId) -> bool:
    """Whether the floor may come to this seat now. Who is not keeps the place, and is skipped."""
    return circle.seats[seat].present and is_in_circle(circle, seat)


def is_eligible(circle: Circle, seat: SeatId) -> bool:
    """Whether the phase is for this seat, wherever it is now."""
    own = circle.seats[seat]
    if not takes_turns(own):
        return False
    match circle.phase.who:
        case Who.ALL:
            return True
        case Who.FACILITATORS:
            return has(own, Power.LEAD)
        case Who.SPEAKER:
            return False
        case Who.UNHEARD:
            return seat not in circle.spoke_at
        case _ as never:
            assert_never(never)


def may_be_heard(circle: Circle, seat: SeatId) -> bool:
    """Whether the rules permit this seat to be heard now, should it switch its microphone on."""
    own = circle.seats[seat]
    if circle.ended or own.mic_held or own.waiting or own.veiled or own.stepped_out:
        return False
    if circle.safe:
        return has(own, Power.LEAD)
    if is_in_quiet(circle, seat):
        return True
    if circle.paused or not takes_turns(own):
        return False
    pair = pair_of(circle, seat)
    if pair is not None:
        step = step_of(circle, circle.spaces[pair])
        together = step.kind is StepKind.TOGETHER
        return not circle.holding and (together or step.speaker == seat)
    holds = circle.turn is not None and circle.turn.seat == seat
    match circle.phase.mode:
        case Mode.TALK:
            return not circle.holding and is_eligible(circle, seat)
        case Mode.ROUND | Mode.QUEUE | Mode.READ:
            if holds:
                return True
            is_open = circle.phase.mics is Mics.ALL and not circle.holding
            return is_open and is_eligible(circle, seat)
        case Mode.PAIRS:
            return not circle.holding
        case Mode.SILENCE:
            return False
        case _ as never:
            assert_never(never)


SMALL_SPACE = 3
"""People of a space who all look at one another, whoever speaks."""


def in_focus(circle: Circle) -> frozenset[SeatId]:
    """Whom the others look at: the holder, and everybody in a small space."""
    spaces = {seat: space_of(circle, seat) for seat in circle.seats}
    people = Counter(spaces.values())
    near = frozenset(seat for seat, space in spaces.items() if people[space] <= SMALL_SPACE)
    return near if circle.turn is None else near | {circle.turn.seat}


def may_be_seen(circle: Circle, seat: SeatId) -> bool:
    """Whether the rules permit this seat's pictures, should it switch its camera on."""
    own = circle.seats[seat]
    return not (circle.ended or own.camera_covered or own.waiting or own.veiled)


def may_share(circle: Circle, seat: SeatId) -> bool:
    """Whether the rules permit this seat's screen to be shown to the circle now.

    To whoever holds the floor or leads. Not while nobody is there who could stop it, and not
    where the circle is apart or silent. Whose camera is covered shows no other pictures either.
    """
    own = circle.seats[seat]
    if not circle.screens or not own.present or not may_be_seen(circle, seat):
        return False
    if circle.paused or circle.safe or circle.holding or space_of(circle, seat) != MAIN:
        return False
    if circle.phase.mode in (Mode.PAIRS, Mode.SILENCE):
        return False
    return has(own, Power.LEAD) or (circle.turn is not None and circle.turn.seat == seat)
