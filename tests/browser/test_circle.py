"""What a member can do besides having the piece: ask for it, put it off, talk and be silent."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_hand_is_raised_and_lowered(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=fay)
    await ana.tap("Raise my hand")
    asked = ben.page.locator(".seats").get_by_text("hand is up")
    await expect(asked).to_be_visible()
    await fay.hears_said("Ana raised a hand.")
    await ana.tap("Lower my hand")
    await expect(asked).to_have_count(0)
    await ana.tap("Raise my hand")
    await fay.tap_face(ana)
    await fay.tap("Lower the hand")
    await expect(ana.button("Raise my hand")).to_be_visible()


async def test_later_gives_the_piece_on_and_brings_it_back(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await ana.tap("Later")
    await ben.tap("Pass")
    await fay.tap("Pass")
    await ana.sees("It is your turn")
    await expect(ana.button("Later")).to_have_count(0)
    await ana.tap("Pass")
    for person in (fay, ana, ben):
        await person.sees("The round is complete")


async def test_open_talk_lets_anybody_be_heard_and_a_silence_nobody(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.key("a")
    await fay.tap("Open talk")
    for person in (ana, ben):
        await person.sees("Anybody may speak.")
        await person.tap("Turn microphone on")
    await asyncio.gather(fay.hears(ana), fay.hears(ben), ana.hears(ben), ben.hears(ana))

    await fay.key("a")
    await fay.tap("1 min")
    for person in (fay, ana, ben):
        await person.sees("There is nothing to do. Nobody is heard.")
        await expect(person.button("Turn microphone on")).to_have_count(0)
        await expect(person.button("Turn microphone off")).to_have_count(0)
    await asyncio.gather(fay.hears_nobody(ana, ben), ana.hears_nobody(ben, fay))

    # Talk again begins with every microphone off.
    await fay.key("a")
    await fay.tap("Open talk")
    await expect(ana.button("Turn microphone on")).to_be_visible()
    await fay.hears_nobody(ana, ben)


async def test_who_only_listens_today_is_given_no_turn_until_they_want_one(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await ana.tap("Leave…")
    await ana.tap("Leave now")
    await ana.tap("Come back in")
    await ana.tap("Next")
    await ana.page.get_by_label("Listen only today").check()
    await ana.tap("Read our agreement")
    await ana.tap("I agree and sit down")
    await ana.sits()
    await ana.sees("Listening only")
    await expect(fay.page.locator(".seats").get_by_text("listens today")).to_be_visible()
    await fay.start_round(first=fay)
    await fay.tap("Pass")
    await ana.sees("The round is complete")
    assert "your_turn" not in ana.notices
    await ana.tap_wish("To take part in turns again")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await fay.hears(ana)
