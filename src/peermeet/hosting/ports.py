"""What hosting needs from the outside, in its own words. Implemented in the layers above."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from peermeet.core.messages import JournalEvent
from peermeet.core.model import Gate, Millis, SeatId
from peermeet.core.notices import Notice
from peermeet.core.project import View
from peermeet.core.runsheet import RunSheet
from peermeet.protocol import AnyProfile, LineDetails, Lines, Mark, Said, Watch


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
    events: Sequence[tuple[Millis, JournalEvent]]


class Journal(Protocol):
    """The crash memory of circles. Every method raises JournalTrouble."""

    async def open_circle(self, circle: str, group: str, at: Millis) -> None:
        """Remember a new circle with seq 0."""

    async def append(
        self, circle: str, seq: int, events: Sequence[JournalEvent], at: Millis
    ) -> None:
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


class Checks(Protocol):
    """The check of each group's secret of today. Raises JournalTrouble."""

    async def find(self, group: str) -> str | None:
        """None while the group has never had a secret."""

    async def replace(self, group: str, old: str | None, new: str) -> bool:
        """Take `new` in the place of `old`; False if `old` is not what is kept."""


OWN = "own-"
"""How the id of a group's own run sheet begins; shipped ones begin otherwise."""


class Sheets(Protocol):
    """The run sheets a group may choose: shipped ones and its own. Raises JournalTrouble."""

    async def find(self, group: str, sheet: str) -> RunSheet | None: ...

    async def all(self, group: str) -> Sequence[RunSheet]:
        """The shipped ones, then the group's own."""

    async def keep(self, group: str, sheet: RunSheet, at: Millis) -> None:
        """Keep a group's own sheet, or note that it was used again."""

    async def forget(self, group: str, sheet: str) -> bool:
        """Let go of one of the group's own; whether there was one."""


@dataclass(frozen=True)
class MediaLine:
    """One person's media line as the worker measures it. weak: their pictures are reduced."""

    mark: Mark
    weak: bool
    details: LineDetails


@dataclass(frozen=True)
class Held:
    """A seat's media connection that an earlier web process left behind.

    streams: whose media arrives on which of its sections, by mid. connected: its handshake is over.
    high: whether anybody is to see the seat's larger picture; None for a camera without layers.
    """

    streams: Mapping[str, str]
    connected: bool
    high: bool | None = None


class Media(Protocol):
    """The forwarding workers, as hosting sees them. Which one has a circle is theirs to know."""

    def held(self) -> Mapping[str, Mapping[str, Held]]:
        """What the workers hold at the start of a web process, by circle and seat.

        A circle may be named with no seats. Gates are as the last web process left them.
        """

    def apply(self, circle: str, gates: Mapping[str, Gate], marked: bool = False) -> None:
        """Make these gates the truth; a seat that is missing loses its connection.

        marked: what does not carry the mark of end-to-end encryption is not passed on.
        """

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        """The SDP answer to an offer; raises MediaRefused."""

    def watch(self, circle: str, seat: str, watch: Watch) -> None:
        """What pictures this seat wants, until its next offer; the newest wins."""

    def drop(self, circle: str, seat: str) -> None: ...

    def close(self, circle: str) -> None: ...


class Conversation(Protocol):
    """One seat's line to its person. Never blocks; a line too slow to follow is closed."""

    def show(
        self,
        seq: int,
        view: View,
        profiles: Mapping[SeatId, AnyProfile],
        notices: Sequence[Notice],
        links: Mapping[SeatId, str],
    ) -> None: ...

    def sheet(self, sheet: RunSheet) -> None:
        """The words of the run sheet now."""

    def said(self, said: Said) -> None: ...

    def keys(self, seat: SeatId, sealed: str) -> None:
        """What another seat has sealed for this one."""

    def streams(self, mids: Mapping[str, str]) -> None: ...

    def demand(self, high: bool) -> None: ...

    def lines(self, lines: Lines) -> None:
        """How good people's lines are; the newest wins."""

    def reoffer(self) -> None: ...

    def bye(self, code: str, again: bool) -> None: ...


class Clock(Protocol):
    def now(self) -> Millis: ...

    def seconds_until(self, at: Millis) -> float:
        """How long a timer has to wait for this moment, in seconds; negative if it is past."""


class SystemClock:
    """Wall time at start, moved on by the monotonic clock: a changed wall clock moves no turn.

    speed: how many times as fast as the wall's; another than 1 is for rehearsals.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._since_s = time.monotonic()
        self._from_ms = time.time() * 1000

    def now(self) -> Millis:
        return Millis(int(self._from_ms + self._passed_ms()))

    def seconds_until(self, at: Millis) -> float:
        return (at - self._from_ms - self._passed_ms()) / 1000 / self._speed

    def not_before(self, at: Millis) -> None:
        """Go on from `at` at least: the wall clock was set back while the server was away."""
        self._from_ms = max(self._from_ms, at - self._passed_ms())

    def _passed_ms(self) -> float:
        return (time.monotonic() - self._since_s) * 1000 * self._speed
