"""One life of the server: the real host and runner between a book, a loop and fake media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from random import Random

from peermeet.core.model import Circle, Gate, Millis, SeatId
from peermeet.hosting.host import Host
from peermeet.hosting.ports import Held, SystemClock
from peermeet.hosting.runner import Runner
from peermeet.protocol import Watch
from tests.hosting.fakes import MemorySheets
from tests.simulation.journal import CIRCLE, Book, BookJournal
from tests.simulation.loop import VirtualLoop

START = Millis(1_790_000_000_000)
Applied = Callable[["Process", Circle, Mapping[str, Gate]], None]


class LoopClock(SystemClock):
    """The loop's time as the time of day."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def now(self) -> Millis:
        return Millis(START + int(self._loop.time() * 1000))

    def seconds_until(self, at: Millis) -> float:
        # Of whole milliseconds: time stands still here, so no wait may end a hair too early.
        return (at - self.now()) / 1000

    def not_before(self, at: Millis) -> None:
        assert at <= self.now(), "the journal is from the future"


class Process:
    """Start it, and let it `stop` or `crash`; both are over when they return."""

    def __init__(
        self,
        book: Book,
        loop: VirtualLoop,
        chance: Random,
        applied: Applied,
        connected: Collection[SeatId] = (),
    ) -> None:
        """applied: told of every set of gates, and the circle it was made from.

        connected: whose media connections have outlived the process before.
        """
        self.dead = False
        self._connected = connected
        self.gates: Mapping[str, Gate] = {}
        self.clock = LoopClock(loop)
        self.journal = BookJournal(book, chance)
        self.host = Host(self.journal, self, MemorySheets(), self.clock, screens=True)
        self._applied = applied
        self._up = asyncio.Event()
        self._over = asyncio.Event()
        self._life = loop.create_task(self._live())

    @property
    def runner(self) -> Runner | None:
        """The circle's, until it has ended."""
        return None if self.dead else self.host.circle(CIRCLE)

    @property
    def ending(self) -> bool:
        """It was told to stop."""
        return self._over.is_set()

    async def start(self) -> None:
        """Return when it serves. Raises what keeps it from serving."""
        up = asyncio.ensure_future(self._up.wait())
        await asyncio.wait([up, self._life], return_when=asyncio.FIRST_COMPLETED)
        if self._life.done():
            up.cancel()
            self._life.result()

    async def stop(self) -> None:
        """As an operator stops it: people are told, and what is under way ends properly."""
        self._over.set()
        await self._life

    async def crash(self) -> None:
        """Nothing of it happens any more, from this moment on."""
        self.die()
        await self.stop()

    def die(self) -> None:
        self.dead = True
        self.journal.die()

    async def _live(self) -> None:
        async with self.host:
            self._up.set()
            await self._over.wait()

    # --- the media worker, as hosting sees it -------------------------------------------------

    def held(self) -> Mapping[str, Mapping[str, Held]]:
        return {CIRCLE: {seat: Held({}, connected=True) for seat in self._connected}}

    def apply(self, circle: str, gates: Mapping[str, Gate], marked: bool = False) -> None:
        if self.dead:
            return
        self.gates = gates
        runner = self.runner
        assert runner is not None
        self._applied(self, runner.circle, gates)

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        return sdp

    def watch(self, circle: str, seat: str, watch: Watch) -> None: ...

    def drop(self, circle: str, seat: str) -> None: ...

    def close(self, circle: str) -> None:
        self.gates = {}
