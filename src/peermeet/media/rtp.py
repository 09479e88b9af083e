"""RTP headers (RFC 3550 section 5.1, RFC 8285): where things are in a packet.

Pure arithmetic over bytes. It must not keep state, send, or know who a packet is for.
"""

from __future__ import annotations

import struct
from typing import Final

FIXED_HEADER: Final = struct.Struct("!BBHII")
"""first byte, marker and payload type, sequence number, timestamp, SSRC."""

ONE_BYTE_PROFILE: Final = 0xBEDE

Packet = bytes | bytearray | memoryview


def is_rtcp(packet: Packet) -> bool:
    """Tell RTCP from RTP on one port (RFC 5761 section 4). packet: 2 bytes or more."""
    return 192 <= packet[1] <= 223


def extend_sequence(last: int, sequence: int) -> int:
    """The growing number nearest to `last` whose low 16 bits are `sequence`.

    A step of 2**15 or more forward reads as a step back. Negative only if `last` is small.
    """
    return last + (((sequence - last + 0x8000) & 0xFFFF) - 0x8000)


def payload_offset(packet: Packet, length: int) -> int:
    """Where the payload of an RTP packet of `length` bytes starts; 0 if it has no sane header.

    The answer may equal the end of the packet (no payload).
    """
    if length < 12:
        return 0
    first = packet[0]
    offset = 12 + 4 * (first & 15)
    if first & 0x10:
        if offset + 4 > length:
            return 0
        offset += 4 + 4 * ((packet[offset + 2] << 8) | packet[offset + 3])
    return offset if offset <= length else 0


def extension(packet: Packet, end: int, wanted: int) -> bytes | None:
    """The header extension element with local id `wanted` (RFC 8285), or None.

    end: what `payload_offset` answered for this packet, not 0.
    """
    found = find_extension(packet, end, wanted)
    return bytes(packet[found[0] : sum(found)]) if found is not None else None


def find_extension(packet: Packet, end: int, wanted: int) -> tuple[int, int] | None:
    """Where the value of that element begins, and how many bytes it has; arguments as above."""
    first = packet[0]
    if not first & 0x10:
        return None
    at = 12 + 4 * (first & 15)
    profile = (packet[at] << 8) | packet[at + 1]
    at += 4
    if profile == ONE_BYTE_PROFILE:
        while at < end:
            head = packet[at]
            at += 1
            if head == 0:
                continue
            identifier, size = head >> 4, (head & 15) + 1
            if identifier == 15 or at + size > end:
                return None
            if identifier == wanted:
                return at, size
            at += size
    elif profile & 0xFFF0 == 0x1000:
        while at + 1 < end:
            identifier = packet[at]
            at += 1
            if identifier == 0:
                continue
            size = packet[at]
            at += 1
            if at + size > end:
                return None
            if identifier == wanted:
                return at, size
            at += size
    return None


def extension_block(elements: list[tuple[int, bytes]]) -> bytes:
    """A one-byte-form extension block, padded to 4 bytes, or b"" for no elements.

    Raises ValueError if an id is outside 1..14 or a value outside 1..16 bytes.
    """
    body = b""
    for identifier, value in elements:
        if not (1 <= identifier <= 14 and 1 <= len(value) <= 16):
            raise ValueError("not a one-byte header extension")
        body += bytes(((identifier << 4) | (len(value) - 1),)) + value
    if not body:
        return b""
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", ONE_BYTE_PROFILE, len(body) // 4) + body


def signed_difference(a: int, b: int) -> int:
    """a - b of two 32-bit timestamps, taken the short way round."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000
