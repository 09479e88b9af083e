"""The floor: who holds it, who comes next, and what a turn's time does.

A line is a row of places. In a round it is filled at the start and everyone gets one turn; in a
queue the raised hands are the line; a text is read along the line, a line each. Who is away, in
a quiet space or steps out keeps the place and is skipped for now. Every command about a turn
names its number: a click that comes too late hits nothing. A silent holder keeps the turn:
silence is a turn, and nothing here listens to voices (circle.md §2, rules common to all).
"""

from __future__ import annotations

from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.draft import (
    Draft,
    require,
    require_floor,
    require_inside,
    require_seat,
    require_turn,
)
from peermeet.core.evolve import may_have_back
from peermeet.core.hearing import is_available, is_eligible, is_in_circle
from peermeet.core.messages import Code
from peermeet.core.model import (
    Circle,
    CrossTalk,
    Mode,
    Order,
    Pass,
    Place,
    Seat,
    SeatId,
    Stage,
    Turn,
)
from peermeet.core.order import by_quiet
from peermeet.core.powers import takes_turns

UNHEARD_MS = 30_000
"""The short turn of those who still wait when a phase's length is used up."""


# --- The line -----------------------------------------------------------------------------------


def line(circle: Circle) -> tuple[Place, ...]:
    """The turns to come in this phase, next first, of people who are here or not."""
    if circle.round is None:
        return ()
    waiting = circle.round.waiting
    if circle.phase.mode is Mode.QUEUE:
        ordinary = circle.phase.turn_ms
        hands = [h for h in circle.hands if may_queue(circle, h)]
        waiting = (*waiting, *(Place(h, ordinary) for h in _in_queue_order(circle, hands)))
    elif circle.phase.order is Order.HAND or circle.round.floor_open:
        waiting = tuple(sorted(waiting, key=lambda p: _by_hand(circle, p)))
    if circle.round.ran_out:
        waiting = tuple(Place(p.seat, min(p.turn_ms, UNHEARD_MS), p.response) for p in waiting)
    return waiting


def may_queue(circle: Circle, seat: SeatId) -> bool:
    """Whether a raised hand of this seat asks for a turn in this queue."""
    queue = circle.round
    assert queue is not None
    if not is_eligible(circle, seat) or any(p.seat == seat for p in queue.waiting):
        return False
    return not (circle.phase.once or queue.ran_out) or not _had_floor(circle, seat)


def _in_queue_order(circle: Circle, hands: list[SeatId]) -> list[SeatId]:
    if circle.phase.order is not Order.QUIET_FIRST:
        return hands
    queue = circle.round
    assert queue is not None
    # Silence is a turn: whoever had the floor in this queue comes after those who had not, or
    # somebody who raises a hand and passes again and again would keep out all who have spoken.
    last = {ended.seat: number for number, ended in enumerate(queue.ended)}
    return sorted(hands, key=lambda s: (last.get(s, -1), *by_quiet(circle, s)))


def _by_hand(circle: Circle, place: Place) -> tuple[bool, bool, int]:
    hands = circle.hands
    asked = hands.index(place.seat) if place.seat in hands else len(hands)
    return not place.response, _had_floor(circle, place.seat), asked


def _had_floor(circle: Circle, seat: SeatId) -> bool:
    """Whether the seat had a turn in this phase already, spoken or not."""
    assert circle.round is not None
    return any(e.seat == seat for e in circle.round.ended)


def next_place(circle: Circle, asked_for: bool = True) -> Place | None:
    """The turn that would follow: the first in line who is here.

    asked_for: somebody decided to move on. Else, where the floor waits for a hand, only a raised
    one counts.
    """
    text = circle.phase.lines
    if circle.round is None or (text and circle.round.lines_read >= text):
        return None
    waits = circle.round.floor_open or circle.phase.order is Order.HAND
    by_hand = waits and circle.phase.mode is not Mode.QUEUE
    for place in line(circle):
        wants = asked_for or not by_hand or place.response or place.seat in circle.hands
        if wants and is_available(circle, place.seat):
            return place
    return None


# --- Moving the floor ---------------------------------------------------------------------------


def start_turn(draft: Draft, seat: SeatId, given_ms: int, response: bool) -> None:
    circle = draft.circle
    ready = circle.phase.gather_ms == 0 or circle.seats[seat].mic_on
    draft.add(m.TurnStarted(circle.turns_given + 1, seat, given_ms, ready, response))


