"""Opening the database and bringing its tables up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from peermeet.hosting.ports import JournalTrouble
from peermeet.storage.tables import REVISION

if TYPE_CHECKING:
    from alembic.config import Config

WAIT_S = 5.0
"""How long a statement waits for its turn at the database."""


def open_engine(url: str) -> AsyncEngine:
    """An engine for a SQLAlchemy URL of the drivers aiosqlite or asyncpg.

    SQLite has exactly one connection, which is the only writer and does all checkpoints: versions
    before 3.51.3 can corrupt the file when two do. Commits are durable (synchronous FULL), and
    what is deleted is overwritten.
    """
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=4, max_overflow=0, pool_timeout=WAIT_S)
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=WAIT_S)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={int(WAIT_S * 1000)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """All of it or nothing; raises JournalTrouble."""
    try:
        async with engine.begin() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as trouble:
        raise JournalTrouble(type(trouble).__name__) from trouble


async def leave_no_trace(engine: AsyncEngine) -> None:
    """What was deleted goes from SQLite's log too, where overwriting rows does not reach."""
    if engine.dialect.name == "sqlite":
        async with transaction(engine) as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


async def migrate(url: str) -> None:
    """Bring the tables of this database to the newest shape."""
    if await _revision(url) != REVISION:
        # Alembic's command is synchronous and starts an event loop of its own.
        await asyncio.to_thread(_upgrade, url)


async def _revision(url: str) -> str | None:
    """The migration this database is at, or None if it is new."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
            return found.scalar()
    except DBAPIError:
        return None
    finally:
        await engine.dispose()


def _upgrade(url: str) -> None:
    # Half a second that only the first start and a new version need to spend.
    from alembic import command

    command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> Config:
    """Alembic's settings without a file of their own; the scripts lie beside the package."""
    from alembic.config import Config

    inside = Path(__file__).parent.parent / "migrations"
    config = Config()
    config.set_main_option(
        "script_location",
        str(inside if inside.is_dir() else Path(__file__).parents[3] / "migrations"),
    )
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
