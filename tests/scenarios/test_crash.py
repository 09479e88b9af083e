"""The server is killed in the middle of things, and the circle goes on where it was.

What people were told is the measure: every view they saw and every command they got a `done` for
must still be true after the restart, and the time of the outage is nobody's speaking time.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest_asyncio

from tests.scenarios.client import Client, Frame, Refused
from tests.scenarios.conftest import Seat
from tests.scenarios.server import Server

ROUNDS = 20
CLOCK_MS = 1_000  # how far the time left may be from what people saw
RESUME_S = 15.0  # from a ready server to everybody's view; ends the test, the norm is far below
TURN_MS = 600_000
EXTENSION_MS = 60_000


@dataclass(frozen=True)
class Wish:
    """A command, and the one fact that it makes true."""

    command: Frame
    about: str
    value: Any = None


@dataclass
class Ledger:
    """What one person asked for: all that was acknowledged, and the one that was not yet."""

    done: list[Wish] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    open: Wish | None = None

    def allows(self, about: str, before: Any) -> list[Any]:
        """The values a fact may have now: the last acknowledged, or what was still asked for."""
        last = [wish.value for wish in self.done if wish.about == about] or [before]
        return [last[-1]] + ([self.open.value] if self.open and self.open.about == about else [])


@dataclass(frozen=True)
class Crash:
    """What the people knew when the server went. before: the view at the start of a storm."""

    view: Frame
    seq: int
    remaining_ms: float | None
    before: Frame
    ledgers: dict[str, Ledger]


class Group:
    """Four people who keep their seats over all crashes: Fay, Ana (co-facilitator), Ben, Cleo."""

    def __init__(self, server: Server, people: list[Client]) -> None:
        self.server = server
        self.fay, self.ana, self.ben, self.cleo = self.all = people
        self.random = random.Random(20)

    async def sit_down(self) -> None:
        for client in self.all:
            await client.join()
        await self.fay.do("set_roles", seat=self.ana.seat, roles=["co-facilitator"])

    async def begin_a_round(self) -> None:
        await self.fay.do("start_phase", mode="round", turn_ms=TURN_MS, first=self.fay.seat)
        await self.agree()

    async def agree(self) -> None:
        """Everybody sees everybody, in the same view."""
        await self.all_until(lambda client: all(s["present"] for s in client.view["seats"]))
        newest = max(client.seq for client in self.all)
        await self.all_until(lambda client: client.seq >= newest)

    async def all_until(self, condition: Callable[[Client], Any]) -> None:
        """Wait until something holds for each."""
        for client in self.all:
            await client.until(partial(condition, client))

    async def a_while(self, at_least_s: float = 0.0) -> None:
        """Any point of the server's own beat (0.4 s): a crash asks nobody when it may come."""
        await asyncio.sleep(at_least_s + self.random.uniform(0, 0.8))

    async def is_cut_off(
        self, end: Callable[[], float], before: Frame, ledgers: dict[str, Ledger] | None = None
    ) -> Crash:
        """End the server, let everybody read what was still sent, and note what they know."""
        at = await asyncio.to_thread(end)
        await self.all_until(lambda client: client.close_code)
        newest = max(self.all, key=lambda client: client.seq)
        turn = newest.view["turn"]
        left = None
        if turn is not None:
            passed_s = max(0.0, at - newest.view_at) if turn["running"] else 0.0
            left = turn["remaining_ms"] - passed_s * 1000
        return Crash(newest.view, newest.seq, left, before, ledgers or {})

    async def storm(self, until_done: int, wishes: dict[Client, Callable[[], Wish]]) -> Crash:
        """All send without pause, the next wish after each answer, until the server dies."""
        before, ledgers = self.fay.view, {client.name: Ledger() for client in wishes}
        enough = asyncio.Event()

        async def send(client: Client, ledger: Ledger) -> None:
            for _ in range(35):  # the manual allows a burst of 40 frames
                ledger.open = wish = wishes[client]()
                try:
                    done = await client.request("do", command=wish.command)
                except ConnectionError:
                    return
                except Refused:
                    continue
                ledger.open = None
                ledger.done.append(wish)
                ledger.seqs.append(done["seq"])
                if sum(len(other.done) for other in ledgers.values()) >= until_done:
                    enough.set()

        async with asyncio.TaskGroup() as tasks:
            for client in wishes:
                tasks.create_task(send(client, ledgers[client.name]))
            await asyncio.wait_for(enough.wait(), 30)
            return await self.is_cut_off(self.server.kill9, before, ledgers)

    async def come_back(self) -> tuple[float, float]:
        """Restart, and everybody resumes, the holder last; the seconds that each of both took.

        Until the holder is back the clock stands still, so that it can be compared.
        """
        began = time.monotonic()
        await asyncio.to_thread(self.server.start)
        ready = time.monotonic()
        turn = self.fay.view["turn"] or {"seat": ""}
        holder = [client for client in self.all if client.seat == turn["seat"]]
        for client in self.all:
            client.link = None  # by the resume token alone
        others = [client for client in self.all if client not in holder]
        await asyncio.gather(*(client.join(RESUME_S) for client in others))
        for client in holder:
            await client.join(RESUME_S)
        return ready - began, time.monotonic() - ready


