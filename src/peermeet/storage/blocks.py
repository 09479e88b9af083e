"""Blocked links in SQL: what hosting's `Blocks` port asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core.model import Millis
from peermeet.hosting.ports import Block
from peermeet.storage.engine import leave_no_trace, transaction
from peermeet.storage.tables import BLOCK_KEPT_DAYS, blocks


class SqlBlocks:
    """One transaction a call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self) -> Sequence[Block]:
        """All there are, in the order of their reviews."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(
                select(blocks).order_by(blocks.c.review_on, blocks.c.code)
            )
            return [
                Block(row.group_id, row.code, Millis(row.made_at), row.review_on, row.appeal)
                for row in found
            ]

    async def put(self, block: Block) -> None:
        async with transaction(self._engine) as connection:
            renewed = await connection.execute(
                update(blocks)
                .where(blocks.c.group_id == block.group, blocks.c.code == block.code)
                .values(review_on=block.review_on, appeal=block.appeal)
            )
            if renewed.rowcount == 0:
                await connection.execute(
                    insert(blocks).values(
                        group_id=block.group,
                        code=block.code,
                        made_at=block.made_at,
                        review_on=block.review_on,
                        appeal=block.appeal,
                    )
                )

    async def remove(self, group: str, code: str) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(
                delete(blocks).where(blocks.c.group_id == group, blocks.c.code == code)
            )
        await leave_no_trace(self._engine)

    async def forget(self, today: date) -> None:
        """Delete the blocks whose review is more than BLOCK_KEPT_DAYS days ago."""
        last = today - timedelta(days=BLOCK_KEPT_DAYS)
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(blocks).where(blocks.c.review_on < last))
        if gone.rowcount:
            await leave_no_trace(self._engine)
