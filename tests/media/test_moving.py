"""People change their network and stay: restarts, new ports, two families of addresses."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.member import Member
from peermeet.media import process
from peermeet.media.icelite import ALONE_MEDIA_S
from peermeet.media.process import own_addresses
from tests.media.kit import OPEN, Media, until
from tests.media.tcp import TcpMember

FOLLOWED_S = 3.0  # issue: a changed client address, by whatever means


@pytest.fixture
async def pair(media: Media) -> Media:
    """Ana and Ben talk."""
    media.gate(ana=OPEN, ben=OPEN)
    await media.join("ana")
    await media.join("ben")
    return media


def sequences(member: Member) -> list[int]:
    """Sequence numbers of the packets that this member gets from now on."""
    numbers: list[int] = []
    member.on_rtp = lambda _, packet: numbers.append(int.from_bytes(packet[2:4], "big"))
    return numbers


async def test_a_restart_keeps_keys_numbers_and_the_place(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    to_ana, to_ben = sequences(ana), sequences(ben)
    for _ in range(5):
        ana.speak()
        ben.speak()
    await until(lambda: len(to_ana) == len(to_ben) == 5)
    streams, states = dict(pair.streams), list(pair.states)
    before = ana._remote
    answer = await pair.link.answer("circle", "ana", ana.restart())
    # Nothing stops meanwhile.
    ben.speak()
    ana.speak()
    await until(lambda: len(to_ana) == len(to_ben) == 6)
    ana.accept(answer)
    assert ana._remote != before
    ana.move()
    ana.check()
    await pair.counted("ice.migrated")
    for _ in range(5):
        ana.speak()
        ben.speak()
    await until(lambda: len(to_ana) == len(to_ben) == 11)
    for numbers in (to_ana, to_ben):
        assert numbers == [numbers[0] + step & 0xFFFF for step in range(11)]
    stats = await pair.settle()
    assert (stats["ice.restarted"], stats["dtls.handshake"], stats["peers"]) == (1, 2, 2)
    assert pair.streams == streams and pair.states == states
    # What belonged to the time before is over.
    ana._remote = before
    ana.check()
    await pair.counted("drop.stun_unknown")


async def test_a_restart_may_lead_from_udp_to_tcp(pair: Media) -> None:
    ana = TcpMember(3)
    pair.gate(cleo=OPEN)
    udp, ana.socket = ana.socket, ana._bound()
    await pair.join("cleo", ana)
    udp.close()
    ana.accept(await pair.link.answer("circle", "cleo", ana.restart()))
    ana.redial()
    ana.check()
    await pair.counted("ice.migrated")
    pair.members["ben"].speak()
    await until(lambda: pair.heard("cleo", "ben") == 1)
    assert (await pair.settle())["dtls.handshake"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda offer: offer.replace("a=rtcp-rsize\r\n", ""),
        lambda offer: offer.replace("o=- 1 1", "o=- 2 1"),
        lambda offer: re.sub("(?<=sha-256 )[0-9A-F:]+", lambda found: found[0][::-1], offer),
    ],
    ids=["another section", "another session", "another certificate"],
)
async def test_an_offer_that_changes_more_makes_a_new_connection(
    pair: Media, change: Callable[[str], str]
) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    ssrcs = set(ana.mid_of)
    answer = await pair.link.answer("circle", "ana", change(ana.restart()))
    assert not ssrcs & {int(ssrc) for ssrc in re.findall(r"a=ssrc:(\d+)", answer)}
    stats = await pair.counted("peers", 2)
    assert "ice.restarted" not in stats
    ana.speak()
    await pair.settle()
    assert pair.heard("ben", "ana") == 0
    ben.speak()


async def test_a_restart_of_somebody_who_left_is_a_new_connection(pair: Media) -> None:
    ana = pair.members["ana"]
    offer = ana.restart()
    pair.link.drop("circle", "ana")
    await pair.link.answer("circle", "ana", offer)
    assert "ice.restarted" not in await pair.settle()


@pytest.mark.parametrize("is_nominating", [True, False])
async def test_a_client_whose_nat_gave_it_a_new_port_is_followed(
    pair: Media, is_nominating: bool
) -> None:
    """It knows nothing of it: its next check comes from elsewhere, and so do its media."""
    ana, ben = pair.members["ana"], pair.members["ben"]
    moved_at = time.monotonic()
    ana.move()
    ana.check(use=is_nominating)

    def is_heard() -> bool:
        ana.speak()
        ben.speak()
        return pair.heard("ana", "ben") > 0

    await until(is_heard, FOLLOWED_S)
    took_s = time.monotonic() - moved_at
    assert is_nominating or took_s >= ALONE_MEDIA_S
    stats = await pair.settle()
    assert (stats["ice.migrated"], stats["dtls.handshake"]) == (1, 2)


async def test_copied_checks_from_anywhere_take_no_media(pair: Media) -> None:
    """Somebody on the way copies what Ana sends, and sends it again from other addresses."""
    ana, ben = pair.members["ana"], pair.members["ben"]
    thieves = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    for thief in thieves:
        thief.bind(("127.0.0.1", 0))
        thief.setblocking(False)
        ana.check(through=thief)
        packet = ana.protect(b"\x80\x6f\0\1" + bytes(8) + b"x" * 40)
        thief.sendto(packet, ana.server)
    await pair.settle()
    for _ in range(50):
        ben.speak()
    await until(lambda: pair.heard("ana", "ben") == 50)
    for thief in thieves:
        taken = []
        try:
            while True:
                taken.append(thief.recv(2048))
        except BlockingIOError:
            thief.close()
        # An answer and a question: no more than was sent.
        assert len(taken) <= 2 and all(datagram[0] <= 3 for datagram in taken)
    assert "ice.migrated" not in await pair.settle()


async def test_ipv4_and_ipv6_meet_on_one_port_number(tmp_path: Path) -> None:
    media = Media(tmp_path, bind=("::1", "127.0.0.1"))
    await media.link.start()
    try:
        assert media.link.addresses == ("::1", "127.0.0.1")
        media.gate(ana=OPEN, ben=OPEN, cleo=OPEN)
        ana = await media.join("ana", Member(2, ip="::1"))
        ben = await media.join("ben", Member(2))
        assert (ana.server, ben.server) == (
            ("::1", media.link.port),
            ("127.0.0.1", media.link.port),
        )
        ana.speak()
        ben.speak()
        await until(lambda: media.heard("ben", "ana") == media.heard("ana", "ben") == 1)
        # From one family to the other, with one connection.
        ana.server, ana._is_ipv6, ana._ip = ben.server, False, "127.0.0.1"
        ana.move()
        ana.check()
        await media.counted("ice.migrated")
        ben.speak()
        await until(lambda: media.heard("ana", "ben") == 2)
    finally:
        await media.end()


async def test_announced_addresses_are_told_instead(tmp_path: Path) -> None:
    media = Media(tmp_path, announce=("203.0.113.7",))
    await media.link.start()
    try:
        media.gate(ana=OPEN)
        member = Member(1)
        member.socket.close()
        answer = await media.link.answer("circle", "ana", member.offer)
        told = {line.split()[4] for line in answer.split("\r\n") if "candidate:" in line}
        assert told == {"203.0.113.7"}
    finally:
        await media.end()


@pytest.mark.parametrize(
    ("six", "told"),
    [
        ("2001:db8::7", ("2001:db8::7", "192.0.2.7")),
        ("fd12::7", ("192.0.2.7", "fd12::7")),
        ("fe80::7%eth0", ("192.0.2.7",)),
        ("::1", ("192.0.2.7",)),
    ],
)
def test_addresses_are_told_in_the_order_of_rfc_6724(
    six: str, told: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "own_address", {"0.0.0.0": "192.0.2.7", "::": six}.get)
    assert own_addresses() == told


async def test_this_machines_own_addresses_can_be_bound(tmp_path: Path) -> None:
    media = Media(tmp_path, bind=own_addresses())
    await media.link.start()
    try:
        media.gate(ana=OPEN)
        for number, address in enumerate(own_addresses()):
            media.states.clear()
            await asyncio.wait_for(media.join("ana", Member(1, ip=address)), 5)
            assert number < 2
    finally:
        await media.end()
