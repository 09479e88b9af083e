"""Anybody sends anything at any time, and the circle stays in order.

`PEERMEET_STEPS` sets how many steps are tried (default about 5,000; `make property` runs 200,000).
"""

from __future__ import annotations

import os
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import TypeAdapter

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, wakes_at
from peermeet.core.evolve import evolve, may_be_heard
from peermeet.core.messages import Event, Refused
from peermeet.core.model import Circle, Millis, Mode, Role, SeatId, Timeout
from peermeet.core.project import gates, view_for

STEPS = int(os.environ.get("PEERMEET_STEPS", "5000"))
STEPS_EACH = 50
START = Millis(1_790_000_000_000)

_events: TypeAdapter[Event] = TypeAdapter(Event)

seats = st.sampled_from([SeatId(f"s{n}") for n in range(1, 8)])
turns = st.integers(-2, 1)  # relative to the newest turn number
flags = st.booleans()

OWN = st.one_of(
    st.builds(m.SetMic, flags),
    st.builds(m.SetMic, st.just(True)),
    st.builds(m.SetCamera, flags),
    st.just(m.RaiseHand()),
    st.builds(m.LowerHand, st.none() | seats),
    st.builds(m.PassTurn, turns),
    st.builds(m.Later, turns),
    st.just(m.Leave()),
)
LEADING = st.one_of(
    st.builds(m.NextTurn, turns),
    st.builds(m.Back, turns),
    st.builds(m.GiveTurn, turns, seats),
    st.builds(m.Extend, turns),
    st.builds(m.HoldClock, turns),
    st.builds(m.ReleaseClock, turns),
    st.builds(
        m.StartPhase,
        mode=st.sampled_from(Mode),
        turn_ms=st.sampled_from([10_000, 60_000, 180_000]),
        timeout=st.sampled_from(Timeout),
        length_ms=st.none() | st.just(30_000),
        first=st.none() | seats,
    ),
    st.builds(m.StartPhase, mode=st.just(Mode.ROUND), timeout=st.sampled_from(Timeout)),
    st.just(m.PauseCircle()),
    st.just(m.ResumeCircle()),
    st.builds(m.HoldMic, seats),
    st.builds(m.ReleaseMic, seats),
    st.builds(m.CoverCamera, seats),
    st.builds(m.UncoverCamera, seats),
    st.builds(m.Remove, seats),
    st.builds(m.SetRole, seats, st.sampled_from(Role)),
    st.just(m.CloseDoor()),
    st.just(m.OpenDoor()),
)


