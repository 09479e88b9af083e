"""People who live next door to the server: nothing is wrong with their lines.

They take seats like anybody, send speech and moving pictures that a browser can decode, and
want nothing sent to them, so that all that the server forwards goes down the one bad line.
Words and pictures are encoded once and sent again and again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Self

import av
from PIL import Image

from bench.member import LEVEL_ID, MID_ID, OPUS, VP8, Member, rtp_packet
from peermeet.core.messages import Command, HoldClock, Leave, SetCamera, SetMic, StartPhase
from peermeet.core.model import Mode, SeatId
from peermeet.core.project import View
from peermeet.protocol import (
    AGREEMENT_VERSION,
    VERSION,
    Answer,
    Do,
    Hello,
    Offer,
    Profile,
    Show,
)
from peermeet.robots.line import Line, LineEnded, Link
from peermeet.robots.speech import PACKET_SAMPLES, SAMPLE_RATE_HZ, clip

PACKET_S = PACKET_SAMPLES / SAMPLE_RATE_HZ
PICTURES_PER_S = 15
CLIP_S = 4
KEY_EVERY = 2 * PICTURES_PER_S
"""Pictures from one key frame to the next; who asks for one waits for two seconds at most."""
PAYLOAD_BYTES = 1_100
LIMIT_S = 20.0

RID_ID = 10
"""Of the header extension that names a layer."""

_PLI, _FIR = (206, 1), (206, 4)  # packet type and format, RFC 4585 §6.3.1 and RFC 5104 §4.3.1


@cache
def words() -> tuple[bytes, ...]:
    """The robots' clip as a browser sends it on a bad line: Opus with in-band FEC (RFC 6716)."""
    decoder = av.CodecContext.create("libopus", "r")
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(decoder, av.AudioCodecContext) and isinstance(encoder, av.AudioCodecContext)
    decoder.sample_rate = encoder.sample_rate = SAMPLE_RATE_HZ
    decoder.layout = encoder.layout = "mono"
    encoder.format, encoder.bit_rate = "s16", 32_000
    encoder.options = {"application": "voip", "fec": "1", "packet_loss": "10", "vbr": "off"}
    mono = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    spoken = list[bytes]()
    for packet in clip():
        for frame in decoder.decode(av.Packet(packet)):
            for piece in mono.resample(frame):
                spoken += [bytes(p) for p in encoder.encode(piece)]
    return tuple(spoken)


@dataclass(frozen=True)
class Picture:
    """One encoded picture of a clip, cut into payloads without descriptors."""

    is_key: bool
    parts: tuple[bytes, ...]


@cache
def pictures(width: int, height: int, kbit: int) -> tuple[Picture, ...]:
    """CLIP_S seconds of VP8 at about this rate: a square that travels through a rough field."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, PICTURES_PER_S), Fraction(PICTURES_PER_S)
    encoder.bit_rate, encoder.gop_size = kbit * 1000, KEY_EVERY
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    encoder.options |= {f"{end}rate": str(kbit * 1000) for end in ("min", "max")}
    encoder.options |= {"bufsize": str(kbit * 500), "error-resilient": "1"}
    fields = [Image.effect_noise((width // 10, height // 10), 90) for _ in range(3)]
    encoded = list[Picture]()
    for number in range(PICTURES_PER_S * CLIP_S):
        field = fields[number % 3].resize((width, height)).convert("RGB")
        side = height // 3
        square = Image.new("RGB", (side, side), (200, number * 7 % 256, 40))
        field.paste(square, (number * 11 % (width - side), height // 3))
        frame: av.VideoFrame = av.VideoFrame.from_image(field)  # type: ignore[no-untyped-call]
        frame.pts = number
        for packet in encoder.encode(frame):
            data = bytes(packet)
            cuts = range(0, len(data), PAYLOAD_BYTES)
            parts = tuple(data[at : at + PAYLOAD_BYTES] for at in cuts)
            encoded.append(Picture(packet.is_keyframe, parts))
    return tuple(encoded)


class Camera:
    """One VP8 layer of a member's picture: its sequence numbers, picture ids and key frames."""

    def __init__(self, member: Member, ssrc: int, clip: tuple[Picture, ...], rid: str = "") -> None:
        """rid: which layer it is (RFC 8852), if there are several."""
        self._member, self._ssrc, self._clip = member, ssrc, clip
        self._names = {MID_ID: b"1"} | ({RID_ID: rid.encode()} if rid else {})
        self._at = 0
        self._shown = 0
        self._sequence = 0
        self.wanted = True
        """Somebody asked for a key frame; the clip then goes on at the next it has."""

    def show(self, now: float) -> None:
        """Send the next picture."""
        if self.wanted:
            while not self._clip[self._at % len(self._clip)].is_key:
                self._at += 1
            self.wanted = False
        picture = self._clip[self._at % len(self._clip)]
        identifier = self._shown & 0x7FFF
        for part, data in enumerate(picture.parts):
            # Descriptor of RFC 7741 §4.2: picture id of 15 bits, TL0PICIDX, TID 0.
            descriptor = bytes((0x80 if part else 0x90, 0xE0, 0x80 | identifier >> 8))
            descriptor += bytes((identifier & 0xFF, self._shown & 0xFF, 0x20))
            self._member.send_rtp(
                rtp_packet(
                    self._ssrc,
                    VP8,
                    self._sequence,
                    int(now * 90_000),
                    descriptor + data,
                    marker=part == len(picture.parts) - 1,
                    extensions=self._names,
                )
            )
            self._sequence += 1
        self._at += 1
        self._shown += 1


