"""The compiled loop (ingest.c, twcc.c, fanout.c), as far as Python has a part in it.

It waits for the event loop, reads a socket, opens what comes, notes when it came, and sends copies
to all who are shown it, while that is the plain next packet of a source that flows; it reads and
makes transport-wide feedback. Python is woken for the rest, which is done by the modules whose
rules these are: mux.py, peer.py, ingest.py, twcc.py, seat.py.
"""

from __future__ import annotations

import itertools
import mmap
import selectors
import socket
import struct
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from peermeet.media import ingest, seat, srtp, vp8
from peermeet.media._fanout import ffi, lib
from peermeet.media.fanout import PlainFanOut, Readable, Viewer
from peermeet.media.icelite import Address
from peermeet.media.ingest import KEPT, Layer, MediaPacket

if TYPE_CHECKING:
    from peermeet.media.peer import Peer

_PACKET = struct.Struct("@qqiiiiiiiii").pack_into
"""`media_packet` of fanout.h."""
_REPORT = struct.Struct("@iiiiqqddd")
"""`report` of it."""
_NO_PICTURE = (0,) * 7


class History(ingest.History):
    """Of a layer whose packets the compiled loop keeps by itself, and others here."""

    __slots__ = ("_memory", "_state")

    def __init__(self, state: Any) -> None:
        super().__init__()
        self._state = state
        self._memory: Any = None

    def open(self) -> None:
        """Have room for what the loop keeps. Nothing of it is touched before a packet comes."""
        if self._memory is None:
            size = KEPT * ffi.sizeof("kept_packet")
            self._memory = ffi.from_buffer("kept_packet[]", mmap.mmap(-1, size))
            self._state.kept = self._memory

    def recall(self, sequence: int) -> MediaPacket | None:
        # Of the two that may be kept in a place the newer one counts, as if there were one.
        if self._memory is not None:
            kept, other = self._memory[sequence % KEPT], self._packets[sequence % KEPT]
            if kept.packet.sequence > (other.sequence if other is not None else -1):
                is_it = kept.packet.sequence == sequence
                return _packet(kept.packet, kept.payload) if is_it else None
        return super().recall(sequence)

    def forget(self) -> None:
        super().forget()
        self._state.kept = ffi.NULL
        self._memory = None


