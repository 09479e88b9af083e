"""Run sheets in a living circle: rules in the journal, words outside of it."""

from __future__ import annotations

import asyncio

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import Refused
from peermeet.core.model import Mode, Role
from peermeet.core.runsheet import RunSheet, parse
from peermeet.hosting.runner import SHEETS_KNOWN, Busy, NoSuchSheet
from peermeet.runsheets import shipped
from tests.hosting.fakes import FakeClock, MemoryJournal, NotedLine
from tests.hosting.test_runner import ANA, FAY, Node, node, until

WORDS = "A sentence of our own."


def own(id: str = "own-1") -> RunSheet:
    text = f"""
title = "Ours"
[[phase]]
title = "Begin"
words = "{WORDS}"
mode = "talk"
[[phase]]
title = "Go on"
mode = "round"
turn_s = 90
"""
    return parse(text, id)


async def test_a_chosen_sheet_comes_with_its_words_and_begins_nothing() -> None:
    async with node() as here:
        runner, fay, _, fays, anas = await here.circle_of_two()
        outcome = await runner.choose_sheet(fay, "pairs")
        for line in (fays, anas):
            assert line.sheets[-1] == shipped()["pairs"]
            sheet = line.views[-1].sheet
            assert sheet is not None and (sheet.id, sheet.index) == ("pairs", None)
            assert line.views[-1].phase.number == 0
        assert outcome.seq == fays.seqs[-1]
        assert "sheet_chosen" in anas.notices


async def test_a_groups_own_sheet_is_kept_and_its_words_are_not_in_the_journal() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        await runner.choose_sheet(fay, own())
        await runner.ask(fay, m.OpenPhase(0, 0))
        assert line.sheets[-1] == own()
        assert here.sheets.used_at == {("home", "own-1"): here.clock.now()}
        assert own() in await runner.sheets(fay)
        assert WORDS not in repr(here.journal.circles)


async def test_who_does_not_lead_can_neither_choose_nor_keep_nor_list_nor_forget() -> None:
    async with node() as here:
        runner, _, ana, line, _ = await here.circle_of_two()
        shown = len(line.views)
        with pytest.raises(Refused):
            await runner.choose_sheet(ana, own())
        with pytest.raises(Refused):
            await runner.sheets(ana)
        with pytest.raises(Refused):
            await runner.forget_sheet(ana, "own-1")
        assert here.sheets.own == {} and len(line.views) == shown


async def test_an_insert_brings_its_words_and_afterwards_the_others_are_back() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        await runner.choose_sheet(fay, "check-in")
        await runner.ask(fay, m.OpenPhase(0, 1))
        holder = runner.circle.turn
        await runner.choose_sheet(fay, "grounding", insert=True)
        assert line.sheets[-1].id == "grounding"
        assert line.views[-1].phase.insert and line.views[-1].turn is None
        await runner.ask(fay, m.ReturnToPhase(runner.circle.phase_number))
        assert line.sheets[-1].id == "check-in"
        assert runner.circle.turn is not None and holder is not None
        assert runner.circle.turn.seat == holder.seat


async def test_after_a_restart_the_words_are_there_again() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, *_ = await here.circle_of_two()
        await runner.choose_sheet(fay, own())
        await runner.choose_sheet(fay, "grounding", insert=True)
        before, sheets = runner.circle, here.sheets
    there = Node(journal, clock)
    there.sheets.own = sheets.own
    async with there.host:
        again = there.host.circle(runner.id)
        assert again is not None
        assert again.circle.sheet == before.sheet and again.circle.aside == before.aside
        await again.ask(None, m.ReturnToSeat(fay))
        back = NotedLine()
        again.attach(fay, back, FAY, returning=True)
        assert back.sheets[-1].id == "grounding"
        await again.ask(fay, m.ReturnToPhase(again.circle.phase_number))
        assert back.sheets[-1] == own()


async def test_when_the_library_is_away_nothing_is_chosen_and_the_circle_goes_on() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, *_ = await here.circle_of_two()
        await runner.choose_sheet(fay, own())
        here.sheets.broken = True
        for asked in (
            runner.choose_sheet(fay, "pairs"),
            runner.choose_sheet(fay, own("own-2")),
            runner.sheets(fay),
            runner.forget_sheet(fay, "own-1"),
        ):
            with pytest.raises(Busy):
                await asked
        assert runner.circle.sheet == own().rules
    there = Node(journal, clock)
    there.sheets.broken = True
    async with there.host:
        again = there.host.circle(runner.id)
        assert again is not None
        await again.ask(None, m.ReturnToSeat(fay))
        line = NotedLine()
        again.attach(fay, line, FAY)
        await again.ask(fay, m.OpenPhase(0, 1))
        assert line.sheets == [] and line.views[-1].phase.mode is Mode.ROUND


async def test_a_sheet_that_is_not_there_is_told_as_such() -> None:
    async with node() as here:
        runner, fay, *_ = await here.circle_of_two()
        with pytest.raises(NoSuchSheet):
            await runner.choose_sheet(fay, "own-9")
        with pytest.raises(NoSuchSheet):
            await runner.forget_sheet(fay, "own-9")
        await runner.choose_sheet(fay, own())
        await runner.forget_sheet(fay, "own-1")
        with pytest.raises(NoSuchSheet):
            await runner.choose_sheet(fay, "own-1")


async def test_trying_sheet_after_sheet_does_not_fill_the_memory() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        await runner.choose_sheet(fay, "pairs")
        await runner.choose_sheet(fay, "grounding", insert=True)
        for number in range(3 * SHEETS_KNOWN):
            with pytest.raises(Refused):
                await runner.choose_sheet(fay, own(f"own-{number}"), insert=True)
        await runner.ask(fay, m.ReturnToPhase(runner.circle.phase_number))
        assert line.sheets[-1].id == "pairs"
        for number in range(3 * SHEETS_KNOWN):
            await runner.choose_sheet(fay, own(f"own-{number}"))
            assert line.sheets[-1].id == f"own-{number}"
        assert len(runner._known) <= SHEETS_KNOWN + 2


async def test_two_who_choose_at_once_end_with_one_sheet_and_its_words() -> None:
    async with node() as here:
        runner, fay, ana, fays, _ = await here.circle_of_two()
        await runner.ask(fay, m.SetRoles(ana, (Role.CO_FACILITATOR,)))
        await asyncio.gather(runner.choose_sheet(fay, "pairs"), runner.choose_sheet(ana, "tools"))
        assert runner.circle.sheet is not None
        assert fays.sheets[-1].id == runner.circle.sheet.id


async def test_who_waits_at_the_door_gets_no_words() -> None:
    async with node() as here:
        runner, fay, *_ = await here.circle_of_two()
        await runner.choose_sheet(fay, own())
        await runner.ask(fay, m.AskAtDoor())
        outcome = await runner.ask(None, m.TakeSeat())
        taken = outcome.events[0]
        assert isinstance(taken, m.SeatTaken) and taken.waiting
        ben = NotedLine()
        runner.attach(taken.seat, ben, ANA)
        assert ben.sheets == [] and ben.views[-1].sheet is None
        await runner.ask(fay, m.Admit(taken.seat))
        await until(lambda: ben.sheets == [own()])
