"""How private a circle is, as people read it: at the door and behind the badge; and inviting."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import Person
from tests.browser.test_access import Checker
from tests.browser.test_leading_looks import Look
from tests.browser.test_looks import Album
from tests.browser.test_looks import album as album
from tests.browser.watch import Watch
from tests.scenarios.conftest import server as server  # a circle in clear
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

REASON = "Why, in the words of the host: “It is a test.”"
NO_TRANSFORM = """
delete globalThis.RTCRtpScriptTransform;
if (globalThis.RTCRtpSender) delete RTCRtpSender.prototype.createEncodedStreams;
"""
Come = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose circles are encrypted, as they are unless somebody says otherwise."""
    server = Server(tmp_path_factory.mktemp("sealed"), encrypted=True)
    server.start()
    yield server
    server.end()


@pytest_asyncio.fixture(loop_scope="session")
async def come(chromium: Browser) -> AsyncIterator[Come]:
    """`await come(server, link)` opens a link; before: a script that runs ahead of the page's."""
    people: list[Person] = []
    watches: list[Watch] = []

    async def person(server: Server, link: str, before: str = "") -> Person:
        watches.append(Watch(server.url, (server.facilitator, server.participant)))
        context = await chromium.new_context(locale="en-GB")
        if before:
            await context.add_init_script(before)
        people.append(await Person.arrive("Ana", f"{server.url}/join#{link}", context, watches[-1]))
        await people[-1].open_link()
        return people[-1]

    yield person
    for each in people:
        await each.context.close()
    assert [complaint for watch in watches for complaint in watch.complaints()] == []


async def test_who_comes_to_a_circle_without_encryption_reads_why_before_anything_else(
    invite: Invite, album: Album
) -> None:
    ana = await invite("Ana")
    look = Look(ana, album, Checker())
    await ana.open_link()
    await ana.sees("This circle is not end-to-end encrypted")
    await ana.sees(REASON)
    first = ana.page.locator("main > :is(section, ul)").first
    await expect(first).to_contain_text(REASON)
    await look.at("door-off")
    await ana.tap("Next")
    await ana.tap("Read our agreement")
    await ana.sees(REASON)
    await ana.sees("By sitting down I agree to that, too.")
    await look.at("door-off-agreeing")
    await ana.tap("I agree and sit down")
    await ana.sits()
    await ana.tap("Not end-to-end encrypted")
    await ana.sees("No. This circle is not end-to-end encrypted.")
    await ana.sees(REASON)
    await expect(ana.page.get_by_role("dialog").get_by_text("Safety words")).to_have_count(0)
    await look.at("badge-off")
    assert look.checker.found == []
    assert album.wrong == []


async def test_captions_are_captions_also_in_a_circle_without_encryption(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await write(fay, "Welcome, everybody.", to="everybody, as captions")
    await write(ana, "I had a long day.", to="everybody, instead of speaking")
    for person in (fay, ana):
        large = person.page.get_by_role("region", name="In writing").locator("p")
        await expect(large).to_have_text(["Welcome, everybody.", "I had a long day."])
    await write(ana, "By the way.", to="everybody in the circle")
    lines = fay.page.locator(".written li")
    await expect(lines).to_contain_text(["(captions)", "(instead of speaking)", "By the way."])
    await expect(fay.page.get_by_role("region", name="In writing").locator("p")).to_have_count(2)


async def write(person: Person, words: str, to: str) -> None:
    box = person.page.locator("details.writing")
    if not await box.evaluate("it => it.open"):
        await box.locator("summary").click()
    await person.page.get_by_label("It goes to").select_option(label=to)
    await person.page.get_by_label("Write", exact=True).fill(words)
    await person.tap("Send")
    await expect(person.page.locator(".written")).to_contain_text(words)


async def test_who_leads_makes_a_link_and_somebody_comes_in_by_it(
    sit: Sit, invite: Invite, server: Server, album: Album
) -> None:
    [fay] = await sit("Fay")
    look = Look(fay, album, Checker())
    await fay.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await fay.tap("Invite…")
    await look.at("invite")
    await fay.tap("Make a link for participants")
    link = await fay.page.get_by_label("Link for participants").input_value()
    # The focus did not fall to the top of the page with the button that was there.
    assert await fay.page.evaluate("() => document.activeElement?.innerText") == "Copy the link"
    await fay.tap("Copy the link")
    await fay.sees("Copied")
    assert await fay.page.evaluate("() => navigator.clipboard.readText()") == link
    await look.at("invite-made")
    # Without encryption there is no key to add or to make anew.
    for words in ("Add the key to a host’s link…", "Make a new key…"):
        await expect(fay.page.get_by_role("button", name=words)).to_have_count(0)

    await fay.tap("A link to lead with you…")
    await look.at("invite-to-lead")
    await fay.tap("Make this link")
    other = await fay.page.get_by_role("textbox", name="Link for a co-facilitator").input_value()
    assert other != link
    await fay.tap("Back")
    await fay.tap("Close")

    ana = await invite("Ana")
    ana.link = f"{server.url}/join#{link.partition('#')[2]}"  # the server calls itself localhost
    await ana.join(camera=False)
    await fay.sees_at_the_table(ana)
    await expect(ana.page.get_by_role("button", name=re.compile("^Invite"))).to_have_count(0)
    assert look.checker.found == []
    assert album.wrong == []


async def test_a_link_that_cannot_be_copied_is_chosen_to_be_copied_by_hand(sit: Sit) -> None:
    [fay] = await sit("Fay")
    await fay.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    )
    await fay.key("u")
    await fay.tap("Make a link for participants")
    await fay.tap("Copy the link")
    await fay.sees("The link is chosen. Copy it as you copy other words.")
    field = fay.page.get_by_label("Link for participants")
    await expect(field).to_be_focused()
    chosen = await fay.page.evaluate("() => getSelection().toString()")
    assert chosen == await field.input_value()


async def test_a_browser_that_cannot_encrypt_stops_at_a_page_that_says_which_can(
    sealed: Server, come: Come, album: Album
) -> None:
    ana = await come(sealed, f"{sealed.participant}.{'A' * 43}", before=NO_TRANSFORM)
    look = Look(ana, album, Checker())
    await ana.sees("This browser cannot keep the circle private")
    await ana.sees("A current Firefox can")
    await look.at("no-encryption")
    await no_way_past(ana)
    assert look.checker.found == []
    assert album.wrong == []


async def test_a_link_without_its_key_stops_at_a_page_that_says_whom_to_ask(
    sealed: Server, come: Come, album: Album
) -> None:
    ana = await come(sealed, sealed.participant)
    look = Look(ana, album, Checker())
    await ana.sees("A part of your link is missing")
    await ana.sees("Ask whoever invited you for the whole link")
    await look.at("key-missing")
    await no_way_past(ana)
    assert look.checker.found == []
    assert album.wrong == []


async def test_a_server_that_says_otherwise_than_the_link_is_not_gone_to(
    server: Server, come: Come, album: Album
) -> None:
    ana = await come(server, f"{server.participant}.{'A' * 43}")
    look = Look(ana, album, Checker())
    await ana.sees("Please do not come in just now")
    await look.at("downgraded")
    await no_way_past(ana)
    assert look.checker.found == []
    assert album.wrong == []


async def no_way_past(person: Person) -> None:
    """Help, the way out, and nothing else to press."""
    buttons = await person.page.get_by_role("button").all_inner_texts()
    assert buttons == ["Help in a crisis", "Quick exit"]
    assert person.seat == ""
