"""A facilitator practises alone, with robots who are hard to facilitate."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from peermeet.core import messages as m
from peermeet.core.model import Mode, Role, SeatId, Timeout
from peermeet.protocol import Profile
from peermeet.robots.cast import PRACTICE, Pace
from peermeet.robots.crowd import practise
from peermeet.robots.habits import Habits
from peermeet.robots.line import Link, Refused
from peermeet.robots.robot import Robot
from tests.scenarios.client import LIMIT_S, Client
from tests.scenarios.conftest import Seat
from tests.scenarios.server import Server
from tests.scenarios.test_bad_input import ask

QUICK = Pace(
    silence_s=(1.0, 1.5),
    share_s=(0.5, 1.0),
    plea_s=20.0,
    quiet_s=(1.0, 1.5),
    away_s=3.0,
    peace_s=2.0,
    mischief_s=(0.1, 0.3),
)
HABITS = Habits(turn_s=(0.5, 1.0), breath_s=(0.0, 0.2), talk_s=(0.3, 0.5), listen_s=(0.5, 1.0))


async def practice(server: Server, link: str) -> tuple[int, dict[str, Any]]:
    status, _, body = await ask(server, "/api/practice", {"link": link})
    return status, json.loads(body)


def robots_of(server: Server) -> list[int]:
    """The processes of the cast that this server has started."""
    found = []
    for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
        if b"--cast" in Path(f"/proc/{child}/cmdline").read_bytes():
            found.append(int(child))
    return found


async def test_a_facilitator_gets_a_room_with_robots_and_the_group_notices_nothing(
    server: Server, person: Seat
) -> None:
    ana = person("Ana")
    await ana.join()
    status, told = await practice(server, server.facilitator)
    assert status == 200
    assert (await practice(server, server.facilitator)) == (200, told), "asking twice is harmless"
    token = told["link"].split("/join#")[1]
    fay = Client(server.url, token, "Fay")
    await fay.join()
    await fay.until(lambda: len(fay.view["seats"]) == 1 + len(PRACTICE), 60)
    assert [s["roles"] for s in fay.view["seats"] if s["id"] == fay.seat] == [["facilitator"]]
    assert len(robots_of(server)) == 1
    assert [seat["id"] for seat in ana.view["seats"]] == [ana.seat]
    assert ana.notices == []

    await fay.do("end_circle")
    await fay.drop()
    async with asyncio.timeout(LIMIT_S):
        while robots_of(server):  # noqa: ASYNC110 - nothing tells when another process has ended
            await asyncio.sleep(0.05)


async def test_the_robots_end_with_the_server(server: Server) -> None:
    assert (await practice(server, server.facilitator))[0] == 200
    (pid,) = robots_of(server)
    await asyncio.to_thread(server.stop)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_only_who_leads_a_group_may_ask(server: Server) -> None:
    assert await practice(server, server.participant) == (403, {"error": "not_allowed"})
    damaged = server.facilitator[:-1] + ("Q" if server.facilitator.endswith("A") else "A")
    for wrong in ("x" * 30, damaged, ""):
        assert await practice(server, wrong) == (404, {"error": "bad_link"})
    status, _, _ = await ask(server, "/api/practice", {"link": "x" * 10_000})
    assert status == 413
    status, told = await practice(server, server.facilitator)
    token = told["link"].split("/join#")[1]
    assert await practice(server, token) == (403, {"error": "not_allowed"}), "not from within"


async def test_every_part_is_played_over_real_media(server: Server) -> None:
    lead, link = (
        f"{server.url}/join#{token}" for token in (server.facilitator, server.participant)
    )
    cast = asyncio.create_task(practise(link, habits=HABITS, pace=QUICK))
    fay = Robot(Link.parse(lead), Profile("Fay", "clay"), seed=9, pairs=7)
    try:
        async with fay:
            await fay.until(lambda: len(seats(fay)) == 1 + len(PRACTICE), 60)
            by_name = dict(zip((name for name, _ in PRACTICE), order_of(fay), strict=True))
            noted = await lead_a_round(fay, by_name)
            intruder = by_name["Finch"]
            await fay.do(m.SafeRoom())
            before = fay.heard[intruder]
            await fay.wait(lambda: False, 1.0)
            assert fay.call is not None
            await fay.call.count()
            assert fay.heard[intruder] <= before + 2, "what was on its way"
            await fay.do(m.EndCircle())
        told = await asyncio.wait_for(cast, 60)
    finally:
        cast.cancel()
        await asyncio.gather(cast, return_exceptions=True)
    assert noted == {"thanked", "silent", "quiet", "away", "back", "phone"}
    seen = {robot["name"]: robot for robot in told["robots"]}
    assert all(robot["turns_held"] >= 1 for robot in told["robots"])
    assert by_name["Phone guest 1"] not in fay.seen
    assert not [e for robot in seen.values() for e in robot["errors"]], seen


def seats(fay: Robot) -> tuple[SeatId, ...]:
    return () if fay.view is None else tuple(seat.id for seat in fay.view.seats)


def order_of(fay: Robot) -> list[SeatId]:
    """The cast's seats in the order of their coming."""
    assert fay.view is not None
    others = [s.id for s in fay.view.seats if Role.FACILITATOR not in s.roles]
    return sorted(others, key=lambda seat: int(seat[1:]))


async def lead_a_round(fay: Robot, by_name: dict[str, SeatId]) -> set[str]:
    """One turn for everybody, with what each of them needs; what was met on the way."""
    noted: set[str] = set()
    names = {seat: name for name, seat in by_name.items()}
    command = m.StartPhase(Mode.ROUND, turn_ms=5_000, timeout=Timeout.SOFT)
    await fay.do(command)
    began = time.monotonic()
    while True:
        assert time.monotonic() - began < 120, noted
        view = fay.view
        if view is not None and view.phase.mode is Mode.ROUND:
            await meet(fay, names, noted)
            if view.phase.over and view.quiet.with_you is None and "quiet" in noted:
                break
        await fay.wait(lambda view=view: fay.view is not view, 0.2)  # type: ignore[misc]
    return noted


async def meet(fay: Robot, names: dict[SeatId, str], noted: set[str]) -> None:
    view = fay.view
    assert view is not None
    for seat in view.seats:
        if names.get(seat.id) == "Merle" and not seat.present:
            noted.add("away")
        elif names.get(seat.id) == "Merle" and "away" in noted:
            noted.add("back")
    if view.quiet.asked_by:
        await fay.do(m.AcceptQuiet(view.quiet.asked_by[0]))
    if view.quiet.with_you is not None:
        noted.add("quiet")
    if view.turn is None:
        if "next_turn" in view.may:
            await tries(fay, m.NextTurn(view.turns_given))
        return
    holder, number = view.turn.seat, view.turn.number
    match names.get(holder):
        case None:
            await tries(fay, m.PassTurn(number))
        case "Robin" | "Finch" if fay.heard[holder] >= 100:
            noted |= {"thanked"}
            await tries(fay, m.NextTurn(number))
        case "Wren":
            noted.add("silent")
        case "Phone guest 1":
            noted.add("phone")


async def tries(fay: Robot, command: m.Command) -> None:
    """Somebody may have been quicker."""
    try:
        await fay.do(command)
    except Refused:
        pass
