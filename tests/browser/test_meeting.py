"""Three people in real browsers see one another, and hear exactly one."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import packets, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEEP_CONNECTION = """{
  const Real = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      globalThis.connection = this;
    }
  };
}"""
SEND_ANYWAY = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  await connection.getSenders()[0].replaceTrack(stream.getTracks()[0]);
}"""
SENT = """async () => {
  const reports = [...(await connection.getStats()).values()];
  return reports.find(it => it.type === 'outbound-rtp' && it.kind === 'audio')?.packetsSent ?? 0;
}"""


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

    await ana.tap("I am done")
    await ben.sees("It is your turn")
    await asyncio.gather(ana.hears_nobody(ben, fay), fay.hears_nobody(ben, ana))
    await ben.tap("I am ready")
    await asyncio.gather(ana.hears_only(ben, fay), fay.hears_only(ben, ana))


async def test_a_page_that_sends_without_the_piece_reaches_nobody(sit: Sit, invite: Invite) -> None:
    fay, ana = await sit("Fay", "Ana")
    ben = await invite("Ben")
    await ben.context.add_init_script(KEEP_CONNECTION)
    await ben.join(camera=False)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await fay.hears(ana)
    await ben.page.evaluate(SEND_ANYWAY)

    async def sent() -> float:
        return float(await ben.page.evaluate(SENT))

    await until(sent, "Ben's page sends although it is Ana's turn")
    before = await sent()
    await fay.hears_only(ana, ben)
    assert packets(await ana.counts(ben)) == 0
    assert await sent() > before + 25
    # He is not shut out for it: with the piece he is heard.
    await ana.tap("I am done")
    await ben.tap("I am ready")
    await asyncio.gather(fay.hears(ben), ana.hears(ben))


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
