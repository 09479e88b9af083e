"""What people's control packets and the web process's lines do to a worker."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from bench.member import Member, rtp_packet, vp8_payload
from peermeet.media import feedback, rtcp, srtp
from peermeet.media.bwe import Downlink
from peermeet.media.circle import Circle
from peermeet.media.dtls import Admission, Certificate
from peermeet.media.fanout import PlainFanOut
from peermeet.media.feedback import TransportFeedback
from peermeet.media.icelite import IceLite
from peermeet.media.mux import Mux
from peermeet.media.peer import MAX_SSRCS, Ground, Peer
from peermeet.media.sdp import parse_offer
from peermeet.media.twcc import RATE_REPORTS, SENT, Arrivals, Departures
from peermeet.media.worker import MAX_NAME, BadLine, Worker
from tests.fuzz.target import Target, joined, parts_of
from tests.media.kit import OPEN

# --- RTCP ---------------------------------------------------------------------------------------


def take_compound(data: bytes) -> None:
    """A compound is read whole or refused, and what it names is bounded."""
    try:
        packets = rtcp.parse(data)
    except rtcp.RtcpMalformed:
        return
    assert packets is not None and len(packets) <= rtcp.MAX_PACKETS
    named = 0
    for packet in packets:
        match packet:
            case rtcp.Nack():
                named += len(packet.lost)
                again = rtcp.parse(rtcp.build_nack(packet.ssrc, packet.media_ssrc, packet.lost))
                assert isinstance(again[0], rtcp.Nack)
                assert set(again[0].lost) == set(packet.lost)
            case TransportFeedback():
                named += len(packet.arrivals)
            case rtcp.SenderReport() if len(packet.reports) <= 31:
                assert rtcp.parse(rtcp.build_sender_report(packet)) == [packet]
            case rtcp.ReceiverReport() if len(packet.reports) <= 31:
                assert rtcp.parse(rtcp.build_receiver_report(packet)) == [packet]
            case _:
                pass
    assert named <= rtcp.MAX_NAMED


def _told(count: int, chunks: bytes, deltas: bytes = b"") -> bytes:
    """A transport feedback about so many packets, as bytes say it."""
    body = struct.pack("!IIHHI", 1, 2, 7, count, 1 << 8) + chunks + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def _compounds() -> list[bytes]:
    blocks = (rtcp.ReportBlock(5, 3, -1, 70_000, 9, 1, 2),)
    report = rtcp.build_receiver_report(rtcp.ReceiverReport(1, blocks))
    sent = rtcp.build_sender_report(rtcp.SenderReport(1, 1 << 63, 5, 6, 7, blocks))
    came = TransportFeedback(1, 2, 65_530, 77, 3, (0, 5, None, 400, -9, None, None, 8))
    return [
        report,
        sent + rtcp.build_sdes(1, "slot1"),
        report + rtcp.build_pli(1, 2) + rtcp.build_nack(1, 2, [3, 4, 9, 40, 65_535]),
        report + rtcp.build_remb(1, 10**6, [1, 2, 3]),
        feedback.build_transport_feedback(came),
        struct.pack("!BBHIIIBBBB", 0x84, 206, 4, 1, 2, 3, 9, 0, 0, 0),
        struct.pack("!BBHII", 0x82, 203, 2, 7, 8),
        _told(4096, b"\x30\0"),
        _told(14, b"\xbf\xff", bytes(14)),
        rtcp.build_nack(1, 2, range(0, 5000, 2)),
    ]


def take_feedback(data: bytes) -> None:
    """Feedback about what was sent is believed as far as it can be true; memory stays bounded."""
    departures = Departures()
    for number in range(300):
        departures.sent(100 + number, 1.0 + number / 100)
    for number, body in enumerate(parts_of(data, 4)):
        try:
            told = feedback.read(body)
        except ValueError:
            continue
        assert 0 < len(told.arrivals) <= feedback.MAX_PACKETS
        assert 0 <= told.reference_time < 1 << 24 and 0 <= told.count < 256
        # What can be said at all is said back.
        steps = [0] + [arrival for arrival in told.arrivals if arrival is not None]
        if all(-0x8000 <= b - a <= 0x7FFF for a, b in zip(steps, steps[1:], strict=False)):
            built = feedback.build_transport_feedback(told)
            assert rtcp.parse(built) == [told] or len(built) > rtcp.MAX_BYTES
        report = departures.acknowledge(told, 5.0 + number)
        assert 0 <= report.lost <= len(told.arrivals) and 0 <= report.total <= SENT
        assert report.lost <= max(report.total, 0) + len(told.arrivals)
        assert report.acknowledged_bps >= 0
        assert len(departures._rates) <= RATE_REPORTS


def _feedbacks() -> list[bytes]:
    def body(*arrivals: int | None, base: int = SENT) -> bytes:
        told = TransportFeedback(1, 2, base, 16, 0, arrivals)
        built = feedback.build_transport_feedback(told)
        return built[4 : len(built) - (built[-1] if built[0] & 0x20 else 0)]

    return [
        joined([body(0, 4, 9), body(0, None, 7, base=SENT + 3)]),
        joined([body(*range(0, 80, 4)), body(*[None] * 30, 5, base=SENT + 20)]),
        joined([body(-9, -3, 400, 20_000)]),
        joined([_told(4096, b"\x10\0")[4:]]),
        joined([_told(4096, b"\x20\xff" * 20, bytes(256))[4:]]),
    ]


# --- One person's packets, with their keys, up to what they do to the others -------------------

_NOW = 1000.0
VOICE, CAMERA = 0x11111111, 0x22222222
"""Of Ana, as her offer announces them."""


class _Everybody:
    """Ana, whose packets are the input, and Ben; what they send is seen on its way."""

    def __init__(self) -> None:
        counters = self.counters = Counter[str]()
        ice = IceLite(counters)
        engine = self.engine = srtp.FastEngine()
        mux = cast(Mux, SimpleNamespace(send=lambda *_: True, port=9, has_tcp=False))
        fan_out = PlainFanOut(engine, counters)
        certificate = _certificate()
        self.ground = Ground(
            ice, mux, engine, fan_out, certificate, Admission(), counters, ("192.0.2.1",), 1e9
        )
        self.copies = 0
        self.circle = Circle()
        self.circle.apply({"ana": OPEN, "ben": OPEN})
        self.ana, self.ben = self._come("ana"), self._come("ben")

    def again(self) -> None:
        """Forget what was sent, as if they had just come."""
        self.copies = 0
        for peer in (self.ana, self.ben):
            peer._sources.clear()
            peer.arrivals, peer.departures, peer.downlink = Arrivals(), Departures(), Downlink()
            for publication in peer.publications.values():
                publication.sources.clear()
            for writers in peer.writers.values():
                for writer in writers:
                    writer.point(None)
        self.circle.apply(self.circle.gates)

    def _come(self, seat: str) -> Peer:
        peer = Peer(self.ground, parse_offer(_offer()), lambda state: None)
        agent = peer.agent
        agent.address, agent.sendto = ("192.0.2.7", 5), lambda *_: None
        # The keys that do nothing: what arrives is what was meant.
        keys = SimpleNamespace(
            unprotect_rtcp=lambda packet: packet, protect_rtcp=lambda packet: packet
        )
        peer._control = srtp.Control(keys, keys, self.counters)
        peer._open = self._open_packet
        peer.seal = self._seal
        peer.incoming = peer.outgoing = keys
        self.circle.seat(seat, peer)
        return peer

    def _open_packet(self, packet: bytes) -> int:
        self.engine.opened[: len(packet)] = packet
        return len(packet)

    def _seal(self, size: int) -> int:
        self.copies += 1
        assert 12 <= size <= 1600
        return size


@cache
def _certificate() -> Certificate:
    return Certificate.generateCertificate()


@cache
def _offer() -> str:
    member = Member(2, transport_cc=True)
    member.socket.close()
    # An input must mean the same tomorrow.
    text = member.offer.replace(str(member.audio_ssrc), str(VOICE))
    return text.replace(str(member.video_ssrc), str(CAMERA))


@cache
def _everybody() -> _Everybody:
    """Made once, since to make them costs more than an input; `again` before each."""
    return _Everybody()


def take_person(data: bytes) -> None:
    """Whatever a member sends with the right keys, the tables stay bounded and copies too."""
    everybody = _everybody()
    everybody.again()
    ana = everybody.ana
    count = 0
    writers = [writer.ssrc for some in ana.writers.values() for writer in some]
    for number, packet in enumerate(parts_of(data, 10)):
        count += 1
        named = packet.replace(b"OURS", struct.pack("!I", writers[number % len(writers)]))
        ana.receive(named, _NOW + number / 100)
        if number % 4 == 3:
            ana.tick(_NOW + number / 100)
    ana.tick(_NOW + 0.5)
    everybody.ben.tick(_NOW + 0.5)
    everybody.circle.tick(_NOW + 0.5)
    ana.line(_NOW + 0.5)
    assert len(ana._sources) <= MAX_SSRCS
    assert everybody.copies <= count * (1 + 2 * 64)


def _people() -> list[bytes]:
    def say(number: int, mid: bytes = b"0", ssrc: int = VOICE) -> bytes:
        extensions = {4: mid, 3: struct.pack("!H", number)}
        return rtp_packet(ssrc, 111, number, number * 960, b"opus" * 9, extensions=extensions)

    def show(number: int, key: bool = False, ssrc: int = CAMERA) -> bytes:
        extensions = {4: b"1", 3: struct.pack("!H", number)}
        payload = vp8_payload(key, number, number, 40)
        return rtp_packet(ssrc, 96, number, number * 3000, payload, extensions=extensions)

    ours = b"\x81\xcd\0\3" + b"\0\0\0\1OURS" + b"\0\1\xff\xff"
    asked = b"\x81\xce\0\2" + b"\0\0\0\1OURS"
    about = b"\x81\xc9\0\7\0\0\0\1OURS" + bytes(20)
    return [
        joined([say(1), show(1, True), say(2), show(2), show(4), show(3)]),
        joined([say(number, b"0", number) for number in range(12)]),
        joined([show(number, True, number) for number in range(12)]),
        joined([show(1, True), ours, asked, about]),
        joined(_compounds()),
    ]


# --- The link -----------------------------------------------------------------------------------


class _Office:
    """A worker whose lines are the input; what it would tell is read back."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.told: list[dict[str, Any]] = []
        self.ground = _Everybody().ground

    async def obey(self, lines: list[bytes]) -> None:
        worker = Worker(self.ground, 10.0, 60.0)
        worker._writer = cast(asyncio.StreamWriter, self)
        try:
            for line in lines:
                worker._obey(line)
        except BadLine:
            pass
        for circle_id, circle in worker._circles.items():
            assert 0 < len(circle_id) <= MAX_NAME and len(circle.gates) <= 64
            assert set(circle.peers) <= set(circle.gates)
        for life in list(worker._lives.values()):
            life.cancel()
        await asyncio.gather(*worker._lives.values(), return_exceptions=True)

    # What the worker asks of its link

    @property
    def transport(self) -> _Office:
        return self

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, line: bytes) -> None:
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        json.loads(line)