def end_turn(
    draft: Draft,
    again_ms: int | None = None,
    asked: bool = False,
    to_anyone: bool = False,
    owed: bool = False,
) -> None:
    """End the running turn; answers that are welcome come next."""
    circle, turn = draft.circle, draft.circle.turn
    assert turn is not None
    answers: tuple[SeatId, ...] = ()
    if turn.welcomes and not turn.response:
        others = [h for h in circle.hands if h != turn.seat]
        answers = tuple(h for h in others if is_available(circle, h))
    left = turn.clock.left(draft.now)
    draft.add(m.TurnEnded(turn.number, left, again_ms, asked, to_anyone, owed, answers))


def go_on(draft: Draft, asked_for: bool = False) -> None:
    """Give the floor to the next who is here; complete the phase if nobody can come."""
    circle = draft.circle
    following = next_place(circle, asked_for)
    if following is not None:
        start_turn(draft, following.seat, following.turn_ms, following.response)
        return
    assert circle.round is not None
    stays_open = circle.phase.mode is Mode.QUEUE and not circle.round.ran_out
    if not stays_open and next_place(circle) is None and not circle.phase_over:
        draft.add(m.PhaseCompleted())


def fill(draft: Draft) -> None:
    """Where the floor stands open for a hand, give it to whoever now may have it."""
    circle = draft.circle
    stands = circle.paused or circle.safe or circle.holding or circle.ended or circle.phase_over
    if stands or circle.turn is not None or circle.round is None:
        return
    if next_place(circle, asked_for=False) is not None:
        go_on(draft)


def give_up_floor(draft: Draft, seat: SeatId) -> bool:
    """End this seat's turn if it holds the floor. Call `go_on` once it cannot get it back.

    It keeps a place in the line, unless what follows takes it out of every line.
    """
    turn = draft.circle.turn
    if turn is None or turn.seat != seat:
        return False
    end_turn(draft, again_ms=_again_ms(draft, turn))
    return True


