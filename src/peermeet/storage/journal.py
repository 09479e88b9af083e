"""The journal of circles in SQL: what hosting's `Journal` port asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, TypeAdapter
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from peermeet.core.messages import JournalEvent
from peermeet.core.model import Millis
from peermeet.hosting.ports import JournalTrouble, StoredCircle
from peermeet.storage.engine import leave_no_trace, transaction
from peermeet.storage.tables import circles, journal

_event: TypeAdapter[JournalEvent] = TypeAdapter(
    Annotated[JournalEvent, Field(discriminator="kind")]
)


class SqlJournal:
    """One transaction a call; an append either holds whole or not at all."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open_circle(self, circle: str, group: str, at: Millis) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(
                insert(circles).values(id=circle, group_id=group, seq=0, opened_at=at, alive_at=at)
            )

    async def append(
        self, circle: str, seq: int, events: Sequence[JournalEvent], at: Millis
    ) -> None:
        """The update of `seq` is the fence: whoever is not at the end cannot write."""
        async with transaction(self._engine) as connection:
            moved = await connection.execute(
                update(circles)
                .where(circles.c.id == circle, circles.c.seq == seq)
                .values(seq=seq + len(events), alive_at=at)
            )
            if moved.rowcount != 1:
                raise JournalTrouble("the circle has moved on or is gone")
            await connection.execute(
                insert(journal),
                [
                    {
                        "circle_id": circle,
                        "seq": seq + 1 + offset,
                        "at": at,
                        "event": _event.dump_json(event).decode(),
                    }
                    for offset, event in enumerate(events)
                ],
            )

    async def beat(self, circle_ids: Sequence[str], at: Millis) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(circles).where(circles.c.id.in_(circle_ids)).values(alive_at=at)
            )

    async def load(self, circle: str) -> StoredCircle | None:
        async with transaction(self._engine) as connection:
            found = await _read(connection, circle)
        return found[0] if found else None

    async def load_all(self) -> Sequence[StoredCircle]:
        async with transaction(self._engine) as connection:
            return await _read(connection, None)

    async def delete(self, circle: str) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(delete(journal).where(journal.c.circle_id == circle))
            await connection.execute(delete(circles).where(circles.c.id == circle))
        await leave_no_trace(self._engine)


async def _read(connection: AsyncConnection, circle: str | None) -> list[StoredCircle]:
    heads = select(circles)
    lines = select(journal).order_by(journal.c.circle_id, journal.c.seq)
    if circle is not None:
        heads = heads.where(circles.c.id == circle)
        lines = lines.where(journal.c.circle_id == circle)
    events: dict[str, list[tuple[Millis, JournalEvent]]] = {}
    for row in await connection.execute(lines):
        event = _event.validate_json(row.event)
        events.setdefault(row.circle_id, []).append((Millis(row.at), event))
    return [
        StoredCircle(
            row.id,
            row.group_id,
            row.seq,
            Millis(row.opened_at),
            Millis(row.alive_at),
            events.get(row.id, []),
        )
        for row in await connection.execute(heads)
    ]
