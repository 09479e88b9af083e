"""A journal that outlives its server, and is not always well.

What was committed stays. An append may fail, take long, lose its answer, or be in the middle when
the server dies: then chance decides whether it holds, whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from peermeet.core import messages as m
from peermeet.core.messages import JournalEvent
from peermeet.core.model import Millis
from peermeet.hosting.ports import JournalTrouble, StoredCircle

CIRCLE, GROUP = "circle", "home"
TOO_LONG_S = 30.0


class Book:
    """The circle as it is written down. broken: told of what must never be written."""

    def __init__(self, opened_at: Millis, broken: Callable[[str], None]) -> None:
        self.events: list[tuple[Millis, JournalEvent]] = []
        self.opened_at = opened_at
        self.alive_at = opened_at
        self.deleted = False
        self._broken = broken
        self._written: set[int] = set()
        self._ended: set[int] = set()
        self._turn = 0

    def stored(self) -> StoredCircle:
        events = list(self.events)
        return StoredCircle(CIRCLE, GROUP, len(events), self.opened_at, self.alive_at, events)

    def holds(self, event: m.Event) -> bool:
        """This very event, not one that looks the same."""
        return id(event) in self._written

    def write(self, seq: int, events: Sequence[JournalEvent], at: Millis) -> bool:
        """Add events after `seq`; False if the end is elsewhere."""
        if seq != len(self.events) or self.deleted:
            return False
        for event in events:
            self.events.append((at, event))
            self._written.add(id(event))
            self._look_at(event)
        self.alive_at = at
        return True

    def _look_at(self, event: JournalEvent) -> None:
        if isinstance(event, m.TurnEnded):
            if event.number in self._ended:
                self._broken(f"turn {event.number} ended twice")
            self._ended.add(event.number)
        elif isinstance(event, m.TurnStarted):
            if event.number <= self._turn:
                self._broken(f"turn {event.number} began after turn {self._turn}")
            self._turn = event.number


class BookJournal:
    """The journal as one server process reaches it.

    trouble: how often something goes wrong or slowly, 0–1.
    """

    def __init__(self, book: Book, chance: Random) -> None:
        self.trouble = 0.0
        self._book = book
        self._chance = chance
        self._dead = False
        self._in_flight: tuple[int, Sequence[JournalEvent], Millis] | None = None

    def die(self) -> None:
        """The process is gone; what it was writing holds or does not."""
        self._dead = True
        if self._in_flight is not None and self._chance.random() < 0.5:
            self._book.write(*self._in_flight)

    async def open_circle(self, circle: str, group: str, at: Millis) -> None:
        raise AssertionError("the circle is open already")

    async def append(
        self, circle: str, seq: int, events: Sequence[JournalEvent], at: Millis
    ) -> None:
        self._check()
        if self._chance.random() < self.trouble:
            await self._append_badly(seq, events, at)
        else:
            self._write(seq, events, at)

    async def beat(self, circles: Sequence[str], at: Millis) -> None:
        self._check()
        self._book.alive_at = at

    async def load(self, circle: str) -> StoredCircle | None:
        self._check()
        if self._chance.random() < self.trouble:
            await asyncio.sleep(self._chance.choice((0.01, 0.5, TOO_LONG_S)))
            self._check()
            if self._chance.random() < 0.5:
                raise JournalTrouble("away")
        return None if self._book.deleted else self._book.stored()

    async def load_all(self) -> Sequence[StoredCircle]:
        self._check()
        return [] if self._book.deleted else [self._book.stored()]

    async def delete(self, circle: str) -> None:
        self._check()
        if self._chance.random() < self.trouble:
            raise JournalTrouble("away")
        self._book.deleted = True

    async def _append_badly(self, seq: int, events: Sequence[JournalEvent], at: Millis) -> None:
        fate = self._chance.choice(("refused", "unanswered", "slow", "slow", "hangs", "late"))
        if fate == "refused":
            raise JournalTrouble("away")
        if fate == "unanswered":
            self._write(seq, events, at)
            if self._chance.random() < 0.5:
                await asyncio.sleep(TOO_LONG_S)
            raise JournalTrouble("connection lost after commit")
        self._in_flight = seq, events, at
        try:
            wait_s = self._chance.choice((0.0, 0.02, 1.0)) if fate == "slow" else TOO_LONG_S
            await asyncio.sleep(wait_s)
            self._write(seq, events, at)
        except asyncio.CancelledError:
            if fate == "late":
                # Nobody waits any more, but the database was not told so.
                later_s = self._chance.choice((0.001, 0.5, 3.0))
                loop = asyncio.get_running_loop()
                loop.call_later(later_s, self._write_late, seq, events, at)
            raise
        finally:
            self._in_flight = None

    def _write(self, seq: int, events: Sequence[JournalEvent], at: Millis) -> None:
        self._check()
        if not self._book.write(seq, events, at):
            raise JournalTrouble("the circle has moved on or is gone")

    def _write_late(self, seq: int, events: Sequence[JournalEvent], at: Millis) -> None:
        if not self._dead:
            self._book.write(seq, events, at)

    def _check(self) -> None:
        if self._dead:
            raise JournalTrouble("dead")
