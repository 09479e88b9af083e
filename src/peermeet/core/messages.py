"""The vocabulary of a circle: commands (imperative), events (past tense) and refusals.

A command is what somebody asks for; an event is what then is true. Both are plain frozen
dataclasses with a `kind`; the protocol and the journal read and write these very classes, so
no message is declared twice. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from peermeet.core.model import (
    Card,
    Door,
    Millis,
    Mode,
    Order,
    Phase,
    Reason,
    Role,
    SeatId,
    Sheet,
    Stage,
    Timeout,
    Topic,
)


class Code(StrEnum):
    """Why a command was refused. Stable: clients turn each into a sentence."""

    NOT_ALLOWED = "not_allowed"
    """Your role does not hold this power."""
    NOT_YOUR_TURN = "not_your_turn"
    STALE_TURN = "stale_turn"
    """The turn you meant is over."""
    NO_TURN = "no_turn"
    """Nobody holds the floor now."""
    WRONG_PHASE = "wrong_phase"
    NO_SUCH_SEAT = "no_such_seat"
    SEAT_AWAY = "seat_away"
    ALREADY_LATER = "already_later"
    """Once per round."""
    NOBODY_LEFT = "nobody_left"
    """Nobody who is here waits for a turn."""
    NOTHING_TO_UNDO = "nothing_to_undo"
    FLOOR_TAKEN = "floor_taken"
    """In this phase only the holder may be heard, or nobody."""
    MIC_HELD = "mic_held"
    CAMERA_COVERED = "camera_covered"
    SCREENS_OFF = "screens_off"
    """This group shows no screens."""
    SCREEN_TAKEN = "screen_taken"
    """Somebody else's screen is shown."""
    PAUSED = "paused"
    BAD_PHASE = "bad_phase"
    """A length out of range, or fields that contradict one another."""
    STALE_PHASE = "stale_phase"
    """The phase you meant is over."""
    NO_SUCH_PHASE = "no_such_phase"
    NOT_OFFERED = "not_offered"
    """This phase does not offer that."""
    ONLY_LISTENING = "only_listening"
    """You are here to listen, or to interpret, and take no turns today."""
    NOT_ELIGIBLE = "not_eligible"
    """This phase is for others, or you have had your turn in it."""
    IN_WAITING_AREA = "in_waiting_area"
    VEILED = "veiled"
    """The room was made safe and you are not readmitted yet."""
    AWAY_FROM_CIRCLE = "away_from_circle"
    """You are in a quiet space, in a pair, or have stepped out."""
    NO_OFFER = "no_offer"
    """Nobody has offered this, or it is taken back."""
    NEEDS_ONE_WHO_CARES = "needs_one_who_cares"
    """A quiet space is for one member and one who cares for the circle."""
    UNLED = "unled"
    """The circle waits for its facilitator."""
    CHAT_OFF = "chat_off"
    CIRCLE_FULL = "circle_full"
    DOOR_CLOSED = "door_closed"
    REMOVED = "removed"
    CIRCLE_ENDED = "circle_ended"


class Refused(Exception):
    """An expected "no". Nothing has changed."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


# --- Commands a person sends. Those about a turn name it, so that a late click is harmless. ---


@dataclass(frozen=True)
class SetMic:
    """Switch one's own microphone. On needs the permission to be heard."""

    on: bool
    kind: Literal["set_mic"] = "set_mic"


@dataclass(frozen=True)
class SetCamera:
    """Switch one's own camera."""

    on: bool
    kind: Literal["set_camera"] = "set_camera"


@dataclass(frozen=True)
class StartShare:
    """Show one's own screen to the circle. For whoever holds the floor or leads; one at a time."""

    kind: Literal["start_share"] = "start_share"


@dataclass(frozen=True)
class StopShare:
    """Stop showing one's screen; who moderates may stop another's by naming the seat."""

    seat: SeatId | None = None
    kind: Literal["stop_share"] = "stop_share"


@dataclass(frozen=True)
class RaiseHand:
    kind: Literal["raise_hand"] = "raise_hand"


@dataclass(frozen=True)
class LowerHand:
    """Lower one's own hand; a facilitator may lower another's by naming the seat."""

    seat: SeatId | None = None
    kind: Literal["lower_hand"] = "lower_hand"


@dataclass(frozen=True)
class PassTurn:
    """End or decline one's own turn. Needs no reason."""

    turn: int
    kind: Literal["pass_turn"] = "pass_turn"


