"""A circle of three in one process, with real keys and sockets and a clock that the test moves.

Who forwards is an argument, so that the same lives can be lived with the compiled loop and
without it, and everything that came of them compared.
"""

from __future__ import annotations

import itertools
import secrets
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pylibsrtp
import pytest

from bench.member import MID_ID, OPUS, ORIENTATION_ID, RID_ID, TRANSPORT_ID, VP8, rtp_packet
from peermeet.core.model import Gate
from peermeet.media import rtcp, srtp, twcc
from peermeet.media.circle import Circle
from peermeet.media.compiled import CompiledFanOut
from peermeet.media.dtls import Admission, Certificate
from peermeet.media.fanout import FanOut, PlainFanOut
from peermeet.media.icelite import IceLite
from peermeet.media.ingest import MARK
from peermeet.media.mux import Mux
from peermeet.media.peer import Ground, Peer
from peermeet.media.sdp import Offer, parse_offer
from peermeet.media.seat import State
from peermeet.media.twcc import Report
from tests.media.test_peer import session

RTX, REPAIRED_ID = 97, 11
VOICE = 707573527
"""As Chromium's offer announces it; its camera's layers are known by their extensions."""
LAYERS = {"l": 0x22222222, "h": 0x33333333}
REPAIRS = {"l": 0x44444444, "h": 0x55555555}
SEATS = ("ana", "ben", "cleo")
SHUT = Gate(False, False)
OPEN = Gate(True, True)
HOLDER = Gate(True, True, focus=True)
BEGAN = 1000.0


@cache
def _offer(places: int) -> Offer:
    """Chromium's, with so many pairs to receive."""
    path = Path(__file__).parent / "golden/chromium-3.offer.sdp"
    offer = parse_offer(path.read_text())
    return replace(offer, sections=offer.sections[: 2 + 2 * places])


@cache
def _certificate() -> Certificate:
    return Certificate.generateCertificate()


class World:
    """A worker's circle, and three who are connected to it."""

    def __init__(self, make: type[PlainFanOut], seats: Sequence[str]) -> None:
        self.now = BEGAN
        counters = self.counters = Counter[str]()
        self.engine = srtp.FastEngine()
        self.fan: FanOut = make(self.engine, counters)
        ice = IceLite(counters)
        self.mux = Mux(ice, counters, ["127.0.0.1"], 0, self.fan)
        self.door = self.mux._sockets[0]
        self.fan.attend([self.door], self.mux._readable)
        self.selector = self.fan.selector()
        self.selector.register(self.door, selectors.EVENT_READ)
        self.ground = Ground(
            ice,
            self.mux,
            self.engine,
            self.fan,
            _certificate(),
            Admission(),
            counters,
            ("127.0.0.1",),
            1e6,
        )
        self.circle = Circle()
        self.gates = dict.fromkeys(seats, OPEN) | {"ana": HOLDER}
        self.circle.apply(self.gates)
        self.people = {seat: Person(self, seat) for seat in seats}

    def read(self) -> None:
        """Let the worker take what waits for it."""
        while True:
            if isinstance(self.fan, CompiledFanOut):
                self.fan._desk.time = self.now
            ready = self.selector.select(0)
            for _ in ready:
                self.mux._readable(self.door)
            if not ready:
                return

    def tick(self) -> None:
        """What the worker's clock does, twice: every other time may be short."""
        for _ in range(2):
            self.now += 0.1
            for person in self.people.values():
                person.peer.tick(self.now)
            self.fan.flush()
            self.circle.tick(self.now)

    def gate(self, seat: str, gate: Gate) -> None:
        self.gates[seat] = gate
        self.circle.apply(self.gates, self.circle.marked)

    def close(self) -> None:
        for person in self.people.values():
            person.peer.close()
            person.socket.close()
        self.selector.close()
        self.mux.close()

    def told(self, kept: int = 0) -> list[Any]:
        """What is known of everybody; comparable. kept: so many of the last packets, too."""
        known: list[Any] = [dict(self.counters)]
        for seat, person in self.people.items():
            peer = person.peer
            arrivals, departures, line = peer.arrivals, peer.departures, peer.downlink
            known.append((seat, list(peer.counts), list(peer.allowance), list(peer.controls)))
            known.append((peer.agent.heard_at, peer.sources, peer._faults))
            known.append((arrivals.at, arrivals.numbers, arrivals.busy_at))
            known.append((departures.sent_at, departures.sizes, departures.next_sequence))
            known.append((departures.clock, line is not None and line.budget_bps))
            for source in peer._sources.values():
                layer = source.layer
                known.append(_numbers(layer.state, _LAYER))
                known.append((layer.seen, dict(layer._missing), layer.faults, layer.rate_bps))
                highest = layer.state.highest
                known.append([layer.recall(highest - ago) for ago in range(min(highest, kept))])
            for writers in peer.writers.values():
                known += [_numbers(writer.state, State.__slots__) for writer in writers]
        return known

    def lines(self) -> list[Any]:
        """What is known of lines; of a calm one it is brought up to date at a tick."""
        found: list[Any] = []
        for person in self.people.values():
            line = person.peer.downlink
            assert line is not None
            found.append((line.budget_bps, line.queue_s, line.round_trip_s, line.loss))
            found.append((line.is_weak, line.overloads, list(person.peer.departures._rates)))
            found.append(person.reports)
        return found