def _again_ms(draft: Draft, turn: Turn) -> int | None:
    """Who comes back *later* finds at least a third of a turn, however late they asked.

    In a queue, where such a place comes before all hands, once: two people who stepped out of
    their turns again and again would keep everybody else waiting.
    """
    row = draft.circle.round
    assert row is not None
    again = any(e.seat == turn.seat and e.came_back for e in row.ended)
    if turn.response or (again and draft.circle.phase.mode is Mode.QUEUE):
        return None
    return max(turn.clock.left(draft.now), draft.circle.phase.turn_ms // 3)


def drop_turn(draft: Draft) -> None:
    """The holder cannot be heard for a while: the rest of the time is offered again later."""
    turn = draft.circle.turn
    assert turn is not None
    end_turn(draft, again_ms=_again_ms(draft, turn))
    go_on(draft)


def drop_turn_of_absent(draft: Draft) -> None:
    """The same, should the holder be somewhere else, or veiled, now that clocks run again."""
    turn = draft.circle.turn
    if turn is not None and not is_in_circle(draft.circle, turn.seat):
        drop_turn(draft)


# --- What the holder may do ---------------------------------------------------------------------

OwnTurn = (
    m.PassTurn
    | m.Later
    | m.PassToAnyone
    | m.NameNext
    | m.FirstNextRound
    | m.BeginTurn
    | m.WelcomeResponses
)


def use_own_turn(draft: Draft, actor: Seat, command: OwnTurn) -> None:
    """What holders do with their turn. Ending it needs no reason, ever."""
    circle = draft.circle
    if isinstance(command, m.PassTurn) and has_moved_on(circle, command.turn):
        # A pass that crossed the facilitator's next: what the speaker wanted has happened.
        assert circle.round is not None
        if circle.round.ended[-1].seat == actor.id:
            return
    turn = require_turn(circle, command.turn)
    require(turn.seat == actor.id, Code.NOT_YOUR_TURN)
    match command:
        case m.PassTurn():
            end_turn(draft)
            go_on(draft)
        case m.Later():
            _require_later(circle, turn)
            end_turn(draft, again_ms=_again_ms(draft, turn), asked=True)
            go_on(draft)
        case m.PassToAnyone():
            require(Pass.TO_ANYONE in circle.phase.passes, Code.NOT_OFFERED)
            end_turn(draft, to_anyone=True)
            go_on(draft)
        case m.NameNext(seat=seat):
            require(circle.phase.order is Order.PREVIOUS_NAMES_NEXT, Code.NOT_OFFERED)
            places = [p for p in line(circle) if p.seat == require_seat(circle, seat).id]
            require(bool(places) and is_available(circle, seat), Code.NOT_ELIGIBLE)
            end_turn(draft)
            if next_place(draft.circle) is None:
                go_on(draft)  # The text is read to its end; there is nothing left to name for.
            else:
                start_turn(draft, seat, places[0].turn_ms, places[0].response)
        case m.FirstNextRound():
            assert circle.round is not None
            offered = circle.round.ran_out and circle.phase.mode is Mode.ROUND
            require(offered and not turn.response, Code.NOT_OFFERED)
            end_turn(draft, owed=True)
            go_on(draft)
        case m.BeginTurn():
            if not turn.ready:
                draft.add(m.TurnBegun(turn.number))
        case m.WelcomeResponses(on=on):
            invited = circle.phase.crosstalk is CrossTalk.INVITED
            require(invited and not turn.response, Code.NOT_OFFERED)
            if turn.welcomes != on:
                draft.add(m.ResponsesWelcomed(turn.number, on))
        case _ as never:
            assert_never(never)


def _require_later(circle: Circle, turn: Turn) -> None:
    assert circle.round is not None
    offered = Pass.LATER in circle.phase.passes and circle.phase.mode is not Mode.QUEUE
    require(offered and not turn.response and not circle.round.ran_out, Code.NOT_OFFERED)
    require(turn.seat not in circle.round.used_later, Code.ALREADY_LATER)
    require(next_place(circle) is not None, Code.NOBODY_LEFT)


# --- What helpers of the circle may do ----------------------------------------------------------


def move_floor(draft: Draft, command: m.NextTurn | m.Back | m.GiveTurn) -> None:
    circle = draft.circle
    require_floor(circle)
    if isinstance(command, m.NextTurn) and has_moved_on(circle, command.turn):
        if circle.turn is not None or next_place(circle) is None:
            return  # Two people pressed next at once: one of them was enough.
    else:
        require(command.turn == circle.turns_given, Code.STALE_TURN)
    match command:
        case m.NextTurn():
            if circle.turn is not None:
                end_turn(draft)
            else:
                require(next_place(circle) is not None, Code.NOBODY_LEFT)
            go_on(draft, asked_for=circle.turn is None)
        case m.GiveTurn(seat=seat):
            _give_turn(draft, require_seat(circle, seat))
        case m.Back():
            assert circle.round is not None
            ended = [e for e in circle.round.ended if may_have_back(circle, e)]
            require(bool(ended), Code.NOTHING_TO_UNDO)
            last = ended[-1]
            _require_here(circle, circle.seats[last.seat])
            draft.add(m.TurnTakenBack(command.turn))
            number = draft.circle.turns_given + 1
            draft.add(m.TurnStarted(number, last.seat, last.remaining_ms, response=last.response))
        case _ as never:
            assert_never(never)


def _require_here(circle: Circle, seat: Seat) -> None:
    """The floor can come to this seat now."""
    require_inside(seat)
    require(seat.present, Code.SEAT_AWAY)
    require(takes_turns(seat), Code.ONLY_LISTENING)
    require(is_available(circle, seat.id), Code.AWAY_FROM_CIRCLE)


def _give_turn(draft: Draft, seat: Seat) -> None:
    circle = draft.circle
    _require_here(circle, seat)
    if circle.turn is not None:
        if circle.turn.seat == seat.id:
            return
        end_turn(draft)
    places = [p for p in line(circle) if p.seat == seat.id]
    ordinary = Place(seat.id, circle.phase.turn_ms)
    place = places[0] if places else ordinary
    start_turn(draft, seat.id, place.turn_ms, place.response)


def has_moved_on(circle: Circle, number: int) -> bool:
    """The turn that was meant is the one that ended last, and nothing was taken back since."""
    return circle.superseded is not None and circle.superseded == number


def change_clock(
    draft: Draft, command: m.Extend | m.HoldClock | m.ReleaseClock | m.SignalGently
) -> None:
    turn = require_turn(draft.circle, command.turn)
    match command:
        case m.Extend(by_ms=by_ms):
            draft.add(m.TurnExtended(turn.number, by_ms))
        case m.HoldClock():
            if not turn.held:
                draft.add(m.ClockHeld(turn.number, True))
        case m.ReleaseClock():
            if turn.held:
                draft.add(m.ClockHeld(turn.number, False))
        case m.SignalGently():
            if not turn.signalled and turn.stage is Stage.SPEAKING:
                draft.add(m.GentlySignalled(turn.number))
        case _ as never:
            assert_never(never)


def holds_floor(circle: Circle, seat: SeatId) -> bool:
    """Whether this seat has the turn."""
    return circle.turn is not None and circle.turn.seat == seat
