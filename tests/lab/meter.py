"""Counts what the server sends towards the bad line, before anything of it is lost."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

from tests.lab.net import Network

_ETH_P_ALL = 3
_UDP = 17
_PACKET_OUTGOING = 4
_RTCP = range(192, 224)
RTX = 97
"""The payload type that Chromium gives retransmissions (RFC 4588) of VP8, its first codec."""


class Meter:
    """Between `with` and its end. Reads the plain parts of SRTP (RFC 3711 §3.1) on IPv4.

    A packet counts as resent if its source and number were seen before, or if its type is RTX.
    """

    def __init__(self, net: Network) -> None:
        with net.inside(net.router):
            self._socket = socket.socket(
                socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)
            )
            self._socket.bind(("outside", _ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.settimeout(0.2)
        self._reader = threading.Thread(target=self._read)
        self._ends = threading.Event()
        self._seen: set[tuple[bytes, bytes]] = set()
        self._bytes: dict[int, int] = {}
        """By payload type."""
        self._again = 0
        self.packets = 0

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._reader.join()
        self._socket.close()

    @property
    def bits(self) -> int:
        """Of RTP, IP headers included."""
        return 8 * sum(self._bytes.values())

    @property
    def resent_share(self) -> float:
        """Of these bytes, 0-1."""
        return (self._bytes.get(RTX, 0) + self._again) / max(1, sum(self._bytes.values()))

    def _read(self) -> None:
        while not self._ends.is_set():
            try:
                frame, about = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            if about[2] != _PACKET_OUTGOING:
                self._count(frame[14:])

    def _count(self, packet: bytes) -> None:
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != _UDP:
            return
        rtp = packet[4 * (packet[0] & 15) + 8 :]
        if len(rtp) < 12 or rtp[0] >> 6 != 2 or rtp[1] in _RTCP:
            return
        self.packets += 1
        kind, key = rtp[1] & 127, (rtp[8:12], rtp[2:4])
        self._bytes[kind] = self._bytes.get(kind, 0) + len(packet)
        if key in self._seen:
            self._again += len(packet)
        self._seen.add(key)