@pytest_asyncio.fixture
async def group(server: Server, person: Seat) -> AsyncIterator[Group]:
    """All four have sat down."""
    group = Group(server, [person(name) for name in ("Fay", "Ana", "Ben", "Cleo")])
    await group.sit_down()
    yield group


def told(view: Frame) -> Frame:
    """What of a view must outlive a crash: all but clocks, presence and switched-on devices."""
    turn = view["turn"]
    return {
        "roles": {seat["id"]: seat["roles"] for seat in view["seats"]},
        "held mics": [seat["id"] for seat in view["seats"] if seat["mic"] == "held"],
        "covered": [seat["id"] for seat in view["seats"] if seat["camera"] == "covered"],
        "turn": turn and (turn["number"], turn["seat"], turn["given_ms"], turn["timeout"]),
        "held": bool(turn and turn["held"]),
        "turns_given": view["turns_given"],
        "order": view["order"],
        "hands": view["hands"],
        "phase": (view["phase"]["number"], view["phase"]["mode"]),
        "paused": view["paused"],
        "door": view["door"],
    }


def nothing_is_lost(crash: Crash, view: Frame) -> None:
    """Nobody was in the middle of a command: all is exactly as they saw it last."""
    assert told(view) == told(crash.view)
    assert crash.remaining_ms is not None
    assert abs(view["turn"]["remaining_ms"] - crash.remaining_ms) < CLOCK_MS


# --- The moments at which the server dies ------------------------------------------------------


async def in_mid_turn(group: Group) -> Crash:
    await group.ben.do("raise_hand")
    await group.a_while(1.5 * CLOCK_MS / 1000)  # so long that time lost since the last event shows
    return await group.is_cut_off(group.server.kill9, group.fay.view)


async def right_after_the_start_of_a_turn(group: Group) -> Crash:
    await group.cleo.do("raise_hand")
    await group.fay.do("next_turn", turn=group.fay.view["turn"]["number"])
    return await group.is_cut_off(group.server.kill9, group.fay.view)


async def while_a_clock_is_held(group: Group) -> Crash:
    await group.a_while()
    await group.ana.do("hold_mic", seat=group.ben.seat)
    await group.fay.do("hold_clock", turn=group.fay.view["turn"]["number"])
    await group.a_while()
    return await group.is_cut_off(group.server.kill9, group.fay.view)


async def during_a_pause(group: Group) -> Crash:
    await group.a_while()
    await group.ana.do("cover_camera", seat=group.cleo.seat)
    await group.fay.do("pause_circle")
    await group.a_while()
    return await group.is_cut_off(group.server.kill9, group.fay.view)


async def in_a_storm_of_wishes(group: Group) -> Crash:
    """Hands, door, covers, clock: what is one person's to change, changed by all at once."""
    number = group.fay.view["turn"]["number"]
    steps = dict.fromkeys(group.all, 0)

    def hand(client: Client) -> Wish:
        steps[client] += 1
        up = steps[client] % 2 == 1
        return Wish({"kind": "raise_hand" if up else "lower_hand"}, "hand", up)

    def lead() -> Wish:
        steps[group.fay] += 1
        on = steps[group.fay] // 4 % 2 == 0
        match steps[group.fay] % 4:
            case 0:
                command = {"kind": "extend", "turn": number, "by_ms": EXTENSION_MS}
                return Wish(command, "extended")
            case 1:
                kind = "hold_clock" if on else "release_clock"
                return Wish({"kind": kind, "turn": number}, "held", on)
            case 2:
                kind = "cover_camera" if on else "uncover_camera"
                return Wish({"kind": kind, "seat": group.ben.seat}, "covered", on)
            case _:
                kind, door = ("close_door", "closed") if on else ("open_door", "open")
                return Wish({"kind": kind}, "door", door)

    members = (group.ana, group.ben, group.cleo)
    wishes: dict[Client, Callable[[], Wish]] = {c: partial(hand, c) for c in members}
    wishes[group.fay] = lead
    return await group.storm(group.random.randint(1, 90), wishes)


def every_wish_that_was_granted_is_kept(group: Group, crash: Crash, view: Frame) -> None:
    after, last, before = told(view), told(crash.view), told(crash.before)
    for client in (group.ana, group.ben, group.cleo):
        allowed = crash.ledgers[client.name].allows("hand", client.seat in before["hands"])
        assert (client.seat in after["hands"]) in allowed
    fays = crash.ledgers["Fay"]
    assert after["held"] in fays.allows("held", before["held"])
    assert after["door"] in fays.allows("door", before["door"])
    assert (group.ben.seat in after["covered"]) in fays.allows(
        "covered", group.ben.seat in before["covered"]
    )
    for changed in ("hands", "held", "door", "covered"):
        del after[changed], last[changed]
    assert after == last
    extended = [s for s, w in zip(fays.seqs, fays.done, strict=True) if w.about == "extended"]
    unseen = sum(seq > crash.seq for seq in extended)
    asked = fays.open is not None and fays.open.about == "extended"
    assert crash.remaining_ms is not None
    off_ms = view["turn"]["remaining_ms"] - crash.remaining_ms - unseen * EXTENSION_MS
    assert min(abs(off_ms), abs(off_ms - EXTENSION_MS * asked)) < CLOCK_MS


