"""What is kept, how durably, and for how long."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.core import messages as m
from peermeet.core.model import (
    Door,
    Millis,
    Mode,
    Order,
    Pass,
    Phase,
    Reason,
    Role,
    SeatId,
    Sheet,
    Stage,
    Timeout,
    Who,
)
from peermeet.hosting.ports import JournalTrouble
from peermeet.storage.engine import alembic_config, migrate, open_engine
from peermeet.storage.journal import SqlJournal
from peermeet.storage.tables import RETENTION, REVISION, metadata

NOW = Millis(1_790_000_000_000)
S1 = SeatId("s1")

PHASE = Phase(
    Mode.ROUND,
    60_000,
    20_000,
    30_000,
    Timeout.FIRM,
    600_000,
    order=Order.QUIET_FIRST,
    who=Who.UNHEARD,
    passes=(Pass.LATER, Pass.TO_ANYONE),
    words=3,
)

EVERY_KIND: tuple[m.JournalEvent, ...] = (
    m.SeatTaken(S1, (Role.FACILITATOR, Role.GREETER), waiting=True),
    m.SeatReturned(S1),
    m.SeatReturned(S1, connected=True),
    m.SeatAway(S1),
    m.SeatLeft(S1),
    m.SeatRemoved(S1),
    m.SeatAdmitted(S1),
    m.SeatSentToWait(S1),
    m.RemovalTakenBack(S1),
    m.RolesChanged(S1, (Role.CO_FACILITATOR,)),
    m.MicSwitched(S1, True),
    m.CameraSwitched(S1, False),
    m.MicHeld(S1, True),
    m.CameraCovered(S1, Reason.MOVING),
    m.HandRaised(S1),
    m.HandLowered(S1),
    m.SheetChosen(Sheet("pairs", (PHASE, Phase(Mode.PAIRS, pause_ms=30_000)))),
    m.PhaseChanged(1, None),
    m.PhaseSetAside(Sheet("grounding", (Phase(Mode.SILENCE),))),
    m.PhaseTakenUp(),
    m.PhaseStarted(PHASE, (S1,), ((S1, SeatId("s2")),), 3),
    m.TimeRanOut(),
    m.ClosingSoon(),
    m.PhaseCompleted(),
    m.TurnStarted(1, S1, 60_000, ready=False, response=True),
    m.TurnBegun(1),
    m.TurnEnded(1, -250, again_ms=20_000, asked=True, owed=True, answers=(S1,)),
    m.ResponsesWelcomed(1, True),
    m.GentlySignalled(1),
    m.TurnTakenBack(1),
    m.TurnExtended(2, 60_000),
    m.ClockHeld(2, True),
    m.StageReached(2, Stage.GRACE),
    m.CirclePaused(),
    m.CircleResumed(),
    m.RoomMadeSafe(),
    m.SeatReadmitted(S1),
    m.SafetyLifted(),
    m.CircleHeld(),
    m.DoorMoved(Door.ASK, NOW),
    m.StepReached("pair-1", 2),
    m.PairGoesOn("pair-1"),
    m.PairNoticed("pair-1", 20_000),
    m.PairLeft(S1),
    m.PairEnded("pair-1"),
    m.Interrupted(NOW),
    m.CircleEnded(),
)


async def test_every_kind_of_event_comes_back_as_it_went_in(engine: AsyncEngine) -> None:
    assert {type(e) for e in EVERY_KIND} == set(m.JournalEvent.__args__)
    journal = SqlJournal(engine)
    await journal.open_circle("c1", "home", NOW)
    await journal.append("c1", 0, EVERY_KIND, Millis(NOW + 5))
    stored = await journal.load("c1")
    assert stored is not None
    assert [e for _, e in stored.events] == list(EVERY_KIND)
    assert {at for at, _ in stored.events} == {NOW + 5}
    assert (stored.seq, stored.group, stored.opened_at, stored.alive_at) == (
        len(EVERY_KIND),
        "home",
        NOW,
        NOW + 5,
    )


async def test_who_is_not_at_the_end_cannot_write(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await journal.open_circle("c1", "home", NOW)
    await journal.append("c1", 0, [m.SeatTaken(S1)], NOW)
    for seq in (0, 2):
        with pytest.raises(JournalTrouble):
            await journal.append("c1", seq, [m.CirclePaused()], NOW)
    with pytest.raises(JournalTrouble):
        await journal.append("nowhere", 0, [m.CirclePaused()], NOW)
    stored = await journal.load("c1")
    assert stored is not None and stored.seq == 1 and len(stored.events) == 1


async def test_of_two_writers_at_once_one_wins(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await journal.open_circle("c1", "home", NOW)
    results = await asyncio.gather(
        *(journal.append("c1", 0, [m.HandRaised(S1)], NOW) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(r is None for r in results) == 1
    assert sum(isinstance(r, JournalTrouble) for r in results) == 7


async def test_a_beat_moves_only_the_named_circles(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await journal.open_circle("c1", "home", NOW)
    await journal.open_circle("c2", "home", NOW)
    await journal.beat(["c1"], Millis(NOW + 400))
    assert {c.id: c.alive_at for c in await journal.load_all()} == {"c1": NOW + 400, "c2": NOW}


async def test_a_deleted_circle_leaves_nothing(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await journal.open_circle("c1", "home", NOW)
    await journal.append("c1", 0, [m.SeatTaken(S1)], NOW)
    await journal.delete("c1")
    assert await journal.load("c1") is None
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM journal"))).scalar() == 0


async def test_a_database_that_is_away_is_journal_trouble() -> None:
    engine = open_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    with pytest.raises(JournalTrouble):
        await SqlJournal(engine).load_all()
    await engine.dispose()


async def test_the_migrations_build_exactly_the_tables_of_the_code(
    engine: AsyncEngine, database_url: str
) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await migrate(database_url)


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert scripts.get_current_head() == REVISION


def test_every_table_has_a_retention_rule() -> None:
    assert set(RETENTION) == set(metadata.tables)


async def test_sqlite_is_durable_and_overwrites_what_is_deleted(
    engine: AsyncEngine, database_url: str
) -> None:
    if not database_url.startswith("sqlite"):
        return
    async with engine.connect() as connection:
        pragmas = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
