"""What people sound like in these tests: each a steady tone that a listener knows by ear."""

import array
import fractions
import itertools
import math

import av
from aiortc.mediastreams import AudioStreamTrack

TONE_HZ = 400  # people speak in whole multiples (pitches) of it


class Tone(AudioStreamTrack):
    """A steady sine in 20 ms frames, paced by aiortc's silence."""

    def __init__(self, pitch: int) -> None:
        super().__init__()
        step = 2 * math.pi * TONE_HZ * pitch / 48_000  # whole periods: frames join without a click
        self._wave = array.array("h", (int(9000 * math.sin(step * i)) for i in range(960)))

    async def recv(self) -> av.AudioFrame:
        pts = (await super().recv()).pts or 0
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(self._wave.tobytes())
        frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
        frame.pts = pts * 6  # the silence is at 8 kHz
        return frame


def pitch(frame: av.AudioFrame) -> int:
    """The pitch of a received frame (16-bit stereo, 48 kHz); 0 for silence."""
    left = array.array("h", bytes(frame.planes[0]))[: 2 * frame.samples : 2]
    signs = [sample > 0 for sample in left if abs(sample) > 500]
    crossings = sum(a != b for a, b in itertools.pairwise(signs))  # two a period
    return round(crossings / 2 * 48_000 / frame.samples / TONE_HZ)