@dataclass(frozen=True)
class Later:
    """Ask for one's turn again at the end of this round; once."""

    turn: int
    kind: Literal["later"] = "later"


@dataclass(frozen=True)
class PassToAnyone:
    """End one's own turn and leave the floor to whoever wants it."""

    turn: int
    kind: Literal["pass_to_anyone"] = "pass_to_anyone"


@dataclass(frozen=True)
class NameNext:
    """End one's own turn and name who comes next."""

    turn: int
    seat: SeatId
    kind: Literal["name_next"] = "name_next"


@dataclass(frozen=True)
class BeginTurn:
    """Say that one is ready: the clock of one's turn begins."""

    turn: int
    kind: Literal["begin_turn"] = "begin_turn"


@dataclass(frozen=True)
class WelcomeResponses:
    """Say whether answers to one's turn are welcome."""

    turn: int
    on: bool
    kind: Literal["welcome_responses"] = "welcome_responses"


@dataclass(frozen=True)
class FirstNextRound:
    """Give up the short turn of a phase that ran out for first place in the next round."""

    turn: int
    kind: Literal["first_next_round"] = "first_next_round"


@dataclass(frozen=True)
class ListenOnly:
    """Be here only to listen today, or no longer."""

    on: bool
    kind: Literal["listen_only"] = "listen_only"


@dataclass(frozen=True)
class NextTurn:
    """Move the floor on to whoever is next."""

    turn: int
    kind: Literal["next_turn"] = "next_turn"


@dataclass(frozen=True)
class Back:
    """Undo the last handing on: the one before holds the floor again, with the time they had."""

    turn: int
    kind: Literal["back"] = "back"


@dataclass(frozen=True)
class GiveTurn:
    """Hand the floor to a named seat."""

    turn: int
    seat: SeatId
    kind: Literal["give_turn"] = "give_turn"


@dataclass(frozen=True)
class Extend:
    """Add time to this turn: 60,000 or 180,000 ms."""

    turn: int
    by_ms: Literal[60_000, 180_000] = 60_000
    kind: Literal["extend"] = "extend"


@dataclass(frozen=True)
class HoldClock:
    """Let this turn's clock stand still."""

    turn: int
    kind: Literal["hold_clock"] = "hold_clock"


@dataclass(frozen=True)
class ReleaseClock:
    """Let this turn's clock run again."""

    turn: int
    kind: Literal["release_clock"] = "release_clock"


@dataclass(frozen=True)
class SignalGently:
    """Tell the holder alone, and early, that time goes by."""

    turn: int
    kind: Literal["signal_gently"] = "signal_gently"


@dataclass(frozen=True)
class OpenPhase:
    """Begin the phase of the run sheet at `index`. after: the number of the phase now."""

    after: int
    index: int
    kind: Literal["open_phase"] = "open_phase"


@dataclass(frozen=True)
class ReturnToPhase:
    """End an insert: what it interrupted goes on as it stood. after: as in OpenPhase."""

    after: int
    kind: Literal["return_to_phase"] = "return_to_phase"


@dataclass(frozen=True)
class ChangePhase:
    """Change a phase of the run sheet, now or to come. What is None stays as it is.

    Ranges as in StartPhase.
    """

    index: int
    turn_ms: int | None = None
    length_ms: int | None = None
    timeout: Timeout | None = None
    order: Order | None = None
    kind: Literal["change_phase"] = "change_phase"


@dataclass(frozen=True)
class DropPhase:
    """Take a phase that is still to come out of the run sheet."""

    index: int
    kind: Literal["drop_phase"] = "drop_phase"


@dataclass(frozen=True)
class CallBack:
    """Ask the pairs back: they have 20 seconds to finish."""

    kind: Literal["call_back"] = "call_back"


@dataclass(frozen=True)
class StartPhase:
    """Begin a phase. Lengths left out are filled in by the rules.

    turn_ms: 5,000–3,600,000. warn_ms, grace_ms: 0–600,000. length_ms: 10,000–7,200,000.
    first: the seat that begins a round; else the order of arrival.
    """

    mode: Mode
    turn_ms: int = 180_000
    timeout: Timeout = Timeout.SOFT
    warn_ms: int | None = None
    grace_ms: int | None = None
    length_ms: int | None = None
    first: SeatId | None = None
    kind: Literal["start_phase"] = "start_phase"


