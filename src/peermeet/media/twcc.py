"""What transport-wide sequence numbers tell: when packets came, and how ours arrived.

`Arrivals` answers a person who sends, so that their browser finds its rate. `Departures` reads
the answers of a person who receives, for bwe.py. Times are monotonic seconds.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import Final

from peermeet.media.feedback import (
    REFERENCE_TICKS,
    TICK_S,
    TransportFeedback,
    build_transport_feedback,
)

INTERVAL_S: Final = 0.1
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

_ACKNOWLEDGED: Final = 0
"""In place of a size. Negative sizes are of packets that were told missing."""


class Arrivals:
    """When the packets of one transport came, until its sender is told."""

    __slots__ = ("_at", "_count", "_first", "_highest", "_kept_from", "_next", "_told_at")

    def __init__(self) -> None:
        self._at: dict[int, float] = {}
        """By unwrapped sequence number."""
        self._highest = -1
        self._next = 0
        """The first that no feedback has told of."""
        self._first = 0
        """Where the next feedback begins: before `_next` if a packet came late."""
        self._kept_from = 0
        """What is older has been forgotten and is not told again."""
        self._told_at = 0.0
        self._count = 0

    def take(self, sequence: int, now: float) -> None:
        """Note one packet by its 16-bit number; the first of its copies counts.

        A jump of 2048 and more, either way, begins anew: what lies between is not told of.
        """
        highest = self._highest
        if highest < 0:
            self._begin(sequence + 0x10000, now)
            return
        ahead = ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        extended = highest + ahead
        if ahead > 0:
            if extended - self._first >= MAX_SPAN:
                self._begin(sequence + 0x10000, now)
                return
            self._highest = extended
        elif ahead <= -MAX_SPAN:
            self._begin(sequence + 0x10000, now)
            return
        elif extended < self._kept_from or extended in self._at:
            return
        elif extended < self._first:
            self._first = extended
        self._at[extended] = now

    def is_due(self, now: float) -> bool:
        """Whether `feedback` has something to say."""
        if self._highest < self._next and self._first >= self._next:
            return False
        waited = now - self._told_at
        return waited >= INTERVAL_S or (
            waited >= BUSY_INTERVAL_S and self._highest - self._first >= BUSY_PACKETS - 1
        )

    def feedback(self, now: float, ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets of at most 950 bytes, to be sent one a datagram; none unless due.

        media_ssrc: any source of the transport's sender, else Chromium does not listen.
        """
        if not self.is_due(now):
            return []
        at = self._at
        told: list[bytes] = []
        arrivals: list[int | None] = []
        base = reference = before = 0
        for sequence in range(self._first, self._highest + 1):
            came = at.get(sequence)
            ticks = before if came is None else int(came / TICK_S)
            far = not -0x8000 <= ticks - before <= 0x7FFF
            if arrivals and (len(arrivals) >= MAX_TOLD or far):
                told.append(self._build(ssrc, media_ssrc, base, reference, arrivals))
                arrivals = []
            if not arrivals:
                if came is None:
                    # A gap at the start has no time of its own.
                    ticks = self._ticks_after(sequence)
                base, reference = sequence, ticks // REFERENCE_TICKS
            before = ticks
            arrivals.append(None if came is None else ticks - reference * REFERENCE_TICKS)
        told.append(self._build(ssrc, media_ssrc, base, reference, arrivals))
        self._first = self._next = self._highest + 1
        self._told_at = now
        self._forget(now)
        return told

    def _ticks_after(self, sequence: int) -> int:
        """The arrival of the first packet after a gap; the newest one always came."""
        while sequence not in self._at:
            sequence += 1
        return int(self._at[sequence] / TICK_S)

    def _build(
        self, ssrc: int, media_ssrc: int, base: int, reference: int, arrivals: list[int | None]
    ) -> bytes:
        count, self._count = self._count, (self._count + 1) & 0xFF
        return build_transport_feedback(
            TransportFeedback(
                ssrc, media_ssrc, base & 0xFFFF, reference & 0xFFFFFF, count, tuple(arrivals)
            )
        )

    def _begin(self, sequence: int, now: float) -> None:
        self._at.clear()
        self._at[sequence] = now
        self._highest = self._next = self._first = self._kept_from = sequence

    def _forget(self, now: float) -> None:
        at = self._at
        for sequence in range(self._kept_from, self._next):
            if at.get(sequence, 0.0) > now - REMEMBERED_S:
                break
            at.pop(sequence, None)
            self._kept_from = sequence + 1


@dataclass(frozen=True, slots=True)
class Report:
    """What one feedback says about the way to a person."""

    acknowledged_bps: int
    """What arrived over the last half second of the receiver's clock."""
    lost: int
    total: int
    """Packets told of for the first time, and how many of them are missing. One that was told
    missing and came late after all is taken off the losses again."""
    delays_s: tuple[float, ...]
    """Arrival less departure of each packet that came. The clocks differ: only differences mean
    anything."""
    round_trip_s: float | None
    """From the last departure acknowledged to its feedback: up to one feedback interval long."""


class Departures:
    """What went to one person, until they say whether it came."""

    __slots__ = (
        "_answered",
        "_clock",
        "_rates",
        "_reference",
        "next_sequence",
        "sent_at",
        "sizes",
    )

    def __init__(self) -> None:
        self.sent_at = array("d", bytes(8 * SENT))
        self.sizes = array("i", bytes(4 * SENT))
        self.next_sequence = array("q", [SENT])
        """One number, unwrapped; it begins where no slot of the ring is older. These three are
        arrays because the compiled loop (fanout.c) notes departures as well."""
        self._answered = SENT
        """The first that no feedback has told of."""
        self._reference: int | None = None
        self._clock = 0
        """The last reference time, and the same unwrapped, in ticks."""
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
        return max(self._answered, self.next_sequence[0] - SENT)

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
        self._answered = max(self._answered, told_of)
        if departed is not None:
            self._rates.append((begun * TICK_S, ended * TICK_S, size))
        round_trip_s = None if departed is None else now - departed
        return Report(self._rate_bps(), max(0, lost), total, tuple(delays), round_trip_s)

    def _advance(self, reference_time: int) -> int:
        """Unwrap the receiver's clock; a feedback may be older than the one before."""
        if self._reference is not None:
            moved = ((reference_time - self._reference + 0x800000) & 0xFFFFFF) - 0x800000
            self._clock += moved * REFERENCE_TICKS
        self._reference = reference_time
        return self._clock

    def _rate_bps(self) -> int:
        rates = self._rates
        while len(rates) > 1 and rates[-1][1] - rates[0][1] > RATE_WINDOW_S:
            rates.popleft()
        if not rates:
            return 0
        span_s = max(MIN_RATE_SPAN_S, rates[-1][1] - rates[0][0])
        return int(8 * sum(size for _, _, size in rates) / span_s)
