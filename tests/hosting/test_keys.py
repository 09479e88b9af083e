"""Keys pass through the server sealed, to those who may have them, and stay nowhere."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import Code, Refused
from peermeet.hosting.runner import replay
from tests.hosting.test_runner import node
from tests.hosting.test_writing import ben_comes


async def test_keys_reach_only_the_one_they_are_sealed_for() -> None:
    async with node(encrypted=True) as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        ben, bens = await ben_comes(runner)
        runner.hand_keys(fay, {ana: "for-ana", ben: "for-ben"})
        assert (anas.handed, bens.handed, fays.handed) == (
            [(fay, "for-ana")],
            [(fay, "for-ben")],
            [],
        )


async def test_nothing_of_a_handed_key_is_kept() -> None:
    async with node(encrypted=True) as here:
        runner, fay, ana, _, anas = await here.circle_of_two()
        kept = await here.journal.load(runner.id)
        runner.hand_keys(fay, {ana: "for-ana"})
        assert await here.journal.load(runner.id) == kept
        assert kept is not None and replay(kept) == runner.circle
        await runner.detach(ana, anas)
        runner.hand_keys(fay, {ana: "while-away"})
        await runner.ask(None, m.ReturnToSeat(ana))
        assert anas.handed == [(fay, "for-ana")]


async def test_who_waits_outside_neither_gives_nor_gets_keys() -> None:
    async with node(encrypted=True) as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        await runner.ask(fay, m.MoveToWaiting(ana))
        runner.hand_keys(fay, {ana: "for-ana"})
        with pytest.raises(Refused) as refusal:
            runner.hand_keys(ana, {fay: "for-fay"})
        assert refusal.value.code == Code.IN_WAITING_AREA
        assert (fays.handed, anas.handed) == ([], [])
        await runner.ask(fay, m.Admit(ana))
        runner.hand_keys(fay, {ana: "for-ana"})
        assert anas.handed == [(fay, "for-ana")]


async def test_in_an_encrypted_circle_the_media_worker_wants_the_mark() -> None:
    async with node(encrypted=True) as here:
        await here.circle_of_two()
        assert set(here.media.marked_at) == {True}
        here.media.marked_at.clear()
        practice = await here.host.circle_of("home/practice-1")
        await practice.ask(None, m.TakeSeat())
        assert set(here.media.marked_at) == {False}, "this server plays there itself"
    async with node() as here:
        await here.circle_of_two()
        assert set(here.media.marked_at) == {False}
