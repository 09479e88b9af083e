"""What a page gives away: nothing to third parties, and its link to nobody."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.watch import Watch
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_link_leaves_the_address_bar_and_is_sent_in_no_address(
    invite: Invite, server: Server, watch: Watch
) -> None:
    ana = await invite("Ana")
    await ana.open_link()
    await ana.sees("Step 1 of 3")
    assert ana.page.url == server.url + "/join"
    await ana.join()
    assert watch.requests and watch.sockets == [server.url.replace("http", "ws") + "/ws"]
    assert not any(server.participant in url.partition("#")[0] for url in watch.requests)
    # Kept for this tab only; a new tab of the same browser knows nothing.
    other = await ana.context.new_page()
    await other.goto(server.url + "/join")
    await expect(other.get_by_role("heading", level=1)).to_have_text(
        "A quiet place to speak and to be heard"
    )
    cookies = await ana.context.cookies()
    assert cookies == []
    kept = await other.evaluate("() => JSON.stringify(localStorage)")
    assert ana.name not in kept and server.participant not in kept


async def test_a_link_that_does_not_work_is_told_kindly(
    invite: Invite, server: Server, watch: Watch
) -> None:
    ana = await invite("Ana")
    watch.forgive("404")
    token = server.participant
    await ana.page.goto(ana.link.replace(token, token[:-4] + "AAAA"))
    await ana.sees("This link does not open a circle")
    assert ana.devices == []


async def test_names_are_words_and_never_markup(sit: Sit, invite: Invite) -> None:
    (fay,) = await sit("Fay")
    ana = await invite("<img src=x onerror=alert(1)>")
    await ana.join(camera=False)
    await fay.sees_at_the_table(ana)
    assert await fay.page.locator("img").count() == 0


async def test_the_watch_sees_what_it_is_there_for(
    invite: Invite, server: Server, watch: Watch
) -> None:
    ana = await invite("Ana")
    await ana.open_link()
    await ana.sees("Step 1 of 3")
    async with ana.page.expect_event("pageerror"):
        await ana.page.evaluate(
            """async token => {
              await fetch('https://example.invalid/').catch(() => {});
              try { document.body.innerHTML = '<b>' } catch {}
              await fetch('/api/link?' + token).catch(() => {});
              setTimeout(() => { throw new Error('nobody caught me') });
            }""",
            server.participant,
        )
    expected = ("example.invalid", "policy broken", "token given away", "nobody caught me")
    for words in expected:
        assert any(words in each for each in watch.complaints()), words
    watch.forgive(".")
