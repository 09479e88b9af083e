"""What people see of their connection, and what they choose to receive."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Locator, expect

from peermeet.core.messages import SetMic
from tests.browser.conftest import Invite, Sit
from tests.browser.lossy import Relay, Voices
from tests.browser.lossy import relay as relay
from tests.browser.lossy import voice as voice
from tests.browser.person import Person, frames, packets, until
from tests.browser.test_access import Checker
from tests.browser.test_looks import Album
from tests.browser.test_looks import album as album
from tests.scenarios.conftest import server as server  # wire clients here have no keys

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WEAK = "Your connection is weak. Your place is kept."
OFF = "picture off to save data"


async def choose(person: Person, pictures: str) -> None:
    await person.tap("Settings")
    await person.page.get_by_label(pictures).check()
    await person.page.keyboard.press("Escape")
    await expect(person.page.locator("dialog")).to_have_count(0)


async def close_windows(person: Person, count: int) -> None:
    """By Escape, one after the other; each gives the focus back to what opened it."""
    for left in range(count - 1, -1, -1):
        await person.page.keyboard.press("Escape")
        await expect(person.page.locator("dialog")).to_have_count(left)
        assert await person.page.evaluate("() => document.activeElement !== document.body")


async def gets_no_pictures(person: Person, *others: Person, hears: Person) -> None:
    """Not one more picture of these is decoded, while sound goes on arriving."""
    last = [-1.0]

    async def stands_still() -> bool:
        nonlocal last
        before = last
        await person.receives(hears, packets, 10, "sound of {}")
        last = [frames(await person.counts(other)) for other in others]
        return before == last

    await until(stands_still, f"{person.name} gets no more pictures")
    await person.receives(hears, packets, 75, "sound of {}")
    assert [frames(await person.counts(other)) for other in others] == last


def tile(viewer: Person, name: str) -> Locator:
    return viewer.page.locator(".seat").filter(has_text=name)


async def test_sound_only_stops_all_pictures_and_no_sound(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await asyncio.gather(ben.sees_picture_of(ana), ben.sees_picture_of(fay))

    await choose(ben, "None, sound only")
    await expect(ben.page.get_by_text(OFF)).to_have_count(2)
    await expect(ben.page.locator(".seats video")).to_have_count(0)
    await gets_no_pictures(ben, ana, fay, hears=ana)
    # It is his choice alone.
    await fay.sees_picture_of(ben)

    await choose(ben, "Only who is speaking")
    await ben.sees_picture_of(ana)
    await gets_no_pictures(ben, fay, hears=ana)
    # Kept on this device, and told to the server anew.
    await ben.page.reload()
    await ben.sits()
    await ben.sees_picture_of(ana)
    await gets_no_pictures(ben, fay, hears=ana)

    await choose(ben, "Everyone")
    await asyncio.gather(ben.sees_picture_of(ana), ben.sees_picture_of(fay))
    await expect(ben.page.get_by_text(OFF)).to_have_count(0)


async def test_who_is_out_of_sight_is_not_received_until_scrolled_to(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await ben.page.set_viewport_size({"width": 390, "height": 600})
    await ben.sees_picture_of(fay)
    place = ben.page.locator(f'[data-seat="{fay.seat}"]')
    await place.evaluate("it => { it.style.marginTop = '2000px'; scrollTo(0, 0); }")
    await gets_no_pictures(ben, fay, hears=ana)
    await ben.sees_picture_of(ana)
    await place.scroll_into_view_if_needed()
    await ben.sees_picture_of(fay)


async def test_who_loses_packets_has_a_mark_that_all_see_and_helpers_read(
    sit: Sit, voice: Voices
) -> None:
    fay, ana = await sit("Fay", "Ana")
    mira = await voice("Mira")
    await mira.guest.do(SetMic(True))
    await expect(tile(ana, "Mira")).to_contain_text("good connection")
    await expect(tile(ana, "Mira").locator(".bars")).to_have_count(0)
    mira.loses = True
    await expect(tile(ana, "Mira")).to_contain_text("weak connection")
    await expect(tile(ana, "Mira").locator(".bars")).to_be_visible()
    await expect(tile(ana, "You").locator(".bars")).to_have_count(0)

    await fay.key("l")
    row = fay.page.get_by_role("row", name="Mira")
    await expect(row).to_contain_text("weak")
    assert 20 < float(await row.get_by_role("cell").last.inner_text()) < 45
    await fay.page.keyboard.press("Escape")
    # Ana, who cares for nobody here, reads her own figures and no table.
    await ana.tap("Settings")
    await ana.tap("Connection…")
    await ana.sees("straight to the server, over UDP")
    await expect(ana.page.get_by_role("table")).to_have_count(0)
    await close_windows(ana, 2)

    mira.loses = False
    await expect(tile(ana, "Mira")).to_contain_text("good connection")
    await expect(tile(ana, "Mira").locator(".bars")).to_have_count(0)


async def sit_behind(relay: Relay, person: Person) -> None:
    """Join by a line that will lose packets when told to."""
    await person.context.expose_function("relayTo", relay.aim)
    await person.context.add_init_script(relay.script)
    await person.join()


async def test_one_calm_sentence_says_that_the_own_line_is_weak_and_goes_again(
    sit: Sit, invite: Invite, relay: Relay
) -> None:
    (fay,) = await sit("Fay", cameras=True)
    ana = await invite("Ana")
    await sit_behind(relay, ana)
    await fay.tap("Turn microphone on")
    await ana.hears(fay)
    await ana.page.evaluate("""() => {
      globalThis.heard = [];
      const region = document.querySelector('.unseen[role=status]');
      new MutationObserver(() => region.textContent && heard.push(region.textContent))
        .observe(region, { childList: true, characterData: true, subtree: true });
    }""")
    relay.loss = 0.25
    banner = ana.page.locator(".banner").get_by_text(WEAK)
    await expect(banner).to_be_visible()
    await ana.hears_said(WEAK)
    await expect(tile(fay, "Ana").locator(".bars")).to_be_visible()
    # It is Ana's line that is weak, although Fay misses what it loses.
    await expect(tile(fay, "You").locator(".bars")).to_have_count(0)
    relay.loss = 0.0
    await expect(banner).to_have_count(0)
    await expect(tile(fay, "Ana").locator(".bars")).to_have_count(0)
    heard = await ana.page.evaluate("() => heard")
    assert sum(WEAK in sentence for sentence in heard) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_barrier_in_what_is_told_of_lines(
    invite: Invite, voice: Voices, relay: Relay, scheme: str
) -> None:
    checker = Checker()
    fay = await invite("Fay", color_scheme=scheme)
    ana = await invite("Ana", color_scheme=scheme, viewport={"width": 390, "height": 844})
    await fay.join()
    await sit_behind(relay, ana)
    mira = await voice("Mira")
    await mira.guest.do(SetMic(True))
    mira.loses, relay.loss = True, 0.25
    await ana.sees(WEAK)
    await expect(tile(ana, "Mira").locator(".bars")).to_be_visible()
    await checker.look(ana, "weak line")
    await choose(ana, "None, sound only")
    await ana.sees(OFF)
    await checker.look(ana, "pictures off")
    await ana.tap("Settings")
    await ana.tap("Connection…")
    await ana.sees("Lost on the way")
    await checker.look(ana, "own connection")
    await fay.key("l")
    await fay.sees("Everybody")
    await checker.look(fay, "connections of everybody")
    assert checker.found == []
    assert checker.coloured == 4


async def test_what_is_told_of_lines_looks_right(
    invite: Invite, voice: Voices, relay: Relay, album: Album
) -> None:
    fay, ana = await invite("Fay"), await invite("Ana")
    await fay.join()
    await sit_behind(relay, ana)
    mira = await voice("Mira")
    await mira.guest.do(SetMic(True))
    await ana.sees_picture_of(fay)
    mira.loses, relay.loss = True, 0.25
    await ana.sees(WEAK)
    await expect(tile(ana, "Mira").locator(".bars")).to_be_visible()
    await album.take(ana, "ana-weak-line")
    await album.take(fay, "fay-lines-marks")
    await ana.tap("Settings")
    await album.take(ana, "ana-pictures-setting", main_in_sight=False)
    await ana.page.get_by_label("None, sound only").check()
    await ana.tap("Connection…")
    await expect(ana.page.locator(".numbers")).to_contain_text(re.compile(r"\d+ milliseconds?"))
    await album.take(ana, "ana-connection", main_in_sight=False)
    await close_windows(ana, 2)
    await ana.sees(OFF)
    await album.take(ana, "ana-pictures-off")
    await fay.key("l")
    await fay.sees("Everybody")
    await album.take(fay, "fay-connections", main_in_sight=False)
    assert album.wrong == []
