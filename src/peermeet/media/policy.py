"""Who appears in which of a viewer's places: a pure function of who is there.

A place is a pair of receiving sections, one for sound and one for pictures, or either alone.
What may pass is decided by the gates (circle.py); a place belongs to its seat also in silence.
"""

from __future__ import annotations

from collections.abc import Sequence

Places = tuple[str | None, ...]
"""Seat ids by place; None is a free one."""


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
