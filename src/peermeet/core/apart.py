"""Being apart from the circle for a while: pairs, quiet words, stepping out; cards and notes.

Going anywhere ends nothing for good: who comes back has the place they had. Nobody is brought
into a space without having asked or accepted, and everybody arrives with the microphone off.
Quiet words, cards and notes are private events: they are applied and never written down.
"""

from __future__ import annotations

from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.draft import Draft, require, require_inside, require_seat
from peermeet.core.floor import give_up_floor, go_on
from peermeet.core.hearing import is_in_quiet, pair_of, steps
from peermeet.core.messages import Code
from peermeet.core.model import Circle, Millis, Mode, QuietOffer, Seat, SeatId
from peermeet.core.powers import Power, has

MINUTE_MS = 60_000


# --- Pairs --------------------------------------------------------------------------------------


def advance(draft: Draft, name: str) -> None:
    """Bring a pair to its next step; steps of people who left it are passed over."""
    space = draft.circle.spaces[name]
    all_steps = steps(draft.circle.phase, space.order)
    for index in range(space.step + 1, len(all_steps)):
        speaker = all_steps[index].speaker
        if speaker is None or speaker in space.seats:
            draft.add(m.StepReached(name, index))
            return
    draft.add(m.PairEnded(name))


def leave_pair(draft: Draft, seat: SeatId) -> None:
    """Back to the circle, if the seat is in a pair. A pair of one is no pair."""
    name = pair_of(draft.circle, seat)
    if name is None:
        return
    space = draft.circle.spaces[name]
    was_speaking = steps(draft.circle.phase, space.order)[space.step].speaker == seat
    draft.add(m.PairLeft(seat))
    if name in draft.circle.spaces and was_speaking:
        advance(draft, name)


def complete_pairs(draft: Draft) -> None:
    """A phase of pairs is over when nobody is in one."""
    circle = draft.circle
    if circle.phase.mode is Mode.PAIRS and not circle.spaces and not circle.phase_over:
        draft.add(m.PhaseCompleted())


def leave_space(draft: Draft, seat: SeatId) -> None:
    """Out of a pair or a quiet space, whichever the seat is in."""
    two = next((two for two in draft.circle.quiet if seat in two), None)
    if two is None:
        leave_pair(draft, seat)
    else:
        # Whoever of them leaves: the one who seemed away is the one who is told to be back.
        draft.add(m.QuietEnded(two[0]))


# --- Stepping out and quiet words ---------------------------------------------------------------

ApartCommand = m.LeaveSpace | m.StepOut | m.StepIn | m.OfferQuiet | m.AcceptQuiet | m.DeclineQuiet


def be_apart(draft: Draft, actor: Seat, command: ApartCommand) -> None:
    circle = draft.circle
    match command:
        case m.LeaveSpace():
            leave_space(draft, actor.id)
        case m.StepOut():
            if not actor.stepped_out:
                leave_space(draft, actor.id)
                held = give_up_floor(draft, actor.id)
                _switch_off(draft, actor.id)
                draft.add(m.SteppedOut(actor.id))
                if held:
                    go_on(draft)
        case m.StepIn():
            if actor.stepped_out:
                draft.add(m.SteppedIn(actor.id))
        case m.OfferQuiet(seat=seat):
            _offer_quiet(draft, actor, seat)
        case m.AcceptQuiet(seat=seat):
            _accept_quiet(draft, actor, require_seat(circle, seat))
        case m.DeclineQuiet(seat=seat):
            if seat == actor.id:
                if any(o.seat == seat for o in circle.quiet_offers):
                    draft.add(m.QuietDeclined(seat))
                return
            _require_offer(circle, actor, seat)
            draft.add(m.QuietDeclined(seat))
        case _ as never:
            assert_never(never)


