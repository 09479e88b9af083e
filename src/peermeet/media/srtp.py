"""SRTP (RFC 3711, RFC 7714): seal and open packets, fast where the library allows it.

One of three modules that touch names their library keeps private (`Session._srtp`,
`pylibsrtp._binding`). Two engines do the same: `FastEngine` calls libsrtp on buffers made
once, `PublicEngine` uses the public `Session` and costs about a quarter more. `choose_engine`
decides once, at start. Not safe to share between threads: all transports use one pair of
buffers, which is what makes it fast.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import pylibsrtp

BUFFER_BYTES = 2048
TRAILER_BYTES = 16 + 128
"""The most libsrtp adds to a packet: tag and key identifier."""

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """How packets are opened and sealed. Both buffers are reused for every packet.

    opened: plain text of the packet opened last. sealing: write a packet here, then seal it.
    """

    opened: memoryview
    sealing: memoryview

    def opener(self, session: Any) -> Callable[[bytes], int]:
        """A function that opens a packet into `opened`.

        It answers the length, or 0 if the packet is forged, replayed or too long.
        """

    def sealer(self, session: Any) -> Callable[[int], int]:
        """A function that seals the first n bytes of `sealing` in place.

        It answers the new length, or 0 if libsrtp refused: then nothing may be sent.
        """


class FastEngine:
    """libsrtp through its cffi binding, without a copy or an allocation per packet."""

    def __init__(self) -> None:
        from pylibsrtp._binding import ffi, lib

        self._ffi, self._lib = ffi, lib
        self._in = ffi.new("char[]", BUFFER_BYTES)
        self._out = ffi.new("char[]", BUFFER_BYTES)
        self._length = ffi.new("int *")
        self.opened = memoryview(ffi.buffer(self._in)).cast("B")
        self.sealing = memoryview(ffi.buffer(self._out)).cast("B")
        for name in ("srtp_protect", "srtp_unprotect"):
            getattr(lib, name)

    def opener(self, session: Any) -> Callable[[bytes], int]:
        buffer, opened, length = self._in, self.opened, self._length
        unprotect = self._lib.srtp_unprotect
        context = session._srtp[0]
        # The session owns the context: keep it alive as long as this function.
        keep = session

        def open_packet(packet: bytes, keep: object = keep) -> int:
            size = len(packet)
            opened[:size] = packet
            length[0] = size
            if unprotect(context, buffer, length):
                return 0
            sealed: int = length[0]
            return sealed

        return open_packet

    def sealer(self, session: Any) -> Callable[[int], int]:
        buffer, length = self._out, self._length
        protect = self._lib.srtp_protect
        context = session._srtp[0]
        keep = session

        def seal_packet(size: int, keep: object = keep) -> int:
            length[0] = size
            if protect(context, buffer, length):
                return 0
            sealed: int = length[0]
            return sealed

        return seal_packet


class PublicEngine:
    """pylibsrtp's documented interface."""

    def __init__(self) -> None:
        self.opened = memoryview(bytearray(BUFFER_BYTES))
        self.sealing = memoryview(bytearray(BUFFER_BYTES))

    def opener(self, session: Any) -> Callable[[bytes], int]:
        opened = self.opened

        def open_packet(packet: bytes) -> int:
            try:
                plain = session.unprotect(packet)
            except (pylibsrtp.Error, ValueError):
                return 0
            size = len(plain)
            opened[:size] = plain
            return size

        return open_packet

    def sealer(self, session: Any) -> Callable[[int], int]:
        sealing = self.sealing

        def seal_packet(size: int) -> int:
            try:
                sealed = session.protect(bytes(sealing[:size]))
            except (pylibsrtp.Error, ValueError):
                return 0
            sealing[: len(sealed)] = sealed
            return len(sealed)

        return seal_packet


def choose_engine() -> Engine:
    """The fast engine if its names exist, else the public one, said once in the log."""
    try:
        return FastEngine()
    except (ImportError, AttributeError, TypeError) as fault:
        logger.warning("srtp fast path missing fault=%s", type(fault).__name__)
        return PublicEngine()


class Control:
    """SRTCP of one transport: a few packets a second, so the public interface will do."""

    def __init__(self, incoming: Any, outgoing: Any, counters: Counter[str]) -> None:
        self._incoming, self._outgoing, self._counters = incoming, outgoing, counters

    def open(self, packet: bytes) -> bytes | None:
        """The plain compound packet, or None (counted) if forged, replayed or too long."""
        try:
            return bytes(self._incoming.unprotect_rtcp(packet))
        except (pylibsrtp.Error, ValueError):
            self._counters["drop.rtcp_unauthentic"] += 1
            return None

    def seal(self, packet: bytes) -> bytes | None:
        """The sealed packet, or None (counted) if libsrtp refuses it."""
        try:
            return bytes(self._outgoing.protect_rtcp(packet))
        except (pylibsrtp.Error, ValueError):
            self._counters["drop.rtcp_seal"] += 1
            return None
