"""Where figures are kept: JSON beside this file, and the cells of docs/performance.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parent / "docs/performance.md"
LATEST: Final = HERE / "latest.json"
PROFILE: Final = HERE / "profile.json"
SOAK: Final = HERE / "soak.json"
SEALED: Final = HERE / "sealed.json"
MIXED: Final = HERE / "mixed.json"

Figures = Mapping[str, str | float]

AT_MOST: Final[dict[str, float]] = {
    "forward_us_per_packet": 8.0,
    "forward_ratio_to_c_forwarder": 3.5,
    "real_us_per_packet_n8": 15.7,
    "added_delay_ms_p99": 1.0,
    "round8_core_percent_per_person": 0.4,
    "rss_mb_per_participant": 1.2,
    "join_ms_p95": 300.0,
    "seat_switch_ms_p95": 200.0,
    "handover_ms_p95": 150.0,
    "safe_room_ms_p95": 500.0,
}
AT_LEAST: Final[dict[str, float]] = {
    "forward_packets_per_second_core": 120_000.0,
    "circles_of_8_at_60_percent": 14.0,
}


def promise(name: str) -> str:
    """What is promised of a figure, as the page says it; "" for one that only explains."""
    if name in AT_MOST:
        return f"{AT_MOST[name]:.12g} or less"
    return f"{AT_LEAST[name]:.12g} or more" if name in AT_LEAST else ""


def row(name: str, value: str | float) -> str:
    """One line of the table that a run prints."""
    line = f"{name:<34}{value:>14}"
    promised = promise(name)
    if not promised or isinstance(value, str):
        return line
    met = value <= AT_MOST[name] if name in AT_MOST else value >= AT_LEAST[name]
    return f"{line}  {promised:<16}{'met' if met else 'MISSED'}"


def note(figures: Figures, page: str) -> str:
    """The page with these figures in the second cells of their rows."""
    for name, value in figures.items():
        page = re.sub(rf"^(\| `{name}` \|)[^|]*", rf"\g<1> {value} ", page, flags=re.MULTILINE)
    return page


def keep(figures: Figures, path: Path) -> None:
    """Write figures to their file and onto the page."""
    path.write_text(json.dumps(figures, indent=1) + "\n")
    PAGE.write_text(note(figures, PAGE.read_text()))
