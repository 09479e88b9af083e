"""Takes the pictures of the handbook: `make pictures`. No test, but the tests' own people.

Fay sits at a real page; the others are lines without media, so that a picture costs a second. Ana
gets a page too where the picture is hers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright, expect

from peermeet.robots.door import make_secret
from peermeet.robots.line import Link
from peermeet.robots.secrecy import Profile, Self, announce, read_secret, seal_profile
from peermeet.robots.spelling import to_b64
from tests.browser.lines import look_inside
from tests.browser.person import Person, until
from tests.browser.watch import Watch
from tests.chromium import FLAGS, require
from tests.scenarios.client import Client
from tests.scenarios.server import Server

SIZE = {"width": 1120, "height": 720}
FRIENDS = {"Ana": "rose", "Ben": "sky", "Cleo": "clay", "Dev": "honey", "Eli": "lilac"}
WIDEST_BYTES = 150_000


class Table:
    """A circle to be looked at: one browser, one server, people who come by name."""

    def __init__(self, server: Server, browser: Browser, folder: Path) -> None:
        self.server, self.browser, self.folder = server, browser, folder
        self.watch = Watch(server.url, (server.facilitator, server.participant), (server.secret,))
        self.lines: dict[str, Client] = {}
        self.people: list[Person] = []

    async def page(self, name: str) -> Person:
        """Somebody at a page of their own, seated."""
        look: dict[str, Any] = {"locale": "en-GB", "viewport": SIZE, "reduced_motion": "reduce"}
        context = await self.browser.new_context(**look)
        person = await Person.arrive(name, self.server.invitation(name), context, self.watch)
        self.people.append(person)
        profile = {"name": name, "color": FRIENDS.get(name, "sage")}
        keep = f"sessionStorage.setItem('profile', {json.dumps(json.dumps(profile))})"
        await context.add_init_script(f"if (isSecureContext) {keep}")
        await person.join(camera=False)
        # The badge believes what was really sealed or opened: a word aloud before it begins.
        await person.tap("Turn microphone on")
        await expect(person.button("End-to-end encrypted")).to_be_visible()
        await person.tap("Turn microphone off")
        return person

    async def friend(self, name: str) -> Client:
        """Somebody who only has a line, and a name for whoever has the group's key."""
        client = Client(self.server.url, self.server.participant, name)
        profile = Profile(name, FRIENDS.get(name, "teal"), Self().person)
        secret = read_secret(self.server.secret)
        assert secret is not None
        client.profile = {"sealed": seal_profile(announce(secret), profile)}
        self.lines[name] = client
        await client.join()
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

    async def take(self, person: Person, name: str, window: bool = False) -> None:
        """One picture, by its file's name, when nothing moves; window: of the open one alone."""
        await person.page.mouse.move(1, 1)
        # The soft shade of the ground is most of a picture's bytes.
        await person.page.evaluate("document.body.style.background = 'var(--ground)'")
        await asyncio.sleep(0.7)  # faces grow and dialogs come softly
        path = self.folder / f"{name}.png"
        whole = person.page.locator("dialog[open]" if window else "html")
        await whole.screenshot(path=path)
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
        server = Server(Path(data), encrypted=True)
        server.start()
        try:
            lead = Link.parse(server.invitation("Fay"))
            server.secret = to_b64(await make_secret(lead))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=require(), args=[*FLAGS])
                table = Table(server, browser, folder)
                try:
                    yield table
                finally:
                    await table.close()
                    await browser.close()
        finally:
            server.end()


# --- The pictures, by the names that the handbook links ------------------------------------------


async def choose(fay: Person, title: str) -> None:
    await fay.tap("Choose a run sheet")
    await look_inside(fay, title)
    await fay.tap("Choose this one")
    await expect(fay.page.get_by_role("dialog")).to_have_count(0)


