"""Takes the pictures of the handbook: `make pictures`. No test, but the tests' own people.

Fay sits at a real page; the others are lines without media, so that a picture costs a second. Ana
gets a page too where the picture is hers.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from tests.browser.person import Person, until
from tests.browser.watch import Watch
from tests.chromium import FLAGS, require
from tests.scenarios.client import Client
from tests.scenarios.server import Server

SIZE = {"width": 1180, "height": 760}
FRIENDS = {"Ana": "rose", "Ben": "sky", "Cleo": "clay", "Dev": "honey", "Eli": "lilac"}
WIDEST_BYTES = 150_000


class Table:
    """A circle to be looked at: one browser, one server, people who come by name."""

    def __init__(self, server: Server, browser: Browser, folder: Path) -> None:
        self.server, self.browser, self.folder = server, browser, folder
        self.watch = Watch(server.url, (server.facilitator, server.participant))
        self.lines: dict[str, Client] = {}
        self.people: list[Person] = []

    async def page(self, name: str) -> Person:
        """Somebody at a page of their own, seated."""
        link = self.server.facilitator if name == "Fay" else self.server.participant
        look: dict[str, Any] = {"locale": "en-GB", "viewport": SIZE, "reduced_motion": "reduce"}
        context = await self.browser.new_context(**look)
        person = await Person.arrive(name, f"{self.server.url}/join#{link}", context, self.watch)
        self.people.append(person)
        await person.join(camera=False)
        return person

    async def friend(self, name: str) -> Client:
        """Somebody who only has a line."""
        client = Client(self.server.url, self.server.participant, name)
        self.lines[name] = client
        await client.join()
        color = FRIENDS.get(name, "teal")
        await client.post({"kind": "profile", "profile": {"name": name, "color": color}})
        return client

    async def friends(self, *names: str) -> list[Client]:
        return [await self.friend(name) for name in names or FRIENDS]

    def whose_turn(self) -> Client | None:
        """The friend who has the floor."""
        line = next(iter(self.lines.values()))
        turn = line.view["turn"]
        return next((c for c in self.lines.values() if turn and c.seat == turn["seat"]), None)

    async def speak(self) -> Client:
        """Whoever has the floor says that they are ready, and is heard."""
        found = await self.until_turn()
        await found.do("begin_turn", turn=found.view["turn"]["number"])
        await found.do("set_mic", on=True)
        return found

    async def until_turn(self) -> Client:
        async def has_come() -> bool:
            return self.whose_turn() is not None

        await until(has_come, "a friend has the floor")
        found = self.whose_turn()
        assert found is not None
        return found

    async def take(self, person: Person, name: str) -> None:
        """One picture, by its file's name, when nothing moves any more."""
        await person.page.mouse.move(1, 1)
        await asyncio.sleep(0.7)  # faces grow and dialogs come softly
        path = self.folder / f"{name}.png"
        await person.page.screenshot(path=path)
        assert path.stat().st_size < WIDEST_BYTES, f"{name}: {path.stat().st_size} bytes"

    async def close(self) -> None:
        for client in self.lines.values():
            await client.drop()
        for person in self.people:
            await person.context.close()


@asynccontextmanager
async def laid(folder: Path) -> AsyncIterator[Table]:
    """A server of its own for one circle, and a browser."""
    with tempfile.TemporaryDirectory(prefix="pm-") as data:
        server = Server(Path(data))
        server.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=require(), args=[*FLAGS])
                table = Table(server, browser, folder)
                try:
                    yield table
                finally:
                    await table.close()
                    await browser.close()
        finally:
            server.stop()
