"""Every screen on a phone and on a desk, light and dark: pictures to look at, and what must hold.

The pictures go to a temporary folder, or to the one named by PEERMEET_SHOTS.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Invite, Sit
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
TARGET_PX = 44
ALWAYS_THERE = ("Help in a crisis", "Quick exit")
MEASURE = """() => ({
  wider: document.documentElement.scrollWidth - innerWidth,
  buttons: [...document.querySelectorAll('button')].filter(it => it.checkVisibility()).map(it => {
    const { left, top, right, bottom, width, height } = it.getBoundingClientRect();
    const isIn = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
    return { words: it.innerText.trim(), isIn, isMain: it.classList.contains('main'),
             isSmall: Math.min(width, height) < target,
             isSqueezed: height > width && !it.classList.contains('tile') };
  }),
})""".replace("target", str(TARGET_PX))


class Album:
    """Takes pictures of a screen in all sizes and colours, and notes what is out of place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wrong: list[str] = []

    async def take(self, person: Person, screen: str, *, main_in_sight: bool = True) -> None:
        """main_in_sight: the one main button must be there without scrolling."""
        for size, (width, height) in SIZES.items():
            await person.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                await person.page.emulate_media(
                    color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
                )
                name = f"{screen}-{size}-{scheme}"
                await person.page.screenshot(path=self.folder / f"{name}.png")
                found: dict[str, Any] = await person.page.evaluate(MEASURE)
                self._judge(name, found, main_in_sight)

    def _judge(self, name: str, found: dict[str, Any], main_in_sight: bool) -> None:
        if found["wider"] > 0:
            self.wrong.append(f"{name}: {found['wider']} px too wide")
        for button in found["buttons"]:
            words = button["words"]
            if button["isSmall"]:
                self.wrong.append(f"{name}: {words!r} is smaller than {TARGET_PX} px")
            if button["isSqueezed"]:
                self.wrong.append(f"{name}: {words!r} is squeezed")
            must = words in ALWAYS_THERE or (button["isMain"] and main_in_sight)
            if must and not button["isIn"]:
                self.wrong.append(f"{name}: {words!r} is out of sight")


@pytest.fixture
def album(tmp_path: Path) -> Album:
    folder = Path(os.environ.get("PEERMEET_SHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return Album(folder)


async def test_the_way_in_looks_right(invite: Invite, album: Album) -> None:
    ana = await invite("Ana")
    await ana.page.goto(ana.link.partition("/join")[0])
    await ana.sees("A quiet place")
    await album.take(ana, "landing")
    await ana.open_link()
    await ana.sees("Step 1 of 3")
    await album.take(ana, "join-1", main_in_sight=False)
    await ana.tap("Next")
    await ana.tap("Turn camera on")
    await ana.tap("Test my microphone")
    await album.take(ana, "join-2", main_in_sight=False)
    await ana.tap("Read our agreement")
    await ana.sees("Step 3 of 3")
    await album.take(ana, "join-3", main_in_sight=False)
    assert album.wrong == []


async def test_the_circle_looks_right(sit: Sit, album: Album) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    await ana.sees_picture_of(fay)
    await ana.sees_picture_of(ben)
    await album.take(fay, "fay-gathering")
    await fay.key("a")
    await album.take(fay, "fay-start", main_in_sight=False)
    await fay.tap("Cancel")
    await fay.start_round(first=ana)
    await ana.sees("It is your turn")
    await album.take(ana, "ana-asked")
    await ana.tap("I am ready")
    await ben.sees("Ana is speaking")
    await album.take(ana, "ana-speaking")
    await album.take(ben, "ben-listening")
    await album.take(fay, "fay-leading")
    await fay.tap_face(ben)
    await album.take(fay, "fay-for-ben")
    await fay.tap("Close")
    await ana.tap("Help in a crisis")
    await album.take(ana, "ana-crisis")
    await ana.tap("Close")
    await fay.tap("Pause")
    await ben.sees("We pause for a moment")
    await album.take(ben, "ben-paused")
    await ben.tap("Leave…")
    await ben.tap("Leave now")
    await album.take(ben, "ben-left")
    assert album.wrong == []


READING = """
title = "Evening circle"
source = "made for this test"
[[phase]]
title = "Opening words"
words = "The piece lies in the middle. Raise your hand if you would like to read a part."
mode = "read"
phase_min = 5
lines = ["What is said here stays here. You may speak about your own time in the group."]
[[phase]]
title = "Open sharing"
words = "Raise your hand when you would like to share."
mode = "queue"
phase_min = 42
chat = "on"
passes = ["to-anyone"]
[[phase]]
title = "In pairs"
mode = "pairs"
turn_s = 300
"""


async def test_what_members_meet_looks_right(sit: Sit, album: Album) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await ana.tap("I need…")
    await album.take(ana, "ana-needs", main_in_sight=False)
    await ana.tap("To say that a hard topic comes…")
    await album.take(ana, "ana-hard-topic", main_in_sight=False)
    await ana.tap("Tell everybody")
    await ana.tap_wish("A quiet word")
    await fay.sees("Ana would like a quiet word with you.")
    await album.take(fay, "fay-asked")
    await fay.tap("Yes, let us go")
    await ana.sees("A quiet word with Fay")
    await album.take(ana, "ana-quiet")
    await ana.tap("Back to the circle")
    await ana.tap_wish("Step out for a moment")
    await ana.sees("You have stepped out")
    await album.take(ana, "ana-out")
    await ana.tap("Come back in")

    await fay.open_sheet(READING)
    await ana.sees("What is said here stays here.")
    await album.take(ana, "ana-reading")
    await ana.tap("Whole plan…")
    await album.take(ana, "ana-plan", main_in_sight=False)
    await ana.tap("Close")
    await fay.open_next()
    await ben.page.get_by_label("Write", exact=True).fill("I am here, and I listen.")
    await ben.tap("Send")
    await ana.tap("Raise my hand")
    await ana.tap("I am ready")
    await album.take(ana, "ana-queue")
    await album.take(ben, "ben-queue")
    await fay.open_next()
    await ana.sees("Leave pair now")
    await album.take(ana, "ana-pair")
    await fay.key("s")
    await ana.sees("There is no need to leave.")
    await album.take(ana, "ana-veiled", main_in_sight=False)
    assert album.wrong == []
