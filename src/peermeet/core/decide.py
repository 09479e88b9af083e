"""The rules: what may happen in a circle.

Theory of operation. A circle is always in one phase. In *open talk* everyone may be heard, in a
*silence* nobody, in a *round* only the holder of the floor. A round is a line of people: the
first who is here gets a turn; when it ends, by whoever's hand, the next one does; who is away
keeps the place and is skipped for now. A turn has a number, and every command about a turn
names it: a click that comes too late hits nothing. Time is never a reason to cut a person off
unless the group chose `firm`: with `soft` the clock only tells, and a person decides.

Nobody can switch on somebody else. The rules permit; only a seat's own `SetMic` opens its
microphone, and whenever the permission ends the microphone is off again (evolve.py).

`decide` looks and answers: a list of events, or `Refused`. It changes nothing, reads no clock
and tosses no coin. A command whose wish is already true yields no events, so that repeating it
is harmless. Sources: circle.md §2 and §3 of the design notes, told in docs/facilitating.md.
"""

from __future__ import annotations

from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.evolve import evolve, may_be_heard, stage_at
from peermeet.core.messages import Code, Refused
from peermeet.core.model import (
    CAPACITY,
    Circle,
    Millis,
    Mode,
    Phase,
    Role,
    Seat,
    SeatId,
    Stage,
    Timeout,
    Turn,
)

DROP_MS = 30_000
"""How long a dropped line keeps the floor, with the clock standing still."""

AWAY_MS = 15 * 60_000
"""How long a seat is kept for somebody who is away."""

EMPTY_MS = 60 * 60_000
"""How long a circle stays open with nobody in it."""

FACILITATING = frozenset({Role.FACILITATOR, Role.CO_FACILITATOR})


class _Draft:
    """The events decided so far, and the circle as it is after them.

    The circle is worked out when it is looked at: most commands end with one event, and asking
    what somebody may do (project.py) asks for dozens of them.
    """

    def __init__(self, circle: Circle, now: Millis) -> None:
        self.now = now
        self.events: list[m.Event] = []
        self._circle = circle
        self._evolved = 0

    @property
    def circle(self) -> Circle:
        for event in self.events[self._evolved :]:
            self._circle = evolve(self._circle, event, self.now)
        self._evolved = len(self.events)
        return self._circle

    def add(self, event: m.Event) -> None:
        self.events.append(event)


def decide(circle: Circle, actor: SeatId, command: m.Command, now: Millis) -> list[m.Event]:
    """What follows when `actor` asks for `command` at `now`; raises Refused.

    now: never before `circle.at`. An empty list means that the wish is already true.
    """
    _require(not circle.ended, Code.CIRCLE_ENDED)
    _require(actor not in circle.removed, Code.REMOVED)
    _require(actor in circle.seats, Code.NO_SUCH_SEAT)
    draft = _Draft(circle, now)
    _decide(draft, circle.seats[actor], command)
    return draft.events


def decide_host(circle: Circle, command: m.HostCommand, now: Millis) -> list[m.Event]:
    """The same for what the server itself knows: arrivals, lost lines, time. Raises Refused."""
    _require(not circle.ended, Code.CIRCLE_ENDED)
    draft = _Draft(circle, now)
    match command:
        case m.TakeSeat(as_facilitator=as_facilitator):
            _take_seat(draft, as_facilitator)
        case m.ReturnToSeat(seat=seat):
            _require(seat not in circle.removed, Code.REMOVED)
            _require(seat in circle.seats, Code.NO_SUCH_SEAT)
            draft.add(m.SeatReturned(seat))
        case m.LoseSeat(seat=seat):
            if seat in circle.seats and circle.seats[seat].present:
                draft.add(m.SeatAway(seat))
        case m.Tick():
            _tick(draft)
        case m.Recover(alive_until=alive_until):
            draft.add(m.Interrupted(alive_until))
        case _ as never:
            assert_never(never)
    return draft.events