def _offer_quiet(draft: Draft, actor: Seat, to: SeatId | None) -> None:
    circle = draft.circle
    require_inside(actor)
    require(not is_in_quiet(circle, actor.id), Code.AWAY_FROM_CIRCLE)
    if to is None:
        require(not has(actor, Power.CARE), Code.NEEDS_ONE_WHO_CARES)
    else:
        _require_two(circle, actor, require_seat(circle, to))
    if QuietOffer(actor.id, to) not in circle.quiet_offers:
        draft.add(m.QuietOffered(actor.id, to))


def _accept_quiet(draft: Draft, actor: Seat, other: Seat) -> None:
    circle = draft.circle
    _require_offer(circle, actor, other.id)
    _require_two(circle, actor, other)
    carer, person = (actor, other) if has(actor, Power.CARE) else (other, actor)
    held = False
    for one in (actor.id, other.id):
        leave_pair(draft, one)
        held = give_up_floor(draft, one) or held
        _switch_off(draft, one)
    draft.add(m.QuietBegun(person.id, carer.id))
    if held:
        go_on(draft)


def _switch_off(draft: Draft, seat: SeatId) -> None:
    """Written down before what is not: a restart must find nobody switched on who went apart."""
    own = draft.circle.seats[seat]
    if own.mic_on:
        draft.add(m.MicSwitched(seat, False))
    if own.camera_on:
        draft.add(m.CameraSwitched(seat, False))


def _require_two(circle: Circle, actor: Seat, other: Seat) -> None:
    """One person and one who cares, both here, neither with somebody else already."""
    for one in (actor, other):
        require_inside(one)
        require(one.present, Code.SEAT_AWAY)
        require(not is_in_quiet(circle, one.id), Code.AWAY_FROM_CIRCLE)
    cares = has(actor, Power.CARE) != has(other, Power.CARE)
    require(actor.id != other.id and cares, Code.NEEDS_ONE_WHO_CARES)


def _require_offer(circle: Circle, actor: Seat, offerer: SeatId) -> None:
    to_me = {actor.id, None} if has(actor, Power.CARE) else {actor.id}
    offered = any(o.seat == offerer and o.to in to_me for o in circle.quiet_offers)
    require(offered, Code.NO_OFFER)


# --- Cards, notes and the wish for a pause ------------------------------------------------------

SignCommand = (
    m.ShowCard
    | m.WithdrawCard
    | m.PutAwayCard
    | m.NoteContent
    | m.EndNote
    | m.AskPause
    | m.DeclinePause
)


def give_sign(draft: Draft, actor: Seat, command: SignCommand) -> None:
    circle = draft.circle
    match command:
        case m.ShowCard(card=card, seat=seat):
            shown = circle.card if seat is None else require_seat(circle, seat).card
            if shown != card:
                draft.add(m.CardShown(card, seat))
        case m.WithdrawCard(seat=seat):
            shown = circle.card if seat is None else require_seat(circle, seat).card
            if shown is not None:
                draft.add(m.CardShown(None, seat))
        case m.PutAwayCard():
            if actor.card is not None:
                draft.add(m.CardShown(None, actor.id))
        case m.NoteContent(topic=topic, minutes=minutes):
            require_inside(actor)
            _require_own_note(circle, actor)
            until = Millis(draft.now + minutes * MINUTE_MS)
            draft.add(m.ContentNoted(actor.id, topic, until))
        case m.EndNote():
            _require_own_note(circle, actor)
            if circle.note is not None:
                draft.add(m.NoteEnded())
        case m.AskPause():
            require_inside(actor)
            if not circle.pause_asked and not circle.paused:
                draft.add(m.PauseAsked())
        case m.DeclinePause():
            if circle.pause_asked:
                draft.add(m.PauseDeclined())
        case _ as never:
            assert_never(never)


def _require_own_note(circle: Circle, actor: Seat) -> None:
    note = circle.note
    own = note is None or note.seat == actor.id or has(actor, Power.MODERATE)
    require(own, Code.NOT_ALLOWED)
