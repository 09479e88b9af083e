"""People and the server they meet on, for the tests that see it only from outside."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.client import Client
from tests.scenarios.server import Server

Seat = Callable[..., Client]


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of this test's own, running."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:  # short: it holds a Unix socket
        server = Server(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest_asyncio.fixture
async def person(server: Server) -> AsyncIterator[Seat]:
    """`person("Ana", pitch=2)` is somebody with a link; Fay's is the facilitator's."""
    everybody: list[Client] = []

    def invite(name: str, pitch: int = 1) -> Client:
        link = server.facilitator if name == "Fay" else server.participant
        everybody.append(Client(server.url, link, name, pitch))
        return everybody[-1]

    yield invite
    for client in everybody:
        await client.drop()
