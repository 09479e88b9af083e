"""What transport-wide sequence numbers tell: when packets came, and how ours arrived.

`Arrivals` answers a person who sends, so that their browser finds its rate. `Departures` reads
the answers of a person who receives, for bwe.py. Times are monotonic seconds.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

from peermeet.media.feedback import (
    REFERENCE_TICKS,
    TICK_S,
    TransportFeedback,
    build_transport_feedback,
)

INTERVAL_S: Final = 0.09
"""Less than a tick of the worker, so that no tick is missed for a hair."""
BUSY_INTERVAL_S: Final = 0.05
BUSY_PACKETS: Final = 8
"""Feedback is due after the busy interval once so many packets wait for it."""
MAX_SPAN: Final = 2048
"""Sequence numbers between the oldest that is remembered and the newest."""
REMEMBERED_S: Final = 0.5
"""How long an arrival is kept, to be told again beside one that came late."""
MAX_TOLD: Final = 400
"""Packets in one feedback: at most 950 bytes, whatever their arrivals."""

SENT: Final = 2048
"""Departures that are remembered: 5 s of a full circle."""
RATE_WINDOW_S: Final = 0.5
RATE_REPORTS: Final = 128
"""At most so many in it: the times are the receiver's, who may let theirs stand still."""
PAUSE_S: Final = 0.5
"""Nothing sent for so long. A silent voice still sends every 0.4 s (Opus DTX)."""
MIN_RATE_SPAN_S: Final = 0.1
"""A shorter span says little about a rate."""

_FIRST, _HIGHEST, _NEXT, _KEPT_FROM, _COUNT = range(5)
"""Of arrivals: where the next feedback begins, before the next one if a packet came late; the
newest, -1 before the first; the first that no feedback has told of; what is older has been
forgotten and is not told again; feedback so far, 8 bits."""
_ANSWERED, _REFERENCE, _CLOCK = range(3)
"""Of departures: the first that no feedback has told of; the last reference time, -1 before the
first, and the same unwrapped, in ticks."""
_NONE_CAME: Final = array("d", bytes(8 * MAX_SPAN))
_ACKNOWLEDGED: Final = 0
"""In place of a size. Negative sizes are of packets that were told missing."""


