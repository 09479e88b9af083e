"""Inputs for the targets, how long each takes, and what comes of it.

Without coverage to guide it, `mutants` is what a parser meets in `make test`; `make fuzz` lets
atheris find the way (`__main__.py`).
"""

from __future__ import annotations

import gc
import random
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import thread_time_ns

from tests.fuzz import control, packets, texts
from tests.fuzz.target import Target

TARGETS = {target.name: target for target in (*packets.TARGETS, *control.TARGETS, *texts.TARGETS)}
KEPT = Path(__file__).parent / "kept"
LIMIT_MS = 10.0
"""Of processor time for one input."""
AGAIN = 20
"""So often an input that took longer is measured again before it counts: others run here too, and a
machine can stand still for longer than five inputs take."""


class Slow(Exception):
    """An input that takes longer than `LIMIT_MS`, also alone."""

    def __init__(self, took_ms: float) -> None:
        super().__init__(f"{took_ms:.1f} ms")
        self.took_ms = took_ms


def kept(target: Target) -> list[bytes]:
    """Seeds, and inputs that were once findings: each is tried first, for ever."""
    folder = KEPT / target.name.replace(" ", "-")
    return target.seeds() + [path.read_bytes() for path in sorted(folder.glob("*"))]


def mutants(target: Target, seed: int, known: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Endless inputs made from the known ones and the kept; the same for the same seed."""
    rng = random.Random(f"{target.name} {seed}")
    known = [*kept(target), *known]
    while True:
        data = bytearray(rng.choice(known))
        for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
            _mutate(data, rng, known, target.words)
        yield bytes(data)


def _mutate(
    data: bytearray, rng: random.Random, known: Sequence[bytes], words: tuple[bytes, ...]
) -> None:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 1, 2, 4, 16, 64)))
    match rng.randrange(9):
        case 0 | 1 if at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        case 2 if at < len(data):
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        case 3:
            del data[at:end]
        case 4:
            data[at:at] = data[at:end] * rng.choice((1, 1, 2, 20))
        case 5:
            data[at:end] = rng.randbytes(end - at)
        case 6:
            other = rng.choice(known)
            data[at:] = other[rng.randrange(len(other) + 1) :]
        case 7 if words:
            data[at : rng.choice((at, end))] = rng.choice(words)
        case _:
            del data[at:]


def took_ms(target: Target, data: bytes) -> float:
    """Give one input; processor time in ms, of this thread alone. Raises what the target does.

    Raises Slow if it takes too long every time, the collector of garbage kept out of it.
    """
    began = thread_time_ns()
    target.take(data)
    took = (thread_time_ns() - began) / 1e6
    if took <= LIMIT_MS:
        return took
    gc.collect()
    gc.disable()
    try:
        for _ in range(AGAIN):
            began = thread_time_ns()
            target.take(data)
            took = min(took, (thread_time_ns() - began) / 1e6)
    finally:
        gc.enable()
    if took > LIMIT_MS:
        raise Slow(took)
    return took


def finding(fault: BaseException) -> str:
    """Names a finding by its kind and the line of ours where it came up."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{type(fault).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
