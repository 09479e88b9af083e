"""Away from the circle for a while: by one's own wish, at the door, or when all is stopped."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_quiet_word_is_between_two_and_arrives_muted(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await ana.tap("Turn microphone on")
    await fay.hears(ana)
    await ana.tap_wish("A quiet word")
    await ana.sees("You asked for a quiet word.")
    await ana.tap("Take it back")
    await expect(fay.button("Yes, let us go")).to_have_count(0)
    await ana.tap_wish("A quiet word")
    await fay.sees("Ana would like a quiet word with you.")
    await expect(ben.page.get_by_text("quiet word")).to_have_count(0)

    await fay.tap("Yes, let us go")
    await ana.sees("A quiet word with Fay")
    await ana.sees_at_the_table(fay)
    await expect(ana.button("Turn microphone on")).to_be_visible()
    assert ana.view["seats"][1]["camera"] == "off"
    await expect(ben.page.locator(".seats").get_by_text("away for a moment")).to_have_count(2)
    await ana.tap("Turn microphone on")
    before = (await ben.counts(ana))["packetsReceived"]
    await fay.hears(ana)
    assert (await ben.counts(ana))["packetsReceived"] == before

    await ana.tap("Back to the circle")
    for person in (fay, ana):
        await person.sees("Welcome, have a seat")
    await expect(ben.page.get_by_text("away for a moment")).to_have_count(0)
    await expect(ana.button("Turn microphone on")).to_be_visible()


async def test_fay_offers_a_quiet_word_and_ana_may_say_no(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.tap_face(ana)
    await fay.tap("Offer a quiet word")
    await ana.hears_said("Fay would like a quiet word with you.")
    await ana.tap("Not now")
    await expect(ana.page.get_by_text("quiet word with you")).to_have_count(0)
    await ana.sees("Welcome, have a seat")


async def test_a_hard_topic_is_announced_and_who_stepped_out_is_called_back(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await ana.tap_wish("To say that a hard topic comes…")
    await ana.page.get_by_label("illness").check()
    await ana.tap("Tell everybody")
    await ben.sees("Ana says that a hard topic comes: illness.")
    await ben.tap("Step out")
    await ben.sees("You have stepped out")
    await expect(ben.page.locator("h1")).to_be_focused()
    await ben.sees("The hard topic still goes on.")
    await expect(ben.page.get_by_text("Ana")).to_have_count(0)
    await ana.sees("away for a moment")
    await ana.tap("Turn microphone on")
    before = (await ben.counts(ana))["packetsReceived"]
    await fay.hears(ana)
    assert (await ben.counts(ana))["packetsReceived"] == before

    await ana.tap("It is over")
    await ben.sees("The hard topic is over.")
    await ben.hears_said("The hard topic is over. You can come back when you are ready.")
    await ben.tap("Come back in")
    await ben.sees_at_the_table(fay, ana)
    await expect(ben.page.locator("h1")).to_be_focused()
    await ben.hears(ana)


async def test_a_card_is_for_all_without_a_name_or_for_one_alone(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.key("c")
    await fay.page.get_by_role("button", name="we leave advice out").click()
    for person in (ana, ben):
        await person.sees("A reminder for all of us")
        await person.hears_said("We speak from our own experience")
    await fay.tap_face(ana)
    await fay.tap("Card in private…")
    await fay.page.get_by_role("button", name="One voice at a time").click()
    await ana.sees("A word for you alone")
    await ana.hears_said("For you alone: One voice at a time.")
    await expect(ben.page.get_by_text("One voice at a time")).to_have_count(0)
    await ana.tap("Put away")
    await expect(ana.page.get_by_text("One voice at a time.")).to_have_count(0)


async def test_a_wish_for_a_pause_tells_fay_that_somebody_asks_and_not_who(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await ana.tap_wish("A pause for all of us")
    await fay.sees("Somebody asks for a pause.")
    await expect(fay.page.get_by_text("Ana asks")).to_have_count(0)
    assert ben.view["pause_asked"] is False
    await fay.tap("Pause now")
    for person in (ana, ben):
        await person.sees("We pause for a moment")


async def test_who_waits_at_the_door_sees_nothing_of_the_circle(sit: Sit, invite: Invite) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.key("d")
    await fay.tap("Ask at the door")
    await fay.tap("Close")
    ben = await invite("Ben")
    await ben.come_to_the_agreement(camera=False)
    await ben.tap("I agree and sit down")
    await ben.sees("You are in the waiting area")
    assert "Fay" not in await ben.page.content() and "Ana" not in await ben.page.content()
    assert list(ben.view["seats"]) == [seat for seat in ben.view["seats"] if seat["id"] == ben.seat]
    await fay.hears_said("Ben is at the door.")
    await fay.sees_at_the_table(ana)
    await fay.key("d")
    await fay.tap("Let Ben in")
    await fay.tap("Close")
    await ben.sees_at_the_table(fay, ana)
    await ben.hears_said("You are in. Welcome to the circle.")


async def test_when_the_room_is_made_safe_nobody_need_leave(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await ben.tap("Turn microphone on")
    await ana.hears(ben)
    await fay.key("s")
    for person in (ana, ben):
        await person.sees("The facilitators have stopped everything for a moment.")
        await expect(person.button("Help in a crisis")).to_be_visible()
        assert "Fay" not in await person.page.content()
    await fay.tap("Let Ana back")
    await ana.sees("The facilitators look after something.")
    await fay.tap("Let everybody back and go on")
    for person in (ana, ben):
        await person.sees("Welcome, have a seat")
    await asyncio.gather(ana.hears_nobody(fay, ben))


async def test_who_was_removed_may_come_back_when_it_is_taken_back(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.tap_face(ana)
    await fay.tap("Remove for today…")
    await fay.tap("Remove for today")
    await ana.sees("You cannot be in this circle today")
    await ana.tap("Try to come back in")
    await ana.sees("Not yet. Nobody is told that you tried")
    await fay.key("d")
    await fay.tap("Let Ana back")
    await fay.tap("Close")
    seat = ana.seat
    await ana.tap("Try to come back in")
    await ana.sees_at_the_table(fay)
    assert ana.seat == seat


async def test_time_is_told_as_each_person_chose_and_kept_on_the_device(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.start_round(first=fay)
    ring = ana.page.locator(".ring")
    await expect(ring).to_be_visible()
    await ana.tap("Settings")
    await ana.page.get_by_label("None of these").check()
    await expect(ring).to_have_count(0)
    await ana.page.get_by_label("Words", exact=True).check()
    await expect(ana.page.get_by_label("None of these")).not_to_be_checked()
    await ana.tap("Close")
    await ana.sees("The time has just begun.")
    await ana.page.reload()
    await ana.sees("The time has just begun.")
    await expect(ring).to_have_count(0)

    async def is_kept() -> bool:
        return bool(await ana.page.evaluate("() => localStorage.getItem('ring') === 'no'"))

    await until(is_kept, "the choice is kept on the device")
