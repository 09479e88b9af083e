"""What each event makes true. Total: an event that happened is never refused.

Two facts hold after every event, whatever it was, because they are settled here in one place:
a clock runs exactly when the rules let it run, and a microphone that lost the permission to be
heard is off, so that only its own person can open it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.model import (
    Circle,
    Clock,
    EndedTurn,
    Millis,
    Mode,
    Phase,
    Place,
    Round,
    Seat,
    SeatId,
    Stage,
    Timeout,
    Turn,
)


def may_be_heard(circle: Circle, seat: SeatId) -> bool:
    """Whether the rules permit this seat to be heard now, should it switch its microphone on."""
    if circle.ended or circle.paused or circle.seats[seat].mic_held:
        return False
    match circle.phase.mode:
        case Mode.TALK:
            return True
        case Mode.ROUND:
            return circle.turn is not None and circle.turn.seat == seat
        case Mode.SILENCE:
            return False
        case _ as never:
            assert_never(never)


def stage_at(phase: Phase, left_ms: int) -> Stage:
    """The stage a turn with this much time left has come to (0 or less = past the limit)."""
    if phase.timeout is Timeout.NONE or left_ms > phase.warn_ms:
        return Stage.SPEAKING
    if left_ms > 0:
        return Stage.WARNED
    return Stage.GRACE if left_ms > -phase.grace_ms else Stage.OVERDUE


def evolve(circle: Circle, event: m.Event, at: Millis) -> Circle:
    """The circle after `event`, which happened at `at` (never before `circle.at`)."""
    if isinstance(event, m.Interrupted):
        # Clocks stop where the server stopped, not where it came back.
        circle = _settle_clocks(circle, min(event.alive_until, at), stop=True)
    return replace(_settle(_apply(circle, event, at), at), at=at)


def _settle(circle: Circle, at: Millis) -> Circle:
    circle = _settle_clocks(circle, at)
    off = [s for s in circle.seats.values() if s.mic_on and not may_be_heard(circle, s.id)]
    for seat in off:
        circle = _seat(circle, replace(seat, mic_on=False))
    return circle


def _settle_clocks(circle: Circle, at: Millis, stop: bool = False) -> Circle:
    stop = stop or circle.paused or circle.ended
    turn, clock = circle.turn, circle.phase_clock
    if turn is not None:
        runs = not (stop or turn.held) and circle.seats[turn.seat].present
        turn = replace(turn, clock=turn.clock.set_running(runs, at))
    if clock is not None:
        runs = not (stop or circle.phase_over) and any(s.present for s in circle.seats.values())
        clock = clock.set_running(runs, at)
    return replace(circle, turn=turn, phase_clock=clock)


def _seat(circle: Circle, seat: Seat) -> Circle:
    return replace(circle, seats={**circle.seats, seat.id: seat})


def _apply(circle: Circle, event: m.Event, at: Millis) -> Circle:
    match event:
        case m.SeatTaken(seat=seat, role=role):
            return _sit_down(circle, Seat(seat, role))
        case m.SeatReturned(seat=seat):
            return _seat(
                circle,
                replace(
                    circle.seats[seat],
                    present=True,
                    away_since=None,
                    mic_on=False,
                    camera_on=False,
                ),
            )
        case m.SeatAway(seat=seat):
            return _seat(circle, replace(circle.seats[seat], present=False, away_since=at))
        case m.SeatLeft(seat=seat):
            return _stand_up(circle, seat)
        case m.SeatRemoved(seat=seat):
            return replace(_stand_up(circle, seat), removed=circle.removed | {seat})
        case m.RoleChanged(seat=seat, role=role):
            return _seat(circle, replace(circle.seats[seat], role=role))
        case m.MicSwitched(seat=seat, on=on):
            return _seat(circle, replace(circle.seats[seat], mic_on=on))
        case m.CameraSwitched(seat=seat, on=on):
            return _seat(circle, replace(circle.seats[seat], camera_on=on))
        case m.MicHeld(seat=seat, held=held):
            return _seat(circle, replace(circle.seats[seat], mic_held=held))
        case m.CameraCovered(seat=seat, covered=covered):
            old = circle.seats[seat]
            on = old.camera_on and not covered
            return _seat(circle, replace(old, camera_covered=covered, camera_on=on))
        case m.HandRaised(seat=seat):
            return replace(circle, hands=(*circle.hands, seat))
        case m.HandLowered(seat=seat):
            return replace(circle, hands=_without(circle.hands, seat))
        case m.PhaseStarted(phase=phase, order=order):
            return _start_phase(circle, phase, order)
        case m.PhaseCompleted():
            return replace(circle, phase_over=True)
        case m.TurnStarted():
            return _start_turn(circle, event, at)
        case m.TurnEnded():
            return _end_turn(circle, event)
        case m.TurnTakenBack():
            return _take_back(circle)
        case m.TurnExtended(by_ms=by_ms):
            assert circle.turn is not None
            left = max(0, circle.turn.clock.left(at)) + by_ms
            turn = replace(circle.turn, clock=Clock(left, at), stage=stage_at(circle.phase, left))
            return replace(circle, turn=turn)
        case m.ClockHeld(held=held):
            assert circle.turn is not None
            return replace(circle, turn=replace(circle.turn, held=held))
        case m.StageReached(stage=stage):
            assert circle.turn is not None
            return replace(circle, turn=replace(circle.turn, stage=stage))
        case m.CirclePaused():
            return replace(circle, paused=True)
        case m.CircleResumed():
            return replace(circle, paused=False)
        case m.DoorMoved(open=is_open):
            return replace(circle, door_open=is_open)
        case m.Interrupted():
            away = {
                s.id: replace(s, present=False, away_since=at) if s.present else s
                for s in circle.seats.values()
            }
            return replace(circle, seats=away)
        case m.CircleEnded():
            return replace(circle, ended=True)
        case _ as never:
            assert_never(never)


def _sit_down(circle: Circle, seat: Seat) -> Circle:
    circle = replace(_seat(circle, seat), seats_given=circle.seats_given + 1)
    if circle.round is None:
        return circle
    # Latecomers join at the end of the round (circle.md, rules common to all).
    place = Place(seat.id, circle.phase.turn_ms)
    return replace(circle, round=replace(circle.round, waiting=(*circle.round.waiting, place)))


def _stand_up(circle: Circle, seat: SeatId) -> Circle:
    seats = {s: v for s, v in circle.seats.items() if s != seat}
    circle = replace(circle, seats=seats, hands=_without(circle.hands, seat))
    if circle.round is None:
        return circle
    waiting = tuple(p for p in circle.round.waiting if p.seat != seat)
    return replace(circle, round=replace(circle.round, waiting=waiting))


def _start_phase(circle: Circle, phase: Phase, order: tuple[SeatId, ...]) -> Circle:
    places = tuple(Place(s, phase.turn_ms) for s in order)
    return replace(
        circle,
        phase=phase,
        phase_number=circle.phase_number + 1,
        phase_clock=None if phase.length_ms is None else Clock(phase.length_ms),
        phase_over=False,
        round=Round(waiting=places) if phase.mode is Mode.ROUND else None,
        turn=None,
        superseded=None,
    )


def _start_turn(circle: Circle, event: m.TurnStarted, at: Millis) -> Circle:
    assert circle.round is not None
    waiting = tuple(p for p in circle.round.waiting if p.seat != event.seat)
    return replace(
        circle,
        turn=Turn(
            number=event.number,
            seat=event.seat,
            given_ms=event.given_ms,
            clock=Clock(event.given_ms),
            started_at=at,
            planned=len(waiting) < len(circle.round.waiting),
            stage=stage_at(circle.phase, event.given_ms),
        ),
        turns_given=event.number,
        round=replace(circle.round, waiting=waiting),
        hands=_without(circle.hands, event.seat),
        phase_over=False,
    )


def _end_turn(circle: Circle, event: m.TurnEnded) -> Circle:
    assert circle.round is not None and circle.turn is not None
    seat, again = circle.turn.seat, event.again_ms
    order = circle.round
    return replace(
        circle,
        turn=None,
        superseded=event.number,
        round=replace(
            order,
            waiting=order.waiting if again is None else (*order.waiting, Place(seat, again)),
            ended=(*order.ended, EndedTurn(seat, event.remaining_ms, again is not None)),
            used_later=order.used_later | {seat} if event.asked else order.used_later,
        ),
    )


def _take_back(circle: Circle) -> Circle:
    """Pop the last ended turn whose person is still here; who holds the floor waits as next."""
    assert circle.round is not None
    order = circle.round
    ended = tuple(e for e in order.ended if e.seat in circle.seats)
    waiting = order.waiting
    if circle.turn is not None and circle.turn.planned:
        waiting = (Place(circle.turn.seat, circle.turn.given_ms), *waiting)
    used_later = order.used_later
    if ended and ended[-1].came_back:
        waiting = tuple(p for p in waiting if p.seat != ended[-1].seat)
        used_later = used_later - {ended[-1].seat}
    return replace(
        circle,
        turn=None,
        superseded=None,
        phase_over=False,
        round=replace(order, ended=ended[:-1], waiting=waiting, used_later=used_later),
    )


def _without(hands: tuple[SeatId, ...], seat: SeatId) -> tuple[SeatId, ...]:
    return tuple(h for h in hands if h != seat)