@dataclass(frozen=True)
class PauseCircle:
    kind: Literal["pause_circle"] = "pause_circle"


@dataclass(frozen=True)
class ResumeCircle:
    kind: Literal["resume_circle"] = "resume_circle"


@dataclass(frozen=True)
class AskPause:
    """Ask for a pause. Those who may pause learn that somebody asks, not who."""

    kind: Literal["ask_pause"] = "ask_pause"


@dataclass(frozen=True)
class DeclinePause:
    """Go on without the pause that was asked for."""

    kind: Literal["decline_pause"] = "decline_pause"


@dataclass(frozen=True)
class SafeRoom:
    """Make the room safe: nobody but facilitators is heard or seen, clocks stand, door closed."""

    kind: Literal["safe_room"] = "safe_room"


@dataclass(frozen=True)
class Readmit:
    """Let one person be heard and seen again after the room was made safe."""

    seat: SeatId
    kind: Literal["readmit"] = "readmit"


@dataclass(frozen=True)
class LiftSafety:
    """Go on as before. Who was not readmitted stays veiled, unless everyone is to be readmitted."""

    everyone: bool = False
    kind: Literal["lift_safety"] = "lift_safety"


@dataclass(frozen=True)
class HoldMic:
    """Keep a seat's microphone closed until it is released."""

    seat: SeatId
    kind: Literal["hold_mic"] = "hold_mic"


@dataclass(frozen=True)
class ReleaseMic:
    """Permit a held microphone again; it stays off until its person switches it on."""

    seat: SeatId
    kind: Literal["release_mic"] = "release_mic"


@dataclass(frozen=True)
class CoverCamera:
    """Hide a person's video from all; they are told why."""

    seat: SeatId
    reason: Reason = Reason.UNSAID
    kind: Literal["cover_camera"] = "cover_camera"


@dataclass(frozen=True)
class UncoverCamera:
    """Permit a covered camera again; it stays off until its person switches it on."""

    seat: SeatId
    kind: Literal["uncover_camera"] = "uncover_camera"


@dataclass(frozen=True)
class ShowCard:
    """Remind all, naming nobody, or one person in private (seat)."""

    card: Card
    seat: SeatId | None = None
    kind: Literal["show_card"] = "show_card"


@dataclass(frozen=True)
class WithdrawCard:
    seat: SeatId | None = None
    kind: Literal["withdraw_card"] = "withdraw_card"


@dataclass(frozen=True)
class PutAwayCard:
    """Put away the card that was shown to oneself."""

    kind: Literal["put_away_card"] = "put_away_card"


@dataclass(frozen=True)
class NoteContent:
    """Say that a hard topic comes, for about so many minutes; who wants to may step out."""

    topic: Topic
    minutes: Literal[2, 5, 10, 15] = 5
    kind: Literal["note_content"] = "note_content"


@dataclass(frozen=True)
class EndNote:
    """The hard topic is over; who stepped out is called back."""

    kind: Literal["end_note"] = "end_note"


@dataclass(frozen=True)
class StepOut:
    """Be away for a moment: hear and see nothing, keep the place."""

    kind: Literal["step_out"] = "step_out"


@dataclass(frozen=True)
class StepIn:
    kind: Literal["step_in"] = "step_in"


@dataclass(frozen=True)
class OfferQuiet:
    """Offer a quiet word. A member asks whoever cares (seat None) or one of them by name."""

    seat: SeatId | None = None
    kind: Literal["offer_quiet"] = "offer_quiet"


@dataclass(frozen=True)
class AcceptQuiet:
    """Accept what `seat` offered: both go to a space of their own, microphones off."""

    seat: SeatId
    kind: Literal["accept_quiet"] = "accept_quiet"


@dataclass(frozen=True)
class DeclineQuiet:
    """Decline what `seat` offered, or take one's own offer back."""

    seat: SeatId
    kind: Literal["decline_quiet"] = "decline_quiet"


@dataclass(frozen=True)
class LeaveSpace:
    """Leave one's pair or quiet space now and be in the circle again, microphone off."""

    kind: Literal["leave_space"] = "leave_space"


@dataclass(frozen=True)
class MoveToWaiting:
    """Bring a person to the waiting area: they neither hear nor see the circle."""

    seat: SeatId
    kind: Literal["move_to_waiting"] = "move_to_waiting"


