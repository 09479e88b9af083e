"""Fay leads from her page, by buttons and by keys, and everybody's page follows."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit
from tests.browser.person import frames

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MINUTE_MS = 60_000


@pytest.mark.parametrize("with_keys", [False, True], ids=["buttons", "keys"])
async def test_fay_leads_a_round(sit: Sit, with_keys: bool) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)

    async def press(words: str, key: str) -> None:
        if with_keys:
            await fay.page.keyboard.press(key)
        else:
            await fay.tap(words)

    await fay.start_round(first=ana)
    await fay.sees("Ana has the piece")
    await ana.sees("It is your turn")

    # The clock: a minute more, at rest, running again.
    before_ms = ana.remaining_ms()
    await press("+1 min", "+")
    await ana.hears_said("You have some more time.")
    assert MINUTE_MS - 10_000 < ana.remaining_ms() - before_ms <= MINUTE_MS + 500
    await press("Hold clock", "h")
    await expect(fay.button("Run clock")).to_be_visible()
    resting_ms = fay.remaining_ms()
    await press("Run clock", "h")
    await expect(fay.button("Hold clock")).to_be_visible()
    assert 0 <= resting_ms - fay.remaining_ms() < 5_000

    # The floor: on, back with the time she had, and to whom Fay chooses.
    await press("Thank and pass", "n")
    await ben.sees("It is your turn")
    await ana.sees("Ben has the piece")
    await press("Back", "b")
    await ana.sees("It is your turn")
    await ben.sees("Ana has the piece")
    assert resting_ms - 10_000 < ana.remaining_ms() <= resting_ms
    await fay.tap_face(ben)
    await fay.tap("Give the turn")
    await ben.sees("It is your turn")

    # The whole circle rests and goes on.
    await ben.tap("I am ready")
    await ana.hears(ben)
    await press("Pause", "p")
    for person in (fay, ana, ben):
        await person.sees("We pause for a moment")
        await expect(person.button("I am ready")).to_be_hidden()
    await ana.hears_nobody(fay, ben)
    await press("Go on", "p")
    await ben.sees("It is your turn")
    await expect(ben.button("I am ready")).to_be_visible()
    await ana.hears_nobody(fay, ben)


async def test_keys_are_only_letters_while_somebody_writes_or_a_dialog_is_open(
    sit: Sit,
) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.start_round(first=ana)
    await fay.sees("Ana has the piece")
    await fay.tap("Run sheet…")
    await expect(fay.page.get_by_role("dialog")).to_be_visible()
    await fay.page.keyboard.press("n")
    await fay.page.keyboard.press("p")
    await fay.tap("Close")
    await fay.page.keyboard.press("h")
    await expect(fay.button("Run clock")).to_be_visible()
    await fay.sees("Ana has the piece")
    # They can be switched off.
    await fay.tap("Settings")
    await fay.page.get_by_label("Single keys for facilitators").uncheck()
    await fay.tap("Close")
    await fay.page.keyboard.press("h")
    await fay.tap("+1 min")
    await ana.hears_said("You have some more time.")
    await expect(fay.button("Run clock")).to_be_visible()


async def test_fay_holds_a_microphone_and_covers_a_camera(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await ana.tap("Turn microphone on")
    await asyncio.gather(fay.hears(ana), ben.hears(ana))

    await fay.tap_face(ana)
    await fay.tap("Hold the microphone")
    await ana.sees("Mic held by the facilitator")
    await ben.hears_nobody(ana, fay)
    await fay.tap_face(ana)
    await fay.tap("Release the microphone")
    await ana.sees("Mic waits for you")
    # Released is not switched on: that is Ana's own tap.
    await ben.hears_nobody(ana, fay)
    await ana.tap("Turn microphone on")
    await ben.hears(ana)

    await fay.tap_face(ana)
    await fay.tap("Cover the camera…")
    await fay.tap("Private things can be seen")
    await ana.sees("Camera covered by the facilitator")
    picture = ben.page.get_by_label("Camera picture of Ana")
    await expect(picture).to_have_count(0)
    # What was on its way is decoded before pictures of somebody else that come later.
    await ben.sees_picture_of(fay)
    before = frames(await ben.counts(ana))
    await ben.sees_picture_of(fay)
    assert frames(await ben.counts(ana)) == before
    assert ("stopped", "video") in [device[:2] for device in ana.devices]
    await fay.tap_face(ana)
    await fay.tap("Uncover the camera")
    await expect(ana.page.get_by_role("button", name="Camera off")).to_be_visible()
    await ana.page.get_by_role("button", name="Camera off").click()
    await ben.sees_picture_of(ana)


async def test_who_was_removed_finds_a_kind_page_and_a_closed_door(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await ben.tap("Turn microphone on")
    await ana.hears(ben)
    await fay.tap_face(ben)
    await fay.tap("Remove for today…")
    await fay.tap("Remove for today")
    await ben.sees("You cannot be in this circle today")
    assert ("stopped", "audio") in [device[:2] for device in ben.devices]
    await fay.sees_at_the_table(ana)
    await ana.sees_at_the_table(fay)

    # Not by loading the page again, and not by the link.
    await ben.page.reload()
    await expect(ben.page.get_by_role("list", name="People in the circle")).to_have_count(0)
    await ben.come_to_the_agreement(camera=False)
    await ben.tap("I agree and sit down")
    await expect(ben.page.get_by_role("heading", name="The door is closed")).to_be_visible()
    await ana.sees_at_the_table(fay)


async def test_fay_ends_the_circle_in_two_steps(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await fay.tap("More…")
    await fay.tap("End for everybody…")
    await fay.tap("No, go on")
    await ana.sees_picture_of(fay)
    await fay.tap("End for everybody…")
    await fay.tap("Yes, end it")
    for person in (fay, ana):
        await person.sees("The circle has ended")
        assert ("stopped", "video") in [device[:2] for device in person.devices]
