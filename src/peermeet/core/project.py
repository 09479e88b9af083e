"""What the world sees of a circle: gates for the media worker, and a view for each seat.

Pure functions of the value; each is applied whole and is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from peermeet.core import fit
from peermeet.core import messages as m
from peermeet.core.decide import is_allowed
from peermeet.core.floor import holds_floor, line
from peermeet.core.hearing import (
    MAIN,
    StepKind,
    in_focus,
    may_be_heard,
    may_be_seen,
    may_share,
    pair_of,
    space_of,
    step_of,
    steps,
)
from peermeet.core.model import (
    Card,
    Chat,
    Circle,
    CrossTalk,
    Door,
    Gate,
    Mics,
    Millis,
    Mode,
    Order,
    Pass,
    Phase,
    Reason,
    Role,
    Seat,
    SeatId,
    Stage,
    Timeout,
    Topic,
    Who,
)
from peermeet.core.notices import Notice, before, notices_for
from peermeet.core.powers import Power, has, takes_turns

__all__ = ["Notice", "View", "gates", "lines_for", "notices_for", "view_for"]

To = Literal["all", "facilitators", "team"]


def gates(circle: Circle) -> Mapping[SeatId, Gate]:
    """The gate of each seat. A seat that is not named here has none: nothing of it passes."""
    if circle.ended:
        return {}
    looked_at = in_focus(circle)
    return {
        seat.id: Gate(
            audio=seat.mic_on and may_be_heard(circle, seat.id),
            video=seat.camera_on and may_be_seen(circle, seat.id),
            space=space_of(circle, seat.id),
            focus=seat.id in looked_at,
            screen=circle.sharing == seat.id and may_share(circle, seat.id),
        )
        for seat in circle.seats.values()
    }


def lines_for(circle: Circle, viewer: SeatId) -> Mapping[SeatId, bool]:
    """Of whose line the viewer may know how good it is; True: in figures as well.

    Figures say a little about where somebody is, so they are for oneself and for those who care
    for single people. Of other spaces and of the waiting area nothing is told.
    """
    me = circle.seats[viewer]
    here = space_of(circle, viewer)
    cares = has(me, Power.CARE)
    return {
        seat: cares or seat == viewer for seat in circle.seats if space_of(circle, seat) == here
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
    """Where a seat is in this phase's line."""

    SPOKE = "spoke"
    SPEAKING = "speaking"
    WAITING = "waiting"


@dataclass(frozen=True)
class SeatView:
    """One seat as the viewer may see it. may: commands the viewer may send that name this seat.

    apart: away for a moment, whether stepped out, in a quiet space or in another pair; its
    microphone and camera then look switched off. waiting: in the waiting area, told only to
    those who admit people. veiled: not readmitted since the room was made safe.
    """

    id: SeatId
    roles: tuple[Role, ...]
    present: bool
    mic: Mic
    camera: Camera
    hand: bool
    apart: bool
    waiting: bool
    veiled: bool
    may: tuple[str, ...]


@dataclass(frozen=True)
class OrderEntry:
    seat: SeatId
    progress: Progress


@dataclass(frozen=True)
class TurnView:
    """The turn as one viewer may know it.

    remaining_ms: true at the view's `now`; below zero past the limit. None without a limit.
    running: the clock moves. ready: the holder has begun. stage: told to the holder and to those
    who keep time only (else None), because nobody else needs to see that somebody's time is up.
    fades_at_ms: in a firm turn, the remaining_ms (negative) at which the floor moves on.
    welcomes: the holder welcomes answers. response: this turn is one.
    """

    number: int
    seat: SeatId
    given_ms: int
    remaining_ms: int | None
    running: bool
    ready: bool
    held: bool
    stage: Stage | None
    timeout: Timeout
    fades_at_ms: int | None
    welcomes: bool
    response: bool


@dataclass(frozen=True)
class PhaseView:
    """The phase now. length_ms, remaining_ms: of a phase that has a length, else None.

    over: everyone had their turn, or the length is used up. ran_out: it is used up while people
    still wait. line: the number of the line to read, from 0; lines: how many there are.
    words: which words of the run sheet belong to it. insert: what it interrupted waits.
    """

    number: int
    mode: Mode
    order: Order
    who: Who
    passes: tuple[Pass, ...]
    crosstalk: CrossTalk
    chat: Chat
    mics: Mics
    timeout: Timeout
    turn_ms: int
    length_ms: int | None
    remaining_ms: int | None
    over: bool
    ran_out: bool
    line: int
    lines: int
    words: int | None
    insert: bool


