"""Who came by a blocked link is sent away, wherever they are, and nobody else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from peermeet.core import messages as m
from peermeet.core.model import Millis, SeatId
from peermeet.hosting.blocks import BlockList
from peermeet.hosting.ports import Block, JournalTrouble
from peermeet.hosting.runner import Runner
from tests.hosting.fakes import FakeClock
from tests.hosting.test_runner import Node, until

SHARED, ANAS = "K7Q2M", "B3CDF"
APPEAL = "Write to the host."


class MemoryBlocks:
    """broken: every call fails."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Block] = {}
        self.forgot: list[date] = []
        self.broken = False
        self.loads = 0

    async def load(self) -> Sequence[Block]:
        self.loads += 1
        self._check()
        return list(self.kept.values())

    async def put(self, block: Block) -> None:
        self._check()
        self.kept[block.group, block.code] = block

    async def remove(self, group: str, code: str) -> None:
        self._check()
        self.kept.pop((group, code), None)

    async def forget(self, today: date) -> None:
        self._check()
        self.forgot.append(today)

    def _check(self) -> None:
        if self.broken:
            raise JournalTrouble("away")


@dataclass
class Door:
    """A circle, and the list that guards it. told: which seats were told, in order."""

    node: Node
    runner: Runner
    blocks: BlockList
    store: MemoryBlocks
    told: list[tuple[SeatId, Block]] = field(default_factory=list)

    @property
    def heard(self) -> set[str]:
        """The seats that have a media connection."""
        return set(self.node.media.gates[self.runner.id])

    @property
    def review_on(self) -> date:
        return self.blocks.today + timedelta(days=30)

    async def sit(self, code: str) -> SeatId:
        outcome = await self.runner.ask(None, m.TakeSeat())
        taken = outcome.events[0]
        assert isinstance(taken, m.SeatTaken)
        seat = taken.seat
        self.blocks.came_by(code, self.runner, seat, lambda block: self.told.append((seat, block)))
        return seat

    async def block(self, code: str) -> int:
        return await self.blocks.block("home", code, self.review_on, APPEAL)


@asynccontextmanager
async def door(reread_s: float = 3600) -> AsyncIterator[Door]:
    node, store = Node(), MemoryBlocks()
    async with node.host:
        runner = await node.host.circle_of("home")
        async with BlockList(store, node.clock, reread_s) as blocks:
            yield Door(node, runner, blocks, store)


async def test_who_came_by_the_link_is_told_and_their_seat_is_free() -> None:
    async with door() as here:
        ana, ben = await here.sit(ANAS), await here.sit(SHARED)
        assert await here.block(ANAS) == 1
        assert [(seat, block.appeal, block.review_on) for seat, block in here.told] == [
            (ana, APPEAL, here.review_on)
        ]
        assert set(here.runner.circle.seats) == {ben}
        assert here.heard == {ben}, "nothing is heard at a free seat"


async def test_a_shared_link_sends_everybody_away_who_came_by_it() -> None:
    async with door() as here:
        seats = [await here.sit(SHARED) for _ in range(3)]
        ana = await here.sit(ANAS)
        assert await here.block(SHARED) == 3
        assert [seat for seat, _ in here.told] == seats
        assert set(here.runner.circle.seats) == {ana}


async def test_hanging_up_first_does_not_keep_the_seat() -> None:
    """Its media connection could go on listening."""
    async with door() as here:
        ana = await here.sit(ANAS)
        await here.runner.ask(None, m.LoseSeat(ana))
        assert await here.block(ANAS) == 1
        assert ana not in here.heard


async def test_who_slips_in_while_the_list_is_read_is_sent_away_by_the_next_reading() -> None:
    async with door(reread_s=0.001) as here:
        await here.block(ANAS)
        ana = await here.sit(ANAS)
        await until(lambda: ana not in here.runner.circle.seats)
        assert [seat for seat, _ in here.told] == [ana]


async def test_the_admin_is_told_of_everybody_whom_a_reading_in_between_sends_away() -> None:
    async with door() as here, asyncio.TaskGroup() as tasks:
        ana = await here.sit(ANAS)
        put = here.store.put

        async def put_slowly(block: Block) -> None:
            await put(block)
            tasks.create_task(here.blocks.read())
            for _ in range(100):
                await asyncio.sleep(0)

        here.store.put = put_slowly  # type: ignore[method-assign]
        assert await here.block(ANAS) == 1
        assert [seat for seat, _ in here.told] == [ana]


async def test_a_block_of_another_group_is_none_here() -> None:
    async with door() as here:
        ana = await here.sit(ANAS)
        assert await here.blocks.block("other", ANAS, here.review_on, APPEAL) == 0
        assert here.blocks.find("home", ANAS) is None
        assert ana in here.runner.circle.seats


async def test_an_unblocked_link_works_again() -> None:
    async with door() as here:
        await here.block(ANAS)
        assert here.blocks.find("home", ANAS) is not None
        assert await here.blocks.unblock("home", ANAS)
        assert here.blocks.find("home", ANAS) is None
        assert not await here.blocks.unblock("home", ANAS)
        ana = await here.sit(ANAS)
        await here.blocks.read()
        assert ana in here.runner.circle.seats


async def test_while_the_database_is_away_the_known_blocks_hold() -> None:
    async with door(reread_s=0.001) as here:
        await here.block(ANAS)
        here.store.broken = True
        with pytest.raises(JournalTrouble):
            await here.block(SHARED)
        loads = here.store.loads
        await until(lambda: here.store.loads > loads + 2)
        assert here.blocks.find("home", ANAS) is not None
        assert here.blocks.find("home", SHARED) is None, "the admin was told that it did not work"
        here.store.broken = False
        here.store.kept["home", SHARED] = replace(here.store.kept["home", ANAS], code=SHARED)
        await until(lambda: here.blocks.find("home", SHARED))


async def test_a_seat_that_could_not_be_freed_is_freed_when_the_journal_is_back() -> None:
    async with door() as here:
        ana = await here.sit(ANAS)
        here.node.journal.broken = True
        assert await here.block(ANAS) == 0
        assert here.told, "the line was ended all the same"
        here.node.journal.broken = False
        assert await here.blocks.read() == 1
        assert ana not in here.runner.circle.seats


async def test_without_its_list_a_server_does_not_start() -> None:
    store = MemoryBlocks()
    store.broken = True
    with pytest.raises(JournalTrouble):
        async with BlockList(store, FakeClock()):
            raise AssertionError("nobody may come in")


async def test_what_is_past_its_time_is_deleted_once_a_day() -> None:
    async with door() as here:
        today = here.blocks.today
        await here.blocks.read()
        assert here.store.forgot == [today]
        here.node.clock.not_before(Millis(here.node.clock.now() + 86_400_000))
        await here.blocks.read()
        await here.blocks.read()
        assert here.store.forgot == [today, today + timedelta(days=1)]
