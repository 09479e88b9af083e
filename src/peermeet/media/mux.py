"""One port for everybody: read datagrams, sort them (RFC 7983), drop what has no business.

Owns the sockets: one for each address, all of one port number, UDP and (icetcp.py) TCP. What a
STUN check means is decided in icelite.py; what DTLS and media mean, in the peer that owns the
source address. Only an address that passed an authenticated check may send anything else than
STUN: this closes the ClientHello race (OWASP ASVS 5.0, 17.2.6). Nothing a datagram does may
escape from here, and nothing is logged per datagram: each reason to drop has one counter.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from peermeet.media.fanout import FanOut
from peermeet.media.icelite import Address, Agent, IceLite, SendTo
from peermeet.media.icetcp import IceTcp

MAX_DATAGRAM_BYTES: Final = 1500
SOCKET_BUFFER_BYTES: Final = 4 << 20
MAX_PORTS_TRIED: Final = 20
"""Any number will do, but it must be free at every address, for UDP and TCP."""

logger = logging.getLogger(__name__)


class Mux:
    """The worker's sockets and the way from a datagram to its owner."""

    def __init__(
        self,
        ice: IceLite,
        counters: Counter[str],
        bind_ips: Sequence[str],
        port: int,
        fan_out: FanOut,
        *,
        tcp: bool = False,
    ) -> None:
        """Bind every address to the same port number; port 0 picks a free one. fan_out: reads
        what waits there. tcp: also listen there for TCP; without it (and with a line
        in the log) if somebody else does.

        Raises OSError if an address cannot be bound.
        """
        self._ice = ice
        self._counters = counters
        self._fan_out = fan_out
        self._loop: asyncio.AbstractEventLoop | None = None
        for attempt in range(MAX_PORTS_TRIED):
            try:
                self._sockets = _bind(bind_ips, port, socket.SOCK_DGRAM)
                self.port: int = self._sockets[0].getsockname()[1]
                listeners = self._listen(bind_ips, port) if tcp else []
                break
            except OSError as fault:
                last = attempt == MAX_PORTS_TRIED - 1
                if port or fault.errno != errno.EADDRINUSE or last:
                    raise
        self._tcp = IceTcp(ice, counters, listeners, self.take)
        self.has_tcp = bool(listeners)
        """Whether TCP is answered at the same addresses and port."""

    def _listen(self, bind_ips: Sequence[str], wanted: int) -> list[socket.socket]:
        try:
            return _bind(bind_ips, self.port, socket.SOCK_STREAM)
        except OSError as fault:
            if wanted:
                logger.warning("no media over TCP: port=%d: %s", wanted, fault.strerror)
                return []
            for one in self._sockets:
                one.close()
            raise

    def start(self) -> None:
        """Begin to read, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._fan_out.attend(self._sockets, self._readable)
        for one in self._sockets:
            self._loop.add_reader(one.fileno(), self._readable, one)
        self._tcp.start()

    def close(self) -> None:
        """Stop reading and free the port. Safe to repeat."""
        if self._loop is not None:
            self._fan_out.attend((), self._readable)
            for one in self._sockets:
                self._loop.remove_reader(one.fileno())
            self._loop = None
        self._tcp.close()
        for one in self._sockets:
            one.close()

    def tick(self, now: float) -> None:
        """Ten times a second: TCP connections whose time is over."""
        self._tcp.tick(now)

    def send(self, datagram: bytes | memoryview, agent: Agent) -> bool:
        """Send to where the client is, or drop and count if that cannot be. Never raises."""
        try:
            agent.sendto(datagram, agent.address)  # type: ignore[arg-type]
        except OSError as fault:
            self._counters[f"drop.send_{type(fault).__name__}"] += 1
            return False
        return True

    def take(self, datagram: bytes, source: Address, sendto: SendTo, now: float) -> None:
        """Sort one datagram, at most `MAX_DATAGRAM_BYTES` long; sendto: the way it came.

        Raises what the owner of the source raises.
        """
        counters = self._counters
        if not datagram:
            counters["drop.empty"] += 1
            return
        first = datagram[0]
        if first <= 3:
            reply = self._ice.answer(datagram, source, now, sendto)
            if reply is not None:
                try:
                    sendto(reply, source)
                except OSError as fault:
                    counters[f"drop.send_{type(fault).__name__}"] += 1
            return
        is_media = 128 <= first <= 191
        if not is_media and not 20 <= first <= 63:
            counters["drop.unknown_kind"] += 1
            return
        owner = self._ice.by_address.get(source)
        if owner is None:
            counters["drop.stranger"] += 1
        elif is_media:
            owner.on_media(datagram, now)
        else:
            owner.on_dtls(datagram)

    def _readable(self, one: socket.socket) -> None:
        owners, counters, sendto = self._ice.by_address, self._counters, one.sendto
        now = time.monotonic()
        for datagram, source in self._fan_out.receive(one):
            try:
                if len(datagram) > MAX_DATAGRAM_BYTES:
                    counters["drop.oversized"] += 1
                    continue
                # Nearly all of them, so without a further call.
                if datagram and 128 <= datagram[0] <= 191:
                    owner = owners.get(source)
                    if owner is not None:
                        owner.on_media(datagram, now)
                        continue
                self.take(datagram, source, sendto, now)
            # The fence: whatever a datagram provokes, the next one is served.
            except Exception as fault:
                counters[f"fault.{type(fault).__name__}"] += 1


def _bind(bind_ips: Sequence[str], port: int, kind: socket.SocketKind) -> list[socket.socket]:
    """A socket for each address, of one port number. Raises OSError, with none left open."""
    made: list[socket.socket] = []
    try:
        for bind_ip in bind_ips:
            family = socket.AF_INET6 if ":" in bind_ip else socket.AF_INET
            one = socket.socket(family, kind)
            made.append(one)
            one.setblocking(False)
            if family == socket.AF_INET6:
                # Else "::" would take the IPv4 addresses as well, and answer from another name.
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                # The connections of a worker that died must not keep its successor out.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                    one.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
            one.bind((bind_ip, port))
            port = one.getsockname()[1]
            if kind == socket.SOCK_STREAM:
                one.listen()
    except OSError:
        for one in made:
            one.close()
        raise
    return made
