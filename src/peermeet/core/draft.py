"""What a decision is written on: the events so far, and guards that refuse.

A guard is one line in the rules; it raises `Refused` and nothing has happened.
"""

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.evolve import evolve
from peermeet.core.hearing import FLOOR_MODES
from peermeet.core.messages import Code, Refused
from peermeet.core.model import Circle, Millis, Role, Seat, SeatId, Turn
from peermeet.core.powers import Power, has


class Draft:
    """The events decided so far, and the circle as it is after them.

    The circle is worked out when it is looked at: most commands end with one event, and asking
    what somebody may do (project.py) asks for dozens of them.
    """

    def __init__(self, circle: Circle, now: Millis) -> None:
        self.now = now
        self.events: list[m.Event] = []
        self._circle = circle
        self._evolved = 0

    @property
    def circle(self) -> Circle:
        for event in self.events[self._evolved :]:
            self._circle = evolve(self._circle, event, self.now)
        self._evolved = len(self.events)
        return self._circle

    def add(self, event: m.Event) -> None:
        self.events.append(event)


def require(condition: bool, code: Code) -> None:
    if not condition:
        raise Refused(code)


def require_seat(circle: Circle, seat: SeatId) -> Seat:
    require(seat in circle.seats, Code.NO_SUCH_SEAT)
    return circle.seats[seat]


def require_inside(seat: Seat) -> None:
    """In the circle: not in the waiting area, and readmitted since the room was made safe."""
    require(not seat.waiting, Code.IN_WAITING_AREA)
    require(not seat.veiled, Code.VEILED)


def require_floor(circle: Circle) -> None:
    require(circle.phase.mode in FLOOR_MODES, Code.WRONG_PHASE)


def require_turn(circle: Circle, number: int) -> Turn:
    """The running turn, if it is the one that was meant."""
    require_floor(circle)
    if circle.turn is None:
        raise Refused(Code.NO_TURN)
    require(circle.turn.number == number, Code.STALE_TURN)
    return circle.turn


def require_over(actor: Seat, seat: Seat) -> None:
    """Powers over those who lead are the facilitator's alone, and never over oneself."""
    require(seat.id != actor.id, Code.NOT_ALLOWED)
    leads = Role.FACILITATOR in actor.roles
    require(leads or not has(seat, Power.LEAD), Code.NOT_ALLOWED)
