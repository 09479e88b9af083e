"""The vocabulary of a circle: commands (imperative), events (past tense) and refusals.

A command is what somebody asks for; an event is what then is true. Both are plain frozen
dataclasses with a `kind`; the protocol and the journal read and write these very classes, so
no message is declared twice. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from peermeet.core.model import Millis, Mode, Phase, Role, SeatId, Stage, Timeout


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
    PAUSED = "paused"
    BAD_PHASE = "bad_phase"
    """A length out of range."""
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
class StartPhase:
    """Begin a phase. Lengths left out are filled in by the rules.

    turn_ms: 10,000–3,600,000. warn_ms, grace_ms: 0–600,000. length_ms: 10,000–7,200,000.
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
    seat: SeatId
    kind: Literal["cover_camera"] = "cover_camera"


@dataclass(frozen=True)
class UncoverCamera:
    """Permit a covered camera again; it stays off until its person switches it on."""

    seat: SeatId
    kind: Literal["uncover_camera"] = "uncover_camera"


@dataclass(frozen=True)
class Remove:
    """Remove a seat for today. The door closes to newcomers, else the same person walks in."""

    seat: SeatId
    kind: Literal["remove"] = "remove"


@dataclass(frozen=True)
class SetRole:
    seat: SeatId
    role: Role
    kind: Literal["set_role"] = "set_role"


@dataclass(frozen=True)
class CloseDoor:
    """Let nobody new in; who has a seat may always come back."""

    kind: Literal["close_door"] = "close_door"


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
    | RaiseHand
    | LowerHand
    | PassTurn
    | Later
    | NextTurn
    | Back
    | GiveTurn
    | Extend
    | HoldClock
    | ReleaseClock
    | StartPhase
    | PauseCircle
    | ResumeCircle
    | HoldMic
    | ReleaseMic
    | CoverCamera
    | UncoverCamera
    | Remove
    | SetRole
    | CloseDoor
    | OpenDoor
    | Leave
    | EndCircle
)


# --- Commands of the host itself: people arrive, lines drop, time passes. ---


@dataclass(frozen=True)
class TakeSeat:
    """A newcomer sits down. as_facilitator: came by the facilitator's link."""

    as_facilitator: bool = False


@dataclass(frozen=True)
class ReturnToSeat:
    """A browser (re)connected for this seat."""

    seat: SeatId


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
    seat: SeatId
    role: Role
    kind: Literal["seat_taken"] = "seat_taken"


@dataclass(frozen=True)
class SeatReturned:
    """Microphone and camera begin switched off again: the page is new."""

    seat: SeatId
    kind: Literal["seat_returned"] = "seat_returned"


@dataclass(frozen=True)
class SeatAway:
    seat: SeatId
    kind: Literal["seat_away"] = "seat_away"


@dataclass(frozen=True)
class SeatLeft:
    seat: SeatId
    kind: Literal["seat_left"] = "seat_left"


@dataclass(frozen=True)
class SeatRemoved:
    seat: SeatId
    kind: Literal["seat_removed"] = "seat_removed"


@dataclass(frozen=True)
class RoleChanged:
    seat: SeatId
    role: Role
    kind: Literal["role_changed"] = "role_changed"


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
    seat: SeatId
    covered: bool
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
class PhaseStarted:
    """order: who gets a turn, first to last; empty outside mode round."""

    phase: Phase
    order: tuple[SeatId, ...] = ()
    kind: Literal["phase_started"] = "phase_started"


@dataclass(frozen=True)
class PhaseCompleted:
    """A round has nobody left to give a turn to, or the phase's length is used up."""

    kind: Literal["phase_completed"] = "phase_completed"


@dataclass(frozen=True)
class TurnStarted:
    number: int
    seat: SeatId
    given_ms: int
    kind: Literal["turn_started"] = "turn_started"


@dataclass(frozen=True)
class TurnEnded:
    """The floor moved on. Why is not recorded: passing is nobody's business.

    again_ms: the seat waits once more, at the end of the round, with this time.
    asked: it asked for that itself (*later*).
    """

    number: int
    remaining_ms: int
    again_ms: int | None = None
    asked: bool = False
    kind: Literal["turn_ended"] = "turn_ended"


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
class DoorMoved:
    open: bool
    kind: Literal["door_moved"] = "door_moved"


@dataclass(frozen=True)
class Interrupted:
    """The server was away from `alive_until` until now; the outage is nobody's speaking time."""

    alive_until: Millis
    kind: Literal["interrupted"] = "interrupted"


@dataclass(frozen=True)
class CircleEnded:
    kind: Literal["circle_ended"] = "circle_ended"


Event = (
    SeatTaken
    | SeatReturned
    | SeatAway
    | SeatLeft
    | SeatRemoved
    | RoleChanged
    | MicSwitched
    | CameraSwitched
    | MicHeld
    | CameraCovered
    | HandRaised
    | HandLowered
    | PhaseStarted
    | PhaseCompleted
    | TurnStarted
    | TurnEnded
    | TurnTakenBack
    | TurnExtended
    | ClockHeld
    | StageReached
    | CirclePaused
    | CircleResumed
    | DoorMoved
    | Interrupted
    | CircleEnded
)
