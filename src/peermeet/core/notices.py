"""What people should notice, once each, by eye, ear or screen reader: one sentence per event.

The words are the client's; here is only who hears of what. A warning that time runs out goes to
the holder and to those who keep time. That a seat was removed is told as leaving, and a quiet
word as being away for a moment: nobody is shamed. What happens to one's own devices is told to
that person only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from peermeet.core import messages as m
from peermeet.core.floor import line
from peermeet.core.hearing import MAIN, StepKind, is_available, pair_of, space_of, step_of
from peermeet.core.model import Circle, Order, Seat, SeatId
from peermeet.core.powers import Power, has


@dataclass(frozen=True)
class Notice:
    """Something a person should notice once.

    kind: the event's own kind, or a sharper word where one event means different things to
    different people. seat: whom it is about, if anybody. index: of a phase in the run sheet.
    """

    kind: str
    seat: SeatId | None = None
    index: int | None = None


def notices_for(circle: Circle, viewer: SeatId, events: Iterable[m.Event]) -> list[Notice]:
    """What `viewer` should notice of `events`; `circle` is the value after them."""
    me = circle.seats.get(viewer)
    if me is None:
        return []
    if me.waiting:
        sent = any(isinstance(e, m.SeatSentToWait) and e.seat == viewer for e in events)
        return [Notice("sent_to_wait", viewer)] if sent else []
    found: list[Notice] = []
    for event in events:
        found += _about_people(circle, me, event)
        found += _about_floor(circle, me, event)
        found += _about_circle(circle, me, event)
    return found


def before(circle: Circle, seat: SeatId) -> int | None:
    """Turns before this seat's own: 0 = next, None = it holds the floor or has none to come."""
    if circle.phase.order is Order.PREVIOUS_NAMES_NEXT:
        return None  # Nobody knows before it is said.
    to_come = [p.seat for p in line(circle) if is_available(circle, p.seat)]
    return to_come.index(seat) if seat in to_come else None


def _is_back(circle: Circle, seat: SeatId) -> bool:
    """In the circle again, and not gone from one place to another: one sentence is enough."""
    return seat in circle.seats and space_of(circle, seat) == MAIN


def _about_people(circle: Circle, me: Seat, event: m.Event) -> Iterator[Notice]:
    match event:
        case m.SeatTaken(seat=who, waiting=True):
            if has(me, Power.ADMIT):
                yield Notice("knock", who)
        case m.SeatTaken(seat=who) | m.SeatAdmitted(seat=who):
            if who != me.id:
                yield Notice("seat_taken", who)
            elif isinstance(event, m.SeatAdmitted):
                yield Notice("admitted", who)
        case m.SeatRemoved(seat=who, waiting=waited) | m.SeatLeft(seat=who, waiting=waited):
            if not waited or has(me, Power.ADMIT):
                yield Notice("seat_left", who)
        case m.SeatSentToWait(seat=who) | m.SteppedOut(seat=who) if who != me.id:
            yield Notice("seat_apart", who)
        case m.SteppedIn(seat=who) if who != me.id:
            yield Notice("seat_back", who)
        case m.QuietOffered(seat=who, to=to):
            if to == me.id or (to is None and has(me, Power.CARE) and who != me.id):
                yield Notice("quiet_offered", who)
        case m.QuietBegun(seat=who, carer=carer):
            if me.id in (who, carer):
                yield Notice("quiet_begun", carer if who == me.id else who)
            else:
                yield Notice("seat_apart", who)
        case m.QuietEnded(seat=who) if who != me.id and _is_back(circle, who):
            yield Notice("seat_back", who)
        case m.SeatAway() | m.SeatReturned() | m.HandRaised() if event.seat != me.id:
            seat = circle.seats.get(event.seat)
            if has(me, Power.ADMIT) or (seat is not None and not seat.waiting):
                yield Notice(event.kind, event.seat)
        case m.MicHeld(seat=who, held=held) if who == me.id:
            yield Notice("mic_held" if held else "mic_released", who)
        case m.CameraCovered(seat=who, reason=reason) if who == me.id:
            yield Notice("camera_covered" if reason else "camera_uncovered", who)
        case m.ShareStarted(seat=who) | m.ShareEnded(seat=who) if _is_back(circle, me.id):
            yield Notice(event.kind, who)
        case m.RolesChanged(seat=who) | m.SeatReadmitted(seat=who) if who == me.id:
            yield Notice(event.kind, who)
        case m.CardShown(card=card, seat=who) if card is not None and who in (None, me.id):
            yield Notice("card_shown" if who is None else "card_for_you", who)
        case m.ContentNoted(seat=who):
            yield Notice("content_noted", who)
        case m.NoteEnded() if me.stepped_out:
            yield Notice("called_back")
        case _:
            pass


def _about_floor(circle: Circle, me: Seat, event: m.Event) -> Iterator[Notice]:
    turn = circle.turn
    holder = None if turn is None else turn.seat
    match event:
        case m.TurnStarted(seat=who, response=response):
            word = "response" if response else "turn"
            yield Notice(f"your_{word}" if who == me.id else f"{word}_started", who)
            place = before(circle, me.id) if holder == who else None
            if place in (0, 1):
                yield Notice("you_are_next" if place == 0 else "two_before_you", me.id)
        case m.StageReached(stage=stage):
            if holder is not None and (has(me, Power.TIME) or holder == me.id):
                yield Notice(f"turn_{stage}", holder)
        case m.GentlySignalled() | m.TurnExtended() if holder == me.id:
            yield Notice(event.kind, me.id)
        case m.ResponsesWelcomed(on=True) if holder is not None and holder != me.id:
            yield Notice("responses_welcomed", holder)
        case m.StepReached(space=space) if pair_of(circle, me.id) == space:
            step = step_of(circle, circle.spaces[space])
            if step.kind is StepKind.SPEAK:
                yield Notice("your_turn" if step.speaker == me.id else "pair_turn", step.speaker)
            else:
                yield Notice(f"pair_{step.kind}")
        case m.PairNoticed(space=space) if pair_of(circle, me.id) == space:
            yield Notice("pair_ends_soon")
        case m.PairLeft(seat=who) if who != me.id and _is_back(circle, who):
            yield Notice("seat_back", who)
        case _:
            pass


_TOLD_TO_ALL = (
    m.CirclePaused
    | m.CircleResumed
    | m.RoomMadeSafe
    | m.SafetyLifted
    | m.CircleHeld
    | m.SheetChosen
    | m.PhaseTakenUp
    | m.TimeRanOut
    | m.PhaseCompleted
    | m.CircleEnded
)


def _about_circle(circle: Circle, me: Seat, event: m.Event) -> Iterator[Notice]:
    match event:
        case m.PhaseStarted(phase=phase, index=index):
            yield Notice(f"{phase.mode}_started", index=index)
            if pair_of(circle, me.id) is not None:
                step = step_of(circle, circle.spaces[str(pair_of(circle, me.id))])
                if step.speaker is not None:
                    mine = step.speaker == me.id
                    yield Notice("your_turn" if mine else "pair_turn", step.speaker)
        case m.PhaseChanged(index=index, phase=phase):
            yield Notice("phase_dropped" if phase is None else "phase_changed", index=index)
        case m.PauseAsked() if has(me, Power.PAUSE):
            yield Notice("pause_asked")
        case m.ClosingSoon() if has(me, Power.LEAD):
            yield Notice("closing_soon")
        case _ if isinstance(event, _TOLD_TO_ALL):
            yield Notice(event.kind)
        case _:
            pass
