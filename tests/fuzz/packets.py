"""Datagrams and frames as they come from the network, and what is made of them."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from functools import cache
from typing import Any, cast

from aioice import stun

from bench.member import rtp_packet, vp8_payload
from peermeet.media import rtp, srtp, vp8
from peermeet.media.compiled import CompiledFanOut
from peermeet.media.fanout import FanOut, PlainFanOut, Viewer
from peermeet.media.icelite import Address, IceLite
from peermeet.media.icetcp import MAX_FRAME_BYTES, BadFrame, Frames
from peermeet.media.ingest import HISTORY, MARK, MAX_MISSING, Layer, SenderClock
from peermeet.media.peer import Peer
from peermeet.media.sdp import Kind
from peermeet.media.seat import SeatWriter
from peermeet.media.twcc import SENT
from tests.fuzz.target import Target, joined, parts_of
from tests.media.test_fanout import listener
from tests.media.test_peer import session
from tests.media.test_seat import ORIENTATION_ID, TRANSPORT_CC_ID
from tests.media.world import World, lived

# --- STUN ---------------------------------------------------------------------------------------

_HERE: Address = ("192.0.2.7", 4000)
_ELSEWHERE: Address = ("192.0.2.8", 4000)
_HEAD = struct.Struct("!HHI12s")


def _nowhere(datagram: bytes | memoryview, address: Address) -> None:
    """Answers and checks of our own are not read here."""


def take_check(data: bytes) -> None:
    """A check gets an answer only if it is authentic, and never moves media by itself.

    The first byte of an input says what is made of the rest: the datagram itself, or the
    attributes of a message that is signed with the right key, so that the code behind the
    signature is reached.
    """
    counters: Counter[str] = Counter()
    ice = IceLite(counters)
    agent = ice.open("remote", "remote-password-of-22-b", 0.0)
    name, key = f"{agent.ufrag}:remote".encode(), agent.pwd.encode()
    ice.answer(_signed(name, b"\0\x25\0\0", key), _HERE, 0.0, _nowhere)
    assert agent.address == _HERE
    how, rest = (data[0] if data else 0), data[1:]
    if how & 1:
        kind = 0x0101 if how & 2 else 0x0001
        key = agent.credentials.remote_pwd.encode() if how & 2 else key
        if how & 4:
            # Some attribute in front of the name, or the name a second time.
            datagram = _signed(b"", rest + _attribute(6, name), key, kind)
        else:
            datagram = _signed(name, rest, key, kind)
    else:
        datagram = rest.replace(b"NAME", name)
    source = _ELSEWHERE if how & 8 else _HERE
    for number in range(2):
        answer = ice.answer(datagram, source, 1.0 + number, _nowhere)
        if answer is not None:
            assert how & 1 and len(answer) <= len(datagram) + 80
            assert answer[:2] == b"\1\1" and answer[8:20] == datagram[8:20]
    assert agent.address == _HERE
    assert len(agent.validated) <= 2 and set(ice.by_address) == set(agent.validated)
    ice.close(agent)
    assert not ice.by_address


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _signed(name: bytes, attributes: bytes, key: bytes, kind: int = 1) -> bytes:
    body = (_attribute(6, name) if name else b"") + attributes
    head = _HEAD.pack(kind, (len(body) + 24) & 0xFFFF, 0x2112A442, b"transaction!")
    tag = stun.message_integrity(head + body, key)
    data = head + body + _attribute(8, tag)
    fingered = _HEAD.pack(kind, (len(body) + 32) & 0xFFFF, 0x2112A442, b"transaction!") + data[20:]
    finger = stun.message_fingerprint(fingered)
    return fingered + _attribute(0x8028, struct.pack("!I", finger))


def _checks() -> list[bytes]:
    nominating = b"\0\x25\0\0" + _attribute(0x24, bytes(4)) + _attribute(0x802A, bytes(8))
    plain = _HEAD.pack(1, 0, 0x2112A442, b"transaction!")
    return [
        *(bytes((how,)) + nominating for how in (1, 3, 5, 9, 11)),
        b"\0" + plain,
        b"\0" + _HEAD.pack(1, 8, 0x2112A442, b"transaction!") + _attribute(6, b"NAME"),
        b"\1" + _attribute(0x20, b"\0\1\0\0\0\0\0\0") + _attribute(9, b"\0\0\4\1why"),
        b"\1" + _attribute(0x20, b"\0\2" + bytes(18)) + _attribute(0x8022, "ü".encode()),
    ]


# --- RTP ----------------------------------------------------------------------------------------


def take_header(data: bytes) -> None:
    """Where things are in a packet is within the packet."""
    end = rtp.payload_offset(data, len(data))
    assert end == 0 or 12 <= end <= len(data)
    if not end:
        return
    for wanted in (1, 4, 14, 255):
        found = rtp.find_extension(data, end, wanted)
        value = rtp.extension(data, end, wanted)
        assert (found is None) == (value is None)
        if found is not None and value is not None:
            at, size = found
            assert 12 <= at <= at + size <= end and value == data[at : at + size]
            if 1 <= size <= 16 and wanted < 15:
                block = rtp.extension_block([(wanted, value)])
                packet = b"\x90" + data[1:12] + block
                assert rtp.extension(packet, len(packet), wanted) == value


def _headers() -> list[bytes]:
    two_bytes = b"\x90\x60" + bytes(10) + b"\x10\0\0\3" + b"\1\1x\0\4\0\xff\5hello"
    return [
        rtp_packet(1, 96, 7, 9, b"payload", extensions={1: b"\x8a", 4: b"1", 14: bytes(16)}),
        rtp_packet(1, 96, 7, 9, b""),
        two_bytes,
        b"\x9f\x60" + bytes(10 + 60) + b"\xbe\xde\0\1\x10\x01\0\0",
    ]


def take_descriptor(data: bytes) -> None:
    """A descriptor ends within its packet, and new numbers are read back and change no more."""
    offset = data[0] % 4 if data else 0
    found = vp8.parse(data, offset)
    if found is None:
        return
    assert offset < found.payload_at < len(data)
    for at in (found.picture_id_at, found.tl0_at):
        assert at == 0 or offset < at < found.payload_at
    packet = bytearray(data)
    vp8.rewrite(packet, found, 0x1234567, -3)
    again = vp8.parse(packet, offset)
    assert again is not None and again[:6] == found[:6]
    assert again.picture_id == 0x1234567 & ((1 << found.picture_id_bits) - 1)
    assert again.tl0 == (0xFD if found.tl0_at else 0)
    assert packet[found.payload_at :] == data[found.payload_at :]
    vp8.rewrite(packet, found, found.picture_id, found.tl0)
    assert packet == data


def _descriptors() -> list[bytes]:
    return [
        vp8_payload(True, 300, 7, 40),
        vp8_payload(False, 0x7FFF, 255, 20),
        vp8_payload(False, 1, 1, 20, start=False),
        b"\x90\x80\x11\x10\x02\0\x9d\x01\x2a" + bytes(8),
        b"\x10\x10\x02\0\x9d\x01\x2a" + bytes(8),
    ]


# --- A packet, from the moment it is opened to the copies that go out ---------------------------


class _Ears:
    """Where the copies for one person go, and who that is for the fan-out."""

    def __init__(self) -> None:
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ears.bind(("127.0.0.1", 0))
        self.ears.setblocking(False)
        self.mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.mouth.setblocking(False)

    def viewer(self, fan: FanOut, engine: srtp.Engine, kind: Kind, place: int) -> Viewer:
        keys = session(inbound=False)
        peer = listener(engine, keys, self.mouth.sendto, self.ears.getsockname())
        writer = SeatWriter(
            str(place),
            kind,
            100,
            engine.sealing,
            ssrc=99 + place,
            state=fan.state(),
            rtx_ssrc=77,
            rtx_payload_type=101 if place else None,
            mid_id=1,
            orientation_id=ORIENTATION_ID,
            transport_cc_id=TRANSPORT_CC_ID if place else 0,
        )
        # Chance is the enemy of comparison.
        writer.state.last_sequence = 0x10000 + 0x7FF0
        writer._beginning, writer._rtx_sequence = (0xFFFFFF00, 0x7FFE, 0xFE), 5
        fan.follow(cast(Peer, peer))
        return writer, cast(Peer, peer)

    def heard(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.ears.recv(2048))
            except BlockingIOError:
                return found


class _Room:
    """A source and two who are shown it, by one of the two ways to send."""

    def __init__(self, make: type[PlainFanOut]) -> None:
        self.engine = srtp.FastEngine()
        self.counters: Counter[str] = Counter()
        self.fan: FanOut = make(self.engine, self.counters)
        self.people = [_Ears(), _Ears()]

    def live(self, kind: Kind, packets: list[bytes]) -> list[Any]:
        """What went out for each packet."""
        engine, fan = self.engine, self.fan
        state, history = fan.intake()
        layer = Layer(
            1,
            kind,
            96,
            self.counters,
            SenderClock(),
            rtx_payload_type=97,
            orientation_id=ORIENTATION_ID,
            nack=True,
            state=state,
            history=history,
        )
        viewers = tuple(
            person.viewer(fan, engine, kind, place) for place, person in enumerate(self.people)
        )
        for writer, _ in viewers:
            writer.point(layer)
        ready = fan.settle(layer, viewers, True, True)
        told: list[Any] = []
        longest = 0
        for number, packet in enumerate(packets):
            now, size, sent = 100.0 + number / 50, len(packet), 0
            longest = max(longest, size)
            engine.opened[:size] = packet
            repairs = packet[1] & 0x7F == 97
            taken = layer.take(engine.opened, size, now, number % 8 < 7, repairs)
            if taken is not None:
                assert len(taken.payload) <= size - 12
                sent = fan.send(layer, viewers, ready, taken, now)
            layer.lost_due(now)
            again = []
            for writer, _ in viewers:
                length = writer.repeat(packet[2] << 8 | packet[3], now)
                # Any packet of before may be what is asked for by this number.
                assert length <= longest + 40
                again.append(bytes(engine.sealing[:length]))
            heard = [person.heard() for person in self.people]
            assert all(len(one) <= size + 56 for some in heard for one in some)
            told.append((sent, again, heard))
        assert len(layer._missing) <= MAX_MISSING and len(layer.seen) == HISTORY
        block = layer.report(200.0)
        assert 0 <= block.fraction_lost <= 255 and 0 <= block.highest_sequence < 1 << 32
        for writer, _ in viewers:
            report = writer.report(200.0, 1e9)
            assert report is None or 0 <= report.rtp < 1 << 32
        return told


@cache
def _rooms() -> tuple[_Room, _Room]:
    return _Room(PlainFanOut), _Room(CompiledFanOut)


def take_media(data: bytes) -> None:
    """Both ways of forwarding send the same bytes, and never more than came but headers."""
    kind: Kind = "audio" if data[:1] == b"a" else "video"
    packets = [packet for packet in parts_of(data[1:], 16) if len(packet) >= 12]
    plain, compiled = (room.live(kind, packets) for room in _rooms())
    assert plain == compiled


def _streams() -> list[bytes]:
    def packet(number: int, payload: bytes, payload_type: int = 96, tilt: int = 0) -> bytes:
        extensions = {4: b"1", ORIENTATION_ID: bytes((tilt,))} if tilt else {4: b"1"}
        return rtp_packet(1, payload_type, number, number * 3000, payload, extensions=extensions)

    def picture(number: int, key: bool = False, tilt: int = 0) -> bytes:
        return packet(number, vp8_payload(key, number, number, 40), tilt=tilt)

    flowing = [picture(65_530 + n, n == 0, n % 3) for n in range(10)]
    lost = [picture(1, True), picture(2), picture(5), picture(4), picture(3), picture(2000, True)]
    again = [picture(1, True), picture(3), packet(9, b"\0\2" + vp8_payload(False, 2, 2, 40), 97)]
    padded = [picture(1, True), b"\xa0\x60\0\2" + bytes(7) + b"\1" + b"\x10" * 7 + b"\4"]
    voice = [packet(number, b"opus" * 5) for number in range(6)]
    return [
        *(b"v" + joined(packets) for packets in (flowing, lost, again, padded)),
        b"a" + joined(voice),
    ]


# --- A datagram, from the socket it came by to the copies that go out ----------------------------

_RAW, _RTP, _RTCP, _TIME = range(4)
_TOGETHER = 4
"""The next datagram is read with it."""
_BEN = 8
"""It comes from him."""


def take_datagrams(data: bytes) -> None:
    """The compiled loop and the plain way make the same of whatever comes, sealed or not."""
    lives = []
    for make in (PlainFanOut, CompiledFanOut):
        with lived(make, ("ana", "ben")) as world:
            _begin(world)
            for part in parts_of(data, 12):
                _come(world, part[0] if part else 0, part[1:])
            world.read()
            heard = [person.listen() for person in world.people.values()]
            world.tick()
            lives.append((heard, world.told(9), world.lines()))
    assert lives[0] == lives[1]


def _begin(world: World) -> None:
    """Everything that Ana sends flows, so that the next of it is the loop's."""
    ana = world.people["ana"]
    for packet in (ana.voice(), *ana.pictures("l", key=True)):
        ana.send_rtp(packet)
    world.read()


