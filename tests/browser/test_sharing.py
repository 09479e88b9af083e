"""Showing a screen: the holder shows one, another sees it move, and it ends with the turn."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit
from tests.browser.person import PIXELS, Person, until
from tests.browser.test_looks import album as album
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def server() -> Iterator[Server]:
    """Of a group that shows screens."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), screen_share="true")
        try:
            server.start()
            yield server
        finally:
            server.stop()


async def show_screen(person: Person) -> None:
    """Whatever a browser without a head takes for a screen: a picture that moves."""
    await person.tap("Show my screen…")
    await person.sees("Everybody in the circle sees what you choose")
    await person.tap("Choose what to show")
    await person.sees("You are showing your screen.")


async def screen_of(viewer: Person, other: Person) -> list[int]:
    found: list[int] = await viewer.page.evaluate(PIXELS, f"Screen of {other.name}")
    return found


async def sees_screen_of(viewer: Person, other: Person) -> None:
    """It is there, and it moves."""

    async def is_drawn() -> bool:
        return any(await screen_of(viewer, other))

    await until(is_drawn, f"{viewer.name} sees the screen of {other.name}")
    first = await screen_of(viewer, other)

    async def looks_different() -> bool:
        now = await screen_of(viewer, other)
        return sum(abs(a - b) > 16 for a, b in zip(first, now, strict=True)) > 20

    await until(looks_different, f"{viewer.name} sees the screen of {other.name} move")


async def test_the_holder_shows_a_screen_until_the_piece_moves_on(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await expect(ben.button("Show my screen…")).to_have_count(0)
    await show_screen(ana)
    await ben.sees("Ana shows their screen.")
    await asyncio.gather(sees_screen_of(ben, ana), sees_screen_of(fay, ana))
    await ben.sees_picture_of(ana)
    await ben.hears(ana)
    assert await screen_of(ana, ana) == [], "no hall of mirrors"
    ana.devices.clear()
    await ana.tap("I am done")
    await ben.sees("It is your turn")
    await expect(ben.page.get_by_label("Screen of Ana")).to_have_count(0)
    await expect(ana.page.get_by_text("You are showing your screen.")).to_have_count(0)

    async def is_captured_no_more() -> bool:
        return any(what == "stopped" and kind == "video" for what, kind, _ in ana.devices)

    await until(is_captured_no_more, "Ana's screen is no longer captured")
    await ben.sees_picture_of(ana)
