"""Anybody sends anything at any time, in any kind of circle, and it stays kind and in order.

Every command there is, by reflection, by everybody, between arrivals, lost lines, early, late and
exact ticks, and deaths of the server. A walk is a seed; of one that fails, the fewest steps that
still fail are told, and `PEERMEET_SEED` walks it again. `PEERMEET_STEPS` sets how many steps are
tried (default 5,000; `make property` runs 200,000). Hypothesis's state machines were tried first:
in as many steps they came to half of the rules, because most commands of most people are refused.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import fields, replace
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, is_allowed, wakes_at
from peermeet.core.evolve import evolve, without_private
from peermeet.core.floor import may_queue, next_place
from peermeet.core.hearing import FLOOR_MODES, StepKind, is_available, may_be_heard, step_of
from peermeet.core.messages import Event, JournalEvent, Refused
from peermeet.core.model import (
    CAPACITY,
    Chat,
    Circle,
    CrossTalk,
    Mics,
    Millis,
    Mode,
    Order,
    Pass,
    Phase,
    Role,
    SeatId,
    Sheet,
    Timeout,
    Who,
)
from peermeet.core.phases import CALL_BACK_MS, is_sound
from peermeet.core.powers import Power, has, takes_turns
from peermeet.core.project import gates, notices_for, view_for
from peermeet.core.timing import AWAY_MS, DROP_MS

STEPS = int(os.environ.get("PEERMEET_STEPS", "5000"))
STEPS_EACH = 125
LOOKED_AT = 12
"""One in so many circles is looked at through everybody's eyes: views are dear."""
START = Millis(1_790_000_000_000)
SEATS = [SeatId(f"s{n}") for n in range(1, 8)]
LEAD = SEATS[0]
HOLDER = SeatId("whoever holds the floor")

_journal: TypeAdapter[JournalEvent] = TypeAdapter(JournalEvent)

Step = tuple[str, tuple[Any, ...]]
"""A method of AnyCircle and what it is called with: plain data, so that steps can be left out."""

# --- What anybody may send: every command there is, by reflection -----------------------------

NEWEST = (0, 0, 0, 0, -1, -2, 1)
"""Relative to the newest turn or phase."""
NUMBERS: dict[str, Sequence[int]] = {
    "turn": NEWEST,
    "after": NEWEST,
    "index": (-1, 0, 0, 1, 1, 2, 3),
    "turn_ms": (5_000, 60_000, 60_000, 180_000, 4_999),
    "length_ms": (30_000, 30_000, 600_000, 9_999),
    "warn_ms": (0, 20_000, -1),
    "grace_ms": (0, 30_000, 600_001),
}
RULES: dict[str, Sequence[Any]] = {
    "timeout": tuple(Timeout),
    "grace_ms": (0, 30_000),
    "length_ms": (30_000, 300_000),
    "order": tuple(Order),
    "reverse": (True,),
    "who": tuple(Who),
    "passes": ((), (Pass.TO_ANYONE,), tuple(Pass)),
    "crosstalk": tuple(CrossTalk),
    "mics": tuple(Mics),
    "chat": tuple(Chat),
    "once": (True,),
    "fit": (True,),
    "gather_ms": (20_000,),
    "lines": (1, 3, 6),
    "warm_up_ms": (30_000,),
    "pause_ms": (10_000,),
    "together_ms": (15_000, 60_000),
}


def a_phase(chance: random.Random) -> Phase:
    """Any phase that is sound; an unsound rule is left out."""
    mode, turn_ms = chance.choice(list(Mode)), chance.choice((5_000, 60_000, 180_000))
    phase = Phase(mode, turn_ms=turn_ms, warn_ms=min(20_000, turn_ms))
    for name, values in RULES.items():
        if chance.random() < 0.3:
            changed = replace(phase, **{name: chance.choice(values)})
            if name == "mics":
                changed = replace(changed, crosstalk=CrossTalk.OPEN)
            phase = changed if is_sound(changed) else phase
    assert is_sound(phase)
    return phase