def _come(world: World, how: int, datagram: bytes) -> None:
    person = world.people["ben" if how & _BEN else "ana"]
    match how & 3:
        case 0 if datagram:  # _RAW
            person.send(datagram)
        case 1:  # _RTP
            person.send_rtp(datagram)
        case 2:  # _RTCP
            person.send_rtcp(datagram)
        case _:  # _TIME
            world.now += how / 200
            world.tick()
    if not how & _TOGETHER:
        world.read()


def _datagrams() -> list[bytes]:
    with lived(PlainFanOut, ("ana", "ben")) as world:
        _begin(world)
        ana, ben = world.people["ana"], world.people["ben"]
        flowing = [bytes((_RTP,)) + ana.voice() for _ in range(4)]
        shown = [bytes((_RTP | _TOGETHER,)) + p for n in range(3) for p in ana.pictures("l")]
        tilted = [bytes((_RTP,)) + packet for packet in ana.pictures("l", tilt=1)]
        ben.listen()
        ben.came.take(SENT & 0xFFFF, world.now)
        ben.came.take((SENT + 2) & 0xFFFF, world.now)
        told = [bytes((_RTCP | _BEN,)) + one for one in ben.feedback()]
        odd = [bytes((_RAW,)) + datagram for datagram in (b"\x90\x6f" + bytes(40), b"\0\1", b"x")]
        time = [bytes((_TIME | 64,))]
    return [
        joined(flowing + time + flowing[:1]),
        joined(shown + time + tilted),
        joined(flowing + told + time + told),
        joined(odd + shown + odd + flowing),
        joined(shown[:2] + shown[3:] + shown[2:3] + time),
    ]