def _decide(draft: _Draft, actor: Seat, command: m.Command) -> None:
    match command:
        case m.SetMic() | m.SetCamera():
            _switch_own(draft, actor, command)
        case m.RaiseHand() | m.LowerHand():
            _move_hand(draft, actor, command)
        case m.PassTurn() | m.Later():
            _end_own_turn(draft, actor, command)
        case m.Leave():
            _leave(draft, actor.id, m.SeatLeft(actor.id))
        case m.NextTurn() | m.Back() | m.GiveTurn():
            _require_facilitator(actor)
            _move_floor(draft, command)
        case m.Extend() | m.HoldClock() | m.ReleaseClock():
            _require_facilitator(actor)
            _change_clock(draft, command)
        case m.StartPhase():
            _require_facilitator(actor)
            _start_phase(draft, command)
        case m.HoldMic() | m.ReleaseMic() | m.CoverCamera() | m.UncoverCamera():
            _require_facilitator(actor)
            _moderate(draft, command)
        case m.Remove() | m.SetRole():
            _require_facilitator(actor)
            _change_people(draft, actor, command)
        case m.PauseCircle() | m.ResumeCircle() | m.CloseDoor() | m.OpenDoor() | m.EndCircle():
            _require_facilitator(actor)
            _change_circle(draft, command)
        case _ as never:
            assert_never(never)


def _require(condition: bool, code: Code) -> None:
    if not condition:
        raise Refused(code)


def may_lead(seat: Seat) -> bool:
    """Whether this seat holds the powers over others and over the circle."""
    return seat.role in FACILITATING


def _require_facilitator(actor: Seat) -> None:
    _require(may_lead(actor), Code.NOT_ALLOWED)


def _require_turn(circle: Circle, number: int) -> Turn:
    """The running turn, if it is the one that was meant."""
    _require(circle.phase.mode is Mode.ROUND, Code.WRONG_PHASE)
    if circle.turn is None:
        raise Refused(Code.NO_TURN)
    _require(circle.turn.number == number, Code.STALE_TURN)
    return circle.turn


def _require_seat(circle: Circle, seat: SeatId) -> Seat:
    _require(seat in circle.seats, Code.NO_SUCH_SEAT)
    return circle.seats[seat]


# --- What is one's own: microphone, camera, hand --------------------------------------------


def _switch_own(draft: _Draft, actor: Seat, command: m.SetMic | m.SetCamera) -> None:
    match command:
        case m.SetMic(on=True):
            _require(not draft.circle.paused, Code.PAUSED)
            _require(not actor.mic_held, Code.MIC_HELD)
            _require(may_be_heard(draft.circle, actor.id), Code.FLOOR_TAKEN)
        case m.SetCamera(on=True):
            _require(not actor.camera_covered, Code.CAMERA_COVERED)
        case _:
            pass
    if isinstance(command, m.SetMic):
        if actor.mic_on != command.on:
            draft.add(m.MicSwitched(actor.id, command.on))
    elif actor.camera_on != command.on:
        draft.add(m.CameraSwitched(actor.id, command.on))


def _move_hand(draft: _Draft, actor: Seat, command: m.RaiseHand | m.LowerHand) -> None:
    if isinstance(command, m.RaiseHand):
        if actor.id not in draft.circle.hands:
            draft.add(m.HandRaised(actor.id))
        return
    target = actor.id if command.seat is None else command.seat
    if target != actor.id:
        _require_facilitator(actor)
        _require_seat(draft.circle, target)
    if target in draft.circle.hands:
        draft.add(m.HandLowered(target))


# --- The floor ------------------------------------------------------------------------------


def _end_own_turn(draft: _Draft, actor: Seat, command: m.PassTurn | m.Later) -> None:
    circle = draft.circle
    if isinstance(command, m.PassTurn) and _has_moved_on(circle, command.turn):
        # A pass that crossed the facilitator's next: what the speaker wanted has happened.
        assert circle.round is not None
        if circle.round.ended[-1].seat == actor.id:
            return
    turn = _require_turn(circle, command.turn)
    _require(turn.seat == actor.id, Code.NOT_YOUR_TURN)
    if isinstance(command, m.Later):
        assert circle.round is not None
        _require(actor.id not in circle.round.used_later, Code.ALREADY_LATER)
        _require(_next_place(circle) is not None, Code.NOBODY_LEFT)
        left = max(0, turn.clock.left(draft.now))
        _end_turn(draft, turn, again_ms=max(left, _again_at_least(circle)), asked=True)
    else:
        _end_turn(draft, turn)
    _go_on(draft)