@dataclass(frozen=True)
class PlannedPhase:
    """A phase of the run sheet, as everybody may see it."""

    mode: Mode
    order: Order
    who: Who
    timeout: Timeout
    turn_ms: int
    length_ms: int | None
    optional: bool
    words: int | None


@dataclass(frozen=True)
class SheetView:
    """The run sheet. id: its words come by it. index: of the phase now, None before the first."""

    id: str
    index: int | None
    phases: tuple[PlannedPhase, ...]


@dataclass(frozen=True)
class PairView:
    """What one's own pair does. with_you: the others of it. speaker: in a step of that kind.

    remaining_ms: of this step. steps_left: after this one. ends_soon: they were told.
    """

    with_you: tuple[SeatId, ...]
    step: StepKind
    speaker: SeatId | None
    remaining_ms: int
    running: bool
    steps_left: int
    ends_soon: bool


@dataclass(frozen=True)
class NoteView:
    """A hard topic was announced, by `seat`."""

    seat: SeatId
    topic: Topic
    remaining_ms: int


@dataclass(frozen=True)
class QuietView:
    """Quiet words as they concern the viewer.

    with_you: who is in a quiet space with you. asked_by: whose offer you may accept or decline.
    asked: you have made an offer yourself; to: to whom, None for whoever cares.
    """

    with_you: SeatId | None
    asked_by: tuple[SeatId, ...]
    asked: bool
    to: SeatId | None


@dataclass(frozen=True)
class View:
    """Everything one seat may know, whole.

    you: the viewer's seat. now: server time the numbers hold for. waiting: you are in the waiting
    area, and the rest says nothing. turns_given: the number to name in *next* and *back* when
    nobody holds the floor. before_you: turns before yours, 0 = you are next, None = you hold the
    floor or have none to come. fit: to those who lead. pause_asked: to those who may pause.
    removed: to those who moderate. sharing: whose screen you may see, your own too. card,
    your_card: shown to all, to you alone. covered: why your camera is. write: to whom you may
    write now. may: kinds of commands you may send now.
    """

    you: SeatId
    now: Millis
    waiting: bool
    phase: PhaseView
    sheet: SheetView | None
    fit: tuple[fit.Fit, ...]
    seats: tuple[SeatView, ...]
    order: tuple[OrderEntry, ...]
    turn: TurnView | None
    turns_given: int
    before_you: int | None
    hands: tuple[SeatId, ...]
    pair: PairView | None
    quiet: QuietView
    stepped_out: bool
    sharing: SeatId | None
    card: Card | None
    your_card: Card | None
    covered: Reason | None
    note: NoteView | None
    pause_asked: bool
    paused: bool
    safe: bool
    holding: bool
    door: Door
    door_closes_in_ms: int | None
    removed: tuple[SeatId, ...]
    write: tuple[To, ...]
    may: tuple[str, ...]


def view_for(circle: Circle, viewer: SeatId, now: Millis) -> View:
    """What `viewer` may know at `now`. The viewer must have a seat."""
    me = circle.seats[viewer]
    if me.waiting:
        # Who waits learns nothing of the circle but that they are known.
        circle = Circle(seats={viewer: me}, at=circle.at, ended=circle.ended)
    leads = has(me, Power.LEAD)
    closes_at = circle.door_closes_at
    return View(
        you=viewer,
        now=now,
        waiting=me.waiting,
        phase=_phase_view(circle, now),
        sheet=_sheet_view(circle),
        fit=_fit(circle) if leads else (),
        seats=tuple(
            _seat_view(circle, s, me, now)
            for s in circle.seats.values()
            if not s.waiting or s.id == viewer or has(me, Power.ADMIT)
        ),
        order=_order(circle),
        turn=_turn_view(circle, me, now),
        turns_given=circle.turns_given,
        before_you=before(circle, viewer),
        hands=circle.hands,
        pair=_pair_view(circle, viewer, now),
        quiet=_quiet_view(circle, me),
        stepped_out=me.stepped_out,
        sharing=circle.sharing if space_of(circle, viewer) == MAIN else None,
        card=circle.card,
        your_card=me.card,
        covered=me.camera_covered,
        note=_note_view(circle, now),
        pause_asked=circle.pause_asked and has(me, Power.PAUSE),
        paused=circle.paused,
        safe=circle.safe,
        holding=circle.holding,
        door=circle.door,
        door_closes_in_ms=None if closes_at is None else max(0, closes_at - now),
        removed=tuple(sorted(circle.removed)) if has(me, Power.MODERATE) else (),
        write=_may_write(circle, viewer, now),
        may=_may(circle, me, _own_commands(circle), now),
    )


