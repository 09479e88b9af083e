"""Every command by every role in every state: the cells of the authorisation matrix.

The same states are made on paper (test_matrix.py) and over the wire (tests/scenarios), from the
same deeds, so that what is refused here must be refused there, with the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args

from peermeet.core import messages as m
from peermeet.core.model import Card, Circle, Mode, Phase, Role, SeatId, Sheet, Topic
from peermeet.core.powers import NEEDS, Power, has
from tests.kit import Meeting

CAST: Mapping[str, Role | None] = {
    "fay": Role.FACILITATOR,
    "cara": Role.CO_FACILITATOR,
    "tim": Role.TIMEKEEPER,
    "guy": Role.GUARDIAN,
    "gret": Role.GREETER,
    "ian": Role.INTERPRETER,
    "lis": Role.LISTENER,
    "ana": None,
    "ben": None,
}
"""Who sits in which role, in the order of arrival. Ben is the one it is done to."""

SEATS = {name: SeatId(f"s{number}") for number, name in enumerate(CAST, 1)}
ACTORS = [name for name in CAST if name != "ben"]
BEN = SEATS["ben"]
HOUR_MS = 3_600_000

SILENCE = Sheet("silence", (Phase(Mode.SILENCE),))
"""What is inserted, and what anybody tries to choose."""

Deed = tuple[str, Callable[[Circle], Any]]
"""Who does what; the command is made from the circle as it then is."""


def _deed(name: str, command: Any) -> Deed:
    return name, lambda circle: command


def _floor(mode: Mode, first: str | None = "ben") -> list[Deed]:
    """A phase of this mode in which `first` has the floor."""
    seat = None if first is None else SEATS[first]
    deeds = [_deed("fay", m.StartPhase(mode, turn_ms=HOUR_MS, first=seat))]
    if mode is Mode.QUEUE and seat is not None:
        deeds.append(("fay", lambda circle: m.GiveTurn(circle.turns_given, seat)))
    return deeds


def _each(command: Callable[[str], Any], *names: str, by: str | None = None) -> list[Deed]:
    return [_deed(by or name, command(name)) for name in names]


STATES: Mapping[str, list[Deed]] = {
    "talk": [],
    "round, Ben has the floor": _floor(Mode.ROUND),
    "round, Ana has the floor": _floor(Mode.ROUND, "ana"),
    "round, over": [
        *_floor(Mode.ROUND),
        *[("fay", lambda circle: m.NextTurn(circle.turns_given))] * 7,
    ],
    "round, Ben shows his screen": [*_floor(Mode.ROUND), _deed("ben", m.StartShare())],
    "queue, nobody has the floor": _floor(Mode.QUEUE, None),
    "queue, Ana has the floor": _floor(Mode.QUEUE, "ana"),
    "reading": _floor(Mode.READ),
    "pairs": _floor(Mode.PAIRS, None),
    "silence": _floor(Mode.SILENCE, None),
    "paused": [*_floor(Mode.ROUND), _deed("guy", m.PauseCircle())],
    "made safe": [*_floor(Mode.ROUND), _deed("guy", m.SafeRoom())],
    "made safe, then lifted": [_deed("guy", m.SafeRoom()), _deed("fay", m.LiftSafety())],
    "an insert": [*_floor(Mode.ROUND), _deed("fay", m.InsertSheet(SILENCE))],
    "everybody stepped out": _each(lambda name: m.StepOut(), *ACTORS),
    "everybody in the waiting area": _each(
        lambda name: m.MoveToWaiting(SEATS[name]), *ACTORS[1:], by="fay"
    ),
    "Ben in the waiting area": [_deed("fay", m.MoveToWaiting(BEN))],
    "Ben in a quiet word": [
        _deed("ben", m.OfferQuiet()),
        _deed("cara", m.AcceptQuiet(BEN)),
    ],
    "microphones held, cameras covered": [
        *_each(lambda name: m.HoldMic(SEATS[name]), *CAST, by="fay"),
        *_each(lambda name: m.CoverCamera(SEATS[name]), *CAST, by="fay"),
    ],
    "Ben removed": [_deed("fay", m.Remove(BEN))],
    "waiting for a facilitator": [],
    "ended": [],
}
"""How each state comes about. Of the last two, nobody's deeds are the cause."""


def appointments() -> list[Deed]:
    """What makes the cast of those who came: Fay and Cara by the facilitators' link."""
    helpers = [(n, r) for n, r in CAST.items() if r not in (None, *list(Role)[:2])]
    return [_deed("fay", m.SetRoles(SEATS[n], (r,))) for n, r in helpers if r]


def in_state(state: str, seed: int = 0) -> Meeting:
    """The state on paper."""
    names = (f"{name}*" if name in ("fay", "cara") else name for name in CAST)
    meeting = Meeting(*names, seed=seed, screens=True)
    assert {n: p.seat for n, p in meeting.people.items()} == SEATS
    for name, command in (*appointments(), *STATES[state]):
        meeting.decide(SEATS[name], command(meeting.circle))
    if state == "waiting for a facilitator":
        meeting.fay.drops()
        meeting.people["cara"].drops()
        meeting.at(s=20)
    if state == "ended":
        meeting.fay.does(m.EndCircle)
    return meeting


# --- The commands -------------------------------------------------------------------------------

_USUAL: Mapping[str, Any] = {
    "on": True,
    "seat": BEN,
    "to": "all",
    "mode": Mode.TALK,
    "card": Card.ADVICE,
    "topic": Topic.OTHER,
    "index": 0,
    "sheet": SILENCE,
}


def commands(circle: Circle) -> list[Any]:
    """One of each kind, about Ben and the turn that runs; of some kinds a second one."""
    now = {**_USUAL, "turn": circle.turns_given, "after": circle.phase_number}
    found: list[Any] = []
    for kind in (*get_args(m.Command), *get_args(m.InnerCommand)):
        if kind is m.HandKeys:
            continue  # Needs no power, and no frame answers it; see tests/hosting/test_keys.py.
        needed = [f.name for f in fields(kind) if f.default is MISSING]
        found.append(kind(**{name: now[name] for name in needed}))
    found += [m.LowerHand(BEN), m.StopShare(BEN), m.ShowCard(Card.ADVICE, BEN), m.WithdrawCard(BEN)]
    found += [m.Write("team"), m.Write("facilitators"), m.SetMic(False), m.ListenOnly(False)]
    return found


def needed(command: Any) -> Power | None:
    """The power the table asks for, or None if the command is everybody's own."""
    if isinstance(command, m.LowerHand) and command.seat == BEN:
        return Power.LEAD
    if isinstance(command, m.StopShare) and command.seat == BEN:
        return Power.MODERATE
    if isinstance(command, m.Write) and command.to == "team":
        return Power.TEAM
    return NEEDS.get(type(command))


@dataclass(frozen=True)
class Cell:
    """One try. denied: what the table says it must be refused with, or None."""

    state: str
    name: str
    command: Any
    denied: m.Code | None


def cells(state: str, circle: Circle) -> list[Cell]:
    """The row of this state: every role and every command, and what the table says."""
    found = []
    for name in ACTORS:
        seat = circle.seats[SEATS[name]]
        for command in commands(circle):
            denied = None
            power = needed(command)
            if circle.ended:
                denied = m.Code.CIRCLE_ENDED
            elif seat.waiting and not isinstance(command, m.Leave):
                denied = m.Code.IN_WAITING_AREA
            elif power is not None and not has(seat, power):
                denied = m.Code.NOT_ALLOWED
            found.append(Cell(state, name, command, denied))
    return found