def a_sheet(chance: random.Random) -> Sheet:
    return Sheet("sheet", tuple(a_phase(chance) for _ in range(chance.randint(1, 3))))


def a_seat(chance: random.Random) -> SeatId:
    """Mostly somebody who is there."""
    return chance.choice(SEATS if chance.random() < 0.3 else SEATS[:4])


def a_value(chance: random.Random, name: str, kind: Any) -> Any:
    """What a member of a command may be, by its type."""
    if get_origin(kind) is Literal:
        return chance.choice(get_args(kind))
    if kind == tuple[Role, ...]:
        return tuple(chance.sample(list(Role), chance.randint(0, 2)))
    if get_args(kind):
        return a_value(chance, name, chance.choice(get_args(kind)))
    if kind is type(None):
        return None
    if kind is bool:
        return chance.random() < 0.7
    if kind is SeatId:
        return a_seat(chance)
    if kind is int:
        return chance.choice(NUMBERS[name])
    if kind is Sheet:
        return a_sheet(chance)
    assert issubclass(kind, Enum), f"no values for {name}: {kind}"
    return chance.choice(list(kind))


KINDS: list[type[Any]] = [*get_args(m.Command), *get_args(m.InnerCommand)]
MEMBERS = {
    kind: {f.name: get_type_hints(kind)[f.name] for f in fields(kind) if f.name != "kind"}
    for kind in KINDS
}
ENDING = (m.EndCircle, m.Leave)
DEEDS: tuple[tuple[SeatId | None, Sequence[type[Any]]], ...] = (
    (None, KINDS),
    (LEAD, [kind for kind in KINDS if kind not in ENDING]),
    (LEAD, (m.UseSheet, m.OpenPhase, m.OpenPhase, m.StartPhase, m.InsertSheet, m.ReturnToPhase)),
    (LEAD, (m.NextTurn, m.NextTurn, m.Back, m.GiveTurn, m.Admit)),
    (LEAD, (m.LiftSafety, m.ResumeCircle, m.Readmit, m.Admit)),
    (LEAD, (m.OfferQuiet, m.AcceptQuiet, m.AcceptQuiet, m.LeaveSpace)),
    (None, (m.SetMic, m.SetCamera, m.RaiseHand, m.RaiseHand)),
    (None, (m.OfferQuiet, m.AcceptQuiet, m.StepOut, m.StepIn, m.LeaveSpace)),
    (HOLDER, (m.SetMic, m.PassTurn, m.Later, m.PassToAnyone, m.NameNext)),
    (HOLDER, (m.StartShare, m.StartShare, m.StopShare)),
    (HOLDER, (m.SetMic, m.PassTurn, m.BeginTurn, m.WelcomeResponses, m.FirstNextRound)),
)
"""Who does what. Everybody tries everything; what keeps a circle going is done more often."""


def a_command(chance: random.Random, kinds: Sequence[type[Any]]) -> Any:
    kind = chance.choice(kinds)
    return kind(**{name: a_value(chance, name, of) for name, of in MEMBERS[kind].items()})


def a_step(chance: random.Random) -> Step:
    does = chance.choices(
        ("somebody_does", "time_passes", "a_line_drops_or_is_back", "somebody_comes")
        + ("a_tick_comes_late", "a_tick_comes_early", "the_server_dies_and_returns"),
        (70, 12, 8, 3, 2, 3, 2),
    )[0]
    match does:
        case "somebody_does":
            actor, kinds = chance.choice(DEEDS)
            command = a_command(chance, kinds)
            if isinstance(command, ENDING) and chance.random() < 0.8:
                command = m.RaiseHand()
            return does, (actor or a_seat(chance), command)
        case "time_passes":
            return does, (chance.choice((1, 900, 5_000, 15_000, 30_000, 60_000, 200_000)),)
        case "a_line_drops_or_is_back":
            back, connected = chance.random() < 0.7, chance.random() < 0.5
            return does, (a_seat(chance), back, connected)
        case "somebody_comes":
            return does, (chance.random() < 0.3,)
        case "a_tick_comes_late":
            return does, (chance.choice((700, 5_000, 20_000, 90_000)),)
        case "a_tick_comes_early":
            return does, ()
        case _:
            return does, (chance.choice((0, 300, 5_000, 60_000)),)


