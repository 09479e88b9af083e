"""One port, many strangers: sessions live on whatever arrives, and the worker obeys its link."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time
from pathlib import Path

import pytest
from aiortc import RTCDtlsFingerprint, RTCDtlsParameters

from bench.member import Member
from peermeet.hosting.ports import MediaRefused
from peermeet.media import rtcp
from peermeet.media.worker import MAX_LINE_BYTES
from tests.media.kit import OPEN, SHUT, Bare, Media, until

JUNK = 10_000


@pytest.fixture
async def pair(media: Media) -> Media:
    """Ana and Ben talk."""
    media.gate(ana=OPEN, ben=OPEN)
    await media.join("ana")
    await media.join("ben")
    return media


async def test_ten_thousand_junk_datagrams_disturb_nobody(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    address = ("127.0.0.1", pair.link.port)
    rng = random.Random(7)
    seeds = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tap:
        tap.bind(("127.0.0.1", 0))
        server, ana.server = ana.server, tap.getsockname()
        ana.check()
        ana.speak()
        ana.show(True)
        ana.send_rtcp(rtcp.build_pli(1, 2))
        seeds = [tap.recv(2048) for _ in range(4)]
        ana.server = server
    stun = seeds[0]
    # A header of 20 bytes, then one attribute that says more than there is: struct.error inside.
    short = stun[:2] + b"\0\4" + stun[4:20] + b"\0\x24\0\4"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for number in range(JUNK):
            if number % 3 == 0:
                junk = rng.randbytes(rng.choice((0, 1, 2, 19, 20, 24, 60, 1499, 1501)))
            else:
                mutant = bytearray(rng.choice(seeds))
                for _ in range(rng.randint(1, 4)):
                    mutant[rng.randrange(len(mutant))] = rng.randrange(256)
                junk = bytes(mutant[: rng.randint(1, len(mutant))])
            # A member's own address passes the first fence; a stranger's must not.
            (ana.socket if number % 2 else stranger).sendto(junk, address)
            if number % 50 == 0:
                await pair.settle()
        for junk in (b"", b"\x80" + bytes(1999), short, stun[:20], b"\x50" + bytes(40)):
            stranger.sendto(junk, address)
        stranger.sendto(b"\x80\x60" + bytes(40), address)
        stranger.sendto(b"\x16\xfe\xff" + bytes(40), address)
        await pair.settle()
        stats = await pair.settle()
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    for reason in ("empty", "oversized", "stun_other", "stun_malformed", "unknown_kind"):
        assert stats[f"drop.{reason}"] > 0, reason
    for reason in ("stranger", "rtp_unauthentic", "rtcp_unauthentic", "stun_unauthentic"):
        assert stats[f"drop.{reason}"] > 0, reason
    assert not [name for name in stats if name.startswith("fault.")]
    before = pair.heard("ben", "ana")
    # Mutants may have moved libsrtp's window for our numbers: none authenticates, so none did.
    for _ in range(20):
        ana.speak()
        ben.speak()
    await until(lambda: pair.heard("ben", "ana") == before + 20)
    await until(lambda: pair.heard("ana", "ben") == 20)


async def test_hostile_rtcp_is_counted_and_changes_nothing(pair: Media) -> None:
    ana = pair.members["ana"]
    rng = random.Random(3)
    report = rtcp.build_receiver_report(rtcp.ReceiverReport(1))
    golden = report + rtcp.build_nack(1, 2, [3, 4, 5]) + rtcp.build_remb(1, 10**6, [1, 2])
    for number in range(2000):
        mutant = bytearray(golden)
        # Type and first length stay, so that it is taken for RTCP at all.
        for _ in range(4):
            mutant[rng.randrange(8, len(mutant))] = rng.randrange(256)
        ana.send_rtcp(bytes(mutant[: rng.randrange(8, len(mutant) + 1)]))
        if number % 50 == 0:
            await pair.settle()
    stats = await pair.settle()
    assert stats["drop.rtcp_malformed"] > 100
    assert not [name for name in stats if name.startswith("fault.")]
    ana.speak()
    await until(lambda: pair.heard("ben", "ana") == 1)


async def test_a_client_hello_from_a_stranger_cannot_spoil_a_join(media: Media) -> None:
    """OWASP ASVS 5.0, 17.2.6; the test of this test is in test_peer.py."""
    hello = await a_client_hello()
    strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]

    async def spray() -> None:
        while True:
            for stranger in strangers:
                stranger.sendto(hello, ("127.0.0.1", media.link.port))
            await asyncio.sleep(0.005)

    spraying = asyncio.create_task(spray())
    try:
        for _ in range(10):
            async with asyncio.timeout(1):
                await media.join("ana")
            media.members["ana"].vanish()
            media.states.clear()
    finally:
        spraying.cancel()
        for stranger in strangers:
            stranger.close()
    assert (await media.settle())["drop.stranger"] > 10


async def a_client_hello() -> bytes:
    """The first flight of a DTLS client, as it is on the wire."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tap:
        tap.bind(("127.0.0.1", 0))
        tap.setblocking(False)
        member = Member(1)
        member.server = tap.getsockname()
        start = asyncio.create_task(
            member._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", "AB")]))
        )
        hello = await asyncio.get_running_loop().sock_recv(tap, 2048)
        start.cancel()
        member.socket.close()
        return hello


