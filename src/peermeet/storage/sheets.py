"""Run sheets: the shipped ones, and each group's own in SQL. What hosting's `Sheets` asks for."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core.model import Millis
from peermeet.core.runsheet import RunSheet, SheetErrors, parse, to_toml
from peermeet.hosting.ports import OWN
from peermeet.storage.engine import leave_no_trace, transaction
from peermeet.storage.tables import SHEET_KEPT_DAYS, SHEETS_KEPT, run_sheets

log = logging.getLogger(__name__)

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
        """Nothing to do for a shipped one. Raises JournalTrouble.

        Beyond SHEETS_KEPT those go that were not used for longest.
        """
        if not sheet.id.startswith(OWN):
            return
        # One statement: two facilitators may keep the same text at once.
        is_sqlite = self._engine.dialect.name == "sqlite"
        into = sqlite.insert(run_sheets) if is_sqlite else postgresql.insert(run_sheets)
        row = {"group_id": group, "id": sheet.id, "used_at": at, "text": to_toml(sheet)}
        kept = into.values(**row).on_conflict_do_update(
            index_elements=["group_id", "id"], set_={"used_at": at}
        )
        own = run_sheets.c.group_id == group
        newest = select(run_sheets.c.id).where(own)
        newest = newest.order_by(run_sheets.c.used_at.desc(), run_sheets.c.id).limit(SHEETS_KEPT)
        async with transaction(self._engine) as connection:
            await connection.execute(kept)
            gone = await connection.execute(
                delete(run_sheets).where(own, run_sheets.c.id.not_in(newest))
            )
        if gone.rowcount:
            await leave_no_trace(self._engine)

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
            rows = (await connection.execute(query)).all()
        found = []
        for row in rows:
            try:
                found.append(parse(row.text, row.id))
            except SheetErrors:
                # Kept by a version with other rules; whoever has the text can send it again.
                log.warning("run sheet not understood sheet=%s", row.id)
        return found