class AnyCircle:
    def __init__(self, seed: int) -> None:
        self.looks = 0
        self._open(seed)

    def _open(self, seed: int) -> None:
        self.now = START
        self.seed = seed
        self.circle = self._empty()
        self.log: list[tuple[Millis, Event]] = []
        self.checked: Circle | None = None
        self.asked_for: set[tuple[SeatId, str]] = set()
        self.last_heard: dict[SeatId, int] = {}
        self.had_floor: dict[SeatId, int] | None = {}  # None: a turn was taken back
        self.spoken_ms: dict[str, dict[SeatId, int]] = {}
        self._host(m.TakeSeat(as_facilitator=True))
        for _ in range(2 + seed % 4):
            self._host(m.TakeSeat())

    # --- what may happen ----------------------------------------------------------------------

    def somebody_does(self, actor: SeatId, command: Any) -> None:
        if actor == HOLDER:
            actor = LEAD if self.circle.turn is None else self.circle.turn.seat
        self._try(actor, command)

    def somebody_comes(self, as_facilitator: bool) -> None:
        self._try_host(m.TakeSeat(as_facilitator))

    def a_line_drops_or_is_back(self, seat: SeatId, back: bool, connected: bool) -> None:
        """connected: the media connection has held meanwhile."""
        self._try_host(m.ReturnToSeat(seat, connected) if back else m.LoseSeat(seat))

    def time_passes(self, by_ms: int) -> None:
        until = Millis(self.now + by_ms)
        for _ in range(300):
            due = wakes_at(self.circle)
            if due is None or due > until:
                break
            self._pass_until(max(self.now, due))
            assert self._tick(), "a tick that is due must do something"
        else:
            raise AssertionError("ticking does not come to rest")
        self._pass_until(until)

    def a_tick_comes_late(self, by_ms: int) -> None:
        due = wakes_at(self.circle)
        self.spoken_ms.clear()
        self.now = Millis(self.now + by_ms)
        events = self._tick()
        assert events or due is None or due > self.now

    def a_tick_comes_early(self) -> None:
        due = wakes_at(self.circle)
        if due is not None and due > self.now:
            assert not self._host(m.Tick())

    def the_server_dies_and_returns(self, outage_ms: int) -> None:
        """What was written down is the circle, up to what must not be written down."""
        alive_until, turn = self.now, self.circle.turn
        left = turn.clock.left(self.now) if turn else None
        replayed = self._replayed()
        self.now = Millis(self.now + outage_ms)
        self._host(m.Recover(alive_until))
        replayed = evolve(replayed, m.Interrupted(alive_until), self.now)
        # Filling a queue is not part of coming back, so the two must agree before and after.
        for event in self.last_events[1:]:
            replayed = evolve(replayed, event, self.now)
        assert replayed == self.circle == without_private(self.circle)
        self.circle = replayed
        if turn and self.circle.turn:
            assert self.circle.turn.clock.left(self.now) == left

    # --- what must always be true -------------------------------------------------------------

    def must_be_in_order(self) -> None:
        if self.circle is self.checked:
            return
        self.checked = self.circle
        self._nobody_is_heard_whom_the_rules_do_not_name()
        self._spaces_are_apart()
        self._one_screen_is_shown_by_who_may()
        self._clocks_run_when_they_should()
        self._lines_are_sound()
        self._the_circle_has_its_head()
        self.looks += 1
        if self.looks % LOOKED_AT == 0 or any(s.waiting for s in self.circle.seats.values()):
            self._everyone_sees_what_they_may()
        if self.circle.ended:
            self.must_be_written_down()
            self._open(self.seed + 1)

    def _nobody_is_heard_whom_the_rules_do_not_name(self) -> None:
        circle, phase, turn = self.circle, self.circle.phase, self.circle.turn
        all_gates = gates(circle)
        for seat in circle.seats.values():
            assert not seat.mic_on or may_be_heard(circle, seat.id)
        for seat_id, gate in all_gates.items():
            own = circle.seats[seat_id]
            alone = own.waiting or own.veiled
            assert not (alone or own.mic_held or own.stepped_out) or not gate.audio
            assert not (alone or own.camera_covered) or not gate.video
            # Nobody was switched on by somebody else.
            assert not gate.audio or (seat_id, "mic") in self.asked_for
            assert not gate.video or (seat_id, "camera") in self.asked_for
            in_quiet = any(seat_id in two for two in circle.quiet)
            if not gate.audio or in_quiet:
                continue
            assert not circle.ended and (circle.safe or not circle.paused)
            assert takes_turns(own) or circle.safe
            if circle.safe:
                assert has(own, Power.LEAD)
            elif gate.space != "main":
                step = step_of(circle, circle.spaces[gate.space])
                assert step.kind is StepKind.TOGETHER or step.speaker == seat_id
                assert not circle.holding
            elif phase.mode in FLOOR_MODES and phase.mics is Mics.HOLDER:
                assert turn is not None and turn.seat == seat_id
            else:
                assert phase.mode is not Mode.SILENCE

    def _one_screen_is_shown_by_who_may(self) -> None:
        circle = self.circle
        shown = [seat for seat, gate in gates(circle).items() if gate.screen]
        assert shown == ([] if circle.sharing is None or circle.ended else [circle.sharing])
        for seat_id in shown:
            own = circle.seats[seat_id]
            # Nobody's screen is shown by somebody else.
            assert (seat_id, "screen") in self.asked_for
            assert circle.screens and own.present and own.camera_covered is None
            assert not (own.waiting or own.veiled or own.stepped_out)
            assert not (circle.paused or circle.safe or circle.holding)
            assert circle.phase.mode not in (Mode.PAIRS, Mode.SILENCE)
            holds = circle.turn is not None and circle.turn.seat == seat_id
            assert holds or has(own, Power.LEAD)

    def _spaces_are_apart(self) -> None:
        """Whoever shares a space is meant to; nobody is in two."""
        circle, members = self.circle, dict[str, set[SeatId]]()
        for seat, gate in gates(circle).items():
            members.setdefault(gate.space, set()).add(seat)
        apart = [set(two) for two in circle.quiet]
        apart += [set(space.seats) for space in circle.spaces.values()]
        together = [people for name, people in members.items() if name != "main"]
        for people in together:
            assert len(people) == 1 or people in apart
        for people in apart:
            assert (
                people in together
                or circle.ended
                or any(circle.seats[s].stepped_out for s in people)
            )
        for seat_id, own in circle.seats.items():
            if (own.waiting or own.stepped_out) and not circle.ended:
                assert {seat_id} in together
        assert all(len(s.seats) in (2, 3) for s in circle.spaces.values())
        assert circle.phase.mode is Mode.PAIRS or not circle.spaces

    def _clocks_run_when_they_should(self) -> None:
        circle, turn, clock = self.circle, self.circle.turn, self.circle.phase_clock
        stands = circle.paused or circle.safe or circle.holding or circle.ended
        if turn is not None:
            here = circle.seats[turn.seat].present
            runs = not stands and not turn.held and turn.ready and here
            assert (turn.clock.since is not None) == runs
        somebody = any(s.present for s in circle.seats.values())
        if clock is not None:
            runs = not stands and not circle.phase_over and somebody
            assert (clock.since is not None) == runs
        assert not stands or all(s.clock.since is None for s in circle.spaces.values())
        led = any(has(s, Power.LEAD) and s.present and not s.waiting for s in circle.seats.values())
        assert not (led and circle.holding) and not (led and circle.unled_since)
        inside = any(s.present and not s.waiting for s in circle.seats.values())
        assert led or not inside or circle.unled_since is not None

    def _lines_are_sound(self) -> None:
        circle, turn, row = self.circle, self.circle.turn, self.circle.round
        assert (row is not None) == (circle.phase.mode in FLOOR_MODES)
        assert len(set(circle.hands)) == len(circle.hands) and len(circle.seats) <= CAPACITY
        assert all(takes_turns(circle.seats[s]) for s in (*circle.hands, *circle.owed))
        if turn is not None:
            assert takes_turns(circle.seats[turn.seat]) and row is not None
        if row is None:
            return
        waiting = [(p.seat, p.response) for p in row.waiting]
        assert all(takes_turns(circle.seats[seat]) for seat, _ in waiting)
        if circle.phase.mode is Mode.ROUND:
            # In a queue a person may have wanted several turns, which Back lets wait again.
            assert len(set(waiting)) == len(waiting)
            assert turn is None or (turn.seat, turn.response) not in waiting
        stands = circle.paused or circle.safe or circle.holding or circle.ended
        if turn is None and not circle.phase_over and not stands:
            # Nobody starves: the floor is empty only while it waits for a hand.
            assert next_place(circle, asked_for=False) is None
            by_hand = circle.phase.mode is Mode.QUEUE or circle.phase.order is Order.HAND
            assert by_hand or row.floor_open

    def _the_circle_has_its_head(self) -> None:
        inside = [s for s in self.circle.seats.values() if not s.waiting]
        heads = [s for s in self.circle.seats.values() if Role.FACILITATOR in s.roles]
        assert len(heads) <= 1 and not any(s.waiting for s in heads)
        assert heads or not any(Role.CO_FACILITATOR in s.roles for s in inside)

    def _everyone_sees_what_they_may(self) -> None:
        circle = self.circle
        for seat in circle.seats.values():
            view = view_for(circle, seat.id, self.now)
            notices = notices_for(circle, seat.id, self.last_events)
            if seat.waiting:
                alone = Circle(seats={seat.id: seat}, at=circle.at, ended=circle.ended)
                assert view == view_for(alone, seat.id, self.now)
                assert [s.id for s in view.seats] == [seat.id] and view.may == ()
                assert all(n.kind == "sent_to_wait" for n in notices)
                continue
            hidden = {s.id for s in circle.seats.values() if s.waiting}
            if not has(seat, Power.ADMIT):
                assert not hidden & {s.id for s in view.seats}
                about = {n.seat for n in notices if n.kind != "seat_apart"}
                assert not hidden & about
            assert not circle.ended or view.may == ()
            for other in view.seats:
                for command in (m.HoldMic, m.CoverCamera, m.Remove, m.MoveToWaiting):
                    allowed = is_allowed(circle, seat.id, command(other.id), self.now)
                    told = command.kind in other.may
                    assert told <= allowed and (told or command is not m.Remove or not allowed)

    def must_be_written_down(self) -> None:
        end = m.Interrupted(self.now)
        assert evolve(self._replayed(), end, self.now) == evolve(self.circle, end, self.now)

    # --- plumbing -----------------------------------------------------------------------------

    def _try(self, actor: SeatId, command: Any) -> None:
        circle = self.circle
        if hasattr(command, "turn"):
            command = replace(command, turn=circle.turns_given + command.turn)
        if hasattr(command, "after"):
            command = replace(command, after=circle.phase_number + command.after)
        allowed = is_allowed(circle, actor, command, self.now)
        try:
            events = decide(circle, actor, command, self.now)
        except Refused as refusal:
            assert not allowed and self.circle is circle
            assert actor not in circle.removed or refusal.code in (
                m.Code.REMOVED,
                m.Code.CIRCLE_ENDED,
            )
            return
        assert allowed
        if isinstance(command, m.SetMic | m.SetCamera) and command.on:
            kind = "mic" if isinstance(command, m.SetMic) else "camera"
            self.asked_for.add((actor, kind))
        if isinstance(command, m.StartShare):
            self.asked_for.add((actor, "screen"))
        if isinstance(command, m.Back):
            self._must_restore_time(events)
        moved = not isinstance(command, m.Back | m.GiveTurn | m.NameNext)
        self._apply(events, moved)

    def _must_restore_time(self, events: list[Event]) -> None:
        row = self.circle.round
        taken, started = events[0], events[1]
        assert row is not None and isinstance(taken, m.TurnTakenBack)
        assert isinstance(started, m.TurnStarted)
        last = [e for e in row.ended if e.seat == started.seat][-1]
        assert last is [e for e in row.ended if e.seat in self.circle.seats][-1] or not all(
            takes_turns(self.circle.seats[e.seat]) for e in row.ended if e.seat in self.circle.seats
        )
        assert started.given_ms == last.remaining_ms

    def _try_host(self, command: m.HostCommand) -> None:
        try:
            self._host(command)
        except Refused:
            return

    def _host(self, command: m.HostCommand) -> list[Event]:
        events = decide_host(self.circle, command, self.now)
        self._apply(events)
        return events

    def _tick(self) -> list[Event]:
        """Time alone ends a turn only if it is firm, or its holder is gone."""
        before = self.circle
        turn = before.turn
        if before.ended:
            return []
        events = self._host(m.Tick())
        ended = [e for e in events if isinstance(e, m.TurnEnded)]
        if ended and turn is not None:
            seat = before.seats[turn.seat]
            gone = seat.away_since is not None and self.now - seat.away_since >= DROP_MS
            used_up = turn.clock.left(self.now) <= -before.phase.grace_ms
            assert gone or (before.phase.timeout is Timeout.FIRM and used_up)
        left = [e for e in events if isinstance(e, m.SeatLeft)]
        for event in left:
            away_since = before.seats[event.seat].away_since
            assert away_since is not None and self.now - away_since >= AWAY_MS
        turn = self.circle.turn
        if turn is not None and turn.clock.since and self.circle.phase.timeout is Timeout.FIRM:
            assert turn.clock.left(self.now) > -self.circle.phase.grace_ms
        return events

    def _pass_until(self, until: Millis) -> None:
        """Count who could have been heard in pairs meanwhile."""
        for name, space in self.circle.spaces.items():
            spoken = self.spoken_ms.get(name)
            speaker = step_of(self.circle, space).speaker
            if spoken is not None and speaker is not None and space.clock.since is not None:
                spoken[speaker] = spoken.get(speaker, 0) + until - self.now
        self.now = until

    def _apply(self, events: list[Event], moved: bool = False) -> None:
        self.last_events = events
        for event in events:
            before = self.circle
            self.circle = evolve(before, event, self.now)
            self.log.append((self.now, event))
            self._follow(before, event, moved)
        # Whoever is off has to ask anew; what was asked before counts no longer.
        for seat, gate in gates(self.circle).items():
            if not gate.audio:
                self.asked_for.discard((seat, "mic"))
            if not gate.video:
                self.asked_for.discard((seat, "camera"))
            if not gate.screen:
                self.asked_for.discard((seat, "screen"))

    def _follow(self, before: Circle, event: Event, moved: bool) -> None:
        """Keep a second account of time, and compare."""
        turn = before.turn
        match event:
            case m.TurnEnded(remaining_ms=left):
                assert turn is not None and left == turn.clock.left(self.now)
                self._note_turn(before)
            case m.PhaseStarted(phase=phase, order=order):
                self._note_turn(before)
                self.had_floor = {}
                self.spoken_ms = {name: {} for name in self.circle.spaces}
                if phase.mode is Mode.ROUND and phase.order is Order.QUIET_FIRST:
                    free = [self.last_heard.get(s, -1) for s in order if s not in before.owed]
                    ran_out = before.round is not None and before.round.ran_out
                    assert ran_out or free == sorted(free)
            case m.PhaseSetAside() | m.PhaseTakenUp() | m.TurnTakenBack():
                self.had_floor = None
            case m.TurnStarted(number=number, seat=seat):
                assert number == before.turns_given + 1, "no number is used twice"
                if moved:
                    self._must_be_quietest(before, seat)
            case m.SeatReturned(seat=seat, connected=connected):
                old, new = before.seats[seat], self.circle.seats[seat]
                assert not (connected and old.present), "a second window begins with nothing on"
                assert new.mic_on == (old.mic_on and connected)
                assert new.camera_on == (old.camera_on and connected)
            case m.SeatLeft() | m.SeatRemoved() | m.SeatSentToWait() | m.RolesChanged():
                self.spoken_ms.clear()
            case m.PairLeft() | m.RoomMadeSafe():
                self.spoken_ms.clear()
            case m.PairNoticed(space=space, left_ms=left_ms) if left_ms is not None:
                assert left_ms == CALL_BACK_MS
                self.spoken_ms.pop(space, None)
            case m.PairEnded(space=space):
                spoken = self.spoken_ms.pop(space, None)
                if spoken is not None:
                    people = before.spaces[space].order
                    times = [spoken.get(s, 0) for s in people]
                    assert min(times) > 0 and max(times) - min(times) <= 1_000
            case _:
                pass

    def _note_turn(self, before: Circle) -> None:
        if before.turn is None:
            return
        seat = before.turn.seat
        if before.turn.heard:
            self.last_heard[seat] = self.now
        if self.had_floor is not None:
            self.had_floor.pop(seat, None)
            self.had_floor[seat] = len(self.had_floor)

    def _must_be_quietest(self, before: Circle, seat: SeatId) -> None:
        queue = before.round
        quiet_first = before.phase.order is Order.QUIET_FIRST and before.phase.mode is Mode.QUEUE
        if not quiet_first or self.had_floor is None or queue is None or seat not in before.hands:
            return
        had = list(self.had_floor)

        def heard(one: SeatId) -> tuple[int, int]:
            return (had.index(one) if one in had else -1, self.last_heard.get(one, -1))

        others = [h for h in before.hands if may_queue(before, h) and is_available(before, h)]
        assert heard(seat) == min(map(heard, others))

    def _empty(self) -> Circle:
        return Circle(at=START, seed=self.seed, screens=self.seed % 4 != 0)

    def _replayed(self) -> Circle:
        circle = self._empty()
        for at, event in self.log:
            if isinstance(event, JournalEvent):
                again = _journal.validate_json(_journal.dump_json(event))
                assert again == event
                circle = evolve(circle, again, at)
        return circle


