"""Ana's changed client ignores every mute: it sends sound by every way in, and nobody hears it.

End to end through the real server: her RTP goes raw through her own DTLS transport. What arrives
is counted at the others twice, as packets and by ear, and in the media worker.
"""

import asyncio
import json
import re
import secrets
import struct
import tempfile
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import pytest
import pytest_asyncio
from aiortc import VideoStreamTrack
from aiortc.codecs.opus import OpusEncoder

from tests.scenarios.client import Client
from tests.scenarios.server import Server
from tests.scenarios.tone import Tone

ATTACK = 6_000
"""Packets of a hostile run; at least `COUNTED` must have been judged by the worker."""
COUNTED = 5_000
CHUNK = 100
BEATS = 6
"""Frames of 20 ms heard between chunks: below the 1,500 packets a second a person may send."""
HOSTILE = 7
"""The pitch of the hostile sound; nobody else speaks so high."""


class Camera(VideoStreamTrack):
    """Ten small green pictures a second."""

    async def recv(self) -> av.VideoFrame:
        for _ in range(3):
            pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tap:
    """Every RTP packet that reaches a client, by what is in it."""

    def __init__(self, client: Client, sounds: set[bytes]) -> None:
        assert client.peer is not None
        self.packets = 0
        self.hostile = 0
        transport = client.peer.getTransceivers()[0].sender.transport
        deliver = transport._handle_rtp_data

        async def count(data: bytes, arrival_time_ms: int) -> None:
            self.packets += 1
            self.hostile += any(data.endswith(sound) for sound in sounds)
            await deliver(data, arrival_time_ms=arrival_time_ms)

        transport._handle_rtp_data = count  # type: ignore[method-assign]


