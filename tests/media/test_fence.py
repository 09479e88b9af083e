"""One member does their worst with the right keys: the others notice nothing, and nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session

from bench.member import MID_ID, OPUS, VP8, Member, rtp_packet, vp8_payload
from peermeet.media import feedback, rtcp
from peermeet.media.peer import (
    CONTROL_SHARE,
    FAULT_BURST_S,
    FAULT_SHARE,
    MAX_SSRCS,
    PACKETS_PER_S,
)
from tests.media.kit import OPEN, Media, until

MANY = 100_000
FEW_PER_S = 300
"""Less than usual: at full rate a busy machine may let the kernel drop packets before we read."""
MIB = 1 << 20


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Media]:
    """Ana, Ben and Cleo talk; each has the allowance that people have."""
    media = Media(tmp_path, packets_per_s=None)
    await media.link.start()
    media.gate(ana=OPEN, ben=OPEN, cleo=OPEN)
    for seat in ("ana", "ben", "cleo"):
        await media.join(seat)
    yield media
    await media.end()


@pytest.fixture
async def lavish(media: Media) -> Media:
    """Ana and Ben talk, without an allowance: what else holds must be enough."""
    media.gate(ana=OPEN, ben=OPEN)
    for seat in ("ana", "ben"):
        await media.join(seat)
    return media


def sealers(member: Member) -> Iterator[Any]:
    """Sessions with the member's keys, each of them new: libsrtp is slow with many sources."""
    connection: Any = member._dtls._ssl
    chosen = connection.get_selected_srtp_profile()
    profile = next(p for p in SRTP_PROFILES if p.openssl_profile == chosen)
    size = profile.key_length + profile.salt_length
    material = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * size)
    key = profile.get_key_and_salt(material, 0)
    while True:
        policy = Policy(
            key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile.libsrtp_profile
        )
        yield Session(policy)


def resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(x.split()[1]) * 1024 for x in lines if x.startswith("VmRSS"))


async def test_a_hundred_thousand_sources_take_sixteen_places(lavish: Media) -> None:
    """Each packet is sealed with the right keys and names a section that exists."""
    ana, worker = lavish.members["ana"], lavish.link.pid
    some = sealers(ana)
    before = resident_bytes(worker)
    for first in range(0, MANY, 500):
        session = next(some)
        for ssrc in range(first + 1, first + 501):
            mid, kind = (b"1", VP8) if ssrc % 2 else (b"0", OPUS)
            payload = vp8_payload(True, 1, 1, 30)
            packet = rtp_packet(ssrc << 4, kind, 1, 1, payload, extensions={MID_ID: mid})
            ana.socket.sendto(session.protect(packet), ana.server)
        stats = await lavish.settle()
    stats = await lavish.counted("drop.ssrc_unknown", MANY - MAX_SSRCS)
    assert stats["sources/circle/ana"] == MAX_SSRCS
    assert resident_bytes(worker) - before <= MIB
    heard = lavish.heard("ben", "ana")
    ana.speak()
    await until(lambda: lavish.heard("ben", "ana") == heard + 1)


async def test_nothing_forged_and_nothing_replayed_is_forwarded(lavish: Media) -> None:
    ana, chance = lavish.members["ana"], random.Random(9)
    kept: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tap:
        tap.bind(("127.0.0.1", 0))
        server, ana.server = ana.server, tap.getsockname()
        for number in range(50):
            ana.speak()
            ana.show(number == 0)
            kept += [tap.recv(2048), tap.recv(2048)]
        ana.server = server
    for packet in kept:
        ana.socket.sendto(packet, server)
    await lavish.counted("received/circle/ana", 100)
    await until(lambda: lavish.heard("ben", "ana") == 100)
    before = await lavish.settle()
    for number in range(MANY):
        forged = bytearray(kept[number % 100])
        # Also a number that was not used yet, and what stands behind the header.
        forged[chance.choice((3, 5, chance.randrange(20, len(forged))))] ^= 1 + chance.randrange(
            255
        )
        ana.socket.sendto(forged, server)
        ana.socket.sendto(kept[number % 100], server)
        # More would not fit the worker's socket while it waits for a core.
        if number % 40 == 39:
            await lavish.settle()
    stats = await lavish.counted("drop.rtp_unauthentic", 2 * MANY)
    assert stats["drop.rtp_unauthentic"] == 2 * MANY
    assert stats["forwarded"] == before["forwarded"] and stats["received"] == before["received"]
    assert lavish.heard("ben", "ana") == 100


