"""A robot's voice and picture: they flow while switched on, at the pace of a clock."""

import asyncio
from fractions import Fraction

import pytest
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from PIL import Image

from peermeet.protocol import COLORS
from peermeet.robots import speech
from peermeet.robots.pictures import HEIGHT, PAINTS, WIDTH, Pictures, portrait
from peermeet.robots.speech import Speech, clip


def test_the_clip_is_short_and_of_20_ms_packets() -> None:
    assert 8 <= len(clip()) * 0.020 <= 14
    # Opus code 0 is one frame a packet; configurations 12 to 15 with 20 ms are hybrid, and
    # those of 20 ms in the other modes are 1, 5, 9, 19, 23, 27 and 31 (RFC 6716, section 3.1).
    assert {packet[0] & 3 for packet in clip()} == {0}
    assert {packet[0] >> 3 for packet in clip()} <= {1, 5, 9, 13, 15, 19, 23, 27, 31}
    assert speech._CLIP.stat().st_size < 60 * 1024


async def test_speech_follows_the_clip_and_a_clock_of_20_ms() -> None:
    voice = Speech(start_packet=len(clip()) - 1)
    voice.switch(True)
    packets = [await voice.recv() for _ in range(3)]

    assert [bytes(packet) for packet in packets] == [clip()[-1], clip()[0], clip()[1]]
    begun = packets[0].pts
    assert begun is not None
    assert [packet.pts for packet in packets] == [begun, begun + 960, begun + 1920]
    assert packets[0].time_base == Fraction(1, 48_000)


async def test_a_microphone_that_is_off_sends_nothing() -> None:
    voice = Speech()
    waiting = asyncio.create_task(voice.recv())
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done

    voice.switch(True)
    async with asyncio.timeout(5):
        assert bytes(await waiting) == clip()[0]


async def test_a_microphone_falls_silent_before_its_next_packet() -> None:
    voice = Speech()
    voice.switch(True)
    await voice.recv()
    waiting = asyncio.create_task(voice.recv())
    await asyncio.sleep(0)
    voice.switch(False)
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    waiting.cancel()

    assert not done


async def test_a_stopped_microphone_is_at_its_end() -> None:
    voice = Speech()
    voice.switch(True)
    voice.stop()
    with pytest.raises(MediaStreamError):
        await voice.recv()


def image(frame: VideoFrame) -> Image.Image:
    taken: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return taken


def test_every_colour_of_the_palette_can_be_shown() -> None:
    assert set(PAINTS) == set(COLORS)
    corners = {color: portrait("Wren", color).getpixel((WIDTH - 1, HEIGHT - 1)) for color in COLORS}
    assert len(set(corners.values())) == len(COLORS)


async def test_pictures_are_numbered_and_differ() -> None:
    camera = Pictures("Wren", "teal", pictures_per_second=1000)
    camera.switch(True)
    first, second = await camera.recv(), await camera.recv()

    assert (first.width, first.height) == (WIDTH, HEIGHT)
    assert first.pts is not None and second.pts is not None and second.pts > first.pts
    assert camera.shown == 2
    images = [image(first), image(second)]
    assert images[0].tobytes() != images[1].tobytes()
    upper = (0, 0, WIDTH, 100)
    assert images[0].crop(upper).tobytes() == images[1].crop(upper).tobytes()


async def test_a_camera_that_is_off_shows_nothing() -> None:
    camera = Pictures("Wren", "teal", pictures_per_second=1000)
    waiting = asyncio.create_task(camera.recv())
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done

    camera.switch(True)
    async with asyncio.timeout(5):
        await waiting
    assert camera.shown == 1
