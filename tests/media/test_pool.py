"""Several workers behind one port: where a circle goes, and what is found and what is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from bench.member import Member
from peermeet.core.model import Gate
from peermeet.hosting.ports import MediaLine, MediaRefused
from peermeet.media import pool as pools
from peermeet.media.pool import EXPECTED, Load, MediaPool, least_loaded
from peermeet.media.process import is_worker, spawn
from peermeet.protocol import Watch
from tests.media.kit import OPEN, until

PAIR = {"ana": OPEN, "ben": OPEN}
FOCUS = Gate(audio=True, video=True, focus=True)


class Node:
    """A web process's media, and what it was told."""

    def __init__(self, folder: Path, workers: int = 2, **settings: Any) -> None:
        self.states: list[tuple[str, str, str]] = []
        self.restarted: list[Collection[str]] = []
        self.demands: list[tuple[str, str, bool]] = []
        self.lines: dict[str, dict[str, MediaLine]] = {}
        self.members: list[Member] = []
        self.pool = MediaPool(
            folder=folder,
            workers=workers,
            **{"bind": "127.0.0.1", **settings},
            on_streams=lambda *_: None,
            on_media=lambda *told: self.states.append(told),
            on_restart=self.restarted.append,
            on_demand=lambda *told: self.demands.append(told),
            on_lines=self.lines.__setitem__,
        )

    @property
    def pids(self) -> list[int]:
        return [link.pid for link in self.pool.links]

    async def two_talk(self, circle: str, simulcast: bool = False) -> tuple[Member, Member]:
        """Ana and Ben of a circle are connected and may be heard. simulcast: of Ana's camera."""
        self.pool.apply(circle, PAIR)
        ana, ben = Member(1, simulcast=simulcast), Member(1)
        for seat, member in (("ana", ana), ("ben", ben)):
            self.members.append(member)
            await member.join(await self.pool.answer(circle, seat, member.offer))
            await until(lambda seat=seat: (circle, seat, "connected") in self.states)  # type: ignore[misc]
        self.states.clear()
        return ana, ben

    async def end(self) -> None:
        for member in self.members:
            member.vanish()
        await self.pool.stop()


