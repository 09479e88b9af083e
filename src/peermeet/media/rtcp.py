"""RTCP as far as a forwarder needs it: RFC 3550, RFC 4585, RFC 5104 and the REMB draft.

Transport-wide feedback has its own codec (feedback.py); it is read here like the others.

Control packets of a client end here: they are read, acted on and never forwarded. This module
must do no input or output and raise nothing but `RtcpMalformed` for bytes from the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import TypeAlias

from peermeet.media import feedback
from peermeet.media.feedback import TransportFeedback

MAX_BYTES = 1500
"""A compound arrives in one datagram."""
MAX_PACKETS = 32
MAX_NAMED = 8192
"""Packets that one compound may ask for again or tell of; the longest list of a browser has 1000.
Run lengths can name a hundred thousand in 768 bytes."""

_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202
_GOODBYE = 203
_TRANSPORT_FEEDBACK = 205
_PAYLOAD_FEEDBACK = 206

_NACK_FORMAT = 1
_PLI_FORMAT = 1
_FIR_FORMAT = 4
_APPLICATION_FORMAT = 15
_REMB_NAME = b"REMB"
_CNAME_ITEM = 1

_MAX_REPORTS = 31
_MAX_CNAME_BYTES = 255

_HEADER = Struct("!BBH")
_SSRC = Struct("!I")
_SENDER = Struct("!IQIII")
_REPORT = Struct("!IIIIII")
_FEEDBACK = Struct("!II")
_LOST = Struct("!HH")


class RtcpMalformed(Exception):
    """The datagram is not RTCP; nothing of it may be acted on."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source arrives (RFC 3550, section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Since the last report, in 256ths."""
    packets_lost: int
    """In all, signed 24 bits: duplicates make it negative. Clamped when built."""
    highest_sequence: int
    """Sequence number extended by its cycles to 32 bits."""
    jitter: int
    """In units of the media clock."""
    lsr: int
    """Middle 32 bits of the last sender report's NTP time; 0 is none."""
    dlsr: int
    """Delay since that report in 65,536ths of a second."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What one source has sent, and the pair of clocks that lip sync needs."""

    ssrc: int
    ntp: int
    """64 bits: seconds since 1900 and their fraction."""
    rtp: int
    """The same moment on the media clock."""
    packets: int
    octets: int
    """Payload only; both counters wrap at 32 bits."""
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """How sources arrive at somebody who sends nothing."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureLossIndication:
    """Asks for a key frame (RFC 4585, section 6.3.1)."""

    ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """Commands key frames of several sources (RFC 5104, section 4.3.1)."""

    ssrc: int
    media_ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    """Asks for packets again (RFC 4585, section 6.2.1); sequence numbers in the order named."""

    ssrc: int
    media_ssrc: int
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """The most a sender may send, all its sources together (draft-alvestrand-rmcat-remb)."""

    ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Sources that have ended (RFC 3550, section 6.6)."""

    ssrcs: tuple[int, ...]


Packet: TypeAlias = (
    SenderReport
    | ReceiverReport
    | PictureLossIndication
    | FullIntraRequest
    | Nack
    | Remb
    | Goodbye
    | TransportFeedback
)


def parse(data: bytes) -> list[Packet]:
    """Read a compound, whole or of reduced size (RFC 5506), in its order.

    Types and formats we do not use are skipped. Raises `RtcpMalformed` when a length does not
    fit, and when the compound is longer than 1500 bytes, holds more than 32 packets or names more
    than `MAX_NAMED`.
    """
    end = len(data)
    if not 0 < end <= MAX_BYTES or end % 4:
        raise RtcpMalformed("a compound is whole words that fit a datagram")
    packets: list[Packet] = []
    at = named = 0
    for _ in range(MAX_PACKETS):
        first, kind, words = _HEADER.unpack_from(data, at)
        body, at = at + 4, at + 4 + 4 * words
        if first >> 6 != 2 or at > end:
            raise RtcpMalformed("a packet has another version or is cut off")
        stop = at
        if first & 0x20:
            # Only the last packet may be padded, by whole words; its last byte counts the padding.
            # Transport-wide feedback pads itself to a word, also within a compound.
            padding = data[at - 1]
            own = kind == _TRANSPORT_FEEDBACK and first & 0x1F == feedback.FORMAT
            misplaced = not own and (at != end or padding % 4 != 0)
            if misplaced or not 0 < padding <= stop - body:
                raise RtcpMalformed("the padding does not fit")
            stop -= padding
        packet = _packet(kind, first & 0x1F, data[body:stop])
        if packet is not None:
            packets.append(packet)
            named += how_many(packet)
            if named > MAX_NAMED:
                raise RtcpMalformed("a compound names too many packets")
        if at == end:
            return packets
    raise RtcpMalformed("too many packets in a compound")


