"""Ways out of the circle: a quick one that leaves no trace, and a calm one."""

import logging

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit
from tests.browser.person import Person
from tests.browser.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

logger = logging.getLogger(__name__)

QUICK_MS = 300  # from the tap until every device has stopped


async def by_button(person: Person) -> None:
    await person.tap("Quick exit")


async def by_shift(person: Person) -> None:
    for _ in range(3):
        await person.page.keyboard.press("Shift")


async def in_a_dialog(person: Person) -> None:
    await person.tap("Leave…")
    await person.page.get_by_role("dialog").get_by_role("button", name="Quick exit").click()


@pytest.mark.parametrize("way", [by_button, by_shift, in_a_dialog])
async def test_a_quick_exit_stops_everything_at_once_and_leaves_no_trace(
    sit: Sit, way: object
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await ana.tap("Turn microphone on")
    await fay.hears(ana)
    assert callable(way)
    await way(ana)
    await ana.page.wait_for_url("**/left")

    stopped = {kind: ms for what, kind, ms in ana.devices if what == "stopped"}
    logger.info("devices stopped after ms: %s", stopped)
    assert stopped.keys() == {"audio", "video"}
    assert max(stopped.values()) < QUICK_MS
    await fay.sees_at_the_table()

    await expect(ana.page).to_have_title("Blank page")
    assert (await ana.page.locator("body").inner_text()).strip() == ""
    assert await ana.page.evaluate("() => sessionStorage.length") == 0
    # The way back is closed: neither Back nor a new load knows of a circle.
    await ana.page.go_back()
    assert ana.page.url == "about:blank"
    await ana.page.go_forward()
    assert "Circle" not in await ana.page.content()
    await ana.page.goto(ana.link.partition("#")[0])
    await ana.sees("A quiet place to speak and to be heard")
    await fay.sees_at_the_table()


async def test_ana_leaves_calmly_and_may_come_back(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await ana.tap("Leave…")
    await ana.tap("Stay")
    await fay.sees_picture_of(ana)
    await ana.tap("Leave…")
    await ana.tap("Leave now")
    await ana.sees("You have left the circle")
    assert ("stopped", "video") in [device[:2] for device in ana.devices]
    await fay.sees_at_the_table()
    await ana.tap("Come back in")
    await expect(ana.page.get_by_text("Step 1 of 3")).to_be_visible()


async def test_help_in_a_crisis_asks_nobody(sit: Sit, watch: Watch) -> None:
    watch.forgive("ERR_INTERNET_DISCONNECTED")
    (fay,) = await sit("Fay")
    sent: list[str] = []
    fay.page.on("request", lambda request: sent.append(request.url))
    await fay.context.set_offline(True)
    try:
        await fay.tap("Help in a crisis")
        await expect(fay.page.get_by_role("dialog")).to_contain_text("112")
        await fay.tap("Close")
    finally:
        await fay.context.set_offline(False)
    assert sent == []
