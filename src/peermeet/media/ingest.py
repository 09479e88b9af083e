"""What arrives from one source of one person: order, loss, history, requests to its sender.

No input or output and no clock: packets and times come in, packets for viewers and RTCP parts
come out. It must not know who is watching, and must not keep a packet that arrived behind a
closed gate.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from typing import Final, NamedTuple

from peermeet.media import rtp, vp8
from peermeet.media.rtcp import ReportBlock, SenderReport
from peermeet.media.sdp import Kind, LayerName

HISTORY: Final = 1024
"""Width of the window for duplicates, and libsrtp's replay window: never seal what is older."""
KEPT: Final = 256
"""Packets one layer keeps for retransmission, for all its viewers together: a second and a half of
the largest picture. They are nearly all the memory that a person takes."""
MAX_JUMP: Final = 1000
"""A larger step forward in sequence numbers is a new beginning, not loss."""
CLOCK_RATE_HZ: Final[dict[Kind, int]] = {"audio": 48_000, "video": 90_000}

KEY_FRAME_INTERVAL_S: Final[dict[Kind, float]] = {"audio": 1.0, "video": 0.5}
"""At most one request for a key frame in this time, however many people ask."""
MARK: Final = b"\x50\x4d\xe2\xee"
"""The last bytes of whatever was encrypted from end to end (docs/encryption.md, Frames)."""
NACK_AGAIN_S: Final = 0.1
NACK_TRIES: Final = 5
MAX_MISSING: Final = 64
"""Packets one layer asks for at a time; more are lost for good."""

_NUMBERS = itertools.count(1)
_HEADER = struct.Struct("!BBHI").unpack_from


class MediaPacket(NamedTuple):
    """One packet of a source, without its header. What every viewer's copy is made from."""

    sequence: int
    """Extended: grows over 16 bits, so it names the packet for good."""
    timestamp: int
    marker: int
    """0 or 0x80."""
    orientation: int
    """Video orientation, 0 to 15, or -1 if the packet carries none."""
    payload: bytes
    """Empty if the sender only filled a gap with padding."""
    descriptor: vp8.Descriptor | None
    """Of video with a payload; its positions count from the start of the payload."""
    key_frame: bool
    """Begins a picture that needs no other."""


class SenderClock:
    """How one person's NTP clock differs from ours; their voice and picture share it.

    offset_s: ours minus theirs, or None before the first sender report. It follows the
    quickest reports, because the others were held up on the way.
    """

    __slots__ = ("offset_s",)

    def __init__(self) -> None:
        self.offset_s: float | None = None

    def observe(self, theirs_s: float, ours_s: float) -> None:
        """One sender report arrived: its NTP time, and ours on arrival, both in seconds."""
        offset_s = ours_s - theirs_s
        if self.offset_s is None or offset_s < self.offset_s:
            self.offset_s = offset_s
        else:
            self.offset_s += (offset_s - self.offset_s) / 50


