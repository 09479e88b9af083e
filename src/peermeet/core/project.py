"""What the world sees of a circle: gates for the media worker, a view and notices for each seat.

Pure functions of the value; each is applied whole and is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from peermeet.core import messages as m
from peermeet.core.decide import decide, may_lead
from peermeet.core.evolve import may_be_heard
from peermeet.core.messages import Refused
from peermeet.core.model import (
    Circle,
    Gate,
    Millis,
    Mode,
    Role,
    Seat,
    SeatId,
    Stage,
    Timeout,
)


def gates(circle: Circle) -> Mapping[SeatId, Gate]:
    """The gate of each seat. A seat that is not named here has none: nothing of it passes."""
    if circle.ended:
        return {}
    return {
        seat.id: Gate(
            audio=seat.mic_on and may_be_heard(circle, seat.id),
            video=seat.camera_on and not seat.camera_covered,
        )
        for seat in circle.seats.values()
    }


class Mic(StrEnum):
    ON = "on"
    OFF = "off"
    HELD = "held"


class Camera(StrEnum):
    ON = "on"
    OFF = "off"
    COVERED = "covered"


class Progress(StrEnum):
    """Where a seat is in this round."""

    SPOKE = "spoke"
    SPEAKING = "speaking"
    WAITING = "waiting"


@dataclass(frozen=True)
class SeatView:
    """One seat as everybody sees it. may: commands the viewer may send that name this seat."""

    id: SeatId
    role: Role
    present: bool
    mic: Mic
    camera: Camera
    hand: bool
    may: tuple[str, ...]


@dataclass(frozen=True)
class OrderEntry:
    seat: SeatId
    progress: Progress


@dataclass(frozen=True)
class TurnView:
    """The turn as one viewer may know it.

    remaining_ms: true at the view's `now`; below zero past the limit. None without a limit.
    running: the clock moves. stage: told to the holder and to facilitators only (else None),
    because nobody else needs to see that somebody's time is up.
    fades_at_ms: in a firm turn, the remaining_ms (negative) at which the floor moves on.
    """

    number: int
    seat: SeatId
    given_ms: int
    remaining_ms: int | None
    running: bool
    held: bool
    stage: Stage | None
    timeout: Timeout
    fades_at_ms: int | None


@dataclass(frozen=True)
class PhaseView:
    """length_ms, remaining_ms: of a phase that has a length, else None.
    over: the round or the length is complete."""

    number: int
    mode: Mode
    length_ms: int | None
    remaining_ms: int | None
    over: bool


@dataclass(frozen=True)
class View:
    """Everything one seat may know, whole.

    you: the viewer's seat. now: server time the numbers hold for. turns_given: the number to
    name in *next* and *back* when nobody holds the floor. before_you: turns before yours in this
    round, 0 = you are next, None = you hold the floor or have none to come.
    may: kinds of commands the viewer may send now.
    """

    you: SeatId
    now: Millis
    phase: PhaseView
    seats: tuple[SeatView, ...]
    order: tuple[OrderEntry, ...]
    turn: TurnView | None
    turns_given: int
    before_you: int | None
    hands: tuple[SeatId, ...]
    paused: bool
    door_open: bool
    may: tuple[str, ...]


def view_for(circle: Circle, viewer: SeatId, now: Millis) -> View:
    """What `viewer` may know at `now`. The viewer must have a seat."""
    me = circle.seats[viewer]
    order = _order(circle)
    to_come = [
        e.seat for e in order if e.progress is Progress.WAITING and circle.seats[e.seat].present
    ]
    phase, clock = circle.phase, circle.phase_clock
    return View(
        you=viewer,
        now=now,
        phase=PhaseView(
            circle.phase_number,
            phase.mode,
            phase.length_ms,
            None if clock is None else max(0, clock.left(now)),
            circle.phase_over,
        ),
        seats=tuple(_seat_view(circle, s, me, now) for s in circle.seats.values()),
        order=order,
        turn=_turn_view(circle, me, now),
        turns_given=circle.turns_given,
        before_you=to_come.index(viewer) if viewer in to_come else None,
        hands=circle.hands,
        paused=circle.paused,
        door_open=circle.door_open,
        may=_may(circle, me, _own_commands(circle), now),
    )


def _order(circle: Circle) -> tuple[OrderEntry, ...]:
    """Who spoke, who speaks, who comes, in this order; each seat once."""
    if circle.round is None:
        return ()
    waiting = [p.seat for p in circle.round.waiting]
    now = [] if circle.turn is None else [circle.turn.seat]
    later = set(waiting) | set(now)
    spoke = dict.fromkeys(
        e.seat for e in circle.round.ended if e.seat in circle.seats and e.seat not in later
    )
    return (
        *(OrderEntry(s, Progress.SPOKE) for s in spoke),
        *(OrderEntry(s, Progress.SPEAKING) for s in now),
        *(OrderEntry(s, Progress.WAITING) for s in waiting if s not in now),
    )


def _turn_view(circle: Circle, viewer: Seat, now: Millis) -> TurnView | None:
    turn, phase = circle.turn, circle.phase
    if turn is None:
        return None
    limited = phase.timeout is not Timeout.NONE
    knows_stage = may_lead(viewer) or viewer.id == turn.seat
    return TurnView(
        number=turn.number,
        seat=turn.seat,
        given_ms=turn.given_ms,
        remaining_ms=turn.clock.left(now) if limited else None,
        running=turn.clock.since is not None,
        held=turn.held,
        stage=turn.stage if knows_stage else None,
        timeout=phase.timeout,
        fades_at_ms=-phase.grace_ms if phase.timeout is Timeout.FIRM else None,
    )


def _seat_view(circle: Circle, seat: Seat, viewer: Seat, now: Millis) -> SeatView:
    # Who leads nobody has nothing to ask about others: a round of sixteen asks 90 % less.
    may_act = may_lead(viewer) or viewer.id == seat.id
    mic = Mic.HELD if seat.mic_held else Mic.ON if seat.mic_on else Mic.OFF
    camera = Camera.ON if seat.camera_on else Camera.OFF
    return SeatView(
        id=seat.id,
        role=seat.role,
        present=seat.present,
        mic=mic,
        camera=Camera.COVERED if seat.camera_covered else camera,
        hand=seat.id in circle.hands,
        may=_may(circle, viewer, _commands_on(circle, seat), now) if may_act else (),
    )


def _own_commands(circle: Circle) -> list[m.Command]:
    """One sample of each command that names no seat; the rules say which would be refused."""
    turn = circle.turns_given
    held = circle.turn is not None and circle.turn.held
    return [
        m.SetMic(True),
        m.SetCamera(True),
        m.RaiseHand(),
        m.PassTurn(turn),
        m.Later(turn),
        m.NextTurn(turn),
        m.Back(turn),
        m.Extend(turn),
        m.ReleaseClock(turn) if held else m.HoldClock(turn),
        m.StartPhase(Mode.TALK),
        m.ResumeCircle() if circle.paused else m.PauseCircle(),
        m.CloseDoor() if circle.door_open else m.OpenDoor(),
        m.EndCircle(),
    ]


def _commands_on(circle: Circle, seat: Seat) -> list[m.Command]:
    turn = circle.turns_given
    commands: list[m.Command] = [
        m.ReleaseMic(seat.id) if seat.mic_held else m.HoldMic(seat.id),
        m.UncoverCamera(seat.id) if seat.camera_covered else m.CoverCamera(seat.id),
        m.Remove(seat.id),
        m.SetRole(seat.id, Role.MEMBER if may_lead(seat) else Role.CO_FACILITATOR),
    ]
    if circle.turn is None or circle.turn.seat != seat.id:
        commands.append(m.GiveTurn(turn, seat.id))
    if seat.id in circle.hands:
        commands.append(m.LowerHand(seat.id))
    return commands


def _may(
    circle: Circle, viewer: Seat, commands: Iterable[m.Command], now: Millis
) -> tuple[str, ...]:
    """Ask the rules themselves, so that no client holds a copy of them."""
    allowed = []
    for command in commands:
        try:
            decide(circle, viewer.id, command, now)
        except Refused:
            continue
        allowed.append(command.kind)
    return tuple(allowed)


@dataclass(frozen=True)
class Notice:
    """Something a person should notice once, by eye, ear or screen reader.

    kind: the event's own kind, or a sharper word where one event means different things to
    different people. seat: whom it is about, if anybody.
    """

    kind: str
    seat: SeatId | None = None


_PUBLIC = (
    m.SeatTaken
    | m.SeatAway
    | m.SeatReturned
    | m.SeatLeft
    | m.HandRaised
    | m.CirclePaused
    | m.CircleResumed
    | m.PhaseCompleted
    | m.CircleEnded
)


def notices_for(circle: Circle, viewer: SeatId, events: Iterable[m.Event]) -> list[Notice]:
    """What `viewer` should notice of `events`; `circle` is the value after them.

    A warning that time runs out goes to the holder and to the facilitators alone. That a seat
    was removed is told as leaving: nobody is shamed. What happens to one's own devices is told
    to that person only.
    """
    seat = circle.seats.get(viewer)
    leads = seat is not None and may_lead(seat)
    found: list[Notice] = []
    for event in events:
        match event:
            case m.TurnStarted(seat=who):
                found.append(Notice("your_turn" if who == viewer else "turn_started", who))
            case m.StageReached(stage=stage):
                holder = circle.turn.seat if circle.turn is not None else None
                if leads or holder == viewer:
                    found.append(Notice(f"turn_{stage}", holder))
            case m.TurnExtended() if circle.turn is not None and circle.turn.seat == viewer:
                found.append(Notice("turn_extended", viewer))
            case m.PhaseStarted(phase=phase):
                found.append(Notice(f"{phase.mode}_started"))
            case m.SeatRemoved(seat=who) if who != viewer:
                found.append(Notice("seat_left", who))
            case m.MicHeld(seat=who, held=held) if who == viewer:
                found.append(Notice("mic_held" if held else "mic_released", who))
            case m.CameraCovered(seat=who, covered=covered) if who == viewer:
                found.append(Notice("camera_covered" if covered else "camera_uncovered", who))
            case m.RoleChanged(seat=who) if who == viewer:
                found.append(Notice("role_changed", who))
            case _ if isinstance(event, _PUBLIC):
                about: SeatId | None = getattr(event, "seat", None)
                if about != viewer:
                    found.append(Notice(event.kind, about))
            case _:
                pass
    return found