@cache
def _office() -> _Office:
    return _Office()


def take_lines(data: bytes) -> None:
    """A line is obeyed, answered with a refusal, or ends the link; no other way."""
    office = _office()
    office.loop.run_until_complete(office.obey(data.split(b"\n")[:8]))


def _lines() -> list[bytes]:
    gate = {"audio": True, "video": False, "space": "main", "focus": True, "screen": False}
    said: list[dict[str, Any]] = [
        {"do": "gates", "circle": "c", "seats": {"s": gate, "t": gate}},
        {"do": "watch", "circle": "c", "seat": "s", "video": "all", "seats": ["t"]},
        {"do": "drop", "circle": "c", "seat": "s"},
        {"do": "stats", "id": 7},
        {"do": "alive"},
        {"do": "close", "circle": "c"},
        {"do": "leave"},
        {"do": "end"},
    ]
    bad = {"do": "offer", "id": 3, "circle": "c", "seat": "s", "sdp": "v=0\r\n"}
    good = {**bad, "sdp": _offer()}
    return [
        b"\n".join(json.dumps(line).encode() for line in said),
        b"\n".join(json.dumps(line).encode() for line in (said[0], bad, *said[1:])),
        b"\n".join(json.dumps(line).encode() for line in (said[0], good, said[1], said[2])),
    ]


TARGETS = (
    Target("rtcp", take_compound, _compounds, (b"\x8f\xcd", b"\x81\xcd", b"\x84\xce", b"REMB")),
    Target("feedback", take_feedback, _feedbacks, (b"\x10\0", b"\x30\0", b"\xbf\xff", b"\xd5\x55")),
    Target(
        "member",
        take_person,
        _people,
        (b"OURS", b"\x80\xc8\0\6", b"\x81\xcd\0\3", b"\x8f\xcd\0\5", b"\xbe\xde\0\1"),
    ),
    Target(
        "link",
        take_lines,
        _lines,
        (b'"do":"', b"null", b"true", b"1e999", b'""', b"[", b"{", b"\n", b'"id":', b"\\ud800"),
    ),
)
