"""A robot's microphone: a short spoken clip, again and again, while it is switched on.

The clip is already Opus and is sent as it is: speaking costs no encoding.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

SAMPLE_RATE_HZ = 48_000
PACKET_SAMPLES = 960
"""Each packet of the clip is 20 ms."""

_CLIP = Path(__file__).with_name("speech.opus")
_TIME_BASE = Fraction(1, SAMPLE_RATE_HZ)
_PACKET_S = PACKET_SAMPLES / SAMPLE_RATE_HZ
# A robot that was held up for longer goes on from now instead of catching up in a burst.
_LATE_S = 0.2


@cache
def clip() -> tuple[bytes, ...]:
    """The Opus packets of the clip (about 11 s of neutral words)."""
    with av.open(str(_CLIP)) as container:
        return tuple(bytes(packet) for packet in container.demux(audio=0) if packet.size)


class Speech(MediaStreamTrack):
    """An audio track that speaks while it is on, and otherwise sends nothing."""

    kind = "audio"

    def __init__(self, start_packet: int = 0) -> None:
        """start_packet: where in the clip to begin, so that robots do not speak in chorus."""
        super().__init__()
        self._next = start_packet
        self._begun = time.monotonic()
        self._due = 0.0
        self._on = asyncio.Event()
        self.sent = 0
        """Packets handed to the connection."""
        self.seal: Callable[[bytes], bytes] | None = None
        """Of an encrypted circle."""

    @property
    def switched_on(self) -> bool:
        return self._on.is_set()

    def switch(self, on: bool) -> None:
        """Speak from now on, or fall silent before the next packet."""
        if on:
            self._on.set()
        else:
            self._on.clear()

    async def recv(self) -> av.Packet[Any]:
        """The next 20 ms, when they are due and the microphone is on."""
        while True:
            await self._on.wait()
            now = time.monotonic()
            if now - self._due > _LATE_S:
                self._due = now
            await asyncio.sleep(self._due - now)
            if self.readyState != "live":
                raise MediaStreamError
            if self._on.is_set():
                break
        packets = clip()
        sound = packets[self._next % len(packets)]
        packet = av.Packet(sound if self.seal is None else self.seal(sound))
        packet.pts = int((self._due - self._begun) * SAMPLE_RATE_HZ)
        packet.time_base = _TIME_BASE
        self._next += 1
        self.sent += 1
        self._due += _PACKET_S
        return packet
