"""Run sheets at work: opening, changing and interrupting phases.

A phase never cuts anybody off by its length: when the time is used up, the holder finishes, and
who still waits has a short turn now or first place in the next round. An insert sets the phase
aside as it stands, with the turn and its remaining time, and gives it back unchanged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from peermeet.core import fit
from peermeet.core import messages as m
from peermeet.core.draft import Draft, require, require_seat
from peermeet.core.floor import drop_turn_of_absent, go_on
from peermeet.core.hearing import FLOOR_MODES
from peermeet.core.messages import Code
from peermeet.core.model import Circle, CrossTalk, Mics, Mode, Pass, Phase, SeatId, Sheet
from peermeet.core.order import order_for, pairs_for

PHASES = 30
"""The most phases of a sheet."""

LINES = 60
"""The most lines of a text to read."""

CALL_BACK_MS = 20_000
"""How long pairs have to finish when they are called back, and when they are told it ends."""

SheetCommand = (
    m.StartPhase
    | m.OpenPhase
    | m.ReturnToPhase
    | m.ChangePhase
    | m.DropPhase
    | m.CallBack
    | m.UseSheet
    | m.InsertSheet
)


def is_sound(phase: Phase) -> bool:
    """Whether a phase's numbers are in range and its rules do not contradict one another."""
    length = phase.length_ms
    spans = (phase.warm_up_ms, phase.pause_ms, phase.together_ms)
    return (
        5_000 <= phase.turn_ms <= 3_600_000
        and 0 <= phase.warn_ms <= min(600_000, phase.turn_ms)
        and 0 <= phase.grace_ms <= 600_000
        and 0 <= phase.gather_ms <= 60_000
        and (length is None or 10_000 <= length <= 7_200_000)
        and all(0 <= span <= 600_000 for span in spans)
        and 0 <= phase.lines <= (LINES if phase.mode is Mode.READ else 0)
        and (phase.mics is Mics.HOLDER or phase.crosstalk is CrossTalk.OPEN)
        and (phase.crosstalk is not CrossTalk.INVITED or phase.mode in (Mode.ROUND, Mode.READ))
        and (Pass.TO_ANYONE not in phase.passes or phase.mode in FLOOR_MODES)
        and len(set(phase.passes)) == len(phase.passes)
    )


def require_sound(sheet: Sheet) -> None:
    require(0 < len(sheet.phases) <= PHASES, Code.BAD_PHASE)
    require(0 < len(sheet.id) <= 40, Code.BAD_PHASE)
    require(all(is_sound(phase) for phase in sheet.phases), Code.BAD_PHASE)


def use_sheet(draft: Draft, command: SheetCommand) -> None:
    """Everything about phases."""
    circle = draft.circle
    match command:
        case m.StartPhase():
            _start_alone(draft, command)
        case m.OpenPhase(after=after, index=index):
            if _was_opened(circle, after, index):
                return  # Two people opened it at once: one of them was enough.
            require(after == circle.phase_number, Code.STALE_PHASE)
            _start(draft, _phase_at(circle, index), index)
        case m.ReturnToPhase(after=after):
            require(circle.aside is not None, Code.WRONG_PHASE)
            require(after == circle.phase_number, Code.STALE_PHASE)
            _take_up(draft)
        case m.ChangePhase():
            _change(draft, command)
        case m.DropPhase(index=index):
            require(circle.sheet is not None and len(circle.sheet.phases) > 1, Code.NO_SUCH_PHASE)
            _phase_at(circle, index)
            require(circle.index is None or index > circle.index, Code.WRONG_PHASE)
            draft.add(m.PhaseChanged(index, None))
        case m.CallBack():
            _call_back(draft)
        case m.UseSheet(sheet=sheet):
            require_sound(sheet)
            require(circle.aside is None, Code.WRONG_PHASE)
            if sheet != circle.sheet or circle.index is not None:
                draft.add(m.SheetChosen(sheet))
        case m.InsertSheet(sheet=sheet):
            require_sound(sheet)
            require(circle.aside is None and not circle.spaces, Code.WRONG_PHASE)
            if circle.paused:
                draft.add(m.CircleResumed())
            draft.add(m.PhaseSetAside(sheet))
            _start(draft, sheet.phases[0], 0)
        case _ as never:
            assert_never(never)


