"""Each shipped run sheet from its first phase to its last, over real media on a fast clock.

Everybody's microphone sends all the time, and everybody presses its button whenever anything
changes. Who is heard is then compared with what the run sheet promises: who may speak is worked
out here from the rules of the sheet and from what each person's view says of the floor, never
from the server's gates; and in which order people come, from the sheet and who asked for it.
"""

import asyncio
import bisect
import itertools
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from peermeet.core import messages as m
from peermeet.core.hearing import FLOOR_MODES, Step, StepKind, steps
from peermeet.core.model import (
    CrossTalk,
    Mics,
    Mode,
    Order,
    Pass,
    Phase,
    SeatId,
    Who,
)
from peermeet.core.project import View
from peermeet.protocol import ChooseSheet
from peermeet.robots.line import Link
from peermeet.runsheets import ORDER, shipped
from tests.scenarios.ears import PACKET_S, Guest, Heard, Voices
from tests.scenarios.fast import SPEED
from tests.scenarios.server import Server

CAST = ("Fay", "Ana", "Ben", "Cleo", "Dev", "Eve", "Gus")
"""Fay leads; Gus is here only to listen."""

ENOUGH = 10
"""Packets of a voice that a listener must hear before its person passes the floor."""

HELD_UP_S = 0.2
"""The most that is allowed for a machine that makes a process wait."""