def _move_floor(draft: _Draft, command: m.NextTurn | m.Back | m.GiveTurn) -> None:
    circle = draft.circle
    _require(circle.phase.mode is Mode.ROUND, Code.WRONG_PHASE)
    if isinstance(command, m.NextTurn) and _has_moved_on(circle, command.turn):
        if circle.turn is not None or _next_place(circle) is None:
            return  # Two people pressed next at once: one of them was enough.
    else:
        _require(command.turn == circle.turns_given, Code.STALE_TURN)
    match command:
        case m.NextTurn():
            if circle.turn is not None:
                _end_turn(draft, circle.turn)
            else:
                _require(_next_place(circle) is not None, Code.NOBODY_LEFT)
            _go_on(draft)
        case m.GiveTurn(seat=seat):
            _require(_require_seat(circle, seat).present, Code.SEAT_AWAY)
            if circle.turn is not None:
                if circle.turn.seat == seat:
                    return
                _end_turn(draft, circle.turn)
            assert circle.round is not None
            places = [p.turn_ms for p in circle.round.waiting if p.seat == seat]
            _start_turn(draft, seat, places[0] if places else circle.phase.turn_ms)
        case m.Back():
            assert circle.round is not None
            ended = [e for e in circle.round.ended if e.seat in circle.seats]
            _require(bool(ended), Code.NOTHING_TO_UNDO)
            draft.add(m.TurnTakenBack(command.turn))
            _start_turn(draft, ended[-1].seat, ended[-1].remaining_ms)
        case _ as never:
            assert_never(never)


def _has_moved_on(circle: Circle, number: int) -> bool:
    """The turn that was meant is the one that ended last, and nothing was taken back since."""
    return circle.superseded is not None and circle.superseded == number


def _again_at_least(circle: Circle) -> int:
    """Who comes back *later* finds at least a third of a turn, however late they asked."""
    return circle.phase.turn_ms // 3


def _next_place(circle: Circle) -> m.TurnStarted | None:
    """The turn that would follow: the first in line who is here."""
    if circle.round is None:
        return None
    for place in circle.round.waiting:
        if circle.seats[place.seat].present:
            return m.TurnStarted(circle.turns_given + 1, place.seat, place.turn_ms)
    return None


def _start_turn(draft: _Draft, seat: SeatId, given_ms: int) -> None:
    draft.add(m.TurnStarted(draft.circle.turns_given + 1, seat, given_ms))


def _end_turn(draft: _Draft, turn: Turn, again_ms: int | None = None, asked: bool = False) -> None:
    left = turn.clock.left(draft.now)
    draft.add(m.TurnEnded(turn.number, left, again_ms=again_ms, asked=asked))


def _go_on(draft: _Draft) -> None:
    """Give the floor to the next who is here, or complete the round."""
    following = _next_place(draft.circle)
    draft.add(m.PhaseCompleted() if following is None else following)


def _change_clock(draft: _Draft, command: m.Extend | m.HoldClock | m.ReleaseClock) -> None:
    turn = _require_turn(draft.circle, command.turn)
    match command:
        case m.Extend(by_ms=by_ms):
            draft.add(m.TurnExtended(turn.number, by_ms))
        case m.HoldClock():
            if not turn.held:
                draft.add(m.ClockHeld(turn.number, True))
        case m.ReleaseClock():
            if turn.held:
                draft.add(m.ClockHeld(turn.number, False))
        case _ as never:
            assert_never(never)


# --- Phases and the whole circle --------------------------------------------------------------