@dataclass(frozen=True)
class Admit:
    """Let a person in from the waiting area."""

    seat: SeatId
    kind: Literal["admit"] = "admit"


@dataclass(frozen=True)
class Remove:
    """Remove a seat for today. The door closes to newcomers, else the same person walks in."""

    seat: SeatId
    kind: Literal["remove"] = "remove"


@dataclass(frozen=True)
class TakeBackRemoval:
    """Let a removed person return to their seat."""

    seat: SeatId
    kind: Literal["take_back_removal"] = "take_back_removal"


@dataclass(frozen=True)
class SetRoles:
    """Give a seat exactly these roles. Making somebody the facilitator hands the role over."""

    seat: SeatId
    roles: tuple[Role, ...] = ()
    kind: Literal["set_roles"] = "set_roles"


@dataclass(frozen=True)
class CloseDoor:
    """Let nobody new in; who has a seat may always come back.

    after_ms: latecomers may come for so long: 0, or 5, 10 or 15 minutes.
    """

    after_ms: Literal[0, 300_000, 600_000, 900_000] = 0
    kind: Literal["close_door"] = "close_door"


@dataclass(frozen=True)
class AskAtDoor:
    """Newcomers wait until they are admitted."""

    kind: Literal["ask_at_door"] = "ask_at_door"


@dataclass(frozen=True)
class OpenDoor:
    kind: Literal["open_door"] = "open_door"


@dataclass(frozen=True)
class Leave:
    kind: Literal["leave"] = "leave"


@dataclass(frozen=True)
class EndCircle:
    """End the circle for all."""

    kind: Literal["end_circle"] = "end_circle"


Command = (
    SetMic
    | SetCamera
    | StartShare
    | StopShare
    | RaiseHand
    | LowerHand
    | PassTurn
    | Later
    | PassToAnyone
    | NameNext
    | BeginTurn
    | WelcomeResponses
    | FirstNextRound
    | ListenOnly
    | NextTurn
    | Back
    | GiveTurn
    | Extend
    | HoldClock
    | ReleaseClock
    | SignalGently
    | OpenPhase
    | ReturnToPhase
    | ChangePhase
    | DropPhase
    | CallBack
    | StartPhase
    | PauseCircle
    | ResumeCircle
    | AskPause
    | DeclinePause
    | SafeRoom
    | Readmit
    | LiftSafety
    | HoldMic
    | ReleaseMic
    | CoverCamera
    | UncoverCamera
    | ShowCard
    | WithdrawCard
    | PutAwayCard
    | NoteContent
    | EndNote
    | StepOut
    | StepIn
    | OfferQuiet
    | AcceptQuiet
    | DeclineQuiet
    | LeaveSpace
    | MoveToWaiting
    | Admit
    | Remove
    | TakeBackRemoval
    | SetRoles
    | CloseDoor
    | AskAtDoor
    | OpenDoor
    | Leave
    | EndCircle
)


# --- Commands of a person that the server fills in: a run sheet is read from text first. ---


@dataclass(frozen=True)
class UseSheet:
    """Make this the run sheet. No phase begins by it."""

    sheet: Sheet


@dataclass(frozen=True)
class InsertSheet:
    """Set the phase aside and run this first: a grounding, a silence. Everything waits."""

    sheet: Sheet


@dataclass(frozen=True)
class Write:
    """Ask whether one may write to everybody, to the facilitators, or in the team's channel."""

    to: Literal["all", "facilitators", "team"]


@dataclass(frozen=True)
class HandKeys:
    """Ask whether one may hand keys of the encryption to others."""


InnerCommand = UseSheet | InsertSheet | Write | HandKeys


# --- Commands of the host itself: people arrive, lines drop, time passes. ---


@dataclass(frozen=True)
class TakeSeat:
    """A newcomer sits down. as_facilitator: came by the facilitator's link."""

    as_facilitator: bool = False


@dataclass(frozen=True)
class ReturnToSeat:
    """A browser (re)connected for this seat. connected: its media connection has never ended."""

    seat: SeatId
    connected: bool = False


@dataclass(frozen=True)
class LoseSeat:
    """The last connection of this seat is gone."""

    seat: SeatId


@dataclass(frozen=True)
class Tick:
    """Time has passed. Harmless when late, early or doubled."""


