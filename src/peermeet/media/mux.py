"""One UDP port for everybody: read datagrams, sort them (RFC 7983), drop what has no business.

Owns the socket. What a STUN check means is decided in icelite.py; what DTLS and media mean, in
the peer that owns the source address. Only an address that passed an authenticated check may
send anything else than STUN: this closes the ClientHello race (OWASP ASVS 5.0, 17.2.6). Nothing
a datagram does may escape from here, and nothing is logged per datagram: each reason to drop
has one counter.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter

from peermeet.media.icelite import Address, IceLite

MAX_DATAGRAM_BYTES = 1500
DATAGRAMS_PER_WAKE_UP = 64
"""Then other work of the loop gets its turn."""
SOCKET_BUFFER_BYTES = 4 << 20

logger = logging.getLogger(__name__)


class Mux:
    """The worker's socket and the way from a datagram to its owner."""

    def __init__(self, ice: IceLite, counters: Counter[str], bind_ip: str, port: int) -> None:
        """Bind. port 0 picks a free one. Raises OSError if the address cannot be bound."""
        family = socket.AF_INET6 if ":" in bind_ip else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
            self._socket.bind((bind_ip, port))
        except OSError:
            self._socket.close()
            raise
        self._ice = ice
        self._counters = counters
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port: int = self._socket.getsockname()[1]
        self.sendto = self._socket.sendto

    def start(self) -> None:
        """Begin to read, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Stop reading and free the port. Safe to repeat."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def send(self, datagram: bytes | memoryview, address: Address) -> bool:
        """Send, or drop and count if the socket will not take it. Never raises."""
        try:
            self.sendto(datagram, address)
        except OSError as fault:
            self._counters[f"drop.send_{type(fault).__name__}"] += 1
            return False
        return True

    def _readable(self) -> None:
        receive = self._socket.recvfrom
        agents = self._ice.by_address
        counters = self._counters
        now = time.monotonic()
        for _ in range(DATAGRAMS_PER_WAKE_UP):
            try:
                datagram, source = receive(2048)
            except BlockingIOError:
                return
            except OSError:
                counters["drop.receive_error"] += 1
                continue
            try:
                size = len(datagram)
                if size == 0:
                    counters["drop.empty"] += 1
                    continue
                if size > MAX_DATAGRAM_BYTES:
                    counters["drop.oversized"] += 1
                    continue
                first = datagram[0]
                if 128 <= first <= 191:
                    agent = agents.get(source)
                    if agent is None:
                        counters["drop.stranger"] += 1
                        continue
                    agent.on_media(datagram, now)
                elif first <= 3:
                    reply = self._ice.answer(datagram, source, now)
                    if reply is not None:
                        self.send(reply, source)
                elif 20 <= first <= 63:
                    agent = agents.get(source)
                    if agent is None:
                        counters["drop.stranger"] += 1
                        continue
                    agent.on_dtls(datagram)
                else:
                    counters["drop.unknown_kind"] += 1
            # The fence: whatever a datagram provokes, the next one is served.
            except Exception as fault:
                counters[f"fault.{type(fault).__name__}"] += 1
