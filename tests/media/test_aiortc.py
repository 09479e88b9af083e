"""People with a real WebRTC stack: voices are heard and pictures seen through one port."""

from __future__ import annotations

import array
import asyncio
import fractions
import math

import aioice.ice
import av
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from PIL import Image

from tests.media.kit import OPEN, Media, until


class Picture(VideoStreamTrack):
    """A small picture of one brightness."""

    def __init__(self, brightness: int) -> None:
        super().__init__()
        self._brightness = brightness

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        grey = Image.new("L", (320, 180), self._brightness)
        frame: av.VideoFrame = av.VideoFrame.from_image(grey.convert("RGB"))  # type: ignore[no-untyped-call]
        frame.pts, frame.time_base = pts, time_base
        return frame


class Voice(AudioStreamTrack):
    """A tone."""

    _sample = 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(0.02)
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        times = range(self._sample, self._sample + 960)
        wave = array.array("h", (int(8000 * math.sin(t * math.tau * 440 / 48_000)) for t in times))
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts = 48_000, self._sample
        frame.time_base = fractions.Fraction(1, 48_000)
        self._sample += 960
        return frame


class Person:
    """An aiortc client with a voice, a picture and places for two others."""

    def __init__(self, brightness: int) -> None:
        self.pc = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.loudness: dict[str, int] = {}
        self.brightness: dict[str, int] = {}
        self._listening: list[asyncio.Task[None]] = []
        self.pc.addTransceiver(Voice(), direction="sendonly")
        self.pc.addTransceiver(Picture(brightness), direction="sendonly")
        for _ in range(2):
            self.pc.addTransceiver("audio", direction="recvonly")
            self.pc.addTransceiver("video", direction="recvonly")

    async def join(self, media: Media, seat: str) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        answer = await media.link.answer("circle", seat, self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        for transceiver in self.pc.getTransceivers()[2:]:
            self._listening.append(
                asyncio.create_task(self._take_in(str(transceiver.mid), transceiver.receiver.track))
            )

    async def _take_in(self, mid: str, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            if isinstance(frame, av.AudioFrame):
                self.loudness[mid] = max(array.array("h", bytes(frame.planes[0])))
            elif isinstance(frame, av.VideoFrame):
                image = frame.to_image().convert("L")  # type: ignore[no-untyped-call]
                self.brightness[mid] = image.getpixel((160, 90))

    def hears(self, mids: list[str]) -> bool:
        return any(self.loudness.get(mid, 0) > 2000 for mid in mids)

    def sees(self, mids: list[str], brightness: int) -> bool:
        return any(abs(self.brightness.get(mid, 999) - brightness) < 20 for mid in mids)

    async def leave(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self.pc.close()


async def test_two_people_hear_and_see_each_other(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    # aioice gathers no loopback address, and a build machine may have no other.
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    media.gate(ana=OPEN, ben=OPEN)
    ana, ben = Person(brightness=60), Person(brightness=200)
    try:
        await ana.join(media, "ana")
        await ben.join(media, "ben")
        await until(lambda: media.streams.get("ana") and media.streams.get("ben"))
        to_ben = [mid for mid, seat in media.streams["ben"].items() if seat == "ana"]
        to_ana = [mid for mid, seat in media.streams["ana"].items() if seat == "ben"]
        await until(lambda: ana.hears(to_ana) and ben.hears(to_ben))
        await until(lambda: ana.sees(to_ana, 200) and ben.sees(to_ben, 60))
    finally:
        await ana.leave()
        await ben.leave()
