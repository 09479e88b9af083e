"""Transport-wide feedback: draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1.

Tells a sender when each packet of one transport came, whatever its source. rtcp.py calls
`read` for its body; twcc.py makes it and draws conclusions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

FORMAT: Final = 15
"""Of RTPFB, packet type 205."""
TICK_S: Final = 0.000_25
"""The unit of an arrival."""
REFERENCE_TICKS: Final = 256
"""The unit of a reference time, 64 ms, in ticks."""
MAX_PACKETS: Final = 4096
"""That one feedback may tell of; run lengths can claim 65,535 in a few bytes."""

_MISSING = 0
_SMALL = 1
_LARGE = 2
_RUN_LIMIT = 0x1FFF

_KIND = 205
_HEADER = Struct("!BBHII")
_BODY = Struct("!HHI")
_CHUNK = Struct("!H")
_DELTA = Struct("!h")


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Which packets of a transport came, and when."""

    ssrc: int
    media_ssrc: int
    """A source of whoever is told; Chromium ignores feedback about any other."""
    base_sequence: int
    """16 bits: the transport-wide sequence number of the first packet told of."""
    reference_time: int
    """24 bits, in 64 ms of the receiver's clock; wraps after twelve days."""
    count: int
    """8 bits: feedback packets so far, so that a lost one is noticed."""
    arrivals: tuple[int | None, ...]
    """For each packet in turn: ticks since the reference time, may be negative; None if missing."""


def read(body: bytes) -> TransportFeedback:
    """Read what follows the RTCP header, without its padding.

    Raises `ValueError` if it does not fit, tells of nothing or of more than 4096 packets, or
    uses the reserved status.
    """
    if len(body) < 8 + _BODY.size:
        raise ValueError("a feedback is shorter than its head")
    base_sequence, packets, last = _BODY.unpack_from(body, 8)
    if not 0 < packets <= MAX_PACKETS:
        raise ValueError("a feedback tells of no packet or of too many")
    statuses: list[int] = []
    at = 8 + _BODY.size
    while len(statuses) < packets:
        if at + _CHUNK.size > len(body):
            raise ValueError("a feedback ends within its statuses")
        (chunk,) = _CHUNK.unpack_from(body, at)
        at += _CHUNK.size
        if not chunk & 0x8000:
            statuses += [chunk >> 13] * min(chunk & _RUN_LIMIT, packets - len(statuses))
        elif chunk & 0x4000:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    del statuses[packets:]
    needed = statuses.count(_SMALL) + 2 * statuses.count(_LARGE)
    if 3 in statuses or at + needed > len(body):
        raise ValueError("a feedback has a reserved status or lacks arrivals")
    arrivals: list[int | None] = []
    now = 0
    for status in statuses:
        if status == _MISSING:
            arrivals.append(None)
            continue
        if status == _SMALL:
            now += body[at]
        else:
            now += _DELTA.unpack_from(body, at)[0]
        at += status
        arrivals.append(now)
    ssrc, media_ssrc = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
    return TransportFeedback(
        ssrc, media_ssrc, base_sequence, last >> 8, last & 0xFF, tuple(arrivals)
    )


def build_transport_feedback(feedback: TransportFeedback) -> bytes:
    """One RTCP packet. Raises `ValueError` for no packet, for more than 4096, and when two
    arrivals in turn are more than 8.19 s apart, which 16 bits cannot say."""
    packets = len(feedback.arrivals)
    if not 0 < packets <= MAX_PACKETS:
        raise ValueError("a feedback tells of 1 to 4096 packets")
    statuses = bytearray(packets)
    deltas = bytearray()
    before = 0
    for index, arrival in enumerate(feedback.arrivals):
        if arrival is None:
            continue
        delta, before = arrival - before, arrival
        if 0 <= delta <= 0xFF:
            statuses[index] = _SMALL
            deltas.append(delta)
        elif -0x8000 <= delta <= 0x7FFF:
            statuses[index] = _LARGE
            deltas += _DELTA.pack(delta)
        else:
            raise ValueError("two arrivals are too far apart")
    last = (feedback.reference_time & 0xFFFFFF) << 8 | feedback.count & 0xFF
    body = _BODY.pack(feedback.base_sequence, packets, last) + _chunks(statuses) + deltas
    padding = -len(body) % 4
    if padding:
        # The draft pads to a word, and the last byte says by how much, as in RFC 3550, 6.4.1.
        body += bytes(padding - 1) + bytes((padding,))
    first = 0x80 | (0x20 if padding else 0) | FORMAT
    words = (8 + len(body)) // 4
    return _HEADER.pack(first, _KIND, words, feedback.ssrc, feedback.media_ssrc) + body


def _chunks(statuses: Sequence[int]) -> bytes:
    """The statuses as runs where one is longer than the vector it would take the place of."""
    chunks = bytearray()
    at, end = 0, len(statuses)
    while at < end:
        status = statuses[at]
        run = 1
        while at + run < end and run < _RUN_LIMIT and statuses[at + run] == status:
            run += 1
        vector = statuses[at : at + 14]
        bits = 1
        if _LARGE in vector:
            vector, bits = vector[:7], 2
        if run >= len(vector):
            chunk = status << 13 | run
            at += run
        else:
            chunk = 0xC000 if bits == 2 else 0x8000
            for index, each in enumerate(vector):
                chunk |= each << 14 - bits * (index + 1)
            at += len(vector)
        chunks += _CHUNK.pack(chunk)
    return bytes(chunks)
