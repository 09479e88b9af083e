"""One person at a real page, with the words that a test tells their story in.

What a person sees and taps is found by role and words, as a screen reader finds it. What only a
browser can count (sound, pictures) comes from `peermeetStats` of the page. Frames are read along
for what a page shows to nobody in figures: seat ids and the exact time left.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

from playwright.async_api import BrowserContext, Locator, Page, WebSocket, expect

from tests.browser.watch import Watch

LIMIT_S = 30.0  # of every wait: ends a test, measures nothing
expect.set_options(timeout=LIMIT_S * 1000)

# When a device is opened and when it stops, counted from the tap or key that came before.
REPORT_DEVICES = """(() => {
  let tapped = 0;
  for (const kind of ['pointerdown', 'keydown'])
    addEventListener(kind, event => { tapped = event.timeStamp; }, true);
  if (!isSecureContext) return;  // a blank page has no devices
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const stream = await getUserMedia.call(this, wanted);
    for (const { kind } of stream.getTracks()) device('opened', kind, performance.now() - tapped);
    return stream;
  };
  const { stop } = MediaStreamTrack.prototype;
  MediaStreamTrack.prototype.stop = function () {
    const wasLive = this.readyState === 'live';
    stop.call(this);
    if (wasLive) device('stopped', this.kind, performance.now() - tapped);
  };
})()"""

# What a camera picture shows, drawn small: red, green, blue and opacity of each point.
PIXELS = """label => {
  const video = document.querySelector(`video[aria-label="${label}"]`);
  if (!video) return [];
  const canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 36;
  const paper = canvas.getContext('2d');
  paper.drawImage(video, 0, 0, 64, 36);
  return Array.from(paper.getImageData(0, 0, 64, 36).data);
}"""

Count = Callable[[dict[str, float]], float]
NOTHING = {"packetsReceived": 0.0, "totalAudioEnergy": 0.0, "framesDecoded": 0.0}


async def until(
    check: Callable[[], Awaitable[object]], what: str, within_s: float = LIMIT_S
) -> None:
    """Ask again and again until the answer is true."""
    deadline = time.monotonic() + within_s
    while not await check():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.05)  # nothing tells when a page has changed


class Person:
    """Somebody with a browser of their own, from the link to the good-bye."""

    def __init__(self, name: str, link: str, context: BrowserContext, page: Page) -> None:
        self.name, self.link, self.context, self.page = name, link, context, page
        self.seat = ""
        self.view: dict[str, Any] = {}
        self.notices: list[str] = []
        self.devices: list[tuple[str, str, float]] = []  # what, which kind, ms after the tap
        self.view_at = 0.0

    @classmethod
    async def arrive(cls, name: str, link: str, context: BrowserContext, watch: Watch) -> Self:
        """With a blank page and a link."""
        await watch.look_at(context)
        devices: list[tuple[str, str, float]] = []
        await context.expose_function("device", lambda *what: devices.append(what))
        await context.add_init_script(REPORT_DEVICES)
        person = cls(name, link, context, await context.new_page())
        person.devices = devices
        person.page.on("websocket", person._follow)
        return person

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, data: str | bytes) -> None:
        frame = json.loads(data)
        if frame["kind"] == "welcome":
            self.seat = frame["seat"]
        elif frame["kind"] == "view":
            self.view, self.view_at = frame["view"], time.monotonic()
            self.notices += [notice["kind"] for notice in frame["notices"]]

    # What a person does.

    def button(self, words: str) -> Locator:
        """A button in sight by all of its words; facilitators' have a key behind them."""
        return self.page.get_by_role("button", name=re.compile(rf"^{re.escape(words)}\s?\S?$"))

    async def tap(self, words: str) -> None:
        await self.button(words).click()

    async def tap_face(self, of: Person) -> None:
        """Open what a facilitator may do for one person."""
        await self.page.get_by_title(f"More for {of.name}").click()

    async def open_link(self) -> None:
        await self.page.goto(self.link)

    async def come_to_the_agreement(self, camera: bool = True) -> None:
        await self.open_link()
        await self.tap("Next")
        await self.page.get_by_label("Name in this circle").fill(self.name)
        if camera:
            await self.tap("Turn camera on")
            await expect(self.button("Turn camera off")).to_be_visible()
        await self.tap("Read our agreement")

    async def join(self, camera: bool = True) -> None:
        """Through the whole door; returns when seated."""
        await self.come_to_the_agreement(camera)
        await self.tap("I agree and sit down")
        await self.sits()

    async def key(self, letter: str) -> None:
        """One of the single keys of those who help; no window may be open."""
        # A window that is closing already has no role, and would take its successor with it.
        await expect(self.page.locator("dialog")).to_have_count(0)
        await self.page.keyboard.press(letter)

    async def start_round(self, first: Person, minutes: int = 3) -> None:
        """One that stands in no run sheet."""
        await self.key("a")
        await self.page.get_by_role("radio", name=str(minutes), exact=True).check()
        await self.page.get_by_label("Who begins").select_option(label=first.called_by(self))
        await self.tap("Begin the round")

    async def open_sheet(self, text: str) -> None:
        """Bring a run sheet of one's own, and open its first part."""
        await self.tap("Choose a run sheet")
        await self.tap("Write or bring a run sheet…")
        await self.page.get_by_label("Text of the run sheet").fill(text)
        await self.tap("Choose this text")
        opens = self.page.get_by_role("button", name=re.compile("^Open: "))
        await expect(opens.locator("visible=true").first).to_be_visible()
        await self.open_next()

    async def open_next(self) -> None:
        """Open the next part of the run sheet; returns when this page shows it."""
        now = self.page.locator("section.now b")
        before = await now.inner_text()
        await self.key("o")
        await expect(now).not_to_have_text(before)

    async def tap_wish(self, words: str) -> None:
        """Ask for something for oneself."""
        await self.tap("I need…")
        await self.tap(words)

    def called_by(self, viewer: Person) -> str:
        return "You" if viewer is self else self.name

    # What a person sees.

    async def sees(self, words: str) -> None:
        await expect(self.page.get_by_text(words).locator("visible=true").first).to_be_visible()

    async def hears_said(self, words: str) -> None:
        """By the screen reader: news in the live regions, which are read and not seen."""
        await expect(self.page.locator(".unseen[role]").filter(has_text=words)).to_have_count(1)

    async def sits(self) -> None:
        table = self.page.get_by_role("list", name="People in the circle")
        await expect(table.get_by_text("You", exact=True)).to_be_visible()

    async def sees_at_the_table(self, *others: Person) -> None:
        """These and nobody else, besides oneself."""
        names = self.page.locator(".seats .name")
        await expect(names).to_have_count(len(others) + 1)
        for other in others:
            await expect(names.get_by_text(other.name, exact=True)).to_be_visible()

    async def sees_picture_of(self, other: Person) -> None:
        """A picture that moves: frames arrive, go on arriving, and look different."""
        await self.receives(other, frames, 10, "frames of {}")
        first = await self.pixels_of(other)
        await self.receives(other, frames, 10, "more frames of {}")

        async def looks_different() -> bool:
            now = await self.pixels_of(other)
            return sum(abs(a - b) > 16 for a, b in zip(first, now, strict=True)) > 20

        await until(looks_different, f"{self.name} sees the picture of {other.name} move")

    async def pixels_of(self, other: Person) -> list[int]:
        found: list[int] = await self.page.evaluate(PIXELS, f"Camera picture of {other.name}")
        assert found, f"{self.name} has no picture of {other.name}"
        return found

    # What a person hears, counted by the browser.

    async def counts(self, of: Person) -> dict[str, float]:
        found: dict[str, Any] = await self.page.evaluate("() => peermeetStats()")
        return found.get(of.seat) or NOTHING

    async def receives(self, other: Person, count: Count, more: float, what: str) -> None:
        before = count(await self.counts(other))

        async def has_more() -> bool:
            return count(await self.counts(other)) >= before + more

        await until(has_more, f"{self.name} receives {what.format(other.name)}")

    async def hears(self, other: Person) -> None:
        """Half a second of sound arrives, and there is a voice in it."""
        await self.receives(other, packets, 25, "sound of {}")
        await self.receives(other, energy, AUDIBLE, "the voice of {}")

    async def hears_only(self, speaker: Person, *others: Person) -> None:
        """A second of the speaker's voice, and meanwhile not one packet of anybody else."""
        await self.hears(speaker)
        before = [packets(await self.counts(other)) for other in others]
        await self.receives(speaker, packets, 50, "sound of {}")
        assert [packets(await self.counts(other)) for other in others] == before

    async def hears_nobody(self, seen: Person, *others: Person) -> None:
        """Not one packet of sound, while a picture of somebody goes on arriving."""
        everybody = (seen, *others)
        before = [packets(await self.counts(other)) for other in everybody]
        await self.receives(seen, frames, 15, "frames of {}")
        assert [packets(await self.counts(other)) for other in everybody] == before

    def remaining_ms(self) -> float:
        """Of the turn, as this page may know it now."""
        turn = self.view["turn"]
        passed_ms = (time.monotonic() - self.view_at) * 1000 if turn["running"] else 0.0
        return float(turn["remaining_ms"]) - passed_ms


AUDIBLE = 1e-4  # joules at the receiver, as WebRTC statistics count them; a whisper is more


def packets(counts: dict[str, float]) -> float:
    return counts["packetsReceived"]


def energy(counts: dict[str, float]) -> float:
    return counts["totalAudioEnergy"]


def frames(counts: dict[str, float]) -> float:
    return counts["framesDecoded"]
