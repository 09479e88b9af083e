"""What people are told of their line: nothing that flickers. Times are monotonic seconds."""

from __future__ import annotations

from math import inf
from typing import Final

WORSE_AFTER_S: Final = 2.0
BETTER_AFTER_S: Final = 5.0


class Latch:
    """A yes or no that has to last before it counts."""

    __slots__ = ("_off_after_s", "_on_after_s", "_since", "is_on")

    def __init__(self, on_after_s: float = WORSE_AFTER_S, off_after_s: float = BETTER_AFTER_S):
        self.is_on = False
        self._on_after_s = on_after_s
        self._off_after_s = off_after_s
        self._since = inf

    def update(self, value: bool, now: float) -> bool:
        """What counts, having been told what is."""
        if value == self.is_on:
            self._since = inf
            return self.is_on
        self._since = min(self._since, now)
        if now - self._since >= (self._on_after_s if value else self._off_after_s):
            self.is_on, self._since = value, inf
        return self.is_on


class Quality:
    """A mark for the tile: 3 good, 2 fair, 1 poor. Worse after 2 s, better after 5 s."""

    _FAIR = (0.3, 0.03, 0.1)
    """Round trip in seconds (ITU-T G.114 counts 150 ms one way as good), loss, queue in seconds;
    at or beyond any of them the line is not good."""
    _POOR = (0.8, 0.1, 0.3)
    _LEAVE = 0.8
    """A mark is left at this share of the limit that led to it."""

    def __init__(self) -> None:
        self._fair = Latch()
        self._poor = Latch()

    @property
    def mark(self) -> int:
        """3, 2 or 1."""
        return 1 if self._poor.is_on else 2 if self._fair.is_on else 3

    def update(
        self,
        now: float,
        *,
        round_trip_s: float | None,
        loss_up: float,
        loss_down: float,
        queue_s: float,
    ) -> int:
        """The mark, having been told the last second; about once a second or more often."""
        measured = (round_trip_s or 0.0, max(loss_up, loss_down), queue_s)
        for latch, limits in ((self._fair, self._FAIR), (self._poor, self._POOR)):
            share = self._LEAVE if latch.is_on else 1.0
            beyond = any(
                value >= limit * share for value, limit in zip(measured, limits, strict=True)
            )
            latch.update(beyond, now)
        return self.mark