class Layer:
    """One SSRC. It belongs to one section for good, and its payload type is fixed."""

    __slots__ = (
        "_base",
        "_clock",
        "_clock_rate_hz",
        "_counters",
        "_expected_before",
        "_history",
        "_is_clear",
        "_is_video",
        "_jitter",
        "_key_frame_asked_at",
        "_key_frame_interval_s",
        "_missing",
        "_nack",
        "_orientation_id",
        "_measured_at",
        "_octets_before",
        "_payload_type",
        "_received_before",
        "_rtx_payload_type",
        "_seen",
        "_sender_report",
        "_sender_report_at",
        "_transit",
        "faults",
        "heard_at",
        "highest",
        "key_frame_wanted",
        "lost_now",
        "marked",
        "name",
        "number",
        "octets",
        "rate_bps",
        "received",
        "ssrc",
    )

    def __init__(
        self,
        ssrc: int,
        kind: Kind,
        payload_type: int,
        counters: Counter[str],
        clock: SenderClock,
        *,
        name: LayerName | None = None,
        rtx_payload_type: int | None = None,
        orientation_id: int = 0,
        nack: bool = False,
        marked: bool = False,
    ) -> None:
        """clock: of the person. name: of a camera's layer, None if it sends only one.
        orientation_id: extension, 0 = none. nack: ask for lost packets. marked: see there."""
        self.ssrc = ssrc
        self.name = name
        self.number = next(_NUMBERS)
        """Names this layer among all of the process; never 0."""
        self.octets = 0
        """Of payloads, duplicates left out."""
        self.rate_bps = 0.0
        """How much came in the last seconds, as `measure` saw it."""
        self.lost_now = False
        """A gap has just opened: ask without waiting for the next tick."""
        self.heard_at = 0.0
        self.faults = 0
        """Packets that were authentic and not what was negotiated."""
        self.received = 0
        self.highest = -1
        self.key_frame_wanted = False
        self.marked = marked
        """Sound and pictures that do not end in `MARK` are not encrypted, and reach nobody."""
        self._is_clear = False
        """The last picture was not encrypted, nor may this one have been from its beginning."""
        self._counters = counters
        self._clock = clock
        self._is_video = kind == "video"
        self._payload_type = payload_type
        self._rtx_payload_type = rtx_payload_type
        self._octets_before = 0
        self._measured_at = 0.0
        self._clock_rate_hz = CLOCK_RATE_HZ[kind]
        self._key_frame_interval_s = KEY_FRAME_INTERVAL_S[kind]
        self._orientation_id = orientation_id
        self._nack = nack
        self._base = 0
        self._seen = [-1] * HISTORY
        self._history: list[MediaPacket | None] = [None] * KEPT if self._is_video else []
        self._missing: dict[int, tuple[int, float]] = {}
        self._jitter = 0.0
        self._transit = 0
        self._expected_before = 0
        self._received_before = 0
        self._key_frame_asked_at = -1.0
        self._sender_report: SenderReport | None = None
        self._sender_report_at = 0.0

    def take(
        self, plain: memoryview, size: int, now: float, is_open: bool, repairs: bool = False
    ) -> MediaPacket | None:
        """Account for an opened packet of `size` bytes; answer it if viewers may have it.

        repairs: it came on this layer's source of retransmissions (RFC 4588, section 4).
        None: it is behind a closed gate, a duplicate, too old, in clear although it should be
        `marked`, or not what was negotiated (the last two are counted). Every packet must come
        through here, open gate or not, so that order and loss stay true.
        """
        first, second, sequence16, timestamp = _HEADER(plain)
        if second & 0x7F != (self._rtx_payload_type if repairs else self._payload_type):
            self._refuse("payload_type")
            return None
        offset = 12
        if first & 0x1F:
            offset = rtp.payload_offset(plain, size)
            if not offset:
                self._refuse("rtp_malformed")
                return None
        end = size
        if first & 0x20:
            end -= plain[size - 1]
            if end < offset or end == size:
                self._refuse("rtp_malformed")
                return None

        highest = self.highest
        if repairs:
            if end - offset < 2 or highest < 0:
                # Browsers probe their line with empty retransmissions.
                self._counters["drop.probe"] += 1
                return None
            sequence16 = plain[offset] << 8 | plain[offset + 1]
            offset += 2
        if highest < 0:
            # One cycle in, so that a packet from before the first has a number as well.
            sequence = sequence16 + 0x10000
            self._begin(sequence)
        else:
            sequence = highest + (((sequence16 - highest + 0x8000) & 0xFFFF) - 0x8000)
            ahead = sequence - highest
            if ahead == 1:
                self.highest = sequence
            elif ahead > MAX_JUMP:
                if repairs:
                    self._refuse("rtp_malformed")
                    return None
                self._begin(sequence)
            elif ahead > 0:
                self.highest = sequence
                if self._nack:
                    self._miss(highest + 1, sequence)
                    self.lost_now = True
            elif ahead <= -HISTORY or self._seen[sequence % HISTORY] == sequence:
                self._counters["drop.duplicate"] += 1
                return None
            elif self._missing:
                self._missing.pop(sequence, None)
        self._seen[sequence % HISTORY] = sequence
        self.heard_at = now
        self.octets += end - offset
        if not repairs:
            self.received += 1
            # Interarrival jitter, RFC 3550 appendix A.8, in timestamp units.
            transit = int(now * self._clock_rate_hz) - timestamp
            wander = (transit - self._transit) & 0xFFFFFFFF
            self._transit = transit
            if wander > 0x7FFFFFFF:
                wander = 0x100000000 - wander
            if self.received > 1:
                self._jitter += (wander - self._jitter) / 16

        if not is_open:
            return None
        payload = bytes(plain[offset:end])
        if self.marked and self._in_clear(payload, second & 0x80):
            self._counters["drop.unmarked"] += 1
            return None
        if not self._is_video:
            return MediaPacket(sequence, timestamp, second & 0x80, -1, payload, None, False)
        descriptor, key_frame = None, False
        if payload:
            descriptor = vp8.parse(payload, 0)
            if descriptor is None:
                self._refuse("not_vp8")
                return None
            key_frame = descriptor.key_frame
            if key_frame:
                self.key_frame_wanted = False
        orientation = -1
        if self._orientation_id and first & 0x10:
            value = rtp.extension(plain, offset, self._orientation_id)
            if value:
                orientation = value[0] & 15
        packet = MediaPacket(
            sequence, timestamp, second & 0x80, orientation, payload, descriptor, key_frame
        )
        self._history[sequence % KEPT] = packet
        return packet

    def _in_clear(self, payload: bytes, marker: int) -> bool:
        """Whether this is of something that is not encrypted, or may not be.

        A picture is known by its last packet alone. Without that nobody can show it; those after
        it are held back until one is seen to be encrypted, and then a key frame is wanted.
        """
        if not self._is_video:
            return not payload.endswith(MARK)
        was_clear = self._is_clear
        if marker:
            self._is_clear = not payload.endswith(MARK)
            if was_clear and not self._is_clear:
                self.key_frame_wanted = True
        return was_clear or self._is_clear

    def recall(self, sequence: int) -> MediaPacket | None:
        """The packet with this extended number, if it was let through and is recent."""
        if not self._history:
            return None
        packet = self._history[sequence % KEPT]
        return packet if packet is not None and packet.sequence == sequence else None

    def forget(self) -> None:
        """Drop the history: its gate has closed, or other people may see it from now on."""
        if self._is_video:
            self._history = [None] * KEPT
        self.key_frame_wanted = self._is_clear = False

    def want_key_frame(self) -> None:
        """Ask for one as soon as the throttle allows; `key_frame_due` says when."""
        self.key_frame_wanted = self._is_video

    def key_frame_due(self, now: float) -> bool:
        """Whether a request may leave now. If so, the caller must send it."""
        if not self.key_frame_wanted or now - self._key_frame_asked_at < self._key_frame_interval_s:
            return False
        self._key_frame_asked_at = now
        return True

    def measure(self, now: float) -> None:
        """Work out `rate_bps`, an average over about a second. Call it some times a second."""
        passed_s = now - self._measured_at
        if passed_s <= 0:
            return
        rate_bps = (self.octets - self._octets_before) * 8 / passed_s
        self._octets_before, self._measured_at = self.octets, now
        self.rate_bps += (rate_bps - self.rate_bps) * min(1.0, passed_s)

    def lost_due(self, now: float) -> list[int]:
        """Sequence numbers (16 bits, ascending) to ask for again now; the caller must ask."""
        due = []
        self.lost_now = False
        for sequence, (tries, at) in list(self._missing.items()):
            if sequence <= self.highest - HISTORY or tries >= NACK_TRIES:
                del self._missing[sequence]
            elif at <= now:
                self._missing[sequence] = (tries + 1, now + NACK_AGAIN_S)
                due.append(sequence & 0xFFFF)
        return due

    def report(self, now: float) -> ReportBlock:
        """Reception since the last call (RFC 3550 section 6.4.1, appendix A.3)."""
        expected = self.highest - self._base + 1
        expected_now = expected - self._expected_before
        received_now = self.received - self._received_before
        self._expected_before, self._received_before = expected, self.received
        lost_now = expected_now - received_now
        fraction = min(255, (lost_now << 8) // expected_now) if lost_now > 0 else 0
        lsr = dlsr = 0
        if self._sender_report is not None:
            lsr = (self._sender_report.ntp >> 16) & 0xFFFFFFFF
            dlsr = min(0xFFFFFFFF, int((now - self._sender_report_at) * 65536))
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=expected - self.received,
            highest_sequence=(self.highest - 0x10000) & 0xFFFFFFFF,
            jitter=min(0xFFFFFFFF, int(self._jitter)),
            lsr=lsr,
            dlsr=dlsr,
        )

    def on_sender_report(self, report: SenderReport, now: float, ntp_s: float) -> None:
        """Remember the sender's pair of clocks, for lip sync and round-trip time.

        now: monotonic; ntp_s: our NTP clock, both in seconds on arrival.
        """
        self._sender_report, self._sender_report_at = report, now
        self._clock.observe(report.ntp / 2**32, ntp_s)

    def timestamp_at(self, ntp_s: float) -> int | None:
        """The source's RTP timestamp, not masked to 32 bits, at a time of our NTP clock.

        None before its first sender report.
        """
        report, offset_s = self._sender_report, self._clock.offset_s
        if report is None or offset_s is None:
            return None
        elapsed_s = ntp_s - offset_s - report.ntp / 2**32
        return report.rtp + int(elapsed_s * self._clock_rate_hz)

    def _refuse(self, why: str) -> None:
        self.faults += 1
        self._counters[f"drop.{why}"] += 1

    def _begin(self, sequence: int) -> None:
        self.highest = sequence
        self._base = sequence
        self.received = 0
        self._expected_before = self._received_before = 0
        self._missing.clear()

    def _miss(self, first: int, end: int) -> None:
        for sequence in range(first, end):
            if len(self._missing) >= MAX_MISSING:
                self._counters["lost.not_asked"] += end - sequence
                return
            self._missing[sequence] = (0, 0.0)
