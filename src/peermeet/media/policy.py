"""Who appears in which of a viewer's places, and how well: pure functions.

A place is a pair of receiving sections, one for sound and one for pictures, or either alone.
What may pass is decided by the gates (circle.py); a place belongs to its seat also in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from peermeet.media.sdp import LayerName

Places = tuple[str | None, ...]
"""Seat ids by place; None is a free one."""
USUAL_BPS: Final[Mapping[LayerName, int]] = {"l": 150_000, "h": 1_500_000}
"""Of a layer that is not measured, because nobody has watched it yet."""
SLACK: Final = 1.1
"""What is on stays until it costs so many times the budget: measured rates waver."""


def assign(before: Places, others: Sequence[str], capacity: int) -> Places:
    """Give every other seat a place; nobody moves because others come or go.

    before: the last answer for this viewer, () at first. others: everybody else in the viewer's
    space, without repeats, in the order newcomers are served. capacity: places the viewer has;
    who finds none free is left out until one is.
    """
    present = set(others)
    places = [seat if seat in present else None for seat in before[:capacity]]
    places += [None] * (capacity - len(places))
    newcomers = (seat for seat in others if seat not in before[:capacity])
    for index, seat in enumerate(places):
        if seat is None:
            places[index] = next(newcomers, None)
    return tuple(places)


def streams(places: Places, audio: Sequence[str], video: Sequence[str]) -> dict[str, str]:
    """Which seat is on which of the viewer's receiving mids. audio, video: mids by place."""
    return {
        mid: seat
        for mids in (audio, video)
        for mid, seat in zip(mids, places, strict=False)
        if seat is not None
    }


@dataclass(frozen=True, slots=True)
class Want:
    """One video a viewer would like to see."""

    seat: str
    rid: LayerName
    """The best layer worth sending: "l" for a small tile."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a viewer gets of what they want."""

    rids: dict[str, LayerName | None]
    """By seat; None is no picture."""
    cost_bps: int
    next_bps: int | None
    """What the next better selection would cost in all; None if everything is given."""


def select(
    wants: Sequence[Want],
    rates: Mapping[tuple[str, LayerName], int],
    budget_bps: int | None,
    before: Mapping[str, LayerName | None] | None = None,
) -> Selection:
    """Give everyone "l", then those who are wanted in "h" the rest, both in the order of `wants`.

    wants: the floor holder first, whose picture so outlives the others; each seat once. rates:
    measured bit/s of layers that flow; leave out what does not. budget_bps: for all pictures
    together; None is no limit. before: the last answer for this viewer, so that nobody comes
    and goes because a rate wavers about the limit. The first step that the budget does not
    carry ends it, and a cheaper one after it is not taken: or equals would take turns.
    """
    before = before or {}
    rids: dict[str, LayerName | None] = {want.seat: None for want in wants}
    cost_bps = 0
    steps: list[tuple[str, LayerName, int]] = []
    for want in wants:
        steps.append((want.seat, "l", rates.get((want.seat, "l"), USUAL_BPS["l"])))
    for want in wants:
        if want.rid == "h":
            low = rates.get((want.seat, "l"), USUAL_BPS["l"])
            high = rates.get((want.seat, "h"), USUAL_BPS["h"])
            steps.append((want.seat, "h", max(0, high - low)))
    for seat, rid, step_bps in steps:
        has = before.get(seat)
        slack = SLACK if has == rid or has == "h" else 1.0
        if budget_bps is not None and cost_bps + step_bps > budget_bps * slack:
            return Selection(rids, cost_bps, cost_bps + step_bps)
        rids[seat] = rid
        cost_bps += step_bps
    return Selection(rids, cost_bps, None)
