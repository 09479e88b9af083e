"""Where aiortc's frames are sealed and opened: behind its encoders and before its decoders.

aiortc has no transform of its own for encoded frames (W3C WebRTC Encoded Transform), so this is
the one file here that touches its private names; aiortc is pinned.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.codecs.vpx import Vp8Encoder

Seal = Callable[[bytes], bytes]
Open = Callable[[bytes], bytes | None]


class _SealingVp8(Vp8Encoder):
    """Seals each picture whole, before it is cut into packets."""

    def __init__(self, seal: Seal) -> None:
        super().__init__()
        self._seal = seal

    def _packetize(self, buffer: bytes, picture_id: int) -> list[bytes]:  # type: ignore[override]
        packets: list[bytes] = super()._packetize(self._seal(buffer), picture_id)
        return packets


class _OpeningQueue(queue.Queue[Any]):
    """What waits for the decoder: only what opened."""

    def __init__(self, opened: Open) -> None:
        super().__init__()
        self._opened = opened

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is not None:
            frame = item[1]
            data = self._opened(frame.data)
            if data is None:
                return
            frame.data = data
        super().put(item, block, timeout)


def seal_pictures(sender: RTCRtpSender, seal: Seal) -> None:
    """From its first picture on. Call it before the connection is made. Thread: the encoder's."""
    private: Any = sender
    private._RTCRtpSender__encoder = _SealingVp8(seal)


def open_frames(receiver: RTCRtpReceiver, opened: Open) -> None:
    """What does not open is not decoded. Call it before the connection is made."""
    private: Any = receiver
    private._RTCRtpReceiver__decoder_queue = _OpeningQueue(opened)
