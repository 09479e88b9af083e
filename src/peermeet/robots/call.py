"""A robot's media: one WebRTC connection, negotiated once, and a count of what arrives on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from peermeet.core.model import SeatId
from peermeet.robots.keyring import Keyring
from peermeet.robots.pictures import Pictures
from peermeet.robots.sealing import open_frames, seal_pictures
from peermeet.robots.sframe import Kind
from peermeet.robots.speech import Speech

_CLOSE_LIMIT_S = 5.0
_COUNT_EVERY_S = 0.5
_CODECS = {"audio": "audio/opus", "video": "video/VP8"}


class CallFailed(Exception):
    """The media connection could not be made; the answer or the network does not allow it."""


class Call:
    """One connection with a microphone, a camera and pairs of receivers.

    `heard` (audio packets) and `seen` (decoded pictures) are counted per seat into the counters
    given, which outlive the call.
    """

    def __init__(
        self,
        microphone: Speech,
        camera: Pictures,
        pairs: int,
        heard: Counter[SeatId],
        seen: Counter[SeatId],
        counted: Callable[[], None],
        lost: Callable[[], None],
        keys: Keyring | None = None,
    ) -> None:
        """counted: called when a counter has grown. lost: when the connection has failed.

        keys: of an encrypted circle.
        """
        self._keys = keys
        microphone.seal = None if keys is None else partial(keys.seal, "audio")
        self.microphone = microphone
        self.camera = camera
        self.unplaced = 0
        """Audio packets and pictures that arrived on a receiver with no seat."""
        self._heard = heard
        self._seen = seen
        self._counted = counted
        self._lost = lost
        self._mids: Mapping[str, SeatId] = {}
        self._ears: dict[str, RTCRtpReceiver] = {}
        self._packets: Counter[str] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._gathering: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._closing = False
        # Without an empty list aiortc asks a public STUN server.
        self._peer = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._peer.on("connectionstatechange", self._note_state)
        self._peer.on("track", self._receive)
        self._add(microphone, "sendonly")
        self._add(camera, "sendonly")
        for _ in range(pairs):
            self._add("audio", "recvonly")
            self._add("video", "recvonly")

    @property
    def alive(self) -> bool:
        """Connected, or on the way."""
        return not self._closing and self._peer.connectionState not in ("failed", "closed")

    @property
    def connected(self) -> bool:
        """Media can flow both ways."""
        return not self._closing and self._peer.connectionState == "connected"

    async def offer(self) -> str:
        """The SDP offer; without candidates, which the server does not read."""
        # Cancelled, aioice would forget sockets it has just opened; `close` waits for them.
        self._gathering = asyncio.create_task(self._gather())
        await asyncio.shield(self._gathering)
        lines = self._peer.localDescription.sdp.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("a=candidate:"))

    async def accept(self, answer: str, within_s: float) -> None:
        """Apply the answer and wait for the connection. Raises `CallFailed`, `TimeoutError`."""
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except ValueError as error:
            raise CallFailed("the answer does not fit the offer") from error
        async with asyncio.timeout(within_s):
            while self._peer.connectionState != "connected":
                if not self.alive:
                    raise CallFailed("the connection failed")
                self._changed.clear()
                await self._changed.wait()
        self._start(self._count_on())

    async def place(self, mids: Mapping[str, SeatId]) -> None:
        """From now on these receivers (by mid) carry these seats."""
        await self.count()
        self._mids = dict(mids)

    async def count(self) -> None:
        """Bring `heard` up to date; it otherwise lags by at most half a second."""
        for mid, receiver in self._ears.items():
            report = await receiver.getStats()
            packets = sum(s.packetsReceived for s in report.values() if s.type == "inbound-rtp")
            if not (fresh := packets - self._packets[mid]):
                continue
            self._packets[mid] = packets
            if seat := self._mids.get(mid):
                self._heard[seat] += fresh
            else:
                self.unplaced += fresh
            self._counted()

    async def close(self) -> None:
        """End the connection and every task of it. Safe to repeat.

        It ends also when this is cancelled; to know when, call it again.
        """
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _gather(self) -> None:
        await self._peer.setLocalDescription(await self._peer.createOffer())

    async def _end(self) -> None:
        await self.count()
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with asyncio.timeout(_CLOSE_LIMIT_S):
            if self._gathering is not None:
                await asyncio.wait([self._gathering])
            await self._peer.close()

    def _add(self, what: MediaStreamTrack | str, direction: str) -> None:
        transceiver: RTCRtpTransceiver = self._peer.addTransceiver(what, direction=direction)
        if self._keys is not None:
            if direction == "recvonly":
                open_frames(transceiver.receiver, partial(self._open, self._keys, transceiver))
            elif transceiver.kind == "video":
                seal_pictures(transceiver.sender, partial(self._keys.seal, "video"))
        capabilities = RTCRtpReceiver.getCapabilities(transceiver.kind)
        assert capabilities is not None
        wanted = _CODECS[transceiver.kind].lower()
        transceiver.setCodecPreferences(
            [codec for codec in capabilities.codecs if codec.mimeType.lower() == wanted]
        )

    def _open(self, keys: Keyring, on: RTCRtpTransceiver, frame: bytes) -> bytes | None:
        seat = self._mids.get(on.mid or "")
        kind: Kind = "audio" if on.kind == "audio" else "video"
        return None if seat is None else keys.open(seat, kind, frame)

    def _note_state(self) -> None:
        self._changed.set()
        if not self._closing and self._peer.connectionState in ("failed", "closed"):
            self._lost()

    def _receive(self, track: MediaStreamTrack) -> None:
        for transceiver in self._peer.getTransceivers():
            mid = transceiver.mid
            if transceiver.receiver.track is not track or mid is None:
                continue
            if track.kind == "audio":
                self._ears[mid] = transceiver.receiver
                self._start(self._drain(track))
            else:
                self._start(self._watch(track, mid))

    async def _drain(self, track: MediaStreamTrack) -> None:
        """Sound has no ear here, but aiortc would keep every frame for somebody to come."""
        try:
            while True:
                await track.recv()
        except MediaStreamError:
            return

    async def _watch(self, track: MediaStreamTrack, mid: str) -> None:
        try:
            while True:
                await track.recv()
                if seat := self._mids.get(mid):
                    self._seen[seat] += 1
                else:
                    self.unplaced += 1
                self._counted()
        except MediaStreamError:
            return

    async def _count_on(self) -> None:
        while True:
            await asyncio.sleep(_COUNT_EVERY_S)
            await self.count()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))
