"""Who may do what: the one table of roles and powers.

`docs/facilitating.md` and the test of every refusal are made from it. What the table leaves out
belongs to everybody: one's own microphone, hand, turn, and the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from peermeet.core import messages as m
from peermeet.core.model import Role, Seat


class Power(StrEnum):
    """Something a role may do to others or to the circle."""

    LEAD = "lead"
    """Choose and open phases, give the floor, end the circle."""
    TIME = "time"
    """Move the floor on and back, give time, hold the clock."""
    PAUSE = "pause"
    SAFE = "safe"
    """Make the room safe and readmit people."""
    MODERATE = "moderate"
    """Hold microphones, cover cameras, end a screen, show cards, the waiting area, remove."""
    ADMIT = "admit"
    """The door, and who waits at it."""
    CARE = "care"
    """Answer who asks for a quiet word, and offer one; read everybody's line in figures."""
    TEAM = "team"
    """Read and write in the channel of those who help."""
    WRITE = "write"
    """Write to everybody in any phase: captions and what is signed."""
    ROLES = "roles"
    """Give and take roles."""


_LEADING = frozenset(
    {
        Power.LEAD,
        Power.TIME,
        Power.PAUSE,
        Power.SAFE,
        Power.MODERATE,
        Power.ADMIT,
        Power.CARE,
        Power.TEAM,
        Power.WRITE,
    }
)

POWERS: Mapping[Role, frozenset[Power]] = {
    Role.FACILITATOR: _LEADING | {Power.ROLES},
    Role.CO_FACILITATOR: _LEADING,
    Role.TIMEKEEPER: frozenset({Power.TIME, Power.TEAM}),
    Role.GUARDIAN: frozenset({Power.PAUSE, Power.SAFE, Power.TEAM}),
    Role.GREETER: frozenset({Power.ADMIT, Power.TEAM}),
    Role.INTERPRETER: frozenset({Power.WRITE}),
    Role.LISTENER: frozenset(),
}
"""The powers of each role; a seat has those of all its roles."""

NEEDS: Mapping[type[m.Command] | type[m.InnerCommand], Power] = {
    m.NextTurn: Power.TIME,
    m.Back: Power.TIME,
    m.Extend: Power.TIME,
    m.HoldClock: Power.TIME,
    m.ReleaseClock: Power.TIME,
    m.SignalGently: Power.TIME,
    m.GiveTurn: Power.LEAD,
    m.StartPhase: Power.LEAD,
    m.OpenPhase: Power.LEAD,
    m.ReturnToPhase: Power.LEAD,
    m.ChangePhase: Power.LEAD,
    m.DropPhase: Power.LEAD,
    m.CallBack: Power.LEAD,
    m.EndCircle: Power.LEAD,
    m.UseSheet: Power.LEAD,
    m.InsertSheet: Power.LEAD,
    m.PauseCircle: Power.PAUSE,
    m.ResumeCircle: Power.PAUSE,
    m.DeclinePause: Power.PAUSE,
    m.SafeRoom: Power.SAFE,
    m.Readmit: Power.SAFE,
    m.LiftSafety: Power.SAFE,
    m.HoldMic: Power.MODERATE,
    m.ReleaseMic: Power.MODERATE,
    m.CoverCamera: Power.MODERATE,
    m.UncoverCamera: Power.MODERATE,
    m.ShowCard: Power.MODERATE,
    m.WithdrawCard: Power.MODERATE,
    m.MoveToWaiting: Power.MODERATE,
    m.Remove: Power.MODERATE,
    m.TakeBackRemoval: Power.MODERATE,
    m.Admit: Power.ADMIT,
    m.OpenDoor: Power.ADMIT,
    m.AskAtDoor: Power.ADMIT,
    m.CloseDoor: Power.ADMIT,
    m.SetRoles: Power.ROLES,
}
"""What a command needs. Commands that are not here are everybody's own."""


def has(seat: Seat, power: Power) -> bool:
    """Whether one of the seat's roles holds this power."""
    return any(power in POWERS[role] for role in seat.roles)


def takes_turns(seat: Seat) -> bool:
    """Whether the seat is in the turn order and may be heard in the circle at all."""
    return not seat.waiting and not seat.roles & {Role.LISTENER, Role.INTERPRETER}
