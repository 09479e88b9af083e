"""Every window of the facilitator's side, on a phone and on a desk, by day and by night."""

import pytest

from tests.browser.conftest import Sit
from tests.browser.lines import Lines, look_inside
from tests.browser.lines import lines as lines
from tests.browser.person import Person
from tests.browser.test_access import Checker
from tests.browser.test_looks import Album
from tests.browser.test_looks import album as album
from tests.scenarios.conftest import server as server  # wire clients here have no keys

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


MAINS = """() => [...(document.querySelector("dialog[open]") ?? document).querySelectorAll(".main")]
  .filter(it => it.checkVisibility()).map(it => it.innerText)"""


class Look:
    """Takes the pictures of a screen, and lets axe look at it in both colours."""

    def __init__(self, fay: Person, album: Album, checker: Checker) -> None:
        self.fay, self.album, self.checker = fay, album, checker

    async def at(self, screen: str, *, main_in_sight: bool = False) -> None:
        await self.album.take(self.fay, f"lead-{screen}", main_in_sight=main_in_sight)
        mains = await self.fay.page.evaluate(MAINS)
        assert len(mains) <= 1, mains
        for scheme in ("light", "dark"):
            await self.fay.page.emulate_media(
                color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
            )
            await self.checker.look(self.fay, f"{screen} {scheme}")

    async def behind(self, key: str, screen: str) -> None:
        """A window that a key opens."""
        await self.fay.page.keyboard.press(key)
        await self.fay.page.get_by_role("dialog").wait_for()
        await self.at(screen)
        await self.fay.page.keyboard.press("Escape")
        await self.fay.page.get_by_role("dialog").wait_for(state="hidden")


async def test_the_windows_of_who_leads_look_right(sit: Sit, lines: Lines, album: Album) -> None:
    [fay] = await sit("Fay")
    ana, ben, cleo = await lines("Ana", "Ben", "Cleo")
    look = Look(fay, album, Checker())
    await fay.tap("Choose a run sheet")
    await fay.sees("Ready to use")
    await look.at("library")
    await look_inside(fay, "Check-in and open discussion")
    await fay.sees("What we agreed")
    await look.at("sheet")
    await fay.tap("Copy and change")
    text = fay.page.get_by_label("Text of the run sheet")
    good = await text.input_value()
    await text.fill(good.replace('"round"', '"rund"'))
    await fay.tap("Choose this text")
    await fay.sees("things to mend:")
    await look.at("faults")
    await text.fill(good.replace("phase_min = 20", "phase_min = 4", 1))
    await fay.tap("Choose this text")
    await fay.sees("does not fit yet")
    await look.at("not-fitting", main_in_sight=True)
    await fay.tap("Run sheet…")
    await look.at("plan")
    await fay.tap("Change… Check-in")
    await look.at("change")
    await fay.page.keyboard.press("Escape")
    await fay.page.keyboard.press("Escape")

    await look.behind("a", "start")
    await look.behind("c", "cards")
    await look.behind("t", "note")
    await look.behind("w", "team")
    await look.behind("?", "keys")
    await look.behind("e", "end")
    await fay.page.keyboard.press("d")
    await fay.tap("Ask at the door")
    await fay.tap("Close")
    await lines("Dev")
    await look.behind("d", "door")

    await fay.page.keyboard.press("a")
    await fay.page.get_by_label("Who begins").select_option(label="Ana")
    await fay.tap("Begin the round")
    await fay.sees("Ana has the piece")
    await look.behind("p", "silence")
    await fay.tap("More…")
    await look.at("turn", main_in_sight=True)
    await fay.page.get_by_title("More for Ben").click()
    await look.at("person")
    await fay.tap("Cover the camera…")
    await look.at("cover")
    await fay.tap("Cancel")
    await fay.page.get_by_title("More for Ben").click()
    await fay.tap("Roles…")
    await look.at("roles")
    await fay.tap("Cancel")
    await ana.do("pass_turn", turn=ana.view["turn"]["number"])
    await ben.do("ask_pause")
    await fay.sees("Somebody asks for a pause.")
    await look.at("asked", main_in_sight=True)
    await fay.tap("Pause now")
    await fay.tap("Pause all the same")
    await fay.sees("We pause for a moment")
    await look.at("paused", main_in_sight=True)
    await fay.tap("Go on")
    await fay.page.keyboard.press("s")
    await fay.sees("The room is safe")
    await look.at("safe", main_in_sight=True)
    await fay.page.keyboard.press("e")
    await fay.tap("Yes, end it")
    await fay.sees("The circle has ended")
    await look.at("ended")
    await fay.tap("Debrief")
    await fay.sees("Are we worried about somebody?")
    await look.at("debrief")
    assert look.checker.found == []
    assert album.wrong == []
