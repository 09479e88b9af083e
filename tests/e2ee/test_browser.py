"""Frames through the built worker, a real browser and the real media worker."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from peermeet.api.pages import Headers, add_pages
from peermeet.media.process import own_address
from tests.browser.firefox import Tab as FirefoxTab
from tests.browser.firefox import open_firefox
from tests.browser.watch import Watch
from tests.chromium import FLAGS, require
from tests.media.kit import OPEN, Media, until

pytestmark = pytest.mark.browser

WEB = Path(__file__).parents[2] / "web"
SEATS = {"ana": 1, "ben": 2, "ron": 3}
PLACES = 2


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of this test, built as the client is."""
    folder = tmp_path_factory.mktemp("page")
    command = ["npx", "vite", "build", "tests/encrypted", "--config", "vite.config.ts"]
    assert shutil.which("npx")
    subprocess.run(
        [*command, "--outDir", str(folder), "--emptyOutDir", "--logLevel", "error"],
        cwd=WEB,
        check=True,
    )
    return folder


@pytest.fixture
async def url(built: Path) -> AsyncIterator[str]:
    """Where that page is served, with the headers of every page."""
    app = FastAPI()
    add_pages(app, built)
    app.add_middleware(Headers, screens=False)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


class Tab:
    """Somebody whose page has a worker of its own, in either browser."""

    def __init__(self, page: Page | FirefoxTab, seat: str) -> None:
        self.page = page
        self.seat = seat
        self.number = SEATS[seat]

    async def do(self, what: str, *given: object) -> Any:
        return await self.page.evaluate(f"given => proof.{what}(...given)", list(given))

    async def join(self, media: Media) -> None:
        answer = await media.link.answer("circle", self.seat, await self.do("offer", PLACES))
        await self.do("answer", answer)
        await until(lambda: (self.seat, "connected") in media.states)

    async def place(self, media: Media) -> None:
        """Say whose stream comes where, as the view does."""
        seats = {mid: SEATS[who] for mid, who in media.streams[self.seat].items()}
        await self.do("tell", {"kind": "seats", "seats": seats})

    async def hand_keys(self, to: Tab, why: str, wrong: bool = False) -> None:
        for key in await self.do("keys", why):
            data = [byte ^ wrong for byte in key["key"]]
            await to.do("take", self.number, key["id"], data)

    async def played(self, media: Media, who: str) -> dict[str, Any]:
        """Of what comes from somebody: what the decoders made of it, and what the worker counts."""
        mids = {mid for mid, seat in media.streams[self.seat].items() if seat == who}
        reports = [r for r in await self.do("stats", "inbound-rtp") if r["mid"] in mids]
        counts = (await self.do("counts") or {}).get("played", {})
        return {
            "packets": sum(r["packetsReceived"] for r in reports),
            "pictures": sum(r.get("framesDecoded", 0) for r in reports),
            "sound": sum(r.get("totalAudioEnergy", 0) for r in reports),
            "width": max((r.get("frameWidth", 0) for r in reports), default=0),
            "asked": sum(r.get("pliCount", 0) for r in reports),
            "opened": sum(counts[mid]["opened"] for mid in mids & counts.keys()),
            "dropped": sum(counts[mid]["dropped"] for mid in mids & counts.keys()),
        }

    async def until(
        self, media: Media, who: str, enough: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        for _ in range(300):
            if enough(played := await self.played(media, who)):
                return played
            await asyncio.sleep(0.05)
        raise AssertionError(f"{self.seat} has of {who}: {played}")

    async def sent(self) -> int:
        """Packets with media that have left this browser."""
        return sum(r["packetsSent"] for r in await self.do("stats", "outbound-rtp"))


@asynccontextmanager
async def circle(
    tmp_path: Path, url: str, *seats: str, flags: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Media, list[Tab]]]:
    """Everybody sends, and is connected to everybody else; the pages do as the policy says."""
    media = Media(tmp_path, bind=own_address("0.0.0.0"))
    await media.link.start()
    args = [*FLAGS, "--autoplay-policy=no-user-gesture-required", *flags]
    watch = Watch(url, ())
    try:
        async with async_playwright() as playwright:
            browser: Browser = await playwright.chromium.launch(
                executable_path=require(), args=args
            )
            context = await browser.new_context()
            await watch.look_at(context)
            media.gate(**dict.fromkeys(seats, OPEN))
            tabs = []
            for seat in seats:
                page = await context.new_page()
                await page.goto(url)
                tabs.append(Tab(page, seat))
                await tabs[-1].join(media)
            for each in tabs:
                await each.place(media)
            yield media, tabs
            assert watch.complaints() == []
            await browser.close()
    finally:
        await media.end()


