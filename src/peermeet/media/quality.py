"""How good one person's line is: what RTCP tells of it, and a mark of three steps.

No input or output and no clock: reports and times come in, a `Line` comes out. It decides
nothing about packets. Thresholds are what a listener notices, not what a network engineer would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import Final, Literal

from peermeet.media.rtcp import ReportBlock
from peermeet.media.sdp import Kind

Mark = Literal[1, 2, 3]
"""3: nothing to notice. 2: gaps or a late answer now and then. 1: hard to follow."""
Layer = Literal["h", "l"]
Path = Literal["udp", "tcp"]

FAIR_LOSS: Final = 3.0
"""Percent; below it Opus and retransmission hide everything."""
POOR_LOSS: Final = 10.0
"""Percent; above it words are missing."""
FAIR_RTT_MS: Final = 250
"""Longer, and people begin to speak into one another (ITU-T G.114: 150 ms one way is unnoticed)."""
POOR_RTT_MS: Final = 600
EASE: Final = 0.7
"""A line must be this much better than a threshold to rise above it again."""
FALL_S: Final = 3.0
RISE_S: Final = 8.0
"""How long a line must be worse, or better, before its mark follows; silence counts at once."""

SILENT_S: Final = 3.0
"""Nothing from somebody who is being heard or seen: their line has stopped."""
IDLE_S: Final = 7.5
"""The same for somebody who sends nothing: clients check the path every 2.5 to 6 s."""
MEMORY_S: Final = 3.0
"""A report's weight falls to a third in this time."""
FORGET_S: Final = 15.0
"""What was measured longer ago says nothing about now."""
AT_ONCE: Final = 10
"""Packets from one report to the next that is looked at."""
MAX_STEP: Final = 0xFFFF
"""More packets from one report to the next are a new beginning."""
ENOUGH: Final = 20.0
"""Packets that a share of loss must be made of."""
MAX_RTT_MS: Final = 60_000
"""A client that reports more is not believed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a line at one moment; None is unknown, and counts as good.

    is_silent: nothing arrives from it although something should.
    """

    rtt_ms: int | None = None
    loss_percent: float | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One person's line as it is told. weak: their pictures were reduced to keep the sound.

    loss_percent: of sound or pictures, up or down, whichever lost most. layer: of the holder's
    picture, as it is sent to them.
    """

    mark: Mark
    weak: bool = False
    rtt_ms: int | None = None
    loss_percent: int | None = None
    layer: Layer | None = None
    path: Path = "udp"


def judge(reading: Reading, ease: float = 1.0) -> Mark:
    """The mark of one reading; ease below 1 asks for more."""
    loss, rtt_ms = reading.loss_percent or 0.0, reading.rtt_ms or 0
    if reading.is_silent or loss > POOR_LOSS * ease or rtt_ms > POOR_RTT_MS * ease:
        return 1
    if loss >= FAIR_LOSS * ease or rtt_ms >= FAIR_RTT_MS * ease:
        return 2
    return 3


@dataclass(frozen=True, slots=True)
class Steady:
    """A mark that does not flicker. since: when the present reading began to differ from it."""

    mark: Mark = 3
    since: float | None = None
    is_rising: bool = False


def follow(before: Steady, reading: Reading, now: float) -> Steady:
    """The mark after one more reading. now: monotonic seconds.

    It falls after `FALL_S` of worse readings, at once in silence, and rises after `RISE_S` of
    clearly better ones.
    """
    if reading.is_silent:
        return Steady(1)
    worse, better = judge(reading), judge(reading, EASE)
    if worse < before.mark:
        target, is_rising, wait_s = worse, False, FALL_S
    elif better > before.mark:
        target, is_rising, wait_s = better, True, RISE_S
    else:
        return Steady(before.mark)
    since = before.since if before.since is not None and before.is_rising is is_rising else now
    return Steady(target) if now - since >= wait_s else Steady(before.mark, since, is_rising)


class Loss:
    """The share of packets that one kind of media has lost lately on one way.

    What the report calls lost after repair counts: nobody notices the rest.
    """

    __slots__ = ("_at", "_expected", "_lost", "_seen")

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}
        self._expected = self._lost = self._at = 0.0

    def observe(self, block: ReportBlock, now: float, passed_over: int = 0) -> None:
        """One report block about a source. The caller bounds how many sources there are.

        passed_over: sequence numbers of the source, counted from anywhere, that were never sent
        because somebody else's line had lost them.
        """
        lost_in_all = block.packets_lost - passed_over
        before = self._seen.get(block.ssrc)
        expected = 0 if before is None else (block.highest_sequence - before[0]) & 0xFFFFFFFF
        if before is not None and expected < AT_ONCE:
            return  # A browser reports with each request for repair; what is repaired comes later.
        self._seen[block.ssrc] = block.highest_sequence, lost_in_all
        if before is None or expected > MAX_STEP:
            return  # The source begins, or began anew.
        self._fade(now)
        self._expected += expected
        # Below zero when repair makes up for what an earlier report counted as lost.
        self._lost += max(-MAX_STEP, min(lost_in_all - before[1], expected))

    def percent(self, now: float) -> float | None:
        """0 to 100, or None while too little is known."""
        self._fade(now)
        if self._expected < ENOUGH:
            return None
        return min(100.0, max(0.0, 100 * self._lost / self._expected))

    def _fade(self, now: float) -> None:
        if self._at:
            share = exp(-max(0.0, now - self._at) / MEMORY_S)
            self._expected *= share
            self._lost *= share
        self._at = now


def _both_kinds() -> dict[Kind, Loss]:
    return {"audio": Loss(), "video": Loss()}


@dataclass(slots=True)
class Meter:
    """Everything that is measured of one person's line. up: from them; down: to them."""

    up: dict[Kind, Loss] = field(default_factory=_both_kinds)
    down: dict[Kind, Loss] = field(default_factory=_both_kinds)
    steady: Steady = Steady()
    _rtt_ms: float | None = None
    _rtt_at: float = 0.0

    def observe_round_trip(self, block: ReportBlock, ntp_s: float, now: float) -> None:
        """A report about a source of ours (RFC 3550 section 6.4.1). ntp_s: our NTP clock."""
        if not block.lsr:
            return
        arrival = int(ntp_s * 65536) & 0xFFFFFFFF
        rtt_ms = ((arrival - block.lsr - block.dlsr) & 0xFFFFFFFF) * 1000 / 65536
        # A clock of theirs that runs ahead a little makes it wrap below zero.
        if rtt_ms > MAX_RTT_MS:
            return
        before = self._round_trip(now)
        self._rtt_ms = rtt_ms if before is None else before + (rtt_ms - before) / 4
        self._rtt_at = now

    def line(
        self,
        now: float,
        *,
        is_silent: bool = False,
        weak: bool = False,
        layer: Layer | None = None,
        path: Path = "udp",
    ) -> Line:
        """The line now, with the mark brought up to date. Ask every second or two."""
        round_trip = self._round_trip(now)
        rtt_ms = None if round_trip is None else round(round_trip)
        # Not all together: the many packets of pictures would hide what sound has lost.
        all_losses = (*self.up.values(), *self.down.values())
        known = [p for p in (loss.percent(now) for loss in all_losses) if p is not None]
        loss = max(known, default=None)
        self.steady = follow(self.steady, Reading(rtt_ms, loss, is_silent), now)
        percent = None if loss is None else round(loss)
        return Line(self.steady.mark, weak, rtt_ms, percent, layer, path)

    def _round_trip(self, now: float) -> float | None:
        return self._rtt_ms if now - self._rtt_at <= FORGET_S else None