class Neighbour:
    """One of them. Use `sit`; `leave` frees the seat."""

    def __init__(self, name: str, link: Link, line: Line) -> None:
        self.name = name
        self.seat: SeatId = line.welcome.seat
        self.view: View | None = None
        self.is_lost = False
        """Whether anybody's seat ever looked deserted from here."""
        self._line = line
        self._news = asyncio.Event()
        self._member = Member(0, ip="::" if "[" in link.socket else "0.0.0.0")
        self._spoken = 0
        self._has_layers = False
        self._cameras = list[Camera]()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(line.beat())]

    @classmethod
    async def sit(cls, link: Link, name: str) -> Self:
        """Take a seat and connect media; offers two layers of pictures, "l" and "h"."""
        hello = Hello(VERSION, Profile(name, "teal"), AGREEMENT_VERSION, link.token)
        person = cls(name, link, await Line.open(link, hello))
        answer = await person._line.ask(lambda ref: Offer(ref, _two_layers(person._member.offer)))
        assert isinstance(answer, Answer)
        person._has_layers = "a=simulcast:" in answer.sdp
        await person._member.join(answer.sdp)
        await person.until(lambda: person.view is not None)
        return person

    async def do(self, command: Command) -> None:
        """Raises Refused, LineEnded, TimeoutError."""
        await self._line.ask(lambda ref: Do(ref, command))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something about this person; at most LIMIT_S."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def hold(self) -> None:
        """Begin a round with oneself, speak in it, and let its clock stand still."""
        await self.do(StartPhase(Mode.ROUND, first=self.seat))
        await self.until(lambda: self.view is not None and self.view.turn is not None)
        assert self.view is not None and self.view.turn is not None
        await self.do(HoldClock(self.view.turn.number))
        await self.do(SetMic(True))

    async def turn_camera_on(self, *clips: tuple[Picture, ...]) -> None:
        """clips: of each layer, the best first; without layers in the answer it alone is sent."""
        await self.do(SetCamera(True))
        ssrc = self._member.video_ssrc
        if not self._has_layers:
            self._cameras = [Camera(self._member, ssrc, clips[0])]
            return
        rids = ("h", "l") if len(clips) > 1 else ("l",)
        self._cameras = [
            Camera(self._member, ssrc + number, clip, rid)
            for number, (clip, rid) in enumerate(zip(clips, rids, strict=True))
        ]

    def seats(self) -> dict[SeatId, bool]:
        """Who sits here, and whether they are present, as this person sees it."""
        assert self.view is not None
        return {seat.id: seat.present for seat in self.view.seats}

    def speak(self) -> None:
        packet = words()[self._spoken % len(words())]
        self._member.send_rtp(
            rtp_packet(
                self._member.audio_ssrc,
                OPUS,
                self._spoken,
                self._spoken * PACKET_SAMPLES,
                packet,
                extensions={MID_ID: b"0", LEVEL_ID: b"\x8a"},
            )
        )
        self._spoken += 1

    def show(self, now: float) -> None:
        """The next picture of each layer, a key frame if somebody asked."""
        for packet in self._member.rtcp:
            if any(kind in (_PLI, _FIR) for kind in _kinds(packet)):
                for camera in self._cameras:
                    camera.wanted = True
        self._member.rtcp.clear()
        for camera in self._cameras:
            camera.show(now)

    async def leave(self) -> None:
        with suppress(LineEnded):
            await self.do(Leave())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._line.close()
        await self._member.leave()

    async def _read(self) -> None:
        async for frame in self._line.frames():
            if isinstance(frame, Show):
                self.view = frame.view
                self.is_lost |= not all(seat.present for seat in frame.view.seats)
            self._news.set()


def _two_layers(offer: str) -> str:
    """The offer with "l" and "h" in its camera's section (RFC 8851, 8853), no sources announced."""
    sections = offer.split("m=")
    camera = [line for line in sections[2].split("\r\n") if line and "a=ssrc:" not in line]
    camera += [f"a=extmap:{RID_ID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"]
    camera += ["a=rid:l send", "a=rid:h send", "a=simulcast:send l;h", ""]
    return "m=".join([*sections[:2], "\r\n".join(camera), *sections[3:]])


def _kinds(compound: bytes) -> Iterator[tuple[int, int]]:
    """Packet type and format of each part of a compound RTCP packet (RFC 3550 §6.1)."""
    at = 0
    while at + 4 <= len(compound):
        yield compound[at + 1], compound[at] & 31
        at += 4 * (int.from_bytes(compound[at + 2 : at + 4], "big") + 1)


@asynccontextmanager
async def live(people: Sequence[Neighbour], speaker: Neighbour) -> AsyncIterator[None]:
    """The speaker speaks and everybody shows their pictures, for as long as this is open."""
    life = asyncio.create_task(_live(people, speaker))
    try:
        yield
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def _live(people: Sequence[Neighbour], speaker: Neighbour) -> None:
    begun = time.monotonic()
    shown = 0
    for number in itertools.count():
        speaker.speak()
        now = time.monotonic()
        # Everybody's pictures are spread over the time between two of them.
        while shown / len(people) < (now - begun) * PICTURES_PER_S:
            people[shown % len(people)].show(now - begun)
            shown += 1
        await asyncio.sleep(max(0.0, begun + (number + 1) * PACKET_S - time.monotonic()))
