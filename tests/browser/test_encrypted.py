"""What people see of the encryption, and what a browser without the right key gets: nothing."""

import asyncio
import base64
import json
import re
from collections import Counter

import pytest
from playwright.async_api import WebSocketRoute, expect

from peermeet.protocol import Profile
from peermeet.robots.line import Link
from peermeet.robots.robot import Robot
from peermeet.robots.sframe import Kind, Sender, decode_header
from tests.browser.conftest import Invite, Sit
from tests.browser.person import Person, frames, packets, until
from tests.browser.watch import Watch
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OTHER_SECRET = "A" * 43

# A browser whose worker is never called, without an error, as when it is hooked in too late.
DEAF_TRANSFORM = """
Object.defineProperty(RTCRtpSender.prototype, 'transform', { set() {}, get() { return null; } });
"""
NO_TRANSFORMS = """
delete globalThis.RTCRtpScriptTransform;
delete RTCRtpSender.prototype.createEncodedStreams;
"""
OLDER_CHROMIUM = "delete globalThis.RTCRtpScriptTransform;"


async def sealed(person: Person) -> dict[str, int]:
    found: dict[str, int] = await person.page.evaluate("() => peermeetSealed()")
    return found


async def safety_words(person: Person) -> list[str]:
    """Read from the page, and the window closed again."""
    await person.page.get_by_role("button", name="End-to-end encrypted").click()
    words = person.page.get_by_role("dialog").locator(".spoken li")
    await expect(words.first).to_be_visible()
    read = await words.all_inner_texts()
    await person.tap("Close")
    return read


async def make_new_key(fay: Person) -> None:
    await fay.key("u")
    await fay.tap("Make a new key…")
    await fay.tap("Make a new key")
    await fay.hears_said("The group has a new key. Who is here has it already.")
    await fay.tap("Close")


async def is_back_at_the_panel(fay: Person) -> None:
    """What was answered has gone, and the focus did not fall to the page."""
    await expect(fay.page.locator(".fac h2")).to_be_focused()


async def speak_in_turn(fay: Person, speaker: Person) -> None:
    await fay.start_round(first=speaker)
    await speaker.tap("I am ready")


async def test_the_badge_says_encrypted_once_it_is_so(sit: Sit, invite: Invite) -> None:
    fay = await invite("Fay")
    await fay.join(camera=False)
    await expect(fay.page.get_by_role("button", name="Checking…")).to_be_visible()
    ana = await invite("Ana")
    await ana.join(camera=False)
    await fay.sees_at_the_table(ana)
    await speak_in_turn(fay, ana)
    await fay.hears(ana)
    for person in (fay, ana):
        badge = person.page.get_by_role("button", name="End-to-end encrypted")
        await expect(badge).to_be_visible()
    assert (await sealed(ana))["sealed"] > 0
    assert (await sealed(fay))["opened"] > 0


