"""What a run sheet needs, told to whoever wrote it: its phases, its minutes, and whether it fits.

The sums are the core's (fit.py); here are only their words.
"""

from __future__ import annotations

from collections.abc import Iterator

from peermeet.core import fit
from peermeet.core.model import CAPACITY, Mode, Phase
from peermeet.core.runsheet import RunSheet

WORTH_SAYING_MS = 60_000
"""A phase that is too long by less is no reason to change it."""


def told(sheet: RunSheet) -> Iterator[str]:
    """The sheet in lines: every phase, the sum, then the minutes for 2 to 16 people."""
    phases = sheet.rules.phases
    yield sheet.title
    for number, phase in enumerate(phases, 1):
        yield f"{number:3}. {_length(phase):>8}  {phase.mode:7}  {_title(sheet, phase)}"
    planned_ms = sum(p.length_ms or 0 for p in phases)
    stated = "" if sheet.minutes is None else f"; the sheet says {sheet.minutes}"
    yield f"In all {_minutes(planned_ms)} minutes{stated}."
    if any(phase.length_ms is None for phase in phases):
        yield "Parts without a length are not counted."
    yield "Minutes, if everyone takes the whole of every turn:"
    few, many = sheet.people or (2, CAPACITY)
    for people in range(2, CAPACITY + 1):
        meant = " " if few <= people <= many else "-"
        needed_ms = sum(fit.needed_ms(p, people, fit.turn_ms(p, people)) for p in phases)
        notes = "; ".join(_notes(sheet, people))
        yield f"{meant}{people:3} people {_minutes(needed_ms):>4}  {notes}".rstrip()
    if (few, many) != (2, CAPACITY):
        yield f"- the sheet is meant for {few} to {many} people."


def _notes(sheet: RunSheet, people: int) -> Iterator[str]:
    """What is shortened for so many people, and what is too long all the same."""
    for found in fit.check(sheet.rules, people):
        phase = sheet.rules.phases[found.index]
        turn_ms = fit.turn_ms(phase, people)
        over_ms = fit.needed_ms(phase, people, turn_ms) - found.length_ms
        if phase.mode is not Mode.ROUND:
            continue
        if over_ms >= WORTH_SAYING_MS:
            yield f"{_title(sheet, phase)}: {_seconds(over_ms)} too long"
        elif turn_ms != phase.turn_ms:
            yield f"{_title(sheet, phase)}: {_seconds(turn_ms)} each"


def _title(sheet: RunSheet, phase: Phase) -> str:
    title = sheet.phases[phase.words or 0].title
    return f"{title} (optional)" if phase.optional else title


def _length(phase: Phase) -> str:
    if phase.length_ms is None:
        return "open"
    if phase.length_ms % 60_000:
        return _seconds(phase.length_ms)
    return f"{phase.length_ms // 60_000} min"


def _seconds(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes} min {seconds} s" if minutes and seconds else _whole(minutes, seconds)


def _whole(minutes: int, seconds: int) -> str:
    return f"{minutes} min" if minutes else f"{seconds} s"


def _minutes(ms: int) -> str:
    return str(round(ms / 60_000))