class AnyCircle(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.now = START
        self.circle = Circle(at=START)
        self.log: list[tuple[Millis, Event]] = []
        self.switched_on_by_self: set[tuple[SeatId, str]] = set()
        self._host(m.TakeSeat(as_facilitator=True))
        for _ in range(3):
            self._host(m.TakeSeat())

    @rule(actor=seats, command=OWN)
    def somebody_does(self, actor: SeatId, command: Any) -> None:
        self._try(actor, command)

    @rule(actor=seats, command=LEADING)
    def somebody_leads(self, actor: SeatId, command: Any) -> None:
        self._try(actor, command)

    @rule(command=LEADING)
    def the_facilitator_leads(self, command: Any) -> None:
        self._try(SeatId("s1"), command)

    @precondition(lambda self: self.circle.turn is not None)
    @rule(command=st.sampled_from([m.SetMic(True), m.PassTurn(0), m.Later(0)]))
    def the_holder_does(self, command: Any) -> None:
        assert self.circle.turn is not None
        self._try(self.circle.turn.seat, command)

    @rule(as_facilitator=flags)
    def somebody_comes(self, as_facilitator: bool) -> None:
        self._try_host(m.TakeSeat(as_facilitator))

    @rule(seat=seats)
    def a_line_drops(self, seat: SeatId) -> None:
        self._try_host(m.LoseSeat(seat))

    @rule(seat=seats)
    def a_line_is_back(self, seat: SeatId) -> None:
        self._try_host(m.ReturnToSeat(seat))

    @rule(by_ms=st.sampled_from([1, 900, 15_000, 40_000, 200_000]))
    def time_passes(self, by_ms: int) -> None:
        self.now = Millis(self.now + by_ms)
        for _ in range(200):
            due = wakes_at(self.circle)
            if due is None or due > self.now:
                break
            assert self._host(m.Tick()), "a tick that is due must do something"
        else:
            raise AssertionError("ticking does not come to rest")

    @rule()
    def a_tick_comes_early(self) -> None:
        due = wakes_at(self.circle)
        if due is not None and due > self.now:
            before = self.circle
            self._try_host(m.Tick())
            assert self.circle == before

    @rule(outage_ms=st.sampled_from([0, 300, 5_000, 60_000]))
    def the_server_dies_and_returns(self, outage_ms: int) -> None:
        alive_until, turn = self.now, self.circle.turn
        left = turn.clock.left(self.now) if turn else None
        self.now = Millis(self.now + outage_ms)
        self._try_host(m.Recover(alive_until))
        if turn and self.circle.turn and not self.circle.ended:
            assert self.circle.turn.clock.left(self.now) == left

    # --- what must always be true -------------------------------------------------------------

    @invariant()
    def only_the_holder_is_heard_in_a_round(self) -> None:
        heard = {seat for seat, gate in gates(self.circle).items() if gate.audio}
        if self.circle.phase.mode is Mode.ROUND:
            holder = {self.circle.turn.seat} if self.circle.turn else set()
            assert heard <= holder
        if self.circle.phase.mode is Mode.SILENCE or self.circle.paused or self.circle.ended:
            assert not heard

    @invariant()
    def a_gate_is_open_only_for_whom_the_rules_name(self) -> None:
        for seat, gate in gates(self.circle).items():
            state = self.circle.seats[seat]
            assert not gate.audio or (may_be_heard(self.circle, seat) and not state.mic_held)
            assert not gate.video or not state.camera_covered
            # Nobody was switched on by somebody else.
            assert not gate.audio or (seat, "mic") in self.switched_on_by_self
            assert not gate.video or (seat, "camera") in self.switched_on_by_self

    @invariant()
    def a_microphone_without_permission_is_off(self) -> None:
        for seat in self.circle.seats.values():
            assert not seat.mic_on or may_be_heard(self.circle, seat.id)

    @invariant()
    def the_floor_belongs_to_somebody_in_the_circle(self) -> None:
        turn, order = self.circle.turn, self.circle.round
        assert (order is not None) == (self.circle.phase.mode is Mode.ROUND)
        if turn is not None:
            assert turn.seat in self.circle.seats
            runs = (
                not (self.circle.paused or turn.held or self.circle.ended)
                and self.circle.seats[turn.seat].present
            )
            assert (turn.clock.since is not None) == runs
        if order is not None:
            waiting = [p.seat for p in order.waiting]
            assert len(set(waiting)) == len(waiting)
            assert set(waiting) <= set(self.circle.seats)
            assert turn is None or turn.seat not in waiting

    @invariant()
    def a_round_goes_on_while_somebody_present_waits(self) -> None:
        """Nobody starves: without a holder, either nobody waits or somebody came back late."""
        order = self.circle.round
        if order is not None and self.circle.turn is None:
            assert self.circle.phase_over

    @invariant()
    def a_circle_with_co_facilitators_has_a_facilitator(self) -> None:
        roles = [s.role for s in self.circle.seats.values()]
        assert roles.count(Role.FACILITATOR) <= 1
        if Role.CO_FACILITATOR in roles:
            assert Role.FACILITATOR in roles

    @invariant()
    def every_seat_has_a_view(self) -> None:
        for seat in self.circle.seats:
            view = view_for(self.circle, seat, self.now)
            assert not self.circle.ended or view.may == ()
            for other in view.seats:
                for command in (m.HoldMic, m.CoverCamera, m.Remove, m.LowerHand):
                    told = command.kind in other.may
                    assert not told or self._is_allowed(seat, command(other.id))
                    if not told and command is m.Remove:
                        assert not self._is_allowed(seat, command(other.id))

    def teardown(self) -> None:
        replayed = Circle(at=START)
        for at, event in self.log:
            again = _events.validate_json(_events.dump_json(event))
            assert again == event
            replayed = evolve(replayed, again, at)
        assert replayed == self.circle

    # --- plumbing -----------------------------------------------------------------------------

    def _try(self, actor: SeatId, command: Any) -> None:
        if hasattr(command, "turn"):
            command = type(command)(
                **{**command.__dict__, "turn": self.circle.turns_given + command.turn}
            )
        before = self.circle
        try:
            events = decide(self.circle, actor, command, self.now)
        except Refused:
            assert self.circle is before
            return
        self._apply(events)
        if isinstance(command, m.SetMic | m.SetCamera) and command.on:
            kind = "mic" if isinstance(command, m.SetMic) else "camera"
            self.switched_on_by_self.add((actor, kind))

    def _is_allowed(self, actor: SeatId, command: m.Command) -> bool:
        try:
            decide(self.circle, actor, command, self.now)
        except Refused:
            return False
        return True

    def _try_host(self, command: m.HostCommand) -> None:
        try:
            self._host(command)
        except Refused:
            return

    def _host(self, command: m.HostCommand) -> list[Event]:
        events = decide_host(self.circle, command, self.now)
        self._apply(events)
        return events

    def _apply(self, events: list[Event]) -> None:
        for event in events:
            self.circle = evolve(self.circle, event, self.now)
            self.log.append((self.now, event))
        # Whoever is off has to ask anew; what was asked before counts no longer.
        for seat, gate in gates(self.circle).items():
            if not gate.audio:
                self.switched_on_by_self.discard((seat, "mic"))
            if not gate.video:
                self.switched_on_by_self.discard((seat, "camera"))


AnyCircle.TestCase.settings = settings(
    max_examples=max(1, STEPS // STEPS_EACH),
    stateful_step_count=STEPS_EACH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAnyCircle = AnyCircle.TestCase
