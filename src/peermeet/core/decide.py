"""The rules: what may happen in a circle.

Theory of operation. A circle is always in one phase. In *open talk* everyone it is for may be
heard, in a *silence* nobody. In a *round*, a *queue* and when a text is *read*, only the holder
of the floor is: a turn begins, it ends by whoever's hand, the next one begins (floor.py). In
*pairs* the circle comes apart into twos and threes with equal time (apart.py). A run sheet says
which phase follows which; a person opens each (phases.py). Time is never a reason to cut a
person off unless the group chose `firm`: with `soft` the clock only tells, and a person decides
(timing.py). Above all this a circle can be paused, made safe, or be waiting for its facilitator,
and then every clock stands.

Nobody can switch on somebody else. The rules permit (hearing.py); only a seat's own `SetMic`
opens its microphone, and whenever the permission ends the microphone is off again (evolve.py).
The same holds for a screen: one at a time, of whoever holds the floor or leads.
Who may do what to others stands in one table (powers.py), asked here before anything else.

`decide` looks and answers: a list of events, or `Refused`. It changes nothing, reads no clock
and tosses no coin. A command whose wish is already true yields no events, so that repeating it
is harmless. Sources: circle.md §2 and §3 of the design notes, told in docs/facilitating.md.
"""

from __future__ import annotations

from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.apart import be_apart, complete_pairs, give_sign
from peermeet.core.draft import Draft, require, require_inside, require_seat
from peermeet.core.floor import change_clock, fill, move_floor, use_own_turn
from peermeet.core.hearing import MAIN, is_in_quiet, may_be_heard, may_share, space_of
from peermeet.core.messages import Code, Refused
from peermeet.core.model import Chat, Circle, Millis, Mode, Seat, SeatId
from peermeet.core.people import (
    change_people,
    keep_safe,
    leave,
    moderate,
    move_door,
    take_seat,
)
from peermeet.core.phases import use_sheet
from peermeet.core.powers import NEEDS, Power, has, takes_turns
from peermeet.core.timing import tick, wakes_at

__all__ = ["decide", "decide_host", "is_allowed", "wakes_at"]


def decide(
    circle: Circle, actor: SeatId, command: m.Command | m.InnerCommand, now: Millis
) -> list[m.Event]:
    """What follows when `actor` asks for `command` at `now`; raises Refused.

    now: never before `circle.at`. An empty list means that the wish is already true.
    """
    draft = _drafted(circle, actor, command, now)
    fill(draft)
    complete_pairs(draft)
    _tell_of_share(draft, circle)
    return draft.events


def is_allowed(
    circle: Circle, actor: SeatId, command: m.Command | m.InnerCommand, now: Millis
) -> bool:
    """Whether `decide` would not refuse; less work than deciding."""
    try:
        _drafted(circle, actor, command, now)
    except Refused:
        return False
    return True


def _drafted(
    circle: Circle, actor: SeatId, command: m.Command | m.InnerCommand, now: Millis
) -> Draft:
    require(not circle.ended, Code.CIRCLE_ENDED)
    require(actor not in circle.removed, Code.REMOVED)
    require(actor in circle.seats, Code.NO_SUCH_SEAT)
    # Who waits holds no power and learns nothing, not even from a refusal; the way out is theirs.
    waits = circle.seats[actor].waiting
    require(not waits or isinstance(command, m.Leave), Code.IN_WAITING_AREA)
    power = NEEDS.get(type(command))
    require(power is None or has(circle.seats[actor], power), Code.NOT_ALLOWED)
    draft = Draft(circle, now)
    _decide(draft, circle.seats[actor], command)
    return draft


def decide_host(circle: Circle, command: m.HostCommand, now: Millis) -> list[m.Event]:
    """The same for what the server itself knows: arrivals, lost lines, time. Raises Refused."""
    require(not circle.ended, Code.CIRCLE_ENDED)
    draft = Draft(circle, now)
    match command:
        case m.TakeSeat(as_facilitator=as_facilitator):
            take_seat(draft, as_facilitator)
        case m.ReturnToSeat(seat=seat, connected=connected):
            require(seat not in circle.removed, Code.REMOVED)
            require(seat in circle.seats, Code.NO_SUCH_SEAT)
            # Beside a line that still holds, the new one is another window.
            draft.add(m.SeatReturned(seat, connected and not circle.seats[seat].present))
        case m.LoseSeat(seat=seat):
            if seat in circle.seats and circle.seats[seat].present:
                draft.add(m.SeatAway(seat))
        case m.Tick():
            tick(draft)
        case m.Recover(alive_until=alive_until):
            draft.add(m.Interrupted(alive_until))
        case _ as never:
            assert_never(never)
    fill(draft)
    complete_pairs(draft)
    _tell_of_share(draft, circle)
    return draft.events


