"""What one person receives in one of their sections: a single, unbroken stream.

Whoever is heard or seen there, and in whichever layer, the viewer's browser gets one SSRC whose
sequence numbers, timestamps and VP8 picture numbers never jump back. Each stretch of one source
has its own offsets, and no number is used twice: AES-GCM breaks when one sequence number seals
two different packets. So a packet from before its stretch is dropped, and a retransmission has a
source and numbers of its own (RTX, RFC 4588) or repeats the very bytes; the transport-wide number,
which differs each time, is therefore only on sections that never repeat bytes.

No input or output and no clock: `forward` writes a packet into a buffer.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from typing import Final

from peermeet.media import rtp, vp8
from peermeet.media.ingest import CLOCK_RATE_HZ, HISTORY, MAX_JUMP, Layer, MediaPacket
from peermeet.media.rtcp import SenderReport
from peermeet.media.sdp import Kind

REPEAT_AGAIN_S: Final = 0.1
"""One packet is repeated at most this often."""
TRANSPORT_SEQUENCE_AT: Final = 17
"""Where a packet with a transport-wide number has it: the first element of the first extension."""
REPEATS_PER_S: Final = 60.0
REPEAT_BURST: Final = 30.0
PATIENCE: Final = 5.0
"""Key frames a viewer that has lost packets may ask for although the last one was sent to it."""
PATIENCE_PER_S: Final = 0.1
"""It grows again, or a viewer on a bad network would stay blind for good."""
ASK_AGAIN_S: Final = (8.0, 16.0, 32.0, 60.0)
"""A viewer that has lost nothing and asks all the same waits so long for its next key frame, each
time longer, until it has asked for none as long as the last. It may have another key."""
MAX_REPORT_DRIFT_S: Final = 5
"""A sender report that is further from the packets than this is not believed."""


_SHORT = struct.Struct("!H").pack_into
_LONG = struct.Struct("!I").pack_into

_Head = tuple[Callable[..., None], int, bytes, int]
"""Packs header and extensions; its first byte, the extensions, and where the payload starts."""


class State:
    """The numbers of one writer that its copies are made of.

    The compiled loop (fanout.c) has a structure with the same members; this is the plain one.
    """

    __slots__ = (
        "counts_transport",
        "first_in",
        "has_begun",
        "has_picture",
        "is_waiting",
        "key_frame_passed",
        "last_at",
        "last_picture",
        "last_sequence",
        "last_timestamp",
        "last_tl0",
        "layer",
        "octets",
        "packets",
        "picture_offset",
        "sequence_offset",
        "timestamp_offset",
        "tl0_offset",
    )

    def __init__(self) -> None:
        self.layer = 0
        """Number of the layer that is shown, 0 = none."""
        self.is_waiting: bool | int = True
        self.counts_transport: bool | int = False
        self.key_frame_passed: bool | int = False
        self.has_begun: bool | int = False
        """A packet was sent, so the members about the last one mean something."""
        self.has_picture: bool | int = False
        self.first_in = 0
        self.sequence_offset = self.timestamp_offset = self.picture_offset = self.tl0_offset = 0
        self.last_sequence = 0
        self.last_timestamp = self.last_picture = self.last_tl0 = 0
        """As the source numbers them; the sequence number above is ours."""
        self.last_at = 0.0
        self.packets = self.octets = 0


class SeatWriter:
    """One section of one viewer, and the state of what was sent on it."""

    __slots__ = (
        "_again_at",
        "_asked",
        "_beginning",
        "_clock_rate_hz",
        "_has_lost",
        "_heads",
        "_is_video",
        "_layer",
        "_mid_id",
        "_orientation_id",
        "_out",
        "_patience",
        "_patience_at",
        "_repeated_at",
        "_repeats",
        "_repeats_at",
        "_rtx_payload_type",
        "_rtx_sequence",
        "_rtx_ssrc",
        "_transport_cc_id",
        "counts_transport",
        "mid",
        "payload_type",
        "ssrc",
        "state",
        "wanted",
    )

    def __init__(
        self,
        mid: str,
        kind: Kind,
        payload_type: int,
        out: memoryview,
        *,
        ssrc: int,
        state: State | None = None,
        rtx_ssrc: int = 0,
        rtx_payload_type: int | None = None,
        mid_id: int = 0,
        orientation_id: int = 0,
        transport_cc_id: int = 0,
    ) -> None:
        """out: packets are written to its start. rtx_payload_type: None repeats the very bytes.
        mid_id, orientation_id, transport_cc_id: extensions, 0 = none.
        """
        self.mid = mid
        self.ssrc = ssrc
        self.state = state = state or State()
        self._layer: Layer | None = None
        self.wanted: Layer | None = None
        """Another layer of the same camera, which takes over with its next key frame."""
        self.counts_transport = bool(transport_cc_id) and (
            kind == "audio" or rtx_payload_type is not None
        )
        """Whether each packet has room for a transport-wide number, at `TRANSPORT_SEQUENCE_AT`."""
        state.counts_transport = self.counts_transport
        # RFC 3550 wants a random start; below 2**15, as RFC 3711 section 3.3.1 advises.
        state.last_sequence = 0x10000 + secrets.randbelow(0x8000)
        self._is_video = kind == "video"
        self.payload_type = payload_type
        self._clock_rate_hz = CLOCK_RATE_HZ[kind]
        self._out = out
        self._mid_id = mid_id
        self._orientation_id = orientation_id
        self._transport_cc_id = transport_cc_id if self.counts_transport else 0
        self._rtx_ssrc = rtx_ssrc
        self._rtx_payload_type = rtx_payload_type
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._heads: dict[int, _Head] = {}
        self._beginning = (
            secrets.randbelow(1 << 32),
            secrets.randbelow(1 << 15),
            secrets.randbelow(1 << 8),
        )
        self._repeated_at: dict[int, float] = {}
        self._repeats = REPEAT_BURST
        self._repeats_at = 0.0
        self._patience = PATIENCE
        self._patience_at = 0.0
        self._has_lost = False
        self._asked = 0
        self._again_at = 0.0

    @property
    def layer(self) -> Layer | None:
        """What is shown."""
        return self._layer

    @layer.setter
    def layer(self, layer: Layer | None) -> None:
        self._layer = layer
        self.state.layer = layer.number if layer is not None else 0

    @property
    def is_waiting(self) -> bool:
        """Whether nothing passes before a key frame (video) or any packet (audio)."""
        return bool(self.state.is_waiting)

    def point(self, layer: Layer | None) -> None:
        """Show this source from now on; None shows nobody. The same source goes on unbroken.

        A new video source starts with its next key frame, which the caller must ask for.
        """
        self.wanted = None
        if layer is not self.layer:
            self.layer = layer
            self._patience = PATIENCE
            self._asked, self._again_at = 0, 0.0
            self.pause()

    def turn_to(self, layer: Layer) -> None:
        """Show another layer of the same camera, which the caller must ask for a key frame.

        What is shown goes on until it comes, so that the picture does not stand still.
        """
        if self.layer is None or self.is_waiting:
            self.point(layer)
        else:
            self.wanted = layer if layer is not self.layer else None

    def follows(self, layer: Layer, packet: MediaPacket) -> bool:
        """Whether a packet of this layer is for `forward`; turns to the layer if it is time."""
        if layer is self.layer:
            return True
        if layer is not self.wanted or not packet.key_frame:
            return False
        self.layer, self.wanted = layer, None
        self.pause()
        return True

    def pause(self) -> None:
        """Start anew with the source's next key frame (video) or packet (audio)."""
        self.state.is_waiting = True
        self.state.key_frame_passed = False
        self._repeated_at.clear()

    def forward(self, packet: MediaPacket, now: float) -> int:
        """Write the viewer's copy of a packet of `layer`; answer its length, 0 = none.

        The transport-wide number, if it `counts_transport`, is the caller's to write.
        """
        state = self.state
        if state.is_waiting:
            if self._is_video and not packet.key_frame:
                return 0
            self._start(packet, now)
        sequence = packet.sequence
        sent = sequence + state.sequence_offset
        ahead = sent - state.last_sequence
        if ahead > 0:
            if ahead > MAX_JUMP:
                # The source began anew. Its numbers must not carry the viewer's along: a
                # jump of 2**15 would put the browser's rollover counter out of step for good.
                self.pause()
                return self.forward(packet, now)
            state.last_sequence = sent
            state.last_timestamp = packet.timestamp
            state.last_at = now
            state.has_begun = True
            descriptor = packet.descriptor
            if descriptor is not None:
                state.last_picture, state.last_tl0 = descriptor.picture_id, descriptor.tl0
                state.has_picture = True
                if packet.key_frame:
                    state.key_frame_passed = True
        elif sequence < state.first_in or ahead <= -HISTORY:
            return 0
        state.packets += 1
        state.octets += len(packet.payload)
        return self._write(packet)

    def repeat(self, sequence: int, now: float) -> int:
        """Write once more what was sent as `sequence` (16 bits); answer its length.

        0: it is not of this stretch, no longer kept, or asked for more often than allowed.
        """
        last = self.state.last_sequence
        sent = rtp.extend_sequence(last, sequence)
        original = sent - self.state.sequence_offset
        if (
            self.layer is None
            or self.is_waiting
            or original < self.state.first_in
            or not last - HISTORY < sent <= last
        ):
            return 0
        packet = self.layer.recall(original)
        if packet is None:
            return 0
        grown = (now - self._repeats_at) * REPEATS_PER_S
        self._repeats = min(REPEAT_BURST, self._repeats + grown)
        self._repeats_at = now
        if self._repeats < 1 or now - self._repeated_at.get(sent, -1.0) < REPEAT_AGAIN_S:
            return 0
        self._repeats -= 1
        if len(self._repeated_at) > HISTORY:
            self._repeated_at.clear()
        self._repeated_at[sent] = now
        if self._rtx_payload_type is None:
            return self._write(packet)
        return self._write_rtx(packet)

    def note_loss(self) -> None:
        """The viewer has told of packets of this section that did not reach it."""
        self._has_lost = True

    def may_ask_key_frame(self, now: float) -> bool:
        """Whether this viewer's request for a key frame deserves one.

        A viewer that cannot decode at all (a wrong key) asks for ever, and each key frame costs
        everybody. Who has not had the last one gets it.
        """
        if self.layer is None or not self._is_video:
            return False
        if not self.state.key_frame_passed:
            return True
        if not (self._has_patience(now) if self._has_lost else self._may_ask_again(now)):
            return False
        self._has_lost = False
        self.state.key_frame_passed = False
        return True

    def _has_patience(self, now: float) -> bool:
        grown = (now - self._patience_at) * PATIENCE_PER_S
        self._patience = min(PATIENCE, self._patience + grown)
        self._patience_at = now
        if self._patience < 1:
            return False
        self._patience -= 1
        return True

    def _may_ask_again(self, now: float) -> bool:
        if now < self._again_at:
            return False
        if now - self._again_at > ASK_AGAIN_S[-1]:
            self._asked = 0
        self._again_at = now + ASK_AGAIN_S[min(self._asked, len(ASK_AGAIN_S) - 1)]
        self._asked += 1
        return True

    def report(self, now: float, ntp_s: float) -> SenderReport | None:
        """Our sender report (RFC 3550 section 6.4.1), or None while nothing flows.

        now: monotonic; ntp_s: our NTP clock; both in seconds, of the same moment.
        """
        state = self.state
        if self.layer is None or state.is_waiting or not state.has_begun:
            return None
        timestamp = state.last_timestamp + state.timestamp_offset
        timestamp += int((now - state.last_at) * self._clock_rate_hz)
        original = self.layer.timestamp_at(ntp_s)
        if original is not None:
            # The sender's own clocks keep voice and picture together; a lie is not passed on.
            told = original + state.timestamp_offset
            drift = rtp.signed_difference(told, timestamp)
            if abs(drift) <= MAX_REPORT_DRIFT_S * self._clock_rate_hz:
                timestamp = told
        return SenderReport(
            self.ssrc, int(ntp_s * 2**32), timestamp & 0xFFFFFFFF, state.packets, state.octets
        )

    def _start(self, packet: MediaPacket, now: float) -> None:
        """Offsets that continue what was sent last; it has those of its own stretch still."""
        state = self.state
        timestamp, picture, tl0 = self._beginning
        if state.has_begun:
            timestamp = state.last_timestamp + state.timestamp_offset
            timestamp += max(1, int((now - state.last_at) * self._clock_rate_hz))
        if state.has_picture:
            picture = state.last_picture + state.picture_offset + 1
            tl0 = state.last_tl0 + state.tl0_offset + 1
        state.first_in = packet.sequence
        state.sequence_offset = state.last_sequence + 1 - packet.sequence
        state.timestamp_offset = timestamp - packet.timestamp
        if packet.descriptor is not None:
            state.picture_offset = picture - packet.descriptor.picture_id
            state.tl0_offset = tl0 - packet.descriptor.tl0
        state.is_waiting = False

    def _write(self, packet: MediaPacket) -> int:
        """The copy itself: depends on the packet and the offsets, on nothing else."""
        state = self.state
        sequence, timestamp, marker, orientation, payload, descriptor, _ = packet
        pack, first, tail, offset = self._heads.get(orientation) or self._head(orientation)
        out = self._out
        end = offset + len(payload)
        out[offset:end] = payload
        pack(
            out,
            0,
            first,
            marker | self.payload_type,
            (sequence + state.sequence_offset) & 0xFFFF,
            (timestamp + state.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
            tail,
        )
        if descriptor is not None:
            vp8.rewrite(
                out,
                descriptor,
                descriptor.picture_id + state.picture_offset,
                descriptor.tl0 + state.tl0_offset,
                offset,
            )
        return end

    def _write_rtx(self, packet: MediaPacket) -> int:
        """The copy as a retransmission: the original number goes before the payload (RFC 4588)."""
        end, out = self._write(packet), self._out
        begin = end - len(packet.payload)
        out[begin + 2 : end + 2] = bytes(out[begin:end])
        out[begin : begin + 2] = bytes(out[2:4])
        self._rtx_sequence += 1
        out[1] = packet.marker | (self._rtx_payload_type or 0)
        _SHORT(out, 2, self._rtx_sequence & 0xFFFF)
        _LONG(out, 8, self._rtx_ssrc)
        return end + 2

    def head(self) -> bytes:
        """What stands between the fixed header and the payload of a packet without orientation."""
        return (self._heads.get(-1) or self._head(-1))[2]

    def _head(self, orientation: int) -> _Head:
        """How a packet's header is written, made once for each of the 17 orientations."""
        elements = []
        if self._transport_cc_id:
            elements.append((self._transport_cc_id, bytes(2)))
        if self._mid_id:
            elements.append((self._mid_id, self.mid.encode()))
        if self._orientation_id and orientation >= 0:
            elements.append((self._orientation_id, bytes((orientation,))))
        tail = rtp.extension_block(elements)
        pack = struct.Struct(f"!BBHII{len(tail)}s").pack_into
        head = self._heads[orientation] = (pack, 0x90 if tail else 0x80, tail, 12 + len(tail))
        return head
