"""Fay looks after a circle from her page: the plan, the door, safety, roles and single people.

She sits at a real page; most others are lines without media, as no picture of theirs is needed.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.conftest import Invite, Sit
from tests.browser.lines import Lines, look_inside
from tests.browser.lines import lines as lines
from tests.browser.person import Person, until
from tests.browser.watch import Watch
from tests.scenarios.client import Refused as ClientRefused
from tests.scenarios.conftest import server as server  # wire clients here have no keys
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHARING = """\
title = "Tuesday"

[[phase]]
title = "Welcome"
mode = "talk"
phase_min = 5

[[phase]]
title = "Sharing"
mode = "round"
phase_min = 10
turn_s = 180

[[phase]]
title = "Good-bye"
mode = "round"
turn_s = 15
"""

FOCUSED = """() => {
  const it = document.activeElement;
  return it.getAttribute("aria-label") ?? it.textContent ?? "";
}"""


@pytest.fixture
def robots(server: Server) -> Iterator[Callable[[int], None]]:
    """`robots(3)` come with real media, say little and pass."""
    crowd: list[subprocess.Popen[bytes]] = []

    def come(count: int) -> None:
        link = f"{server.url}/join#{server.participant}"
        turns = ("--turn-seconds", "0.5", "1", "--count", str(count))
        crowd.append(subprocess.Popen([sys.executable, "-m", "peermeet", "robots", link, *turns]))

    yield come
    for each in crowd:
        each.terminate()
        each.wait(30)


def dialog(person: Person) -> Locator:
    return person.page.get_by_role("dialog")


async def write_sheet(fay: Person, text: str) -> None:
    """Through the library, as text, to being chosen."""
    await fay.tap("Choose a run sheet")
    await fay.tap("Write or bring a run sheet…")
    await fay.page.get_by_label("Text of the run sheet").fill(text)
    await fay.tap("Choose this text")
    await expect(dialog(fay)).to_have_count(0)


async def view_has(fay: Person, check: Callable[[], object], what: str) -> None:
    async def holds() -> bool:
        return bool(check())

    await until(holds, what)


async def test_fay_chooses_a_run_sheet_and_makes_it_her_groups_own(
    sit: Sit, tmp_path: Path
) -> None:
    [fay] = await sit("Fay")
    await fay.tap("Choose a run sheet")
    await look_inside(fay, "Check-in and check-out")
    await fay.sees("How do you arrive?")
    async with fay.page.expect_download() as saving:
        await fay.tap("Save as a file")
    saved = await saving.value
    assert saved.suggested_filename == "check-in-and-check-out.toml"
    await saved.save_as(tmp_path / "mine.toml")

    # What is wrong stands beside the text, with its line, and leads there.
    await fay.tap("Copy and change")
    text = fay.page.get_by_label("Text of the run sheet")
    good = await text.input_value()
    assert good == (tmp_path / "mine.toml").read_text()
    await text.fill(good.replace("turn_s = 120", "turn_s = 1"))
    await fay.tap("Choose this text")
    await fay.sees("One thing to mend:")
    line = good.splitlines().index("turn_s = 120") + 1
    fault = fay.page.get_by_role("button", name=f"Line {line}: turn_s = 1")
    await fault.click()
    await expect(text).to_be_focused()
    selected = "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert await text.evaluate(selected) == "turn_s = 1"
    await text.fill(good.replace("turn_s = 120", "turn_s = 90").replace("Check-in and", "Our"))
    await fay.tap("Choose this text")
    await expect(fay.button("Open: Welcome")).to_be_visible()

    # It is the group's now, and can be forgotten; a file brings the old one back.
    await fay.tap("Run sheet…")
    await fay.tap("Choose another run sheet…")
    await look_inside(fay, "Our check-out")
    await fay.tap("Forget it…")
    await fay.tap("Forget it")
    await expect(fay.page.get_by_role("button", name="Our check-out")).to_have_count(0)
    await fay.page.get_by_label("Bring one from a file").set_input_files(tmp_path / "mine.toml")
    await expect(text).to_have_value(good)


async def test_a_part_that_does_not_fit_is_told_with_what_would_fit(sit: Sit, lines: Lines) -> None:
    [fay] = await sit("Fay")
    await lines("Ana", "Ben", "Cleo", "Dev")
    await write_sheet(fay, SHARING)
    await fay.sees("5 people at 3 minutes need 16 minutes; this part has 10.")
    await fay.tap("Take turns of 1 minute 45")
    await view_has(fay, lambda: fay.view["sheet"]["phases"][1]["turn_ms"] == 105_000, "shorter")
    await expect(fay.page.get_by_text("does not fit yet")).to_have_count(0)


async def test_fay_changes_the_plan_while_it_runs(sit: Sit, lines: Lines) -> None:
    [fay] = await sit("Fay")
    [ana] = await lines("Ana")
    await write_sheet(fay, SHARING)
    await fay.tap("Open: Welcome")
    await fay.tap("Run sheet…")
    await fay.tap("Change… Welcome")
    await fay.tap("More minutes")
    await fay.tap("Change it")
    await fay.tap("Change… Sharing")
    for _ in range(2):
        await fay.tap("Shorter turns")
    await fay.page.get_by_label("Firm").check()
    await fay.page.get_by_label("Who comes next").select_option("seeded-random")
    await fay.tap("Change it")
    await fay.tap("Leave out: Good-bye")

    def is_changed() -> bool:
        welcome, *others = ana.view["sheet"]["phases"]
        return welcome["length_ms"] == 600_000 and [
            (p["turn_ms"], p["timeout"], p["order"]) for p in others
        ] == [(120_000, "firm", "seeded-random")]

    await ana.until(is_changed)
    assert "phase_changed" in {notice["kind"] for notice in ana.notices}
    await dialog(fay).get_by_role("button", name="Open: Sharing").click()
    await expect(dialog(fay)).to_have_count(0)
    await ana.until(lambda: ana.view["phase"]["mode"] == "round")


async def test_one_key_makes_the_room_safe_even_under_a_window(sit: Sit, lines: Lines) -> None:
    [fay] = await sit("Fay")
    ana, ben, cleo = await lines("Ana", "Ben", "Cleo")
    # In a text it is a letter.
    await fay.page.keyboard.press("w")
    await fay.page.get_by_label("My private notes").fill("")
    await fay.page.get_by_label("My private notes").press_sequentially("so")
    await fay.tap("Close")
    assert not fay.view["safe"]
    await fay.page.keyboard.press("?")
    await expect(dialog(fay)).to_contain_text("Safe the room")
    await fay.page.keyboard.press("s")
    await ana.until(lambda: ana.view["safe"])
    await fay.page.keyboard.press("Escape")
    await fay.sees("The room is safe")
    with pytest.raises(ClientRefused, match="veiled"):
        await ana.do("set_mic", on=True)

    await fay.tap("Let Ana back")
    await fay.tap("Let Cleo back")
    await fay.tap("Go on")
    await ben.until(lambda: not ben.view["safe"])
    await fay.sees("One person is still kept out of sight.")
    await ana.do("set_mic", on=True)
    with pytest.raises(ClientRefused, match="veiled"):
        await ben.do("set_mic", on=True)
    await fay.tap("Let Ben back")
    await ben.do("set_mic", on=True)

    await fay.page.keyboard.press("s")
    await cleo.until(lambda: cleo.view["safe"])
    await fay.tap("Let everybody back and go on")
    await cleo.do("set_mic", on=True)


async def test_who_knocks_is_let_in_and_who_was_removed_can_come_back(
    sit: Sit, lines: Lines
) -> None:
    [fay] = await sit("Fay")
    await fay.tap("Door…")
    await fay.tap("Ask at the door")
    await fay.sees("newcomers wait until you let them in")
    await fay.tap("Close")
    [ana] = await lines("Ana")
    assert ana.view["waiting"]
    await fay.tap("Door: one waits…")
    await fay.tap("Let Ana in")
    await ana.until(lambda: not ana.view["waiting"])
    await fay.tap("Close in 10 min")
    await fay.sees("It closes in about 10 minutes.")
    await fay.tap("Close")

    await fay.page.get_by_title("More for Ana").click()
    await fay.tap("To the waiting area")
    await ana.until(lambda: ana.view["waiting"])
    await fay.tap("Door: one waits…")
    await fay.tap("Let Ana in")
    await ana.until(lambda: not ana.view["waiting"])
    await fay.tap("Close")
    await fay.page.get_by_title("More for Ana").click()
    await fay.tap("Remove for today…")
    await fay.tap("Remove for today")
    await ana.until(lambda: ana.bye)
    await fay.tap("Door…")
    await fay.sees("Came by the link")
    await fay.tap("Let Ana back")
    await expect(fay.button("Let Ana back")).to_have_count(0)
    await ana.join()
    assert ana.view["you"] == ana.seat


async def test_who_helps_sees_just_their_controls(sit: Sit, lines: Lines) -> None:
    fay, ana = await sit("Fay", "Ana")
    await lines("Ben")
    await fay.tap_face(ana)
    await fay.tap("Roles…")
    await fay.page.get_by_label("Timekeeper").check()
    await fay.page.get_by_label("Greeter").check()
    await fay.tap("Give these roles")
    await ana.sees("Door…")
    for others in ("Safe the room", "Pause", "Run sheet…", "Cards…"):
        await expect(ana.button(others)).to_have_count(0)
    await fay.start_round(first=fay)
    await expect(ana.button("+1 min")).to_be_visible()
    await ana.page.keyboard.press("n")
    await fay.sees("has the piece")

    await fay.tap_face(ana)
    await fay.tap("Hand over facilitation…")
    await fay.tap("Hand over")
    await expect(ana.button("Safe the room")).to_be_visible()
    await view_has(fay, lambda: roles_of(fay, fay) == ["co-facilitator"], "Fay is co-facilitator")
    assert set(roles_of(ana, ana)) == {"facilitator", "timekeeper", "greeter"}


def roles_of(viewer: Person, of: Person) -> list[str]:
    return next(seat["roles"] for seat in viewer.view["seats"] if seat["id"] == of.seat)


async def test_a_pause_that_is_asked_for_and_the_silence_of_a_turn(sit: Sit, lines: Lines) -> None:
    [fay] = await sit("Fay")
    ana, ben = await lines("Ana", "Ben")
    await fay.tap("Start a round")
    await fay.page.get_by_label("Who begins").select_option(label="Ana")
    await fay.tap("Begin the round")
    await ben.do("ask_pause")
    await fay.sees("Somebody asks for a pause.")
    await fay.tap("Go on without a pause")
    await expect(fay.page.get_by_text("Somebody asks for a pause.")).to_have_count(0)
    # Ana has not begun: her silence may be part of her turn.
    await fay.page.keyboard.press("p")
    await fay.sees("Silence may be part of this turn")
    await fay.tap("Wait")
    assert not ana.view["paused"]
    await ben.do("ask_pause")
    await fay.tap("Pause now")
    await fay.tap("Pause all the same")
    await ana.until(lambda: ana.view["paused"])
    await fay.tap("Go on")
    await ana.until(lambda: not ana.view["paused"])


async def test_cards_a_quiet_word_and_the_teams_channel(sit: Sit, lines: Lines) -> None:
    fay, ana = await sit("Fay", "Ana")
    [ben] = await lines("Ben")
    await fay.page.keyboard.press("c")
    await fay.page.get_by_role("button", name="Experience, not advice").click()
    await ben.until(lambda: ben.view["card"] == "advice")
    await fay.page.keyboard.press("c")
    await fay.tap("Take the card back")
    await ben.until(lambda: ben.view["card"] is None)
    await fay.tap("Close")

    await fay.tap_face(ana)
    await fay.tap("Card in private…")
    await fay.page.get_by_role("button", name="One voice at a time").click()
    await view_has(ana, lambda: ana.view["your_card"] == "cross-talk", "Ana has the card")
    assert ben.view["card"] is None
    assert ben.view["your_card"] is None

    await fay.tap_face(ana)
    await fay.tap("Roles…")
    await fay.page.get_by_label("Guardian").check()
    await fay.tap("Give these roles")
    await fay.tap("Team…")
    await fay.page.get_by_label("Write to the team").fill("Keep an eye on Ben?")
    await fay.page.keyboard.press("Enter")
    await fay.tap("Close")
    await ana.tap("Team: new…")
    await ana.sees("Keep an eye on Ben?")
    await ana.tap("Close")
    await expect(ana.button("Team…")).to_be_visible()


async def test_a_grounding_is_put_in_and_pairs_are_called_back(sit: Sit, lines: Lines) -> None:
    [fay] = await sit("Fay")
    ana, ben = await lines("Ana", "Ben")
    await fay.tap("Start a round")
    await fay.page.get_by_label("Who begins").select_option(label="Ana")
    await fay.tap("Begin the round")
    await ana.do("set_mic", on=True)
    await fay.page.keyboard.press("i")
    await ana.until(lambda: ana.view["phase"]["insert"])
    await expect(fay.button("Open: Quiet")).to_be_visible()
    await fay.tap("Open: Quiet")
    await ana.until(lambda: ana.view["phase"]["mode"] == "silence")
    await fay.tap("Open: Coming back")
    await expect(fay.button("Open: Coming back")).to_have_count(0)
    await fay.tap("Go back to what we did")
    await ana.until(lambda: ana.view["turn"] and ana.view["turn"]["seat"] == ana.seat)

    await fay.page.keyboard.press("r")
    await fay.tap("Choose a run sheet")
    await look_inside(fay, "Listening in pairs")
    await fay.tap("Choose this one")
    await expect(dialog(fay)).to_have_count(0)
    await fay.page.keyboard.press("r")
    await fay.page.get_by_role("button", name="Open: In pairs").click()
    await ben.until(lambda: ben.view["pair"])
    assert ben.view["pair"]["with_you"] == [ana.seat]
    await fay.tap("Call the pairs back")
    await ben.until(lambda: ben.view["pair"]["ends_soon"])


async def test_fay_practises_with_robots_and_finds_the_way_back(invite: Invite) -> None:
    fay = await invite("Fay")
    await fay.open_link()
    await fay.tap("Practise with robots")
    await expect(fay.button("Practise with robots")).to_have_count(0)
    await fay.sees("Step 1 of 3")
    await fay.tap("Next")
    await fay.tap("Read our agreement")
    await fay.tap("I agree and sit down")
    await fay.sees("To try in this practice")
    await fay.sees("Phone guest 1")
    intruder = fay.page.get_by_label("Somebody shouts out of turn")
    await expect(intruder).not_to_be_checked()
    await fay.tap("Safe the room")
    await fay.tap("Let Phone guest 1 back")
    await expect(intruder).to_be_checked()
    await fay.page.keyboard.press("e")
    await fay.tap("Yes, end it")
    await fay.sees("What you tried")
    await expect(intruder).to_be_checked()
    await fay.tap("To the circle of your group")
    await fay.sees("Practise with robots")


async def test_who_finds_no_room_to_practise_is_told(invite: Invite, watch: Watch) -> None:
    fay = await invite("Fay")
    await fay.page.route("**/api/practice", lambda route: route.fulfill(status=503))
    watch.forgive("503")  # Chromium complains of that answer
    await fay.open_link()
    await fay.tap("Practise with robots")
    await fay.sees("No practice circle is free just now.")


async def test_who_leads_is_told_a_quarter_of_an_hour_before_the_end(chromium: Browser) -> None:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), "tests.scenarios.fast")  # a minute is a second
        server.start()
        context = await chromium.new_context(locale="en-GB")
        try:
            watch = Watch(server.url, (server.facilitator,))
            link = f"{server.url}/join#{server.facilitator}"
            fay = await Person.arrive("Fay", link, context, watch)
            await fay.join(camera=False)
            await write_sheet(fay, SHARING.replace("phase_min = 5", "phase_min = 6"))
            await fay.tap("Open: Welcome")
            await fay.sees("A quarter of an hour is left")
            await fay.tap("I have seen it")
            await expect(fay.page.get_by_text("A quarter of an hour is left")).to_have_count(0)
        finally:
            await context.close()
            server.end()
    assert watch.complaints() == []


async def test_fay_leads_a_whole_meeting_by_keyboard_alone(
    invite: Invite, robots: Callable[[int], None]
) -> None:
    fay = await invite("Fay")
    await fay.join(camera=False)
    robots(3)
    await view_has(fay, lambda: len(fay.view["seats"]) == 4, "three robots sit")
    keys = fay.page.keyboard

    async def go_to(words: str) -> None:
        """By Tab alone."""
        for _ in range(80):
            await keys.press("Tab")
            if (await fay.page.evaluate(FOCUSED)).startswith(words):
                return
        raise AssertionError(f"{words} cannot be reached by Tab")

    await keys.press("n")
    await fay.sees("Ready to use")
    await go_to("Look inside Check-in and check-out")
    await keys.press("Enter")
    await fay.sees("Its form comes from")
    await go_to("Choose this one")
    await keys.press("Enter")
    await expect(fay.button("Open: Welcome")).to_be_visible()
    await go_to("Open: Welcome")
    await keys.press("Enter")
    await expect(fay.button("Open: How do you arrive?")).to_be_focused()
    await go_to("Run sheet…")
    await keys.press("Enter")
    await fay.sees("turns of 15 seconds")
    await keys.press("Escape")
    await expect(fay.button("Run sheet…")).to_be_focused()
    await keys.press("o")

    async def lead_round() -> None:
        """Through everybody's turn, one's own among them."""
        passed: set[int] = set()

        async def is_over() -> bool:
            turn = fay.view["turn"]
            if turn and turn["seat"] == fay.seat and turn["number"] not in passed:
                passed.add(turn["number"])
                await go_to("Pass")
                await keys.press("Enter")
            return bool(fay.view["phase"]["over"])

        await until(is_over, "the round is over", within_s=60)
        assert passed

    await lead_round()
    await expect(fay.button("Open: Does anything need the group?")).to_be_visible()
    await keys.press("o")
    await view_has(fay, lambda: fay.view["phase"]["mode"] == "queue", "the queue")
    await keys.press("o")
    await view_has(fay, lambda: fay.view["sheet"]["index"] == 3, "the last part")
    await lead_round()
    await keys.press("e")
    await fay.sees("End the circle for everybody?")
    await go_to("Yes, end it")
    await keys.press("Enter")
    await fay.sees("The circle has ended")
    await go_to("Debrief")
    await keys.press("Enter")
    await fay.sees("Are we worried about somebody?")