def _decide(draft: Draft, actor: Seat, command: m.Command | m.InnerCommand) -> None:
    match command:
        case m.SetMic() | m.SetCamera():
            _switch_own(draft, actor, command)
        case m.StartShare() | m.StopShare():
            _share(draft, actor, command)
        case m.RaiseHand() | m.LowerHand():
            _move_hand(draft, actor, command)
        case (
            m.PassTurn()
            | m.Later()
            | m.PassToAnyone()
            | m.NameNext()
            | m.BeginTurn()
            | m.WelcomeResponses()
            | m.FirstNextRound()
        ):
            use_own_turn(draft, actor, command)
        case m.NextTurn() | m.Back() | m.GiveTurn():
            move_floor(draft, command)
        case m.Extend() | m.HoldClock() | m.ReleaseClock() | m.SignalGently():
            change_clock(draft, command)
        case (
            m.StartPhase()
            | m.OpenPhase()
            | m.ReturnToPhase()
            | m.ChangePhase()
            | m.DropPhase()
            | m.CallBack()
            | m.UseSheet()
            | m.InsertSheet()
        ):
            use_sheet(draft, command)
        case m.HoldMic() | m.ReleaseMic() | m.CoverCamera() | m.UncoverCamera():
            moderate(draft, command)
        case m.SafeRoom() | m.Readmit() | m.LiftSafety():
            keep_safe(draft, command)
        case m.CloseDoor() | m.AskAtDoor() | m.OpenDoor():
            move_door(draft, command)
        case _:
            _decide_about_people(draft, actor, command)


def _decide_about_people(
    draft: Draft,
    actor: Seat,
    command: (
        m.MoveToWaiting
        | m.Admit
        | m.Remove
        | m.TakeBackRemoval
        | m.SetRoles
        | m.ListenOnly
        | m.LeaveSpace
        | m.StepOut
        | m.StepIn
        | m.OfferQuiet
        | m.AcceptQuiet
        | m.DeclineQuiet
        | m.ShowCard
        | m.WithdrawCard
        | m.PutAwayCard
        | m.NoteContent
        | m.EndNote
        | m.AskPause
        | m.DeclinePause
        | m.PauseCircle
        | m.ResumeCircle
        | m.Leave
        | m.EndCircle
        | m.Write
        | m.HandKeys
    ),
) -> None:
    match command:
        case (
            m.MoveToWaiting()
            | m.Admit()
            | m.Remove()
            | m.TakeBackRemoval()
            | m.SetRoles()
            | m.ListenOnly()
        ):
            change_people(draft, actor, command)
        case (
            m.LeaveSpace()
            | m.StepOut()
            | m.StepIn()
            | m.OfferQuiet()
            | m.AcceptQuiet()
            | m.DeclineQuiet()
        ):
            be_apart(draft, actor, command)
        case (
            m.ShowCard()
            | m.WithdrawCard()
            | m.PutAwayCard()
            | m.NoteContent()
            | m.EndNote()
            | m.AskPause()
            | m.DeclinePause()
        ):
            give_sign(draft, actor, command)
        case m.PauseCircle():
            if not draft.circle.paused:
                draft.add(m.CirclePaused())
        case m.ResumeCircle():
            if draft.circle.paused:
                draft.add(m.CircleResumed())
        case m.Leave():
            leave(draft, actor.id)
        case m.EndCircle():
            draft.add(m.CircleEnded())
        case m.Write(to=to):
            _require_may_write(draft.circle, actor, to)
        case m.HandKeys():
            # Whoever waits outside knows no keys of those inside.
            require_inside(actor)
        case _ as never:
            assert_never(never)


# --- One's own ------------------------------------------------------------------------------


