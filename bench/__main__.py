"""`python -m bench`: every figure of docs/performance.md, as one table and in latest.json."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
from pathlib import Path

from bench import circle, forward

LATEST = Path(__file__).with_name("latest.json")
PAGE = Path(__file__).parents[1] / "docs/performance.md"
TARGETS = {
    "forward_us_per_packet": 10.0,
    "handover_ms_p95": 150.0,
    "safe_room_ms_p95": 500.0,
    "join_ms_p95": 1000.0,
}
"""At most this much."""


def machine() -> dict[str, str | float]:
    """What the figures depend on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else platform.machine(),
        "python": platform.python_version(),
    }


def row(name: str, value: str | float) -> str:
    """One line of the table."""
    target = TARGETS.get(name)
    if target is None or isinstance(value, str):
        return f"{name:<32}{value:>14}"
    verdict = "met" if value <= target else "MISSED"
    return f"{name:<32}{value:>14}  <= {target:g}  {verdict}"


def note(figures: dict[str, str | float], page: str) -> str:
    """The page with these figures in the second cells of their rows."""
    for name, value in figures.items():
        page = re.sub(rf"^(\| `{name}` \|)[^|]*", rf"\g<1> {value} ", page, flags=re.MULTILINE)
    return page


def main() -> None:
    """Measure everything, print it, keep it beside this file and on the page."""
    figures = {**machine(), **asyncio.run(forward.measure()), **circle.measure()}
    print(f"{'figure':<32}{'value':>14}  target")
    for name, value in figures.items():
        print(row(name, value))
    LATEST.write_text(json.dumps(figures, indent=1) + "\n")
    PAGE.write_text(note(figures, PAGE.read_text()))


if __name__ == "__main__":
    main()
