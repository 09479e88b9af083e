"""Somebody with a browser: their line, and what is on their screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from peermeet.core.model import Circle, Millis, Seat, SeatId
from peermeet.core.notices import Notice
from peermeet.core.project import View, view_for
from peermeet.core.runsheet import RunSheet
from peermeet.protocol import AnyProfile, Fault, Lines, Profile, Said
from tests.simulation.samples import Known

if TYPE_CHECKING:
    from tests.simulation.process import Process


class Glance:
    """A view that is worked out only when somebody looks closely: most never do.

    It has what the runner reads of a view, and the whole of it on demand.
    """

    def __init__(self, circle: Circle, viewer: SeatId, now: Millis) -> None:
        self.circle = circle
        self.viewer = viewer
        self.now = now

    @property
    def seats(self) -> Sequence[Seat]:
        return list(self.circle.seats.values())

    @property
    def removed(self) -> Sequence[SeatId]:
        return ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole(), name)

    def whole(self) -> View:
        return view_for(self.circle, self.viewer, self.now)


class Line:
    """One connection of a person to one process."""

    def __init__(self, process: Process, broken: Callable[[str], None]) -> None:
        self.process = process
        self.seq = 0
        self.shown: Glance | None = None
        self.closed: str | None = None
        self.dropped = False
        self._broken = broken

    @property
    def open(self) -> bool:
        return self.closed is None and not self.process.dead

    def show(
        self,
        seq: int,
        view: View,
        profiles: Mapping[SeatId, AnyProfile],
        notices: Sequence[Notice],
        links: Mapping[SeatId, str],
    ) -> None:
        if self.process.dead:
            return
        if seq <= self.seq:
            self._broken(f"view {seq} was shown after view {self.seq}")
        if self.closed not in (None, Fault.RESTARTING):
            self._broken(f"a view was shown after {self.closed}")
        self.seq = seq
        self.shown = cast(Glance, view)

    def sheet(self, sheet: RunSheet) -> None: ...

    def said(self, said: Said) -> None: ...

    def keys(self, seat: SeatId, sealed: str) -> None: ...

    def streams(self, mids: Mapping[str, str]) -> None: ...

    def demand(self, high: bool) -> None: ...

    def lines(self, lines: Lines) -> None: ...

    def reoffer(self) -> None: ...

    def bye(self, code: str, again: bool) -> None:
        if self.process.dead:
            return
        if self.closed not in (None, Fault.RESTARTING):
            self._broken(f"goodbye was said twice: {self.closed}, {code}")
        self.closed = str(code)


@dataclass(eq=False)
class Person:
    """seat: theirs, as long as they know. leads: came by the facilitators' link."""

    profile: Profile
    leads: bool
    seat: SeatId | None = None
    line: Line | None = None
    busy: bool = False
    """Sitting down or coming back just now."""
    tries: int = 0
    """How often they have tried to come back."""
    sending: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def shown(self) -> Glance | None:
        """What is on their screen; nothing while the line is gone."""
        return self.line.shown if self.line is not None and self.line.open else None


def known(glance: Glance) -> Known:
    """What can be read off a screen; and one seat that nobody has."""
    return Known(glance.circle, (*glance.circle.seats, SeatId("s99")))
