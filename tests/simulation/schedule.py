"""One schedule: some people, one circle, and a server that has a bad day.

Everything that happens follows from the seed. What is checked, after each step and at the end:
the gates the media worker was told; that nobody was switched on by somebody else; that what was
acknowledged is written; that one turn ends once; that views only go forward; that a crash loses
nothing but what is private; that nothing hangs and nothing is left.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from random import Random
from typing import Any, cast, get_args
from unittest.mock import patch

from peermeet.core import messages as m
from peermeet.core.evolve import evolve, without_private
from peermeet.core.messages import JournalEvent, Refused
from peermeet.core.model import Circle, Clock, Gate, Millis, SeatId
from peermeet.core.powers import Power, has
from peermeet.core.project import gates as gates_of
from peermeet.hosting import host, runner
from peermeet.hosting.runner import Busy, Outcome, replay
from peermeet.protocol import Profile
from tests.simulation.floor import wrongs
from tests.simulation.journal import CIRCLE, Book
from tests.simulation.loop import VirtualLoop
from tests.simulation.person import Glance, Line, Person, known
from tests.simulation.process import START, Process
from tests.simulation.samples import BY_KIND, COMMANDS, MEMBERS, Sent, sample

STEPS = 20
CLOSELY = 0.005
"""The share of schedules in which every view is worked out whole, which is slow."""
PATIENCE_S = 600.0
"""Of virtual time, for everything that was begun to come to its end."""

RARE = frozenset({m.EndCircle, m.Leave, m.Remove, m.SafeRoom, m.CloseDoor})
ABOUT_A_TURN = tuple(c for c in COMMANDS if any(name == "turn" for name, _ in MEMBERS[c]))
SWITCHES = {m.SetMic: "mic", m.SetCamera: "camera", m.StartShare: "screen"}
KEPT = get_args(JournalEvent)
PROFILE = Profile("Ana", "teal")


class Broken(AssertionError):
    """Something happened that must never happen."""


class Schedule:
    def __init__(self, seed: int) -> None:
        self.trace: list[str] = []
        """What happened, in order; kept only if asked for."""
        self._chance = Random(seed)
        self._loop = VirtualLoop(self._chance, fair=self._chance.random() < 0.5)
        self._breaks: list[str] = []
        self._book = Book(START, self._breaks.append)
        self._people = [Person(PROFILE, leads=n < 2) for n in range(self._chance.randint(3, 6))]
        self._errands: set[asyncio.Task[None]] = set()
        self._gates: Mapping[str, Gate] = {}
        self._asking: Counter[tuple[SeatId, str]] = Counter()
        self._unsure: set[tuple[SeatId, str]] = set()
        self._opened: Counter[int] = Counter()
        self._process = self._new_process()
        self._traces = False
        self._closely = self._chance.random() < CLOSELY

    def run(self, traces: bool = False) -> None:
        """Raises Broken, or whatever the server itself raised."""
        self._traces = traces
        with _stand_ins(self._breaks, self._glance):
            try:
                self._loop.run(self._happen())
            finally:
                self._loop.close()
        self._breaks += self._loop.faults
        self._stop_if_broken()

    # --- from beginning to end ----------------------------------------------------------------

    async def _happen(self) -> None:
        await self._process.start()
        for person in self._people:
            self._begin(person, self._sit_down(person))
        self._process.journal.trouble = self._chance.choice((0.0, 0.0, 0.0, 0.3))
        for _ in range(STEPS):
            await self._let_time_pass()
            self._check()
            if self._book.deleted:
                break
            await self._do_something()
        await self._come_to_rest()

    async def _let_time_pass(self) -> None:
        kind = self._chance.random()
        if kind < 0.35:
            await asyncio.sleep(0)
        elif kind < 0.8:
            await asyncio.sleep(self._chance.choice((0.001, 0.02, 0.3)))
        elif kind < 0.97:
            await asyncio.sleep(self._chance.choice((3.0, 15.0, 31.0, 70.0)))
        else:
            await asyncio.sleep(self._chance.choice((200.0, 1_000.0)))

    async def _do_something(self) -> None:
        kind = self._chance.random()
        if kind < 0.72:
            self._somebody_sends()
        elif kind < 0.79:
            self._two_press_next()
        elif kind < 0.84:
            self._a_line_drops()
        elif kind < 0.93:
            self._somebody_returns()
        elif kind < 0.95:
            self._something_at_the_edge()
        elif kind < 0.98:
            await self._restart(crash=self._chance.random() < 0.7)
        else:
            self._process.journal.trouble = self._chance.choice((0.0, 0.2, 1.0))

    async def _come_to_rest(self) -> None:
        self._process.journal.trouble = 0.0
        self._note("the end")
        if self._errands:
            _, hanging = await asyncio.wait(self._errands, timeout=PATIENCE_S)
            if hanging:
                raise Broken(f"never answered: {[task.get_name() for task in hanging]}")
        await asyncio.sleep(1)
        self._check()
        await self._restart(crash=False, again=False)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            raise Broken(f"tasks left: {left}")
        for person in self._people:
            if person.line is not None and person.line.open:
                raise Broken(f"{person.seat} was not told goodbye")

    # --- what people do -----------------------------------------------------------------------

    def _somebody_sends(self) -> None:
        person = self._chance.choice(self._people)
        screen = person.shown
        if screen is None or person.seat is None:
            return
        command = self._wish(person.seat, screen)
        copies = 2 if self._chance.random() < 0.1 else 1
        for _ in range(copies):
            self._send(person, command, self._chance.choice((0.0, 0.0, 0.0, 0.002, 0.1, 4.0)))

    def _wish(self, seat: SeatId, screen: Glance) -> Sent:
        kind, circle = self._chance.random(), screen.circle
        own = circle.seats.get(seat)
        if kind < 0.3:
            return m.SetMic(True) if self._chance.random() < 0.8 else m.SetCamera(True)
        if kind < 0.34:
            return self._offered(screen)
        leads = own is not None and has(own, Power.LEAD)
        floor = leads or (circle.turn is not None and circle.turn.seat == seat)
        if kind < 0.6 and floor and circle.turn is not None:
            return sample(self._chance.choice(ABOUT_A_TURN), self._chance, known(screen))
        if kind < 0.75 and leads and circle.turn is None:
            return sample(
                self._chance.choice((m.StartPhase, m.OpenPhase)), self._chance, known(screen)
            )
        command = self._chance.choice(COMMANDS)
        while command in RARE and self._chance.random() < 0.8:
            command = self._chance.choice(COMMANDS)
        return sample(command, self._chance, known(screen))

    def _offered(self, screen: Glance) -> Sent:
        """One of the commands the view says are allowed; they name what is on the screen."""
        view = screen.whole()
        offers: list[tuple[str, dict[str, Any]]] = [(kind, {}) for kind in view.may]
        offers += [(kind, {"seat": seat.id}) for seat in view.seats for kind in seat.may]
        kind, given = self._chance.choice(offers or [("raise_hand", {})])
        numbers = {"turn": view.turns_given, "after": view.phase.number}
        return sample(BY_KIND[kind], self._chance, known(screen), **given, **numbers)

    def _two_press_next(self) -> None:
        screens = [(p, p.shown) for p in self._people if p.leads and p.shown is not None]
        for person, screen in screens:
            assert screen is not None
            self._send(person, m.NextTurn(screen.circle.turns_given), 0.0)

    def _send(self, person: Person, command: Sent, delay_s: float) -> None:
        assert person.seat is not None and person.line is not None
        task = self._go(self._deliver(person.seat, person.line, command, delay_s))
        person.sending.append(task)
        task.add_done_callback(person.sending.remove)

    async def _deliver(self, seat: SeatId, line: Line, command: Sent, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        process, circle = self._process, self._process.runner
        if circle is None:
            return
        wish = None
        if type(command) in SWITCHES and getattr(command, "on", True):
            wish = seat, SWITCHES[type(command)]
            self._asking[wish] += 1
        try:
            outcome = await circle.ask(seat, command)
        except Refused as refusal:
            self._note("%s %s is refused: %s", seat, command, refusal.code)
            if process.dead and wish is not None:
                self._unsure.add(wish)
        except (Busy, asyncio.CancelledError) as away:
            self._note("%s %s %s", seat, command, type(away).__name__)
            if wish is not None:
                self._unsure.add(wish)
            if isinstance(away, asyncio.CancelledError):
                raise
        else:
            if not process.dead:
                self._note("%s %s is done: %s", seat, command, outcome.events)
                self._check_done(seat, line, command, outcome)
            elif wish is not None:
                self._unsure.add(wish)
        finally:
            if wish is not None:
                self._asking[wish] -= 1

    def _a_line_drops(self) -> None:
        there = [p for p in self._people if p.line is not None and not p.busy]
        if not there:
            return
        person = self._chance.choice(there)
        line, person.line = person.line, None
        circle = self._process.runner
        self._note("the line of %s drops", person.seat)
        assert line is not None
        line.dropped = True
        if self._chance.random() < 0.5:  # else it arrived while they were leaving
            for task in person.sending:
                task.cancel()
        if line.process.dead or circle is None or person.seat is None:
            return
        self._go(self._detach(person, person.seat, line, circle, person.tries))

    async def _detach(
        self, person: Person, seat: SeatId, line: Line, circle: runner.Runner, tries: int
    ) -> None:
        await circle.detach(seat, line)
        over = line.process.ending or line.process.dead or circle.circle.ended
        if over or person.tries != tries:
            return
        if seat in circle.circle.seats and circle.circle.seats[seat].present:
            self._breaks.append(f"{seat} is taken for present, and has no line")

    def _somebody_returns(self) -> None:
        away = [p for p in self._people if p.shown is None and not p.busy]
        # Some come back before the server has noticed that they were gone.
        if not away and self._chance.random() < 0.3:
            away = [p for p in self._people if not p.busy]
        if away:
            person = self._chance.choice(away)
            self._begin(person, self._return(person) if person.seat else self._sit_down(person))

    def _begin(self, person: Person, errand: Coroutine[Any, Any, None]) -> None:
        """One errand at a time, from this moment on and not from when its task first runs: else
        somebody sits down on two chairs."""
        person.busy = True
        self._go(errand).add_done_callback(lambda _: setattr(person, "busy", False))

    def _something_at_the_edge(self) -> None:
        """What changes no rule, and must not disturb one."""
        person, circle = self._chance.choice(self._people), self._process.runner
        if self._chance.random() < 0.3:
            self._process.host.media_restarted([CIRCLE])
        if circle is not None and person.seat is not None:
            state = self._chance.choice(("connected", "connected", "left", "gone"))
            self._process.host.media_changed(CIRCLE, person.seat, state)
            circle.change_profile(person.seat, person.profile)
            circle.set_streams(person.seat, {"1": person.seat})

    async def _sit_down(self, person: Person) -> None:
        process, circle = self._process, self._process.runner
        if circle is None:
            return
        try:
            outcome = await circle.ask(None, m.TakeSeat(person.leads))
            if process.dead:
                return
            self._note("%s for a newcomer", outcome.events)
            self._check_written(outcome)
            person.seat = cast(m.SeatTaken, outcome.events[0]).seat
            person.line = Line(process, self._breaks.append)
            circle.attach(person.seat, person.line, person.profile)
        except (Refused, Busy):
            return

    async def _return(self, person: Person) -> None:
        process, circle, seat = self._process, self._process.runner, person.seat
        if circle is None or seat is None:
            return
        person.tries += 1
        try:
            await circle.come_back(seat)
            if process.dead:
                return
            self._note("%s is back", seat)
            person.line = Line(process, self._breaks.append)
            circle.attach(seat, person.line, person.profile, returning=True)
        except Refused:
            if not process.dead:
                person.seat = person.line = None
        except Busy:
            return

    # --- the server's bad days ----------------------------------------------------------------

    def _new_process(self) -> Process:
        seats = [p.seat for p in self._people if p.seat is not None]
        connected = [seat for seat in seats if self._chance.random() < 0.5]
        return Process(self._book, self._loop, self._chance, self._applied, connected)

    async def _restart(self, crash: bool, again: bool = True) -> None:
        """End this process, see what is left of the circle, and let another one take over."""
        old, circle = self._process, self._process.runner
        self._note("the server dies" if crash else "the server is stopped")
        if not crash:
            await old.stop()
        at, before = old.clock.now(), None
        # The end of a circle is another matter than the end of a server.
        if circle is not None and not circle.circle.ended:
            before, seq = circle.circle, circle._seq
        await old.crash()
        self._unsure.update(wish for wish, count in self._asking.items() if count)
        if before is not None:
            before = self._check_survival(before, seq)
        if not again:
            return
        self._book.alive_at = max(at, self._book.alive_at)
        await asyncio.sleep(self._chance.choice((0.0, 0.4, 20.0, 300.0)))
        self._process = self._new_process()
        await self._process.start()
        self._note("the server is back")
        after = self._process.runner
        if before is not None and after is not None:
            self._check_clocks(before, at, after.circle)

    # --- what must be true --------------------------------------------------------------------

    def _applied(self, process: Process, circle: Circle, gates: Mapping[str, Gate]) -> None:
        """The media worker was told of these gates."""
        if process is not self._process:
            self._breaks.append("two servers at once")
        self._breaks += wrongs(circle, gates)
        for name, gate in gates.items():
            seat, before = SeatId(name), self._gates.get(name)
            moved = before is not None and before.space != gate.space
            was_heard = before is not None and before.audio and not moved
            was_seen = before is not None and before.video
            if gate.audio and not was_heard:
                self._check_consent(seat, "mic")
            if gate.video and not was_seen:
                self._check_consent(seat, "camera")
            if gate.screen and not (before is not None and before.screen):
                self._check_consent(seat, "screen")
        self._gates = gates

    def _check_consent(self, seat: SeatId, kind: str) -> None:
        if not self._asking[seat, kind] and (seat, kind) not in self._unsure:
            self._breaks.append(f"the {kind} of {seat} was opened by somebody else")

    def _check(self) -> None:
        """Between two steps the gates are those of the value, and nothing has gone wrong."""
        self._stop_if_broken()
        circle = self._process.runner
        if circle is not None and not circle.circle.ended:
            if dict(self._process.gates) != gates_of(circle.circle):
                raise Broken("the media worker has other gates than the circle")

    def _stop_if_broken(self) -> None:
        if self._breaks:
            raise Broken("; ".join(self._breaks))

    def _check_written(self, outcome: Outcome) -> None:
        for event in outcome.events:
            if isinstance(event, KEPT) and not self._book.holds(event):
                self._breaks.append(f"done, and not written: {event}")

    def _check_done(self, seat: SeatId, line: Line, command: Sent, outcome: Outcome) -> None:
        self._check_written(outcome)
        circle = self._process.runner
        sits = circle is not None and seat in circle.circle.seats
        if sits and line.open and not line.dropped and line.seq < outcome.seq:
            self._breaks.append(f"view {outcome.seq} was promised, {line.seq} was shown")
        turn, after = getattr(command, "turn", None), getattr(command, "after", None)
        ended = [event.number for event in outcome.events if isinstance(event, m.TurnEnded)]
        if turn is not None and ended not in ([], [turn]):
            self._breaks.append(f"{command} ended the turns {ended}")
        if after is not None and outcome.events:
            self._opened[after] += 1
            if self._opened[after] > 1:
                self._breaks.append(f"phase {after} was followed twice")

    def _check_survival(self, before: Circle, seq: int) -> Circle:
        """What the dead process knew, and what it wrote without knowing, is what is found."""
        kept = without_private(before)
        for at, event in self._book.events[seq:]:
            # What landed late meets a circle without private matters, now and in any replay.
            kept, before = evolve(kept, event, at), evolve(before, event, at)
        found = replay(self._book.stored(), screens=True)
        at = max(found.at, before.at)
        apart = {seat for two in before.quiet for seat in two}
        found = _standing(found, at, apart)
        expected = _standing(without_private(kept), at, apart)
        if found != expected:
            raise Broken(f"lost in the crash: {_difference(expected, found)}")
        return before

    def _check_clocks(self, before: Circle, at: Millis, after: Circle) -> None:
        """The outage is nobody's speaking time."""
        now = self._process.clock.now()
        if before.turn and after.turn and before.turn.number == after.turn.number:
            left, found = before.turn.clock.left(at), after.turn.clock.left(now)
            if left != found:
                self._breaks.append(f"{left} ms were left of a turn, then {found} ms")

    def _glance(self, circle: Circle, viewer: SeatId, now: Millis) -> Glance:
        glance = Glance(circle, viewer, now)
        if self._closely:
            glance.whole()
        return glance

    # --- plumbing -----------------------------------------------------------------------------

    def _go(self, errand: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        return task

    def _note(self, what: str, *about: object) -> None:
        if self._traces:
            self.trace.append(f"{self._loop.time():10.3f} {what % about}")


def _standing(circle: Circle, at: Millis, apart: set[SeatId]) -> Circle:
    """The same circle with every clock read at `at`: how it is kept is nobody's business.

    apart: in quiet spaces, whose devices are theirs alone.
    """

    def read(clock: Clock) -> Clock:
        return clock.set_running(clock.since is not None, at)

    turn = circle.turn
    return replace(
        circle,
        at=at,
        seats={
            s.id: replace(s, mic_on=False, camera_on=False) if s.id in apart else s
            for s in circle.seats.values()
        },
        turn=turn and replace(turn, clock=read(turn.clock)),
        phase_clock=circle.phase_clock and read(circle.phase_clock),
        spaces={n: replace(s, clock=read(s.clock)) for n, s in circle.spaces.items()},
    )


def _difference(expected: Any, found: Any) -> str:
    """Only what differs, member by member."""
    if isinstance(expected, Mapping) and expected.keys() == found.keys():
        pairs = [(str(key), expected[key], found[key]) for key in expected]
    elif is_dataclass(expected) and type(expected) is type(found):
        names = [field.name for field in fields(expected)]
        pairs = [(name, getattr(expected, name), getattr(found, name)) for name in names]
    else:
        return f"{expected!r} became {found!r}"
    return ", ".join(f"{name}.{_difference(old, new)}" for name, old, new in pairs if old != new)


class _Listening(logging.Handler):
    """A fault that the runner has survived is a fault all the same."""

    def __init__(self, breaks: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._breaks = breaks

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._breaks.append(f"{record.getMessage()}: {error!r}")


@contextmanager
def _stand_ins(
    breaks: list[str], glance: Callable[[Circle, SeatId, Millis], Glance]
) -> Iterator[None]:
    """Views at a glance; no beat, as the book is told when the server died; a listening log."""
    log, listening = logging.getLogger("peermeet.hosting"), _Listening(breaks)
    level = log.level
    log.addHandler(listening)
    log.setLevel(logging.ERROR)
    try:
        with patch.object(runner, "view_for", glance), patch.object(host, "BEAT_S", 1e9):
            yield
    finally:
        log.removeHandler(listening)
        log.setLevel(level)
