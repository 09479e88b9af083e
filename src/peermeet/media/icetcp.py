"""Passive ICE over TCP (RFC 6544), for those whose network lets no UDP through.

Each datagram is a frame of two bytes length and that many bytes (RFC 4571); what a frame means
is the same as over UDP (mux.py), and the same fence holds: until its first authenticated check
a connection may send nothing but STUN. Everything is bounded: connections in all and of one
address, the time for that first check, the length of a frame, silence, and what waits for a slow
reader, for whom packets are dropped as a full line would drop them. What a connection does wrong
ends that connection alone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv6Address
from typing import Final

from peermeet.media.icelite import Address, IceLite, SendTo

MAX_CONNECTIONS: Final = 512
"""Twice as many as a worker has peers; a browser opens one for each pair of addresses."""
MAX_PER_SOURCE: Final = 64
"""Connections of one IPv4 address or one IPv6 network of 64 bits: a house, an office."""
FIRST_CHECK_S: Final = 5.0
"""From the connection to its first authenticated check; browsers need one round trip."""
IDLE_S: Final = 30.0
"""Without a frame. Browsers check a pair they do not use every 25 s."""
MAX_FRAME_BYTES: Final = 1500
MAX_UNSENT_BYTES: Final = 64 * 1024
"""Of our own, behind the kernel's: a third of a second of a high layer."""
KERNEL_UNSENT_BYTES: Final = 16 * 1024
"""What the kernel may hold that is not yet on its way, or seconds of old sound would wait."""
READ_BYTES: Final = 16 * 1024
BYTES_PER_S: Final = 1_000_000
"""Of one connection, `FRAME_COSTS` more for each frame: a little more than a person may send
(peer.py). The rest waits where it is, and so do whoever sends it."""
BURST_BYTES: Final = 400_000
FRAME_COSTS: Final = 50
"""Bytes: what a frame without any takes of our time."""
ACCEPTED_PER_WAKE_UP: Final = 16

logger = logging.getLogger(__name__)

Take = Callable[[bytes, Address, SendTo, float], None]


class BadFrame(Exception):
    """A frame that announces more than `MAX_FRAME_BYTES`: this is no client of ours."""


class Frames:
    """Cuts what one connection sends into frames (RFC 4571)."""

    def __init__(self) -> None:
        self.rest = b""
        """The beginning of a frame, at most `MAX_FRAME_BYTES` + 1 bytes."""

    def feed(self, received: bytes) -> Iterator[bytes]:
        """The frames that are whole now, without their length; an empty one is a frame too.

        Raises BadFrame, after the good ones in front of it.
        """
        stream = self.rest + received
        at = 0
        while len(stream) - at >= 2:
            end = at + 2 + int.from_bytes(stream[at : at + 2], "big")
            if end - at - 2 > MAX_FRAME_BYTES:
                raise BadFrame
            if end > len(stream):
                break
            yield stream[at + 2 : end]
            at = end
        self.rest = stream[at:]


class IceTcp:
    """The listening sockets and all connections of a worker."""

    def __init__(
        self,
        ice: IceLite,
        counters: Counter[str],
        listeners: Sequence[socket.socket],
        take: Take,
    ) -> None:
        """listeners: bound and not blocking; they are ours now. take: sorts one datagram."""
        self.ice, self.counters, self.take = ice, counters, take
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._listeners = list(listeners)
        self._number = 0

    def start(self) -> None:
        """Begin to accept, in the running loop."""
        self.loop = asyncio.get_running_loop()
        for listener in self._listeners:
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    def close(self) -> None:
        """End all connections and stop listening. Safe to repeat."""
        for connection in list(self.connections):
            connection.close()
        for listener in self._listeners:
            if self.loop is not None:
                self.loop.remove_reader(listener.fileno())
            listener.close()
        self._listeners.clear()

    def tick(self, now: float) -> None:
        """End the connections that proved nothing in time, fell silent, or lost their peer; go on
        to read from the others."""
        for connection in list(self.connections):
            reason = connection.over(now)
            if reason:
                self.counters[f"tcp.{reason}"] += 1
                connection.close()
            else:
                connection.earn(now)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED_PER_WAKE_UP):
            try:
                accepted, peer = listener.accept()
            except BlockingIOError:
                return
            # The client has gone again, or there are no more file descriptors.
            except OSError:
                self.counters["tcp.accept_failed"] += 1
                return
            source = _source(peer[0])
            if not self._make_room(source):
                self.counters["tcp.full"] += 1
                accepted.close()
                continue
            self._number += 1
            address = (str(peer[0]), int(peer[1]), self._number)
            try:
                self.connections.add(Connection(self, accepted, address, source))
            # A client that has gone again already.
            except OSError:
                self.counters["tcp.accept_failed"] += 1
                accepted.close()

    def _make_room(self, source: str) -> bool:
        """Whether one more of this source may come; strangers make way for newer ones."""
        of_source = [one for one in self.connections if one.source == source]
        for crowd, limit in ((of_source, MAX_PER_SOURCE), (self.connections, MAX_CONNECTIONS)):
            if len(crowd) < limit:
                continue
            strangers = [one for one in crowd if not one.is_proved]
            if not strangers:
                return False
            self.counters["tcp.displaced"] += 1
            min(strangers, key=lambda one: one.heard_at).close()
        return True


