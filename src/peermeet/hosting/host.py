"""This node's circles: finds them, opens them, brings them back after a crash, lets them go."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from peermeet.core import messages as m
from peermeet.core.messages import Refused
from peermeet.core.model import SeatId
from peermeet.hosting.ports import (
    Held,
    Journal,
    JournalTrouble,
    Media,
    MediaLine,
    Sheets,
    StoredCircle,
    SystemClock,
)
from peermeet.hosting.runner import Busy, Runner
from peermeet.identity import is_practice
from peermeet.protocol import Fault

log = logging.getLogger(__name__)

BEAT_S = 0.4
"""How often the journal notes that the server is up, while a clock runs. After a crash a turn's
time is true to this and one commit."""

TOO_OLD_MS = 12 * 3_600_000
"""A circle whose server was away for longer is over: nobody waits for it any more."""


class Host:
    """Runs all circles of this node inside its own task group; use as `async with`."""

    def __init__(
        self,
        journal: Journal,
        media: Media,
        sheets: Sheets,
        clock: SystemClock,
        screens: bool = False,
        encrypted: bool = False,
    ) -> None:
        """screens: whether the group of this server lets screens be shown.

        encrypted: whether its circles are end-to-end encrypted; those to practise in never are,
        because this server plays in them itself.
        """
        self._encrypted = encrypted
        self._screens = screens
        self._sheets = sheets
        self._journal = journal
        self._media = media
        self._clock = clock
        self._runners: dict[str, Runner] = {}
        self._tasks = asyncio.TaskGroup()
        self._owned: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Host:
        await self._tasks.__aenter__()
        await self._bring_back()
        self._own(self._beat())
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.say_goodbye()
        await self._beat_once()
        for task in self._owned:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def say_goodbye(self) -> None:
        """The server goes down and will be back: everybody keeps their seat."""
        for runner in list(self._runners.values()):
            runner.close_lines(Fault.RESTARTING, again=True)

    def circle(self, circle: str) -> Runner | None:
        """The runner of an open circle, or None."""
        return self._runners.get(circle)

    def is_open(self, group: str) -> bool:
        """Whether the group has an open circle."""
        return any(r.group == group and not r.circle.ended for r in self._runners.values())

    def is_encrypted(self, group: str) -> bool:
        """Whether the group's circles are end-to-end encrypted."""
        return self._encrypted and not is_practice(group)

    async def circle_of(self, group: str) -> Runner:
        """The open circle of a group; opens one if there is none. Raises Busy."""
        async with self._opening:
            for runner in self._runners.values():
                if runner.group == group and not runner.circle.ended:
                    return runner
            circle, now = secrets.token_hex(8), self._clock.now()
            try:
                await self._journal.open_circle(circle, group, now)
            except JournalTrouble as trouble:
                raise Busy from trouble
            log.info("circle opened circle=%s", circle)
            return self._start(StoredCircle(circle, group, 0, now, now, ()))

    def set_streams(self, circle: str, seat: str, mids: dict[str, str]) -> None:
        """The media worker tells who is on which stream of this viewer."""
        if circle in self._runners:
            self._runners[circle].set_streams(SeatId(seat), mids)

    def set_demand(self, circle: str, seat: str, high: bool) -> None:
        """The media worker tells whether anybody is to see the seat's larger picture."""
        if circle in self._runners:
            self._runners[circle].set_demand(SeatId(seat), high)

    def set_lines(self, circle: str, lines: Mapping[str, MediaLine]) -> None:
        """The media worker tells how good everybody's line is, whole."""
        if circle in self._runners:
            self._runners[circle].set_lines({SeatId(s): line for s, line in lines.items()})

    def media_changed(self, circle: str, seat: str, state: str) -> None:
        """A media connection is "connected", was "left" by its person, or is "gone"."""
        runner = self._runners.get(circle)
        if runner is None:
            return
        if state == "connected":
            runner.media_connected(SeatId(seat))
        else:
            runner.media_gone(SeatId(seat), asked_for=state == "left")

    def media_restarted(self, circles: Collection[str]) -> None:
        """The media worker of these circles is new: their people make new media connections."""
        for circle in circles:
            if circle in self._runners:
                self._runners[circle].media_restarted()

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks.create_task(work)
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)

    def _start(self, stored: StoredCircle, held: Mapping[str, Held] | None = None) -> Runner:
        """held: of a circle that comes back, which media connections live."""
        runner = Runner(
            stored,
            self._journal,
            self._media,
            self._sheets,
            self._clock,
            self._forget,
            self._screens,
            held or {},
            self.is_encrypted(stored.group),
        )
        self._runners[runner.id] = runner
        self._own(runner.run(comes_back=held is not None))
        return runner

    async def _bring_back(self) -> None:
        """Replay what the journal kept; the outage is nobody's speaking time.

        Who is still connected to a media worker notices nothing.
        """
        for stored in await self._journal.load_all():
            last = max([stored.opened_at, stored.alive_at, *(at for at, _ in stored.events)])
            self._clock.not_before(last)
            if self._clock.now() - stored.alive_at > TOO_OLD_MS:
                await self._journal.delete(stored.id)
                continue
            runner = self._start(stored, self._media.held().get(stored.id, {}))
            try:
                await runner.ask(None, m.Recover(stored.alive_at))
            except Refused:
                continue  # It had ended, and only its journal was left; its runner deletes that.
            log.info("circle brought back circle=%s events=%d", stored.id, stored.seq)
        for circle in self._media.held().keys() - self._runners.keys():
            # Its end was the last thing that was written, or it is too old.
            self._media.close(circle)

    async def _forget(self, runner: Runner) -> None:
        """The circle has ended: its journal goes."""
        self._runners.pop(runner.id, None)
        try:
            await self._journal.delete(runner.id)
        except JournalTrouble:
            log.warning("journal not deleted circle=%s", runner.id)
        log.info("circle closed circle=%s", runner.id)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat_once()

    async def _beat_once(self) -> None:
        running = [r.id for r in self._runners.values() if r.needs_beat()]
        if running:
            try:
                await self._journal.beat(running, self._clock.now())
            except JournalTrouble:
                log.warning("journal beat failed circles=%d", len(running))
