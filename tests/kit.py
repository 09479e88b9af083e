"""A circle on paper: people with names, a clock that moves when told, and the real rules.

    meeting = Meeting("fay*", "ana", "ben").round(turn_s=60)
    meeting.at(s=10).ana.does(PassTurn)
    assert meeting.holder == "ben"

A star marks the facilitator. Every step checks that replaying the events gives the same circle.
"""

from __future__ import annotations

from typing import Any

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, wakes_at
from peermeet.core.evolve import evolve
from peermeet.core.messages import Event, Refused
from peermeet.core.model import Circle, Millis, Mode, SeatId
from peermeet.core.project import gates

START = Millis(1_790_000_000_000)

ABOUT_A_TURN = (
    m.PassTurn,
    m.Later,
    m.NextTurn,
    m.Back,
    m.GiveTurn,
    m.Extend,
    m.HoldClock,
    m.ReleaseClock,
)


class Person:
    def __init__(self, meeting: Meeting, name: str, seat: SeatId) -> None:
        self._meeting = meeting
        self.name = name
        self.seat = seat

    def does(self, command: type[Any], **members: Any) -> list[Event]:
        """Send a command; a turn command is about the newest turn unless `turn` says else.

        People are named by name: `fay.does(GiveTurn, seat="ana")`.
        """
        if command in ABOUT_A_TURN:
            members.setdefault("turn", self._meeting.circle.turns_given)
        for member in ("seat", "first"):
            if isinstance(members.get(member), str):
                members[member] = self._meeting.seat(members[member])
        return self._meeting.decide(self.seat, command(**members))

    def is_refused(self, command: type[Any], **members: Any) -> str:
        """Send a command that must be refused, changing nothing; the code."""
        before = self._meeting.circle
        try:
            self.does(command, **members)
        except Refused as refusal:
            assert self._meeting.circle is before
            return str(refusal.code)
        raise AssertionError(f"{self.name}'s {command.__name__} was not refused")

    def speaks(self) -> list[Event]:
        """Switch one's own microphone on."""
        return self.does(m.SetMic, on=True)

    def drops(self) -> None:
        self._meeting.host(m.LoseSeat(self.seat))

    def returns(self) -> None:
        self._meeting.host(m.ReturnToSeat(self.seat))


class Meeting:
    def __init__(self, *names: str) -> None:
        self.now = START
        self.circle = Circle(at=START)
        self.people: dict[str, Person] = {}
        self.log: list[tuple[Millis, Event]] = []
        for name in names:
            self.joins(name)

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def joins(self, name: str) -> Person:
        events = self.host(m.TakeSeat(as_facilitator=name.endswith("*")))
        taken = events[0]
        assert isinstance(taken, m.SeatTaken)
        person = Person(self, name.rstrip("*"), taken.seat)
        self.people[person.name] = person
        return person

    def at(self, s: float) -> Meeting:
        """Move the clock to `s` seconds after the start, ticking whenever something is due."""
        until = Millis(START + int(s * 1000))
        assert until >= self.now, "time only goes forward"
        while (due := wakes_at(self.circle)) is not None and due <= until:
            self.now = max(self.now, due)
            if not self.host(m.Tick()):
                raise AssertionError("a tick that was due changed nothing")
        self.now = until
        return self

    def round(self, turn_s: int = 180, first: str | None = None, **members: Any) -> Meeting:
        seat = None if first is None else self.seat(first)
        command = m.StartPhase(Mode.ROUND, turn_ms=turn_s * 1000, first=seat, **members)
        self.decide(self._lead(), command)
        return self

    def phase(self, mode: Mode, **members: Any) -> Meeting:
        self.decide(self._lead(), m.StartPhase(mode, **members))
        return self

    def seat(self, name: str) -> SeatId:
        return self.people[name].seat if name in self.people else SeatId(name)

    def decide(self, actor: SeatId, command: m.Command) -> list[Event]:
        return self._apply(decide(self.circle, actor, command, self.now))

    def host(self, command: m.HostCommand) -> list[Event]:
        return self._apply(decide_host(self.circle, command, self.now))

    def restarts(self, alive_until_s: float, back_at_s: float) -> Meeting:
        """The server dies and comes back, and knows when it was last alive."""
        self.now = Millis(START + int(back_at_s * 1000))
        self.host(m.Recover(Millis(START + int(alive_until_s * 1000))))
        return self

    def name(self, seat: SeatId) -> str:
        return next((p.name for p in self.people.values() if p.seat == seat), seat)

    @property
    def holder(self) -> str | None:
        return None if self.circle.turn is None else self.name(self.circle.turn.seat)

    @property
    def left_s(self) -> float:
        assert self.circle.turn is not None
        return self.circle.turn.clock.left(self.now) / 1000

    @property
    def heard(self) -> set[str]:
        return {self.name(s) for s, gate in gates(self.circle).items() if gate.audio}

    @property
    def seen(self) -> set[str]:
        return {self.name(s) for s, gate in gates(self.circle).items() if gate.video}

    @property
    def waiting(self) -> list[str]:
        assert self.circle.round is not None
        return [self.name(p.seat) for p in self.circle.round.waiting]

    def _lead(self) -> SeatId:
        return next(s.id for s in self.circle.seats.values() if s.role != "member")

    def _apply(self, events: list[Event]) -> list[Event]:
        for event in events:
            self.circle = evolve(self.circle, event, self.now)
            self.log.append((self.now, event))
        return events

    def replayed(self) -> Circle:
        circle = Circle(at=START)
        for at, event in self.log:
            circle = evolve(circle, event, at)
        return circle
