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
    yield from _wrong_screens(circle, gates)
    yield from (f"{seat} is heard in the circle" for seat in heard[MAIN] - _may(circle))
    for name, space in circle.spaces.items():
        step = step_of(circle, space)
        allowed = set(space.seats)
        if step.kind is not StepKind.TOGETHER:
            allowed = {step.speaker} if step.speaker is not None else set()
        if not circle.safe and not heard[name] <= allowed:
            yield f"{heard[name]} are heard in {name}, {allowed} may be"


def _wrong_screens(circle: Circle, gates: Mapping[str, Gate]) -> Iterator[str]:
    shown = [seat for seat, gate in gates.items() if gate.screen]
    if len(shown) > 1:
        yield f"{shown} show their screens at once"
    for name in shown:
        seat = next(s for s in circle.seats.values() if s.id == name)
        holds = circle.turn is not None and circle.turn.seat == name
        if not holds and not has(seat, Power.LEAD):
            yield f"{name} shows a screen without the floor"
        stands = circle.paused or circle.safe or circle.phase.mode in (Mode.SILENCE, Mode.PAIRS)
        if stands or not seat.present or gates[name].space != MAIN:
            yield f"{name} shows a screen where none may be"


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
