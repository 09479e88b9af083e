"""People who only have a line: they cost a test nothing, and nobody needs to see them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from tests.browser.person import Person
from tests.scenarios.client import Client
from tests.scenarios.server import Server

Lines = Callable[..., Awaitable[list[Client]]]


@pytest_asyncio.fixture(loop_scope="session")
async def lines(server: Server) -> AsyncIterator[Lines]:
    """`await lines("Ana", "Ben")` joins them, in this order."""
    everybody: list[Client] = []

    async def join(*names: str) -> list[Client]:
        come = [Client(server.url, server.participant, name) for name in names]
        everybody.extend(come)
        for client in come:
            await client.join()
        return come

    yield join
    for client in everybody:
        await client.drop()


async def look_inside(fay: Person, title: str) -> None:
    """From the library into one run sheet."""
    await fay.page.get_by_role("button", name=f"Look inside {title}").click()
