"""Everybody can use the pages: by keyboard alone, by screen reader, in light and dark."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Invite, Sit
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
FOCUSED = """() => {
  const it = document.activeElement;
  const label = it.labels?.[0]?.innerText ?? '';
  return (it.getAttribute('aria-label') ?? (label || it.innerText || '')).trim();
}"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
MOST_TABS = 40


async def go_to(person: Person, words: str) -> None:
    """Press Tab until the focus is on something that is called so."""
    for _ in range(MOST_TABS):
        if (await person.page.evaluate(FOCUSED)).startswith(words):
            return
        await person.page.keyboard.press("Tab")
    raise AssertionError(f"{words!r} cannot be reached with Tab")


async def press(person: Person, words: str) -> None:
    await expect(person.page.get_by_role("button", name=words).first).to_be_visible()
    await go_to(person, words)
    await person.page.keyboard.press("Enter")


async def test_a_turn_is_taken_and_passed_by_keyboard_alone(sit: Sit, invite: Invite) -> None:
    (fay,) = await sit("Fay")
    ana = await invite("Ana")
    keys = ana.page.keyboard
    await ana.open_link()
    await press(ana, "Next")
    await expect(ana.page.get_by_label("Name in this circle")).to_be_visible()
    await go_to(ana, "Name in this circle")
    await keys.press("Control+a")
    await keys.type("Ana")
    await press(ana, "Turn camera on")
    await expect(ana.button("Turn camera off")).to_be_visible()
    await press(ana, "Read our agreement")
    await press(ana, "I agree and sit down")
    await fay.sees_at_the_table(ana)

    await go_to(fay, "More…")
    await fay.page.keyboard.press("Enter")
    await press(fay, "Start a round")
    await go_to(fay, "Who begins")
    await fay.page.keyboard.type("You")
    await press(fay, "Begin the round")
    await press(fay, "Pass")
    await press(ana, "I am ready")
    await fay.hears(ana)
    # The main button changes its words and keeps the focus.
    assert (await ana.page.evaluate(FOCUSED)).startswith("I am done")
    await press(ana, "I am done")
    await ana.sees("The round is complete")
    # The focus was not thrown back to the top of the page.
    assert await ana.page.evaluate("() => document.activeElement !== document.body")