class Story:
    """A meeting as it goes, and what was promised in each of its phases."""

    def __init__(self, guests: Sequence[Guest]) -> None:
        self.guests = {guest.seat: guest for guest in guests}
        self.fay, self.gus = guests[0], guests[-1]
        self.takes_turns = tuple(g.seat for g in guests if g is not self.gus)
        self.voices = Voices(guests)
        self.rules: dict[int, Phase] = {}
        """By the number of the phase."""
        self.promised: dict[int, list[SeatId]] = {}
        """Who has the floor, first to last."""
        self.held: defaultdict[int, list[SeatId]] = defaultdict(list)
        """Who had it, and gave it on."""
        self.plans: dict[SeatId, type[m.Command]] = {}
        """What somebody does with their next turn beside speaking, or instead."""
        self._spoke: dict[SeatId, int] = {}
        self._turns = itertools.count()

    # --- What people do -------------------------------------------------------------------------

    async def live(self, guest: Guest) -> None:
        """Press the microphone's button at every change, and use one's turns."""
        mine, tried = 0, (0, 0, StepKind.TOGETHER)
        while True:
            shown = len(guest.views)
            view = guest.view
            turn = view.turn
            now = (view.phase.number, view.turns_given, view.pair.step if view.pair else tried[2])
            if turn is not None and turn.seat == guest.seat:
                if turn.number != mine:
                    mine = turn.number
                    await self._hold(guest, view.phase.number, turn.number)
            elif guest.me.mic == "off" and ("set_mic" in view.may or now != tried):
                tried = now
                await guest.tries(m.SetMic(True))
            await guest.until(lambda shown=shown: len(guest.views) > shown)  # type: ignore[misc]

    async def _hold(self, guest: Guest, phase: int, turn: int) -> None:
        await guest.until(lambda: not guest.view.paused)
        plan = self.plans.pop(guest.seat, m.PassTurn)
        if plan is m.Later:
            await guest.do(m.Later(turn))
            return
        if plan is m.WelcomeResponses:
            await guest.do(m.WelcomeResponses(turn, True))
        await guest.do(m.SetMic(True))
        if plan is m.HoldClock:  # Goes on speaking until something else ends the turn.
            return
        await self.is_heard(guest)
        self.held[phase].append(guest.seat)
        self._spoke[guest.seat] = next(self._turns)
        give = m.PassToAnyone(turn) if plan is m.PassToAnyone else m.PassTurn(turn)
        await guest.do(give)

    async def is_heard(self, guest: Guest) -> None:
        """Return once the others have heard `guest` for a while from now on."""
        others = [g for g in self.guests.values() if g is not guest]
        enough = {g: g.voices[guest.seat] + ENOUGH for g in others}
        for listener in others:
            await listener.until(
                lambda g=listener: g.voices[guest.seat] >= enough[g]  # type: ignore[misc]
            )

    # --- What the facilitator does --------------------------------------------------------------

    async def choose(self, sheet: str, insert: bool = False) -> None:
        await self.fay.ask(lambda ref: ChooseSheet(ref, sheet=sheet, insert=insert))
        await self.fay.until(lambda: self.fay.view.sheet is not None)

    async def open(self, index: int, rules: Phase, later: Sequence[Phase] = ()) -> None:
        """Open a phase. Where a floor is held, a pause lets everybody get ready for it."""
        has_floor = rules.mode in FLOOR_MODES
        if has_floor:
            await self.fay.do(m.PauseCircle())
        if rules.mode is Mode.QUEUE or rules.order is Order.HAND:
            await self._raise_hands(rules, later)
        before, hands = self.fay.view.phase.number, self.fay.view.hands
        await self.fay.do(m.OpenPhase(before, index))
        await self.begins(before + 1, rules, hands)
        if rules.crosstalk is CrossTalk.INVITED:
            await self.guests[self.promised[before + 1][1]].do(m.RaiseHand())
        if has_floor:
            await self.fay.do(m.ResumeCircle())

    async def begins(self, number: int, rules: Phase, hands: Sequence[SeatId] = ()) -> None:
        """A phase has begun: work out what it promises before it goes on."""
        self.rules[number] = rules
        await self.fay.until(lambda: self.fay.view.phase.number == number)
        shown = next(v for v in self.fay.views if v.phase.number == number)
        self.promised[number] = self._holders(rules, [e.seat for e in shown.order], hands)
        if rules.who is Who.SPEAKER:
            await self.fay.do(m.GiveTurn(shown.turns_given, self.promised[number][0]))

    async def _raise_hands(self, rules: Phase, later: Sequence[Phase]) -> None:
        people = [self.guests[seat] for seat in self.takes_turns]
        if rules.who is Who.ALL and any(p.who is Who.UNHEARD for p in later):
            people = people[2:]  # Two are not heard until somebody asks who was not.
        for guest in people[::-1]:
            await guest.do(m.RaiseHand())
            await self.fay.until(lambda guest=guest: guest.seat in self.fay.view.hands)  # type: ignore[misc]

    def _holders(self, rules: Phase, order: list[SeatId], hands: Sequence[SeatId]) -> list[SeatId]:
        """Who the run sheet says will have the floor, in its order."""
        match rules.mode:
            case Mode.ROUND:
                return self._round(rules, order)
            case Mode.READ if rules.order is Order.HAND:
                return list(hands[: rules.lines])
            case Mode.READ:
                return list(itertools.islice(itertools.cycle(order), rules.lines))
            case Mode.QUEUE:
                return self._queue(rules, hands)
            case _:
                return []

    def _round(self, rules: Phase, order: list[SeatId]) -> list[SeatId]:
        """Each once, in the order of arrival from some start, either way round."""
        assert sorted(order) == sorted(self.takes_turns)
        start = self.takes_turns.index(order[0])
        turned = [*self.takes_turns[start:], *self.takes_turns[:start]]
        assert order in (turned, [turned[0], *reversed(turned[1:])])
        first, second, *others = order
        whole = [first]
        if rules.crosstalk is CrossTalk.INVITED:
            self.plans[first] = m.WelcomeResponses
            whole.append(others[-1])
        if Pass.LATER in rules.passes:
            self.plans[second] = m.Later
            return [*whole, *others, second]
        return [*whole, second, *others]

    def _queue(self, rules: Phase, hands: Sequence[SeatId]) -> list[SeatId]:
        if rules.who is Who.SPEAKER:
            return [self.takes_turns[1]]
        asked = [s for s in hands if rules.who is Who.ALL or s not in self._spoke]
        if rules.order is Order.QUIET_FIRST:
            asked.sort(key=lambda seat: self._spoke.get(seat, -1))
        if Pass.TO_ANYONE in rules.passes:
            self.plans[asked[0]] = m.PassToAnyone
        return asked

    async def goes_by(self) -> None:
        """Wait until all that is promised in this phase has been heard."""
        fay, number = self.fay, self.fay.view.phase.number
        rules = self.rules[number]
        match rules.mode:
            case Mode.TALK:
                for seat in self.may_speak(rules):
                    await self.is_heard(self.guests[seat])
            case Mode.SILENCE | Mode.PAIRS:
                await fay.until(lambda: fay.view.phase.over)
            case _:
                wanted = len(self.promised[number])
                await fay.until(lambda: len(self.held[number]) >= wanted and fay.view.turn is None)
                if rules.mics is Mics.ALL:
                    for seat in self.takes_turns:
                        await self.is_heard(self.guests[seat])

    async def runs(self, sheet: str) -> None:
        """From the first phase to the last."""
        phases = shipped()[sheet].rules.phases
        await self.choose(sheet)
        for index, rules in enumerate(phases):
            await self.open(index, rules, phases[index + 1 :])
            await self.goes_by()

    # --- What was promised ----------------------------------------------------------------------

    def may_speak(self, rules: Phase) -> tuple[SeatId, ...]:
        """Whom a phase is for, where nobody holds a floor."""
        return (self.fay.seat,) if rules.who is Who.FACILITATORS else self.takes_turns

    def audible(self, view: View) -> set[SeatId]:
        """Whom this viewer may hear now, after the run sheet and what the view says of it."""
        rules = self.rules.get(view.phase.number)
        if view.paused:
            return set()
        if rules is None:
            return set(self.takes_turns)  # Before the first phase everybody talks.
        match rules.mode:
            case Mode.TALK:
                return set(self.may_speak(rules))
            case Mode.SILENCE:
                return set()
            case Mode.PAIRS if view.pair is None:
                here = {s.id for s in view.seats if not s.apart}
                return here & set(self.takes_turns)
            case Mode.PAIRS:
                assert view.pair is not None
                speaker = {view.pair.speaker} - {None}
                together = view.pair.step is StepKind.TOGETHER
                return set(view.pair.with_you) if together else speaker  # type: ignore[return-value]
            case _ if rules.mics is Mics.ALL:
                return set(self.takes_turns)
            case _:
                return set() if view.turn is None else {view.turn.seat}

    @property
    def allowed_s(self) -> float:
        """How far from the moment of a change a packet may have been sent on the other side.

        Views and packets come on two ways: one packet may be sent before the listener's view is
        there, or before the forwarder has its gates. On a machine that has no core free for
        every process, either waits as long as our own voices had to.
        """
        return PACKET_S + min(HELD_UP_S, self.voices.late_s)

    def judge(self, listener: Guest) -> Iterator[tuple[Heard, View | None]]:
        """Each packet that came, beside the view by which it was allowed, if any was."""
        allowed = [self.audible(view) for view in listener.views]
        for heard in sorted(listener.heard, key=lambda h: h.sent_s):
            now = bisect.bisect_right(listener.seen_s, heard.sent_s) - 1
            first = bisect.bisect_right(listener.seen_s, heard.sent_s - self.allowed_s) - 1
            last = bisect.bisect_right(listener.seen_s, heard.sent_s + self.allowed_s)
            nearest = sorted(range(max(0, first), last), key=lambda index: abs(index - now))
            found = next((index for index in nearest if heard.seat in allowed[index]), None)
            yield heard, None if found is None else listener.views[found]