def _start_phase(draft: _Draft, command: m.StartPhase) -> None:
    circle = draft.circle
    warn = 20_000 if command.turn_ms <= 90_000 else 45_000
    warn = min(warn, command.turn_ms // 2) if command.warn_ms is None else command.warn_ms
    grace = 30_000 if command.grace_ms is None else command.grace_ms
    length = command.length_ms
    _require(10_000 <= command.turn_ms <= 3_600_000, Code.BAD_PHASE)
    _require(0 <= warn <= min(600_000, command.turn_ms), Code.BAD_PHASE)
    _require(0 <= grace <= 600_000, Code.BAD_PHASE)
    _require(length is None or 10_000 <= length <= 7_200_000, Code.BAD_PHASE)
    order: tuple[SeatId, ...] = ()
    if command.mode is Mode.ROUND:
        order = tuple(circle.seats)
        if command.first is not None:
            _require_seat(circle, command.first)
            at = order.index(command.first)
            order = order[at:] + order[:at]
    draft.add(
        m.PhaseStarted(
            Phase(command.mode, command.turn_ms, warn, grace, command.timeout, length), order
        )
    )
    if command.mode is Mode.ROUND:
        _go_on(draft)


def _change_circle(
    draft: _Draft,
    command: m.PauseCircle | m.ResumeCircle | m.CloseDoor | m.OpenDoor | m.EndCircle,
) -> None:
    circle = draft.circle
    match command:
        case m.PauseCircle():
            if not circle.paused:
                draft.add(m.CirclePaused())
        case m.ResumeCircle():
            if circle.paused:
                draft.add(m.CircleResumed())
        case m.CloseDoor():
            if circle.door_open:
                draft.add(m.DoorMoved(False))
        case m.OpenDoor():
            if not circle.door_open:
                draft.add(m.DoorMoved(True))
        case m.EndCircle():
            draft.add(m.CircleEnded())
        case _ as never:
            assert_never(never)


# --- People -----------------------------------------------------------------------------------


def _take_seat(draft: _Draft, as_facilitator: bool) -> None:
    circle = draft.circle
    _require(circle.door_open or as_facilitator, Code.DOOR_CLOSED)
    _require(len(circle.seats) < CAPACITY, Code.CIRCLE_FULL)
    led = any(s.role is Role.FACILITATOR for s in circle.seats.values())
    role = Role.MEMBER
    if as_facilitator:
        role = Role.CO_FACILITATOR if led else Role.FACILITATOR
    draft.add(m.SeatTaken(SeatId(f"s{circle.seats_given + 1}"), role))


def _leave(draft: _Draft, seat: SeatId, event: m.SeatLeft | m.SeatRemoved) -> None:
    """A seat becomes free: the floor moves on first, and the circle never loses its head."""
    turn = draft.circle.turn
    was_holder = turn is not None and turn.seat == seat
    if turn is not None and was_holder:
        _end_turn(draft, turn)
    role = draft.circle.seats[seat].role
    draft.add(event)
    if was_holder:
        _go_on(draft)
    led = any(s.role is Role.FACILITATOR for s in draft.circle.seats.values())
    if role is Role.FACILITATOR and not led:
        heirs = [s for s in draft.circle.seats.values() if s.role is Role.CO_FACILITATOR]
        heirs.sort(key=lambda s: not s.present)
        if heirs:
            draft.add(m.RoleChanged(heirs[0].id, Role.FACILITATOR))


def _moderate(
    draft: _Draft, command: m.HoldMic | m.ReleaseMic | m.CoverCamera | m.UncoverCamera
) -> None:
    seat = _require_seat(draft.circle, command.seat)
    match command:
        case m.HoldMic() | m.ReleaseMic():
            held = isinstance(command, m.HoldMic)
            if seat.mic_held != held:
                draft.add(m.MicHeld(seat.id, held))
        case m.CoverCamera() | m.UncoverCamera():
            covered = isinstance(command, m.CoverCamera)
            if seat.camera_covered != covered:
                draft.add(m.CameraCovered(seat.id, covered))
        case _ as never:
            assert_never(never)


def _change_people(draft: _Draft, actor: Seat, command: m.Remove | m.SetRole) -> None:
    """Powers over other facilitators are the facilitator's alone, and never over oneself."""
    seat = _require_seat(draft.circle, command.seat)
    _require(seat.id != actor.id, Code.NOT_ALLOWED)
    leads = actor.role is Role.FACILITATOR
    match command:
        case m.Remove():
            _require(leads or seat.role not in FACILITATING, Code.NOT_ALLOWED)
            _leave(draft, seat.id, m.SeatRemoved(seat.id))
            if draft.circle.door_open:
                draft.add(m.DoorMoved(False))
        case m.SetRole(role=role):
            _require(leads, Code.NOT_ALLOWED)
            if seat.role is role:
                return
            draft.add(m.RoleChanged(seat.id, role))
            if role is Role.FACILITATOR:
                draft.add(m.RoleChanged(actor.id, Role.CO_FACILITATOR))
        case _ as never:
            assert_never(never)


# --- Time -------------------------------------------------------------------------------------


def wakes_at(circle: Circle) -> Millis | None:
    """When time alone will next change something: the moment of the next useful Tick."""
    if circle.ended:
        return None
    due: list[int] = []
    turn, clock = circle.turn, circle.phase_clock
    if turn is not None:
        threshold = _next_threshold_ms(circle.phase, turn)
        if turn.clock.since is not None and threshold is not None:
            due.append(turn.clock.since + turn.clock.remaining_ms - threshold)
        dropped = _dropped_at(circle, turn)
        if dropped is not None and not circle.paused:
            due.append(dropped + DROP_MS)
    if clock is not None and clock.since is not None:
        due.append(clock.since + clock.remaining_ms)
    due += [s.away_since + AWAY_MS for s in circle.seats.values() if s.away_since is not None]
    if not circle.seats:
        due.append(circle.at + EMPTY_MS)
    return Millis(min(due)) if due else None


def _next_threshold_ms(phase: Phase, turn: Turn) -> int | None:
    """Time left at which the turn reaches its next stage; negative means past the limit."""
    if phase.timeout is Timeout.NONE:
        return None
    match turn.stage:
        case Stage.SPEAKING:
            return phase.warn_ms
        case Stage.WARNED:
            return 0
        case Stage.GRACE:
            return -phase.grace_ms
        case Stage.OVERDUE:
            # A firm turn is over here; a soft one waits for a person.
            return -phase.grace_ms if phase.timeout is Timeout.FIRM else None
        case _ as never:
            assert_never(never)


def _dropped_at(circle: Circle, turn: Turn) -> int | None:
    """Since when the holder's line has been gone in this turn, or None."""
    away_since = circle.seats[turn.seat].away_since
    return None if away_since is None else max(away_since, turn.started_at)


def _tick(draft: _Draft) -> None:
    if not draft.circle.seats:
        if draft.now >= draft.circle.at + EMPTY_MS:
            draft.add(m.CircleEnded())
        return
    _tick_turn(draft)
    clock = draft.circle.phase_clock
    if clock is not None and not draft.circle.phase_over and clock.left(draft.now) <= 0:
        draft.add(m.PhaseCompleted())
    for seat in list(draft.circle.seats.values()):
        if seat.away_since is not None and draft.now >= seat.away_since + AWAY_MS:
            _leave(draft, seat.id, m.SeatLeft(seat.id))


def _tick_turn(draft: _Draft) -> None:
    circle, turn = draft.circle, draft.circle.turn
    if turn is None or circle.paused:
        return
    dropped = _dropped_at(circle, turn)
    if dropped is not None and draft.now >= dropped + DROP_MS:
        # The rest of the time is offered again at the end of the round.
        _end_turn(draft, turn, again_ms=max(turn.clock.left(draft.now), _again_at_least(circle)))
        _go_on(draft)
        return
    stage = stage_at(circle.phase, turn.clock.left(draft.now))
    if turn.clock.since is None:
        return
    if stage is Stage.OVERDUE and circle.phase.timeout is Timeout.FIRM:
        _end_turn(draft, turn)
        _go_on(draft)
    elif list(Stage).index(stage) > list(Stage).index(turn.stage):
        draft.add(m.StageReached(turn.number, stage))
