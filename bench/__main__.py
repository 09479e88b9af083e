"""`python -m bench`: every figure of docs/performance.md, as one table and in latest.json."""

from __future__ import annotations

import asyncio
import os
import platform
import time
from pathlib import Path

from bench import circle, forward, page, picture, rates, relay, switch


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
        "scheduling": "normal" if os.sched_getscheduler(0) == os.SCHED_OTHER else "real-time",
    }


def main() -> None:
    """Measure everything, print it, keep it beside this file and on the page."""
    begun = time.monotonic()
    figures = machine()
    for part in (forward, rates, relay, switch):
        print(f"python -m {part.__name__} …", flush=True)
        figures |= asyncio.run(part.measure())
    print("python -m bench.circle …", flush=True)
    figures |= circle.measure()
    print(f"\n{'figure':<34}{'value':>14}  promised")
    for name, value in figures.items():
        print(page.row(name, value))
    print(f"in {(time.monotonic() - begun) / 60:.1f} minutes")
    page.keep(figures, page.LATEST)
    picture.main()


if __name__ == "__main__":
    main()
