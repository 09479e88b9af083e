"""What each event makes true. Total: an event that happened is never refused.

Three facts hold after every event, whatever it was, because they are settled here in one place:
a clock runs exactly when the rules let it run; a microphone that lost the permission to be heard,
or whose person came to other people, is off, so that only its own person can open it again, and
so is the camera of whoever comes out of a quiet space, and a screen is no longer shown; and the
circle knows since when nobody leads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.hearing import (
    FLOOR_MODES,
    is_eligible,
    is_in_quiet,
    may_be_heard,
    may_share,
    space_of,
    step_of,
    steps,
)
from peermeet.core.model import (
    Aside,
    Circle,
    Clock,
    ContentNote,
    EndedTurn,
    Millis,
    Mode,
    Phase,
    Place,
    QuietOffer,
    Role,
    Round,
    Seat,
    SeatId,
    Sheet,
    Space,
    Stage,
    Timeout,
    Turn,
    Who,
)
from peermeet.core.powers import Power, has, takes_turns

RESPONSE_MS = 60_000
"""An invited answer."""

CLOSING_MS = 15 * 60_000
"""How long before the planned end those who lead are told."""


def stage_at(phase: Phase, left_ms: int) -> Stage:
    """The stage a turn with this much time left has come to (0 or less = past the limit)."""
    if phase.timeout is Timeout.NONE or left_ms > phase.warn_ms:
        return Stage.SPEAKING
    if left_ms > 0:
        return Stage.WARNED
    return Stage.GRACE if left_ms > -phase.grace_ms else Stage.OVERDUE


def evolve(circle: Circle, event: m.Event, at: Millis) -> Circle:
    """The circle after `event`, which happened at `at` (never before `circle.at`)."""
    before = circle
    if isinstance(event, m.Interrupted):
        # Clocks stop where the server stopped, not where it came back.
        stopped_at = max(circle.at, min(event.alive_until, at))
        circle = _settle_clocks(circle, stopped_at, stop=True)
    return replace(_settle(before, _apply(circle, event, at), at), at=at)


def without_private(circle: Circle) -> Circle:
    """What may be written down of a circle: no quiet words, cards, notes, stepping out, screens."""
    seats = {
        s.id: replace(s, stepped_out=False, card=None) if s.stepped_out or s.card else s
        for s in circle.seats.values()
    }
    return replace(
        circle,
        seats=seats,
        quiet=(),
        quiet_offers=(),
        sharing=None,
        card=None,
        note=None,
        pause_asked=False,
    )


# --- Settling -----------------------------------------------------------------------------------


def _settle(before: Circle, circle: Circle, at: Millis) -> Circle:
    circle = _settle_clocks(_settle_lead(circle, at), at)
    for seat in list(circle.seats.values()):
        if seat.mic_on:
            stayed = space_of(before, seat.id) == space_of(circle, seat.id)
            if not stayed or not may_be_heard(circle, seat.id):
                circle = _seat(circle, replace(seat, mic_on=False))
        if seat.camera_on and is_in_quiet(before, seat.id) and not is_in_quiet(circle, seat.id):
            circle = _seat(circle, replace(circle.seats[seat.id], camera_on=False))
    sharing = circle.sharing
    if sharing is not None and not (sharing in circle.seats and may_share(circle, sharing)):
        circle = replace(circle, sharing=None)
    return circle


def _settle_lead(circle: Circle, at: Millis) -> Circle:
    if not circle.led:
        return circle
    present = [s for s in circle.seats.values() if s.present and not s.waiting]
    if any(has(s, Power.LEAD) for s in present):
        if circle.unled_since is None and not circle.holding:
            return circle
        return replace(circle, unled_since=None, holding=False)
    if not present:
        return circle if circle.unled_since is None else replace(circle, unled_since=None)
    since = at if circle.unled_since is None else circle.unled_since
    return replace(circle, unled_since=since)


def _settle_clocks(circle: Circle, at: Millis, stop: bool = False) -> Circle:
    stop = stop or circle.paused or circle.safe or circle.holding or circle.ended
    turn, clock = circle.turn, circle.phase_clock
    if turn is not None:
        runs = not (stop or turn.held) and turn.ready and circle.seats[turn.seat].present
        standing = turn.clock.set_running(runs, at)
        turn = turn if standing is turn.clock else replace(turn, clock=standing)
    if clock is not None:
        runs = not (stop or circle.phase_over) and any(s.present for s in circle.seats.values())
        clock = clock.set_running(runs, at)
    if turn is circle.turn and clock is circle.phase_clock and not circle.spaces:
        return circle
    spaces = {
        name: replace(space, clock=space.clock.set_running(not stop and _runs(circle, space), at))
        for name, space in circle.spaces.items()
    }
    return replace(circle, turn=turn, phase_clock=clock, spaces=spaces)


def _runs(circle: Circle, space: Space) -> bool:
    if not any(circle.seats[s].present for s in space.seats):
        return False
    speaker = step_of(circle, space).speaker
    if speaker is None or speaker not in space.seats or space.goes_on:
        return True
    return circle.seats[speaker].present


# --- Applying -----------------------------------------------------------------------------------


def _seat(circle: Circle, seat: Seat) -> Circle:
    return replace(circle, seats={**circle.seats, seat.id: seat})


def _apply(circle: Circle, event: m.Event, at: Millis) -> Circle:
    match event:
        case m.TurnStarted() | m.TurnEnded() | m.TurnTakenBack():
            return _apply_floor(circle, event, at)
        case (
            m.TurnBegun()
            | m.TurnExtended()
            | m.ClockHeld()
            | m.StageReached()
            | m.ResponsesWelcomed()
            | m.GentlySignalled()
        ):
            return _apply_turn(circle, event, at)
        case (
            m.SheetChosen()
            | m.PhaseChanged()
            | m.PhaseSetAside()
            | m.PhaseTakenUp()
            | m.PhaseStarted()
            | m.TimeRanOut()
            | m.PhaseCompleted()
        ):
            return _apply_phase(circle, event, at)
        case m.StepReached() | m.PairGoesOn() | m.PairNoticed() | m.PairLeft() | m.PairEnded():
            return _apply_pair(circle, event)
        case (
            m.QuietOffered()
            | m.QuietDeclined()
            | m.QuietBegun()
            | m.QuietEnded()
            | m.SwitchedInQuiet()
            | m.SteppedOut()
            | m.SteppedIn()
            | m.ShareStarted()
            | m.ShareEnded()
            | m.CardShown()
            | m.ContentNoted()
            | m.NoteEnded()
            | m.PauseAsked()
            | m.PauseDeclined()
        ):
            return _apply_private(circle, event)
        case (
            m.CirclePaused()
            | m.CircleResumed()
            | m.RoomMadeSafe()
            | m.SafetyLifted()
            | m.CircleHeld()
            | m.DoorMoved()
            | m.ClosingSoon()
            | m.Interrupted()
            | m.CircleEnded()
        ):
            return _apply_whole(circle, event, at)
        case _:
            return _apply_seat(circle, event, at)


SeatEvent = (
    m.SeatTaken
    | m.SeatReturned
    | m.SeatAway
    | m.SeatLeft
    | m.SeatRemoved
    | m.SeatAdmitted
    | m.SeatSentToWait
    | m.SeatReadmitted
    | m.RemovalTakenBack
    | m.RolesChanged
    | m.MicSwitched
    | m.CameraSwitched
    | m.MicHeld
    | m.CameraCovered
    | m.HandRaised
    | m.HandLowered
)


def _apply_seat(circle: Circle, event: SeatEvent, at: Millis) -> Circle:
    match event:
        case m.SeatTaken(seat=seat, roles=roles, waiting=waiting):
            led = circle.led or Role.FACILITATOR in roles
            given = replace(circle, seats_given=circle.seats_given + 1, led=led)
            return _sit_down(given, _veiled(circle, Seat(seat, frozenset(roles), waiting=waiting)))
        case m.RemovalTakenBack(seat=seat):
            back = replace(circle, removed=circle.removed - {seat})
            return _sit_down(back, _veiled(circle, Seat(seat, present=False, away_since=at)))
        case m.SeatReturned(seat=seat) if circle.sharing == seat:
            # The page is new and has no screen to show.
            return _apply_seat(replace(circle, sharing=None), event, at)
        case m.SeatLeft(seat=seat):
            return _stand_up(circle, seat)
        case m.SeatRemoved(seat=seat):
            return replace(_stand_up(circle, seat), removed=circle.removed | {seat})
        case m.HandRaised(seat=seat):
            return replace(circle, hands=(*circle.hands, seat))
        case m.HandLowered(seat=seat):
            return replace(circle, hands=_without(circle.hands, seat))
        case m.SeatSentToWait(seat=seat):
            waits = replace(circle.seats[seat], waiting=True, camera_on=False)
            return _seat(_leave_places(circle, seat), waits)
        case m.SeatAdmitted(seat=seat):
            return _sit_down(circle, _veiled(circle, replace(circle.seats[seat], waiting=False)))
        case m.RolesChanged(seat=seat, roles=roles):
            before = circle.seats[seat]
            now = replace(before, roles=frozenset(roles))
            if has(before, Power.LEAD):
                now = _veiled(circle, now)
            if takes_turns(now):
                return _sit_down(circle, now)
            return _seat(_leave_lines(circle, seat), now)
        case m.MicSwitched(seat=seat, on=on):
            circle = _seat(circle, replace(circle.seats[seat], mic_on=on))
            if on and circle.turn is not None and circle.turn.seat == seat:
                return replace(circle, turn=replace(circle.turn, heard=True, ready=True))
            return circle
        case _:
            return _seat(circle, _changed(circle.seats[event.seat], event, at))


def _changed(
    seat: Seat,
    event: (
        m.SeatReturned
        | m.SeatAway
        | m.SeatReadmitted
        | m.CameraSwitched
        | m.MicHeld
        | m.CameraCovered
    ),
    at: Millis,
) -> Seat:
    match event:
        case m.SeatReturned(connected=connected):
            seat = replace(seat, present=True, away_since=None)
            return seat if connected else replace(seat, mic_on=False, camera_on=False)
        case m.SeatAway():
            return replace(seat, present=False, away_since=at)
        case m.SeatReadmitted():
            return replace(seat, veiled=False)
        case m.CameraSwitched(on=on):
            return replace(seat, camera_on=on)
        case m.MicHeld(held=held):
            return replace(seat, mic_held=held)
        case m.CameraCovered(reason=reason):
            return replace(seat, camera_covered=reason, camera_on=False)
        case _ as never:
            assert_never(never)


# --- Coming and going ---------------------------------------------------------------------------


def _sit_down(circle: Circle, seat: Seat) -> Circle:
    """Make this seat true and, if a line is there for it, give it a place at the end.

    Latecomers join at the end of the round (circle.md, rules common to all).
    """
    circle = _seat(circle, seat)
    aside = circle.aside
    if aside is not None and aside.round is not None:
        inside = replace(circle, phase=aside.phase, round=aside.round, turn=aside.turn)
        circle = replace(circle, aside=replace(aside, round=_joined(inside, seat)))
    return replace(circle, round=_joined(circle, seat))


def _veiled(circle: Circle, seat: Seat) -> Seat:
    """Who comes, or no longer leads, while the room is safe has to be readmitted like others."""
    if not circle.safe or has(seat, Power.LEAD):
        return seat
    return replace(seat, veiled=True, camera_on=False)


def _joined(circle: Circle, seat: Seat) -> Round | None:
    line, phase = circle.round, circle.phase
    if line is None or phase.mode is Mode.QUEUE or phase.who is Who.SPEAKER:
        return line
    known = {p.seat for p in line.waiting} | {e.seat for e in line.ended}
    holds = circle.turn is not None and circle.turn.seat == seat.id
    if seat.id in known or holds or not is_eligible(circle, seat.id):
        return line
    return replace(line, waiting=(*line.waiting, Place(seat.id, phase.turn_ms)))


def _leave_lines(circle: Circle, seat: SeatId) -> Circle:
    aside = circle.aside
    if aside is not None:
        turn = None if aside.turn is not None and aside.turn.seat == seat else aside.turn
        aside = replace(aside, round=_left(aside.round, seat), turn=turn)
    return replace(
        circle,
        hands=_without(circle.hands, seat),
        owed=_without(circle.owed, seat),
        round=_left(circle.round, seat),
        aside=aside,
    )


def _left(line: Round | None, seat: SeatId) -> Round | None:
    if line is None:
        return None
    return replace(line, waiting=tuple(p for p in line.waiting if p.seat != seat))


def _leave_places(circle: Circle, seat: SeatId) -> Circle:
    """Out of every line, space and private matter; the seat itself stays."""
    circle = _leave_space(_leave_lines(circle, seat), seat)
    note = circle.note
    return replace(
        circle,
        quiet=tuple(two for two in circle.quiet if seat not in two),
        quiet_offers=tuple(o for o in circle.quiet_offers if seat not in (o.seat, o.to)),
        note=None if note is not None and note.seat == seat else note,
    )


def _stand_up(circle: Circle, seat: SeatId) -> Circle:
    circle = _leave_places(circle, seat)
    return replace(circle, seats={s: v for s, v in circle.seats.items() if s != seat})


# --- Phases -------------------------------------------------------------------------------------

PhaseEvent = (
    m.SheetChosen
    | m.PhaseChanged
    | m.PhaseSetAside
    | m.PhaseTakenUp
    | m.PhaseStarted
    | m.TimeRanOut
    | m.PhaseCompleted
)


def _apply_phase(circle: Circle, event: PhaseEvent, at: Millis) -> Circle:
    match event:
        case m.SheetChosen(sheet=sheet):
            return replace(circle, sheet=sheet, index=None, ends_at=None)
        case m.PhaseChanged():
            return _change_phase(circle, event, at)
        case m.PhaseSetAside(sheet=sheet):
            return _set_aside(circle, sheet, at)
        case m.PhaseTakenUp():
            return _take_up(circle, at)
        case m.PhaseStarted():
            return _start_phase(circle, event, at)
        case m.TimeRanOut():
            assert circle.round is not None
            return replace(circle, round=replace(circle.round, ran_out=True))
        case m.PhaseCompleted():
            return replace(circle, phase_over=True)
        case _ as never:
            assert_never(never)


def _start_phase(circle: Circle, event: m.PhaseStarted, at: Millis) -> Circle:
    phase, planned = event.phase, circle.sheet
    places = tuple(Place(s, phase.turn_ms) for s in event.order)
    has_floor, served = phase.mode in FLOOR_MODES, event.order
    ends_at = circle.ends_at
    if ends_at is None and event.index is not None and planned and circle.aside is None:
        lengths = [p.length_ms or 0 for p in planned.phases[event.index :]]
        ends_at = Millis(at + sum(lengths))
        # A short plan is closing from its beginning; nobody has to be told.
        circle = replace(circle, closing_told=sum(lengths) <= CLOSING_MS)
    return replace(
        circle,
        phase=phase,
        index=event.index,
        phase_number=circle.phase_number + 1,
        phase_clock=None if phase.length_ms is None else Clock(phase.length_ms),
        phase_over=False,
        round=Round(waiting=places) if has_floor else None,
        turn=None,
        superseded=None,
        owed=tuple(s for s in owed_now(circle) if phase.mode is not Mode.ROUND or s not in served),
        spoke_at=spoken(circle, at),
        spaces={
            f"pair-{number}": Space(seats, seats, 0, Clock(steps(phase, seats)[0].length_ms))
            for number, seats in enumerate(event.pairs, 1)
        },
        ends_at=ends_at,
    )


def _change_phase(circle: Circle, event: m.PhaseChanged, at: Millis) -> Circle:
    assert circle.sheet is not None
    index, phase = event.index, event.phase
    phases = list(circle.sheet.phases)
    if phase is None:
        del phases[index]  # One that is still to come, so that the index of the phase now holds.
        return replace(circle, sheet=replace(circle.sheet, phases=tuple(phases)))
    phases[index] = phase
    circle = replace(circle, sheet=replace(circle.sheet, phases=tuple(phases)))
    if index != circle.index:
        return circle
    line, clock = circle.round, circle.phase_clock
    if line is not None:
        ordinary = phase.turn_ms
        waiting = [p if p.response else replace(p, turn_ms=ordinary) for p in line.waiting]
        if event.order:
            # Answers stay in front, and who comes again at the end.
            again = {e.seat for e in line.ended}
            order = [s for s in event.order if s not in again] + [p.seat for p in waiting]
            waiting.sort(key=lambda p: (not p.response, order.index(p.seat)))
        line = replace(line, waiting=tuple(waiting))
    if phase.length_ms != circle.phase.length_ms:
        spent = 0 if clock is None else (circle.phase.length_ms or 0) - clock.left(at)
        clock = None if phase.length_ms is None else Clock(phase.length_ms - spent)
    return replace(circle, phase=phase, round=line, phase_clock=clock)


def _set_aside(circle: Circle, sheet: Sheet, at: Millis) -> Circle:
    turn, clock = circle.turn, circle.phase_clock
    aside = Aside(
        sheet=circle.sheet,
        index=circle.index,
        phase=circle.phase,
        phase_clock=None if clock is None else clock.set_running(False, at),
        phase_over=circle.phase_over,
        round=circle.round,
        turn=None if turn is None else replace(turn, clock=turn.clock.set_running(False, at)),
    )
    return replace(circle, aside=aside, sheet=sheet, round=None, turn=None)


def _take_up(circle: Circle, at: Millis) -> Circle:
    """What was set aside goes on; its turn has a new number, so that no late click can hit it."""
    aside = circle.aside
    assert aside is not None
    turn, given = aside.turn, circle.turns_given
    if turn is not None:
        given += 1
        turn = replace(turn, number=given, started_at=at)
    return replace(
        circle,
        aside=None,
        sheet=aside.sheet,
        index=aside.index,
        phase=aside.phase,
        phase_number=circle.phase_number + 1,
        phase_clock=aside.phase_clock,
        phase_over=aside.phase_over,
        round=aside.round,
        turn=turn,
        turns_given=given,
        superseded=None,
        spoke_at=spoken(circle, at),
        spaces={},
    )


# --- The floor ----------------------------------------------------------------------------------


def _apply_floor(
    circle: Circle, event: m.TurnStarted | m.TurnEnded | m.TurnTakenBack, at: Millis
) -> Circle:
    match event:
        case m.TurnStarted():
            return _start_turn(circle, event, at)
        case m.TurnEnded():
            return _end_turn(circle, event, at)
        case m.TurnTakenBack():
            return _take_back(circle)
        case _ as never:
            assert_never(never)


def _start_turn(circle: Circle, event: m.TurnStarted, at: Millis) -> Circle:
    line = circle.round
    assert line is not None
    places = [p for p in line.waiting if (p.seat, p.response) == (event.seat, event.response)]
    waiting = list(line.waiting)
    if places:
        waiting.remove(places[0])
    return replace(
        circle,
        turn=Turn(
            number=event.number,
            seat=event.seat,
            given_ms=event.given_ms,
            clock=Clock(event.given_ms),
            started_at=at,
            planned=bool(places) or event.seat in circle.hands,
            stage=stage_at(circle.phase, event.given_ms),
            ready=event.ready,
            heard=circle.seats[event.seat].mic_on,
            response=event.response,
        ),
        turns_given=event.number,
        round=replace(line, waiting=tuple(waiting), floor_open=False),
        hands=_without(circle.hands, event.seat),
        phase_over=False,
    )


def _end_turn(circle: Circle, event: m.TurnEnded, at: Millis) -> Circle:
    line, turn = circle.round, circle.turn
    assert line is not None and turn is not None
    seat, again = turn.seat, event.again_ms
    answers = tuple(Place(s, RESPONSE_MS, response=True) for s in event.answers)
    waiting = (*answers, *line.waiting)
    if again is not None:
        waiting = (*waiting, Place(seat, again, turn.response))
    ended = EndedTurn(
        seat=seat,
        remaining_ms=event.remaining_ms,
        given_ms=turn.given_ms,
        came_back=again is not None,
        asked=event.asked,
        response=turn.response,
        planned=turn.planned,
        owed=event.owed,
        lines_read=line.lines_read,
    )
    return replace(
        circle,
        turn=None,
        superseded=event.number,
        hands=tuple(h for h in circle.hands if h not in event.answers),
        owed=(*circle.owed, seat) if event.owed else circle.owed,
        spoke_at=spoken(circle, at),
        round=replace(
            line,
            waiting=waiting,
            ended=(*line.ended, ended),
            used_later=line.used_later | {seat} if event.asked else line.used_later,
            floor_open=event.to_anyone,
            lines_read=line.lines_read + (turn.heard and circle.phase.mode is Mode.READ),
        ),
    )


def spoken(circle: Circle, at: Millis) -> Mapping[SeatId, Millis]:
    """When people were last heard, once the turn that runs now is over."""
    turn = circle.turn
    return circle.spoke_at if turn is None or not turn.heard else {**circle.spoke_at, turn.seat: at}


def _take_back(circle: Circle) -> Circle:
    """Pop the last ended turn whose person can have it; who holds the floor waits as next."""
    line = circle.round
    assert line is not None
    ended = tuple(e for e in line.ended if may_have_back(circle, e))
    waiting, owed, used_later = line.waiting, circle.owed, line.used_later
    turn, lines_read = circle.turn, line.lines_read
    if turn is not None and turn.planned:
        waiting = (Place(turn.seat, turn.given_ms, turn.response), *waiting)
    if ended:
        last = ended[-1]
        lines_read = last.lines_read
        if last.came_back:
            ours = [i for i, p in enumerate(waiting) if p.seat == last.seat]
            waiting = tuple(p for i, p in enumerate(waiting) if i != max(ours, default=-1))
        if last.asked:
            used_later = used_later - {last.seat}
        if last.owed:
            owed = _without(owed, last.seat)
        if last.planned:
            # The turn that begins now takes it; should that be taken back too, it waits again.
            waiting = (Place(last.seat, last.remaining_ms, last.response), *waiting)
    return replace(
        circle,
        turn=None,
        superseded=None,
        owed=owed,
        round=replace(
            line,
            ended=ended[:-1],
            waiting=waiting,
            used_later=used_later,
            lines_read=lines_read,
        ),
    )


def owed_now(circle: Circle) -> tuple[SeatId, ...]:
    """Who has first place in the next round, should this phase end now (circle.md §2)."""
    line = circle.round
    unheard: tuple[SeatId, ...] = ()
    if line is not None and line.ran_out and circle.phase.mode is Mode.ROUND:
        unheard = tuple(p.seat for p in line.waiting if not p.response)
    return tuple(dict.fromkeys((*circle.owed, *unheard)))


def may_have_back(circle: Circle, ended: EndedTurn) -> bool:
    """Whether the person of an ended turn is still in the circle and takes turns."""
    return ended.seat in circle.seats and takes_turns(circle.seats[ended.seat])


def _apply_turn(
    circle: Circle,
    event: (
        m.TurnBegun
        | m.TurnExtended
        | m.ClockHeld
        | m.StageReached
        | m.ResponsesWelcomed
        | m.GentlySignalled
    ),
    at: Millis,
) -> Circle:
    turn = circle.turn
    assert turn is not None
    match event:
        case m.TurnBegun():
            turn = replace(turn, ready=True)
        case m.TurnExtended(by_ms=by_ms):
            left = max(0, turn.clock.left(at)) + by_ms
            stage = stage_at(circle.phase, left)
            turn = replace(turn, clock=Clock(left, at), stage=stage, signalled=False)
        case m.ClockHeld(held=held):
            turn = replace(turn, held=held)
        case m.StageReached(stage=stage):
            turn = replace(turn, stage=stage)
        case m.ResponsesWelcomed(on=on):
            turn = replace(turn, welcomes=on)
        case m.GentlySignalled():
            turn = replace(turn, signalled=True)
        case _ as never:
            assert_never(never)
    return replace(circle, turn=turn)


# --- Pairs --------------------------------------------------------------------------------------


def _apply_pair(
    circle: Circle,
    event: m.StepReached | m.PairGoesOn | m.PairNoticed | m.PairLeft | m.PairEnded,
) -> Circle:
    if isinstance(event, m.PairLeft):
        return _leave_space(circle, event.seat)
    space = circle.spaces[event.space]
    match event:
        case m.StepReached(step=step):
            clock = Clock(steps(circle.phase, space.order)[step].length_ms)
            space = replace(space, step=step, clock=clock, goes_on=False)
        case m.PairGoesOn():
            space = replace(space, goes_on=True)
        case m.PairNoticed(left_ms=left_ms):
            if left_ms is not None:
                # Called back: whatever they did, they finish together.
                step = len(steps(circle.phase, space.order)) - 1
                space = replace(space, step=step, clock=Clock(left_ms), goes_on=True)
            space = replace(space, noticed=True)
        case m.PairEnded():
            return replace(circle, spaces={n: s for n, s in circle.spaces.items() if s != space})
        case _ as never:
            assert_never(never)
    return replace(circle, spaces={**circle.spaces, event.space: space})


def _leave_space(circle: Circle, seat: SeatId) -> Circle:
    """Out of the pair. Nobody is left in one alone; a step whose speaker is gone runs on."""
    spaces = {}
    for name, space in circle.spaces.items():
        seats = _without(space.seats, seat)
        if len(seats) > 1:
            spaces[name] = space if seats == space.seats else replace(space, seats=seats)
    return replace(circle, spaces=spaces)


# --- Private matters, and the whole circle ------------------------------------------------------


def _apply_private(circle: Circle, event: m.PrivateEvent) -> Circle:
    match event:
        case m.QuietOffered(seat=seat, to=to):
            offers = tuple(o for o in circle.quiet_offers if o.seat != seat)
            return replace(circle, quiet_offers=(*offers, QuietOffer(seat, to)))
        case m.QuietDeclined(seat=seat):
            offers = tuple(o for o in circle.quiet_offers if o.seat != seat)
            return replace(circle, quiet_offers=offers)
        case m.QuietBegun(seat=seat, carer=carer):
            both = (seat, carer)
            offers = tuple(o for o in circle.quiet_offers if o.seat not in both)
            back = [replace(circle.seats[s], stepped_out=False) for s in both]
            seats = {**circle.seats, **{s.id: s for s in back}}
            return replace(circle, quiet=(*circle.quiet, both), quiet_offers=offers, seats=seats)
        case m.QuietEnded(seat=seat):
            return replace(circle, quiet=tuple(two for two in circle.quiet if seat not in two))
        case m.SwitchedInQuiet(seat=seat, mic_on=mic_on, camera_on=camera_on):
            own = replace(circle.seats[seat], mic_on=mic_on, camera_on=camera_on)
            return _seat(circle, own)
        case m.SteppedOut(seat=seat) | m.SteppedIn(seat=seat):
            out = isinstance(event, m.SteppedOut)
            return _seat(circle, replace(circle.seats[seat], stepped_out=out))
        case m.ShareStarted(seat=seat):
            return replace(circle, sharing=seat)
        case m.ShareEnded(seat=seat):
            return replace(circle, sharing=None) if circle.sharing == seat else circle
        case m.CardShown(card=card, seat=None):
            return replace(circle, card=card)
        case m.CardShown(card=card, seat=seat):
            assert seat is not None
            return _seat(circle, replace(circle.seats[seat], card=card))
        case m.ContentNoted(seat=seat, topic=topic, until=until):
            return replace(circle, note=ContentNote(seat, topic, until))
        case m.NoteEnded():
            return replace(circle, note=None)
        case m.PauseAsked() | m.PauseDeclined():
            return replace(circle, pause_asked=isinstance(event, m.PauseAsked))
        case _ as never:
            assert_never(never)


WholeEvent = (
    m.CirclePaused
    | m.CircleResumed
    | m.RoomMadeSafe
    | m.SafetyLifted
    | m.CircleHeld
    | m.DoorMoved
    | m.ClosingSoon
    | m.Interrupted
    | m.CircleEnded
)


def _apply_whole(circle: Circle, event: WholeEvent, at: Millis) -> Circle:
    match event:
        case m.CirclePaused():
            return replace(circle, paused=True, pause_asked=False)
        case m.CircleResumed():
            return replace(circle, paused=False)
        case m.RoomMadeSafe():
            return _make_safe(circle)
        case m.SafetyLifted():
            return replace(circle, safe=False)
        case m.CircleHeld():
            return replace(circle, holding=True)
        case m.DoorMoved(door=door, closes_at=closes_at):
            return replace(circle, door=door, door_closes_at=closes_at)
        case m.ClosingSoon():
            return replace(circle, closing_told=True)
        case m.Interrupted():
            away = {
                s.id: replace(s, present=False, away_since=at) if s.present else s
                for s in circle.seats.values()
            }
            return without_private(replace(circle, seats=away))
        case m.CircleEnded():
            return replace(circle, ended=True)
        case _ as never:
            assert_never(never)


def _make_safe(circle: Circle) -> Circle:
    """Everyone is in one place, and only facilitators can be heard or seen there."""
    safe = replace(circle, safe=True, spaces={}, quiet=(), quiet_offers=())
    return replace(safe, seats={s.id: _veiled(safe, s) for s in circle.seats.values()})


def _without(seats: tuple[SeatId, ...], seat: SeatId) -> tuple[SeatId, ...]:
    return tuple(s for s in seats if s != seat)
