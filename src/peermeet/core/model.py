"""The circle as a value: what is true now, and nothing else.

Frozen dataclasses only. No rule lives here (see decide.py), no clock, no randomness, no
input or output. Times are UTC milliseconds (`Millis`); durations are plain ints whose name
ends in `_ms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

SeatId = NewType("SeatId", str)
"""A place in one circle: "s1", "s2", … in the order of arrival. Survives reconnects."""

Millis = NewType("Millis", int)
"""A moment, in UTC milliseconds since 1970."""

CAPACITY = 16
"""Seats that may be taken at once (a circle is 2–16 people)."""


class Role(StrEnum):
    """What a seat may do. A co-facilitator has the same powers as the facilitator."""

    FACILITATOR = "facilitator"
    CO_FACILITATOR = "co-facilitator"
    MEMBER = "member"


class Mode(StrEnum):
    """How a phase gives out the floor."""

    TALK = "talk"
    """Open talk: everyone may be heard."""
    ROUND = "round"
    """Each seat in order gets one turn; only the holder may be heard."""
    SILENCE = "silence"
    """Nobody is heard."""


class Timeout(StrEnum):
    """What happens when a turn's time is used up."""

    SOFT = "soft"
    """Warn, grace, then a person decides. Nobody is cut off."""
    FIRM = "firm"
    """Warn, grace, then the turn moves on by itself."""
    NONE = "none"
    """No limit and no signal."""


class Stage(StrEnum):
    """How far a turn has come; grows only while its clock runs."""

    SPEAKING = "speaking"
    WARNED = "warned"
    GRACE = "grace"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Phase:
    """One step of a run sheet. Turn fields matter in mode round only.

    turn_ms: 10 s … 60 min. warn_ms: before the limit. grace_ms: after it.
    length_ms: how long the whole phase should last (a silence rings once at its end), or None.
    """

    mode: Mode
    turn_ms: int = 180_000
    warn_ms: int = 45_000
    grace_ms: int = 30_000
    timeout: Timeout = Timeout.SOFT
    length_ms: int | None = None


@dataclass(frozen=True)
class Seat:
    """One person's place. What only the person may switch on: `mic_on`, `camera_on`.

    present: a browser is connected. away_since: set while it is not.
    mic_held, camera_covered: a facilitator's decision, kept across reconnects.
    """

    id: SeatId
    role: Role
    present: bool = True
    away_since: Millis | None = None
    mic_on: bool = False
    camera_on: bool = False
    mic_held: bool = False
    camera_covered: bool = False


@dataclass(frozen=True)
class Place:
    """A seat that still has a turn to come in this round, and the time it will have."""

    seat: SeatId
    turn_ms: int


@dataclass(frozen=True)
class EndedTurn:
    """A turn of this round that is over, kept so that Back can restore it exactly.

    came_back: the seat asked for *later* or was dropped, and so waits again.
    """

    seat: SeatId
    remaining_ms: int
    came_back: bool = False


@dataclass(frozen=True)
class Clock:
    """A count-down that can stand still: `remaining_ms` was true at `since`; None = stopped.

    It may fall below zero: people finish in their own time.
    """

    remaining_ms: int
    since: Millis | None = None

    def left(self, now: Millis) -> int:
        """Milliseconds left at `now`; negative once the time is used up."""
        return self.remaining_ms if self.since is None else self.remaining_ms - (now - self.since)

    def set_running(self, running: bool, now: Millis) -> Clock:
        """The same clock, running or standing still from `now` on."""
        return Clock(self.left(now), now if running else None)


@dataclass(frozen=True)
class Turn:
    """One holding of the floor. `number` is never used twice in a circle.

    given_ms: the time it began with. held: a facilitator froze the clock.
    planned: the seat was waiting for a turn, and waits again if this one is taken back.
    """

    number: int
    seat: SeatId
    given_ms: int
    clock: Clock
    started_at: Millis
    planned: bool = True
    held: bool = False
    stage: Stage = Stage.SPEAKING


@dataclass(frozen=True)
class Round:
    """The order of a phase in mode round.

    waiting: next first. ended: oldest first, Back pops the last.
    used_later: who has asked for *later* already (once per round).
    """

    waiting: tuple[Place, ...] = ()
    ended: tuple[EndedTurn, ...] = ()
    used_later: frozenset[SeatId] = frozenset()


@dataclass(frozen=True)
class Circle:
    """A live meeting. `seats` keeps the order of arrival, which is the order of a round."""

    phase: Phase = field(default_factory=lambda: Phase(Mode.TALK))
    phase_number: int = 0
    phase_clock: Clock | None = None
    phase_over: bool = False
    seats: Mapping[SeatId, Seat] = field(default_factory=dict)
    seats_given: int = 0
    round: Round | None = None
    turn: Turn | None = None
    turns_given: int = 0
    superseded: int | None = None
    """The number of the turn that ended last by moving on; a repeated *next* for it is a no-op."""
    hands: tuple[SeatId, ...] = ()
    paused: bool = False
    door_open: bool = True
    removed: frozenset[SeatId] = frozenset()
    ended: bool = False
    at: Millis = Millis(0)
    """When the last event happened."""


@dataclass(frozen=True)
class Gate:
    """What the server lets through for one seat. An open gate permits; it switches nothing on.

    space: who can hear and see one another; "main" for the whole circle.
    """

    audio: bool
    video: bool
    space: str = "main"
