"""What time alone changes. Ticks may come late, early or doubled: they are harmless."""

from __future__ import annotations

from collections.abc import Iterator

from peermeet.core import messages as m
from peermeet.core.apart import advance
from peermeet.core.draft import Draft
from peermeet.core.evolve import CLOSING_MS, stage_at
from peermeet.core.floor import drop_turn, end_turn, go_on, next_place
from peermeet.core.hearing import FLOOR_MODES, step_of, steps
from peermeet.core.model import Circle, Door, Millis, Mode, Phase, Space, Stage, Timeout, Turn
from peermeet.core.people import leave
from peermeet.core.phases import CALL_BACK_MS

DROP_MS = 30_000
"""How long a dropped line keeps the floor, with the clock standing still."""

AWAY_MS = 15 * 60_000
"""How long a seat is kept for somebody who is away."""

EMPTY_MS = 60 * 60_000
"""How long a circle stays open with nobody in it."""

UNLED_MS = 20_000
"""How long a circle goes on without anybody who leads it, before it waits."""

UNLED_END_MS = UNLED_MS + 5 * 60_000
"""How long it waits, before it ends kindly."""


def wakes_at(circle: Circle) -> Millis | None:
    """When time alone will next change something: the moment of the next useful Tick."""
    if circle.ended:
        return None
    if not circle.seats:
        return Millis(circle.at + EMPTY_MS)
    due = [*_turn_times(circle), *_pair_times(circle), *_circle_times(circle)]
    due += [s.away_since + AWAY_MS for s in circle.seats.values() if s.away_since is not None]
    return Millis(min(due)) if due else None


def tick(draft: Draft) -> None:
    """Do what is due by now."""
    if not draft.circle.seats:
        if draft.now >= draft.circle.at + EMPTY_MS:
            draft.add(m.CircleEnded())
        return
    _tick_lead(draft)
    if draft.circle.ended:
        return
    _tick_turn(draft)
    _tick_phase(draft)
    for name in list(draft.circle.spaces):
        _tick_pair(draft, name)
    _tick_marks(draft)
    for seat in list(draft.circle.seats.values()):
        if seat.away_since is not None and draft.now >= seat.away_since + AWAY_MS:
            leave(draft, seat.id)


# --- A turn's time ------------------------------------------------------------------------------


def _turn_times(circle: Circle) -> Iterator[int]:
    turn = circle.turn
    if turn is None:
        return
    threshold = _next_threshold_ms(circle.phase, turn)
    if turn.clock.since is not None and threshold is not None:
        yield turn.clock.since + turn.clock.remaining_ms - threshold
    if circle.paused or circle.safe or circle.holding:
        return
    dropped = _dropped_at(circle, turn)
    if dropped is not None:
        yield dropped + DROP_MS
    elif not turn.ready:
        yield turn.started_at + circle.phase.gather_ms


def _next_threshold_ms(phase: Phase, turn: Turn) -> int | None:
    """Time left at which the turn reaches its next stage; negative means past the limit."""
    if phase.timeout is Timeout.NONE:
        return None
    if turn.stage is Stage.SPEAKING:
        return phase.warn_ms
    if turn.stage is Stage.WARNED:
        return 0
    # A firm turn is over after its grace; a soft one waits for a person.
    if turn.stage is Stage.GRACE or phase.timeout is Timeout.FIRM:
        return -phase.grace_ms
    return None


def _dropped_at(circle: Circle, turn: Turn) -> int | None:
    """Since when the holder's line has been gone in this turn, or None."""
    away_since = circle.seats[turn.seat].away_since
    return None if away_since is None else max(away_since, turn.started_at)


def _tick_turn(draft: Draft) -> None:
    circle, turn = draft.circle, draft.circle.turn
    if turn is None or circle.paused or circle.safe or circle.holding:
        return
    dropped = _dropped_at(circle, turn)
    if dropped is not None:
        if draft.now >= dropped + DROP_MS:
            drop_turn(draft)
        return
    if not turn.ready:
        if draft.now >= turn.started_at + circle.phase.gather_ms:
            draft.add(m.TurnBegun(turn.number))
        return
    stage = stage_at(circle.phase, turn.clock.left(draft.now))
    if turn.clock.since is None:
        return
    if stage is Stage.OVERDUE and circle.phase.timeout is Timeout.FIRM:
        end_turn(draft)
        go_on(draft)
    elif list(Stage).index(stage) > list(Stage).index(turn.stage):
        draft.add(m.StageReached(turn.number, stage))