@dataclass(frozen=True)
class Recover:
    """The server was away. alive_until: the last moment it is known to have been up."""

    alive_until: Millis


HostCommand = TakeSeat | ReturnToSeat | LoseSeat | Tick | Recover


# --- Events. They go into the journal: seat ids and facts only, no names, no words. ---


@dataclass(frozen=True)
class SeatTaken:
    """waiting: in the waiting area at first."""

    seat: SeatId
    roles: tuple[Role, ...] = ()
    waiting: bool = False
    kind: Literal["seat_taken"] = "seat_taken"


@dataclass(frozen=True)
class SeatReturned:
    """Microphone and camera begin switched off again, for the page is new.

    connected: it is the page that was there before, so they stay as their person left them.
    """

    seat: SeatId
    connected: bool = False
    kind: Literal["seat_returned"] = "seat_returned"


@dataclass(frozen=True)
class SeatAway:
    seat: SeatId
    kind: Literal["seat_away"] = "seat_away"


@dataclass(frozen=True)
class SeatLeft:
    """waiting: it was in the waiting area, so that nobody else needs to hear of it."""

    seat: SeatId
    waiting: bool = False
    kind: Literal["seat_left"] = "seat_left"


@dataclass(frozen=True)
class SeatRemoved:
    """waiting: as in SeatLeft."""

    seat: SeatId
    waiting: bool = False
    kind: Literal["seat_removed"] = "seat_removed"


@dataclass(frozen=True)
class SeatAdmitted:
    seat: SeatId
    kind: Literal["seat_admitted"] = "seat_admitted"


@dataclass(frozen=True)
class SeatSentToWait:
    seat: SeatId
    kind: Literal["seat_sent_to_wait"] = "seat_sent_to_wait"


@dataclass(frozen=True)
class RemovalTakenBack:
    seat: SeatId
    kind: Literal["removal_taken_back"] = "removal_taken_back"


@dataclass(frozen=True)
class RolesChanged:
    seat: SeatId
    roles: tuple[Role, ...]
    kind: Literal["roles_changed"] = "roles_changed"


@dataclass(frozen=True)
class MicSwitched:
    seat: SeatId
    on: bool
    kind: Literal["mic_switched"] = "mic_switched"


@dataclass(frozen=True)
class CameraSwitched:
    seat: SeatId
    on: bool
    kind: Literal["camera_switched"] = "camera_switched"


@dataclass(frozen=True)
class MicHeld:
    seat: SeatId
    held: bool
    kind: Literal["mic_held"] = "mic_held"


@dataclass(frozen=True)
class CameraCovered:
    """reason: why, or None when it is uncovered."""

    seat: SeatId
    reason: Reason | None
    kind: Literal["camera_covered"] = "camera_covered"


@dataclass(frozen=True)
class HandRaised:
    seat: SeatId
    kind: Literal["hand_raised"] = "hand_raised"


@dataclass(frozen=True)
class HandLowered:
    seat: SeatId
    kind: Literal["hand_lowered"] = "hand_lowered"


@dataclass(frozen=True)
class SheetChosen:
    sheet: Sheet
    kind: Literal["sheet_chosen"] = "sheet_chosen"


@dataclass(frozen=True)
class PhaseChanged:
    """The phase at `index` of the sheet is now this one; None takes it out.

    order: the line of the phase that runs, if it is put in another order.
    """

    index: int
    phase: Phase | None
    order: tuple[SeatId, ...] = ()
    kind: Literal["phase_changed"] = "phase_changed"


@dataclass(frozen=True)
class PhaseSetAside:
    """An insert begins; what it interrupts waits."""

    sheet: Sheet
    kind: Literal["phase_set_aside"] = "phase_set_aside"


@dataclass(frozen=True)
class PhaseTakenUp:
    kind: Literal["phase_taken_up"] = "phase_taken_up"


@dataclass(frozen=True)
class PhaseStarted:
    """order: who gets a turn, first to last, in a round or to read. pairs: who is with whom.
    index: in the run sheet, None if it is not of it."""

    phase: Phase
    order: tuple[SeatId, ...] = ()
    pairs: tuple[tuple[SeatId, ...], ...] = ()
    index: int | None = None
    kind: Literal["phase_started"] = "phase_started"


@dataclass(frozen=True)
class TimeRanOut:
    """The phase's length is used up while people still wait: the holder finishes, and they are
    offered a short turn each."""

    kind: Literal["time_ran_out"] = "time_ran_out"