def how_many(packet: Packet) -> int:
    """Packets that it asks for again or tells of."""
    if isinstance(packet, Nack):
        return len(packet.lost)
    return len(packet.arrivals) if isinstance(packet, TransportFeedback) else 0


def compound(*parts: bytes) -> bytes:
    """Join built packets; a report comes first unless reduced size was negotiated."""
    return b"".join(parts)


def build_sender_report(report: SenderReport) -> bytes:
    """At most 31 report blocks, else `ValueError`."""
    sender = _SENDER.pack(
        report.ssrc, report.ntp, report.rtp, report.packets & 0xFFFFFFFF, report.octets & 0xFFFFFFFF
    )
    return _build(_SENDER_REPORT, len(report.reports), sender + _build_reports(report.reports))


def build_receiver_report(report: ReceiverReport) -> bytes:
    """At most 31 report blocks, else `ValueError`."""
    body = _SSRC.pack(report.ssrc) + _build_reports(report.reports)
    return _build(_RECEIVER_REPORT, len(report.reports), body)


def build_sdes(ssrc: int, cname: str) -> bytes:
    """Names the sources that belong together; a cname of at most 255 bytes, else `ValueError`."""
    name = cname.encode()
    if len(name) > _MAX_CNAME_BYTES:
        raise ValueError("a cname has at most 255 bytes")
    chunk = _SSRC.pack(ssrc) + bytes((_CNAME_ITEM, len(name))) + name
    # One to four zero bytes end the chunk on a word.
    return _build(_SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def build_pli(sender: int, media: int) -> bytes:
    """Ask `media` for a key frame."""
    return _build(_PAYLOAD_FEEDBACK, _PLI_FORMAT, _FEEDBACK.pack(sender, media))


def build_nack(sender: int, media: int, lost: Iterable[int]) -> bytes:
    """Ask `media` for packets again; ascending sequence numbers, wrapping at 16 bits, pack best.

    Raises `ValueError` when there is none.
    """
    pairs: list[list[int]] = []
    for sequence in lost:
        after = (sequence - pairs[-1][0]) & 0xFFFF if pairs else None
        if after is None or after > 16:
            pairs.append([sequence & 0xFFFF, 0])
        elif after:
            pairs[-1][1] |= 1 << (after - 1)
    if not pairs:
        raise ValueError("nothing is lost")
    body = _FEEDBACK.pack(sender, media) + b"".join(_LOST.pack(*pair) for pair in pairs)
    return _build(_TRANSPORT_FEEDBACK, _NACK_FORMAT, body)


def build_remb(sender: int, bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    """Limit what the sources send together; rounds down to 18 significant bits.

    Raises `ValueError` for more than 255 sources or a bit rate below 0 or of 2^81 and more.
    """
    exponent = max(0, bitrate_bps.bit_length() - 18)
    if bitrate_bps < 0 or exponent > 63 or len(ssrcs) > 255:
        raise ValueError("the limit cannot be written")
    rate = len(ssrcs) << 24 | exponent << 18 | bitrate_bps >> exponent
    body = _FEEDBACK.pack(sender, 0) + _REMB_NAME + _SSRC.pack(rate)
    body += b"".join(_SSRC.pack(ssrc) for ssrc in ssrcs)
    return _build(_PAYLOAD_FEEDBACK, _APPLICATION_FORMAT, body)


def _build(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _build_reports(reports: Sequence[ReportBlock]) -> bytes:
    if len(reports) > _MAX_REPORTS:
        raise ValueError("at most 31 report blocks")
    blocks = []
    for report in reports:
        lost = max(-0x800000, min(0x7FFFFF, report.packets_lost)) & 0xFFFFFF
        blocks.append(
            _REPORT.pack(
                report.ssrc,
                report.fraction_lost << 24 | lost,
                report.highest_sequence,
                report.jitter,
                report.lsr,
                report.dlsr,
            )
        )
    return b"".join(blocks)


def _packet(kind: int, count: int, body: bytes) -> Packet | None:
    if kind == _SENDER_REPORT:
        _need(body, _SENDER.size + count * _REPORT.size)
        ssrc, ntp, rtp, sent, octets = _SENDER.unpack_from(body)
        return SenderReport(ssrc, ntp, rtp, sent, octets, _reports(body, _SENDER.size, count))
    if kind == _RECEIVER_REPORT:
        _need(body, _SSRC.size + count * _REPORT.size)
        (ssrc,) = _SSRC.unpack_from(body)
        return ReceiverReport(ssrc, _reports(body, _SSRC.size, count))
    if kind == _GOODBYE:
        _need(body, count * _SSRC.size)
        return Goodbye(_ssrcs(body, 0, count))
    if kind == _TRANSPORT_FEEDBACK and count == _NACK_FORMAT:
        return _nack(body)
    if kind == _TRANSPORT_FEEDBACK and count == feedback.FORMAT:
        try:
            return feedback.read(body)
        except ValueError as error:
            raise RtcpMalformed(str(error)) from None
    if kind == _PAYLOAD_FEEDBACK and count == _PLI_FORMAT:
        _need(body, _FEEDBACK.size)
        return PictureLossIndication(*_FEEDBACK.unpack_from(body))
    if kind == _PAYLOAD_FEEDBACK and count == _FIR_FORMAT:
        return _full_intra_request(body)
    if kind == _PAYLOAD_FEEDBACK and count == _APPLICATION_FORMAT:
        return _remb(body)
    return None


def _reports(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    reports = []
    for _ in range(count):
        ssrc, lost, highest_sequence, jitter, lsr, dlsr = _REPORT.unpack_from(body, at)
        total = lost & 0xFFFFFF
        if total & 0x800000:
            total -= 0x1000000
        reports.append(ReportBlock(ssrc, lost >> 24, total, highest_sequence, jitter, lsr, dlsr))
        at += _REPORT.size
    return tuple(reports)


def _nack(body: bytes) -> Nack:
    _need(body, _FEEDBACK.size + _LOST.size)
    ssrc, media_ssrc = _FEEDBACK.unpack_from(body)
    lost = []
    for first, following in _LOST.iter_unpack(body[_FEEDBACK.size :]):
        lost.append(first)
        lost += [(first + bit + 1) & 0xFFFF for bit in range(16) if following >> bit & 1]
    return Nack(ssrc, media_ssrc, tuple(lost))


def _full_intra_request(body: bytes) -> FullIntraRequest:
    entries = len(body) - _FEEDBACK.size
    if entries < 8 or entries % 8:
        raise RtcpMalformed("an intra request names its sources in pairs of words")
    (ssrc,) = _SSRC.unpack_from(body)
    return FullIntraRequest(ssrc, _ssrcs(body, _FEEDBACK.size, entries // 4)[::2])


def _remb(body: bytes) -> Remb | None:
    """None for what other applications put into this format."""
    named = _FEEDBACK.size + len(_REMB_NAME)
    if body[_FEEDBACK.size : named] != _REMB_NAME:
        return None
    _need(body, named + _SSRC.size)
    (rate,) = _SSRC.unpack_from(body, named)
    count = rate >> 24
    _need(body, named + _SSRC.size + count * _SSRC.size)
    (ssrc,) = _SSRC.unpack_from(body)
    bitrate_bps = (rate & 0x3FFFF) << (rate >> 18 & 0x3F)
    return Remb(ssrc, bitrate_bps, _ssrcs(body, named + _SSRC.size, count))


def _ssrcs(body: bytes, at: int, count: int) -> tuple[int, ...]:
    return tuple(_SSRC.unpack_from(body, at + index * 4)[0] for index in range(count))


def _need(body: bytes, size: int) -> None:
    if len(body) < size:
        raise RtcpMalformed("a packet is shorter than it says")
