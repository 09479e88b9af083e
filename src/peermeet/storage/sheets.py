"""Run sheets: the shipped ones, and each group's own in SQL. What hosting's `Sheets` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core.model import Millis
from peermeet.core.runsheet import RunSheet, parse, to_toml
from peermeet.hosting.ports import OWN
from peermeet.storage.engine import leave_no_trace, transaction
from peermeet.storage.tables import SHEET_KEPT_DAYS, run_sheets

DAY_MS = 86_400_000


class SqlSheets:
    """One transaction a call. shipped: by id, the same for every group."""

    def __init__(self, engine: AsyncEngine, shipped: Mapping[str, RunSheet]) -> None:
        self._engine = engine
        self._shipped = shipped

    async def find(self, group: str, sheet: str) -> RunSheet | None:
        """Raises JournalTrouble."""
        if not sheet.startswith(OWN):
            return self._shipped.get(sheet)
        own = [s for s in await self._own(group) if s.id == sheet]
        return own[0] if own else None

    async def all(self, group: str) -> Sequence[RunSheet]:
        """Raises JournalTrouble."""
        return [*self._shipped.values(), *await self._own(group)]

    async def keep(self, group: str, sheet: RunSheet, at: Millis) -> None:
        """Nothing to do for a shipped one. Raises JournalTrouble."""
        if not sheet.id.startswith(OWN):
            return
        this = (run_sheets.c.group_id == group, run_sheets.c.id == sheet.id)
        async with transaction(self._engine) as connection:
            again = await connection.execute(update(run_sheets).where(*this).values(used_at=at))
            if again.rowcount == 0:
                row = {"group_id": group, "id": sheet.id, "used_at": at, "text": to_toml(sheet)}
                await connection.execute(insert(run_sheets).values(**row))

    async def forget(self, group: str, sheet: str) -> bool:
        """Raises JournalTrouble."""
        async with transaction(self._engine) as connection:
            gone = await connection.execute(
                delete(run_sheets).where(run_sheets.c.group_id == group, run_sheets.c.id == sheet)
            )
        if gone.rowcount:
            await leave_no_trace(self._engine)
        return gone.rowcount > 0

    async def forget_unused(self, now: Millis) -> None:
        """Let go of what nobody used for SHEET_KEPT_DAYS. Raises JournalTrouble."""
        last = now - SHEET_KEPT_DAYS * DAY_MS
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(run_sheets).where(run_sheets.c.used_at < last))
        if gone.rowcount:
            await leave_no_trace(self._engine)

    async def _own(self, group: str) -> list[RunSheet]:
        query = select(run_sheets).where(run_sheets.c.group_id == group).order_by(run_sheets.c.id)
        async with transaction(self._engine) as connection:
            return [parse(row.text, row.id) for row in await connection.execute(query)]
