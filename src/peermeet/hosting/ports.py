"""What hosting needs from the outside, in its own words. Implemented in the layers above."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from peermeet.core.messages import Event
from peermeet.core.model import Gate, Millis, SeatId
from peermeet.core.project import Notice, View
from peermeet.protocol import Profile


class JournalTrouble(Exception):
    """The journal could not be reached or written; whether the last append holds is unknown."""


class MediaRefused(Exception):
    """The media worker would not take an offer. code: a `protocol.Fault` value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class StoredCircle:
    """A circle as the journal has it. alive_at: the last moment its server is known to be up."""

    id: str
    group: str
    seq: int
    opened_at: Millis
    alive_at: Millis
    events: Sequence[tuple[Millis, Event]]


class Journal(Protocol):
    """The crash memory of circles. Every method raises JournalTrouble."""

    async def open_circle(self, circle: str, group: str, at: Millis) -> None:
        """Remember a new circle with seq 0."""

    async def append(self, circle: str, seq: int, events: Sequence[Event], at: Millis) -> None:
        """Add events after `seq`, durably and whole, or not at all."""

    async def beat(self, circles: Sequence[str], at: Millis) -> None:
        """Note that the server was up at `at`."""

    async def load(self, circle: str) -> StoredCircle | None: ...

    async def load_all(self) -> Sequence[StoredCircle]: ...

    async def delete(self, circle: str) -> None:
        """Forget a circle and all its events."""


@dataclass(frozen=True)
class Block:
    """One link of a group that lets nobody in.

    code: `Invitation.code` of the link. review_on: the day (UTC) on which the admin looks at it
    again. appeal: what the person reads about having it looked at sooner.
    """

    group: str
    code: str
    made_at: Millis
    review_on: date
    appeal: str


class Blocks(Protocol):
    """The blocked links of all groups. Every method raises JournalTrouble."""

    async def load(self) -> Sequence[Block]: ...

    async def put(self, block: Block) -> None:
        """Add a block, or renew the one of this code; the older `made_at` stays."""

    async def remove(self, group: str, code: str) -> None: ...

    async def forget(self, today: date) -> None:
        """Delete what was not renewed in time after its review."""


class Media(Protocol):
    """The forwarding worker, as one circle's runner sees it."""

    def apply(self, circle: str, gates: Mapping[str, Gate]) -> None:
        """Make these gates the truth; a seat that is missing loses its connection."""

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        """The SDP answer to an offer; raises MediaRefused."""

    def drop(self, circle: str, seat: str) -> None: ...

    def close(self, circle: str) -> None: ...


class Conversation(Protocol):
    """One seat's line to its person. Never blocks; a line too slow to follow is closed."""

    def show(
        self,
        seq: int,
        view: View,
        profiles: Mapping[SeatId, Profile],
        notices: Sequence[Notice],
    ) -> None: ...

    def streams(self, mids: Mapping[str, str]) -> None: ...

    def reoffer(self) -> None: ...

    def bye(self, code: str, again: bool) -> None: ...


class Clock(Protocol):
    def now(self) -> Millis: ...


class SystemClock:
    """Wall time at start, moved on by the monotonic clock: a changed wall clock moves no turn."""

    def __init__(self) -> None:
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000

    def now(self) -> Millis:
        return Millis(int(time.monotonic() * 1000 + self._offset_ms))

    def not_before(self, at: Millis) -> None:
        """Go on from `at` at least: the wall clock was set back while the server was away."""
        self._offset_ms = max(self._offset_ms, at - time.monotonic() * 1000)
