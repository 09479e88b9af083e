"""A screen passes while its gate is open and reaches who is there to see it, and no longer."""

from __future__ import annotations

import pytest

from bench.member import Member
from peermeet.core.model import Gate
from tests.media.kit import OPEN, SHUT, Media, Sharer, until

SHOWN = Gate(audio=False, video=False, screen=True)


class Three:
    """Ana, Ben and Cleo, all of whom could show a screen and see one."""

    def __init__(self, media: Media) -> None:
        self.media = media
        self.ana, self.ben, self.cleo = Sharer(), Sharer(), Sharer()

    async def come(self) -> None:
        for seat in ("ana", "ben", "cleo"):
            await self.media.join(seat, getattr(self, seat))

    async def forwarded(self, seat: str = "ana") -> int:
        return (await self.media.settle())[f"forwarded/circle/{seat}"]

    async def goes_on_sending(self, seat: str, count: int = 200) -> None:
        """Pictures of the screen and of the camera, until the worker has dealt with all."""
        before = (await self.media.settle())[f"received/circle/{seat}"]
        sharer: Sharer = getattr(self, seat)
        for number in range(count):
            sharer.show_screen()
            if number % 40 == 39:
                await self.media.settle()
        await self.media.arrived(seat, before + count)


@pytest.fixture
async def three(media: Media) -> Three:
    people = Three(media)
    await people.come()
    return people


async def test_a_shown_screen_reaches_everybody_else_and_only_on_the_section_for_it(
    three: Three,
) -> None:
    three.media.gate(ana=SHOWN)
    await three.media.settle()
    three.ana.show_screen()
    three.ana.show()
    three.ana.speak()
    await until(lambda: three.ben.seen == three.cleo.seen == 1)
    assert await three.forwarded() == 2
    assert three.ben.received.total() == three.cleo.received.total() == 1
    assert three.ana.seen == 0, "nobody is shown their own screen"


async def test_a_camera_and_a_screen_pass_beside_one_another(three: Three) -> None:
    three.media.gate(ana=Gate(audio=True, video=True, screen=True))
    await three.media.settle()
    three.ana.show_screen()
    three.ana.show(key_frame=True)
    three.ana.speak()
    await until(lambda: three.ben.seen == 1 and three.media.heard("ben", "ana") == 2)


async def test_an_open_camera_lets_no_screen_through(three: Three) -> None:
    three.media.gate(ana=OPEN)
    await three.media.settle()
    await three.goes_on_sending("ana")
    assert await three.forwarded() == 0
    assert three.ben.seen == three.cleo.seen == 0


async def test_whatever_a_client_sends_when_its_screen_is_over_reaches_nobody(
    three: Three,
) -> None:
    for _ in range(3):
        three.media.gate(ana=SHOWN)
        await three.media.settle()
        before = three.ben.seen
        three.ana.show_screen()
        await until(lambda b=before: three.ben.seen == b + 1)  # type: ignore[misc]
        three.media.gate(ana=SHUT)
        forwarded = await three.forwarded()
        await three.goes_on_sending("ana")
        assert await three.forwarded() == forwarded
        assert three.ben.seen == before + 1


async def test_one_screen_follows_another_on_the_same_section(three: Three) -> None:
    three.media.gate(ana=SHOWN)
    await three.media.settle()
    three.ana.show_screen()
    await until(lambda: three.cleo.seen == 1)
    three.media.gate(ana=SHUT, ben=SHOWN)
    await three.media.settle()
    three.ana.show_screen()
    three.ben.show_screen()
    await until(lambda: three.cleo.seen == 2 and three.ana.seen == 1)
    assert await three.forwarded("ben") == 2


async def test_a_screen_stays_in_its_space(three: Three) -> None:
    three.media.gate(ana=SHOWN, cleo=Gate(False, False, "out-cleo"))
    await three.media.settle()
    three.ana.show_screen()
    await until(lambda: three.ben.seen == 1)
    assert await three.forwarded() == 1


async def test_who_offers_no_section_for_a_screen_gets_everything_else(media: Media) -> None:
    ana, ben = Sharer(), Member(3)
    await media.join("ana", ana)
    await media.join("ben", ben)
    media.gate(ana=Gate(audio=True, video=True, screen=True))
    await media.settle()
    ana.show_screen()
    ana.speak()
    await until(lambda: media.heard("ben", "ana") == 1)
    assert ben.received.total() == 1