class Connection:
    """One client's TCP connection. address: its name among those of icelite.py."""

    def __init__(
        self, door: IceTcp, accepted: socket.socket, address: tuple[str, int, int], source: str
    ) -> None:
        self._door, self._socket = door, accepted
        self.address, self.source = address, source
        self.heard_at = time.monotonic()
        """Monotonic seconds of the last frame of a proved connection, else of its beginning."""
        self.is_proved = False
        self._frames = Frames()
        self._allowance = float(BURST_BYTES)
        """That may be read; below 0 nothing is, until `earn`."""
        self._allowance_at = self.heard_at
        self._unsent = bytearray()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_UNSENT_BYTES)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(accepted.fileno(), self._readable)

    def over(self, now: float) -> str:
        """Why this connection should end now, or ""."""
        if not self.is_proved:
            return "never_proved" if now - self.heard_at > FIRST_CHECK_S else ""
        if self.address not in self._door.ice.by_address:
            return "left"
        return "idle" if now - self.heard_at > IDLE_S else ""

    def earn(self, now: float) -> None:
        """Let time pass: read again, if that had to wait."""
        was_waiting = self._allowance < 0
        earned = (now - self._allowance_at) * BYTES_PER_S
        self._allowance = min(BURST_BYTES, self._allowance + earned)
        self._allowance_at = now
        if was_waiting and self._allowance >= 0:
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """End the connection and forget its address. Safe to repeat."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._unsent.clear()
        self._door.connections.discard(self)
        self._door.ice.forget(self.address)

    def sendto(self, datagram: bytes | memoryview, address: Address) -> None:
        """Send one frame, like `socket.sendto`; address is there for likeness alone.

        Raises BlockingIOError if too much waits already, and ConnectionError after the end.
        """
        if self._unsent:
            if len(self._unsent) > MAX_UNSENT_BYTES:
                self._door.counters["drop.tcp_slow"] += 1
                raise BlockingIOError
            self._unsent += len(datagram).to_bytes(2, "big")
            self._unsent += datagram
            return
        if self._socket.fileno() < 0:
            raise ConnectionError("closed")
        frame = len(datagram).to_bytes(2, "big") + datagram
        try:
            sent = self._socket.send(frame)
        except BlockingIOError:
            sent = 0
        if sent < len(frame):
            self._unsent += frame[sent:]
            self._loop.add_writer(self._socket.fileno(), self._writable)

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        try:
            received = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self.close()
            return
        now = time.monotonic()
        self._allowance -= len(received)
        try:
            for frame in self._frames.feed(received):
                self._allowance -= FRAME_COSTS
                self._take(frame, now)
                if self._socket.fileno() < 0:
                    return
            if self._allowance < 0:
                self._door.counters["tcp.paused"] += 1
                self._loop.remove_reader(self._socket.fileno())
        except BadFrame:
            self._door.counters["tcp.bad_frame"] += 1
            self.close()
        # The fence: whatever a frame provokes, the other connections are served.
        except Exception as fault:
            self._door.counters[f"fault.{type(fault).__name__}"] += 1
            self.close()

    def _take(self, frame: bytes, now: float) -> None:
        if not self.is_proved and (not frame or frame[0] > 3):
            self._door.counters["tcp.stranger"] += 1
            self.close()
            return
        self._door.take(frame, self.address, self.sendto, now)
        if not self.is_proved:
            self.is_proved = self.address in self._door.ice.by_address
        if self.is_proved:
            self.heard_at = now


def _source(address: str) -> str:
    """Whom to count as one: an IPv4 address, or the 64 bits of an IPv6 network."""
    if ":" not in address:
        return address
    return IPv6Address(address.partition("%")[0]).packed[:8].hex()
