"""Whose link is blocked reads kind words, in the circle and at the door alike."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from peermeet.core.model import Millis
from peermeet.identity import read_link
from tests.browser.conftest import Invite, Sit
from tests.browser.watch import Watch
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORDS = "Write to hello@circle.example, <b>Mondays</b> are best."


async def test_a_blocked_person_reads_whom_to_ask_and_when_it_is_looked_at_again(
    sit: Sit, invite: Invite, server: Server, watch: Watch
) -> None:
    watch.forgive("403")  # Chromium complains of the answer to whether the link works
    fay, ana = await sit("Fay", "Ana", cameras=True)
    key = (server.data / "secret.key").read_bytes()
    invitation = read_link(key, server.participant, Millis(int(time.time() * 1000)))
    assert invitation is not None
    review = datetime.now(UTC) + timedelta(days=40)
    words = ("--review", f"{review:%Y-%m-%d}", "--appeal", WORDS)
    told = await asyncio.to_thread(server.admin, "block", invitation.code, *words)
    assert "Sent away: 1." in told.stdout

    def reads_kind_words(page: str) -> None:
        assert WORDS in page, "as text, not as a part of the page"
        assert f"{review:%B} {review.day}, {review.year}" in page

    await ana.sees("This link does not let you in for now")
    reads_kind_words(await ana.page.inner_text("main"))
    assert ("stopped", "video") in [device[:2] for device in ana.devices]
    assert await ana.page.get_by_role("button", name="Come back in").count() == 0
    await fay.sees_at_the_table()

    ben = await invite("Ben")
    await ben.page.goto(ben.link)
    await ben.sees("This link does not let you in for now")
    reads_kind_words(await ben.page.inner_text("main"))