_LAYER = (
    *("ssrc", "payload_type", "is_video", "clock_rate_hz", "orientation_id", "highest"),
    *("received", "octets", "heard_at", "jitter", "transit", "key_frame_wanted", "marked"),
    "is_clear",
)


def _numbers(state: object, names: tuple[str, ...]) -> list[float]:
    # Layers are numbered on and on.
    return [getattr(state, name) for name in names if name != "layer"]


class Person:
    """One who is connected, with a browser that does what it is told."""

    def __init__(self, world: World, seat: str) -> None:
        self.world, self.seat = world, seat
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.tx, self.rx = session(inbound=False), session(inbound=True)
        self.sequence, self.picture = Counter[int](), Counter[int]()
        self.number = 0xFFF0
        """Transport-wide, soon to wrap."""
        self.sent: list[bytes] = []
        self.came = twcc.Arrivals()
        self.lost: list[tuple[int, int]] = []
        """Sources and numbers of theirs that we pretend not to have got."""
        self.late: list[int] = []
        """Transport-wide numbers of these, which may turn out to have come."""
        peer = self.peer = Peer(world.ground, _offer(len(world.gates) - 1), lambda state: None)
        peer._ticks = 0
        self.reports: list[tuple[Report, float]] = []
        """What has been told of our line, and when."""
        peer.learn = self._learn  # type: ignore[method-assign]
        self.live_at(world.door.sendto)
        world.circle.seat(seat, peer)
        dtls = peer._dtls
        dtls.incoming, dtls.outgoing = session(inbound=True), session(inbound=False)
        peer._connect()

    def _learn(self, report: Report, now: float) -> None:
        self.reports.append((report, now))
        Peer.learn(self.peer, report, now)

    def live_at(self, sendto: Any) -> None:
        """Be heard from, and sent to, where our socket is."""
        agent, ice = self.peer.agent, self.world.ground.ice
        if agent.address is not None:
            ice.forget(agent.address)
        agent.address, agent.sendto = self.socket.getsockname(), sendto
        agent.validated[agent.address] = sendto
        ice.by_address[agent.address] = agent

    def move(self) -> None:
        """Go on from another port."""
        self.listen()
        self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.live_at(self.world.door.sendto)

    # What it sends

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)
        self.socket.sendto(datagram, self.world.door.getsockname())

    def send_rtp(self, packet: bytes) -> None:
        try:
            self.send(self.tx.protect(packet))
        except (pylibsrtp.Error, ValueError):
            self.send(packet)

    def send_rtcp(self, packet: bytes) -> None:
        try:
            self.send(self.tx.protect_rtcp(packet))
        except (pylibsrtp.Error, ValueError):
            self.send(packet)

    def extensions(self, mid: bytes, more: dict[int, bytes] | None = None) -> dict[int, bytes]:
        self.number += 1
        return {
            TRANSPORT_ID: (self.number & 0xFFFF).to_bytes(2, "big"),
            MID_ID: mid,
            **(more or {}),
        }

    def voice(self, body: bytes = b"opus" * 9, ssrc: int = VOICE) -> bytes:
        """The next packet of sound."""
        self.sequence[ssrc] += 1
        number = self.sequence[ssrc]
        return rtp_packet(ssrc, OPUS, number, number * 960, body, extensions=self.extensions(b"0"))

    def pictures(
        self,
        rid: str,
        key: bool = False,
        parts: int = 2,
        end: bytes = MARK,
        tilt: int | None = None,
        size: int = 60,
    ) -> list[bytes]:
        """The packets of the next picture."""
        ssrc = LAYERS[rid]
        self.picture[ssrc] += 1
        picture = self.picture[ssrc]
        packets = []
        for part in range(parts):
            self.sequence[ssrc] += 1
            number, last = self.sequence[ssrc], part == parts - 1
            head = bytes((0x80 if part else 0x90, 0xE0, 0x80 | picture >> 8 & 0x7F))
            head += bytes((picture & 0xFF, picture & 0xFF, 0x20))
            frame = bytes.fromhex("5000009d012a40016801") if key else b"\x51\0\0"
            body = head + (b"" if part else frame) + bytes(size) + (end if last else b"")
            more = {RID_ID: rid.encode()}
            if tilt is not None:
                more[ORIENTATION_ID] = bytes((tilt,))
            packets.append(
                rtp_packet(
                    ssrc,
                    VP8,
                    number,
                    picture * 3000,
                    body,
                    marker=last,
                    extensions=self.extensions(b"1", more),
                )
            )
        return packets

    def repair(self, rid: str, packet: bytes) -> bytes:
        """The same once more, on the source of retransmissions (RFC 4588)."""
        begin = 16 + 4 * int.from_bytes(packet[14:16], "big")
        self.sequence[REPAIRS[rid]] += 1
        return rtp_packet(
            REPAIRS[rid],
            RTX,
            self.sequence[REPAIRS[rid]],
            int.from_bytes(packet[4:8], "big"),
            packet[2:4] + packet[begin:],
            marker=bool(packet[1] & 0x80),
            extensions=self.extensions(b"1", {REPAIRED_ID: rid.encode()}),
        )

    def feedback(self) -> list[bytes]:
        """How what we got came."""
        theirs = next(iter(self.peer._by_ssrc))
        return self.came.feedback(self.world.now, 1, theirs)

    # What it gets

    def listen(self, deaf: bool = False) -> tuple[list[bytes], list[bytes]]:
        """What has come since, opened: RTP in its order, and RTCP. deaf: as if it had been lost."""
        found, control = list[bytes](), list[bytes]()
        while True:
            try:
                datagram = self.socket.recv(2048)
            except BlockingIOError:
                return found, sorted(control)
            if 192 <= datagram[1] <= 223:
                control.append(self.rx.unprotect_rtcp(datagram))
                continue
            packet = self.rx.unprotect(datagram)
            found.append(packet)
            number = _transport_number(packet)
            if deaf:
                self.lost.append(
                    (int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big"))
                )
                self.late += [] if number is None else [number]
            elif number is not None:
                self.came.take(number, self.world.now + 0.02)


def _transport_number(packet: bytes) -> int | None:
    if packet[0] & 0x10 and packet[16] == TRANSPORT_ID << 4 | 1:
        return int.from_bytes(packet[17:19], "big")
    return None


@contextmanager
def lived(make: type[PlainFanOut], seats: Sequence[str] = SEATS) -> Iterator[World]:
    """A world in which nothing is left to chance, nor to the time of day."""
    chance = itertools.count(1)
    with pytest.MonkeyPatch.context() as fixed:
        for name in ("randbelow", "randbits"):
            fixed.setattr(secrets, name, lambda _: next(chance))
        fixed.setattr(time, "monotonic", lambda: BEGAN)
        world = World(make, seats)
        fixed.setattr(time, "monotonic", lambda: world.now)
        fixed.setattr(time, "time", lambda: 1e9 + world.now)
        try:
            yield world
        finally:
            world.close()


def build_report(person: Person, ssrc: int) -> bytes:
    """A sender report of one of our sources, and how one of theirs arrives."""
    theirs = next(iter(person.peer._by_ssrc))
    block = rtcp.ReportBlock(theirs, 0, 0, 7, 3, 0, 0)
    ntp = int((1e9 + person.world.now) * 2**32)
    return rtcp.build_sender_report(rtcp.SenderReport(ssrc, ntp, 9, 1, 1, (block,)))