# --- Walks ------------------------------------------------------------------------------------


def fault_of(seed: int, steps: Sequence[Step]) -> Exception | None:
    """What goes wrong when these steps are walked, if anything does."""
    try:
        circle = AnyCircle(seed)
        for does, members in steps:
            getattr(circle, does)(*members)
            circle.must_be_in_order()
        circle.must_be_written_down()
    except Exception as fault:
        return fault
    return None


def fewest(seed: int, steps: list[Step]) -> list[Step]:
    """Leave out what is not needed to fail."""
    size = len(steps) // 2
    while size:
        for start in range(len(steps) - size, -1, -size):
            without = steps[:start] + steps[start + size :]
            if fault_of(seed, without):
                steps = without
        size //= 2
    return steps


def walk(seed: int) -> None:
    chance = random.Random(seed)
    steps = [a_step(chance) for _ in range(STEPS_EACH)]
    if fault_of(seed, steps) is None:
        return
    if "PEERMEET_HURRIED" not in os.environ:
        steps = fewest(seed, steps)
    told = "\n".join(f"  {does}{members}" for does, members in steps)
    raise AssertionError(f"PEERMEET_SEED={seed} fails:\n{told}") from fault_of(seed, steps)


def test_in_any_circle_whatever_anybody_does_all_stays_in_order() -> None:
    if "PEERMEET_SEED" in os.environ:
        walk(int(os.environ["PEERMEET_SEED"]))
    for seed in range(STEPS // STEPS_EACH):
        walk(seed)
