"""Showing a screen: the holder shows one, another sees it move, and it ends with the turn."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import PIXELS, Person, until
from tests.browser.test_access import Checker
from tests.browser.test_looks import Album
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
            server.end()


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


async def frames_of_screen(viewer: Person) -> float:
    found = await viewer.page.evaluate("() => peermeetStats()")
    return float(found["screen"]["framesDecoded"])


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


# A page that was changed to capture and send on, whatever it is told.
NEVER_STOPS = """(() => {
  const isScreen = track => track?.contentHint === 'detail';
  const { stop } = MediaStreamTrack.prototype;
  MediaStreamTrack.prototype.stop = function () { if (!isScreen(this)) stop.call(this); };
  const { replaceTrack } = RTCRtpSender.prototype;
  RTCRtpSender.prototype.replaceTrack = async function (track) {
    if (isScreen(track)) globalThis.screenSender = this;
    if (track !== null || !isScreen(this.track)) await replaceTrack.call(this, track);
  };
})()"""
SENT = """async () => [...(await screenSender.getStats()).values()]
  .filter(it => it.type === 'outbound-rtp').reduce((sum, it) => sum + it.packetsSent, 0)"""


async def test_a_page_that_sends_its_screen_on_reaches_nobody_once_the_piece_has_moved(
    invite: Invite,
) -> None:
    fay, ana = await invite("Fay"), await invite("Ana")
    await ana.context.add_init_script(NEVER_STOPS)
    for person in (fay, ana):
        await person.join()
    await fay.start_round(first=ana)
    await show_screen(ana)
    await sees_screen_of(fay, ana)
    await ana.tap("Pass")
    await fay.sees("It is your turn")
    before = await frames_of_screen(fay)
    sent: int = await ana.page.evaluate(SENT)

    async def sends_on() -> bool:
        return int(await ana.page.evaluate(SENT)) > sent + 50

    await until(sends_on, "the changed page sends its screen on")
    await fay.sees_picture_of(ana)
    assert await frames_of_screen(fay) == before


async def test_a_facilitator_ends_somebodys_screen_at_once(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await show_screen(ana)
    await sees_screen_of(fay, ana)
    await expect(ben.button("End it for everybody")).to_have_count(0)
    await fay.tap("End it for everybody")
    await ana.hears_said("Your screen is no longer shown.")
    await ben.hears_said("The screen is no longer shown.")
    await expect(ana.page.get_by_text("You are showing your screen.")).to_have_count(0)
    # From the menu of a person it can be ended as well; one may show it again.
    await show_screen(ana)
    await fay.tap_face(ana)
    await fay.tap("End their screen")
    await expect(ben.page.get_by_label("Screen of Ana")).to_have_count(0)


async def test_whom_a_screen_distracts_hides_it_for_themselves_alone(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await show_screen(ana)
    await asyncio.gather(sees_screen_of(ben, ana), sees_screen_of(fay, ana))
    await ben.tap("Hide the screen")
    assert await screen_of(ben, ana) == []
    await ben.sees("Ana shows their screen.")
    await sees_screen_of(fay, ana)
    await ben.tap("Hide the screen")
    await sees_screen_of(ben, ana)


async def test_who_stops_or_reloads_shows_nothing_until_they_choose_again(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.start_round(first=ana)
    await show_screen(ana)
    await sees_screen_of(fay, ana)
    await ana.tap("Stop")
    await expect(fay.page.get_by_label("Screen of Ana")).to_have_count(0)
    await show_screen(ana)
    await sees_screen_of(fay, ana)
    await ana.page.reload()
    await ana.sits()
    await expect(fay.page.get_by_label("Screen of Ana")).to_have_count(0)
    await expect(ana.button("Show my screen…")).to_be_visible()


async def test_a_facilitators_screen_stays_while_the_piece_goes_round(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await show_screen(fay)
    await expect(ana.button("Show my screen…")).to_have_count(0)
    await sees_screen_of(ana, fay)
    await ana.tap("Pass")
    await ben.sees("It is your turn")
    await asyncio.gather(sees_screen_of(ana, fay), sees_screen_of(ben, fay))
    await ben.tap("I am ready")
    await fay.sees("Ben is speaking")
    await fay.tap("Pause")
    for person in (ana, ben):
        await person.sees("We pause for a moment")
        await expect(person.page.get_by_label("Screen of Fay")).to_have_count(0)


async def test_a_shown_screen_looks_right(sit: Sit, album: Album) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await ana.tap("Show my screen…")
    await album.take(ana, "ana-before-showing", main_in_sight=False)
    barriers = Checker()
    await barriers.look(ana, "before showing")
    await ana.tap("Choose what to show")
    await ana.sees("You are showing your screen.")
    await album.take(ana, "ana-showing")
    await asyncio.gather(sees_screen_of(ben, ana), sees_screen_of(fay, ana))
    await album.take(ben, "ben-sees-a-screen")
    await album.take(fay, "fay-sees-a-screen", main_in_sight=False)
    await ben.tap("Hide the screen")
    await album.take(ben, "ben-hides-a-screen")
    await barriers.look(fay, "with a screen")
    await barriers.look(ben, "with a hidden screen")
    await fay.tap("Safe the room")
    await ben.sees("There is no need to leave.")
    await expect(ben.page.get_by_text("Ana shows their screen.")).to_have_count(0)
    assert album.wrong == [] and barriers.found == []