def _phase_at(circle: Circle, index: int) -> Phase:
    phases = () if circle.sheet is None else circle.sheet.phases
    require(0 <= index < len(phases), Code.NO_SUCH_PHASE)
    return phases[index]


def _was_opened(circle: Circle, after: int, index: int) -> bool:
    return after == circle.phase_number - 1 and circle.index == index


def _start_alone(draft: Draft, command: m.StartPhase) -> None:
    """A phase that is in no sheet; what the command leaves out is filled in."""
    warn = 20_000 if command.turn_ms <= 90_000 else 45_000
    phase = Phase(
        mode=command.mode,
        turn_ms=command.turn_ms,
        warn_ms=min(warn, command.turn_ms // 2) if command.warn_ms is None else command.warn_ms,
        grace_ms=30_000 if command.grace_ms is None else command.grace_ms,
        timeout=command.timeout,
        length_ms=command.length_ms,
    )
    require(is_sound(phase), Code.BAD_PHASE)
    if command.first is not None:
        require_seat(draft.circle, command.first)
    _start(draft, phase, None, command.first)


def _start(draft: Draft, phase: Phase, index: int | None, first: SeatId | None = None) -> None:
    circle = draft.circle
    order: tuple[SeatId, ...] = ()
    pairs: tuple[tuple[SeatId, ...], ...] = ()
    if phase.mode in (Mode.ROUND, Mode.READ):
        order = order_for(circle, phase, first)
    if phase.mode is Mode.ROUND:
        turn_ms = fit.turn_ms(phase, len(order))
        phase = replace(phase, turn_ms=turn_ms, warn_ms=min(phase.warn_ms, turn_ms // 2))
    if phase.mode is Mode.PAIRS:
        # The pairs' own clocks tell when it is over.
        pairs, phase = pairs_for(circle), replace(phase, length_ms=None)
    draft.add(m.PhaseStarted(phase, order, pairs, index))
    if phase.mode in (Mode.ROUND, Mode.READ):
        go_on(draft)


def _take_up(draft: Draft) -> None:
    draft.add(m.PhaseTakenUp())
    drop_turn_of_absent(draft)
    circle = draft.circle
    interrupted = circle.phase.mode in (Mode.ROUND, Mode.READ) and circle.turn is None
    if interrupted and not circle.phase_over:
        go_on(draft)


def _change(draft: Draft, command: m.ChangePhase) -> None:
    circle = draft.circle
    before = _phase_at(circle, command.index)
    is_now = command.index == circle.index
    require(not (is_now and before.mode is Mode.PAIRS), Code.WRONG_PHASE)
    # A round that runs was fitted to the people present when it began.
    base = circle.phase if is_now else before
    order = command.order or base.order
    require(order is base.order or not (is_now and before.mode is Mode.READ), Code.WRONG_PHASE)
    turn_ms = base.turn_ms if command.turn_ms is None else command.turn_ms
    phase = replace(
        base,
        turn_ms=turn_ms,
        warn_ms=min(base.warn_ms, turn_ms // 2),
        fit=base.fit and command.turn_ms is None,
        length_ms=base.length_ms if command.length_ms is None else command.length_ms,
        timeout=command.timeout or base.timeout,
        order=order,
    )
    require(is_sound(phase), Code.BAD_PHASE)
    if phase != base:
        moves = is_now and before.mode is Mode.ROUND and order is not base.order
        line = order_for(circle, phase) if moves else ()
        draft.add(m.PhaseChanged(command.index, phase, line))


def _call_back(draft: Draft) -> None:
    circle = draft.circle
    require(circle.phase.mode is Mode.PAIRS, Code.WRONG_PHASE)
    for name, space in circle.spaces.items():
        if not space.noticed:
            draft.add(m.PairNoticed(name, CALL_BACK_MS))
