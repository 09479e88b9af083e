"""What pictures one person wants to receive: their own choice, and what is on their screen.

It only ever takes pictures away; sound is no matter of choice here, and what may pass is decided
by the gates (circle.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MAX_WATCHED: Final = 16


@dataclass(frozen=True, slots=True)
class Watch:
    """video: of everyone on screen, of whoever has the floor, or none at all.

    seats: those on screen; None is everybody. The holder of the floor is always among them.
    """

    video: Literal["all", "holder", "none"] = "all"
    seats: frozenset[str] | None = None

    def wants(self, seat: str, has_floor: bool) -> bool:
        """Whether pictures of this seat are to be sent."""
        if self.video == "none":
            return False
        if has_floor:
            return True
        return self.video == "all" and (self.seats is None or seat in self.seats)


EVERYTHING: Final = Watch()