# --- TCP ----------------------------------------------------------------------------------------


def take_stream(data: bytes) -> None:
    """However a stream is cut into pieces, its frames are the same; what waits is bounded."""
    at = 1 + data[0] if data else 0
    frames: list[list[bytes]] = []
    for pieces in ([data], [data[:at], data[at:]]):
        cutter, found = Frames(), list[bytes]()
        try:
            for piece in pieces:
                for frame in cutter.feed(piece):
                    found.append(frame)
                    assert len(frame) <= MAX_FRAME_BYTES
                assert len(cutter.rest) <= MAX_FRAME_BYTES + 1
        except BadFrame:
            found.append(b"bad")
        frames.append(found)
    assert frames[0] == frames[1]


TARGETS = (
    Target("stun", take_check, _checks, (b"NAME", b"\0\6\0\4", b"\0\x25\0\0", b"\x80\x28\0\4")),
    Target("rtp header", take_header, _headers, (b"\xbe\xde", b"\x10\0", b"\x90", b"\xff\xff")),
    Target("vp8 descriptor", take_descriptor, _descriptors, (b"\x9d\x01\x2a", b"\x90\xe0\x80")),
    Target("media", take_media, _streams, (b"\x80\x60", b"\xa0\x60", b"\x90\x61", b"\xbe\xde\0\1")),
    Target(
        "datagram",
        take_datagrams,
        _datagrams,
        (b"\x80\x60", b"\x90\x61", b"\xbe\xde\0\2", b"\x8f\xcd", MARK, b"\x31\xff\xf6"),
        4096,
    ),
    Target(
        "tcp stream",
        take_stream,
        lambda: [joined([b"x" * 20, b"", b"y" * 1500]), joined([b"z"] * 9), b"\5\xdd" + bytes(9)],
        (b"\0\0", b"\5\xdc", b"\5\xdd", b"\xff\xff"),
    ),
)