@asynccontextmanager
async def everybody(server: Server) -> AsyncIterator[Story]:
    """All have come, and talk at once from now on."""
    lead, link = (
        Link.parse(f"{server.url}/join#{token}")
        for token in (server.facilitator, server.participant)
    )
    guests: list[Guest] = []
    tasks: list[asyncio.Task[None]] = []
    try:
        for number, name in enumerate(CAST):
            guests.append(await Guest.sit(link if number else lead, name, 90 * number))
        await guests[-1].do(m.ListenOnly(True))
        story = Story(guests)
        tasks.append(asyncio.create_task(story.voices.talk()))
        tasks += [asyncio.create_task(story.live(guest)) for guest in guests]
        yield story
        for task in tasks:
            assert not task.done() or task.exception() is None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if guests:
            await guests[0].tries(m.EndCircle())
        for guest in guests:
            await guest.leave()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all: each meeting opens a circle of its own."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), "tests.scenarios.fast")
        try:
            server.start()
            yield server
            assert "Traceback" not in server.log, server.log
        finally:
            server.end()


def heard_in(story: Story, listener: Guest) -> dict[int, list[SeatId]]:
    """Who was heard in each phase, one after the other; fails on a packet of anybody else."""
    voices: dict[int, list[SeatId]] = defaultdict(list)
    for heard, view in story.judge(listener):
        if view is None:
            seen = listener.view_at(heard.sent_s)
            where = seen and (seen.phase.number, seen.phase.mode, seen.turn and seen.turn.seat)
            raise AssertionError(f"{listener.name} heard {heard} in {where}")
        said = voices[view.phase.number]
        if not said or said[-1] != heard.seat:
            said.append(heard.seat)
    return voices


def is_as_promised(story: Story) -> None:
    """Everybody heard whom the run sheet promised, when it did, and nobody else."""
    for listener in story.guests.values():
        voices = heard_in(story, listener)
        assert listener.strange == 0
        assert story.gus.seat not in {h.seat for h in listener.heard}
        for number, rules in story.rules.items():
            holders = [s for s in story.promised[number] if s != listener.seat]
            heard = voices.get(number, [])
            match rules.mode:
                case Mode.TALK:
                    assert set(heard) == set(story.may_speak(rules)) - {listener.seat}
                case Mode.SILENCE:
                    assert heard == []
                case Mode.PAIRS:
                    pass  # Told apart below.
                case _ if rules.mics is Mics.ALL:
                    assert set(heard) == set(story.takes_turns) - {listener.seat}
                case _:
                    assert heard == [s for s, _ in itertools.groupby(holders)], rules
    for number, holders in story.promised.items():
        assert story.held[number] == holders, story.rules[number]


