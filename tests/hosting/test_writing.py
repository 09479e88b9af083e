"""What is written and what is private: passed on to who may know it, and kept nowhere."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import Refused
from peermeet.core.model import Card, Chat, Millis, Mode, Phase, Role, SeatId, Sheet, Topic
from peermeet.hosting.runner import SAID_KEPT, Runner, replay
from peermeet.protocol import Profile
from peermeet.signalling.socket import OUTGOING
from tests.hosting.fakes import NotedLine
from tests.hosting.test_runner import ANA, Node, node

BEN = Profile("Ben", "sky")


async def ben_comes(runner: Runner) -> tuple[SeatId, NotedLine]:
    outcome = await runner.ask(None, m.TakeSeat())
    taken = outcome.events[0]
    assert isinstance(taken, m.SeatTaken)
    line = NotedLine()
    runner.attach(taken.seat, line, BEN)
    return taken.seat, line


def read(line: NotedLine) -> list[str | None]:
    return [said.text for said in line.read]


async def test_what_is_written_reaches_whom_it_is_meant_for() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        ben, bens = await ben_comes(runner)
        await runner.ask(fay, m.SetRoles(ben, (Role.TIMEKEEPER,)))
        runner.say(fay, "all", "to all")
        runner.say(fay, "facilitators", "to who leads")
        runner.say(ben, "team", "to who helps")
        assert read(fays) == ["to all", "to who leads", "to who helps"]
        assert read(bens) == ["to all", "to who helps"]
        assert read(anas) == ["to all"]
        said = anas.read[0]
        assert (said.seat, said.to, said.at) == (fay, "all", here.clock.now())
        with pytest.raises(Refused):
            runner.say(ana, "team", "not for me")
        with pytest.raises(Refused):
            runner.say(ana, "all", "the phase does not say so")
        assert len(fays.read) == 3


async def test_what_is_written_says_as_what_also_to_who_comes_back() -> None:
    async with node() as here:
        runner, fay, ana, fays, _ = await here.circle_of_two()
        runner.say(fay, "all", "a word")
        runner.say(fay, "all", "what is said", as_="caption")
        assert [(said.text, said.as_) for said in fays.read] == [
            ("a word", "chat"),
            ("what is said", "caption"),
        ]
        back = NotedLine()
        await runner.ask(None, m.ReturnToSeat(ana))
        runner.attach(ana, back, ANA, returning=True)
        assert [said.as_ for said in back.read] == ["chat", "caption"]


async def test_what_is_written_is_kept_for_who_comes_back_and_not_for_newcomers() -> None:
    async with node() as here:
        runner, fay, ana, _, _ = await here.circle_of_two()
        runner.say(fay, "all", "first")
        here.clock.not_before(Millis(here.clock.now() + 1))
        _, bens = await ben_comes(runner)
        runner.say(fay, "all", "second")
        back = NotedLine()
        await runner.ask(None, m.ReturnToSeat(ana))
        runner.attach(ana, back, ANA, returning=True)
        assert read(back) == ["first", "second"]
        assert read(bens) == ["second"], "who wrote did not know of Ben"


async def test_only_the_last_hundred_are_kept() -> None:
    async with node() as here:
        runner, fay, ana, _, _ = await here.circle_of_two()
        for number in range(SAID_KEPT + 5):
            runner.say(fay, "all", str(number))
        back = NotedLine()
        await runner.ask(None, m.ReturnToSeat(ana))
        runner.attach(ana, back, ANA, returning=True)
        assert read(back) == [str(number) for number in range(5, SAID_KEPT + 5)]
    assert OUTGOING > SAID_KEPT + 32, "all of it waits at once for a line that begins"


async def test_words_of_who_was_removed_or_is_veiled_come_to_nobody_again() -> None:
    async with node() as here:
        runner, fay, ana, _, _ = await here.circle_of_two()
        ben, _ = await ben_comes(runner)
        phase = Phase(Mode.TALK, chat=Chat.TO_FACILITATORS)
        await runner.ask(fay, m.UseSheet(Sheet("talk", (phase,))))
        await runner.ask(fay, m.OpenPhase(0, 0))
        runner.say(fay, "all", "kind")
        runner.say(ben, "facilitators", "hm")
        await runner.ask(fay, m.SafeRoom())
        again = await comes_back(runner, fay)
        assert read(again) == ["kind"]
        await runner.ask(fay, m.LiftSafety(everyone=True))
        assert read(await comes_back(runner, fay)) == ["kind", "hm"]
        await runner.ask(fay, m.Remove(ben))
        assert read(await comes_back(runner, fay)) == ["kind"]


async def comes_back(runner: Runner, seat: SeatId) -> NotedLine:
    line = NotedLine()
    await runner.ask(None, m.ReturnToSeat(seat))
    runner.attach(seat, line, ANA, returning=True)
    return line


async def test_how_a_veiled_person_appears_is_told_to_who_leads_alone() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        ben, bens = await ben_comes(runner)
        await runner.ask(fay, m.SafeRoom())
        assert fays.profiles[ben] == BEN
        assert anas.profiles.keys() == {fay, ana}, "an intruder's name is no way to shout"
        runner.change_profile(ben, Profile("RUDE", "clay"))
        assert ben not in anas.profiles and bens.profiles[ben] == Profile("RUDE", "clay")
        await runner.ask(fay, m.Readmit(ana))
        assert ana in bens.profiles and ben not in anas.profiles
        await runner.ask(fay, m.Readmit(ben))
        assert ben in anas.profiles


async def test_by_which_link_a_removed_person_came_is_told_to_who_moderates() -> None:
    async with node() as here:
        runner, fay, _, fays, anas = await here.circle_of_two()
        ben, _ = await ben_comes(runner)
        runner.remember_link(ben, "K7Q2M")
        await runner.ask(fay, m.RaiseHand())
        assert fays.links == {}, "nobody asks by which link somebody came who is here"
        await runner.ask(fay, m.Remove(ben))
        assert fays.links == {ben: "K7Q2M"} and anas.links == {}


async def live_privately(here: Node) -> tuple[Runner, SeatId, SeatId]:
    """Everything private that people may do."""
    runner, fay, ana, *_ = await here.circle_of_two()
    await runner.ask(fay, m.SetMic(True))
    await runner.ask(ana, m.AskPause())
    await runner.ask(fay, m.DeclinePause())
    await runner.ask(ana, m.NoteContent(Topic.DEATH))
    await runner.ask(ana, m.EndNote())
    await runner.ask(fay, m.ShowCard(Card.ADVICE, ana))
    await runner.ask(ana, m.StepOut())
    await runner.ask(ana, m.StepIn())
    await runner.ask(ana, m.OfferQuiet())
    await runner.ask(fay, m.DeclineQuiet(ana))
    await runner.ask(ana, m.OfferQuiet(fay))
    await runner.ask(fay, m.AcceptQuiet(ana))
    await runner.ask(ana, m.SetMic(True))
    return runner, fay, ana


async def test_what_is_private_is_true_and_written_down_nowhere() -> None:
    async with node() as here:
        runner, fay, ana = await live_privately(here)
        assert runner.circle.quiet == ((ana, fay),)
        assert here.media.gates[runner.id][ana].space == here.media.gates[runner.id][fay].space
        assert here.media.gates[runner.id][ana].audio
        events = [e for _, e in here.journal.circles[runner.id].events]
        assert not [e for e in events if isinstance(e, m.PrivateEvent)]
        kept = repr(events).lower()
        for word in ("quiet", "stepped", "card", "note", "pause", "death", "advice"):
            assert word not in kept, word


async def test_a_journal_that_had_to_be_read_again_opens_nobodys_microphone() -> None:
    """Who spoke in a quiet space finds themselves in the circle: switched off."""
    async with node() as here:
        runner, fay, ana = await live_privately(here)
        found = replay(here.journal.circles[runner.id])
        assert found.quiet == ()
        assert [s.id for s in found.seats.values() if s.mic_on or s.camera_on] == []