class Robot:
    """Ana's client, which sends what it likes."""

    def __init__(self, client: Client, sounds: list[bytes]) -> None:
        assert client.peer is not None
        self.client = client
        self._transport = client.peer.getTransceivers()[0].sender.transport
        self._sounds = sounds
        self._sequences: Counter[int] = Counter()
        self._ssrc = client.peer.getTransceivers()[0].sender._ssrc
        self._fresh = [secrets.randbits(31) for _ in range(60)]
        audio, video = client.peer.localDescription.sdp.split("m=")[1:3]
        self._opus = _number(audio, r"rtpmap:(\d+) opus")
        self._vp8 = _number(video, r"rtpmap:(\d+) VP8")
        self._mid_id = _number(audio, r"extmap:(\d+) \S*sdes:mid")
        self._level_id = _number(audio, r"extmap:(\d+) \S*ssrc-audio-level")
        self.audio, self.video = (re.findall(r"a=mid:(\S+)", part)[0] for part in (audio, video))

    def ways(self, number: int) -> Iterator[bytes]:
        """One packet by each way in: sources, payload types, sections, levels true and false."""
        new, again = self._fresh[number % 60], self._fresh[number % 4]
        loud, silent = b"\x80", b"\x7f"
        yield self._packet(self._ssrc, self._opus, self.audio)
        yield self._packet(self._ssrc, self._opus, self.audio, loud)
        yield self._packet(self._ssrc, self._opus, self.audio, silent)
        yield self._packet(self._ssrc, self._opus)
        yield self._packet(self._ssrc, self._opus, None, loud)
        yield self._packet(self._ssrc, number % 64, self.audio)
        yield self._packet(new, self._opus, self.audio)
        yield self._packet(again + 1, self._opus, self.audio, loud)
        yield self._packet(new + 2, self._opus)
        yield self._packet(new + 3, self._opus, self.video)
        yield self._packet(again + 4, self._vp8, self.video)
        yield self._packet(new + 5, self._opus, str(2 + number % 6))

    async def attack(self, listener: Client, count: int = ATTACK) -> None:
        """Send `count` packets, as fast as a person may; the listener must hear somebody on."""
        number = sent = 0
        while sent < count:
            for packet in self.ways(number):
                await self._transport._send_rtp(packet)
                sent += 1
                if sent % CHUNK == 0:
                    await hears_on(listener)
            number += 1

    def _packet(
        self, ssrc: int, payload_type: int, mid: str | None = None, level: bytes = b""
    ) -> bytes:
        number = self._sequences[ssrc]
        self._sequences[ssrc] += 1
        block = b""
        for identifier, value in ((self._mid_id, (mid or "").encode()), (self._level_id, level)):
            if value:
                block += bytes((identifier << 4 | len(value) - 1,)) + value
        block += bytes(-len(block) % 4)
        head = 0x90 if block else 0x80
        header = struct.pack("!BBHII", head, payload_type, number & 0xFFFF, number * 960, ssrc)
        if block:
            header += struct.pack("!HH", 0xBEDE, len(block) // 4) + block
        return header + self._sounds[number % len(self._sounds)]


async def hears_on(listener: Client) -> None:
    """Until they heard `BEATS` frames more, of whomever."""
    enough = listener.heard.total() + BEATS
    await listener.until(lambda: listener.heard.total() >= enough)


def _number(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return int(found[1])


async def hostile_sounds() -> list[bytes]:
    """Real Opus frames of the hostile tone, each different from anything anybody else sends."""
    tone, encoder = Tone(HOSTILE), OpusEncoder()
    sounds: list[bytes] = []
    while len(sounds) < 20:
        payloads, _ = encoder.encode(await tone.recv())
        sounds += [payload for payload in payloads if len(payload) > 40]
    return sounds


class Circle:
    """Fay holds the floor and speaks; Ben listens; Ana is the robot."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.fay = Client(server.url, server.facilitator, "Fay", pitch=1)
        self.ben = Client(server.url, server.participant, "Ben", pitch=2)
        self.ana = Client(server.url, server.participant, "Ana", pitch=3)

    async def begin(self) -> None:
        for client in (self.fay, self.ben, self.ana):
            await client.join()
            await client.meet(pairs=2)
        await self.fay.do("start_phase", mode="round", first=self.fay.seat)
        await self.fay.speak()
        sounds = await hostile_sounds()
        self.taps = [Tap(client, set(sounds)) for client in (self.fay, self.ben)]
        self.robot = Robot(self.ana, sounds)

    async def counters(self) -> Counter[str]:
        """The worker's, with the circle's name left out."""

        def fetch() -> dict[str, int]:
            with urllib.request.urlopen(self.server.url + "/counters", timeout=20) as answer:
                counters: dict[str, int] = json.load(answer)
                return counters

        told = await asyncio.to_thread(fetch)
        return Counter({re.sub("/.*/", "/", name): value for name, value in told.items()})

    async def judged(self) -> tuple[int, int]:
        """How many of all packets the worker looked at, and how many of Ana's it passed on.

        Asked twice: the first answer may overtake packets that wait beside it.
        """
        await self.counters()
        counters = await self.counters()
        looked_at = counters[f"received/{self.ana.seat}"] + counters["drop.ssrc_unknown"]
        return looked_at, counters[f"forwarded/{self.ana.seat}"]

    def heard_the_robot(self) -> int:
        """Audible frames of the hostile tone at the others."""
        return sum(
            count
            for client in (self.fay, self.ben)
            for (_, pitch), count in client.heard.items()
            if pitch == HOSTILE
        )


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), "tests.scenarios.counted")
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest_asyncio.fixture
async def circle(server: Server) -> AsyncIterator[Circle]:
    circle = Circle(server)
    try:
        await circle.begin()
        yield circle
    finally:
        for client in (circle.fay, circle.ben, circle.ana):
            await client.drop()


async def test_who_does_not_hold_the_floor_reaches_nobody(circle: Circle) -> None:
    ben, fay = circle.ben, circle.fay
    before, _ = await circle.judged()
    ben.heard.clear()
    await circle.robot.attack(ben)
    after, forwarded = await circle.judged()
    assert forwarded == 0
    assert [tap.hostile for tap in circle.taps] == [0, 0]
    assert set(ben.heard) == {(fay.seat, 1)} and not fay.heard
    assert after - before >= COUNTED
    assert ben.heard[fay.seat, 1] >= ATTACK / CHUNK * BEATS


async def test_an_open_camera_is_no_way_in_and_stays_open(circle: Circle) -> None:
    ana, ben, fay = circle.ana, circle.ben, circle.fay
    ana.send(Camera())
    await ana.do("set_camera", on=True)
    await ben.until(lambda: ben.seen[ana.seat] >= 3)
    await fay.until(lambda: fay.seen[ana.seat] >= 3)
    before, _ = await circle.judged()
    ben.seen.clear()
    ben.heard.clear()
    await circle.robot.attack(ben)
    after, _ = await circle.judged()
    assert [tap.hostile for tap in circle.taps] == [0, 0]
    assert set(ben.heard) == {(fay.seat, 1)} and not fay.heard
    assert after - before >= COUNTED
    assert ben.seen[ana.seat] >= 20
    ben.seen.clear()
    await ben.until(lambda: ben.seen[ana.seat] >= 5)
    await ana.until(lambda: ana.heard[fay.seat, 1] >= 50)


async def test_the_very_same_packets_arrive_once_she_may_be_heard(circle: Circle) -> None:
    """That the two tests above can fail."""
    fay, ben, ana = circle.fay, circle.ben, circle.ana
    # Fay goes on speaking: the attack is paced by what Ben hears of somebody else.
    await fay.do("start_phase", mode="talk")
    await ana.do("set_mic", on=True)
    for _ in range(20):
        await circle.robot.attack(ben, 600)
        if circle.heard_the_robot() > 50 and all(tap.hostile > 50 for tap in circle.taps):
            break
    _, forwarded = await circle.judged()
    assert forwarded > 100
    assert all(tap.hostile > 50 for tap in circle.taps)
    assert circle.heard_the_robot() > 50