@pytest.mark.parametrize("sheet", [s for s in ORDER if s not in ("pairs", "grounding")])
async def test_who_is_heard_is_whom_the_run_sheet_promises(server: Server, sheet: str) -> None:
    async with everybody(server) as story:
        await story.runs(sheet)
    assert len(story.rules) == len(shipped()[sheet].rules.phases)
    is_as_promised(story)


async def test_pairs_hear_one_another_alone_and_have_equal_time(server: Server) -> None:
    async with everybody(server) as story:
        await story.runs("pairs")
    is_as_promised(story)
    (number,) = [n for n, rules in story.rules.items() if rules.mode is Mode.PAIRS]
    rules, sizes = story.rules[number], Counter[int]()
    for guest in story.guests.values():
        shown = next(v for v in guest.views if v.phase.number == number)
        partners = set(shown.pair.with_you) if shown.pair else set()
        sizes[len(partners)] += 1
        heard, speaking = Counter[SeatId](), Counter[SeatId]()
        for packet, view in story.judge(guest):
            if view is not None and view.phase.number == number and view.pair is not None:
                heard[packet.seat] += 1
                speaking[packet.seat] += view.pair.step is StepKind.SPEAK
        assert set(heard) == partners, "nobody of another pair, nor of the circle"
        if partners:
            spoken = 2 * rules.turn_ms / (len(partners) + 1) / 1000 / SPEED / PACKET_S
            least = min(speaking[s] for s in partners)
            assert least > 0.8 * spoken
    assert sizes == {0: 2, 1: 2, 2: 3}, "Fay and Gus stay; one pair and one three"
    for guest in story.guests.values():
        lengths = speaking_ms(guest, number, rules)
        if lengths:
            assert max(lengths) - min(lengths) <= 1000 * SPEED * story.allowed_s, lengths


def speaking_ms(guest: Guest, number: int, rules: Phase) -> list[int]:
    """How long each of this person's pair had, by the server's clock."""
    begun: dict[int, int] = {}
    plan: tuple[Step, ...] = ()
    for view in guest.views:
        pair = view.pair
        if view.phase.number != number or pair is None or not pair.running:
            continue
        plan = steps(rules, (guest.seat, *pair.with_you))
        step = len(plan) - 1 - pair.steps_left
        begun.setdefault(step, view.now - plan[step].length_ms + pair.remaining_ms)
    speaking = [index for index, step in enumerate(plan) if step.kind is StepKind.SPEAK]
    return [begun[index + 1] - begun[index] for index in speaking]


async def test_a_grounding_is_put_in_and_the_interrupted_goes_on(server: Server) -> None:
    round_of = shipped()["check-in"].rules.phases[1]
    insert = shipped()["grounding"].rules.phases
    async with everybody(server) as story:
        fay = story.fay
        await story.choose("check-in")
        story.plans = {seat: m.HoldClock for seat in story.takes_turns}
        await story.open(1, round_of)
        turn = fay.view.turn
        assert turn is not None
        holder = story.guests[turn.seat]
        story.promised[fay.view.phase.number] = [holder.seat]
        story.held[fay.view.phase.number] = [holder.seat]
        await story.is_heard(holder)
        left_ms = next(v for v in reversed(fay.views) if v.turn).turn
        story.plans = {}

        before = fay.view.phase.number
        await story.choose("grounding", insert=True)
        await story.begins(before + 1, insert[0])
        await story.goes_by()
        for index, rules in enumerate(insert[1:], 1):
            await story.open(index, rules)
            await story.goes_by()

        before = fay.view.phase.number
        await fay.do(m.ReturnToPhase(before))
        await fay.until(lambda: fay.view.phase.number == before + 1)
        story.rules[before + 1] = round_of
        resumed = next(v for v in fay.views if v.phase.number == before + 1)
        assert resumed.turn is not None and resumed.turn.seat == holder.seat
        assert left_ms is not None and left_ms.remaining_ms is not None
        assert resumed.turn.remaining_ms is not None
        assert resumed.turn.remaining_ms <= left_ms.remaining_ms
        order = [e.seat for e in resumed.order]
        story.promised[before + 1] = order
        await story.goes_by()
    is_as_promised(story)
