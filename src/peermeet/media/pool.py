"""All media workers of this server: the `Media` port over one link each.

A circle lives in one worker, for as long as both live. A worker that dies is started again and
has its circles back: moving them at once would be faster by a second, and would load the workers
of other circles with what has just ended one. Only what does not come back moves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from peermeet.core.model import Gate
from peermeet.hosting.ports import Held, MediaLine, MediaRefused
from peermeet.media.link import MediaFailed, MediaLink, OnLines, dismiss, nobody_asks
from peermeet.protocol import Watch

MOVE_AFTER_S: Final = 5.0
"""A worker that is not back by then, though it was started twice, gives its circles to others."""
LOOK_S: Final = 0.5
PERSON_PERCENT: Final = 0.5
"""Of a core, for one person in a circle of 8: 112 of them use 60 %."""
EXPECTED: Final = 8
"""People of a circle that has just opened: they will come."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Load:
    """What one worker has to do. people: of each circle; percent: of its core, as it says."""

    is_up: bool
    people: Sequence[int]
    percent: int = 0

    @property
    def expected_percent(self) -> float:
        """What it says or what its people will need, whichever is more.

        What it says comes late: circles that open at the same moment must not all go to one.
        """
        promised = PERSON_PERCENT * sum(max(count, EXPECTED) for count in self.people)
        return max(promised, float(self.percent))


def least_loaded(loads: Sequence[Load]) -> int:
    """Where a new circle goes: the least busy of those that are up; of equals the first."""
    return min(range(len(loads)), key=lambda n: (not loads[n].is_up, loads[n].expected_percent, n))


