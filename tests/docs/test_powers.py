"""The handbook's table of roles is the table in the code; `make powers` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from peermeet.core.model import Role
from peermeet.core.powers import NEEDS, POWERS, Power

PAGE = Path(__file__).parents[2] / "docs/facilitating.md"
TABLE = re.compile(r"(<!-- powers: [^\n]*-->\n)(.*?)(<!-- /powers -->)", re.S)

WORDS = {
    Power.LEAD: "choose, open and change parts; give the floor; lower a hand; end for all",
    Power.TIME: "next and back, more time, hold the clock, gentle signal",
    Power.PAUSE: "pause and resume; learn that somebody asks for a pause",
    Power.SAFE: "make the room safe, readmit people, go on",
    Power.MODERATE: "hold a microphone, cover a camera, end a screen, cards, waiting area,"
    " remove, let back",
    Power.ADMIT: "the door, and let in who waits",
    Power.CARE: "be asked for a quiet word, and offer one; read everybody's connection in figures",
    Power.TEAM: "read and write in the helpers' channel",
    Power.WRITE: "write to all in any part",
    Power.ROLES: "give and take roles",
}
"""What a volunteer calls each power."""


def table() -> str:
    """A row for each power, a column for each role that has any."""
    roles = [role for role in Role if POWERS[role]]
    lines = ["| may … | " + " | ".join(roles) + " |", "|---" * (len(roles) + 1) + "|"]
    for power in Power:
        cells = ["yes" if power in POWERS[role] else "" for role in roles]
        lines.append(f"| {WORDS[power]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def test_the_handbook_tells_who_may_do_what() -> None:
    found = TABLE.search(PAGE.read_text())
    assert found and found[2] == table(), "run: make powers"


def test_every_role_has_a_row_of_powers_and_no_power_is_nobodys() -> None:
    assert set(POWERS) == set(Role)
    assert set().union(*POWERS.values()) == set(Power) == set(WORDS)
    assert set(NEEDS.values()) <= set(Power)


if __name__ == "__main__":
    PAGE.write_text(TABLE.sub(lambda found: found[1] + table() + found[3], PAGE.read_text()))
