"""Three people in real browsers see one another, and hear exactly one."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_three_people_see_one_another_move(sit: Sit) -> None:
    people = await sit("Fay", "Ana", "Ben", cameras=True)
    await asyncio.gather(
        *(
            person.sees_picture_of(other)
            for person in people
            for other in people
            if other is not person
        )
    )


async def test_in_a_round_only_who_holds_the_piece_is_heard(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await fay.start_round(first=ana)
    await ana.sees("It is your turn")
    await ben.sees("Ana has the piece")

    # Nobody is heard before they say that they are ready.
    await asyncio.gather(fay.hears_nobody(ana, ben), ben.hears_nobody(ana, fay))
    assert not [device for device in ana.devices if device[:2] == ("opened", "audio")]

    await ana.tap("I am ready")
    await ben.sees("Ana is speaking")
    await asyncio.gather(fay.hears_only(ana, ben), ben.hears_only(ana, fay))

    await ana.tap("Pass the piece")
    await ben.sees("It is your turn")
    await asyncio.gather(ana.hears_nobody(ben, fay), fay.hears_nobody(ben, ana))
    await ben.tap("I am ready")
    await asyncio.gather(ana.hears_only(ben, fay), fay.hears_only(ben, ana))


async def test_the_microphone_is_tried_before_sitting_down(invite: Invite) -> None:
    ana = await invite("Ana")
    await ana.open_link()
    await ana.tap("Next")
    assert ana.devices == []
    await ana.tap("Test my microphone")
    bar = ana.page.get_by_role("img", name="How loud you are")

    async def moves() -> bool:
        return float(await bar.evaluate("it => it.style.getPropertyValue('--level') || 0")) > 0.3

    await until(moves, "the bar moves when Ana speaks")
    await ana.tap("Stop the test")
    await expect(bar).to_have_attribute("style", re.compile(r"--level:\s*0;"))
    assert [device[:2] for device in ana.devices] == [("opened", "audio")]
