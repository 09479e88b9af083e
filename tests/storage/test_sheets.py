"""A group's own run sheets: kept as they were written, for that group, and not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core.model import Millis
from peermeet.core.runsheet import RunSheet, parse
from peermeet.hosting.ports import JournalTrouble
from peermeet.runsheets import shipped
from peermeet.storage.engine import open_engine
from peermeet.storage.sheets import DAY_MS, SqlSheets
from peermeet.storage.tables import RETENTION, SHEET_KEPT_DAYS, SHEETS_KEPT

NOW = Millis(1_790_000_000_000)


def own(id: str = "own-1", title: str = "Our evening – ‘quiet’ start") -> RunSheet:
    written = f"""
title = "{title}"
minutes = 40
[[phase]]
title = "Begin"
mode = "read"
lines = ["Welcome, all of you.", "We begin."]
[[phase]]
title = "Sharing"
words = "Two lines,\\nand the second."
mode = "round"
phase_min = 20
turn_s = 90
"""
    return parse(written, id)


async def test_the_shipped_ones_are_every_groups_and_come_first(engine: AsyncEngine) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own(), NOW)
    everything = await sheets.all("home")
    assert [s.id for s in everything] == [*shipped(), "own-1"]
    assert await sheets.all("other") == list(shipped().values())
    assert await sheets.find("other", "pairs") == shipped()["pairs"]


async def test_a_kept_sheet_comes_back_as_it_was(engine: AsyncEngine) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own(), NOW)
    assert await sheets.find("home", "own-1") == own()
    assert await sheets.find("other", "own-1") is None, "it is that group's alone"
    assert await sheets.find("home", "own-2") is None
    assert await sheets.find("home", "no-such-sheet") is None


async def test_keeping_a_shipped_sheet_writes_nothing(engine: AsyncEngine) -> None:
    await SqlSheets(engine, shipped()).keep("home", shipped()["pairs"], NOW)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM run_sheets"))).scalar() == 0


async def test_a_group_can_let_go_of_its_own_and_of_nobody_elses(engine: AsyncEngine) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own(), NOW)
    await sheets.keep("other", own(), NOW)
    assert await sheets.forget("home", "own-1")
    assert not await sheets.forget("home", "own-1")
    assert not await sheets.forget("home", "pairs")
    assert await sheets.find("other", "own-1") == own()
    assert "pairs" in [s.id for s in await sheets.all("home")]


async def test_what_nobody_used_for_a_year_goes_and_what_was_used_stays(
    engine: AsyncEngine,
) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own("own-1"), NOW)
    await sheets.keep("home", own("own-2"), NOW)
    last_day = Millis(NOW + SHEET_KEPT_DAYS * DAY_MS)
    await sheets.forget_unused(last_day)
    assert len(await sheets.all("home")) == len(shipped()) + 2
    await sheets.keep("home", own("own-2"), last_day)
    await sheets.forget_unused(Millis(last_day + 1))
    assert await sheets.find("home", "own-1") is None
    assert await sheets.find("home", "own-2") == own("own-2")
    assert f" {SHEET_KEPT_DAYS} days " in RETENTION["run_sheets"]


async def test_of_too_many_sheets_the_one_goes_that_was_unused_for_longest(
    engine: AsyncEngine,
) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("other", own("own-old"), NOW)
    ids = [f"own-{number}" for number in range(SHEETS_KEPT)]
    for number, id in enumerate(ids):
        await sheets.keep("home", own(id), Millis(NOW + number))
    await sheets.keep("home", own(ids[0]), Millis(NOW + 1_000))
    await sheets.keep("home", own("own-new"), Millis(NOW + 1_001))
    kept = {s.id for s in await sheets.all("home")} - set(shipped())
    assert kept == {*ids, "own-new"} - {ids[1]}
    assert await sheets.find("other", "own-old") is not None


async def test_a_sheet_of_an_older_grammar_hides_no_other(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own("own-1"), NOW)
    await sheets.keep("home", own("own-2", title="Told nowhere"), NOW)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE run_sheets SET text = text || 'mood = \"old\"' WHERE id = 'own-2'")
        )
    assert await sheets.find("home", "own-2") is None
    assert await sheets.find("home", "own-1") == own("own-1")
    assert "sheet=own-2" in caplog.text and "Told nowhere" not in caplog.text


async def test_a_forgotten_sheet_is_in_no_file_any_more(
    engine: AsyncEngine, database_url: str
) -> None:
    path = make_url(database_url).database
    if not database_url.startswith("sqlite") or path is None:
        return

    def found() -> list[str]:
        return [p.name for p in Path(path).parent.iterdir() if b"Our evening" in p.read_bytes()]

    sheets = SqlSheets(engine, shipped())
    await sheets.keep("home", own(), NOW)
    assert found()
    await sheets.forget("home", "own-1")
    assert not found()
    await sheets.keep("home", own(), NOW)
    await sheets.forget_unused(Millis(NOW + SHEET_KEPT_DAYS * DAY_MS + 1))
    assert not found()


async def test_a_sheet_that_is_kept_twice_at_once_is_kept_once(engine: AsyncEngine) -> None:
    """Two facilitators choose the same text."""
    sheets = SqlSheets(engine, shipped())
    await asyncio.gather(*(sheets.keep("home", own(), NOW) for _ in range(8)))
    assert [s.id for s in await sheets.all("home")].count("own-1") == 1


async def test_a_database_that_is_away_is_told_as_such() -> None:
    engine = open_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    sheets = SqlSheets(engine, shipped())
    for asked in (sheets.all("home"), sheets.find("home", "own-1"), sheets.forget("home", "x")):
        with pytest.raises(JournalTrouble):
            await asked
    assert await sheets.find("home", "pairs") is not None, "shipped ones need no database"
    await engine.dispose()