async def test_a_second_offer_replaces_the_first_connection(pair: Media) -> None:
    old = pair.members["ana"]
    pair.states.clear()
    new = await pair.join("ana")
    stats = await pair.settle()
    old.speak()
    new.speak()
    await until(lambda: pair.heard("ben", "ana") == 1)
    await until(lambda: pair.streams["ana"])
    pair.members["ben"].speak()
    await until(lambda: sum(new.received.values()) == 1)
    assert ("ana", "gone") not in pair.states
    assert stats["peers"] == 2
    old.vanish()


async def test_a_dropped_connection_is_closed_and_its_gate_stays(pair: Media) -> None:
    pair.link.drop("circle", "ana")
    await pair.counted("peers", 1)
    assert (await pair.settle())["peers"] == 1
    pair.states.clear()
    ana = await pair.join("ana")
    ana.speak()
    await until(lambda: pair.heard("ben", "ana") == 1)


async def test_who_says_goodbye_has_left_at_once(pair: Media) -> None:
    await pair.members["ana"].leave()
    await until(lambda: ("ana", "left") in pair.states)
    assert pair.streams["ben"]


async def test_a_closed_circle_keeps_nothing(pair: Media) -> None:
    pair.link.close("circle")
    async with asyncio.timeout(5):
        while (await pair.settle())["peers"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    with pytest.raises(MediaRefused, match="busy"):
        await pair.link.answer("circle", "ana", pair.members["ana"].offer)


async def test_offers_are_refused_with_a_code(media: Media) -> None:
    with pytest.raises(MediaRefused, match="bad_sdp"):
        await media.link.answer("circle", "ana", "v=0\r\nnonsense")
    with pytest.raises(MediaRefused, match="busy"):
        await media.link.answer("circle", "dev", "v=0\r\n")


async def test_a_moved_client_is_followed_only_if_it_can_prove_itself(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    thief.bind(("127.0.0.1", 0))
    thief.setblocking(False)
    old = ana.socket
    with thief:
        # Somebody else's credentials nominate nothing.
        ana._remote, proof = (ana._remote[0], "0" * 32), ana._remote
        ana.check(through=thief)
        await pair.settle()
        await pair.settle()
        ben.speak()
        await until(lambda: pair.heard("ana", "ben") == 1)
        with pytest.raises(BlockingIOError):
            thief.recv(2048)
        ana._remote = proof
        # A true check that somebody copies is answered and asked about, and nothing more.
        ana.check(through=thief)
        await pair.settle()
        ben.speak()
        await until(lambda: pair.heard("ana", "ben") == 2)
        # Ana herself can answer.
        ana.check(through=thief)
        await until(lambda: _replied(ana, thief))
        await pair.counted("ice.migrated")
        ben.speak()
        await until(lambda: _first(thief) is not None)
        assert pair.heard("ana", "ben") == 2
        assert old.fileno() >= 0


def _replied(member: Member, through: socket.socket) -> bool:
    """Whether a check of the worker's has come, which is now answered."""
    try:
        datagram = through.recv(2048)
    except BlockingIOError:
        return False
    if datagram[:2] != b"\0\1":
        return False
    member.reply(datagram, through)
    return True


def _first(sock: socket.socket) -> bytes | None:
    try:
        datagram = sock.recv(2048)
    except BlockingIOError:
        return None
    return datagram if 128 <= datagram[0] <= 191 else None


async def test_an_address_in_use_cannot_be_taken_by_another_member(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    # Ben forges Ana's address: same bytes on the wire as his own check from her socket.
    ben.check(through=ana.socket)
    await pair.counted("drop.address_taken")
    ben.speak()
    await until(lambda: pair.heard("ana", "ben") == 1)
    ana.speak()
    await until(lambda: pair.heard("ben", "ana") == 1)


async def test_a_lost_packet_is_sent_again_with_the_same_bytes(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    packets: list[bytes] = []
    ben.on_rtp = lambda _, packet: packets.append(packet)
    for number in range(10):
        ana.show(number == 0)
    await until(lambda: len(packets) == 10)
    lost = packets[4]
    ssrc, sequence = int.from_bytes(lost[8:12], "big"), int.from_bytes(lost[2:4], "big")
    sealed = _tap(ben)
    ben.send_rtcp(
        rtcp.build_receiver_report(rtcp.ReceiverReport(7)) + rtcp.build_nack(7, ssrc, [sequence])
    )
    await until(lambda: any(datagram[2:4] == lost[2:4] for datagram in sealed))
    again = next(datagram for datagram in sealed if datagram[2:4] == lost[2:4])
    assert again[: len(lost) - 0][:12] == lost[:12]
    assert (await pair.settle())["repeated"] == 1


def _tap(member: Member) -> list[bytes]:
    """From now on keep the sealed datagrams instead of opening them."""
    kept: list[bytes] = []
    loop = asyncio.get_running_loop()
    loop.remove_reader(member.socket.fileno())

    def read() -> None:
        datagram = member.socket.recv(2048)
        if datagram[0] >= 128 and not 192 <= datagram[1] <= 223:
            kept.append(datagram)

    loop.add_reader(member.socket.fileno(), read)
    return kept


async def test_a_gap_is_asked_for_upstream(pair: Media) -> None:
    ana = pair.members["ana"]
    ana.show(True)
    ana.sequence[ana.video_ssrc] += 2
    ana.show()

    def asked() -> list[int]:
        return [
            sequence
            for datagram in ana.rtcp
            for packet in rtcp.parse(datagram)
            if isinstance(packet, rtcp.Nack)
            for sequence in packet.lost
        ]

    await until(lambda: sorted(set(asked())) == [2, 3])


async def test_publishers_get_reports_and_a_limit_and_viewers_get_reports(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    ana.show(True)
    ana.speak()

    def kinds(member: Member) -> set[type]:
        return {type(packet) for datagram in member.rtcp for packet in rtcp.parse(datagram)}

    await until(lambda: {rtcp.ReceiverReport, rtcp.Remb} <= kinds(ana))
    await until(lambda: rtcp.SenderReport in kinds(ben))
    remb = next(
        packet
        for datagram in ana.rtcp
        for packet in rtcp.parse(datagram)
        if isinstance(packet, rtcp.Remb)
    )
    assert remb.bitrate_bps == 1_500_000 - 1_500_000 % 8
    assert set(remb.ssrcs) == {ana.audio_ssrc, ana.video_ssrc}


async def test_a_late_comer_gets_a_key_frame_once_connected(pair: Media) -> None:
    ana = pair.members["ana"]
    ana.show(True)
    await until(lambda: pair.heard("ben", "ana") == 1)
    pair.gate(cleo=OPEN)
    cleo = pair.members["cleo"] = Member(3)
    answer = await pair.link.answer("circle", "cleo", cleo.offer)
    # What the offer caused comes before Cleo can receive anything.
    await until(lambda: any(packet[9] == 206 for packet in ana.rtcp))
    ana.show(True)
    await pair.arrived("ana", 2)
    await cleo.join(answer)
    await until(lambda: ("cleo", "connected") in pair.states)
    ana.rtcp.clear()
    ana.show()
    await until(lambda: any(packet[9] == 206 for packet in ana.rtcp))
    ana.show(True)
    await until(lambda: pair.heard("cleo", "ana") == 1)


async def test_a_camera_that_begins_anew_is_asked_for_a_key_frame(pair: Media) -> None:
    ana = pair.members["ana"]
    ana.show(True)
    await until(lambda: pair.heard("ben", "ana") == 1)
    ana.rtcp.clear()
    ana.sequence[ana.video_ssrc] += 5000
    ana.show()
    await until(lambda: any(packet[9] == 206 for packet in ana.rtcp))
    ana.show(True)
    await until(lambda: pair.heard("ben", "ana") == 2)


async def test_a_viewers_loss_asks_the_publisher_for_a_key_frame(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    ana.show(True)
    await until(lambda: pair.heard("ben", "ana") == 1)
    mid = next(mid for mid, count in ben.received.items() if count)
    ssrc = next(ssrc for ssrc, name in ben.mid_of.items() if name == mid)
    ana.rtcp.clear()
    ben.send_rtcp(rtcp.build_receiver_report(rtcp.ReceiverReport(7)) + rtcp.build_pli(7, ssrc))
    await until(
        lambda: any(
            packet == rtcp.PictureLossIndication(packet.ssrc, ana.video_ssrc)
            for datagram in ana.rtcp
            for packet in rtcp.parse(datagram)
            if isinstance(packet, rtcp.PictureLossIndication)
        )
    )


async def test_who_asks_again_without_having_lost_anything_costs_others_one_key_frame(
    pair: Media,
) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    shown = 0

    async def show() -> None:
        nonlocal shown
        ana.show(True)
        shown += 1
        await until(lambda: pair.heard("ben", "ana") == shown)

    await show()
    mid = next(mid for mid, count in ben.received.items() if count)
    ssrc = next(ssrc for ssrc, name in ben.mid_of.items() if name == mid)
    report = rtcp.build_receiver_report(rtcp.ReceiverReport(7))

    def asked() -> int:
        return sum(
            isinstance(packet, rtcp.PictureLossIndication)
            for datagram in ana.rtcp
            for packet in rtcp.parse(datagram)
        )

    before = asked()
    ben.send_rtcp(report + rtcp.build_pli(7, ssrc))
    await until(lambda: asked() == before + 1)
    await show()
    for _ in range(5):
        ben.send_rtcp(report + rtcp.build_pli(7, ssrc))
        await show()
    assert (await pair.settle())["drop.key_frame_request"] == 5
    assert asked() == before + 1
    # Who tells of a lost packet is served.
    ben.send_rtcp(report + rtcp.build_nack(7, ssrc, [1]) + rtcp.build_pli(7, ssrc))
    await until(lambda: asked() == before + 2)


async def test_a_key_frame_during_a_handshake_is_asked_for_again(media: Media) -> None:
    media.gate(ana=OPEN, ben=OPEN)
    ana, ben = await media.join("ana"), Member(3)
    ana.show(True)
    await media.arrived("ana", 1)
    answer = await media.link.answer("circle", "ben", ben.offer)

    def asked() -> bool:
        return any(
            isinstance(packet, rtcp.PictureLossIndication)
            for datagram in ana.rtcp
            for packet in rtcp.parse(datagram)
        )

    await until(asked)
    ana.show(True)
    await media.arrived("ana", 2)
    ana.rtcp.clear()
    media.members["ben"] = ben
    await ben.join(answer)
    await until(asked)
    ana.show(True)
    await until(lambda: media.heard("ben", "ana") == 1)
    ben.vanish()


async def test_sources_are_learnt_by_mid_and_never_by_payload_type(media: Media) -> None:
    media.gate(ana=OPEN)
    ana = await media.join("ana", Member(3, announce_ssrcs=False))
    await media.join("ben")
    ana.speak(mid="9")
    await media.counted("drop.ssrc_unknown")
    ana.speak()
    await until(lambda: media.heard("ben", "ana") == 1)


async def test_a_flood_of_one_member_does_not_drown_the_others(tmp_path: Path) -> None:
    media = Media(tmp_path, packets_per_s=None)
    await media.link.start()
    try:
        media.gate(ana=OPEN, ben=OPEN, cleo=OPEN)
        ana, ben, _ = [await media.join(seat) for seat in ("ana", "ben", "cleo")]
        ana.show(key_frame=True)
        for number in range(100):
            for _ in range(60):
                ana.show(size=1000)
            ben.speak()
            if number % 4 == 0:
                await media.settle()
        stats = await media.settle()
        assert stats["drop.flood"] > 1000
        # The allowance of bytes: a burst, and what the time of the test has earned.
        assert 260 < stats["received/circle/ana"] < 5000
        await until(lambda: media.heard("cleo", "ben") >= 95)
    finally:
        await media.end()


async def test_an_ipv6_worker_serves_ipv6_clients(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    media = Media(tmp_path, bind="::1")
    await media.link.start()
    try:
        media.gate(ana=OPEN, ben=SHUT)
        ana = await media.join("ana", Member(1, ip="::1"))
        await media.join("ben", Member(1, ip="::1"))
        ana.speak()
        await until(lambda: media.heard("ben", "ana") == 1)
    finally:
        await media.end()


# The process and its link


async def test_a_dead_worker_is_replaced_and_gets_the_gates(pair: Media) -> None:
    pid = pair.link.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pair.restarts == 1)
    assert pair.link.pid != pid
    pair.states.clear()
    ana, _ = await pair.join("ana"), await pair.join("ben")
    ana.speak()
    await until(lambda: pair.heard("ben", "ana") == 1)


async def test_gates_said_while_there_is_no_worker_are_applied_to_the_next(pair: Media) -> None:
    os.kill(pair.link.pid, signal.SIGKILL)
    await until(lambda: not pair.link.is_up)
    pair.gate(ana=SHUT, dev=OPEN)
    with pytest.raises(MediaRefused, match="busy"):
        await pair.link.answer("circle", "ana", "v=0\r\n")
    await until(lambda: pair.restarts == 1)
    pair.states.clear()
    ana, _ = await pair.join("ana"), await pair.join("dev")
    ana.speak()
    await pair.arrived("ana", 1)
    assert (await pair.settle())["forwarded/circle/ana"] == 0


async def test_the_worker_says_who_it_is(bare: Bare) -> None:
    assert bare.ready["tell"] == "ready"
    assert bare.ready["pid"] == bare.process.pid
    assert bare.ready["addresses"] == ["127.0.0.1"]
    assert bare.ready["circles"] == {}
    assert bare.ready["made"][1:3] == ["--socket", str(bare.path)]
    assert bare.path.stat().st_mode & 0o777 == 0o600


async def test_a_worker_that_is_told_to_end_leaves_nothing(bare: Bare) -> None:
    await bare.say(do="end")
    output, _ = await bare.ended()
    assert output == b""
    assert bare.process.returncode == 0
    assert not bare.path.exists()


async def test_sigterm_is_a_clean_end(bare: Bare) -> None:
    bare.process.terminate()
    await bare.ended()
    assert bare.process.returncode == 0


async def test_nothing_is_left_of_people_who_came_and_went(pair: Media) -> None:
    def held(stats: dict[str, int]) -> list[int]:
        return [stats[name] for name in ("peers", "tasks", "threads", "fds")]

    pair.gate(cleo=OPEN)
    before = held(await pair.settle())
    assert all(before)
    for goodbye in (True, False):
        cleo = await pair.join("cleo", Member(3))
        assert held(await pair.settle()) != before
        if goodbye:
            await cleo.leave()
        else:
            cleo.vanish()
            pair.link.drop("circle", "cleo")
        async with asyncio.timeout(10):
            while held(await pair.settle()) != before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        pair.states.clear()


async def test_the_newest_web_process_takes_over_and_learns_what_there_is(bare: Bare) -> None:
    ana, ben = await bare.two_talk()
    old = bare.reader
    await bare.connect()
    assert await old.read() == b'{"tell":"taken"}\n', "and then the old link is closed"
    assert bare.ready["circles"] == {
        "c": {
            "ana": {"streams": {"2": "ben", "3": "ben"}, "connected": True, "high": None},
            "ben": {"streams": {"2": "ana", "3": "ana"}, "connected": True, "high": None},
        }
    }
    ana.speak()
    await until(lambda: sum(ben.received.values()) == 1)


async def test_a_stranger_at_the_socket_changes_nothing(bare: Bare) -> None:
    for word in (b"GET / HTTP/1.0\r\n", b'{"do":"end"}\n', b"[" * 100_000 + b"\n", b"\n"):
        reader, writer = await asyncio.open_unix_connection(bare.path)
        writer.write(word)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert (await bare.ask(do="stats"))["stats"]["link.stranger"] == 4


async def test_a_worker_forwards_on_for_its_lease_when_its_web_process_is_gone(
    tmp_path: Path,
) -> None:
    bare = Bare(tmp_path)
    bare.lease_s = 1.5
    await bare.start()
    ana, ben = await bare.two_talk()
    bare.writer.close()
    until_s = time.monotonic() + bare.lease_s
    heard_s = []
    ben.on_rtp = lambda _, packet: heard_s.append(time.monotonic())
    while time.monotonic() < until_s + 1:
        ana.speak()
        await asyncio.sleep(0.02)
    assert abs(heard_s[-1] - until_s) < 0.5, "heard until the lease ran out"
    # Who comes in time for the connections brings the gates along.
    await bare.connect()
    await bare.say(do="gates", circle="c", seats=bare.gates)
    before = len(heard_s)
    await bare.ask(do="stats")
    ana.speak()
    await until(lambda: len(heard_s) == before + 1)
    await bare.say(do="end")
    await bare.ended()


async def test_gates_that_a_new_web_process_does_not_confirm_close(bare: Bare) -> None:
    """It gives signs of life, but may know nothing of this circle."""
    ana, ben = await bare.two_talk()
    await bare.connect()
    ana.speak()
    await until(lambda: sum(ben.received.values()) == 1)
    async with asyncio.timeout(bare.lease_s * 3):
        while True:
            before = (await bare.ask(do="stats"))["stats"]
            ana.speak()
            await bare.received("ana", before["received/c/ana"] + 1)
            after = (await bare.ask(do="stats"))["stats"]
            if before["forwarded/c/ana"] == after["forwarded/c/ana"]:
                break


async def test_a_circle_stays_encrypted_until_a_web_process_says_otherwise(bare: Bare) -> None:
    ana, ben = await bare.two_talk()
    await bare.say(do="gates", circle="c", seats=bare.gates, marked=True)
    await bare.connect()
    ana.speak()
    await bare.received("ana", 1)
    stats = (await bare.ask(do="stats"))["stats"]
    assert stats["drop.unmarked"] == 1 and stats["forwarded/c/ana"] == 0
    await bare.say(do="gates", circle="c", seats=bare.gates)
    await bare.ask(do="stats")
    ana.speak()
    await until(lambda: sum(ben.received.values()) == 1)


async def test_a_web_process_that_says_it_leaves_takes_an_unused_worker_with_it(
    bare: Bare,
) -> None:
    await bare.say(do="leave")
    await bare.ended()
    assert bare.process.returncode == 0


async def test_a_worker_that_was_left_ends_with_its_lease_unless_another_comes(bare: Bare) -> None:
    await bare.two_talk()
    await bare.say(do="leave")
    await bare.connect()
    await asyncio.sleep(bare.lease_s * 1.5)  # that nothing happens can only be waited for
    assert len((await bare.ask(do="stats"))["stats"]) > 0
    await bare.say(do="leave")
    left_at = time.monotonic()
    await bare.ended()
    assert bare.lease_s - 0.1 < time.monotonic() - left_at < bare.lease_s + 1


async def test_a_worker_without_a_web_process_ends_itself_in_the_end(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    bare.alone_s = 1.0
    await bare.start()
    await bare.two_talk()
    bare.writer.close()
    await bare.ended()
    assert bare.process.returncode == 0
    assert not bare.path.exists()


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"{}",
        b'{"do":"fly"}',
        b'{"do":"gates","circle":"c","seats":{"s":{"audio":1,"video":false,"space":"main"}}}',
        b'{"do":"gates","circle":"c","seats":{"s":{"audio":false,"video":false,"space":"main",'
        b'"screen":1}}}',
        b'{"do":"gates","circle":"c","seats":{"s":{"audio":true,"video":false}}}',
        b'{"do":"gates","circle":"","seats":{}}',
        b'{"do":"gates","circle":"c","seats":{},"marked":1}',
        b'{"do":"offer","id":"1","circle":"c","seat":"s","sdp":""}',
        b'{"do":"offer","id":1,"circle":"c","seat":7,"sdp":""}',
        b'{"do":"drop","circle":"c"}',
        b'{"do":"stats"}',
        b'{"do":"watch","circle":"c","seat":"s","video":"some"}',
        b'{"do":"watch","circle":"c","seat":"s","video":"all","seats":"s1"}',
        b'{"do":"watch","circle":"c","seat":"s","video":"all","seats":[1]}',
        b'{"do":"watch","circle":"c","seat":"s","video":[],"seats":null}',
        b'{"do":"watch","circle":"c","seat":"s","video":"all","seats":[' + b'"x",' * 16 + b'"x"]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"do":"alive","x":"' + b"x" * MAX_LINE_BYTES + b'"}',
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
async def test_a_bad_line_ends_the_link_and_the_worker(bare: Bare, line: bytes) -> None:
    bare.writer.write(line + b"\n")
    _, log = await bare.ended()
    assert bare.process.returncode == 0
    assert b"link closed" in log and b"Traceback" not in log
