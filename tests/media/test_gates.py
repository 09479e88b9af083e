"""The promise of the house: who does not hold the floor is not heard, whatever they send."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.member import LEVEL_ID, MID_ID, OPUS, VP8, Member, rtp_packet, vp8_payload
from peermeet.core.model import Gate
from peermeet.media.ingest import MARK
from tests.media.kit import OPEN, SHUT, Bare, Media, until

ATTACK = 6000
"""Packets of one hostile run."""
SOUND = b"\x78" + bytes(range(80))


def hostile_packets(member: Member, count: int) -> Iterator[bytes]:
    """Sound and pictures by every way in that a changed client might try."""
    audio, video = member.audio_ssrc, member.video_ssrc
    fresh = [secrets.randbits(31) << 1 for _ in range(60)]
    sequences: Counter[int] = Counter()

    def packet(ssrc: int, payload_type: int, payload: bytes, mid: bytes = b"") -> bytes:
        sequences[ssrc] += 1
        number = sequences[ssrc]
        extensions = {MID_ID: mid} if mid else {}
        if number % 2:
            extensions[LEVEL_ID] = b"\x8a"
        return rtp_packet(ssrc, payload_type, number, number * 960, payload, extensions=extensions)

    for number in range(count // 12 + 1):
        new = fresh[number % len(fresh)]
        picture = vp8_payload(number % 20 == 0, number, number)
        yield packet(audio, OPUS, SOUND, b"0")
        yield packet(audio, OPUS, SOUND)
        yield packet(audio, number % 64, SOUND, b"0")
        yield packet(new, OPUS, SOUND, b"0")
        yield packet(new | 1, OPUS, SOUND)
        # Sound on the camera's section, with its own payload type and with the camera's.
        yield packet(video, OPUS, SOUND, b"1")
        yield packet(video, VP8, SOUND, b"1")
        yield packet(fresh[number % 3] | 1, VP8, SOUND, b"1")
        yield packet(audio, VP8, picture, b"0")
        # On the sections of others, and on none that exists.
        yield packet(new | 1, OPUS, SOUND, b"%d" % (2 + number % 8))
        yield packet(video, VP8, picture, b"1")
        yield packet(fresh[number % 3] | 1, VP8, picture, b"1")


async def attack(media: Media, seat: str) -> dict[str, int]:
    """Send it all and wait until the worker has dealt with everything."""
    member = media.members[seat]
    before = (await media.settle())[f"received/circle/{seat}"]
    for number, packet in enumerate(hostile_packets(member, ATTACK)):
        member.send_rtp(packet)
        if number % 40 == 39:
            await media.settle()
    # The first answer may overtake packets that wait beside it; the second cannot.
    await media.settle()
    stats = await media.settle()
    assert stats[f"received/circle/{seat}"] - before > ATTACK / 4
    return stats


@pytest.fixture
async def circle(media: Media) -> Media:
    for seat in ("ana", "ben", "cleo"):
        await media.join(seat)
    return media


async def test_a_hostile_client_without_the_floor_reaches_nobody(circle: Media) -> None:
    circle.gate(ben=OPEN, cleo=OPEN)
    stats = await attack(circle, "ana")
    assert stats["forwarded/circle/ana"] == 0
    assert circle.heard("ben", "ana") == circle.heard("cleo", "ana") == 0
    # The tables of the worker stayed small: most fresh sources never reached libsrtp.
    assert stats["drop.ssrc_unknown"] > ATTACK / 6


async def test_the_same_client_with_the_floor_is_heard_and_seen(circle: Media) -> None:
    circle.gate(ana=OPEN)
    stats = await attack(circle, "ana")
    assert stats["forwarded/circle/ana"] > ATTACK / 8
    await until(lambda: circle.heard("ben", "ana") > 500 and circle.heard("cleo", "ana") > 500)


async def test_an_open_camera_does_not_let_sound_through(circle: Media) -> None:
    circle.gate(ana=Gate(audio=False, video=True))
    bodies: dict[str, list[bytes]] = {}
    ben = circle.members["ben"]
    ben.on_rtp = lambda mid, packet: bodies.setdefault(mid, []).append(packet[-81:])
    await attack(circle, "ana")
    await until(lambda: bodies)
    streams = circle.streams["ben"]
    audio = [mid for mid, who in streams.items() if who == "ana" and int(mid) % 2 == 0]
    assert len(audio) == 1 and audio[0] not in bodies
    assert not any(body == SOUND for packets in bodies.values() for body in packets)


async def test_closing_a_gate_stops_the_very_next_packet(circle: Media) -> None:
    ana = circle.members["ana"]
    for _ in range(5):
        circle.gate(ana=OPEN)
        await circle.settle()
        before = circle.heard("ben", "ana")
        ana.show(key_frame=True)
        ana.speak()
        await until(lambda b=before: circle.heard("ben", "ana") == b + 2)  # type: ignore[misc]
        circle.gate(ana=SHUT)
        stats = await circle.settle()
        for _ in range(50):
            ana.speak()
            ana.show(key_frame=True)
        await circle.arrived("ana", stats["received/circle/ana"] + 100)
        after = await circle.settle()
        assert after["forwarded/circle/ana"] == stats["forwarded/circle/ana"]
        assert circle.heard("ben", "ana") == before + 2


async def test_a_reopened_gate_goes_on_without_a_seam_and_asks_for_a_key_frame(
    circle: Media,
) -> None:
    ana, ben = circle.members["ana"], circle.members["ben"]
    numbers: dict[str, list[int]] = {}
    ben.on_rtp = lambda mid, packet: numbers.setdefault(mid, []).append(
        int.from_bytes(packet[2:4], "big")
    )
    circle.gate(ana=OPEN)
    await circle.settle()
    ana.show(key_frame=True)
    ana.speak()
    await until(lambda: sum(map(len, numbers.values())) == 2)
    circle.gate(ana=SHUT)
    stats = await circle.settle()
    for _ in range(20):
        ana.speak()
        ana.show()
    await circle.arrived("ana", stats["received/circle/ana"] + 40)
    asked = len(ana.rtcp)
    circle.gate(ana=OPEN)
    await until(lambda: any(packet[9] == 206 for packet in ana.rtcp[asked:]))
    ana.show()
    ana.show(key_frame=True)
    ana.speak()
    await until(lambda: sum(map(len, numbers.values())) == 4)
    for sequence in numbers.values():
        assert (sequence[1] - sequence[0]) & 0xFFFF == 1


async def test_a_pair_apart_hears_only_itself(circle: Media) -> None:
    circle.gate(
        ana=Gate(True, True, "pair 1"), ben=Gate(True, True, "pair 1"), cleo=Gate(True, True)
    )
    await circle.settle()
    assert set(circle.streams["ana"].values()) == {"ben"}
    assert circle.streams["cleo"] == {}
    for member in circle.members.values():
        for number in range(10):
            member.speak()
            member.show(number == 0)
    await until(lambda: circle.heard("ana", "ben") == circle.heard("ben", "ana") == 20)
    assert not circle.members["cleo"].received
    stats = await circle.settle()
    assert stats["forwarded/circle/cleo"] == 0


async def test_two_circles_never_meet(media: Media, tmp_path: Path) -> None:
    media.gate(ana=OPEN)
    media.link.apply("other", {"ana": OPEN, "ben": OPEN})
    ana = await media.join("ana")
    stranger = media.members["stranger"] = Member(3)
    await stranger.join(await media.link.answer("other", "ben", stranger.offer))
    await until(lambda: "stranger" in media.members and media.streams.get("ben"))
    for number in range(20):
        ana.speak()
        ana.show(number == 0)
    await media.arrived("ana", 40)
    assert (await media.settle())["forwarded/circle/ana"] == 0
    assert not stranger.received


async def test_who_is_taken_from_the_circle_is_cut_off(circle: Media) -> None:
    circle.gate(ana=OPEN)
    await circle.settle()
    del circle.gates["ana"]
    circle.gate()
    await circle.settle()
    for _ in range(20):
        circle.members["ana"].speak()
    await circle.settle()
    stats = await circle.settle()
    assert "received/circle/ana" not in stats
    assert circle.heard("ben", "ana") == 0
    assert set(circle.streams["ben"].values()) == {"cleo"}


async def test_gates_close_by_themselves_while_the_web_process_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A web process that gives a sign of life every 0.8 s, on a lease of 0.4 s.
    monkeypatch.setattr("peermeet.media.link.ALIVE_S", 0.8)
    media = Media(tmp_path, lease_ms=400)
    await media.link.start()
    try:
        media.gate(ana=OPEN, ben=SHUT)
        ana, _ = await media.join("ana"), await media.join("ben")
        ana.speak()
        await until(lambda: media.heard("ben", "ana") == 1)
        # Questions are signs of life as well, so ask rarely.
        stats = await media.counted("link.lease_expired", every_s=0.6)
        assert stats["peers"] == 2
        ana.speak()
        await media.arrived("ana", 2)
        # Its next sign of life brings the gates with it.
        async with asyncio.timeout(10):
            while media.heard("ben", "ana") < 2:
                ana.speak()
                await asyncio.sleep(0.02)
    finally:
        await media.end()


async def test_an_expired_lease_leaves_nobody_heard(bare: Bare) -> None:
    ana, ben = await bare.two_talk()
    ana.speak()
    await until(lambda: sum(ben.received.values()) == 1)
    # Not a word for longer than the lease, and then only questions.
    stats: dict[str, int] = {}
    while not stats.get("link.lease_expired"):
        await asyncio.sleep(bare.lease_s * 1.5)
        stats = (await bare.ask(do="stats"))["stats"]
    while stats["received/c/ana"] < 30:
        ana.speak()
        stats = (await bare.ask(do="stats"))["stats"]
    assert stats["forwarded/c/ana"] == 1
    await bare.say(do="gates", circle="c", seats=bare.gates)
    await bare.ask(do="stats")
    ana.speak()
    await until(lambda: sum(ben.received.values()) == 2)


async def test_what_is_in_clear_reaches_nobody_in_an_encrypted_circle(circle: Media) -> None:
    ana = circle.members["ana"]
    circle.marked = True
    circle.gate(ana=OPEN)
    await circle.settle()
    ana.speak()
    ana.show(key_frame=True)
    stats = await circle.counted("drop.unmarked", 2)
    assert stats["forwarded/circle/ana"] == 0
    ana.speak(b"sealed" + MARK)
    await until(lambda: circle.heard("ben", "ana") == 1 == circle.heard("cleo", "ana"))
    # A connection that is made later is no way round it.
    circle.states.clear()
    ana = await circle.join("ana")
    ana.speak()
    await circle.counted("drop.unmarked", 3)
    circle.marked = False
    circle.gate()
    await circle.settle()
    ana.speak()
    await until(lambda: circle.heard("ben", "ana") == 2)


async def test_a_new_worker_knows_that_the_circle_is_encrypted(circle: Media) -> None:
    circle.marked = True
    circle.gate(ana=OPEN)
    os.kill(circle.link.pid, signal.SIGKILL)
    await until(lambda: circle.restarts == 1)
    circle.states.clear()
    ana, _ = await circle.join("ana"), await circle.join("ben")
    ana.speak()
    stats = await circle.counted("drop.unmarked")
    assert stats["forwarded/circle/ana"] == 0
