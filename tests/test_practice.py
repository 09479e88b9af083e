"""Rooms to practise in: one for each link, three in all, and nothing that outlives them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from peermeet.api.practice import AT_ONCE, PracticeRooms, TooMany
from peermeet.core.model import Millis
from peermeet.identity import (
    HOME,
    KEY_BYTES,
    Invitation,
    is_practice,
    library_of,
    practice_group,
    read_link,
)

KEY = bytes(KEY_BYTES)
NOW = Millis(1_790_000_000_000)
WAITING = (sys.executable, "-c", "import signal; signal.pause()")
STUBBORN = (
    *(sys.executable, "-c"),
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)\n"
    "while True: signal.pause()",
)


def link(code: str) -> Invitation:
    return Invitation(HOME, as_facilitator=True, code=code)


@asynccontextmanager
async def rooms(
    command: tuple[str, ...] = WAITING, is_open: Callable[[str], bool] = lambda _: True
) -> AsyncIterator[PracticeRooms]:
    async with PracticeRooms(KEY, lambda: NOW, is_open, "http://localhost:1", command) as opened:
        yield opened


def pids(opened: PracticeRooms) -> list[int]:
    return [practice.robots.pid for practice in opened._open.values()]


async def test_the_link_leads_to_a_circle_of_its_own_with_the_groups_run_sheets() -> None:
    async with rooms() as opened:
        found = read_link(KEY, await opened.open(link("K7Q2M")), NOW)
        assert found is not None and found.as_facilitator
        assert found.group != HOME and is_practice(found.group)
        assert library_of(found.group) == HOME == library_of(HOME)
        assert not is_practice(HOME)
    assert library_of(practice_group("sunday", "1f")) == "sunday"


async def test_whoever_asks_again_comes_to_the_same_room() -> None:
    async with rooms() as opened:
        first, again = await asyncio.gather(*(opened.open(link("K7Q2M")) for _ in range(2)))
        assert first == again and len(pids(opened)) == 1
        assert await opened.open(link("B3CDF")) != first


async def test_after_the_end_of_a_circle_another_room_opens_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its robots may still be on their way out."""
    is_open = [True]
    async with rooms(is_open=lambda _: is_open[0]) as opened:
        first = await opened.open(link("K7Q2M"))
        is_open[0] = False
        assert await opened.open(link("K7Q2M")) == first, "nobody has come yet"
        monkeypatch.setattr("peermeet.api.practice.COMING_S", 0.0)
        pid = opened._open["K7Q2M"].robots.pid
        assert await opened.open(link("K7Q2M")) != first
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_no_more_than_three_practise_at_once_and_then_there_is_room_again() -> None:
    async with rooms() as opened:
        for number in range(AT_ONCE):
            await opened.open(link(f"B3CD{number + 2}"))
        with pytest.raises(TooMany):
            await opened.open(link("K7Q2M"))
        robots = opened._open["B3CD2"].robots
        robots.terminate()
        await robots.wait()
        await opened.open(link("K7Q2M"))


@pytest.mark.parametrize("command", [WAITING, STUBBORN])
async def test_the_robots_end_with_the_server(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peermeet.api.practice.STOP_S", 0.5)
    async with rooms(command) as opened:
        await opened.open(link("K7Q2M"))
        (pid,) = pids(opened)
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
