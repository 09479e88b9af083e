"""The table of the network lab in docs/performance.md, and the figures it is made of.

`make lab` tries every cell and writes both; `make test` tries a few and writes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

WHOLE = bool(os.environ.get("PEERMEET_LAB"))
"""Whether every cell is tried."""

FIGURES = Path(__file__).parents[2] / "bench/lab.json"
PAGE = Path(__file__).parents[2] / "docs/performance.md"
BEGIN, END = "<!-- the lab begins -->\n", "<!-- the lab ends -->\n"


@dataclass(frozen=True)
class Row:
    """One cell. joined_s: from the tap to the holder's voice. connections: made by the page.

    back_s: until sound and picture were back after the change in the middle, where there is one.
    """

    line: str
    path: str
    joined_s: float
    concealed_percent: float
    pictures_per_s: float
    frozen_s: float
    connections: int
    back_s: float | None = None


HEADS = (
    "line",
    "path",
    "joined, s",
    "concealed, %",
    "pictures/s",
    "frozen, s",
    "connections",
    "back, s",
)
assert len(HEADS) == len(fields(Row))


def read() -> list[Row]:
    """The cells of the last whole run."""
    return [Row(**row) for row in json.loads(FIGURES.read_text())]


def render(rows: Iterable[Row]) -> str:
    """The table."""
    cells = [["–" if value is None else str(value) for value in astuple(row)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in [HEADS, ["---"] * len(HEADS), *cells])


def note(rows: Iterable[Row], page: str) -> str:
    """The page with these cells between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render(rows)}\n{END}{after}"


def keep(rows: list[Row]) -> None:
    """Write both. Cells that were not tried this time keep what they had, behind the others."""
    names = {row.line for row in rows}
    rows = rows + [row for row in read() if row.line not in names]
    FIGURES.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    PAGE.write_text(note(rows, PAGE.read_text()))