def _phase_view(circle: Circle, now: Millis) -> PhaseView:
    phase, clock, row = circle.phase, circle.phase_clock, circle.round
    return PhaseView(
        number=circle.phase_number,
        mode=phase.mode,
        order=phase.order,
        who=phase.who,
        passes=phase.passes,
        crosstalk=phase.crosstalk,
        chat=phase.chat,
        mics=phase.mics,
        timeout=phase.timeout,
        turn_ms=phase.turn_ms,
        length_ms=phase.length_ms,
        remaining_ms=None if clock is None else max(0, clock.left(now)),
        over=circle.phase_over,
        ran_out=row is not None and row.ran_out,
        line=0 if row is None else row.lines_read,
        lines=phase.lines,
        words=phase.words,
        insert=circle.aside is not None,
    )


def _sheet_view(circle: Circle) -> SheetView | None:
    sheet = circle.sheet
    if sheet is None:
        return None
    return SheetView(sheet.id, circle.index, tuple(_planned(p) for p in sheet.phases))


def _planned(phase: Phase) -> PlannedPhase:
    return PlannedPhase(
        mode=phase.mode,
        order=phase.order,
        who=phase.who,
        timeout=phase.timeout,
        turn_ms=phase.turn_ms,
        length_ms=phase.length_ms,
        optional=phase.optional,
        words=phase.words,
    )


def _fit(circle: Circle) -> tuple[fit.Fit, ...]:
    people = sum(takes_turns(s) for s in circle.seats.values())
    return () if circle.sheet is None else fit.check(circle.sheet, people)


def _order(circle: Circle) -> tuple[OrderEntry, ...]:
    """Who spoke, who speaks, who comes, in this order; each seat once."""
    if circle.round is None:
        return ()
    speaking = None if circle.turn is None else circle.turn.seat
    waiting = dict.fromkeys(p.seat for p in line(circle) if p.seat != speaking)
    spoke = dict.fromkeys(
        e.seat
        for e in circle.round.ended
        if e.seat in circle.seats and e.seat not in waiting and e.seat != speaking
    )
    return (
        *(OrderEntry(s, Progress.SPOKE) for s in spoke),
        *(OrderEntry(s, Progress.SPEAKING) for s in [speaking] if s is not None),
        *(OrderEntry(s, Progress.WAITING) for s in waiting),
    )


def _turn_view(circle: Circle, viewer: Seat, now: Millis) -> TurnView | None:
    turn, phase = circle.turn, circle.phase
    if turn is None:
        return None
    limited = phase.timeout is not Timeout.NONE
    knows_stage = has(viewer, Power.TIME) or viewer.id == turn.seat
    early = turn.signalled and turn.stage is Stage.SPEAKING
    stage = Stage.WARNED if early and viewer.id == turn.seat else turn.stage
    return TurnView(
        number=turn.number,
        seat=turn.seat,
        given_ms=turn.given_ms,
        remaining_ms=turn.clock.left(now) if limited else None,
        running=turn.clock.since is not None,
        ready=turn.ready,
        held=turn.held,
        stage=stage if knows_stage else None,
        timeout=phase.timeout,
        fades_at_ms=-phase.grace_ms if phase.timeout is Timeout.FIRM else None,
        welcomes=turn.welcomes,
        response=turn.response,
    )


def _pair_view(circle: Circle, viewer: SeatId, now: Millis) -> PairView | None:
    name = pair_of(circle, viewer)
    if name is None:
        return None
    space = circle.spaces[name]
    step = step_of(circle, space)
    return PairView(
        with_you=tuple(s for s in space.seats if s != viewer),
        step=step.kind,
        speaker=step.speaker,
        remaining_ms=max(0, space.clock.left(now)),
        running=space.clock.since is not None,
        steps_left=len(steps(circle.phase, space.order)) - 1 - space.step,
        ends_soon=space.noticed,
    )


def _quiet_view(circle: Circle, me: Seat) -> QuietView:
    two = next((two for two in circle.quiet if me.id in two), ())
    mine = next((o for o in circle.quiet_offers if o.seat == me.id), None)
    to_me = {me.id, None} if has(me, Power.CARE) else {me.id}
    return QuietView(
        with_you=next((s for s in two if s != me.id), None),
        asked_by=tuple(o.seat for o in circle.quiet_offers if o.to in to_me and o.seat != me.id),
        asked=mine is not None,
        to=None if mine is None else mine.to,
    )


def _note_view(circle: Circle, now: Millis) -> NoteView | None:
    note = circle.note
    if note is None:
        return None
    return NoteView(note.seat, note.topic, max(0, note.until - now))


