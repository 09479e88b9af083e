"""The VP8 payload descriptor (RFC 7741): where it ends, what it numbers, how to renumber it.

A viewer's stream is stitched from several cameras. Its decoder freezes when picture numbers
jump back, so they are rewritten in place. This module runs for every video packet: it must not
copy the packet, keep anything, or raise for bytes that came from the network.
"""

from __future__ import annotations

from struct import Struct
from typing import Literal, NamedTuple

_EXTENDED = 0x80
_START_OF_PARTITION = 0x10
_PARTITION = 0x07
_HAS_PICTURE_ID = 0x80
_HAS_TL0 = 0x40
_HAS_LAYER_OR_KEY_INDEX = 0x30
_LONG_PICTURE_ID = 0x80
_HIGHEST_VERSION = 3
_KEY_FRAME_HEADER_BYTES = 10

_NUMBERS = Struct("!HB").pack_into


class Descriptor(NamedTuple):
    """What one packet says of itself. Positions count from the start of the packet; 0 is none."""

    start: bool
    """The packet begins a frame."""
    key_frame: bool
    """The packet begins a frame that needs no other; false in the rest of that frame."""
    picture_id_at: int
    picture_id_bits: Literal[0, 7, 15]
    tl0_at: int
    payload_at: int
    """Where the descriptor ends and VP8 itself begins."""
    picture_id: int
    tl0: int
    """TL0PICIDX, 8 bits: counts the frames of the lowest temporal layer."""


def parse(packet: bytes | bytearray | memoryview, offset: int) -> Descriptor | None:
    """Read the descriptor that begins at `offset`, the end of the RTP header.

    None when this cannot be VP8: it is truncated, or begins a frame of a reserved version, or a
    key frame without its start code (RFC 6386, section 9.1).
    """
    try:
        first = packet[offset]
        at = offset + 1
        picture_id_at = picture_id = tl0_at = tl0 = 0
        picture_id_bits: Literal[0, 7, 15] = 0
        if first & _EXTENDED:
            fields = packet[at]
            at += 1
            if fields & _HAS_PICTURE_ID:
                picture_id_at = at
                picture_id = packet[at]
                if picture_id & _LONG_PICTURE_ID:
                    picture_id_bits = 15
                    picture_id = (picture_id & 0x7F) << 8 | packet[at + 1]
                    at += 2
                else:
                    picture_id_bits = 7
                    at += 1
            if fields & _HAS_TL0:
                tl0_at = at
                tl0 = packet[at]
                at += 1
            if fields & _HAS_LAYER_OR_KEY_INDEX:
                at += 1
        frame = packet[at]
        start = first & (_START_OF_PARTITION | _PARTITION) == _START_OF_PARTITION
        key_frame = False
        if start:
            if frame >> 1 & 7 > _HIGHEST_VERSION:
                return None
            if not frame & 1:
                if (
                    packet[at + 3] != 0x9D
                    or packet[at + 4] != 0x01
                    or packet[at + 5] != 0x2A
                    or len(packet) < at + _KEY_FRAME_HEADER_BYTES
                ):
                    return None
                key_frame = True
    except IndexError:
        return None
    return Descriptor(start, key_frame, picture_id_at, picture_id_bits, tl0_at, at, picture_id, tl0)


def rewrite(
    packet: bytearray | memoryview,
    descriptor: Descriptor,
    picture_id: int,
    tl0: int,
    offset: int = 0,
) -> None:
    """Put other numbers into the fields the packet has, modulo their width; add none.

    The descriptor must have been parsed from bytes laid out like `packet` from `offset` on.
    """
    _, _, picture_id_at, bits, tl0_at, _, _, _ = descriptor
    if bits == 15:
        if tl0_at == picture_id_at + 2:
            # As every browser writes it. One call per packet and viewer, so it is worth a case.
            at = offset + picture_id_at
            _NUMBERS(packet, at, 0x8000 | picture_id & 0x7FFF, tl0 & 0xFF)
            return
        packet[offset + picture_id_at] = 0x80 | picture_id >> 8 & 0x7F
        packet[offset + picture_id_at + 1] = picture_id & 0xFF
    elif bits:
        packet[offset + picture_id_at] = picture_id & 0x7F
    if tl0_at:
        packet[offset + tl0_at] = tl0 & 0xFF
