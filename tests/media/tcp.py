"""Members who reach the worker over TCP, frame by frame (RFC 4571)."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from bench.member import Member


class Framed:
    """A TCP connection that looks like a UDP socket to a member: whole datagrams in and out."""

    def __init__(self, address: tuple[str, int], source: str = "") -> None:
        """Connects. source: the address to come from, if not any. Raises OSError."""
        self.stream = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        # A fixed one: else the kernel reads megabytes on behalf of who does not read.
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        if source:
            self.stream.bind((source, 0))
        self.stream.settimeout(5)
        try:
            self.stream.connect(address)
        except OSError:
            self.stream.close()
            raise
        self.stream.setblocking(False)
        self._received = b""

    def sendto(self, datagram: bytes, _: object = None) -> None:
        self.stream.sendall(len(datagram).to_bytes(2, "big") + datagram)

    def recv(self, _: int = 0) -> bytes:
        """One datagram. Raises BlockingIOError if there is none yet, ConnectionError at the end."""
        while True:
            size = int.from_bytes(self._received[:2], "big")
            if len(self._received) >= 2 + size > 2:
                frame = self._received[2 : 2 + size]
                self._received = self._received[2 + size :]
                return frame
            received = self.stream.recv(65536)
            if not received:
                raise ConnectionError("closed by the worker")
            self._received += received

    def fileno(self) -> int:
        return self.stream.fileno()

    def close(self) -> None:
        self.stream.close()


def tcp_candidate(answer: str) -> tuple[str, int]:
    """Where the answer says that TCP is answered. Raises StopIteration if nowhere."""
    line = next(line for line in answer.split("\r\n") if " tcp " in line)
    assert line.endswith(" typ host tcptype passive")
    return line.split()[4], int(line.split()[5])


class TcpMember(Member):
    """A member whose network lets no UDP through."""

    async def join(self, answer: str) -> None:
        self.dial(tcp_candidate(answer))
        await super().join(answer)

    def dial(self, address: tuple[str, int]) -> None:
        """Open a connection and use it from now on."""
        if self.socket.fileno() >= 0:
            self.socket.close()
        framed: Any = Framed(address)
        self.socket = framed

    def redial(self) -> None:
        """Lose the connection and open another."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.socket.fileno())
        address = self.socket.stream.getpeername()[:2]  # type: ignore[attr-defined]
        self.dial(address)
        loop.add_reader(self.socket.fileno(), self._readable)
