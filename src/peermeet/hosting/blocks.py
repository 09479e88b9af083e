"""Which links are blocked, and which seats were taken by them.

Nobody has an account, so what an admin can block is the link that a person came by. Whoever came by
a blocked one is sent away, connected or not, and nobody comes in by it. Which seat came by which
link is known in memory only, and forgotten with the seat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from peermeet.core.messages import Leave, Refused
from peermeet.core.model import SeatId
from peermeet.hosting.ports import Block, Blocks, Clock, JournalTrouble
from peermeet.hosting.runner import Busy, Runner

log = logging.getLogger(__name__)

REREAD_S = 2.0
"""How often the list is read again and those who slipped in between are sent away."""


@dataclass(frozen=True)
class _Guest:
    """Who sits somewhere by a link. tell: says the last word on their newest line."""

    runner: Runner
    seat: SeatId
    code: str
    tell: Callable[[Block], None]

    @property
    def is_seated(self) -> bool:
        circle = self.runner.circle
        return self.seat in circle.seats and not circle.ended


class BlockList:
    """The blocks in force, as of REREAD_S ago at most; use as `async with`."""

    def __init__(self, store: Blocks, clock: Clock, reread_s: float = REREAD_S) -> None:
        self._store = store
        self._clock = clock
        self._reread_s = reread_s
        self._blocks: dict[tuple[str, str], Block] = {}
        self._guests: dict[tuple[str, SeatId], _Guest] = {}
        self._tidied: date | None = None
        self._reading = asyncio.Lock()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> BlockList:
        """Raises JournalTrouble: without its list a server must not let anybody in."""
        await self.read()
        await self._tasks.__aenter__()
        self._rereading = self._tasks.create_task(self._reread())
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._rereading.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def all(self) -> Sequence[Block]:
        return list(self._blocks.values())

    @property
    def today(self) -> date:
        """The day it is, in UTC."""
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC).date()

    def find(self, group: str, code: str) -> Block | None:
        """The block on this link, or None."""
        return self._blocks.get((group, code))

    def came_by(
        self, code: str, runner: Runner, seat: SeatId, tell: Callable[[Block], None]
    ) -> None:
        """Note the link and the newest line of a seat. tell: must not block."""
        self._guests[runner.id, seat] = _Guest(runner, seat, code, tell)

    async def block(self, group: str, code: str, review_on: date, appeal: str) -> int:
        """Block a link, or renew its block; how many people were sent away.

        Raises JournalTrouble.
        """
        # A reading in between would send them away first, and the admin would be told of nobody.
        async with self._reading:
            await self._store.put(Block(group, code, self._clock.now(), review_on, appeal))
            return await self._read()

    async def unblock(self, group: str, code: str) -> bool:
        """Let people in by this link again; whether it was blocked. Raises JournalTrouble."""
        await self.read()
        was_blocked = self.find(group, code) is not None
        await self._store.remove(group, code)
        await self.read()
        return was_blocked

    async def read(self) -> int:
        """Take the list from the store and act on it; how many people were sent away.

        Once a day what is past its time is deleted first. Raises JournalTrouble.
        """
        async with self._reading:
            return await self._read()

    async def _read(self) -> int:
        today = self.today
        if today != self._tidied:
            await self._store.forget(today)
            self._tidied = today
        found = await self._store.load()
        self._blocks = {(block.group, block.code): block for block in found}
        return await self._send_away()

    async def _send_away(self) -> int:
        self._guests = {key: guest for key, guest in self._guests.items() if guest.is_seated}
        blocked = [
            (guest, block)
            for guest in self._guests.values()
            if (block := self.find(guest.runner.group, guest.code)) is not None
        ]
        for guest, block in blocked:
            guest.tell(block)
        return sum(await asyncio.gather(*(_free(guest) for guest, _ in blocked)))

    async def _reread(self) -> None:
        is_well = True
        while True:
            await asyncio.sleep(self._reread_s)
            try:
                await self.read()
                is_well = True
            except JournalTrouble:
                if is_well:
                    log.warning("blocks not read known=%d", len(self._blocks))
                is_well = False


async def _free(guest: _Guest) -> bool:
    """Have the seat freed, so that nothing is heard there any more; whether it was."""
    try:
        await guest.runner.ask(guest.seat, Leave())
    except (Refused, Busy):
        return False  # They left just now, or the next reading tries again.
    log.info("seat freed by a block circle=%s", guest.runner.id)
    return True
