"""The compiled loop lives the same life as the plain way: every byte, every number."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from peermeet.media._fanout import ffi, lib

from peermeet.core.model import Gate
from peermeet.media import compiled, fanout, feedback, ingest, mux, peer, rtcp, srtp, twcc
from peermeet.media.compiled import CompiledFanOut
from peermeet.media.fanout import PlainFanOut
from peermeet.media.feedback import TransportFeedback, build_transport_feedback
from peermeet.media.icelite import Address
from peermeet.media.ingest import KEPT, MARK
from peermeet.media.twcc import SENT
from tests.media.world import (
    HOLDER,
    LAYERS,
    OPEN,
    SEATS,
    SHUT,
    VOICE,
    Person,
    World,
    build_report,
    lived,
)

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["voice", "picture", "burst", "tick", "wait"] * 6
            + "key answer deaf late".split() * 3
            + "lost swapped again forged tilted padded odd large strange second repair jump gate "
            "space mark clear nack pli report rubbish stale move flood listen pause silence".split()
        ),
        st.sampled_from(SEATS),
        st.sampled_from("lh"),
    ),
    max_size=40,
)


def happen(world: World, event: str, person: Person, rid: str) -> None:
    """One thing that people, lines or the web process do."""
    ssrc = LAYERS[rid]
    match event:
        case "voice":
            person.send_rtp(person.voice(b"opus" * 9 + MARK))
        case "picture" | "key" | "clear" | "tilted" | "large":
            key, tilt = event in ("key", "large"), 2 if event == "tilted" else None
            end = b"" if event == "clear" else MARK
            size = 1300 if event == "large" else 60
            for packet in person.pictures(rid, key, 2, end, tilt, size):
                person.send_rtp(packet)
        case "burst":
            for number in range(12):
                person.send_rtp(person.voice(b"opus" * 9 + MARK))
                for packet in person.pictures(rid, number == 3, 3):
                    person.send_rtp(packet)
        case "lost":
            person.pictures(rid)
            person.voice()
        case "swapped":
            for packet in reversed(person.pictures(rid, parts=3)):
                person.send_rtp(packet)
        case "again" | "forged":
            for datagram in person.sent[-3:]:
                last = datagram[-1] ^ (event == "forged")
                person.send(datagram[:-1] + bytes((last,)))
        case "padded":
            voice = bytearray(person.voice())
            voice[0] |= 0x20
            person.send_rtp(bytes(voice) + bytes(3) + b"\x04")
        case "odd":
            # In order, as the next number is what the loop takes.
            odd = [bytearray(packet) for packet in person.pictures(rid, parts=9)]
            begin = 16 + 4 * odd[0][15]
            # An element after which nothing counts, one that is cut off, two-byte elements.
            odd[0][16:24] = b"\xf0\0" + odd[0][16:19] + b"\x401\0"
            odd[1][16] = 0xFF
            odd[2][12:14] = b"\x10\0"
            odd[3][1] ^= 1
            odd[4][begin:] = b"\x90"
            odd[5][begin:] = b"\x10\x09"  # a version of VP8 that there is not
            odd[6][begin:] = b"\x10" + bytes.fromhex("5000009d012a40")
            odd[7][begin:] = b"\x90\x80\x11\x11"  # picture numbers of 7 bits
            del odd[8][begin:]
            for one in odd:
                person.send_rtp(bytes(one))
        case "strange":
            person.send_rtp(person.voice(ssrc=0x77777777 + person.number))
            person.send(b"\x90\x60 too short")
        case "second":
            person.send_rtp(person.voice(ssrc=0x66666666))
        case "repair":
            lost, sent = person.pictures(rid)
            person.send_rtp(sent)
            person.send_rtp(person.repair(rid, lost))
        case "jump":
            person.sequence[ssrc] += 5000
            person.number += 3000
        case "gate":
            was = world.gates[person.seat]
            world.gate(person.seat, SHUT if was.video else HOLDER if rid == "h" else OPEN)
        case "space":
            was = world.gates[person.seat]
            there = "aside" if was.space == "main" else "main"
            world.gate(person.seat, Gate(was.audio, was.video, there, was.focus))
        case "mark":
            world.circle.apply(world.gates, not world.circle.marked)
        case "answer" | "deaf":
            person.listen(deaf=event == "deaf")
            for told in person.feedback():
                person.send_rtcp(told)
        case "late":
            half = len(person.late) // 2
            for number in person.late[:half]:
                person.came.take(number, world.now + 0.02)
            del person.late[:half]
        case "stale":
            base = (person.peer.departures.next_sequence[0] - SENT - 50) & 0xFFFF
            arrivals = (0, None, 700, 3) * 20
            stale = TransportFeedback(1, 2, base, int(world.now / 0.064), 0, arrivals)
            person.send_rtcp(build_transport_feedback(stale))
        case "nack":
            for ssrc, number in person.lost[-4:]:
                person.send_rtcp(rtcp.build_nack(1, ssrc, [number, number + 1]))
        case "pli":
            for theirs in person.peer._by_ssrc:
                person.send_rtcp(rtcp.build_pli(1, theirs))
        case "report":
            person.send_rtcp(build_report(person, VOICE))
            compound = rtcp.build_receiver_report(rtcp.ReceiverReport(1))
            person.send_rtcp(compound + b"".join(person.feedback()[:1]))
        case "rubbish":
            person.send_rtcp(b"\x8f\xcd\0\5" + bytes(12) + b"\xff\xff\xff\xff\0\0\0\0")
            person.send_rtcp(b"\xaf\xcd\0\5" + bytes(11) + b"\x09\x20\x09\0\0\0\0\0\0")
        case "move":
            person.move()
            person.peer._follow()
        case "flood":
            person.peer.allowance[0], person.peer.controls[0] = 2.0, 0.5
        case "pause":
            world.now += 0.7
        case "silence":
            world.now += 6.0
        case "listen" | "tick" | "wait":
            pass


def life(world: World, events: list[tuple[str, str, str]]) -> list[Any]:
    """What everybody got after each event, and what the worker then knows."""
    told: list[Any] = []
    for seat in SEATS:
        for event in ("key", "voice", "picture"):
            happen(world, event, world.people[seat], "l")
    for event, seat, rid in [("wait", "ana", "l"), *events, ("tick", "ana", "l")]:
        world.now += 0.04
        happen(world, event, world.people[seat], rid)
        if event not in ("voice", "picture"):
            # These wait for the next one, to be read together.
            world.read()
        if event == "tick":
            world.tick()
            told.append(world.lines())
        if event == "listen":
            told.append([world.people[seat].listen() for seat in SEATS])
        told.append((event, world.told()))
    told.append([person.listen() for person in world.people.values()])
    return [*told, world.told(KEPT + 1)]


def both(events: list[tuple[str, str, str]]) -> list[Any]:
    lives: list[list[Any]] = []
    for make in (PlainFanOut, CompiledFanOut):
        with lived(make) as world:
            lives.append(life(world, events))
    assert not difference(lives[0], lives[1])
    return lives[1]


def difference(one: Any, other: Any, where: str = "") -> str:
    """Where they differ first, or ""."""
    if isinstance(one, list | tuple) and len(one) == len(other):
        for at, (part, counterpart) in enumerate(zip(one, other, strict=True)):
            found = difference(part, counterpart, f"{where}/{at}")
            if found:
                return found
        return ""
    return "" if one == other else f"{where}: {one!r:.300} is not {other!r:.300}"


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_both_ways_live_the_same_life(events: list[tuple[str, str, str]]) -> None:
    both(events)


class Counted(CompiledFanOut):
    """Counts what the loop leaves to Python."""

    def __init__(self, engine: srtp.Engine, counters: Counter[str]) -> None:
        super().__init__(engine, counters)
        self.left = Counter[str]()

    def receive(self, one: socket.socket) -> Iterator[tuple[bytes, Address]]:
        for datagram, source in super().receive(one):
            self.left["control" if 192 <= datagram[1] <= 223 else "media"] += 1
            yield datagram, source

    def _finish(self, at: int, now: float) -> None:
        self.left["finished"] += 1
        super()._finish(at, now)


def test_what_flows_never_comes_to_python() -> None:
    with lived(Counted) as world:
        assert isinstance(world.fan, Counted)
        ana, ben = world.people["ana"], world.people["ben"]
        life(world, [])
        for step in range(100):
            if step == 30:
                # By now the line has shown what it carries.
                world.fan.left.clear()
                sent = ben.listen() and list(ana.peer.counts)
            world.now += 0.02
            ana.send_rtp(ana.voice())
            for packet in ana.pictures("h", key=step < 30, parts=4) if step % 2 else ():
                ana.send_rtp(packet)
            world.read()
            if step % 5 == 0:
                for person in world.people.values():
                    person.listen()
                    for told in person.feedback():
                        person.send_rtcp(told)
                world.read()
                world.tick()
        assert ana.peer.downlink is not None and ana.peer.downlink.budget_bps is None
        assert world.fan.left == {}
        assert ana.peer.counts[0] - sent[0] == 70 + 35 * 4
        assert ana.peer.counts[1] - sent[1] == 2 * (70 + 35 * 4)


def test_a_gate_that_closes_counts_for_packets_that_were_read_before() -> None:
    """What waits between the loop and Python is done with before anything else can happen."""
    with lived(CompiledFanOut) as world:
        life(world, [])
        ana = world.people["ana"]
        for _ in range(5):
            ana.send_rtp(ana.voice())
        ana.send(b"\x90\x6f not sealed at all")
        ana.send_rtp(ana.voice())
        desk = world.fan._desk  # type: ignore[attr-defined]
        world.selector.select(0)
        assert desk.at == desk.came
        sent = ana.peer.forwarded
        world.gate("ana", SHUT)
        ana.send_rtp(ana.voice())
        world.read()
        assert ana.peer.forwarded == sent


def test_timers_and_other_sockets_get_their_turn_while_packets_flow() -> None:
    one, other = socket.socketpair()
    with lived(CompiledFanOut) as world, one, other:
        life(world, [])
        ana, ben, fan = world.people["ana"], world.people["ben"], world.fan
        world.selector.register(one, selectors.EVENT_READ)
        # The loop has the real time now.
        fan._desk.time = 0.0  # type: ignore[attr-defined]
        began = time.perf_counter()
        ana.send_rtp(ana.voice())
        assert world.selector.select(0.05) == []
        assert 0.04 < time.perf_counter() - began < 1.0
        assert len(ben.listen()[0]) > 0
        other.send(b"x")
        ana.send_rtp(ana.voice())
        assert one in [key.fileobj for key, _ in world.selector.select(5.0)]


def test_the_loop_and_the_modules_mean_the_same_numbers() -> None:
    homes = {
        ingest: "MAX_JUMP HISTORY KEPT",
        twcc: "MAX_SPAN BUSY_PACKETS MAX_TOLD",
        feedback: "MAX_PACKETS",
        peer: "MAX_SSRCS",
        mux: "MAX_DATAGRAM_BYTES",
    }
    for module, names in homes.items():
        for name in names.split():
            assert getattr(lib, name) == getattr(module, name), name
    assert fanout.DATAGRAMS_AT_ONCE == lib.BATCH
    assert ffi.sizeof("report") == compiled._REPORT.size
