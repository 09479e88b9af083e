"""What is fuzzed: a parser, inputs it knows, and what must be true of it whatever it is given."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_SIZE = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class Target:
    """take: gives one input to a parser and asserts what must hold; any exception is a finding.

    It must not depend on what it was given before. seeds: inputs from which others are made.
    words: what to put in now and then, since chance alone would not find it.
    """

    name: str
    take: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    longest: int = 8192
    """Bytes of an input that atheris makes up; more says nothing new."""


def joined(parts: Iterable[bytes]) -> bytes:
    """Several packets as one input; `parts_of` cuts it again."""
    return b"".join(_SIZE.pack(len(part)) + part for part in parts)


def parts_of(data: bytes, most: int = 32, longest: int = 1500) -> Iterator[bytes]:
    """The packets of an input; those that are cut off or said too long are still packets."""
    at = 0
    for _ in range(most):
        if at + 2 > len(data):
            return
        (size,) = _SIZE.unpack_from(data, at)
        at += 2
        size %= longest + 1
        yield data[at : at + size]
        at += size
