"""The checks of the groups' secrets in SQL: what hosting's `Checks` port asks for."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.storage.engine import leave_no_trace, transaction
from peermeet.storage.tables import checks


class SqlChecks:
    """One transaction a call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, group: str) -> str | None:
        async with transaction(self._engine) as connection:
            found = await connection.execute(
                select(checks.c.check).where(checks.c.group_id == group)
            )
            return found.scalar_one_or_none()

    async def replace(self, group: str, old: str | None, new: str) -> bool:
        """Compare and swap. Of two at once one may get JournalTrouble instead of False."""
        mine = checks.c.group_id == group
        async with transaction(self._engine) as connection:
            if (await connection.execute(select(checks.c.check).where(mine))).first() is None:
                if old is None:
                    await connection.execute(insert(checks).values(group_id=group, check=new))
                return old is None
            changed = await connection.execute(
                update(checks).where(mine, checks.c.check == old).values(check=new)
            )
        await leave_no_trace(self._engine)
        return changed.rowcount == 1
