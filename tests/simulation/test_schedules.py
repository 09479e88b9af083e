"""A server's bad days, thousands of them, each from a seed of its own.

`PEERMEET_SCHEDULES` says how many (default 10,000; `make simulate` tries 1,000,000).
`PEERMEET_SEED=123` replays one alone and tells what happened in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from peermeet.core.model import Circle, Gate, SeatId
from peermeet.core.project import gates
from peermeet.hosting import runner
from peermeet.hosting.ports import StoredCircle
from tests.simulation.journal import Book
from tests.simulation.schedule import Schedule

SCHEDULES = int(os.environ.get("PEERMEET_SCHEDULES", "10000"))
SEED = os.environ.get("PEERMEET_SEED")
AT_ONCE = 10_000
TOLD = 60


def first_break(seeds: range) -> str | None:
    """What went wrong in the first of these schedules that breaks, and how to see it again."""
    for seed in seeds:
        try:
            Schedule(seed).run()
        except Exception:
            return story(seed)
    return None


def story(seed: int) -> str | None:
    """The last things that happened in a schedule that breaks."""
    schedule = Schedule(seed)
    try:
        schedule.run(traces=True)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        return "\n".join([*schedule.trace[-TOLD:], what, f"again: PEERMEET_SEED={seed}"])
    return None


def test_no_schedule_breaks_the_circle() -> None:
    if SEED is not None:
        told = story(int(SEED))
    elif SCHEDULES <= AT_ONCE:
        told = first_break(range(SCHEDULES))
    else:
        parts = [range(at, min(at + AT_ONCE, SCHEDULES)) for at in range(0, SCHEDULES, AT_ONCE)]
        with ProcessPoolExecutor() as processes:
            told = next((found for found in processes.map(first_break, parts) if found), None)
    assert told is None, f"\n{told}"


def traces(seeds: range) -> Iterator[str]:
    for seed in seeds:
        schedule = Schedule(seed)
        with suppress(Exception):
            schedule.run(traces=True)
        yield from schedule.trace


def test_a_seed_tells_the_same_story_in_every_process() -> None:
    script = (
        "from tests.simulation.test_schedules import traces\n"
        "for line in traces(range(20)): print(line)"
    )
    stories = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.splitlines()
        for hash_seed in ("1", "2")
    ]
    assert len(stories[0]) > 200
    assert stories[0] == stories[1] == "\n".join(traces(range(20))).splitlines()


# --- The schedules do find what is wrong ------------------------------------------------------


def test_a_journal_that_forgets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Book.stored

    def forgetful(book: Book) -> StoredCircle:
        found = stored(book)
        return replace(found, seq=max(0, found.seq - 1), events=found.events[:-1])

    monkeypatch.setattr(Book, "stored", forgetful)
    told = first_break(range(50))
    assert told is not None and "lost in the crash" in told


def test_gates_that_stay_open_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_for_ever(circle: Circle) -> Mapping[SeatId, Gate]:
        return {seat: replace(gate, audio=True) for seat, gate in gates(circle).items()}

    monkeypatch.setattr(runner, "gates", open_for_ever)
    told = first_break(range(50))
    assert told is not None and "was opened by somebody else" in told


def test_an_answer_before_the_writing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unwritten(*_: object) -> None: ...

    monkeypatch.setattr(runner.Runner, "_keep", unwritten)
    told = first_break(range(50))
    assert told is not None and "done, and not written" in told