async def write(fay: Person, sheet: str) -> None:
    await fay.tap("Choose a run sheet")
    await fay.tap("Write or bring a run sheet…")
    await fay.page.get_by_label("Text of the run sheet").fill(sheet)
    await fay.tap("Choose this text")
    await expect(fay.page.get_by_role("dialog")).to_have_count(0)


async def open_next(fay: Person, times: int = 1) -> None:
    """Opens parts by their key, each once the one before is open."""
    for _ in range(times):
        await expect(fay.page.locator("button[aria-disabled=true]")).to_have_count(0)
        number = fay.view["phase"]["number"]
        await fay.page.keyboard.press("o")

        async def is_open(before: int = number) -> bool:
            return bool(fay.view["phase"]["number"] > before)

        await until(is_open, "the next part is open")


async def panel_runsheet_and_order(folder: Path) -> None:
    async with laid(folder) as table:
        fay, ana = await table.page("Fay"), await table.page("Ana")
        await table.friends("Ben", "Cleo", "Dev", "Eli")
        await choose(fay, "Sharing circle")
        await open_next(fay, 4)
        if ana.view["turn"]["seat"] == ana.seat:
            await ana.tap("I am ready")
            await ana.tap("I am done")
        if fay.view["turn"]["seat"] == fay.seat:
            await fay.tap("I am ready")
            await fay.tap("I am done")
        await table.speak()
        await table.take(fay, "panel")
        await table.take(ana, "order")
        await fay.tap("End-to-end encrypted")
        await expect(fay.page.locator(".spoken li").first).to_be_visible()
        await table.take(fay, "private", window=True)
        await fay.tap("Close")
        await fay.tap("Run sheet…")
        await table.take(fay, "runsheet")


SHORT = """\
title = "Check-in"

[[phase]]
title = "How do you arrive?"
mode = "queue"
turn_s = 5
warn_s = 2
grace_s = 1
"""


async def turn(folder: Path) -> None:
    async with laid(folder) as table:
        fay = await table.page("Fay")
        ana, *_ = await table.friends()
        await write(fay, SHORT)
        await open_next(fay)
        await ana.do("raise_hand")
        await table.speak()
        await fay.sees("Ana is past the time.")
        await table.take(fay, "turn")


async def safe_and_door(folder: Path) -> None:
    async with laid(folder) as table:
        fay = await table.page("Fay")
        _, _, _, _, eli = await table.friends()
        await fay.tap("Start a round")
        await fay.page.get_by_label("Who begins").select_option(label="Ana")
        await fay.tap("Begin the round")
        await table.speak()
        await fay.page.keyboard.press("s")
        await fay.tap("Let Ana back")
        await table.take(fay, "safe")
        await fay.tap("Let everybody back and go on")
        await fay.tap("Door…")
        await fay.tap("Ask at the door")
        await fay.tap("Close")
        await fay.page.get_by_title("More for Eli").click()
        await fay.tap("Remove for today…")
        await fay.tap("Remove for today")
        await eli.until(lambda: eli.bye)
        await table.friend("Juniper")
        await fay.tap("Door: one waits…")
        await fay.sees("Let Juniper in")
        await table.take(fay, "door")


async def pairs_and_quiet(folder: Path) -> None:
    async with laid(folder) as table:
        fay, ana = await table.page("Fay"), await table.page("Ana")
        await table.friends("Ben", "Cleo", "Dev")
        await choose(fay, "Listening in pairs")
        await open_next(fay, 2)
        await table.take(ana, "pairs")
        await open_next(fay)
        await fay.tap_face(ana)
        await fay.tap("Offer a quiet word")
        await ana.tap("Yes, let us go")
        await table.take(ana, "quiet")


async def main(folder: Path) -> None:
    for story in (panel_runsheet_and_order, turn, safe_and_door, pairs_and_quiet):
        await story(folder)


if __name__ == "__main__":
    album = Path(sys.argv[1])
    album.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(album))
