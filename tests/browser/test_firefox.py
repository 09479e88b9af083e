"""One person at Firefox, the others at Chromium, in one circle."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.conftest import Sit
from tests.browser.firefox import FirefoxPerson, open_firefox
from tests.browser.person import Person, until
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def ren(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FirefoxPerson]:
    """Ren has a link and a blank page."""
    async with open_firefox(tmp_path_factory.mktemp("firefox")) as tab:
        yield FirefoxPerson("Ren", server.invitation("Ren"), tab)


async def find_seat(ren: Person, fay: Person, *others: Person) -> None:
    """Ren's is the seat that nobody else has."""

    async def is_seated() -> bool:
        known = {fay.seat, *(other.seat for other in others)}
        ren.seat = next((s["id"] for s in fay.view["seats"] if s["id"] not in known), "")
        return bool(ren.seat)

    await until(is_seated, "Ren has a seat")


async def test_firefox_and_chromium_hear_the_holder_only_and_see_each_other(
    sit: Sit, ren: FirefoxPerson
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await ren.join()
    await find_seat(ren, fay, ana)
    await fay.sees_at_the_table(ana, ren)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await asyncio.gather(ren.hears_only(ana, fay), fay.hears_only(ana, ren))
    await asyncio.gather(ren.sees_picture_of(ana), fay.sees_picture_of(ren))

    # The piece goes on to Firefox; what was heard before is heard no longer.
    await ana.tap("I am done")
    await ren.sees("It is your turn")
    await ren.tap("I am ready")
    await asyncio.gather(fay.hears_only(ren, ana), ana.hears_only(ren, fay))

    # A reload keeps the seat and the turn; one tap, and Ren is heard again.
    seat, turn = ren.seat, fay.view["turn"]["number"]
    await ren.reload()
    await ren.sees("It is your turn")
    await find_seat(ren, fay, ana)
    assert (ren.seat, fay.view["turn"]["number"]) == (seat, turn)
    await ren.tap("I am ready")
    await asyncio.gather(fay.hears(ren), ana.hears(ren))

    # And on, to Fay: Ren listens again.
    await ren.tap("I am done")
    await fay.sees("It is your turn")
    await fay.tap("I am ready")
    await asyncio.gather(ren.hears_only(fay, ana), ana.hears_only(fay, ren))
