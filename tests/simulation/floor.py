"""What the media worker must never be told, whatever led to it.

Said again in other words than the core's, from the value and the gates alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from peermeet.core.hearing import FLOOR_MODES, MAIN, StepKind, step_of
from peermeet.core.model import Circle, Gate, Mics, Mode
from peermeet.core.powers import Power, has


def wrongs(circle: Circle, gates: Mapping[str, Gate]) -> Iterator[str]:
    """Everything that is wrong with these gates in this circle."""
    if gates.keys() != (set() if circle.ended else circle.seats.keys()):
        yield "the gates are of other seats"
        return
    heard = {space: set[str]() for space in (MAIN, *circle.spaces)}
    for seat in circle.seats.values():
        if circle.ended or not gates[seat.id].audio:
            continue
        heard.setdefault(gates[seat.id].space, set()).add(seat.id)
        if seat.waiting or seat.veiled or seat.mic_held:
            yield f"{seat.id} is heard, though waiting, veiled or held"
        if circle.safe and not has(seat, Power.LEAD):
            yield f"{seat.id} is heard in a room made safe"
    yield from (f"{seat} is heard in the circle" for seat in heard[MAIN] - _may(circle))
    for name, space in circle.spaces.items():
        step = step_of(circle, space)
        allowed = set(space.seats)
        if step.kind is not StepKind.TOGETHER:
            allowed = {step.speaker} if step.speaker is not None else set()
        if not circle.safe and not heard[name] <= allowed:
            yield f"{heard[name]} are heard in {name}, {allowed} may be"


def _may(circle: Circle) -> set[str]:
    """Who may be heard by the whole circle, as far as phase and floor go."""
    everybody = set[str](circle.seats)
    if circle.safe:
        return everybody
    if circle.paused or circle.phase.mode is Mode.SILENCE:
        return set()
    if circle.phase.mode in FLOOR_MODES and circle.phase.mics is Mics.HOLDER:
        return set() if circle.turn is None else {circle.turn.seat}
    return everybody
