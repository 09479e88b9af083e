"""Coming back: after a reload, in another window, and after the server was killed."""

import asyncio
import logging
import time

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit
from tests.browser.person import packets
from tests.browser.watch import Watch
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

logger = logging.getLogger(__name__)

DRIFT_MS = 1_500  # of the time left over a reload: the way there and back, on a busy machine
HEARD_AGAIN_S = 15.0


async def test_the_holder_loads_the_page_again_and_keeps_seat_and_time(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await ben.hears(ana)
    seat, turn = ana.seat, ana.view["turn"]["number"]

    before_ms, left_at = ana.remaining_ms(), time.monotonic()
    await ana.page.reload()
    await ana.sees("It is your turn")
    passed_ms = (time.monotonic() - left_at) * 1000
    assert (ana.seat, ana.view["turn"]["number"]) == (seat, turn)
    assert before_ms - passed_ms - DRIFT_MS <= ana.remaining_ms() <= before_ms

    # A page that was away shows the microphone as off; one tap and she is heard.
    await ana.tap("I am ready")
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    await expect(ana.button("Let me hear the circle")).to_have_count(0)


async def test_a_listener_loads_the_page_again_and_hears_on(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await ben.hears(ana)
    seat = ben.seat
    await ben.page.reload()
    await ben.sits()
    await fay.sees_at_the_table(ana, ben)
    assert ben.seat == seat
    # A browser may want a tap before it plays sound, and says so; any tap will do.
    await ben.receives(ana, packets, 25, "sound of {}")
    await ben.tap("Raise my hand")
    await ben.hears(ana)
    await expect(ben.button("Let me hear the circle")).to_have_count(0)


async def test_a_second_window_takes_the_seat_and_the_first_is_told(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await fay.sees_picture_of(ana)
    async with ana.page.expect_popup() as opened:
        await ana.page.evaluate("() => void open('/join')")
    second = await opened.value
    await expect(second.locator(".seats").get_by_text("You", exact=True)).to_be_visible()
    await ana.sees("The circle is open in another window")
    assert ("stopped", "video") in [device[:2] for device in ana.devices]
    await fay.sees_at_the_table(ana)
    # It can be taken back, and then the other window is told.
    await ana.tap("Come back in")
    await expect(ana.page.locator("h1")).not_to_have_text("The circle is open in another window")


async def test_a_killed_server_comes_back_with_the_same_circle(
    sit: Sit, server: Server, watch: Watch
) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    seats = [person.seat for person in (fay, ana, ben)]
    turn, before_ms = ana.view["turn"]["number"], ana.remaining_ms()

    watch.forgive("WebSocket connection to .* failed")
    killed_at = server.kill9()
    for person in (fay, ana, ben):
        await person.sees("Your place is kept.")
    # There is no server, and she is heard all the same.
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    before = packets(await ben.counts(ana))
    await asyncio.to_thread(server.start)
    ready_at = time.monotonic()
    # Her page never went away and shows the microphone as on, so nothing needs a tap.
    for person in (fay, ana, ben):
        # The banner; what is said aloud is another element.
        banner = person.page.get_by_role("paragraph").filter(has_text="Your place is kept.")
        await banner.wait_for(state="hidden")
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    assert packets(await ben.counts(ana)) > before, "by the same connection, which counts on"
    heard_at = time.monotonic()
    logger.info(
        "heard again %.2f s after the kill, %.2f s after the server was ready",
        heard_at - killed_at,
        heard_at - ready_at,
    )
    assert heard_at - ready_at < HEARD_AGAIN_S

    for person in (fay, ana, ben):
        others = {fay, ana, ben} - {person}
        await person.sees_at_the_table(*others)
    assert [person.seat for person in (fay, ana, ben)] == seats
    assert (ana.view["turn"]["seat"], ana.view["turn"]["number"]) == (ana.seat, turn)
    spoken_ms = (heard_at - ready_at) * 1000
    assert before_ms - spoken_ms - DRIFT_MS <= ana.remaining_ms() <= before_ms
    await ana.tap("I am done")
    await ben.sees("It is your turn")
