"""What arrives from one source of one person: order, loss, history, requests to its sender.

No input or output and no clock: packets and times come in, packets for viewers and RTCP parts
come out. It must not know who is watching, and must not keep a packet that arrived behind a
closed gate.
"""

from __future__ import annotations

import itertools
import struct
from array import array
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


class State:
    """The numbers of one layer that its packets are counted with.

    The compiled loop (ingest.c) has a structure with the same members; this is the plain one.
    """

    __slots__ = (
        "clock_rate_hz",
        "heard_at",
        "highest",
        "is_clear",
        "is_video",
        "jitter",
        "key_frame_wanted",
        "marked",
        "number",
        "octets",
        "orientation_id",
        "payload_type",
        "received",
        "ssrc",
        "transit",
    )

    def __init__(self) -> None:
        self.number = 0
        """Names the layer among all of the process; never 0 in use."""
        self.ssrc = 0
        self.payload_type = 0
        self.is_video: bool | int = False
        self.clock_rate_hz = 0
        self.orientation_id = 0
        """Extension, 0 = none."""
        self.highest = -1
        """The newest extended sequence number, -1 before the first."""
        self.received = 0
        """Since `highest` began to count, retransmissions and duplicates left out."""
        self.octets = 0
        """Of payloads, duplicates left out."""
        self.heard_at = 0.0
        self.jitter = 0.0
        self.transit = 0
        self.key_frame_wanted: bool | int = False
        self.marked: bool | int = False
        """Sound and pictures that do not end in `MARK` are not encrypted, and reach nobody."""
        self.is_clear: bool | int = False
        """The last picture was not encrypted, nor may this one have been from its beginning."""


class History:
    """The last packets of a layer that were let through, for whoever asks for them again."""

    __slots__ = ("_packets",)

    def __init__(self) -> None:
        self._packets: list[MediaPacket | None] = [None] * KEPT

    def keep(self, packet: MediaPacket) -> None:
        """In the place of the one `KEPT` before; not in that of a newer one."""
        place = packet.sequence % KEPT
        there = self._packets[place]
        if there is None or there.sequence < packet.sequence:
            self._packets[place] = packet

    def recall(self, sequence: int) -> MediaPacket | None:
        """The packet with this extended number."""
        packet = self._packets[sequence % KEPT]
        return packet if packet is not None and packet.sequence == sequence else None

    def open(self) -> None:
        """Packets will be kept from now on."""

    def forget(self) -> None:
        """All of them."""
        self._packets = [None] * KEPT