async def in_a_storm_of_turns(group: Group) -> Crash:
    """Two lead at once, each pressing *next* for the turn they see."""

    def press(client: Client) -> Wish:
        if client is group.fay and client.view["turn"] is None:
            return Wish({"kind": "start_phase", "mode": "round", "turn_ms": TURN_MS}, "phase")
        turn = client.view["turns_given"]
        return Wish({"kind": "next_turn", "turn": turn}, "is over", turn)

    wishes: dict[Client, Callable[[], Wish]] = {
        client: partial(press, client) for client in (group.fay, group.ana)
    }
    return await group.storm(group.random.randint(1, 12), wishes)


def no_turn_that_was_ended_comes_back(crash: Crash, view: Frame) -> None:
    after, last = told(view), told(crash.view)
    over = [w.value for e in crash.ledgers.values() for w in e.done if w.about == "is over"]
    assert view["turn"] is None or view["turn"]["number"] > max(over, default=0)
    open_wishes = sum(entry.open is not None for entry in crash.ledgers.values())
    unseen = sum(seq > crash.seq for entry in crash.ledgers.values() for seq in entry.seqs)
    assert 0 <= after["turns_given"] - last["turns_given"] <= open_wishes + unseen
    if (after["turns_given"], after["phase"]) == (last["turns_given"], last["phase"]):
        assert after["turn"] in (last["turn"], None)
    for same in ("roles", "held mics", "covered", "paused", "door"):
        assert after[same] == last[same]


MOMENTS = (
    in_a_storm_of_wishes,
    in_mid_turn,
    in_a_storm_of_turns,
    while_a_clock_is_held,
    right_after_the_start_of_a_turn,
    during_a_pause,
    in_a_storm_of_wishes,
)


async def test_twenty_crashes_lose_nothing_that_anybody_was_told(
    group: Group, record_testsuite_property: Callable[[str, object], None]
) -> None:
    await group.begin_a_round()
    seats = {client.name: client.seat for client in group.all}
    took_s = []
    for count in range(ROUNDS):
        moment = MOMENTS[count % len(MOMENTS)]
        crash = await moment(group)
        took_s.append(await group.come_back())
        assert {client.name: client.seat for client in group.all} == seats
        for client in group.all:
            assert client.view["you"] == client.seat
            where = f"{moment.__name__}, crash {count + 1}, {client.name}"
            try:
                if moment is in_a_storm_of_wishes:
                    every_wish_that_was_granted_is_kept(group, crash, client.view)
                elif moment is in_a_storm_of_turns:
                    no_turn_that_was_ended_comes_back(crash, client.view)
                else:
                    nothing_is_lost(crash, client.view)
            except AssertionError as error:
                error.add_note(where)
                raise
        if group.fay.view["paused"]:
            await group.fay.do("resume_circle")
        await group.begin_a_round()
    for name, values in zip(("restart_s", "resume_s"), zip(*took_s, strict=True), strict=True):
        record_testsuite_property(name, [round(value, 2) for value in sorted(values)])


async def test_the_outage_is_nobodys_time(group: Group) -> None:
    await group.begin_a_round()
    crash = await group.is_cut_off(group.server.kill9, group.fay.view)
    await asyncio.sleep(2 * CLOCK_MS / 1000)  # an outage that would show, were it charged
    await group.come_back()
    for client in group.all:
        nothing_is_lost(crash, client.view)


async def test_a_server_that_is_stopped_loses_nothing_either(group: Group) -> None:
    await group.begin_a_round()
    crash = await group.is_cut_off(group.server.stop, group.fay.view)
    assert {client.close_code for client in group.all} == {1012}
    await group.come_back()
    for client in group.all:
        nothing_is_lost(crash, client.view)


async def test_a_server_that_is_stopped_says_so(group: Group) -> None:
    await group.is_cut_off(group.server.stop, group.fay.view)
    for client in group.all:
        assert client.bye == {"kind": "bye", "code": "restarting", "again": True}


async def test_media_comes_back_on_the_same_port(server: Server, person: Seat) -> None:
    fay, ana = person("Fay", pitch=1), person("Ana", pitch=2)
    await fay.join()
    await ana.join()
    await fay.do("start_phase", mode="round", first=fay.seat)
    for _ in range(2):
        await fay.meet()
        await ana.meet()
        await fay.speak()
        ana.heard.clear()
        await ana.until(lambda: ana.heard[fay.seat, 1] >= 25)
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.start)
        await ana.join()
        await fay.join()