def _switch_own(draft: Draft, actor: Seat, command: m.SetMic | m.SetCamera) -> None:
    if isinstance(command, m.SetMic):
        if command.on == actor.mic_on:
            return
        if command.on and not may_be_heard(draft.circle, actor.id):
            raise Refused(_why_not_heard(draft.circle, actor))
        switched: m.Event = m.MicSwitched(actor.id, command.on)
        privately = m.SwitchedInQuiet(actor.id, command.on, actor.camera_on)
    else:
        if command.on == actor.camera_on:
            return
        if command.on:
            require_inside(actor)
            require(not actor.stepped_out, Code.AWAY_FROM_CIRCLE)
            require(actor.camera_covered is None, Code.CAMERA_COVERED)
        switched = m.CameraSwitched(actor.id, command.on)
        privately = m.SwitchedInQuiet(actor.id, actor.mic_on, command.on)
    # What is switched on in a quiet space must not be found on in the circle after a restart.
    draft.add(privately if is_in_quiet(draft.circle, actor.id) else switched)


def _why_not_heard(circle: Circle, seat: Seat) -> Code:
    """The nearest reason why this seat may not be heard now."""
    reasons = (
        (seat.veiled or circle.safe, Code.VEILED),
        (seat.mic_held, Code.MIC_HELD),
        (seat.stepped_out, Code.AWAY_FROM_CIRCLE),
        (circle.paused, Code.PAUSED),
        (not takes_turns(seat), Code.ONLY_LISTENING),
        (circle.holding, Code.UNLED),
    )
    return next((code for holds, code in reasons if holds), Code.FLOOR_TAKEN)


def _share(draft: Draft, actor: Seat, command: m.StartShare | m.StopShare) -> None:
    circle = draft.circle
    if isinstance(command, m.StartShare):
        if circle.sharing == actor.id:
            return
        if not may_share(circle, actor.id):
            raise Refused(_why_no_share(circle, actor))
        require(circle.sharing is None, Code.SCREEN_TAKEN)
        draft.add(m.ShareStarted(actor.id))
        return
    target = actor.id if command.seat is None else command.seat
    if target != actor.id:
        require(has(actor, Power.MODERATE), Code.NOT_ALLOWED)
        require_seat(circle, target)
    if circle.sharing == target:
        draft.add(m.ShareEnded(target))


def _why_no_share(circle: Circle, seat: Seat) -> Code:
    """The nearest reason why this seat's screen may not be shown now."""
    reasons = (
        (not circle.screens, Code.SCREENS_OFF),
        (not seat.present, Code.SEAT_AWAY),
        (seat.veiled or circle.safe, Code.VEILED),
        (seat.camera_covered is not None, Code.CAMERA_COVERED),
        (space_of(circle, seat.id) != MAIN, Code.AWAY_FROM_CIRCLE),
        (circle.paused, Code.PAUSED),
        (circle.holding, Code.UNLED),
        (circle.phase.mode in (Mode.PAIRS, Mode.SILENCE), Code.WRONG_PHASE),
    )
    return next((code for holds, code in reasons if holds), Code.NOT_YOUR_TURN)


def _tell_of_share(draft: Draft, before: Circle) -> None:
    """A screen that is no longer shown, for whatever reason, is told of once."""
    was = before.sharing
    if was is None or draft.circle.sharing == was or draft.circle.ended:
        return
    if m.ShareEnded(was) not in draft.events:
        draft.add(m.ShareEnded(was))


def _move_hand(draft: Draft, actor: Seat, command: m.RaiseHand | m.LowerHand) -> None:
    if isinstance(command, m.RaiseHand):
        require_inside(actor)
        require(takes_turns(actor), Code.ONLY_LISTENING)
        if actor.id not in draft.circle.hands:
            draft.add(m.HandRaised(actor.id))
        return
    target = actor.id if command.seat is None else command.seat
    if target != actor.id:
        require(has(actor, Power.LEAD), Code.NOT_ALLOWED)
        require_seat(draft.circle, target)
    if target in draft.circle.hands:
        draft.add(m.HandLowered(target))


def _require_may_write(circle: Circle, actor: Seat, to: str) -> None:
    """Writing is never an event: it passes through and is forgotten."""
    require(to != "team" or has(actor, Power.TEAM), Code.NOT_ALLOWED)
    require_inside(actor)
    if to == "team":
        return
    leads = has(actor, Power.LEAD)
    require(leads or not (circle.safe or circle.holding), Code.CHAT_OFF)
    apart = is_in_quiet(circle, actor.id) or space_of(circle, actor.id) != "main"
    require(not apart, Code.AWAY_FROM_CIRCLE)
    chat = circle.phase.chat
    if to == "all":
        # A turn may be typed in the place of speaking.
        holds = circle.turn is not None and circle.turn.seat == actor.id
        require(chat is Chat.ON or holds or has(actor, Power.WRITE), Code.CHAT_OFF)
    else:
        require(leads or chat is not Chat.OFF, Code.CHAT_OFF)