class MediaPool:
    """The media workers, numbered from 0. Worker n has the port `port` + n."""

    def __init__(
        self,
        *,
        folder: Path,
        workers: int,
        bind: str | Sequence[str] = "0.0.0.0",
        port: int = 0,
        tcp: bool = True,
        announce: Sequence[str] = (),
        lease_ms: int = 10_000,
        on_streams: Callable[[str, str, dict[str, str]], None],
        on_media: Callable[[str, str, str], None],
        on_restart: Callable[[Collection[str]], None],
        on_demand: Callable[[str, str, bool], None] = lambda circle, seat, high: None,
        on_lines: OnLines = nobody_asks,
    ) -> None:
        """folder: where the workers listen, one socket each; only we may enter it.
        port: 0 lets each pick a free one.

        on_restart(circles): the connections of these are lost; the rest is as MediaLink says.
        """
        self._folder = folder
        self._on_streams, self._on_media, self._on_restart = on_streams, on_media, on_restart
        self._on_demand, self._on_lines = on_demand, on_lines
        self.links = [
            MediaLink(
                socket=folder / f"media-{number}.sock",
                bind=bind,
                port=port and port + number,
                tcp=tcp,
                announce=announce,
                lease_ms=lease_ms,
                on_streams=partial(self._tell_streams, number),
                on_media=partial(self._tell_media, number),
                on_restart=partial(self._tell_restart, number),
                on_demand=partial(self._tell_demand, number),
                on_lines=partial(self._tell_lines, number),
            )
            for number in range(workers)
        ]
        self._homes: dict[str, int] = {}
        self._people: dict[str, int] = {}
        self._down_since: dict[int, float] = {}
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Find or start all workers and wait until they are ready. Raises MediaFailed."""
        results = await asyncio.gather(
            *(link.start() for link in self.links), return_exceptions=True
        )
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            # Those that were there before may be heard just now.
            await self.stop(for_good=False)
            raise next((f for f in failed if not isinstance(f, MediaFailed)), failed[0])
        self._settle_in()
        for socket in self._surplus():
            await dismiss(socket)
        self._watching = asyncio.create_task(self._watch())

    async def stop(self, for_good: bool = True) -> None:
        """End all links; for_good: and all workers. Safe to repeat. See MediaLink.stop."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
        await asyncio.gather(*(link.stop(for_good) for link in self.links))

    @property
    def is_up(self) -> bool:
        """Whether every worker is there now: a circle whose worker is not has no sound."""
        return all(link.is_up for link in self.links)

    def held(self) -> Mapping[str, Mapping[str, Held]]:
        """What the workers hold, by circle and seat."""
        return {
            circle: self.links[number].connections.get(circle, {})
            for circle, number in self._homes.items()
        }

    def apply(self, circle: str, gates: Mapping[str, Gate], marked: bool = False) -> None:
        """Make these the gates of the circle, in the worker it lives in or will live in.

        marked: see MediaLink.apply.
        """
        if circle not in self._homes:
            self._homes[circle] = least_loaded(self.loads())
        self._people[circle] = len(gates)
        self.links[self._homes[circle]].apply(circle, gates, marked)

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        """See MediaLink.answer."""
        if circle not in self._homes:
            raise MediaRefused("busy")
        return await self.links[self._homes[circle]].answer(circle, seat, sdp)

    def watch(self, circle: str, seat: str, watch: Watch) -> None:
        """See MediaLink.watch."""
        if circle in self._homes:
            self.links[self._homes[circle]].watch(circle, seat, watch)

    def drop(self, circle: str, seat: str) -> None:
        """Close the seat's connection and keep its gate."""
        if circle in self._homes:
            self.links[self._homes[circle]].drop(circle, seat)

    def close(self, circle: str) -> None:
        """Close every connection of the circle and forget it."""
        self._people.pop(circle, None)
        number = self._homes.pop(circle, None)
        if number is not None:
            self.links[number].close(circle)

    async def stats(self) -> dict[str, int]:
        """The counters of all workers, added up. Raises MediaRefused("busy")."""
        total = Counter[str]()
        for link in self.links:
            total.update(await link.stats())
        return dict(total)

    def loads(self) -> list[Load]:
        """How busy each worker is."""
        return [
            Load(
                link.is_up,
                [self._people[c] for c in self._circles_of(number)],
                link.load_percent,
            )
            for number, link in enumerate(self.links)
        ]

    def _circles_of(self, number: int) -> list[str]:
        return [circle for circle, home in self._homes.items() if home == number]

    def _settle_in(self) -> None:
        """Take over what the workers hold from before."""
        for number, link in enumerate(self.links):
            for circle, seats in link.connections.items():
                other = self._homes.get(circle)
                if other is not None and len(self.links[other].connections[circle]) >= len(seats):
                    continue
                self._homes[circle], self._people[circle] = number, len(seats)
        for number, link in enumerate(self.links):
            # It had moved, and its old worker was not dead after all.
            for circle in [c for c in link.connections if self._homes[c] != number]:
                link.close(circle)

    def _surplus(self) -> list[Path]:
        """Sockets of workers that are no longer wanted."""
        ours = {f"media-{number}.sock" for number in range(len(self.links))}
        return [path for path in self._folder.glob("media*.sock") if path.name not in ours]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._look(asyncio.get_running_loop().time())

    def _look(self, now: float) -> None:
        """Move the circles of a worker that does not come back."""
        for number, link in enumerate(self.links):
            if link.is_up:
                self._down_since.pop(number, None)
            elif now - self._down_since.setdefault(number, now) > MOVE_AFTER_S:
                self._move_all(number)

    def _move_all(self, number: int) -> None:
        circles = self._circles_of(number)
        if not circles or not any(link.is_up for link in self.links):
            return
        for circle in circles:
            link = self.links[number]
            gates, marked = link.gates(circle), link.is_marked(circle)
            self.close(circle)
            self.apply(circle, gates, marked)
        logger.error("media worker does not come back number=%d moved=%d", number, len(circles))
        self._on_restart(circles)

    # What a worker tells of a circle that lives elsewhere by now is of no interest.

    def _tell_streams(self, number: int, circle: str, seat: str, mids: dict[str, str]) -> None:
        if self._homes.get(circle) == number:
            self._on_streams(circle, seat, mids)

    def _tell_demand(self, number: int, circle: str, seat: str, high: bool) -> None:
        if self._homes.get(circle) == number:
            self._on_demand(circle, seat, high)

    def _tell_lines(self, number: int, circle: str, lines: dict[str, MediaLine]) -> None:
        if self._homes.get(circle) == number:
            self._on_lines(circle, lines)

    def _tell_media(self, number: int, circle: str, seat: str, state: str) -> None:
        if self._homes.get(circle) == number:
            self._on_media(circle, seat, state)

    def _tell_restart(self, number: int) -> None:
        self._on_restart(self._circles_of(number))
