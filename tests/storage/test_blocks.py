"""A block holds until its review is long past, and leaves nothing of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core.model import Millis
from peermeet.hosting.ports import Block, JournalTrouble
from peermeet.storage.blocks import SqlBlocks
from peermeet.storage.engine import open_engine
from peermeet.storage.tables import BLOCK_KEPT_DAYS, RETENTION

NOW = Millis(1_790_000_000_000)
REVIEW = date(2027, 1, 31)
DAY = timedelta(days=1)
ONE = Block("home", "K7Q2M", NOW, REVIEW, "Write to the host: “kind@circle.example”.")


async def test_a_block_comes_back_as_it_was_made(engine: AsyncEngine) -> None:
    blocks = SqlBlocks(engine)
    assert await blocks.load() == []
    sooner = replace(ONE, code="B3CDF", review_on=REVIEW - DAY)
    elsewhere = replace(ONE, group="other", review_on=REVIEW + DAY)
    for block in (ONE, elsewhere, sooner):
        await blocks.put(block)
    assert await SqlBlocks(engine).load() == [sooner, ONE, elsewhere]


async def test_a_renewed_block_keeps_the_day_it_was_made(engine: AsyncEngine) -> None:
    blocks = SqlBlocks(engine)
    await blocks.put(ONE)
    later = replace(ONE, made_at=Millis(NOW + 5), review_on=REVIEW + 90 * DAY, appeal="Ask.")
    await blocks.put(later)
    assert await blocks.load() == [replace(later, made_at=NOW)]


async def test_an_unblocked_link_is_unblocked_in_its_own_group_only(engine: AsyncEngine) -> None:
    blocks = SqlBlocks(engine)
    elsewhere = replace(ONE, group="other")
    await blocks.put(ONE)
    await blocks.put(elsewhere)
    await blocks.remove("home", "K7Q2M")
    await blocks.remove("home", "K7Q2M")
    assert await blocks.load() == [elsewhere]


async def test_a_block_nobody_reviews_ends_and_a_renewed_one_does_not(engine: AsyncEngine) -> None:
    blocks = SqlBlocks(engine)
    forgotten, renewed = ONE, replace(ONE, code="B3CDF")
    await blocks.put(forgotten)
    await blocks.put(renewed)
    last_day = REVIEW + BLOCK_KEPT_DAYS * DAY
    await blocks.forget(last_day)
    assert len(await blocks.load()) == 2
    renewed = replace(renewed, review_on=last_day + 60 * DAY)
    await blocks.put(renewed)
    await blocks.forget(last_day + DAY)
    assert await blocks.load() == [renewed]
    assert f" {BLOCK_KEPT_DAYS} days " in RETENTION["blocks"]


async def test_an_ended_block_is_in_no_file_any_more(
    engine: AsyncEngine, database_url: str
) -> None:
    path = make_url(database_url).database
    if not database_url.startswith("sqlite") or path is None:
        return
    word = b"kind@circle.example"

    def found() -> list[str]:
        return [p.name for p in Path(path).parent.iterdir() if word in p.read_bytes()]

    blocks = SqlBlocks(engine)
    await blocks.put(ONE)
    assert found()
    await blocks.remove("home", "K7Q2M")
    assert not found()
    await blocks.put(ONE)
    await blocks.forget(REVIEW + (BLOCK_KEPT_DAYS + 1) * DAY)
    assert not found()


async def test_a_database_that_is_away_is_told_as_such() -> None:
    engine = open_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    with pytest.raises(JournalTrouble):
        await SqlBlocks(engine).load()
    await engine.dispose()
