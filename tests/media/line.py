"""A line with a queue, and a viewer at its end, in virtual time: the same figures every run."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from peermeet.media import rtcp
from peermeet.media.bwe import Downlink
from peermeet.media.feedback import TransportFeedback
from peermeet.media.policy import Selection, Want, select
from peermeet.media.sdp import LayerName
from peermeet.media.twcc import Arrivals, Departures

MTU = 1200
AUDIO_BYTES = 120
AUDIO_BPS = 8 * AUDIO_BYTES * 50
FRAMES_PER_S = {"l": 15, "h": 25}
KEY_BYTES = {"l": 5_000, "h": 24_000}
KEY_AFTER_S = 0.08
"""From asking a publisher for a key frame to its first packet."""
PACING = 2.5
"""A sender spreads a frame out at so many times its rate, as Chromium does."""
REPEATS_PER_S = 60


@dataclass
class Line:
    """One direction of somebody's connection."""

    rate_bps: float = 50e6
    delay_s: float = 0.02
    jitter_s: float = 0.0
    buffer_s: float = 0.5
    """Of the rate: how much waits before the rest is dropped."""
    loss: float = 0.0
    dropped: int = 0
    _free_at: float = 0.0
    _last: float = 0.0

    def send(self, size: int, now: float, chance: random.Random) -> float | None:
        """When it arrives, if it does."""
        waits = max(0.0, self._free_at - now)
        if waits > self.buffer_s:
            self.dropped += 1
            return None
        self._free_at = now + waits + 8 * size / self.rate_bps
        if chance.random() < self.loss:
            return None
        jitter = chance.uniform(-self.jitter_s, self.jitter_s)
        self._last = max(self._last, self._free_at + self.delay_s + jitter)
        return self._last


@dataclass
class Source:
    """What flows of one publisher."""

    rid: LayerName | None = None
    wanted: LayerName | None = None
    run: int = 0