@dataclass(frozen=True)
class ClosingSoon:
    """A quarter of an hour is left of what the run sheet planned."""

    kind: Literal["closing_soon"] = "closing_soon"


@dataclass(frozen=True)
class PhaseCompleted:
    """A round has nobody left to give a turn to, or the phase's length is used up."""

    kind: Literal["phase_completed"] = "phase_completed"


@dataclass(frozen=True)
class TurnStarted:
    """ready: its clock may run at once. response: an invited answer."""

    number: int
    seat: SeatId
    given_ms: int
    ready: bool = True
    response: bool = False
    kind: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True)
class TurnBegun:
    """The holder is ready; the clock may run."""

    number: int
    kind: Literal["turn_begun"] = "turn_begun"


@dataclass(frozen=True)
class TurnEnded:
    """The floor moved on. Why is not recorded: passing is nobody's business.

    again_ms: the seat waits once more, at the end of the line, with this time. asked: it asked
    for that itself (*later*). to_anyone: it left the floor open. owed: it takes first place in
    the next round instead. answers: who now gets a minute to answer.
    """

    number: int
    remaining_ms: int
    again_ms: int | None = None
    asked: bool = False
    to_anyone: bool = False
    owed: bool = False
    answers: tuple[SeatId, ...] = ()
    kind: Literal["turn_ended"] = "turn_ended"


@dataclass(frozen=True)
class ResponsesWelcomed:
    number: int
    on: bool
    kind: Literal["responses_welcomed"] = "responses_welcomed"


@dataclass(frozen=True)
class GentlySignalled:
    number: int
    kind: Literal["gently_signalled"] = "gently_signalled"


@dataclass(frozen=True)
class TurnTakenBack:
    """The last handing on is undone; a TurnStarted for the seat before follows."""

    number: int
    kind: Literal["turn_taken_back"] = "turn_taken_back"


@dataclass(frozen=True)
class TurnExtended:
    number: int
    by_ms: int
    kind: Literal["turn_extended"] = "turn_extended"


@dataclass(frozen=True)
class ClockHeld:
    number: int
    held: bool
    kind: Literal["clock_held"] = "clock_held"


@dataclass(frozen=True)
class StageReached:
    number: int
    stage: Stage
    kind: Literal["stage_reached"] = "stage_reached"


@dataclass(frozen=True)
class CirclePaused:
    kind: Literal["circle_paused"] = "circle_paused"


@dataclass(frozen=True)
class CircleResumed:
    kind: Literal["circle_resumed"] = "circle_resumed"


@dataclass(frozen=True)
class PauseAsked:
    kind: Literal["pause_asked"] = "pause_asked"


@dataclass(frozen=True)
class PauseDeclined:
    kind: Literal["pause_declined"] = "pause_declined"


@dataclass(frozen=True)
class RoomMadeSafe:
    kind: Literal["room_made_safe"] = "room_made_safe"


@dataclass(frozen=True)
class SeatReadmitted:
    seat: SeatId
    kind: Literal["seat_readmitted"] = "seat_readmitted"


@dataclass(frozen=True)
class SafetyLifted:
    kind: Literal["safety_lifted"] = "safety_lifted"


@dataclass(frozen=True)
class CircleHeld:
    """No facilitator has been here for a while: the circle waits. It goes on by itself."""

    kind: Literal["circle_held"] = "circle_held"


@dataclass(frozen=True)
class DoorMoved:
    """closes_at: it stays open for latecomers until then."""

    door: Door
    closes_at: Millis | None = None
    kind: Literal["door_moved"] = "door_moved"


@dataclass(frozen=True)
class StepReached:
    """A pair has come to the next of its steps (spaces.steps)."""

    space: str
    step: int
    kind: Literal["step_reached"] = "step_reached"


@dataclass(frozen=True)
class PairGoesOn:
    """Its speaker has been away too long to be waited for."""

    space: str
    kind: Literal["pair_goes_on"] = "pair_goes_on"


@dataclass(frozen=True)
class PairNoticed:
    """20 seconds are left; now, if left_ms says so: the pairs were called back."""

    space: str
    left_ms: int | None = None
    kind: Literal["pair_noticed"] = "pair_noticed"


@dataclass(frozen=True)
class PairLeft:
    """One person is back in the circle."""

    seat: SeatId
    kind: Literal["pair_left"] = "pair_left"


