"""Whoever reads only the manual can take part: the client here is written from it alone."""

import ast
import sys
from pathlib import Path

import pytest

from tests.scenarios.client import Client, Refused
from tests.scenarios.conftest import Seat


async def both_in_a_round(person: Seat) -> tuple[Client, Client]:
    fay, ana = person("Fay", pitch=1), person("Ana", pitch=2)
    await fay.join()
    await ana.join()
    await fay.do("start_phase", mode="round", first=fay.seat)
    await ana.until(lambda: ana.view["turn"])
    return fay, ana


def test_the_client_is_small_and_knows_nothing_of_the_server() -> None:
    folder = Path(__file__).parent
    assert len((folder / "client.py").read_text().splitlines()) <= 200
    known = set(sys.stdlib_module_names) | {"aiortc", "av", "websockets", "tests"}
    for name in ("client.py", "tone.py"):
        for node in ast.walk(ast.parse((folder / name).read_text())):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in known
            elif isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= known


async def test_somebody_joins_takes_their_turn_and_leaves(person: Seat) -> None:
    fay, ana = await both_in_a_round(person)
    assert ana.view["turn"]["seat"] == fay.seat
    assert ana.view["before_you"] == 0
    await fay.do("pass_turn", turn=fay.view["turn"]["number"])
    await ana.until(lambda: ana.view["turn"]["seat"] == ana.seat)
    assert {"kind": "your_turn", "seat": ana.seat, "index": None} in ana.notices
    assert 170_000 < ana.remaining_ms() <= 180_000
    await ana.do("pass_turn", turn=ana.view["turn"]["number"])
    await ana.do("leave")
    await ana.until(lambda: ana.close_code)
    assert ana.bye["code"] == "left"
    await ana.drop()
    await fay.until(lambda: [seat["id"] for seat in fay.view["seats"]] == [fay.seat])


async def test_only_the_holder_is_heard(person: Seat) -> None:
    fay, ana = await both_in_a_round(person)
    await fay.meet()
    await ana.meet()
    await fay.speak()
    with pytest.raises(Refused, match="floor_taken"):
        await ana.speak()  # and sends all the same
    await ana.until(lambda: ana.heard[fay.seat, 1] >= 50)
    assert not fay.heard
    await fay.do("pass_turn", turn=fay.view["turn"]["number"])
    await ana.until(lambda: ana.view["turn"]["seat"] == ana.seat)
    await ana.speak()
    await fay.until(lambda: fay.heard[ana.seat, 2] >= 50)
    settled = ana.heard.copy()  # all that was on its way when Fay's turn ended has come by now
    await fay.until(lambda: fay.heard[ana.seat, 2] >= 150)
    assert ana.heard == settled
    assert set(fay.heard) == {(ana.seat, 2)}
    assert set(ana.heard) == {(fay.seat, 1)}


async def test_a_dropped_line_is_taken_up_again_with_the_seat_and_the_turn(person: Seat) -> None:
    fay, ana = await both_in_a_round(person)
    seat = fay.seat
    await fay.meet()
    await fay.drop()
    await ana.until(lambda: not ana.view["turn"]["running"])
    fay.link = None
    await fay.join()
    assert fay.seat == fay.view["you"] == fay.view["turn"]["seat"] == seat
    await fay.meet()
    await ana.meet()
    await fay.speak()
    await ana.until(lambda: ana.heard[seat, 1] >= 10)


async def test_who_ends_the_circle_is_told_that_it_is_done_and_then_goodbye(person: Seat) -> None:
    fay, ana = await both_in_a_round(person)
    await fay.do("end_circle")
    for client in (fay, ana):
        await client.until(lambda client=client: client.close_code)  # type: ignore[misc]
        assert client.bye["code"] == "circle_ended"
