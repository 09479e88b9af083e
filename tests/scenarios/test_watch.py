"""Who wants no pictures gets not one packet of them from the real server, and every sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from peermeet.core.messages import SetCamera, SetMic
from peermeet.protocol import Watch
from peermeet.robots.line import Link
from tests.scenarios.ears import PACKET_S, Guest
from tests.scenarios.server import Server

A_SECOND = 50
"""Packets of sound in it; here also pictures."""


@pytest_asyncio.fixture
async def guests(server: Server) -> AsyncIterator[list[Guest]]:
    """Ana is heard and seen; Ben and Cleo look on."""
    link = Link.parse(f"{server.url}/join#{server.facilitator}")
    come = [await Guest.sit(link, name, 0) for name in ("Ana", "Ben", "Cleo")]
    await come[0].do(SetMic(True))
    await come[0].do(SetCamera(True))
    yield come
    for guest in come:
        await guest.leave()


async def speaks_a_second(ana: Guest) -> None:
    for _ in range(A_SECOND):
        ana.show()
        ana.speak()
        await asyncio.sleep(PACKET_S)


async def a_second(ana: Guest, *others: Guest) -> list[tuple[int, int]]:
    """Of a second of Ana's sound and pictures, how many packets of each reached each."""
    sounds, pictures = [g.sounds for g in others], [g.pictures for g in others]
    for guest in others:
        guest.stay()
    await speaks_a_second(ana)
    # Sound follows each picture: when the last has come, no more pictures will.
    for guest, before in zip(others, sounds, strict=True):
        await guest.until(lambda g=guest, b=before: g.sounds >= b + A_SECOND)  # type: ignore[misc]
    return [
        (guest.sounds - heard, guest.pictures - seen)
        for guest, heard, seen in zip(others, sounds, pictures, strict=True)
    ]


async def test_sound_only_receives_no_picture_and_all_sound(guests: list[Guest]) -> None:
    ana, ben, cleo = guests
    all_of_it, sound_only = (A_SECOND, A_SECOND), (A_SECOND, 0)
    for watch, expected in (
        (Watch("all"), all_of_it),
        (Watch("none"), sound_only),
        (Watch("holder"), all_of_it),
        (Watch("all", []), all_of_it),
        (Watch("none"), sound_only),
    ):
        await ben.line.send(watch)
        # The wish is on its way while this second begins; the next one is as wished.
        await speaks_a_second(ana)
        assert await a_second(ana, ben, cleo) == [expected, all_of_it], watch