class Layer:
    """One SSRC. It belongs to one section for good, and its payload type is fixed."""

    __slots__ = (
        "_base",
        "_clock",
        "_counters",
        "_expected_before",
        "_history",
        "_key_frame_asked_at",
        "_key_frame_interval_s",
        "_measured_at",
        "_missing",
        "_nack",
        "_octets_before",
        "_received_before",
        "_rtx_payload_type",
        "_sender_report",
        "_sender_report_at",
        "faults",
        "lost_now",
        "name",
        "number",
        "rate_bps",
        "seen",
        "ssrc",
        "state",
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
        state: State | None = None,
        history: History | None = None,
    ) -> None:
        """clock: of the person. name: of a camera's layer, None if it sends only one.
        orientation_id, marked: see State. nack: ask for lost packets. history: of pictures."""
        self.state = state = state or State()
        self.ssrc = state.ssrc = ssrc
        self.name = name
        self.number = state.number = next(_NUMBERS)
        state.payload_type = payload_type
        state.is_video = kind == "video"
        state.clock_rate_hz = CLOCK_RATE_HZ[kind]
        state.orientation_id = orientation_id
        state.marked = marked
        self.rate_bps = 0.0
        """How much came in the last seconds, as `measure` saw it."""
        self.lost_now = False
        """A gap has just opened: ask without waiting for the next tick."""
        self.faults = 0
        """Packets that were authentic and not what was negotiated."""
        self.seen = array("q", [-1]) * HISTORY
        """The numbers that came, each at its place modulo the size."""
        self._counters = counters
        self._clock = clock
        self._rtx_payload_type = rtx_payload_type
        self._octets_before = 0
        self._measured_at = 0.0
        self._key_frame_interval_s = KEY_FRAME_INTERVAL_S[kind]
        self._nack = nack
        self._base = 0
        self._history = (history or History()) if kind == "video" else None
        self._missing: dict[int, tuple[int, float]] = {}
        self._expected_before = 0
        self._received_before = 0
        self._key_frame_asked_at = -1.0
        self._sender_report: SenderReport | None = None
        self._sender_report_at = 0.0

    @property
    def heard_at(self) -> float:
        """Monotonic seconds of the last packet."""
        return self.state.heard_at

    @property
    def is_asking(self) -> bool:
        """Whether a key frame or lost packets may have to be asked for."""
        return bool(self.state.key_frame_wanted or self._missing)

    @property
    def key_frame_wanted(self) -> bool:
        """Whether `key_frame_due` is to be asked."""
        return bool(self.state.key_frame_wanted)

    def take(
        self, plain: memoryview, size: int, now: float, is_open: bool, repairs: bool = False
    ) -> MediaPacket | None:
        """Account for an opened packet of `size` bytes; answer it if viewers may have it.

        repairs: it came on this layer's source of retransmissions (RFC 4588, section 4).
        None: it is behind a closed gate, a duplicate, too old, in clear although it should be
        `marked`, or not what was negotiated (the last two are counted). Every packet must come
        through here, open gate or not, so that order and loss stay true.
        """
        state = self.state
        first, second, sequence16, timestamp = _HEADER(plain)
        if second & 0x7F != (self._rtx_payload_type if repairs else state.payload_type):
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

        highest = state.highest
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
                state.highest = sequence
            elif ahead > MAX_JUMP:
                if repairs:
                    self._refuse("rtp_malformed")
                    return None
                self._begin(sequence)
            elif ahead > 0:
                state.highest = sequence
                if self._nack:
                    self._miss(highest + 1, sequence)
                    self.lost_now = True
            elif ahead <= -HISTORY or self.seen[sequence % HISTORY] == sequence:
                self._counters["drop.duplicate"] += 1
                return None
            elif self._missing:
                self._missing.pop(sequence, None)
        self.seen[sequence % HISTORY] = sequence
        state.heard_at = now
        state.octets += end - offset
        if not repairs:
            state.received += 1
            # Interarrival jitter, RFC 3550 appendix A.8, in timestamp units.
            transit = int(now * state.clock_rate_hz) - timestamp
            wander = (transit - state.transit) & 0xFFFFFFFF
            state.transit = transit
            if wander > 0x7FFFFFFF:
                wander = 0x100000000 - wander
            if state.received > 1:
                state.jitter += (wander - state.jitter) / 16

        if not is_open:
            return None
        payload = bytes(plain[offset:end])
        if state.marked and self._in_clear(payload, second & 0x80):
            self.refuse_clear()
            return None
        if self._history is None:
            return MediaPacket(sequence, timestamp, second & 0x80, -1, payload, None, False)
        descriptor, key_frame = None, False
        if payload:
            descriptor = vp8.parse(payload, 0)
            if descriptor is None:
                self.refuse_picture()
                return None
            key_frame = descriptor.key_frame
            if key_frame:
                state.key_frame_wanted = False
        orientation = -1
        if state.orientation_id and first & 0x10:
            value = rtp.extension(plain, offset, state.orientation_id)
            if value:
                orientation = value[0] & 15
        packet = MediaPacket(
            sequence, timestamp, second & 0x80, orientation, payload, descriptor, key_frame
        )
        self._history.keep(packet)
        return packet

    def refuse_clear(self) -> None:
        """Count a packet that is not encrypted although it should be."""
        self._counters["drop.unmarked"] += 1

    def refuse_picture(self) -> None:
        """Count a packet that is no VP8."""
        self._refuse("not_vp8")

    def _in_clear(self, payload: bytes, marker: int) -> bool:
        """Whether this is of something that is not encrypted, or may not be.

        A picture is known by its last packet alone. Without that nobody can show it; those after
        it are held back until one is seen to be encrypted, and then a key frame is wanted.
        """
        state, is_clear = self.state, not payload.endswith(MARK)
        if not state.is_video:
            return is_clear
        was_clear = bool(state.is_clear)
        if not marker:
            return was_clear
        state.is_clear = is_clear
        if was_clear and not is_clear:
            state.key_frame_wanted = True
        return was_clear or is_clear

    def recall(self, sequence: int) -> MediaPacket | None:
        """The packet with this extended number, if it was let through and is recent."""
        return self._history.recall(sequence) if self._history is not None else None

    def open_history(self) -> None:
        """Its gate has opened."""
        if self._history is not None:
            self._history.open()

    def forget(self) -> None:
        """Drop the history: its gate has closed, or other people may see it from now on."""
        if self._history is not None:
            self._history.forget()
        self.state.key_frame_wanted = self.state.is_clear = False

    def want_key_frame(self) -> None:
        """Ask for one as soon as the throttle allows; `key_frame_due` says when."""
        self.state.key_frame_wanted = self._history is not None

    def key_frame_due(self, now: float) -> bool:
        """Whether a request may leave now. If so, the caller must send it."""
        if (
            not self.state.key_frame_wanted
            or now - self._key_frame_asked_at < self._key_frame_interval_s
        ):
            return False
        self._key_frame_asked_at = now
        return True

    def measure(self, now: float) -> None:
        """Work out `rate_bps`, an average over about a second. Call it some times a second."""
        passed_s = now - self._measured_at
        if passed_s <= 0:
            return
        octets = self.state.octets
        rate_bps = (octets - self._octets_before) * 8 / passed_s
        self._octets_before, self._measured_at = octets, now
        self.rate_bps += (rate_bps - self.rate_bps) * min(1.0, passed_s)

    def lost_due(self, now: float) -> list[int]:
        """Sequence numbers (16 bits, ascending) to ask for again now; the caller must ask."""
        due = []
        self.lost_now = False
        for sequence, (tries, at) in list(self._missing.items()):
            if sequence <= self.state.highest - HISTORY or tries >= NACK_TRIES:
                del self._missing[sequence]
            elif at <= now:
                self._missing[sequence] = (tries + 1, now + NACK_AGAIN_S)
                due.append(sequence & 0xFFFF)
        return due

    def report(self, now: float) -> ReportBlock:
        """Reception since the last call (RFC 3550 section 6.4.1, appendix A.3)."""
        state = self.state
        expected = state.highest - self._base + 1
        expected_now = expected - self._expected_before
        received_now = state.received - self._received_before
        self._expected_before, self._received_before = expected, state.received
        lost_now = expected_now - received_now
        fraction = min(255, (lost_now << 8) // expected_now) if lost_now > 0 else 0
        lsr = dlsr = 0
        if self._sender_report is not None:
            lsr = (self._sender_report.ntp >> 16) & 0xFFFFFFFF
            dlsr = min(0xFFFFFFFF, int((now - self._sender_report_at) * 65536))
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=expected - state.received,
            highest_sequence=(state.highest - 0x10000) & 0xFFFFFFFF,
            jitter=min(0xFFFFFFFF, int(state.jitter)),
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
        return report.rtp + int(elapsed_s * self.state.clock_rate_hz)

    def _refuse(self, why: str) -> None:
        self.faults += 1
        self._counters[f"drop.{why}"] += 1

    def _begin(self, sequence: int) -> None:
        self.state.highest = self._base = sequence
        self.state.received = 0
        self._expected_before = self._received_before = 0
        self._missing.clear()

    def _miss(self, first: int, end: int) -> None:
        for sequence in range(first, end):
            if len(self._missing) >= MAX_MISSING:
                self._counters["lost.not_asked"] += end - sequence
                return
            self._missing[sequence] = (0, 0.0)
