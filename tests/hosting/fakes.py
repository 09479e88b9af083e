"""The ports of hosting, in memory and on a leash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from peermeet.core.messages import JournalEvent
from peermeet.core.model import Gate, Millis, SeatId
from peermeet.core.notices import Notice
from peermeet.core.project import View
from peermeet.core.runsheet import RunSheet
from peermeet.hosting.ports import OWN, Held, JournalTrouble, StoredCircle, SystemClock
from peermeet.protocol import AnyProfile, Lines, Said, Watch
from peermeet.runsheets import shipped


class MemoryJournal:
    """broken: every call fails. forgets_to_answer: the next append holds, and then fails."""

    def __init__(self) -> None:
        self.circles: dict[str, StoredCircle] = {}
        self.broken = False
        self.forgets_to_answer = False
        self.order: list[str] = []

    async def open_circle(self, circle: str, group: str, at: Millis) -> None:
        self._check()
        self.circles[circle] = StoredCircle(circle, group, 0, at, at, ())

    async def append(
        self, circle: str, seq: int, events: Sequence[JournalEvent], at: Millis
    ) -> None:
        self._check()
        old = self.circles[circle]
        if old.seq != seq:
            raise JournalTrouble("moved on")
        self.circles[circle] = StoredCircle(
            circle,
            old.group,
            seq + len(events),
            old.opened_at,
            at,
            [*old.events, *((at, e) for e in events)],
        )
        self.order.append("append")
        if self.forgets_to_answer:
            self.forgets_to_answer = False
            raise JournalTrouble("connection lost after commit")

    async def beat(self, circles: Sequence[str], at: Millis) -> None:
        self._check()

    async def load(self, circle: str) -> StoredCircle | None:
        self._check()
        return self.circles.get(circle)

    async def load_all(self) -> Sequence[StoredCircle]:
        self._check()
        return list(self.circles.values())

    async def delete(self, circle: str) -> None:
        self._check()
        self.circles.pop(circle, None)

    def _check(self) -> None:
        if self.broken:
            raise JournalTrouble("away")


class MemorySheets:
    """The shipped ones, and what groups keep. broken: every call fails."""

    def __init__(self) -> None:
        self.own: dict[tuple[str, str], RunSheet] = {}
        self.used_at: dict[tuple[str, str], Millis] = {}
        self.broken = False

    async def find(self, group: str, sheet: str) -> RunSheet | None:
        self._check()
        return shipped().get(sheet) or self.own.get((group, sheet))

    async def all(self, group: str) -> Sequence[RunSheet]:
        self._check()
        return [*shipped().values(), *(s for (g, _), s in self.own.items() if g == group)]

    async def keep(self, group: str, sheet: RunSheet, at: Millis) -> None:
        self._check()
        if sheet.id.startswith(OWN):
            self.own[group, sheet.id] = sheet
            self.used_at[group, sheet.id] = at

    async def forget(self, group: str, sheet: str) -> bool:
        self._check()
        return self.own.pop((group, sheet), None) is not None

    def _check(self) -> None:
        if self.broken:
            raise JournalTrouble("away")


class NotedMedia:
    """left: connections that an earlier web process left behind."""

    def __init__(self, order: list[str]) -> None:
        self.gates: dict[str, Mapping[str, Gate]] = {}
        self.marked_at: list[bool] = []
        self.watches: list[tuple[str, Watch]] = []
        self.left: dict[str, dict[str, Held]] = {}
        self.closed: list[str] = []
        self.order = order

    def held(self) -> Mapping[str, Mapping[str, Held]]:
        return self.left

    def apply(self, circle: str, gates: Mapping[str, Gate], marked: bool = False) -> None:
        self.gates[circle] = gates
        self.marked_at.append(marked)
        self.order.append("gates")

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        return "answer"

    def watch(self, circle: str, seat: str, watch: Watch) -> None:
        self.watches.append((seat, watch))

    def drop(self, circle: str, seat: str) -> None: ...

    def close(self, circle: str) -> None:
        self.gates.pop(circle, None)
        self.closed.append(circle)


class NotedLine:
    """A conversation that remembers."""

    def __init__(self, order: list[str] | None = None) -> None:
        self.views: list[View] = []
        self.seqs: list[int] = []
        self.profiles: Mapping[SeatId, AnyProfile] = {}
        self.notices: list[str] = []
        self.links: Mapping[SeatId, str] = {}
        self.sheets: list[RunSheet] = []
        self.read: list[Said] = []
        self.handed: list[tuple[SeatId, str]] = []
        self.mids: Mapping[str, str] = {}
        self.told: list[Lines] = []
        self.reoffers = 0
        self.farewell: tuple[str, bool] | None = None
        self._order = order if order is not None else []

    def show(
        self,
        seq: int,
        view: View,
        profiles: Mapping[SeatId, AnyProfile],
        notices: Sequence[Notice],
        links: Mapping[SeatId, str],
    ) -> None:
        self.seqs.append(seq)
        self.views.append(view)
        self.profiles = dict(profiles)
        self.notices += [n.kind for n in notices]
        self.links = dict(links)
        self._order.append("view")

    def sheet(self, sheet: RunSheet) -> None:
        self.sheets.append(sheet)

    def said(self, said: Said) -> None:
        self.read.append(said)

    def keys(self, seat: SeatId, sealed: str) -> None:
        self.handed.append((seat, sealed))

    def streams(self, mids: Mapping[str, str]) -> None:
        self.mids = mids

    def demand(self, high: bool) -> None:
        self.high = high

    def lines(self, lines: Lines) -> None:
        self.told.append(lines)

    def reoffer(self) -> None:
        self.reoffers += 1

    def bye(self, code: str, again: bool) -> None:
        self.farewell = (str(code), again)


class FakeClock(SystemClock):
    """Stands still until moved."""

    def __init__(self, at: int = 1_790_000_000_000) -> None:
        self.at = Millis(at)

    def now(self) -> Millis:
        return self.at

    def seconds_until(self, at: Millis) -> float:
        return (at - self.at) / 1000

    def not_before(self, at: Millis) -> None:
        self.at = max(self.at, at)

    def move(self, s: float) -> None:
        self.at = Millis(self.at + int(s * 1000))