async def test_all_read_the_same_safety_words_and_others_when_somebody_comes(
    sit: Sit, invite: Invite
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await asyncio.gather(fay.sees_picture_of(ana), ana.sees_picture_of(fay))
    words = await safety_words(fay)
    assert len(words) >= 4
    assert await safety_words(ana) == words
    ben = await invite("Ben")
    await ben.join()
    await ben.sees_picture_of(ana)
    others = await safety_words(ben)
    assert others != words
    assert await safety_words(fay) == others
    assert await safety_words(ana) == others


async def test_who_has_another_key_gets_no_picture_no_voice_and_a_kind_word(
    sit: Sit, invite: Invite, server: Server
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await speak_in_turn(fay, ana)
    mallory = await invite("Mallory")
    mallory.link = mallory.link.replace(server.secret, OTHER_SECRET)
    await mallory.join(camera=False)
    await mallory.sees("Your link has a different key")
    await fay.sees("Somebody came whose key does not fit; they hear nothing.")
    await fay.tap("I have seen it")
    await is_back_at_the_panel(fay)

    async def has_come() -> bool:
        return packets(await mallory.counts(ana)) >= 100

    await until(has_come, "sealed sound of Ana comes to Mallory")
    await fay.hears(ana)
    counts = await mallory.counts(ana)
    assert frames(counts) == 0 and counts["totalAudioEnergy"] == 0
    assert (await sealed(mallory))["opened"] == 0

    async def counts_failures() -> bool:
        return (await sealed(mallory))["late"] > 50

    await until(counts_failures, "what does not open is counted")
    assert [(await sealed(person))["late"] for person in (fay, ana)] == [0, 0]
    names = mallory.page.locator(".seats .name")
    for name in ("Ana", "Fay"):
        await expect(names.get_by_text(name, exact=True)).to_have_count(0)


async def test_who_has_another_key_costs_the_others_one_key_frame_more_than_anybody(
    invite: Invite, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[Sender] = Counter()
    seal = Sender.seal

    def counted(sender: Sender, kind: Kind, frame: bytes, now: int) -> bytes:
        # Bit 0 of a picture tells (RFC 6386, section 9.1).
        made[sender] += kind == "video" and not frame[0] & 1
        return seal(sender, kind, frame, now)

    monkeypatch.setattr(Sender, "seal", counted)
    link = Link.parse(server.invitation("Kit"))
    async with (
        Robot(link, Profile("Kit", "teal"), pairs=1) as kit,
        Robot(link, Profile("Lou", "sky"), seed=1, pairs=1) as lou,
    ):
        for robot in (kit, lou):
            await robot.switch_camera(True)
        seat = lou.seat
        assert seat is not None
        await kit.until(lambda: kit.seen[seat] >= 8)

        async def cost(viewer: Person) -> int:
            """Key frames of the one who made most, while a viewer comes and looks for a while."""
            before, at = made.copy(), kit.seen[seat]
            await viewer.join(camera=False)
            await kit.until(lambda: kit.seen[seat] >= at + 60, 30)
            return max((made - before).values(), default=0)

        ben, mallory = await invite("Ben"), await invite("Mallory")
        mallory.link = mallory.link.replace(server.secret, OTHER_SECRET)
        usual = await cost(ben)
        assert (await sealed(ben))["opened"] >= 60
        assert await cost(mallory) <= usual + 1
        await mallory.sees("Your link has a different key")
        assert (await sealed(mallory))["opened"] == 0


async def test_what_is_written_is_read_by_members(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.page.get_by_text("Written words").click()
    await fay.page.get_by_label("Write", exact=True).fill("Take your time.")
    await fay.tap("Send")
    for person in (fay, ana):
        await expect(person.page.locator(".written")).to_contain_text("Take your time.")


async def test_what_is_written_before_its_key_is_read_once_the_key_has_come(invite: Invite) -> None:
    fay, ana, ben = [await invite(name) for name in ("Fay", "Ana", "Ben")]
    lost: list[object] = []
    generations: list[int] = []
    is_lossy = False

    def between(socket: WebSocketRoute) -> None:
        """Ana's line, on which the first key is lost that a departure makes due."""
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            nonlocal is_lossy
            frame = json.loads(text)
            if frame["kind"] == "said":
                header = decode_header(base64.urlsafe_b64decode(frame["sealed"] + "=="))
                assert header is not None
                generations.append(header[0] >> 8 & 0xFFFF)
            if is_lossy and frame["kind"] == "keys":
                lost.append(frame)
                is_lossy = False
            else:
                socket.send(text)

        server.on_message(pass_on)

    await ana.page.route_web_socket("**/ws", between)
    for person in (fay, ana, ben):
        await person.join(camera=False)
    await fay.sees_at_the_table(ana, ben)
    is_lossy = True
    await ben.tap("Leave")
    await ben.page.get_by_role("button", name=re.compile("^Leave")).last.click()
    await ben.sees("You have left")

    async def is_lost() -> bool:
        return len(lost) == 1

    await until(is_lost, "Ana lacks the key that Fay made when Ben left")
    await fay.page.get_by_text("Written words").click()
    lines = ana.page.locator(".written li")

    async def writes_with_the_fresh_key() -> bool:
        number = len(generations) + 1
        await fay.page.get_by_label("Write", exact=True).fill(f"Take your time, {number}.")
        await fay.tap("Send")
        await until(lambda: came(number), "the line comes to Ana's page")
        return generations[-1] > 0

    async def came(number: int) -> bool:
        return len(generations) >= number

    # It is used a second after it was handed over.
    await until(writes_with_the_fresh_key, "Fay writes with the key that Ana lacks")
    wanted = [f"Fay Take your time, {number}." for number in range(1, len(generations) + 1)]
    await expect(lines).to_have_text(wanted)


async def test_a_new_key_reaches_who_is_here_and_is_handed_to_who_returns(
    sit: Sit, invite: Invite
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await make_new_key(fay)
    await asyncio.gather(fay.sees_picture_of(ana), ana.sees_picture_of(fay))
    # Ben's link is from before; he has met nobody here, and so takes no key from anybody.
    ben = await invite("Ben")
    await ben.open_link()
    await ben.sees("Your link has an older key.")
    await ben.join()
    await ben.sees("Your link has a different key")
    await fay.sees("Ben came with an older key.")
    await fay.tap("Not now")
    await is_back_at_the_panel(fay)
    # A link of today lets him in.
    await fay.key("u")
    await fay.tap("Make a link for participants")
    link = await fay.page.get_by_label("Link for participants").input_value()
    ben.link = link.replace("localhost", "127.0.0.1")
    await ben.join()
    await ben.sees_picture_of(ana)


async def test_a_returning_member_is_handed_the_new_key(sit: Sit, invite: Invite) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    ben = await invite("Ben")
    await ben.join()
    await ben.sees_picture_of(fay)
    await ben.tap("Leave")
    await ben.page.get_by_role("button", name=re.compile("^Leave")).last.click()
    await ben.sees("You have left")
    await fay.sees_at_the_table(ana)
    await make_new_key(fay)
    await ben.join()
    await ben.sees("Your link has a different key")
    await fay.sees("Ben came with an older key.")
    await fay.sees("Their device has been here before.")
    await fay.context.set_offline(True)
    await fay.tap("Hand over")
    await fay.sees("That did not work just now. Try again in a moment.")
    await fay.context.set_offline(False)
    await expect(fay.page.get_by_text("The connection broke")).to_have_count(0)
    await fay.tap("Hand over")
    await ben.sees_picture_of(fay)
    await fay.sees_picture_of(ben)
    await is_back_at_the_panel(fay)


async def test_a_removed_member_is_known_again_by_their_device(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.tap_face(ana)
    await fay.tap("Remove for today…")
    await fay.tap("Remove for today")
    await ana.sees("You cannot be in this circle today")
    await make_new_key(fay)
    await fay.key("d")
    await fay.tap("Open it")
    await fay.tap("Close")
    ana.name = "Bea"
    await ana.join(camera=False)
    await fay.sees("Bea came with an older key.")
    await fay.sees("Their device was removed here before, under this or another name.")
    # She may come back: then it is no removed device any more.
    await fay.key("d")
    await fay.tap("Let Ana back")
    await fay.tap("Close")
    await fay.sees("Their device has been here before.")


async def test_what_cannot_be_sealed_is_taken_off_and_reaches_nobody(
    sit: Sit, invite: Invite
) -> None:
    (fay,) = await sit("Fay", cameras=True)
    ana = await invite("Ana")
    await ana.page.add_init_script(DEAF_TRANSFORM)
    await ana.join()
    await ana.sees("To be seen again, load the page again.")
    await fay.sees_at_the_table(ana)
    counts = await fay.counts(ana)
    assert (packets(counts), frames(counts)) == (0, 0)


async def test_a_browser_that_cannot_encrypt_is_told_so_before_the_door(invite: Invite) -> None:
    ana = await invite("Ana")
    await ana.page.add_init_script(NO_TRANSFORMS)
    await ana.open_link()
    await ana.sees("This browser cannot keep the circle private")
    assert ana.devices == []


async def test_older_chromium_encrypts_by_its_own_interface(sit: Sit, invite: Invite) -> None:
    (fay,) = await sit("Fay", cameras=True)
    ana = await invite("Ana")
    await ana.page.add_init_script(OLDER_CHROMIUM)
    await ana.join()
    await asyncio.gather(fay.sees_picture_of(ana), ana.sees_picture_of(fay))
    assert (await sealed(ana))["sealed"] > 0


async def test_a_link_without_its_key_is_not_enough(invite: Invite, server: Server) -> None:
    ana = await invite("Ana")
    ana.link = ana.link.rpartition(".")[0]
    await ana.open_link()
    await ana.sees("A part of your link is missing")
    # Who leads may make a new one; it is another circle's worth of links then. The page says
    # whether it worked.
    fay = await invite("Fay")
    fay.link = fay.link.rpartition(".")[0]
    await fay.open_link()
    await fay.sees("A part of your link is missing")
    await fay.tap("Make a new key for the group…")
    await fay.page.route("**/api/check", lambda route: route.fulfill(json={}))
    await fay.tap("Make a new key")
    await fay.sees("That did not work just now.")
    await fay.page.unroute("**/api/check")
    await fay.tap("Make a new key")
    await fay.sees("Step 1 of 3")


async def test_a_server_that_takes_the_encryption_back_is_not_believed(
    invite: Invite, server: Server, watch: Watch
) -> None:
    ana = await invite("Ana")

    async def lie(route: object) -> None:
        answer = await route.fetch()  # type: ignore[attr-defined]
        told = await answer.json()
        told["encryption"] = {"on": False, "check": None, "reason": "Trust us."}
        await route.fulfill(response=answer, json=told)  # type: ignore[attr-defined]

    await ana.page.route("**/api/link", lie)
    await ana.open_link()
    await ana.sees("Please do not come in just now")
    assert watch.sockets == []


async def test_quick_exit_leaves_no_key_behind(sit: Sit) -> None:
    (ana,) = await sit("Ana")
    keep = "() => localStorage.getItem('secrets')"
    assert OTHER_SECRET not in (await ana.page.evaluate(keep))
    await ana.tap("Quick exit")
    await expect(ana.page).to_have_url(re.compile("/left$"))
    assert await ana.page.evaluate(keep) is None
    found = await ana.page.evaluate("async () => (await indexedDB.databases()).map(d => d.name)")
    assert found == []


async def test_what_the_server_says_in_somebodys_name_is_not_shown(
    sit: Sit, invite: Invite
) -> None:
    (fay,) = await sit("Fay")
    ana = await invite("Ana")
    lines: list[WebSocketRoute] = []

    def between(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    await ana.page.route_web_socket("**/ws", between)
    await ana.join(camera=False)
    await ana.sees_at_the_table(fay)
    forged = {"kind": "said", "seat": fay.seat, "to": "all", "text": "Trust me.", "sealed": None}
    lines[0].send(json.dumps({**forged, "at": fay.view["now"] + 1_000_000, "as": "chat"}))
    await fay.page.get_by_text("Written words").click()
    await fay.page.get_by_label("Write", exact=True).fill("It is me.")
    await fay.tap("Send")
    await expect(ana.page.locator(".written li")).to_have_text(["Fay It is me."])


async def test_a_page_whose_encryption_does_not_start_says_so(invite: Invite, watch: Watch) -> None:
    ana = await invite("Ana")
    watch.forgive("worker")
    await ana.page.route(
        "**/assets/worker-*.js", lambda route: route.fulfill(body="throw 'worker'")
    )
    await ana.come_to_the_agreement(camera=False)
    await ana.tap("I agree and sit down")
    await ana.sees("The encryption did not start")
    assert watch.sockets == []
    await ana.page.unroute("**/assets/worker-*.js")
    await ana.tap("Load the page again")
    await ana.tap("Next")


async def test_a_key_forgotten_in_another_tab_sends_no_name_in_clear(
    sit: Sit, watch: Watch
) -> None:
    (ana,) = await sit("Ana")
    opened = len(watch.sockets)
    await ana.page.evaluate("() => localStorage.clear()")
    await ana.page.reload()
    await ana.sees("A part of your link is missing")
    assert len(watch.sockets) == opened


async def test_a_new_key_reaches_a_second_tab_of_the_same_browser(
    sit: Sit, invite: Invite, watch: Watch
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    other = Person("Fay too", ana.link, fay.context, await fay.context.new_page())
    other.page.on("websocket", other._follow)
    await other.join()
    await other.sees_picture_of(ana)
    await make_new_key(fay)
    await ana.sees_picture_of(other)
    await other.sees_picture_of(ana)
    await expect(fay.page.locator(".fac .hint")).to_have_count(0)
    await expect(other.page.get_by_text("Your link has a different key")).to_have_count(0)
