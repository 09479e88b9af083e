"""A server and a media worker that end while people talk: who hears it, and who does not.

The people send all the time and count what arrives; the processes are real, and so are the kills.
"""

import asyncio
import os
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence, Set
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from peermeet.core.messages import SetMic, StartPhase
from peermeet.core.model import Millis, Mode
from peermeet.core.project import Mic
from peermeet.identity import HOME, Invitation, make_link
from peermeet.robots.line import Link
from tests.scenarios.ears import Guest, Voices
from tests.scenarios.server import Server

GAP_S = 0.2
"""The longest silence that nobody calls one."""
WAY_S = 0.5
"""More than a packet needs from mouth to ear, on a busy machine too."""
LEASE_S = 2.0
LONG_S = 60.0
"""A lease within which a server is started again, however busy this machine is."""


class Table:
    """A group's circle in a round: Fay leads, Ana holds the floor and speaks, Ben listens."""

    def __init__(self, server: Server, group: str = HOME) -> None:
        self._server = server
        self._group = group
        self.all: list[Guest] = []

    @property
    def fay(self) -> Guest:
        return self.all[0]

    @property
    def ana(self) -> Guest:
        return self.all[1]

    @property
    def ben(self) -> Guest:
        return self.all[2]

    async def sit_down(self) -> None:
        for place, name in enumerate(("Fay", "Ana", "Ben")):
            self.all.append(await Guest.sit(self._link(leads=place == 0), name, 400 * place))
        await self.fay.do(StartPhase(Mode.ROUND, turn_ms=600_000, first=self.ana.seat))
        await self.ana.do(SetMic(True))

    async def come_back(self) -> None:
        """All at once, as browsers do; what Ana switched on she need not switch on again."""
        await asyncio.gather(*(guest.come_back(self._link()) for guest in self.all))

    async def is_heard(self) -> None:
        """Wait until Ben hears Ana."""
        count = self.ben.voices[self.ana.seat]
        await self.ben.until(lambda: self.ben.voices[self.ana.seat] > count + 10)

    def heard_s(self) -> list[float]:
        """When Ben heard each packet of Ana's."""
        return [heard.came_s for heard in self.ben.heard if heard.seat == self.ana.seat]

    async def heard_everything(self, since_s: float) -> None:
        """Not one packet of Ana's until now is missing at Ben's ear, and he noticed no pause but
        those that this machine makes by itself."""
        until_s = time.monotonic()
        await asyncio.sleep(WAY_S)
        spoken_s = [at for at in self.ana.spoken_s if since_s <= at <= until_s]
        came_s = [
            heard.came_s
            for heard in self.ben.heard
            if heard.seat == self.ana.seat and since_s <= heard.sent_s <= until_s
        ]
        assert len(came_s) == len(spoken_s) > 20
        assert longest_s(came_s) <= GAP_S + longest_s(spoken_s)

    def is_as_it_was(self) -> None:
        """Ana holds the floor and is on, and nobody else was ever heard."""
        for guest in self.all:
            turn = guest.view.turn
            assert turn is not None and (turn.seat, turn.number) == (self.ana.seat, 1)
            assert guest.strange == 0
        assert self.ana.me.mic is Mic.ON
        assert set(self.ben.voices) == {self.ana.seat}

    def _link(self, leads: bool = False) -> Link:
        key = (self._server.data / "secret.key").read_bytes()
        until = Millis(int(time.time() * 1000) + 86_400_000)
        invitation = Invitation(self._group, as_facilitator=leads)
        token = make_link(key, invitation, secrets.token_bytes(8), until)
        return Link.parse(f"{self._server.url}/join#{token}")


def longest_s(moments: Sequence[float]) -> float:
    """The longest pause between two of them."""
    return max(after - before for before, after in pairwise(moments))


