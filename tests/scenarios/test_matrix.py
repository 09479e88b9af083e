"""Whatever the table of powers denies is refused over the real socket too, with its code.

The cells are those of tests/core/matrix.py: the same people do the same deeds here and on paper;
then everybody tries whatever paper refuses. Nobody sees anything of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from peermeet.core import messages as m
from peermeet.core.decide import decide
from peermeet.core.model import Circle, Millis
from peermeet.identity import Invitation, make_link
from tests.core.matrix import (
    CAST,
    SEATS,
    STATES,
    Cell,
    appointments,
    cells,
    in_state,
)
from tests.scenarios.client import Client, Frame, Refused
from tests.scenarios.server import Server

PACE_S = 0.055
"""Between two frames of one person: the manual allows 20 a second."""

SEEDS = (0, 300, 2, 259, 4, 5, 263, 7)
"""Circles differ by chance; what is tried is refused with the same code in all of these."""

SILENCE = '[[phase]]\ntitle = "Silence"\nmode = "silence"\n'


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), screen_share="true")
        try:
            server.start()
            yield server
        finally:
            server.end()


def frame_of(command: Any) -> Frame:
    """The frame by which a browser asks for this."""
    match command:
        case m.UseSheet():
            return {"kind": "choose_sheet", "text": f'title = "Plan"\n{SILENCE}'}
        case m.InsertSheet():
            return {"kind": "choose_sheet", "text": f'title = "Plan"\n{SILENCE}', "insert": True}
        case m.Write(to=to):
            return {"kind": "say", "to": to, "text": "hello"}
        case _:
            return {"kind": "do", "command": json.loads(json.dumps(asdict(command)))}


def refused_on_paper(state: str) -> list[tuple[Cell, m.Code]]:
    found: list[tuple[Cell, m.Code]] = []
    papers = [in_state(state, seed) for seed in SEEDS]
    rows = zip(*(cells(state, paper.circle) for paper in papers), strict=True)
    for row in rows:
        codes = {
            code_of(paper.circle, cell, paper.now) for paper, cell in zip(papers, row, strict=True)
        }
        code = codes.pop()
        if code is not None and not codes:
            found.append((row[0], code))
    return found


def code_of(circle: Circle, cell: Cell, now: Millis) -> m.Code | None:
    try:
        decide(circle, SEATS[cell.name], cell.command, now)
    except m.Refused as refusal:
        return refusal.code
    return None


@asynccontextmanager
async def sitting(server: Server, group: str) -> AsyncIterator[dict[str, Client]]:
    """The cast, in a circle of its own, with their roles."""
    key = (server.data / "secret.key").read_bytes()
    until = Millis(int(time.time() * 1000) + 86_400_000)
    people: dict[str, Client] = {}
    try:
        for name in CAST:
            invitation = Invitation(group, as_facilitator=name in ("fay", "cara"))
            link = make_link(key, invitation, secrets.token_bytes(8), until)
            people[name] = Client(server.url, link, name.title())
            await people[name].join()
            assert people[name].seat == SEATS[name]
        yield people
    finally:
        for person in people.values():
            await person.drop()


async def shown(person: Client, seq: int) -> None:
    await person.until(lambda: person.seq >= seq)


async def holding(person: Client) -> None:
    await person.until(lambda: person.view["holding"])


async def try_all(person: Client, tries: list[tuple[Cell, m.Code]]) -> list[str]:
    """What was not refused as it should have been."""
    wrong = []
    for cell, code in tries:
        frame = frame_of(cell.command)
        try:
            await person.request(**frame)
            wrong.append(f"{cell}: done")
        except Refused as refusal:
            if str(refusal) != code:
                wrong.append(f"{cell}: {refusal} instead of {code}")
        await asyncio.sleep(PACE_S)
    return wrong


async def try_state(server: Server, number: int, state: str) -> int:
    """How many cells were denied in this state; asserts that all were refused as on paper."""
    async with sitting(server, f"matrix-{number}") as people:
        for name, command in (*appointments(), *STATES[state]):
            view = people[name].view
            numbers = Circle(turns_given=view["turns_given"], phase_number=view["phase"]["number"])
            done = await people[name].request(**frame_of(command(numbers)))
            if state == "Ben removed" and isinstance(command(numbers), m.Remove):
                await people.pop("ben").drop()
            for person in people.values():
                await shown(person, done["seq"])
        if state == "waiting for a facilitator":
            await people.pop("fay").drop()
            await people.pop("cara").drop()
            for person in people.values():
                await holding(person)
        before = {name: person.view for name, person in people.items()}
        tries = [t for t in refused_on_paper(state) if t[0].name in people]
        by_name = {n: [t for t in tries if t[0].name == n] for n in people}
        wrong = await asyncio.gather(*(try_all(people[n], by_name[n]) for n in people))
        assert not [each for person in wrong for each in person]
        assert {name: person.view for name, person in people.items()} == before, "nobody noticed"
        return sum(cell.denied is not None for cell, _ in tries)


async def test_every_denied_cell_is_refused_over_the_socket_with_its_code(server: Server) -> None:
    states = [state for state in STATES if state != "ended"]
    async with asyncio.TaskGroup() as tasks:
        tried = [tasks.create_task(try_state(server, *each)) for each in enumerate(states)]
    assert sum(task.result() for task in tried) > 4_000
