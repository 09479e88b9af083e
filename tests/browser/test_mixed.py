"""Chromium, Firefox and robots in one encrypted circle where much happens: nothing is lost by it.

`make mixed` lets it go on for five minutes and puts what was counted into docs/performance.md.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench import page
from peermeet.protocol import Profile
from peermeet.robots.line import Link
from peermeet.robots.robot import Robot
from tests.browser.conftest import Sit
from tests.browser.firefox import FirefoxPerson, open_firefox
from tests.browser.person import Person, frames
from tests.browser.test_firefox import find_seat
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LASTS_S = float(os.environ.get("PEERMEET_MIXED_S", "0"))
"""At least; everything happens at least once."""

HIDE_PAGE = """hidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
HIDE_TILE = """({ seat, hidden }) => {
  document.querySelector(`.seats [data-seat="${seat}"]`).style.display = hidden ? 'none' : '';
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def ren(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FirefoxPerson]:
    async with open_firefox(tmp_path_factory.mktemp("firefox")) as tab:
        yield FirefoxPerson("Ren", server.invitation("Ren"), tab)


async def sealed(person: Person) -> dict[str, int]:
    found: dict[str, int] = await person.page.evaluate("() => peermeetSealed()")
    return found


async def see(viewer: Person, *others: Person) -> None:
    """Pictures of these go on arriving."""
    for other in others:
        await viewer.receives(other, frames, 10, "frames of {}")


async def stops_seeing(viewer: Person, other: Person) -> None:
    """No picture of somebody comes in a second, within the usual wait."""
    async with asyncio.timeout(30):
        while True:
            before = frames(await viewer.counts(other))
            await asyncio.sleep(1)
            if frames(await viewer.counts(other)) == before:
                return


def keep(rounds: int, told: dict[str, dict[str, int]]) -> None:
    """Put the figures of a long run on the page."""
    figures = {"mixed_minutes": round(LASTS_S / 60, 1), "mixed_rounds": rounds}
    for what in ("opened", "dropped", "late"):
        figures[f"mixed_frames_{what}"] = sum(counts[what] for counts in told.values())
    page.keep(figures, page.MIXED)


class Circle:
    """Fay leads, Ana is at Chromium, Ren at Firefox; robots come and go."""

    def __init__(self, server: Server, fay: Person, ana: Person, ren: FirefoxPerson) -> None:
        self.fay, self.ana, self.ren = fay, ana, ren
        self._link = Link.parse(server.invitation("Robot"))
        self._reports: dict[str, dict[str, int]] = {}

    async def once_around(self, number: int) -> None:
        """The floor moves, and at each holder something else happens."""
        fay, ana, ren = self.fay, self.ana, self.ren
        await fay.start_round(first=ana)
        await ana.tap("I am ready")
        await asyncio.gather(ren.hears(ana), fay.hears(ana))
        async with self.robot(number):
            await asyncio.gather(see(fay, ana, ren), see(ana, fay, ren), see(ren, fay, ana))
            await ana.tap("I am done")
            await ren.sees("It is your turn")
            await ren.tap("I am ready")
            await asyncio.gather(fay.hears(ren), ana.hears(ren))
        # Fay's page is hidden, then shown; Ana looks at all but Fay. Who has the floor is seen.
        await fay.page.evaluate(HIDE_PAGE, True)
        await ana.page.evaluate(HIDE_TILE, {"seat": fay.seat, "hidden": True})
        await asyncio.gather(stops_seeing(fay, ana), stops_seeing(ana, fay))
        await fay.page.evaluate(HIDE_PAGE, False)
        await ana.page.evaluate(HIDE_TILE, {"seat": fay.seat, "hidden": False})
        await asyncio.gather(see(fay, ana, ren), see(ana, fay, ren))
        await ren.tap("I am done")
        await fay.sees("It is your turn")
        await fay.tap("I am ready")
        await asyncio.gather(ana.hears(fay), ren.hears(fay))
        # Ren comes back as another hand at the same seat.
        self.note(ren, await sealed(ren))
        await ren.reload()
        await ren.sits()
        await find_seat(ren, fay, ana)
        await ren.tap("Camera off")
        await asyncio.gather(see(fay, ana, ren), see(ana, fay, ren), see(ren, fay, ana))
        await fay.tap("I am done")

    def robot(self, number: int) -> Robot:
        return Robot(self._link, Profile(f"Robot {number}", "honey"), seed=number, pairs=3)

    def note(self, person: Person, counts: dict[str, int]) -> None:
        """Of a page that is about to go, what has to be added to the next one's."""
        total = self._reports.setdefault(person.name, dict.fromkeys(counts, 0))
        for what, count in counts.items():
            total[what] += count

    async def report(self) -> dict[str, dict[str, int]]:
        for person in (self.fay, self.ana, self.ren):
            self.note(person, await sealed(person))
        return self._reports


@pytest.mark.timeout(LASTS_S + 300)
async def test_nothing_fails_to_open_after_the_first_second_of_each_key(
    server: Server, sit: Sit, ren: FirefoxPerson
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await ren.join()
    await find_seat(ren, fay, ana)
    circle, until, rounds = Circle(server, fay, ana, ren), time.monotonic() + LASTS_S, 0
    while rounds == 0 or time.monotonic() < until:
        await circle.once_around(rounds)
        rounds += 1
    told = await circle.report()
    if LASTS_S:
        keep(rounds, told)
    assert all(counts["opened"] >= 200 for counts in told.values())
    assert {name: counts["late"] for name, counts in told.items()} == dict.fromkeys(told, 0)