class CompiledFanOut(PlainFanOut):
    """The loop in C. Raises AttributeError or TypeError if libsrtp cannot be reached from it."""

    def __init__(self, engine: srtp.Engine, counters: Counter[str]) -> None:
        super().__init__(engine, counters)
        self._desk = ffi.new("desk *")
        for name in ("protect", "unprotect", "protect_rtcp", "unprotect_rtcp"):
            setattr(self._desk, name, _function(name))
        self._peers: dict[int, Peer] = {}
        """Those whose packets the loop takes, by the number of their path."""
        self._numbers = itertools.count(1)
        self._readers: dict[int, Callable[[], None]] = {}
        self._packet = ffi.new("media_packet *")
        self._buffer = ffi.buffer(self._packet)
        self._outcomes = ffi.new("uint8_t[]", lib.MAX_VIEWERS)
        self._totals = ffi.new("int[]", lib.OUTCOMES)
        self._sent = ffi.new("int64_t *")

    def state(self) -> seat.State:
        state: seat.State = ffi.new("writer *")
        state.is_waiting = 1
        return state

    def intake(self) -> tuple[ingest.State, ingest.History]:
        state: ingest.State = ffi.new("layer *", {"highest": -1})
        return state, History(state)

    def settle(
        self, layer: Layer, viewers: Sequence[Viewer], is_current: bool, is_open: bool
    ) -> Any:
        for writer, peer in viewers:
            state: Any = writer.state
            if not state.by:
                head = writer.head()
                state.by, state.ssrc = self._path(peer), writer.ssrc
                state.payload_type, state.head_size = writer.payload_type, len(head)
                state.head[0 : len(head)] = head
        # The array does not keep what it points to; whoever has `ready` has the viewers as well.
        ready = ffi.new("writer *[]", [writer.state for writer, _ in viewers])
        taken: Any = layer.state
        fits = len(viewers) <= lib.MAX_VIEWERS
        taken.writers, taken.count, taken.seen = ready, len(viewers), _numbers(layer.seen)
        taken.is_current, taken.is_open = is_current and fits, is_open
        if is_open:
            layer.open_history()
        return ready if fits else None

    def follow(self, peer: Peer) -> None:
        path, agent = self._path(peer), peer.agent
        lib.leave(self._desk, path)
        self._peers.pop(path.number, None)
        path.session, path.incoming = map(_session, (peer.outgoing, peer.incoming))
        path.socket = -1
        own = getattr(agent.sendto, "__self__", None)
        if isinstance(own, socket.socket) and agent.address is not None:
            packed = _pack(own.family, agent.address)
            path.address_size = len(packed)
            path.address[0 : len(packed)] = packed
            path.socket = own.fileno()
            if path.incoming:
                layers = peer.layers
                path.source_count = len(layers)
                path.sources[0 : len(layers)] = [layer.state for layer in layers]
                path.transport_id = peer.transport_id
                self._peers[path.number] = peer
                lib.enter(self._desk, path)

    def selector(self) -> selectors.BaseSelector:
        return Selector(self._desk, self._readers)

    def attend(self, sockets: Sequence[socket.socket], readable: Readable) -> None:
        self.flush()
        self._readers.clear()
        self._readers.update({one.fileno(): partial(readable, one) for one in sockets})
        attended = list(self._readers)[: lib.MAX_SOCKETS]
        self._desk.socket_count = len(attended)
        self._desk.sockets[0 : len(attended)] = attended

    def receive(self, one: socket.socket) -> Iterator[tuple[bytes, Address]]:
        desk, counters = self._desk, self._counters
        if desk.at == desk.came and lib.gather(desk, one.fileno()):
            counters["drop.receive_error"] += 1
        while lib.forward(desk):
            if desk.why == lib.SEALED:
                slot = desk.batch[desk.at]
                source = _unpack(one.family, bytes(slot.address))
                datagram = bytes(ffi.buffer(slot.bytes, slot.size))
                lib.finish(desk)
                yield datagram, source
                continue
            # The fence: whatever a datagram provokes, the next one is served.
            try:
                self._finish(desk.at, desk.now)
            except Exception as fault:
                counters[f"fault.{type(fault).__name__}"] += 1
            lib.finish(desk)

    def _finish(self, at: int, now: float) -> None:
        """What the loop has left of a packet that it took."""
        desk = self._desk
        why, peer = desk.why, self._peers[desk.number]
        if why == lib.UNAUTHENTIC:
            self._counters["drop.rtp_unauthentic" if desk.ssrc else "drop.rtcp_unauthentic"] += 1
            return
        if why == lib.REPORT:
            self.learn(peer)
            return
        if why == lib.CONTROL:
            slot = desk.batch[at]
            peer.control(bytes(ffi.buffer(slot.bytes, slot.size)), now)
            return
        source = peer.source(desk.ssrc)
        if why & lib.UNMARKED:
            source.layer.refuse_clear()
        elif why & lib.NOT_VP8:
            source.layer.refuse_picture()
        elif why != lib.BUSY:
            if why & lib.FAILED:
                self._counters["drop.seal"] += desk.totals[lib.NOT_SEALED]
            outcomes = desk.outcomes
            rest = [v for n, v in enumerate(source.viewers) if outcomes[n] == lib.LEFT]
            packet = _packet(desk.packet, desk.batch[at].bytes + desk.payload_at)
            peer.show(source, rest if why & lib.REST else (), None, packet, now)
        if why & lib.BUSY:
            peer.send_feedback(now)

    def learn(self, peer: Peer) -> None:
        path, conclude = self._path(peer), peer.departures.conclude
        data = bytes(ffi.buffer(path.reports, path.report_count * _REPORT.size))
        path.report_count = 0
        for told in _REPORT.iter_unpack(data):
            lost, total, size, came, begun, ended, departed, delay_s, now = told
            last = (departed, delay_s) if came else (None, None)
            peer.learn(conclude(now, lost, total, size, (begun, ended), *last), now)
        # After one that could not wait, none can before the next tick.
        path.delay_limit = -inf

    def tell(self, peer: Peer, now: float) -> bool:
        path = self._path(peer)
        path.delay_limit = peer.calm_delay_s
        return bool(lib.tell(self._desk, path, now))

    def flush(self) -> None:
        desk = self._desk
        lib.flush(desk)
        if desk.lost:
            self._counters["drop.send"] += desk.lost
            desk.lost = 0

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        sequence, timestamp, marker, orientation, payload, descriptor, key_frame = packet
        if orientation >= 0 or not viewers or ready is None:
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
        self._sent[0] = 0
        lost = lib.fan_out(
            *(self._desk.protect, ready, count, layer.number, self._packet, payload, now),
            *(self._sent, outcomes, totals),
        )
        sent: int = self._sent[0]
        if totals[lib.LEFT]:
            rest = [viewer for at, viewer in enumerate(viewers) if outcomes[at] == lib.LEFT]
            sent += super().send(layer, rest, None, packet, now)
        if totals[lib.NOT_SEALED]:
            self._counters["drop.seal"] += totals[lib.NOT_SEALED]
        if lost:
            self._counters["drop.send"] += lost
        return sent

    def _path(self, peer: Peer) -> Any:
        """Where copies for this person go, and packets come from; made once."""
        if peer.path is None:
            path = peer.path = ffi.new("path *", {"socket": -1, "delay_limit": -inf})
            path.number = next(self._numbers)
            # Arrays that live as long as the person, and keep their size.
            departures, arrivals = peer.departures, peer.arrivals
            path.departures = _numbers(departures.next_sequence)
            path.sent_at, path.sizes = _numbers(departures.sent_at), _numbers(departures.sizes)
            path.slots = len(departures.sizes)
            path.arrivals, path.arrival_numbers = _numbers(arrivals.at), _numbers(arrivals.numbers)
            path.clock, path.controls = _numbers(departures.clock), _numbers(peer.controls)
            path.control_rate, path.ssrc = peer.control_rate, peer.ssrc
            path.busy_at, path.heard_at = _numbers(arrivals.busy_at), _numbers(peer.agent.heard)
            path.allowance, path.counts = _numbers(peer.allowance), _numbers(peer.counts)
        return peer.path


