"""Any command at all, found by looking at the vocabulary itself.

A new command is tried without a word here. A member of a type that is not known here is an error.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from peermeet.core import messages as m
from peermeet.core.model import Circle, SeatId, Sheet
from peermeet.runsheets import shipped

Sent = m.Command | m.InnerCommand
Sample = Callable[[Random, "Known"], Any]

LENGTHS_MS = (5_000, 10_000, 60_000, 180_000)
SHEETS = tuple(sheet.rules for sheet in shipped().values())


@dataclass(frozen=True)
class Known:
    """What somebody knows who fills in a command: the circle as it was last shown to them."""

    circle: Circle
    seats: tuple[SeatId, ...]


def _number(name: str) -> Sample:
    """Numbers of turns and phases are mostly those of now, and sometimes a late or early click."""
    if name == "turn":
        return lambda chance, known: known.circle.turns_given + chance.choice((0, 0, 0, 0, -1, 1))
    if name == "after":
        return lambda chance, known: known.circle.phase_number + chance.choice((0, 0, 0, -1))
    if name.endswith("_ms"):
        return lambda chance, _: chance.choice(LENGTHS_MS)
    return lambda chance, _: chance.randrange(6)


def _sample(name: str, hint: Any) -> Sample:
    origin, inside = get_origin(hint), get_args(hint)
    if hint is SeatId:
        return lambda chance, known: chance.choice(known.seats)
    if hint is bool:
        return lambda chance, _: chance.random() < 0.7
    if hint is int:
        return _number(name)
    if hint is Sheet:
        return lambda chance, _: chance.choice(SHEETS)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = tuple(hint)
        return lambda chance, _: chance.choice(members)
    if origin is Literal:
        return lambda chance, _: chance.choice(inside)
    if origin in (Union, types.UnionType):
        either = [_sample(name, each) for each in inside]
        return lambda chance, known: chance.choice(either)(chance, known)
    if hint is type(None):
        return lambda chance, known: None
    if origin is tuple:
        one = _sample(name, inside[0])
        return lambda chance, known: tuple(one(chance, known) for _ in range(chance.randrange(3)))
    raise TypeError(f"no sample for {name}: {hint}")


def _members(command: type[Any]) -> list[tuple[str, Sample]]:
    hints = get_type_hints(command)
    names = [field.name for field in dataclasses.fields(command) if field.name != "kind"]
    return [(name, _sample(name, hints[name])) for name in names]


COMMANDS: tuple[type[Any], ...] = (*get_args(m.Command), *get_args(m.InnerCommand))
MEMBERS = {command: _members(command) for command in COMMANDS}
BY_KIND: dict[str, type[Any]] = {c.kind: c for c in COMMANDS if hasattr(c, "kind")}


def sample(command: type[Any], chance: Random, known: Known, **given: Any) -> Sent:
    """One command of this class; given: members that are not left to chance."""
    members = {
        name: given[name] if name in given else one(chance, known) for name, one in MEMBERS[command]
    }
    return cast(Sent, command(**members))