Start = Callable[..., Awaitable[Node]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """`await start(workers=2)`: each a web process of its own, on one folder."""
    nodes: list[Node] = []

    async def started(workers: int = 2, **settings: Any) -> Node:
        nodes.append(Node(tmp_path, workers, **settings))
        await nodes[-1].pool.start()
        return nodes[-1]

    yield started
    for node in nodes:
        await node.end()


async def are_heard(ana: Member, ben: Member) -> None:
    before = sum(ben.received.values())
    ana.speak()
    await until(lambda: sum(ben.received.values()) == before + 1)


def test_a_circle_goes_to_the_least_busy_worker_that_is_up() -> None:
    busy, idle = Load(True, [8, 8, 8]), Load(True, [8])
    assert least_loaded([busy, idle]) == 1
    assert least_loaded([idle, idle]) == 0, "of equals the first"
    assert least_loaded([busy, Load(False, [])]) == 0
    assert least_loaded([Load(False, [8]), Load(False, [])]) == 1, "as good as any"


def test_a_worker_that_says_it_is_busy_counts_as_that() -> None:
    assert least_loaded([Load(True, [8], percent=50), Load(True, [8, 8, 8], percent=14)]) == 1
    assert least_loaded([Load(True, [16, 16], percent=0), Load(True, [8], percent=12)]) == 1


def test_a_small_circle_is_expected_to_fill() -> None:
    assert Load(True, [1]).expected_percent == Load(True, [EXPECTED]).expected_percent
    assert Load(True, [16]).expected_percent == 2 * Load(True, [1]).expected_percent


async def test_circles_spread_and_each_stays_where_it_is(start: Start) -> None:
    node = await start()
    for circle in "abcd":
        node.pool.apply(circle, PAIR)
    assert [load.people for load in node.pool.loads()] == [[2, 2], [2, 2]]
    node.pool.close("a")
    node.pool.close("c")
    for circle in "bd":
        node.pool.apply(circle, PAIR)
    assert [load.people for load in node.pool.loads()] == [[], [2, 2]]
    with pytest.raises(MediaRefused, match="busy"):
        await node.pool.answer("a", "ana", "v=0\r\n")
    await are_heard(*await node.two_talk("b"))


async def test_the_next_web_process_finds_everybody_connected(start: Start) -> None:
    first = await start()
    talks = [await first.two_talk(circle) for circle in ("one", "two")]
    second = await start()
    assert second.pids == first.pids
    held = second.pool.held()
    assert {circle: set(seats) for circle, seats in held.items()} == {
        "one": {"ana", "ben"},
        "two": {"ana", "ben"},
    }
    assert held["one"]["ben"].connected and set(held["one"]["ben"].streams.values()) == {"ana"}
    for circle in held:
        second.pool.apply(circle, PAIR)
    for ana, ben in talks:
        await are_heard(ana, ben)
    assert second.restarted == [] and second.states == []


async def test_the_next_web_process_learns_what_is_wanted_and_how_good_lines_are(
    start: Start,
) -> None:
    first = await start(workers=1)
    await first.two_talk("one", simulcast=True)
    assert first.demands == [("one", "ana", False)], "Ben's camera has no layers"
    first.pool.apply("one", {"ana": FOCUS, "ben": OPEN})
    await until(lambda: first.demands[-1] == ("one", "ana", True))
    await until(lambda: first.lines.get("one", {}).keys() == PAIR.keys())
    second = await start(workers=1)
    assert {seat: held.high for seat, held in second.pool.held()["one"].items()} == {
        "ana": True,
        "ben": None,
    }
    await until(lambda: second.lines.get("one", {}).keys() == PAIR.keys())
    second.pool.apply("one", PAIR)
    await until(lambda: second.demands)
    assert second.demands == [("one", "ana", False)]


async def test_what_somebody_wants_to_see_outlives_the_web_process(start: Start) -> None:
    first = await start(workers=1)
    ana, ben = await first.two_talk("one")
    first.pool.watch("one", "ben", Watch("none"))
    await first.pool.stats()
    second = await start(workers=1)
    second.pool.apply("one", PAIR)
    for watch, packets in ((None, 1), (Watch("all"), 2)):
        if watch is not None:
            second.pool.watch("one", "ben", watch)
            await second.pool.stats()
        before, heard = sum(ben.received.values()), ben.received["2"]
        ana.show(key_frame=True)
        ana.speak()
        await until(lambda heard=heard: ben.received["2"] > heard)  # type: ignore[misc]
        assert sum(ben.received.values()) - before == packets


async def test_who_takes_over_keeps_the_workers_when_the_one_before_ends(start: Start) -> None:
    """Two at once are an accident; the older neither takes back nor ends what it has no more."""
    first = await start(workers=1)
    ana, ben = await first.two_talk("one")
    second = await start(workers=1)
    second.pool.apply("one", PAIR)
    await until(lambda: not first.pool.is_up)
    await first.pool.stop()
    await are_heard(ana, ben)
    assert second.pool.is_up and first.restarted == second.restarted == []


async def test_a_dead_worker_has_its_circles_back_and_no_other_notices(start: Start) -> None:
    node = await start()
    await node.two_talk("one")
    ana, ben = await node.two_talk("two")
    pids = node.pids
    os.kill(pids[0], signal.SIGKILL)
    await until(lambda: node.restarted)
    assert node.restarted == [["one"]]
    assert node.pids[0] != pids[0] and node.pids[1] == pids[1]
    assert node.states == [], "of the circle of the other worker there is nothing to tell"
    await are_heard(ana, ben)
    await are_heard(*await node.two_talk("one"))


async def test_circles_of_a_worker_that_cannot_be_started_move(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MOVE_AFTER_S", 0.5)
    node = await start()
    await node.two_talk("one")
    ana, ben = await node.two_talk("two")
    monkeypatch.setattr("peermeet.media.link.spawn", lambda _: 0)
    os.kill(node.pids[0], signal.SIGKILL)
    await until(lambda: node.restarted)
    assert node.restarted == [["one"]] and not node.pool.is_up
    assert [load.people for load in node.pool.loads()] == [[], [2, 2]]
    await are_heard(*await node.two_talk("one"))
    await are_heard(ana, ben)


async def test_a_stale_socket_is_replaced(start: Start, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "media-0.sock"))
    node = await start(workers=1)
    await are_heard(*await node.two_talk("one"))


async def test_a_stranger_at_the_socket_is_replaced_and_lives(start: Start, tmp_path: Path) -> None:
    """It answers what a worker would, and is none."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b'{"tell":"ready","pid":1,"port":9,"addresses":[],"made":[],"circles":{}}\n')
        writer.close()

    stranger = await asyncio.start_unix_server(answer, tmp_path / "media-0.sock")
    node = await start(workers=1)
    assert node.pids != [os.getpid()] and heard
    await are_heard(*await node.two_talk("one"))
    stranger.close()


async def test_a_worker_that_stands_still_is_replaced(start: Start, tmp_path: Path) -> None:
    link = Node(tmp_path, workers=1).pool.links[0]
    hung = spawn(link._arguments)
    await until((tmp_path / "media-0.sock").exists)
    os.kill(hung, signal.SIGSTOP)
    node = await start(workers=1)
    assert node.pids != [hung] and not is_worker(hung, tmp_path / "media-0.sock")


async def test_other_settings_want_other_workers(start: Start, tmp_path: Path) -> None:
    first = await start(workers=2)
    await first.two_talk("one")
    pids = first.pids
    await first.pool.stop(for_good=False)
    second = await start(workers=1, lease_ms=5_000)
    assert second.pool.held() == {}
    for number, pid in enumerate(pids):
        assert not is_worker(pid, tmp_path / f"media-{number}.sock")


@pytest.mark.parametrize("other", [{"tcp": False}, {"bind": ("127.0.0.1", "::1")}])
async def test_other_ways_to_it_want_another_worker(start: Start, other: dict[str, object]) -> None:
    first = await start(workers=1)
    ana, ben = await first.two_talk("one")
    await first.pool.stop(for_good=False)
    second = await start(workers=1)
    assert second.pids == first.pids, "the same settings do not"
    second.pool.apply("one", PAIR)
    await are_heard(ana, ben)
    third = await start(workers=1, **other)
    assert third.pool.held() == {} and third.pids != first.pids


async def test_a_folder_of_any_length_will_do(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    node = Node(folder, workers=1)
    await node.pool.start()
    await are_heard(*await node.two_talk("one"))
    await node.end()
    assert list(folder.iterdir()) == []