# --- A phase's time -----------------------------------------------------------------------------


def _phase_is_due(circle: Circle) -> bool:
    """Its length can still change something."""
    ran_out = circle.round is not None and circle.round.ran_out
    return not circle.phase_over and not ran_out


def _tick_phase(draft: Draft) -> None:
    circle, clock = draft.circle, draft.circle.phase_clock
    if clock is None or clock.left(draft.now) > 0 or not _phase_is_due(circle):
        return
    if circle.phase.mode not in FLOOR_MODES:
        draft.add(m.PhaseCompleted())
        return
    if circle.phase.mode is Mode.READ:
        return  # A text is read to its end.
    draft.add(m.TimeRanOut())
    if draft.circle.turn is None and next_place(draft.circle) is None:
        draft.add(m.PhaseCompleted())


# --- A pair's time ------------------------------------------------------------------------------


def _pair_times(circle: Circle) -> Iterator[int]:
    for space in circle.spaces.values():
        clock = space.clock
        if clock.since is not None:
            yield clock.since + clock.remaining_ms
            if _is_last(circle, space) and not space.noticed:
                yield clock.since + clock.remaining_ms - CALL_BACK_MS
        elif not (circle.paused or circle.safe or circle.holding):
            away = _speaker_away_since(circle, space)
            if away is not None:
                yield away + DROP_MS


def _is_last(circle: Circle, space: Space) -> bool:
    return space.step == len(steps(circle.phase, space.order)) - 1


def _speaker_away_since(circle: Circle, space: Space) -> Millis | None:
    speaker = step_of(circle, space).speaker
    if speaker is None or speaker not in space.seats or space.goes_on:
        return None
    return circle.seats[speaker].away_since


def _tick_pair(draft: Draft, name: str) -> None:
    circle = draft.circle
    if circle.paused or circle.safe or circle.holding:
        return
    space = circle.spaces[name]
    if space.clock.since is None:
        away = _speaker_away_since(circle, space)
        if away is not None and draft.now >= away + DROP_MS:
            draft.add(m.PairGoesOn(name))
        return
    left = space.clock.left(draft.now)
    if left <= 0:
        advance(draft, name)
    elif _is_last(circle, space) and left <= CALL_BACK_MS and not space.noticed:
        draft.add(m.PairNoticed(name))


# --- The circle's time --------------------------------------------------------------------------


def _circle_times(circle: Circle) -> Iterator[int]:
    clock = circle.phase_clock
    due = _phase_is_due(circle) and circle.phase.mode is not Mode.READ
    if clock is not None and clock.since is not None and due:
        yield clock.since + clock.remaining_ms
    if circle.unled_since is not None:
        yield circle.unled_since + (UNLED_END_MS if circle.holding else UNLED_MS)
    if circle.door_closes_at is not None:
        yield circle.door_closes_at
    if circle.note is not None:
        yield circle.note.until
    if circle.ends_at is not None and not circle.closing_told:
        yield circle.ends_at - CLOSING_MS


def _tick_lead(draft: Draft) -> None:
    since = draft.circle.unled_since
    if since is None:
        return
    if not draft.circle.holding and draft.now >= since + UNLED_MS:
        draft.add(m.CircleHeld())
    if draft.now >= since + UNLED_END_MS:
        draft.add(m.CircleEnded())


def _tick_marks(draft: Draft) -> None:
    circle = draft.circle
    if circle.door_closes_at is not None and draft.now >= circle.door_closes_at:
        draft.add(m.DoorMoved(Door.CLOSED))
    if circle.note is not None and draft.now >= circle.note.until:
        draft.add(m.NoteEnded())
    due = circle.ends_at is not None and draft.now >= circle.ends_at - CLOSING_MS
    if due and not circle.closing_told:
        draft.add(m.ClosingSoon())