@asynccontextmanager
async def people(server: Server, *groups: str) -> AsyncIterator[Sequence[Table]]:
    """A table for each group, everybody talking."""
    tables = [Table(server, group) for group in groups or (HOME,)]
    for table in tables:
        await table.sit_down()
    voices = Voices([guest for table in tables for guest in table.all])
    talking = asyncio.create_task(voices.talk())
    try:
        for table in tables:
            await table.is_heard()
        yield tables
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        for table in tables:
            for guest in table.all:
                await guest.leave()


@pytest.fixture
def start() -> Iterator[Callable[..., Server]]:
    """`start(workers=2)` is a running server with so many media workers and a short lease."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        servers: list[Server] = []

        def started(workers: int = 1, lease_s: float = LEASE_S) -> Server:
            servers.append(Server(Path(folder), workers=workers, lease_s=lease_s))
            servers[-1].start()
            return servers[-1]

        try:
            yield started
        finally:
            for server in servers:
                server.end()


@pytest.mark.parametrize("way", ["kill9", "stop"])
async def test_nobody_hears_that_the_server_restarts(
    way: str, start: Callable[..., Server]
) -> None:
    server = start(lease_s=LONG_S)
    worker = server.worker()
    async with people(server) as [table]:
        since_s = time.monotonic()
        await asyncio.to_thread(getattr(server, way))
        await asyncio.to_thread(server.start)
        await table.come_back()
        await table.is_heard()
        await table.heard_everything(since_s)
        table.is_as_it_was()
        assert [guest.reoffers for guest in table.all] == [0, 0, 0]
    assert server.worker() == worker


async def test_without_a_server_the_holder_is_heard_for_the_lease_and_no_longer(
    start: Callable[..., Server],
) -> None:
    server = start()
    async with people(server) as [table]:
        killed_s = await asyncio.to_thread(server.kill9)
        await asyncio.sleep(LEASE_S + 1 + WAY_S)  # that nobody is heard can only be waited for
        # The last sign of life was up to a second old.
        assert LEASE_S - 1 - WAY_S <= table.heard_s()[-1] - killed_s <= LEASE_S + WAY_S
        # Later than the lease: not without a gap, and still nobody has to connect anew.
        await asyncio.to_thread(server.start)
        await table.is_heard()
        await table.come_back()
        await table.is_heard()
        table.is_as_it_was()
        assert [guest.reoffers for guest in table.all] == [0, 0, 0]


async def test_a_worker_that_is_killed_takes_only_its_own_circles_along(
    start: Callable[..., Server],
) -> None:
    server = start(workers=2, lease_s=LONG_S)
    async with people(server, HOME, "another") as [killed, other]:
        workers, since_s = server.workers(), time.monotonic()
        os.kill(workers[0], signal.SIGKILL)
        for guest in killed.all:
            await guest.until(lambda guest=guest: guest.reoffers == 1)  # type: ignore[misc]
        await asyncio.gather(*(guest.connect() for guest in killed.all))
        await killed.is_heard()
        killed.is_as_it_was()
        await other.heard_everything(since_s)
        assert [guest.reoffers for guest in other.all] == [0, 0, 0]
        assert server.workers()[1] == workers[1]
        other.is_as_it_was()
        # Both are found where they are by the next web process.
        since_s = time.monotonic()
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.start)
        await asyncio.gather(killed.come_back(), other.come_back())
        for table in (killed, other):
            await table.is_heard()
            await table.heard_everything(since_s)


async def test_nothing_is_left_of_a_server_that_ends(start: Callable[..., Server]) -> None:
    server = start(workers=2, lease_s=6)
    async with people(server):
        await asyncio.to_thread(server.stop)
        # The one that nobody is connected to does not wait for the lease.
        await ended(server, all_but={0})
        assert server.workers().keys() == {0}
        await ended(server)
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.interrupt)
        assert server.workers() == {}
        assert "Traceback" not in server.log
    assert not list(server.data.glob("media-*.sock"))


async def ended(server: Server, all_but: Set[int] = frozenset()) -> None:
    """Wait until the media workers, or all but some, have ended."""
    async with asyncio.timeout(30):
        while server.workers().keys() - all_but:  # noqa: ASYNC110 - nothing tells when another's child has ended
            await asyncio.sleep(0.05)