def _seat_view(circle: Circle, seat: Seat, viewer: Seat, now: Millis) -> SeatView:
    # Who helps nobody has little to ask about others: a round of sixteen asks 90 % less.
    helps = bool(viewer.roles) or viewer.id == seat.id or has(seat, Power.CARE)
    names = circle.phase.order is Order.PREVIOUS_NAMES_NEXT and holds_floor(circle, viewer.id)
    together = space_of(circle, seat.id) == space_of(circle, viewer.id)
    mic = Mic.HELD if seat.mic_held else Mic.ON if seat.mic_on and together else Mic.OFF
    camera = Camera.ON if seat.camera_on and together else Camera.OFF
    apart = space_of(circle, seat.id) != MAIN and not (together and not seat.stepped_out)
    return SeatView(
        id=seat.id,
        roles=tuple(r for r in Role if r in seat.roles),
        present=seat.present,
        mic=mic,
        camera=Camera.COVERED if seat.camera_covered else camera,
        hand=seat.id in circle.hands,
        apart=apart,
        waiting=seat.waiting,
        veiled=seat.veiled,
        may=_may(circle, viewer, _commands_on(circle, seat), now) if helps or names else (),
    )


def _own_commands(circle: Circle) -> list[m.Command]:
    """One sample of each command that names no seat; the rules say which would be refused."""
    turn = circle.turns_given
    held = circle.turn is not None and circle.turn.held
    welcomes = circle.turn is not None and circle.turn.welcomes
    index = -1 if circle.index is None else circle.index
    phases = 0 if circle.sheet is None else len(circle.sheet.phases)
    return [
        m.SetMic(True),
        m.SetCamera(True),
        m.StartShare(),
        m.RaiseHand(),
        m.PassTurn(turn),
        m.Later(turn),
        m.PassToAnyone(turn),
        m.BeginTurn(turn),
        m.WelcomeResponses(turn, not welcomes),
        m.FirstNextRound(turn),
        m.ListenOnly(True),
        m.NextTurn(turn),
        m.Back(turn),
        m.Extend(turn),
        m.ReleaseClock(turn) if held else m.HoldClock(turn),
        m.SignalGently(turn),
        m.StartPhase(Mode.TALK),
        m.OpenPhase(circle.phase_number, index + 1 if index + 1 < phases else index),
        m.ReturnToPhase(circle.phase_number),
        m.ChangePhase(max(index, 0)),
        m.DropPhase(index + 1),
        m.CallBack(),
        m.ResumeCircle() if circle.paused else m.PauseCircle(),
        m.AskPause(),
        m.DeclinePause(),
        m.SafeRoom(),
        m.LiftSafety(),
        m.ShowCard(Card.ADVICE),
        m.WithdrawCard(),
        m.NoteContent(Topic.OTHER),
        m.EndNote(),
        m.StepOut(),
        m.OfferQuiet(),
        m.LeaveSpace(),
        m.OpenDoor(),
        m.AskAtDoor(),
        m.CloseDoor(),
        m.EndCircle(),
    ]


def _commands_on(circle: Circle, seat: Seat) -> list[m.Command]:
    turn = circle.turns_given
    commands: list[m.Command] = [
        m.ReleaseMic(seat.id) if seat.mic_held else m.HoldMic(seat.id),
        m.UncoverCamera(seat.id) if seat.camera_covered else m.CoverCamera(seat.id),
        m.ShowCard(Card.ADVICE, seat.id),
        m.Admit(seat.id) if seat.waiting else m.MoveToWaiting(seat.id),
        m.Remove(seat.id),
        m.SetRoles(seat.id, tuple(r for r in Role if r in seat.roles)),
        m.OfferQuiet(seat.id),
    ]
    if seat.card is not None:
        commands.append(m.WithdrawCard(seat.id))
    if circle.sharing == seat.id:
        commands.append(m.StopShare(seat.id))
    if seat.veiled:
        commands.append(m.Readmit(seat.id))
    if circle.turn is None or circle.turn.seat != seat.id:
        commands.append(m.GiveTurn(turn, seat.id))
        commands.append(m.NameNext(turn, seat.id))
    if seat.id in circle.hands:
        commands.append(m.LowerHand(seat.id))
    return commands


def _may(
    circle: Circle, viewer: Seat, commands: Iterable[m.Command], now: Millis
) -> tuple[str, ...]:
    """Ask the rules themselves, so that no client holds a copy of them."""
    return tuple(c.kind for c in commands if is_allowed(circle, viewer.id, c, now))


def _may_write(circle: Circle, viewer: SeatId, now: Millis) -> tuple[To, ...]:
    to: tuple[To, ...] = ("all", "facilitators", "team")
    return tuple(t for t in to if is_allowed(circle, viewer, m.Write(t), now))
