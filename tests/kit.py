"""A circle on paper: people with names, a clock that moves when told, and the real rules.

    meeting = Meeting("fay*", "ana", "ben").round(turn_s=60)
    meeting.at(s=10).ana.does(PassTurn)
    assert meeting.holder == "ben"

A star marks the facilitators. The list goes as they came, unless a seed turns it round.
"""

from __future__ import annotations

from typing import Any

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, wakes_at
from peermeet.core.evolve import evolve
from peermeet.core.messages import Event, Refused
from peermeet.core.model import Circle, Millis, Mode, Phase, Role, SeatId, Sheet
from peermeet.core.notices import notices_for
from peermeet.core.powers import Power, has
from peermeet.core.project import View, gates, view_for

START = Millis(1_790_000_000_000)

ABOUT_A_TURN = (
    m.PassTurn,
    m.Later,
    m.PassToAnyone,
    m.NameNext,
    m.BeginTurn,
    m.WelcomeResponses,
    m.FirstNextRound,
    m.NextTurn,
    m.Back,
    m.GiveTurn,
    m.Extend,
    m.HoldClock,
    m.ReleaseClock,
    m.SignalGently,
)


class Person:
    def __init__(self, meeting: Meeting, name: str, seat: SeatId) -> None:
        self._meeting = meeting
        self.name = name
        self.seat = seat

    def does(self, command: type[Any], **members: Any) -> list[Event]:
        """Send a command; one about a turn means the newest, one about a phase the phase now.

        People are named by name: `fay.does(GiveTurn, seat="ana")`.
        """
        if command in ABOUT_A_TURN:
            members.setdefault("turn", self._meeting.circle.turns_given)
        if command in (m.OpenPhase, m.ReturnToPhase):
            members.setdefault("after", self._meeting.circle.phase_number)
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

    @property
    def view(self) -> View:
        return view_for(self._meeting.circle, self.seat, self._meeting.now)

    def notices(self, events: list[Event]) -> list[str]:
        """The kinds of what this person should notice of the events that just happened."""
        return [n.kind for n in notices_for(self._meeting.circle, self.seat, events)]

    def drops(self) -> None:
        self._meeting.host(m.LoseSeat(self.seat))

    def returns(self, connected: bool = False) -> None:
        """connected: only the line was lost, the media connection held."""
        self._meeting.host(m.ReturnToSeat(self.seat, connected))


class Meeting:
    def __init__(self, *names: str, seed: int = 0, screens: bool = False) -> None:
        self.now = START
        self.circle = Circle(at=START, seed=seed, screens=screens)
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

    def sheet(self, *phases: Phase) -> Meeting:
        """Take these phases for the run sheet, and open the first."""
        self.decide(self._lead(), m.UseSheet(Sheet("sheet", phases)))
        self.decide(self._lead(), m.OpenPhase(self.circle.phase_number, 0))
        return self

    def insert(self, *phases: Phase) -> list[Event]:
        """Set the phase aside and run these first."""
        return self.decide(self._lead(), m.InsertSheet(Sheet("insert", phases)))

    def insert_and_return(self, after_s: float) -> None:
        """A silence is inserted now and ended at `after_s`."""
        self.insert(Phase(Mode.SILENCE))
        self.at(s=after_s)
        self.decide(self._lead(), m.ReturnToPhase(self.circle.phase_number))

    def appoint(self, name: str, *roles: Role) -> Meeting:
        """Give somebody exactly these roles."""
        self.decide(self._lead(), m.SetRoles(self.seat(name), roles))
        return self

    def seat(self, name: str) -> SeatId:
        return self.people[name].seat if name in self.people else SeatId(name)

    def decide(self, actor: SeatId, command: m.Command | m.InnerCommand) -> list[Event]:
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
    def shown(self) -> set[str]:
        """Whose screens."""
        return {self.name(s) for s, gate in gates(self.circle).items() if gate.screen}

    @property
    def waiting(self) -> list[str]:
        assert self.circle.round is not None
        return [self.name(p.seat) for p in self.circle.round.waiting]

    def space(self, name: str) -> set[str]:
        """Everyone whom this person hears and is heard by, microphones permitting."""
        gate_of = gates(self.circle)
        own = gate_of[self.seat(name)].space
        return {self.name(s) for s, gate in gate_of.items() if gate.space == own}

    def _lead(self) -> SeatId:
        return next(s.id for s in self.circle.seats.values() if has(s, Power.LEAD))

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
