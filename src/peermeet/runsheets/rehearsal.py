"""A run sheet on paper: the real rules, a clock that moves when told, and simple people.

They speak for the whole of their turn, raise hands where hands are the line, and read their
lines. Whoever facilitates opens the next phase when one is over. The same sheet, number of people
and seed always go the same way. Nothing here decides who may be heard: core/ does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, wakes_at
from peermeet.core.evolve import evolve
from peermeet.core.fit import HAND_OVER_MS
from peermeet.core.floor import line
from peermeet.core.hearing import is_available, is_eligible, may_be_heard, pair_of
from peermeet.core.model import Circle, CrossTalk, Millis, Mode, Order, SeatId, Turn, Who
from peermeet.core.project import gates
from peermeet.core.runsheet import RunSheet

NAMES = (
    *("Fay", "Ana", "Ben", "Cleo", "Dev", "Eli", "Gus", "Hana"),
    *("Ivo", "Jo", "Kim", "Lea", "Max", "Noor", "Ola", "Pia"),
)
"""Who rehearses, in the order of arrival; Fay facilitates."""

UNPLANNED_MS = 5 * 60_000
"""How long a phase lasts to which the sheet gives no length."""

REACT_MS = 5_000
"""How soon the facilitator sees that something is to be done."""

WORD_MS, LINE_MS = 450, 3_000
"""How long a word takes to be read aloud, and the least for a line."""

STEPS = 50_000
"""No rehearsal takes as many; one that does would never end."""


@dataclass(frozen=True)
class Stretch:
    """From one moment to another, in ms from the start, the same people are heard.

    phase: its index in the sheet. heard: who is, each space for itself; listen: who else is
    there, in the same order. Apart from pairs there is one space.
    """

    begins_ms: int
    ends_ms: int
    phase: int
    heard: tuple[tuple[str, ...], ...]
    listen: tuple[tuple[str, ...], ...]


def rehearse(sheet: RunSheet, people: int, seed: int = 0) -> tuple[Stretch, ...]:
    """Hold the whole meeting. people: 2 to 16. Optional phases are held too."""
    return tuple(_Rehearsal(sheet, people, seed).hold())


Wish = tuple[int, SeatId | None, m.Command | m.InnerCommand | m.HostCommand]
"""When somebody would do something: a moment, who (None = time itself), and what."""


class _Rehearsal:
    def __init__(self, sheet: RunSheet, people: int, seed: int) -> None:
        self._sheet = sheet
        self._chance = Random(seed)
        self._now = Millis(0)
        self._circle = Circle(seed=self._chance.getrandbits(32))
        self._names: dict[SeatId, str] = {}
        self._phase_began = 0
        self._over_at = 0
        self._hands: list[tuple[int, SeatId]] = []
        self._speaker: SeatId | None = None
        self._answerer: SeatId | None = None
        self._spoke_from = 0
        for name in NAMES[:people]:
            self._do(None, m.TakeSeat(as_facilitator=name == NAMES[0]))
            self._names[SeatId(f"s{len(self._names) + 1}")] = name
        self._lead = next(iter(self._names))
        self._do(self._lead, m.UseSheet(sheet.rules))

    def hold(self) -> Iterator[Stretch]:
        self._open(0)
        begins, before = 0, self._scene()
        for _ in range(STEPS):
            at, actor, command = min(self._wishes(), key=lambda wish: wish[0])
            self._now = Millis(max(self._now, at))
            self._do(actor, command)
            scene = self._scene()
            if scene != before:
                if self._now > begins:
                    yield Stretch(begins, self._now, *before)
                begins, before = self._now, scene
            if self._circle.ended:
                return
        raise AssertionError("the rehearsal does not end")

    def _do(
        self, actor: SeatId | None, command: m.Command | m.InnerCommand | m.HostCommand
    ) -> None:
        if isinstance(command, m.HostCommand):
            events = decide_host(self._circle, command, self._now)
        else:
            assert actor is not None
            events = decide(self._circle, actor, command, self._now)
        for event in events:
            self._circle = evolve(self._circle, event, self._now)
            self._note(event)
        assert events, command

    def _open(self, index: int) -> None:
        self._do(self._lead, m.OpenPhase(after=self._circle.phase_number, index=index))

    def _scene(self) -> tuple[int, tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
        heard: dict[str, list[str]] = {}
        silent: dict[str, list[str]] = {}
        for seat, gate in gates(self._circle).items():
            heard.setdefault(gate.space, [])
            silent.setdefault(gate.space, [])
            (heard if gate.audio else silent)[gate.space].append(self._names[seat])
        return (
            self._circle.index or 0,
            tuple(tuple(names) for names in heard.values()),
            tuple(tuple(names) for names in silent.values()),
        )

    # --- What people remember -------------------------------------------------------------------

    def _note(self, event: m.Event) -> None:
        match event:
            case m.PhaseStarted():
                self._phase_began = self._now
                self._plan_hands()
                self._speaker = self._chance.choice([s for s in self._names if s != self._lead])
            case m.PhaseCompleted():
                self._over_at = self._now
            case m.TurnStarted(seat=holder):
                others = [s for s in self._names if s != holder]
                self._answerer = self._chance.choice([None, self._chance.choice(others)])
            case m.MicSwitched(on=True):
                self._spoke_from = self._now
            case _:
                pass

    def _plan_hands(self) -> None:
        """Most people want to say something, some of them twice where people talk together."""
        phase, chance = self._circle.phase, self._chance
        self._hands = []
        if phase.mode is Mode.QUEUE and phase.who is not Who.SPEAKER:
            length = phase.length_ms or UNPLANNED_MS
            for seat in self._names:
                if chance.random() < 0.8:
                    self._hands.append((chance.randrange(length // 2), seat))
                if phase.crosstalk is CrossTalk.OPEN and not phase.once and chance.random() < 0.5:
                    self._hands.append((length // 2 + chance.randrange(length // 3), seat))
        elif phase.order is Order.HAND and phase.mode in (Mode.ROUND, Mode.READ):
            self._hands = [(chance.randrange(6 * REACT_MS), seat) for seat in self._names]
        self._hands = sorted((self._phase_began + at, seat) for at, seat in self._hands)

    # --- What they wish to do next --------------------------------------------------------------

    def _wishes(self) -> Iterator[Wish]:
        due = wakes_at(self._circle)
        if due is not None:
            yield due, None, m.Tick()
        yield from self._wishes_to_speak()
        if self._circle.turn is not None:
            yield from self._wishes_of_holder(self._circle.turn)
        yield from self._wishes_with_hands()
        yield from self._wishes_of_facilitator()

    def _wishes_to_speak(self) -> Iterator[Wish]:
        circle, turn = self._circle, self._circle.turn
        for seat in self._names:
            free = circle.phase.mode is Mode.TALK or pair_of(circle, seat) is not None
            holds = turn is not None and turn.seat == seat
            if free and not circle.seats[seat].mic_on and may_be_heard(circle, seat):
                yield self._now, seat, m.SetMic(on=True)
            elif not free and not holds and circle.seats[seat].mic_on:
                yield self._now, seat, m.SetMic(on=False)

    def _wishes_of_holder(self, turn: Turn) -> Iterator[Wish]:
        circle, phase, holder = self._circle, self._circle.phase, turn.seat
        if not circle.seats[holder].mic_on:
            yield turn.started_at + min(phase.gather_ms, HAND_OVER_MS), holder, m.SetMic(on=True)
            return
        invites = phase.crosstalk is CrossTalk.INVITED and not turn.response
        if invites and self._answerer is not None:
            if not turn.welcomes:
                yield self._now, holder, m.WelcomeResponses(turn.number, on=True)
            elif self._answerer not in circle.hands:
                yield self._spoke_from + turn.given_ms // 2, self._answerer, m.RaiseHand()
        if phase.mode is Mode.READ and not turn.response and circle.round is not None:
            text = self._sheet.phases[phase.words or 0].lines
            words = text[min(circle.round.lines_read, len(text) - 1)].split()
            read_ms = max(LINE_MS, len(words) * WORD_MS)
            yield self._spoke_from + read_ms, holder, self._hand_on(turn)
        elif turn.clock.since is not None:
            yield turn.clock.since + turn.clock.remaining_ms, holder, self._hand_on(turn)

    def _hand_on(self, turn: Turn) -> m.PassTurn | m.NameNext:
        circle = self._circle
        if circle.phase.order is Order.PREVIOUS_NAMES_NEXT and not turn.response:
            line_now = [p.seat for p in line(circle) if is_available(circle, p.seat)]
            others = [s for s in line_now if s != turn.seat]
            text_is_read = circle.phase.mode is Mode.READ and (
                circle.round is not None and circle.round.lines_read + 1 >= circle.phase.lines
            )
            if others and not text_is_read:
                return m.NameNext(turn.number, others[0])
        return m.PassTurn(turn.number)

    def _wishes_with_hands(self) -> Iterator[Wish]:
        circle = self._circle
        for at, seat in self._hands:
            holds = circle.turn is not None and circle.turn.seat == seat
            free = not holds and seat not in circle.hands and is_eligible(circle, seat)
            if free and at >= self._now:
                yield at, seat, m.RaiseHand()
                return

    def _wishes_of_facilitator(self) -> Iterator[Wish]:
        circle, phase, lead = self._circle, self._circle.phase, self._lead
        after = (circle.index or 0) + 1
        go_on: m.Command = m.OpenPhase(after=circle.phase_number, index=after)
        if after == len(self._sheet.rules.phases):
            go_on = m.EndCircle()
        idle = circle.round is not None and circle.turn is None
        if circle.phase_over:
            yield self._over_at + REACT_MS, lead, go_on
        elif idle and phase.who is Who.SPEAKER and not (circle.round and circle.round.ended):
            assert self._speaker is not None
            yield circle.at + REACT_MS, lead, m.GiveTurn(circle.turns_given, self._speaker)
        elif idle and phase.mode is not Mode.QUEUE:
            yield circle.at + 2 * REACT_MS, lead, m.NextTurn(circle.turns_given)
        elif phase.length_ms is None and phase.mode in (Mode.TALK, Mode.SILENCE, Mode.QUEUE):
            if circle.turn is None:
                yield max(self._phase_began + UNPLANNED_MS, circle.at + REACT_MS), lead, go_on


# --- In words -----------------------------------------------------------------------------------


def told(sheet: RunSheet, stretches: tuple[Stretch, ...]) -> Iterator[str]:
    """The rehearsal, a line for whoever speaks, without the short silences between."""
    phase = -1
    for stretch in stretches:
        if stretch.phase != phase:
            phase = stretch.phase
            words = sheet.phases[sheet.rules.phases[phase].words or 0]
            yield f"{_clock(stretch.begins_ms)}  {phase + 1}. {words.title}"
        who = _who(stretch)
        silent = sheet.rules.phases[phase].mode is Mode.SILENCE
        if who or silent or stretch.ends_ms - stretch.begins_ms >= 6 * REACT_MS:
            times = f"{_clock(stretch.begins_ms)} to {_clock(stretch.ends_ms)}"
            yield f"    {times}  {who or 'nobody'}"
    yield f"{_clock(stretches[-1].ends_ms)}  The end"


def _who(stretch: Stretch) -> str:
    spaces = list(zip(stretch.heard, stretch.listen, strict=True))
    if len(spaces) == 1:
        heard, listen = spaces[0]
        return ", ".join(heard) if listen else "everybody"
    talks = []
    for heard, listen in spaces:
        if heard and len(heard) + len(listen) > 1:
            to = f" to {' and '.join(listen)}" if listen else ""
            talks.append(" and ".join(heard) + to)
    return "; ".join(talks)


def _clock(at_ms: int) -> str:
    return f"{at_ms // 60_000:3}:{at_ms // 1000 % 60:02}"