async def test_it_is_your_turn_is_called_once_and_nothing_else_interrupts(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    for person in (ana, ben):
        await person.page.evaluate("""() => {
          globalThis.calls = [];
          const region = document.querySelector('.unseen[role=alert]');
          new MutationObserver(() => {
            if (region.textContent) calls.push(region.textContent);
          }).observe(region, { childList: true, characterData: true, subtree: true });
        }""")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await ana.hears_said("It is your turn. Take your time.")
    await fay.tap("+1 min")
    await ana.hears_said("You have some more time.")
    await ana.tap("I am done")
    await ben.sees("It is your turn")
    await ben.tap("Pass")
    await fay.sees("It is your turn")
    for person in (ana, ben):
        assert await person.page.evaluate("() => calls") == ["It is your turn. Take your time."]


class Checker:
    """axe-core on one person's page; collects what it finds on each screen."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.coloured = 0
        """Screens on which it could read the colours at all."""

    async def look(self, person: Person, screen: str) -> None:
        await person.page.evaluate(AXE.read_text())
        # Colours fade in; a picture half way there has a contrast of its own.
        await person.page.evaluate(
            "() => Promise.all(document.getAnimations({ subtree: true })"
            ".filter(each => each.effect?.getComputedTiming().iterations !== Infinity)"
            ".map(each => each.finished.catch(() => {})))"
        )
        result: dict[str, Any] = await person.page.evaluate(
            "rules => axe.run(document, rules)", RULES
        )
        if "color-contrast" in {rule["id"] for rule in result["passes"]}:
            self.coloured += 1
        for violation in result["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:120] for node in violation["nodes"][:3]]
                self.found.append(f"{screen}: {violation['id']} {json.dumps(nodes)}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_barrier_on_any_screen(invite: Invite, scheme: str) -> None:
    checker = Checker()
    fay = await invite("Fay", color_scheme=scheme)
    ana = await invite("Ana", color_scheme=scheme, viewport={"width": 390, "height": 844})
    await fay.join(camera=False)
    await ana.page.goto(ana.link.partition("/join")[0])
    await ana.sees("A quiet place")
    await checker.look(ana, "landing")
    await ana.open_link()
    await ana.sees("Step 1 of 3")
    await checker.look(ana, "join 1")
    await ana.tap("Next")
    await ana.sees("Step 2 of 3")
    await ana.page.get_by_label("Name in this circle").fill("Ana")
    await checker.look(ana, "join 2")
    await ana.tap("Read our agreement")
    await ana.sees("Step 3 of 3")
    await checker.look(ana, "join 3")
    await ana.tap("I agree and sit down")
    await ana.sits()
    await checker.look(ana, "arriving")

    for words in ("Help in a crisis", "I need…", "Settings", "Leave…"):
        await ana.tap(words)
        await checker.look(ana, words)
        await ana.page.keyboard.press("Escape")
    await fay.key("a")
    await checker.look(fay, "start a round")
    await fay.page.keyboard.press("Escape")
    await fay.tap_face(ana)
    await checker.look(fay, "for one person")
    await fay.page.keyboard.press("Escape")

    await fay.start_round(first=ana)
    await ana.sees("It is your turn")
    await checker.look(ana, "own turn")
    await checker.look(fay, "leading a round")
    await ana.tap("Pass")
    await fay.sees("It is your turn")
    await checker.look(ana, "listening")
    await fay.tap("Pause")
    await ana.sees("We pause for a moment")
    await checker.look(ana, "paused")
    await ana.tap("Leave…")
    await ana.tap("Leave now")
    await ana.sees("You have left the circle")
    await checker.look(ana, "good-bye")
    assert checker.found == []
    assert checker.coloured > 10


READING = """
title = "Small circle"
source = "made for this test"
[[phase]]
title = "Opening words"
words = "Who would like to reads a line."
mode = "read"
lines = ["What is said here stays here.", "We speak about ourselves."]
[[phase]]
title = "Open sharing"
mode = "queue"
order = "quiet-first"
chat = "on"
[[phase]]
title = "In pairs"
mode = "pairs"
turn_s = 300
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_barrier_in_what_members_meet(invite: Invite, scheme: str) -> None:
    checker = Checker()
    fay = await invite("Fay", color_scheme=scheme)
    ana = await invite("Ana", color_scheme=scheme, viewport={"width": 390, "height": 844})
    for person in (fay, ana):
        await person.join(camera=False)
    await ana.tap_wish("A quiet word")
    await ana.sees("You asked for a quiet word.")
    await fay.tap("Yes, let us go")
    await ana.sees("A quiet word with Fay")
    await checker.look(ana, "quiet space")
    await ana.tap("Back to the circle")

    await fay.open_sheet(READING)
    await fay.sees("What is said here stays here.")
    await ana.sees("What is said here stays here.")
    await checker.look(ana, "reading")
    await ana.tap("Whole plan…")
    await checker.look(ana, "plan")
    await ana.tap("Close")
    await fay.open_next()
    await ana.page.get_by_label("Write", exact=True).fill("I listen.")
    await ana.tap("Send")
    await ana.sees("I listen.")
    await checker.look(ana, "queue and writing")
    await fay.open_next()
    await ana.sees("Leave pair now")
    await checker.look(ana, "pair")
    await ana.tap_wish("Step out for a moment")
    await ana.sees("You have stepped out")
    await checker.look(ana, "stepped out")
    await fay.key("s")
    await ana.sees("There is no need to leave.")
    await checker.look(ana, "veiled")
    assert checker.found == []
    assert checker.coloured > 5
