"""A robot's camera: its colour, its name and a number that grows with every picture."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from functools import cache

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from PIL import Image, ImageDraw, ImageFont

from peermeet.protocol import COLORS

WIDTH, HEIGHT = 320, 180
CLOCK_HZ = 90_000

# How the palette of the protocol looks on a robot's picture.
PAINTS: dict[str, tuple[int, int, int]] = dict(
    zip(
        COLORS,
        (
            (118, 148, 120),
            (190, 120, 132),
            (112, 150, 182),
            (196, 176, 138),
            (156, 134, 182),
            (74, 140, 140),
            (178, 112, 86),
            (208, 166, 84),
        ),
        strict=True,
    )
)

_TIME_BASE = Fraction(1, CLOCK_HZ)
_INK = (255, 253, 249)
_NAME_SIZE, _NUMBER_SIZE = 34, 24
# Round tiles show the middle square of a picture, so everything is in the middle.
_NAME_AT, _NUMBER_AT = (WIDTH // 2, 74), (WIDTH // 2, 122)
_NUMBER_BOX = (80, 104, 240, 140)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def portrait(name: str, color: str) -> Image.Image:
    """What stays the same on each picture; `color` is one of the protocol's palette."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAINTS[color])
    draw = ImageDraw.Draw(image)
    draw.text(_NAME_AT, name, fill=_INK, font=_font(_NAME_SIZE), anchor="mm")
    return image


class Pictures(MediaStreamTrack):
    """A video track that shows pictures while it is on, and otherwise sends nothing."""

    kind = "video"

    def __init__(self, name: str, color: str, pictures_per_second: float) -> None:
        super().__init__()
        self._image = portrait(name, color)
        self._paint = PAINTS[color]
        self._interval_s = 1 / pictures_per_second
        self._begun = time.monotonic()
        self._due = 0.0
        self._on = asyncio.Event()
        self.shown = 0
        """How many pictures were taken; the newest carries this number."""

    @property
    def switched_on(self) -> bool:
        return self._on.is_set()

    def switch(self, on: bool) -> None:
        """Show pictures from now on, or stop before the next one."""
        if on:
            self._on.set()
        else:
            self._on.clear()

    async def recv(self) -> VideoFrame:
        """The next picture, when it is due and the camera is on."""
        while True:
            await self._on.wait()
            now = time.monotonic()
            self._due = max(self._due, now - self._interval_s)
            await asyncio.sleep(self._due - now)
            if self.readyState != "live":
                raise MediaStreamError
            if self._on.is_set():
                break
        self.shown += 1
        draw = ImageDraw.Draw(self._image)
        draw.rectangle(_NUMBER_BOX, fill=self._paint)
        number = str(self.shown)
        draw.text(_NUMBER_AT, number, fill=_INK, font=_font(_NUMBER_SIZE), anchor="mm")
        frame: VideoFrame = VideoFrame.from_image(self._image)  # type: ignore[no-untyped-call]
        frame.pts = int((time.monotonic() - self._begun) * CLOCK_HZ)
        frame.time_base = _TIME_BASE
        self._due += self._interval_s
        return frame