async def test_a_member_whose_packets_are_never_right_is_put_out_and_nobody_else(
    strict: Media,
) -> None:
    ana, ben = strict.members["ana"], strict.members["ben"]
    faults = int(PACKETS_PER_S * FAULT_SHARE * FAULT_BURST_S)
    for number in range(faults // 2):
        # A codec that was not negotiated, on a source that is known.
        ana.send_rtp(rtp_packet(ana.audio_ssrc, 9, number, 1, b"G.722"))
        ben.speak()
    stats = await strict.counted("drop.payload_type", faults // 2)
    assert "peer.faulty" not in stats
    for _ in range(faults):
        ana.send_rtcp(b"\x80\xc9\0\1\0\0\0\1" + b"\x40\0\0\0")
    await until(lambda: ("ana", "gone") in strict.states)
    stats = await strict.settle()
    assert stats["peer.faulty"] == 1 and stats["drop.rtcp_malformed"] > 0
    # Who is put out may come back.
    await strict.join("ana")
    ben.speak()
    await until(lambda: strict.heard("cleo", "ben") == faults // 2 + 1)


async def test_what_anybody_can_forge_costs_the_victim_nothing(strict: Media) -> None:
    """Unknown sources and bad seals may come from somebody who writes Ana's address on them."""
    ana = strict.members["ana"]
    for number in range(2000):
        ana.socket.sendto(rtp_packet(number, OPUS, 1, 1, bytes(40)), ana.server)
        ana.socket.sendto(rtp_packet(ana.audio_ssrc, OPUS, number, 1, bytes(40)), ana.server)
        if number % 10 == 9:
            await asyncio.sleep(0.015)
    stats = await strict.settle()
    assert stats["drop.ssrc_unknown"] + stats["drop.rtp_unauthentic"] > 1000
    assert "peer.faulty" not in stats and ("ana", "gone") not in strict.states
    ana.speak()
    await until(lambda: strict.heard("ben", "ana") == 1)


async def test_control_packets_have_an_allowance_of_their_own(strict: Media) -> None:
    """The dearest ones there are: each tells of four thousand packets, or asks for as many."""
    ana, ben = strict.members["ana"], strict.members["ben"]
    told = struct.pack("!BBHIIHHIHH", 0x8F, 205, 5, 1, 2, 0, feedback.MAX_PACKETS, 0, 0x1000, 0)
    asked = rtcp.build_nack(1, next(iter(ana.mid_of)), range(0, 17 * 320))
    before = _cpu_s(strict.link.pid)
    for number in range(1500):
        ana.send_rtcp(told * 2 if number % 2 else asked)
        if number % 10 == 0:
            ben.speak()
            await asyncio.sleep(0.01)
    stats = await strict.settle()
    assert stats["drop.control_flood"] > 1200
    assert _cpu_s(strict.link.pid) - before < 1.0
    await until(lambda: strict.heard("cleo", "ben") == 150)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def test_a_flood_of_one_delays_nobody_and_is_soon_not_forwarded(tmp_path: Path) -> None:
    """A circle of 8, one of whom sends 20 times what they may; two others, with another worker,
    say how late everybody is on this machine anyway."""
    for name in ("flooded", "calm"):
        (tmp_path / name).mkdir()
    media, calm = (Media(tmp_path / name, packets_per_s=FEW_PER_S) for name in ("flooded", "calm"))
    try:
        await media.link.start()
        await calm.link.start()
        seats = [f"s{number}" for number in range(8)]
        media.gate(**{seat: OPEN for seat in seats})
        calm.gate(ana=OPEN, ben=OPEN)
        abuser, *others = [await media.join(seat, Member(7)) for seat in seats]
        apart = [await calm.join(seat) for seat in ("ana", "ben")]
        for seat, member in zip(seats[1:], others, strict=True):
            shown = {mid for mid, who in media.streams[seat].items() if who == "s0"}
            ssrcs = (ssrc for ssrc, mid in member.mid_of.items() if mid in shown)
            member.deaf_to = {ssrc.to_bytes(4, "big") for ssrc in ssrcs}
        worker_s = _cpu_s(media.link.pid)
        with _pouring(abuser, tmp_path / "flood", seconds=12):
            sent, delays, anyway = await _talk(others, apart, 3.0)
            await media.counted("peer.muted")
            forwarded = (await media.settle())["forwarded/circle/s0"]
            await _talk(others, apart, 1.0)
            stats = await media.settle()
        assert stats["forwarded/circle/s0"] == forwarded
        assert stats["drop.flood"] > 20 * FEW_PER_S
        assert len(delays) >= 0.95 * sent * 6
        assert _p95(delays) - _p95(anyway) <= 0.05
        assert _cpu_s(media.link.pid) - worker_s < 2.0
        # And when it is over, they are heard again.
        others[0].deaf_to = set()
        abuser.sequence[abuser.audio_ssrc] = 0x10000 + FLOOD
        heard = media.heard("s1", "s0")
        async with asyncio.timeout(10):
            while media.heard("s1", "s0") == heard:
                abuser.speak()
                await asyncio.sleep(0.05)
    finally:
        await media.end()
        await calm.end()


def _p95(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=20)[-1]


FLOOD = 20_000
"""Different packets, of which those that were received are taken for replays later."""
POUR = """
import socket, sys, time
fd, port, rate, seconds, count = (int(word) for word in sys.argv[1:6])
packets = open(sys.argv[6], "rb").read()
size = len(packets) // count
packets = [packets[at : at + size] for at in range(0, len(packets), size)]
with socket.socket(fileno=fd) as mouth:
    began, sent = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        due = int(now * rate)
        # What is late by more than a moment is left out: nobody sends faster than this.
        for number in range(max(sent, due - rate // 20), due):
            try:
                mouth.sendto(packets[number % count], ("127.0.0.1", port))
            except BlockingIOError:
                pass
        sent = due
        time.sleep(0.002)
"""


@contextlib.contextmanager
def _pouring(member: Member, file: Path, seconds: int) -> Iterator[None]:
    """A process that sends at 20 times the allowance from the member's socket."""
    with file.open("wb") as flood:
        for number in range(1, FLOOD + 1):
            packet = rtp_packet(
                member.audio_ssrc, OPUS, number, number, b"x" * 60, extensions={MID_ID: b"0"}
            )
            flood.write(member.protect(packet))
    fd, rate = member.socket.fileno(), 20 * FEW_PER_S
    arguments = [str(word) for word in (fd, member.server[1], rate, seconds, FLOOD, file)]
    with subprocess.Popen([sys.executable, "-c", POUR, *arguments], pass_fds=[fd]) as pourer:
        try:
            yield
        finally:
            pourer.kill()


async def _talk(
    members: list[Member], apart: list[Member], seconds: float
) -> tuple[int, list[float], list[float]]:
    """Everybody says 50 packets a second with the time in them.

    Packets that `members` sent, the delays of their copies, and the delays of those apart.
    """
    heard: list[list[float]] = [[], []]

    def hear(delays: list[float], packet: bytes) -> None:
        if b"SAID" in packet:
            (said,) = struct.unpack_from("!d", packet, packet.index(b"SAID") + 4)
            delays.append(time.monotonic() - said)

    for delays, some in zip(heard, (members, apart), strict=True):
        for member in some:
            member.on_rtp = lambda _, packet, delays=delays: hear(delays, packet)
    rounds, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        for member in (*members, *apart):
            member.speak(b"SAID" + struct.pack("!d", time.monotonic()) + bytes(60))
        rounds += 1
        await asyncio.sleep(max(0.0, began + rounds / 50 - time.monotonic()))
    sent, count = rounds * len(members), -1
    # What is still on its way.
    while count < len(heard[0]) < sent * (len(members) - 1):
        count = len(heard[0])
        await asyncio.sleep(0.5)
    for member in (*members, *apart):
        member.on_rtp = None
    return sent, heard[0], heard[1]


def test_the_share_of_control_packets_is_enough_for_a_browser() -> None:
    """Of a full circle: feedback every 50 ms, and a request for each of 15 pictures twice a
    second."""
    assert PACKETS_PER_S * CONTROL_SHARE >= 20 + 15 * 2 * 2