@dataclass
class Viewer:
    """One person behind two lines, the server's bookkeeping about them, and what they got."""

    down: Line
    up: Line = field(default_factory=Line)
    others: int = 6
    audio: bool = True
    events: dict[float, Callable[[Viewer], None]] = field(default_factory=dict)
    seed: int = 1
    rates: dict[LayerName, int] = field(default_factory=lambda: {"l": 150_000, "h": 1_500_000})

    now: float = 0.0
    voice: list[tuple[float, float | None]] = field(default_factory=list)
    """When sent, and how long it took."""
    budgets: list[tuple[float, int | None]] = field(default_factory=list)
    shown: list[tuple[float, int, bool]] = field(default_factory=list)
    """Time, how many pictures, whether the holder is in h: at every tick."""
    weak: list[tuple[float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.downlink = Downlink()
        self.departures = Departures()
        self.arrivals = Arrivals()
        self.wants = [Want("holder", "h")] + [Want(f"s{n}", "l") for n in range(self.others)]
        self.sources = {want.seat: Source() for want in self.wants}
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._repeats = 0.0
        self.selection = Selection({}, 0, None)

    def at(self, when: float, what: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, what))

    def run(self, seconds: float) -> Viewer:
        for when, event in self.events.items():
            self.at(when, lambda event=event: event(self))  # type: ignore[misc]
        self.at(0.0, self._voice)
        self.at(0.01, self._tick)
        self.at(0.0, self._answer)
        while self._heap and self._heap[0][0] < seconds:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        return self

    # What the server sends

    def _send(self, size: int, on_arrival: Callable[[float | None], None] | None = None) -> None:
        sequence = self.departures.sent(size, self.now)
        arrived = self.down.send(size, self.now, self.chance)
        if arrived is not None:
            clock = arrived + 1000.0
            self.at(arrived, lambda: self.arrivals.take(sequence, clock))
        if on_arrival is not None:
            on_arrival(arrived)

    def _voice(self) -> None:
        if self.audio:
            sent = self.now

            def note(arrived: float | None) -> None:
                self.voice.append((sent, None if arrived is None else arrived - sent))

            self._send(AUDIO_BYTES, note)
        self.at(self.now + 0.02, self._voice)

    def _frame(self, source: Source, rid: LayerName, run: int, key: bool) -> None:
        if run != source.run:
            return
        if key:
            source.rid = rid
        rate = self.rates[rid]
        size = KEY_BYTES[rid] if key else rate / 8 / FRAMES_PER_S[rid]
        size *= self.chance.uniform(0.8, 1.2)
        packets = max(1, round(size / MTU + 0.5))
        for index in range(packets):
            at = self.now + index * (8 * size / packets) / (PACING * rate)
            self.at(at, lambda: self._video(source, rid, run, int(size / packets)))
        spent = max(1 / FRAMES_PER_S[rid], 8 * size / (PACING * rate))
        self.at(self.now + spent, lambda: self._frame(source, rid, run, False))

    def _video(self, source: Source, rid: LayerName, run: int, size: int) -> None:
        if run != source.run and source.rid != rid:
            return

        def repeat(arrived: float | None) -> None:
            if arrived is None:
                trip = 0.02 + self.down.delay_s + self.up.delay_s
                self.at(self.now + trip, lambda: self._repeat(source, size))

        self._send(size, repeat)

    def _repeat(self, source: Source, size: int) -> None:
        if self._repeats >= 1 and source.rid is not None:
            self._repeats -= 1
            self._send(size)

    # What the server decides

    def _tick(self) -> None:
        self._repeats = min(10.0, self._repeats + REPEATS_PER_S * 0.1)
        unanswered = self.departures.unanswered_s(self.now)
        self.downlink.tick(self.now, self.selection.next_bps, unanswered)
        self._choose()
        live = [source for source in self.sources.values() if source.rid]
        self.shown.append((self.now, len(live), self.sources["holder"].rid == "h"))
        self.weak.append((self.now, self.downlink.is_weak))
        self.at(self.now + 0.1, self._tick)

    def _choose(self) -> None:
        budget = self.downlink.budget_bps
        if not self.budgets or self.budgets[-1][1] != budget:
            self.budgets.append((self.now, budget))
        rates: dict[tuple[str, LayerName], int] = {}
        for seat, source in self.sources.items():
            if source.rid:
                rates[seat, source.rid] = self.rates[source.rid]
        self.selection = select(self.wants, rates, budget, self.selection.rids)
        for seat, rid in self.selection.rids.items():
            source = self.sources[seat]
            if rid == source.wanted:
                continue
            source.wanted = rid
            source.run += 1
            if rid is None or source.rid == "h":
                # Down at once; up only on the key frame.
                source.rid = None
            if rid is not None:
                run = source.run
                begin = self.now + KEY_AFTER_S
                self.at(begin, lambda s=source, r=rid, n=run: self._frame(s, r, n, True))  # type: ignore[misc]

    # What the viewer answers

    def _answer(self) -> None:
        for data in self.arrivals.feedback(self.now + 1000.0, 1, 2):
            arrived = self.up.send(len(data) + 40, self.now, self.chance)
            if arrived is not None:
                self.at(arrived, lambda data=data: self._hear(data))  # type: ignore[misc]
        self.at(self.now + 0.01, self._answer)

    def _hear(self, data: bytes) -> None:
        for feedback in rtcp.parse(data):
            assert isinstance(feedback, TransportFeedback)
            report = self.departures.acknowledge(feedback, self.now)
            self.downlink.on_report(report, AUDIO_BPS, self.now)
        self._choose()

    # What came of it

    def voice_delays(self, since: float = 0.0) -> list[float]:
        """How long each packet of voice that came took, sorted."""
        return sorted(took for sent, took in self.voice if took is not None and sent >= since)

    def voice_lost(self, since: float = 0.0) -> float:
        told = [took for sent, took in self.voice if sent >= since]
        return told.count(None) / len(told)

    def late_for(self, limit_s: float) -> float:
        """The longest time in one piece in which voice took longer than this."""
        longest, begun = 0.0, None
        for sent, took in self.voice:
            if took is not None and took <= limit_s:
                begun = None
            else:
                begun = sent if begun is None else begun
                longest = max(longest, sent - begun)
        return longest

    def holder_share(self, since: float = 0.0) -> float:
        """The share of time in which the holder was seen at all."""
        told = [pictures > 0 for at, pictures, _ in self.shown if at >= since]
        return sum(told) / len(told)

    def first_cut(self, since: float) -> float:
        """When the budget first fell after this time."""
        before: int | None = None
        for at, budget in self.budgets:
            if at >= since and budget is not None and (before is None or budget < before):
                return at
            before = budget
        raise AssertionError("the budget never fell")

    def full_at(self, since: float) -> float | None:
        """From when on all pictures were there, the holder in h, without a break."""
        found = None
        for at, pictures, high in self.shown:
            if at < since:
                continue
            if pictures == len(self.wants) and high:
                found = at if found is None else found
            else:
                found = None
        return found
