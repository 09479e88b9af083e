"""A media worker on a core of its own, and the circles that a measurement seats in it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Crowd
from bench.member import Member
from peermeet.core.model import Gate
from peermeet.media.link import MediaLink

OPEN = Gate(audio=True, video=True)
MUTED = Gate(audio=False, video=True)
HOLDER = Gate(audio=True, video=True, focus=True)
PICTURE_KBIT_S, FRAMES_PER_S = 595, 25
"""Of everybody in an all-to-all circle, as the peers of media servers are measured."""
HIGH_KBIT_S, LOW_KBIT_S, LOW_FRAMES_PER_S = 1300, 150, 15
"""Of the two layers in a round."""


def cpu_ns(pid: int) -> int:
    """Time that all threads of a process have been on a core."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core does what. With one core for all, nothing is measured."""

    worker: int
    crowd: int


@asynccontextmanager
async def pinned() -> AsyncIterator[Cores]:
    """Keep ourselves on the last core and the first for the worker."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    try:
        yield Cores(worker=cores[0], crowd=cores[-1])
    finally:
        os.sched_setaffinity(0, set(cores))


@asynccontextmanager
async def worker(cores: Cores | None = None, bind: str = "127.0.0.1") -> AsyncIterator[MediaLink]:
    """A worker process, on its core if it has one; one person may send without limit."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        link = MediaLink(
            socket=Path(folder) / "media.sock",
            bind=bind,
            lease_ms=600_000,
            # Some measurements flood; the limit is for one member of many.
            packets_per_s=10**9,
            on_streams=lambda *_: None,
            on_media=lambda *_: None,
            on_restart=lambda: None,
        )
        await link.start()
        try:
            if cores is not None:
                os.sched_setaffinity(link.pid, {cores.worker})
            yield link
        finally:
            await link.stop()


async def seated(
    link: MediaLink,
    circle: str,
    gates: Mapping[str, Gate],
    simulcast: bool = False,
    transport_cc: bool = True,
) -> list[Member]:
    """A circle with these gates, everybody connected, with a place for each of the others.

    They offer what Chromium offers; what the answer leaves out they do without. transport_cc:
    without it nobody's line is measured, and a flood that no line would carry is forwarded.
    """
    link.apply(circle, gates)
    members = []
    for seat in gates:
        member = Member(
            len(gates) - 1, simulcast=simulcast, transport_cc=transport_cc, rtx=transport_cc
        )
        await member.join(await link.answer(circle, seat, member.offer))
        members.append(member)
    # The last one's connection is known to the worker when it has obeyed this.
    await link.stats()
    return members


def everybody(people: int) -> dict[str, Gate]:
    """Gates of an all-to-all circle."""
    return {f"s{number}": OPEN for number in range(people)}


def a_round(people: int) -> dict[str, Gate]:
    """Gates of a round: the first has the turn."""
    return {f"s{number}": MUTED if number else HOLDER for number in range(people)}


def talk(crowd: Crowd) -> None:
    """Everybody speaks and shows, as in an all-to-all circle."""
    for person in range(len(crowd.members)):
        crowd.speak(person)
        crowd.show(person, PICTURE_KBIT_S, FRAMES_PER_S)


def take_turns(crowd: Crowd, people: int, first: int = 0) -> None:
    """Circles of `people` in a round: the holder in `h` with a voice, the others in `l`.

    first: the member with whom these circles begin. Microphones of the others are off, and a
    browser then sends nothing. A server that answers without simulcast gets the one layer that
    its policy would choose.
    """
    for person, member in list(enumerate(crowd.members))[first:]:
        layered = bool(member.layers)
        if person % people == 0:
            crowd.speak(person)
            crowd.show(person, HIGH_KBIT_S, FRAMES_PER_S, "h" if layered else "")
            if layered:
                crowd.show(person, LOW_KBIT_S, LOW_FRAMES_PER_S, "l")
        else:
            crowd.show(person, LOW_KBIT_S, LOW_FRAMES_PER_S, "l" if layered else "")


async def leave(members: list[Member]) -> None:
    """Everybody says goodbye."""
    await asyncio.gather(*(member.leave() for member in members))
    # The worker tells of each who left; let it, before nobody is there to be told.
    await asyncio.sleep(0.3)
