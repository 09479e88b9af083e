"""One packet to all who are shown it, the part of the worker that costs the most.

Two ways do the same: this module in plain Python, and, where it has been compiled when the package
was built, a loop in C (fanout.c) for the plain next packet of a stretch that flows, which leaves
everything else to the plain way. `choose` decides once, at start. Who is shown what was settled
before (circle.py, peer.py); what a copy looks like is seat.py's.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pylibsrtp

from peermeet.media import srtp
from peermeet.media.ingest import Layer, MediaPacket
from peermeet.media.seat import TRANSPORT_SEQUENCE_AT, SeatWriter, State

if TYPE_CHECKING:
    from peermeet.media.peer import Peer

Viewer = tuple[SeatWriter, "Peer"]
"""Where a copy is written, and to whom it is sent."""

_SHORT = struct.Struct("!H").pack_into
_PACKET = struct.Struct("@qqiiiiiiiii").pack_into
"""`media_packet` of fanout.h."""
_LEFT = 1

logger = logging.getLogger(__name__)


class FanOut(Protocol):
    """How packets are copied and sent."""

    def state(self) -> State:
        """The numbers of a new writer."""

    def settle(self, viewers: Sequence[Viewer]) -> Any:
        """Make ready to send to these; the answer is for `send`."""

    def follow(self, peer: Peer) -> None:
        """A person's keys or address have changed: send there from now on, or no more."""

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        """Send copies of a packet of a layer; answer how many went out. Counts what did not.

        Wants a key frame of the layer where a viewer waits for one.
        """


class PlainFanOut:
    """The loop in Python."""

    def __init__(self, engine: srtp.Engine, counters: Counter[str]) -> None:
        self._engine = engine
        self._counters = counters

    def state(self) -> State:
        return State()

    def settle(self, viewers: Sequence[Viewer]) -> Any:
        return None

    def follow(self, peer: Peer) -> None:
        """Each packet asks the peer anew."""

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        counters, sealing = self._counters, self._engine.sealing
        sent = 0
        for writer, peer in viewers:
            seal = peer.seal
            if seal is None:
                continue
            if writer.layer is not layer and not writer.follows(layer, packet):
                # Whatever became of the last key frame: this viewer has not had it.
                layer.want_key_frame()
                continue
            length = writer.forward(packet, now)
            if not length:
                if writer.is_waiting:
                    layer.want_key_frame()
                continue
            if writer.counts_transport:
                _SHORT(sealing, TRANSPORT_SEQUENCE_AT, peer.departures.sent(length, now))
            length = seal(length)
            if not length:
                counters["drop.seal"] += 1
                continue
            try:
                peer.agent.sendto(sealing[:length], peer.agent.address)  # type: ignore[arg-type]
            except OSError:
                counters["drop.send"] += 1
            else:
                sent += 1
        return sent


class CompiledFanOut(PlainFanOut):
    """The loop in C. Raises ImportError, AttributeError or TypeError if it cannot be had."""

    def __init__(self, engine: srtp.Engine, counters: Counter[str]) -> None:
        super().__init__(engine, counters)
        from pylibsrtp._binding import ffi, lib

        from peermeet.media._fanout import ffi as own
        from peermeet.media._fanout import lib as loop

        self._srtp, self._ffi, self._fan_out = ffi, own, loop.fan_out
        address = int(ffi.cast("uintptr_t", ffi.addressof(lib, "srtp_protect")))
        self._protect = own.cast("void *", address)
        self._packet = own.new("media_packet *")
        self._buffer = own.buffer(self._packet)
        self._outcomes = own.new("uint8_t[]", 64)
        self._totals = own.new("int[]", loop.OUTCOMES)

    def state(self) -> State:
        state: State = self._ffi.new("writer *")
        state.is_waiting = 1
        return state

    def settle(self, viewers: Sequence[Viewer]) -> Any:
        for writer, peer in viewers:
            state: Any = writer.state
            if not state.by:
                head = writer.head()
                state.by, state.ssrc = self._path(peer), writer.ssrc
                state.payload_type, state.head_size = writer.payload_type, len(head)
                state.head[0 : len(head)] = head
        # The array does not keep what it points to; whoever has `ready` has the viewers as well.
        return self._ffi.new("writer *[]", [writer.state for writer, _ in viewers])

    def follow(self, peer: Peer) -> None:
        path, agent = self._path(peer), peer.agent
        context = peer.outgoing
        own = getattr(agent.sendto, "__self__", None)
        path.session, path.socket = self._ffi.NULL, -1
        if context is not None and agent.address is not None:
            pointer = int(self._srtp.cast("uintptr_t", context._srtp[0]))
            path.session = self._ffi.cast("void *", pointer)
            if isinstance(own, socket.socket):
                packed = _socket_address(own.family, agent.address)
                path.address_size = len(packed)
                path.address[0 : len(packed)] = packed
                path.socket = own.fileno()

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        sequence, timestamp, marker, orientation, payload, descriptor, key_frame = packet
        if orientation >= 0 or not viewers:
            return super().send(layer, viewers, ready, packet, now)
        if descriptor is None:
            _PACKET(self._buffer, 0, sequence, timestamp, len(payload), marker, *_NO_PICTURE)
        else:
            _, _, picture_id_at, bits, tl0_at, _, picture_id, tl0 = descriptor
            _PACKET(
                *(self._buffer, 0, sequence, timestamp, len(payload), marker, 1, key_frame),
                *(picture_id_at, bits, picture_id, tl0_at, tl0),
            )
        outcomes, totals, count = self._outcomes, self._totals, len(viewers)
        self._fan_out(
            *(self._protect, ready, count, layer.number, self._packet, payload, now),
            *(outcomes, totals),
        )
        sent, left, _, not_sealed, not_sent = totals
        if left:
            rest = [viewer for at, viewer in enumerate(viewers) if outcomes[at] == _LEFT]
            sent += super().send(layer, rest, None, packet, now)
        if not_sealed:
            self._counters["drop.seal"] += not_sealed
        if not_sent:
            self._counters["drop.send"] += not_sent
        answer: int = sent
        return answer

    def _path(self, peer: Peer) -> Any:
        """Where copies for this person go; made once."""
        if peer.path is None:
            new, departures = self._ffi.from_buffer, peer.departures
            path = peer.path = self._ffi.new("path *", {"socket": -1})
            kept = peer.path_keeps = [
                new("int64_t[]", departures.next_sequence),
                new("double[]", departures.sent_at),
                new("int32_t[]", departures.sizes),
            ]
            path.departures, path.sent_at, path.sizes = kept
            path.slots = len(departures.sizes)
        return peer.path


_NO_PICTURE = (0,) * 7


def _socket_address(family: int, address: Any) -> bytes:
    """`struct sockaddr_in` or `sockaddr_in6` of Linux, as sendto(2) takes it."""
    host, port = address[0], address[1]
    if family == socket.AF_INET:
        return struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(host))
    flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return struct.pack("=HHI16sI", family, socket.htons(port), flow, packed, scope)


def choose(engine: srtp.Engine, counters: Counter[str]) -> FanOut:
    """The compiled loop if there is one and libsrtp can be reached from it, said in the log."""
    if isinstance(engine, srtp.FastEngine):
        try:
            return CompiledFanOut(engine, counters)
        except (ImportError, AttributeError, TypeError, pylibsrtp.Error) as fault:
            logger.warning("forwarding in plain Python fault=%s", type(fault).__name__)
    return PlainFanOut(engine, counters)
