"""In what order people come: lists, chance, hands and quiet ones first; who is paired with whom.

Chance is a seed and a hash: the same circle decides the same thing twice (FIPS 180-4, SHA-256).
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import cycle, islice
from typing import assert_never

from peermeet.core.evolve import owed_now, spoken
from peermeet.core.hearing import is_available, is_eligible
from peermeet.core.model import Circle, Millis, Mode, Order, Phase, SeatId
from peermeet.core.powers import Power, has


def by_quiet(circle: Circle, seat: SeatId) -> tuple[int, int]:
    """Sorts those first who have not spoken, then whose last turn is longest ago."""
    hands = circle.hands
    asked = hands.index(seat) if seat in hands else len(hands)
    return circle.spoke_at.get(seat, -1), asked


def by_chance(circle: Circle, seat: SeatId) -> bytes:
    """Sorts by what the seed makes of this seat in this phase."""
    return sha256(f"{circle.seed}/{circle.phase_number}/{seat}".encode()).digest()


def order_for(circle: Circle, phase: Phase, first: SeatId | None = None) -> tuple[SeatId, ...]:
    """Who gets a turn in this phase, first to last. first: the seat that begins, or None.

    Who is owed first place has it. A text that has more lines than readers goes round again,
    and once more, so that lines somebody passed find a reader.
    """
    # Whoever speaks now has spoken by then, and last of all.
    heard = spoken(circle, Millis(circle.at + 1))
    inside = replace(circle, phase=phase, spoke_at=heard)
    seats = [s for s in circle.seats if is_eligible(inside, s)]
    match phase.order:
        case Order.LIST | Order.HAND | Order.PREVIOUS_NAMES_NEXT:
            seats = _turned(circle, phase, seats, first)
        case Order.SEEDED_RANDOM:
            seats = sorted(seats, key=lambda s: by_chance(circle, s))
        case Order.QUIET_FIRST:
            listed = _turned(circle, phase, seats, first)
            seats = sorted(listed, key=lambda s: by_quiet(inside, s))
        case _ as never:
            assert_never(never)
    if phase.mode is Mode.READ and seats:
        return tuple(islice(cycle(seats), phase.lines + len(seats) if phase.lines else len(seats)))
    owed = [s for s in owed_now(circle) if s in seats]
    return (*owed, *(s for s in seats if s not in owed))


def _turned(
    circle: Circle, phase: Phase, seats: list[SeatId], first: SeatId | None
) -> list[SeatId]:
    """The list from another start, and the other way round, from meeting to meeting."""
    if not seats:
        return seats
    if first in seats:
        start, backwards = seats.index(first), phase.reverse
    else:
        start = circle.seed % len(seats)
        backwards = phase.reverse != bool(circle.seed >> 8 & 1)
    turned = seats[start:] + seats[:start]
    return [turned[0], *reversed(turned[1:])] if backwards else turned


def pairs_for(circle: Circle) -> tuple[tuple[SeatId, ...], ...]:
    """Twos, and one three if the number is odd, by chance.

    Who leads stays with the circle, unless a single other person would be left without a partner.
    """
    together = replace(circle, spaces={})  # Who is in pairs now comes back first.
    here = [s for s in circle.seats if is_available(together, s)]
    others = [s for s in here if not has(circle.seats[s], Power.LEAD)]
    if len(others) == 1:
        others += [s for s in here if s not in others][:1]
    people = sorted(others, key=lambda s: by_chance(circle, s))
    if len(people) < 2:
        return ()
    pairs = [tuple(people[i : i + 2]) for i in range(0, len(people) - 1, 2)]
    if len(people) % 2:
        pairs[-1] = (*pairs[-1], people[-1])
    return tuple(pairs)