@dataclass(frozen=True)
class PairEnded:
    """Everyone of it is back in the circle."""

    space: str
    kind: Literal["pair_ended"] = "pair_ended"


# Private: applied like any other event, and never written down.


@dataclass(frozen=True)
class QuietOffered:
    seat: SeatId
    to: SeatId | None
    kind: Literal["quiet_offered"] = "quiet_offered"


@dataclass(frozen=True)
class QuietDeclined:
    """The offer of `seat` is gone, declined or taken back."""

    seat: SeatId
    kind: Literal["quiet_declined"] = "quiet_declined"


@dataclass(frozen=True)
class QuietBegun:
    seat: SeatId
    carer: SeatId
    kind: Literal["quiet_begun"] = "quiet_begun"


@dataclass(frozen=True)
class QuietEnded:
    """The quiet space of `seat` is over; both are back."""

    seat: SeatId
    kind: Literal["quiet_ended"] = "quiet_ended"


@dataclass(frozen=True)
class SwitchedInQuiet:
    """Devices of somebody in a quiet space, for as long as it lasts."""

    seat: SeatId
    mic_on: bool
    camera_on: bool
    kind: Literal["switched_in_quiet"] = "switched_in_quiet"


@dataclass(frozen=True)
class SteppedOut:
    seat: SeatId
    kind: Literal["stepped_out"] = "stepped_out"


@dataclass(frozen=True)
class SteppedIn:
    seat: SeatId
    kind: Literal["stepped_in"] = "stepped_in"


@dataclass(frozen=True)
class ShareStarted:
    """The screen of `seat` is shown. After a restart it is not: that needs a fresh yes."""

    seat: SeatId
    kind: Literal["share_started"] = "share_started"


@dataclass(frozen=True)
class ShareEnded:
    """The screen of `seat`, who may be gone, is no longer shown."""

    seat: SeatId
    kind: Literal["share_ended"] = "share_ended"


@dataclass(frozen=True)
class CardShown:
    """card None: put away or withdrawn. seat None: to all."""

    card: Card | None
    seat: SeatId | None = None
    kind: Literal["card_shown"] = "card_shown"


@dataclass(frozen=True)
class ContentNoted:
    seat: SeatId
    topic: Topic
    until: Millis
    kind: Literal["content_noted"] = "content_noted"


@dataclass(frozen=True)
class NoteEnded:
    kind: Literal["note_ended"] = "note_ended"


PrivateEvent = (
    QuietOffered
    | QuietDeclined
    | QuietBegun
    | QuietEnded
    | SwitchedInQuiet
    | SteppedOut
    | SteppedIn
    | ShareStarted
    | ShareEnded
    | CardShown
    | ContentNoted
    | NoteEnded
    | PauseAsked
    | PauseDeclined
)
"""What is never written down (circle.md §5): gone when the server restarts."""


@dataclass(frozen=True)
class Interrupted:
    """The server was away from `alive_until` until now; the outage is nobody's speaking time."""

    alive_until: Millis
    kind: Literal["interrupted"] = "interrupted"


@dataclass(frozen=True)
class CircleEnded:
    kind: Literal["circle_ended"] = "circle_ended"


JournalEvent = (
    SeatTaken
    | SeatReturned
    | SeatAway
    | SeatLeft
    | SeatRemoved
    | SeatAdmitted
    | SeatSentToWait
    | RemovalTakenBack
    | RolesChanged
    | MicSwitched
    | CameraSwitched
    | MicHeld
    | CameraCovered
    | HandRaised
    | HandLowered
    | SheetChosen
    | PhaseChanged
    | PhaseSetAside
    | PhaseTakenUp
    | PhaseStarted
    | TimeRanOut
    | ClosingSoon
    | PhaseCompleted
    | TurnStarted
    | TurnBegun
    | TurnEnded
    | ResponsesWelcomed
    | GentlySignalled
    | TurnTakenBack
    | TurnExtended
    | ClockHeld
    | StageReached
    | CirclePaused
    | CircleResumed
    | RoomMadeSafe
    | SeatReadmitted
    | SafetyLifted
    | CircleHeld
    | DoorMoved
    | StepReached
    | PairGoesOn
    | PairNoticed
    | PairLeft
    | PairEnded
    | Interrupted
    | CircleEnded
)

Event = JournalEvent | PrivateEvent