class Selector(selectors.EpollSelector):
    """Waits in the compiled loop, which forwards meanwhile and says nothing of it."""

    def __init__(self, desk: Any, readers: Mapping[int, Callable[[], None]]) -> None:
        """readers: what to call when more is to be done with what a socket gave."""
        super().__init__()
        self._desk, self._readers = desk, readers

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        desk = self._desk
        patience = -1 if timeout is None else max(0, ceil(timeout * 1000))
        if not lib.serve(desk, self.fileno(), patience):
            return []
        if desk.at < desk.came:
            # At once: what the loop found out about it must still be true.
            self._readers[desk.socket]()
        return super().select(0)


def _numbers(numbers: array[Any]) -> Any:
    """Where they are, for the loop."""
    kind = {"d": "double", "q": "int64_t", "i": "int32_t"}[numbers.typecode]
    return ffi.from_buffer(f"{kind}[]", numbers)


def _function(name: str) -> Any:
    """One of libsrtp's, for the loop to call."""
    address = srtp_ffi.cast("uintptr_t", srtp_ffi.addressof(srtp_lib, f"srtp_{name}"))
    return ffi.cast("void *", int(address))


def _session(context: Any) -> Any:
    if context is None:
        return ffi.NULL
    return ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", context._srtp[0])))


def _packet(told: Any, payload: Any) -> MediaPacket:
    """From `media_packet` of fanout.h."""
    data = bytes(ffi.buffer(payload, told.size))
    descriptor = vp8.parse(data, 0) if told.is_picture else None
    key_frame = bool(told.key_frame)
    return MediaPacket(told.sequence, told.timestamp, told.marker, -1, data, descriptor, key_frame)


def _pack(family: int, address: Any) -> bytes:
    """`struct sockaddr_in` or `sockaddr_in6` of Linux, as sendto(2) takes it."""
    host, port = address[0], address[1]
    if family == socket.AF_INET:
        return struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(host))
    flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    ports, flow = socket.htons(port), socket.htonl(flow)
    return struct.pack("=HHI16sI", family, ports, flow, packed, scope)


def _unpack(family: int, packed: bytes) -> Address:
    """The same as recvfrom(2) gives it, told in the way of `socket.recvfrom`."""
    port = packed[2] << 8 | packed[3]
    if family == socket.AF_INET:
        return socket.inet_ntoa(packed[4:8]), port
    flow, scope = int.from_bytes(packed[4:8], "big"), int.from_bytes(packed[24:28], "little")
    return socket.inet_ntop(socket.AF_INET6, packed[8:24]), port, flow, scope
