"""Somebody at a real browser behind the bad line, and what its statistics say of the holder."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.person import AUDIBLE, Person, until

SAMPLES_PER_S = 48_000

# The page tells nobody about its connections; its tests look on as they are made.
REMEMBER = """(() => {
  const made = [];
  const Real = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...how) { super(...how); made.push(this); }
  };
  globalThis.reports = async () => {
    const living = made.filter(pc => pc.connectionState !== 'closed');
    const all = await Promise.all(living.map(pc => pc.getStats()));
    return [made.length, all.flatMap(one => [...one.values()])];
  };
})()"""


@dataclass(frozen=True)
class Counts:
    """Of one person's sound and picture, since the connection began."""

    samples: int = 0
    """Of sound that was played, the invented ones included."""
    concealed: int = 0
    """Invented because nothing had come."""
    energy: float = 0.0
    frames: int = 0
    """Pictures decoded."""
    freezes_s: float = 0.0

    def __sub__(self, before: Counts) -> Counts:
        return Counts(
            self.samples - before.samples,
            self.concealed - before.concealed,
            self.energy - before.energy,
            self.frames - before.frames,
            self.freezes_s - before.freezes_s,
        )

    @property
    def concealed_percent(self) -> float:
        return 100 * self.concealed / max(1, self.samples)


class Guest(Person):
    """A person whose page also tells its connections' statistics."""

    def __init__(self, name: str, link: str, context: BrowserContext, page: Page) -> None:
        super().__init__(name, link, context, page)
        self.mids: dict[str, str] = {}
        self.reoffers = 0
        self.is_lost = False
        """Whether anybody's seat ever looked deserted from here."""

    def _hear(self, data: str | bytes) -> None:
        super()._hear(data)
        frame = json.loads(data)
        if frame["kind"] == "streams":
            self.mids = frame["mids"]
        elif frame["kind"] == "reoffer":
            self.reoffers += 1
        elif frame["kind"] == "view":
            self.is_lost |= not all(seat["present"] for seat in frame["view"]["seats"])

    async def reports(self) -> tuple[int, list[dict[str, Any]]]:
        """How many connections were ever made, and all statistics of the living ones."""
        made, reports = await self.page.evaluate("() => reports()")
        return made, reports

    async def counts_of(self, seat: str) -> Counts:
        """Of what one seat sends; zeros while nothing is known."""
        _, reports = await self.reports()
        found = Counts()
        for report in reports:
            if report["type"] != "inbound-rtp" or self.mids.get(report["mid"]) != seat:
                continue
            if report["kind"] == "audio":
                found = Counts(
                    report.get("totalSamplesReceived", 0),
                    report.get("concealedSamples", 0),
                    report.get("totalAudioEnergy", 0.0),
                    found.frames,
                    found.freezes_s,
                )
            else:
                found = Counts(
                    found.samples,
                    found.concealed,
                    found.energy,
                    report.get("framesDecoded", 0),
                    report.get("totalFreezesDuration", 0.0),
                )
        return found

    async def path(self) -> str:
        """Of the connection in use: the protocol of its candidate pair."""
        _, reports = await self.reports()
        by_id = {report["id"]: report for report in reports}
        for report in reports:
            if report["type"] == "transport" and "selectedCandidatePairId" in report:
                pair = by_id[report["selectedCandidatePairId"]]
                return str(by_id[pair["remoteCandidateId"]]["protocol"])
        return "none"

    async def listens(self, seat: str, seconds: float) -> Counts:
        """What came of a seat while so many seconds of sound were played."""
        before = await self.counts_of(seat)
        deadline = time.monotonic() + 2 * seconds + 10
        while True:
            heard = await self.counts_of(seat) - before
            missing_s = seconds - heard.samples / SAMPLES_PER_S
            if missing_s <= 0:
                return heard
            assert time.monotonic() < deadline, f"{self.name} plays too little: {heard}"
            # Asking costs the browser much; what is measured should not feel it.
            await asyncio.sleep(max(0.1, missing_s))

    async def hears_a_voice(self, seat: str, within_s: float) -> None:
        """There is sound of this seat, and it is not silence."""

        async def is_heard() -> bool:
            return (await self.counts_of(seat)).energy > AUDIBLE

        await until(is_heard, f"{self.name} hears the holder", within_s)

    async def goes(self) -> None:
        """Free the seat, if there is one."""
        leave = self.button("Leave…")
        if await leave.is_visible():
            await leave.click()
            await self.tap("Leave now")
            await expect(leave).to_have_count(0)
