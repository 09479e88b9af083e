"""Where the worker's time goes: samples of a running worker, by the library they fall into.

The samples are taken by Linux's `perf` from outside, so that the worker is the product's own and
as fast as ever. `python -m bench.profile` takes half a minute and writes the shares into
docs/performance.md; it needs `perf` (Debian: linux-perf) and the right to use it.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import page, rig
from bench.forward import BURST, IN_FLIGHT, PACKET_BYTES, PEOPLE
from bench.load import Crowd

RUN_S = 8.0
SAMPLES_PER_S = 1999
GROUPS = (
    ("kernel", ("[kernel",)),
    ("loop", ("_fanout",)),
    ("srtp", ("pylibsrtp", "_binding", "libcrypto", "libsrtp")),
    ("glue", ("_cffi_backend", "_struct", "_socket", "select", "math")),
    ("python", ("libpython", "python")),
    ("libc", ("libc.so", "libc-", "ld-linux", "[vdso]")),
)
"""The loop is ours in C; libsrtp and its OpenSSL are inside pylibsrtp; glue is what calls C from
Python."""


def group(library: str) -> str:
    """Whose samples these are."""
    for name, starts in GROUPS:
        if library.startswith(starts):
            return name
    return "other"


def report(data: Path) -> str:
    """Percent and library, one a line."""
    return subprocess.run(
        ["perf", "report", "-i", str(data), "--sort", "dso", "--stdio", "-q"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


async def shares(pid: int, load: Callable[[float], object]) -> dict[str, float]:
    """Percent of the process's time, by group, while `load` runs in a thread."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        data = Path(folder) / "perf.data"
        recorder = await asyncio.create_subprocess_exec(
            *("perf", "record", "-q", "-F", str(SAMPLES_PER_S), "-e", "task-clock"),
            *("-p", str(pid), "-o", str(data), "--", "sleep", str(RUN_S)),
        )
        await asyncio.to_thread(load, RUN_S)
        if await recorder.wait():
            raise PermissionError("perf may not look at another process here")
        spent = {name: 0.0 for name in (*(name for name, _ in GROUPS), "other")}
        for line in (await asyncio.to_thread(report, data)).splitlines():
            fields = line.split()
            if len(fields) >= 2 and fields[0].endswith("%"):
                spent[group(fields[1])] += float(fields[0][:-1])
    return {name: round(percent, 1) for name, percent in spent.items()}


def _flood(crowd: Crowd, seconds: float) -> None:
    crowd.flood(PACKET_BYTES, seconds, BURST, PEOPLE - 1, IN_FLIGHT)


async def measure() -> dict[str, float]:
    """A round, everybody at real rates, and saturated; answers the shares by name."""
    figures = {}
    async with rig.pinned() as cores:
        for kind in ("round", "real", "saturated"):
            async with rig.worker(cores) as link:
                gates = rig.a_round(PEOPLE) if kind == "round" else rig.everybody(PEOPLE)
                members = await rig.seated(
                    link, "circle", gates, kind == "round", transport_cc=kind != "saturated"
                )
                crowd = Crowd(members)
                load: Callable[[float], object] = crowd.run
                if kind == "round":
                    rig.take_turns(crowd, PEOPLE)
                elif kind == "real":
                    rig.talk(crowd)
                else:
                    load = partial(_flood, crowd)
                    for person in range(PEOPLE):
                        crowd.show(person, 0, 1)
                await asyncio.to_thread(load, RUN_S)
                for name, percent in (await shares(link.pid, load)).items():
                    figures[f"profile_{kind}_{name}_percent"] = percent
                await rig.leave(members)
    return figures


def main() -> None:
    """Measure, print, and write the shares down."""
    figures = asyncio.run(measure())
    for name, value in figures.items():
        print(page.row(name, value))
    page.keep(figures, page.PROFILE)


if __name__ == "__main__":
    main()