async def test_who_has_the_key_sees_and_hears_and_nobody_else(tmp_path: Path, url: str) -> None:
    async with circle(tmp_path, url, "ana", "ben", "ron") as (media, (ana, ben, ron)):
        assert await ana.do("by") == "transform"

        # Before there is a key nothing leaves, though camera and microphone run.
        await asyncio.sleep(2)
        assert [await each.sent() for each in (ana, ben, ron)] == [0, 0, 0]

        await ana.do("tell", {"kind": "seat", "seat": ana.number})
        await ana.hand_keys(ben, "asked")
        await ana.hand_keys(ron, "asked", wrong=True)
        await ben.until(media, "ana", lambda it: it["pictures"] > 40 and it["sound"] > 0.001)
        seen = await ben.played(media, "ana")
        shut = await ron.until(media, "ana", lambda it: it["dropped"] > 100)
        assert seen["opened"] > 100 and seen["dropped"] < 20
        assert (shut["pictures"], shut["sound"], shut["opened"]) == (0, 0, 0)
        assert shut["packets"] > 100
        assert (await ana.do("counts"))["sent"]["video"] > 40


async def test_another_layer_and_another_key_come_without_a_lost_frame(
    tmp_path: Path, url: str
) -> None:
    async with circle(tmp_path, url, "ana", "ben", "ron") as (media, (ana, ben, ron)):
        await ana.do("tell", {"kind": "seat", "seat": ana.number})
        await ana.hand_keys(ben, "asked")
        await ben.until(media, "ana", lambda it: it["pictures"] > 20)
        before = await ben.played(media, "ana")

        # Ron joins: one step, which Ben finds alone.
        await ana.hand_keys(ron, "joined")
        await ron.until(media, "ana", lambda it: it["pictures"] > 20)

        # Ron is no member any more, though the server goes on passing him everything.
        await ana.hand_keys(ben, "left")
        await asyncio.sleep(1.5)
        gone = await ron.played(media, "ana")
        media.gate(ana=replace(OPEN, focus=True))
        await ana.do("encode", True)
        await ben.until(media, "ana", lambda it: it["width"] == 640)
        await ron.until(media, "ana", lambda it: it["dropped"] > gone["dropped"] + 100)
        assert (await ron.played(media, "ana"))["opened"] == gone["opened"]
        assert (await ben.played(media, "ana"))["dropped"] == before["dropped"]


async def test_an_older_chromium_does_the_same(tmp_path: Path, url: str) -> None:
    older = "--disable-blink-features=RTCRtpScriptTransform"
    async with circle(tmp_path, url, "ana", "ben", flags=(older,)) as (media, (ana, ben)):
        assert await ana.do("by") == "streams"
        await asyncio.sleep(1)
        assert await ana.sent() == 0
        await ana.do("tell", {"kind": "seat", "seat": ana.number})
        await ana.hand_keys(ben, "asked")
        await ben.until(media, "ana", lambda it: it["pictures"] > 40 and it["sound"] > 0.001)


async def test_firefox_and_chromium_hear_and_see_one_another(tmp_path: Path, url: str) -> None:
    profile = tmp_path / "firefox"
    profile.mkdir()
    async with (
        circle(tmp_path, url, "ana", "ben") as (media, (ana, ben)),
        open_firefox(profile) as firefox,
    ):
        await firefox.do("WebDriver:Navigate", url=url)
        ron = Tab(firefox, "ron")
        media.gate(ron=OPEN)
        await ron.join(media)
        everybody = (ana, ben, ron)
        for each in everybody:
            await each.place(media)
        await asyncio.sleep(2)
        assert [await each.sent() for each in everybody] == [0, 0, 0]
        for each in everybody:
            await each.do("tell", {"kind": "seat", "seat": each.number})
            for other in everybody:
                if other is not each:
                    await each.hand_keys(other, "asked")
        for viewer in everybody:
            for other in everybody:
                if other is not viewer:
                    await viewer.until(
                        media, other.seat, lambda it: it["pictures"] > 40 and it["sound"] > 0.001
                    )