class Arrivals:
    """When the packets of one transport came, until its sender is told."""

    __slots__ = ("at", "busy_at", "numbers")

    def __init__(self) -> None:
        self.at = array("d", bytes(8 * MAX_SPAN))
        """A ring by unwrapped sequence number; 0 is not come."""
        self.numbers = array("q", [0, -1, 0, 0, 0])
        """By `_FIRST` and so on."""
        self.busy_at = array("d", [0.0])
        """From when on feedback is due if many packets wait. These three are arrays because the
        compiled loop (twcc.c) notes arrivals and tells of them as well."""

    def take(self, sequence: int, now: float) -> None:
        """Note one packet by its 16-bit number; the first of its copies counts.

        A jump of 2048 and more, either way, begins anew: what lies between is not told of.
        """
        first, highest = self.numbers[:_NEXT]
        ahead = ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        extended = highest + ahead
        if highest < 0 or ahead <= -MAX_SPAN or extended - first >= MAX_SPAN:
            self._begin(sequence + 0x10000, now)
            return
        if ahead > 0:
            self._clear(highest + 1, extended)
            self.numbers[_HIGHEST] = extended
        elif extended < self.numbers[_KEPT_FROM] or self.at[extended % MAX_SPAN]:
            return
        elif extended < first:
            self.numbers[_FIRST] = extended
        self.at[extended % MAX_SPAN] = now

    def is_busy(self, now: float) -> bool:
        """Whether so many packets wait that `feedback` should not wait for the next tick."""
        first, highest = self.numbers[:_NEXT]
        return now >= self.busy_at[0] and highest - first >= BUSY_PACKETS - 1

    def is_due(self, now: float) -> bool:
        """Whether `feedback` has something to say."""
        first, highest = self.numbers[:_NEXT]
        if highest < self.numbers[_NEXT] <= first:
            return False
        return now >= self.busy_at[0] + (INTERVAL_S - BUSY_INTERVAL_S) or self.is_busy(now)

    def feedback(self, now: float, ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets of at most 950 bytes, to be sent one a datagram; none unless due.

        media_ssrc: any source of the transport's sender, else Chromium does not listen.
        """
        if not self.is_due(now):
            return []
        at, (first, highest) = self.at, self.numbers[:_NEXT]
        told: list[bytes] = []
        arrivals: list[int | None] = []
        base = reference = before = 0
        for sequence in range(first, highest + 1):
            came = at[sequence % MAX_SPAN]
            ticks = int(came / TICK_S) if came else before
            far = not -0x8000 <= ticks - before <= 0x7FFF
            if arrivals and (len(arrivals) >= MAX_TOLD or far):
                told.append(self._build(ssrc, media_ssrc, base, reference, arrivals))
                arrivals = []
            if not arrivals:
                if not came:
                    # A gap at the start has no time of its own.
                    ticks = self._ticks_after(sequence)
                base, reference = sequence, ticks // REFERENCE_TICKS
            before = ticks
            arrivals.append(ticks - reference * REFERENCE_TICKS if came else None)
        told.append(self._build(ssrc, media_ssrc, base, reference, arrivals))
        self.numbers[_FIRST] = self.numbers[_NEXT] = highest + 1
        self.busy_at[0] = now + BUSY_INTERVAL_S
        self._forget(now)
        return told

    def _ticks_after(self, sequence: int) -> int:
        """The arrival of the first packet after a gap; the newest one always came."""
        while not self.at[sequence % MAX_SPAN]:
            sequence += 1
        return int(self.at[sequence % MAX_SPAN] / TICK_S)

    def _build(
        self, ssrc: int, media_ssrc: int, base: int, reference: int, arrivals: list[int | None]
    ) -> bytes:
        count = self.numbers[_COUNT]
        self.numbers[_COUNT] = (count + 1) & 0xFF
        return build_transport_feedback(
            TransportFeedback(
                ssrc, media_ssrc, base & 0xFFFF, reference & 0xFFFFFF, count, tuple(arrivals)
            )
        )

    def _begin(self, sequence: int, now: float) -> None:
        self._clear(0, MAX_SPAN)
        self.at[sequence % MAX_SPAN] = now
        for number in (_FIRST, _HIGHEST, _NEXT, _KEPT_FROM):
            self.numbers[number] = sequence

    def _clear(self, first: int, end: int) -> None:
        """At once, however many: who sends may jump with every packet."""
        begin, count = first % MAX_SPAN, end - first
        head = min(count, MAX_SPAN - begin)
        self.at[begin : begin + head] = _NONE_CAME[:head]
        self.at[: count - head] = _NONE_CAME[: count - head]

    def _forget(self, now: float) -> None:
        numbers = self.numbers
        while (
            numbers[_KEPT_FROM] < numbers[_NEXT]
            and self.at[numbers[_KEPT_FROM] % MAX_SPAN] <= now - REMEMBERED_S
        ):
            numbers[_KEPT_FROM] += 1


@dataclass(frozen=True, slots=True)
class Report:
    """What one feedback says about the way to a person."""

    acknowledged_bps: int
    """What arrived over the last half second of the receiver's clock."""
    lost: int
    total: int
    """Packets told of for the first time, and how many of them are missing. One that was told
    missing and came late after all is taken off the losses again."""
    delay_s: float | None
    """Arrival less departure, median of the packets that came; None if none did. The clocks
    differ: only differences mean anything."""
    round_trip_s: float | None
    """From the last departure acknowledged to its feedback: up to one feedback interval long."""


class Departures:
    """What went to one person, until they say whether it came."""

    __slots__ = (
        "_rates",
        "clock",
        "next_sequence",
        "sent_at",
        "sizes",
    )

    def __init__(self) -> None:
        self.sent_at = array("d", bytes(8 * SENT))
        self.sizes = array("i", bytes(4 * SENT))
        self.next_sequence = array("q", [SENT])
        """One number, unwrapped; it begins where no slot of the ring is older."""
        self.clock = array("q", [SENT, -1, 0])
        """By `_ANSWERED` and so on. These four are arrays because the compiled loop (fanout.c,
        twcc.c) notes departures and reads what comes of them as well."""
        self._rates: deque[tuple[float, float, int]] = deque(maxlen=RATE_REPORTS)
        """First arrival, last arrival and bytes, by feedback."""

    def sent(self, size: int, now: float) -> int:
        """Note one packet of so many bytes; its 16-bit number, to be written into it."""
        sequence = self.next_sequence[0]
        index = sequence & (SENT - 1)
        self.sent_at[index] = now
        self.sizes[index] = size
        self.next_sequence[0] = sequence + 1
        return sequence & 0xFFFF

    def unanswered_s(self, now: float) -> float:
        """How long we have sent without hearing how it arrives, pauses ending the count: the
        last packets before one may be lost, and nobody can say so until others follow."""
        at = self.sent_at
        since = now
        for sequence in range(self.next_sequence[0] - 1, self._oldest_unanswered() - 1, -1):
            left = at[sequence & (SENT - 1)]
            if since - left > PAUSE_S:
                break
            since = left
        return now - since

    def _oldest_unanswered(self) -> int:
        return max(self.clock[_ANSWERED], self.next_sequence[0] - SENT)

    def acknowledge(self, feedback: TransportFeedback, now: float) -> Report:
        """Compare with what was sent. What was never sent, or long ago, is passed over, so a
        report may be about no packet at all."""
        last = self.next_sequence[0] - 1
        first = last - ((last - feedback.base_sequence) & 0xFFFF)
        oldest = max(SENT, self.next_sequence[0] - SENT)
        clock, at, sizes = self._advance(feedback.reference_time), self.sent_at, self.sizes
        delays: list[float] = []
        lost = total = size = 0
        begun = ended = clock
        departed: float | None = None
        for sequence, ticks in enumerate(feedback.arrivals, first):
            if sequence > last:
                break
            index = sequence & (SENT - 1)
            bytes_sent = sizes[index]
            if sequence < oldest or bytes_sent == _ACKNOWLEDGED:
                continue
            total += bytes_sent > 0
            if ticks is None:
                lost += bytes_sent > 0
                sizes[index] = -abs(bytes_sent)
                continue
            lost -= bytes_sent < 0
            sizes[index] = _ACKNOWLEDGED
            ticks += clock
            begun, ended = (min(begun, ticks), max(ended, ticks)) if size else (ticks, ticks)
            size += abs(bytes_sent)
            departed = at[index]
            delays.append(ticks * TICK_S - departed)
        told_of = min(self.next_sequence[0], first + len(feedback.arrivals))
        self.clock[_ANSWERED] = max(self.clock[_ANSWERED], told_of)
        delay_s = median(delays) if delays else None
        return self.conclude(now, lost, total, size, (begun, ended), departed, delay_s)

    def conclude(
        self,
        now: float,
        lost: int,
        total: int,
        size: int,
        came: tuple[int, int],
        departed: float | None,
        delay_s: float | None,
    ) -> Report:
        """Make a report of what one feedback has told.

        size: bytes that came. came: the first and last of them, in ticks of the receiver's clock.
        departed: when the last one left, None if none came.
        """
        round_trip_s = None
        if departed is not None:
            begun, ended = came
            self._rates.append((begun * TICK_S, ended * TICK_S, size))
            round_trip_s = now - departed
        return Report(self._rate_bps(), max(0, lost), total, delay_s, round_trip_s)

    def _advance(self, reference_time: int) -> int:
        """Unwrap the receiver's clock; a feedback may be older than the one before."""
        clock = self.clock
        if clock[_REFERENCE] >= 0:
            moved = ((reference_time - clock[_REFERENCE] + 0x800000) & 0xFFFFFF) - 0x800000
            clock[_CLOCK] += moved * REFERENCE_TICKS
        clock[_REFERENCE] = reference_time
        return clock[_CLOCK]

    def _rate_bps(self) -> int:
        rates = self._rates
        while len(rates) > 1 and rates[-1][1] - rates[0][1] > RATE_WINDOW_S:
            rates.popleft()
        if not rates:
            return 0
        span_s = max(MIN_RATE_SPAN_S, rates[-1][1] - rates[0][0])
        return int(8 * sum(size for _, _, size in rates) / span_s)
