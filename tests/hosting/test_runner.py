"""One circle's task: what is acknowledged is kept, and what is not kept did not happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from peermeet.core import messages as m
from peermeet.core.decide import decide
from peermeet.core.messages import Refused
from peermeet.core.model import Circle, Millis, Mode, SeatId, Timeout
from peermeet.hosting.host import TOO_OLD_MS, Host
from peermeet.hosting.ports import Held, SystemClock
from peermeet.hosting.runner import Busy, Runner, replay
from peermeet.protocol import Profile
from tests.hosting.fakes import FakeClock, MemoryJournal, MemorySheets, NotedLine, NotedMedia

FAY = Profile("Fay", "sage")
ANA = Profile("Ana", "rose")


class Node:
    """A host with its fakes, and Fay and Ana in a circle."""

    def __init__(
        self,
        journal: MemoryJournal | None = None,
        clock: SystemClock | None = None,
        screens: bool = False,
        left: dict[str, dict[str, Held]] | None = None,
        encrypted: bool = False,
    ) -> None:
        """left: what an earlier server left with the media worker."""
        self.journal = journal or MemoryJournal()
        self.media = NotedMedia(self.journal.order)
        self.media.left = left or {}
        self.clock = clock or FakeClock()
        self.sheets = MemorySheets()
        self.host = Host(self.journal, self.media, self.sheets, self.clock, screens, encrypted)

    async def circle_of_two(self) -> tuple[Runner, SeatId, SeatId, NotedLine, NotedLine]:
        runner = await self.host.circle_of("home")
        await runner.ask(None, m.TakeSeat(as_facilitator=True))
        await runner.ask(None, m.TakeSeat())
        fay, ana = NotedLine(self.journal.order), NotedLine(self.journal.order)
        runner.attach(SeatId("s1"), fay, FAY)
        runner.attach(SeatId("s2"), ana, ANA)
        return runner, SeatId("s1"), SeatId("s2"), fay, ana


@asynccontextmanager
async def node(
    journal: MemoryJournal | None = None,
    clock: FakeClock | None = None,
    screens: bool = False,
    left: dict[str, dict[str, Held]] | None = None,
    encrypted: bool = False,
) -> AsyncIterator[Node]:
    made = Node(journal, clock, screens, left, encrypted)
    async with made.host:
        yield made


async def test_what_is_done_is_in_the_journal_before_anybody_sees_it() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        here.journal.order.clear()
        outcome = await runner.ask(fay, m.SetMic(True))
        assert here.journal.order == ["append", "gates", "view", "view"]
        assert outcome.seq == line.seqs[-1]
        assert here.media.gates[runner.id]["s1"].audio


async def test_a_failed_append_means_it_did_not_happen() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        before, shown = runner.circle, len(line.views)
        here.journal.broken = True
        with pytest.raises(Busy):
            await runner.ask(fay, m.RaiseHand())
        assert runner.circle is before
        assert len(line.views) == shown
        here.journal.broken = False
        await runner.ask(fay, m.RaiseHand())
        assert line.views[-1].hands == ("s1",)


async def test_an_append_whose_answer_got_lost_has_one_effect() -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND))
        here.journal.forgets_to_answer = True
        await runner.ask(fay, m.Extend(turn=1))
        assert line.views[-1].turn is not None
        assert line.views[-1].turn.remaining_ms == 240_000
        extended = [
            e for _, e in here.journal.circles[runner.id].events if e.kind == "turn_extended"
        ]
        assert len(extended) == 1


async def test_a_refusal_changes_nothing_and_shows_nothing() -> None:
    async with node() as here:
        runner, _, ana, line, _ = await here.circle_of_two()
        shown, seq = len(line.views), here.journal.circles[runner.id].seq
        with pytest.raises(Refused):
            await runner.ask(ana, m.EndCircle())
        assert (len(line.views), here.journal.circles[runner.id].seq) == (shown, seq)


async def test_the_journal_replays_to_the_same_circle() -> None:
    async with node() as here:
        runner, fay, ana, *_ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND, first=ana))
        await runner.ask(ana, m.SetMic(True))
        assert replay(here.journal.circles[runner.id]) == runner.circle


async def test_a_newer_tab_takes_over_and_the_older_is_told() -> None:
    async with node() as here:
        runner, _, ana, _, older = await here.circle_of_two()
        newer = NotedLine()
        await runner.ask(None, m.ReturnToSeat(ana))
        runner.attach(ana, newer, ANA)
        assert older.farewell == ("replaced", False)
        await runner.detach(ana, older)
        assert runner.circle.seats[ana].present
        await runner.detach(ana, newer)
        assert not runner.circle.seats[ana].present


async def test_profiles_are_relayed_and_go_with_their_seat() -> None:
    async with node() as here:
        runner, fay, ana, line, _ = await here.circle_of_two()
        runner.change_profile(ana, Profile("Anemone", "sky"))
        assert line.profiles == {fay: FAY, ana: Profile("Anemone", "sky")}
        await runner.ask(ana, m.Leave())
        assert line.profiles == {fay: FAY}
        kept = repr(here.journal.circles)
        assert "Anemone" not in kept and "Fay" not in kept


async def test_everybody_is_told_why_their_line_ends() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        await runner.ask(fay, m.Remove(ana))
        await until(lambda: anas.farewell == ("removed", False))
        assert here.media.gates[runner.id].keys() == {"s1"}
        await runner.ask(fay, m.EndCircle())
        await until(lambda: fays.farewell == ("circle_ended", False))
        await until(lambda: here.host.circle(runner.id) is None)
        assert here.journal.circles == {}
        assert here.media.gates == {}
        with pytest.raises(Refused):
            await runner.ask(fay, m.RaiseHand())


async def test_after_the_end_the_same_link_opens_a_new_circle() -> None:
    async with node() as here:
        runner, fay, *_ = await here.circle_of_two()
        await runner.ask(fay, m.EndCircle())
        again = await here.host.circle_of("home")
        assert again.id != runner.id


async def test_two_arrivals_at_once_share_one_circle() -> None:
    async with node() as here:
        one, two = await asyncio.gather(here.host.circle_of("home"), here.host.circle_of("home"))
        assert one is two


async def test_a_restart_keeps_seats_holder_and_time() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, ana, line, _ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND, turn_ms=60_000, first=ana))
        clock.move(s=20)
        await runner.ask(fay, m.RaiseHand())
        before = runner.circle
    assert line.farewell == ("restarting", True)
    clock.move(s=300)
    async with node(journal, clock) as there:
        again = there.host.circle(runner.id)
        assert again is not None
        assert again.circle.seats.keys() == before.seats.keys()
        assert again.circle.turn is not None
        assert (again.circle.turn.seat, again.circle.turn.number) == (ana, 1)
        assert again.circle.turn.clock.left(clock.now()) == 40_000
        await again.ask(None, m.ReturnToSeat(ana))
        back = NotedLine()
        again.attach(ana, back, ANA, returning=True)
        assert back.reoffers == 1, "the new server has no media of theirs"
        clock.move(s=5)
        assert again.circle.turn.clock.left(clock.now()) == 35_000


async def test_after_a_restart_no_screen_is_shown_and_the_groups_wish_of_today_holds() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock, screens=True) as here:
        runner, fay, ana, _, _ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND, first=ana))
        await runner.ask(ana, m.StartShare())
        assert here.media.gates[runner.id][ana].screen
    for screens in (True, False):
        async with node(journal, clock, screens) as there:
            again = there.host.circle(runner.id)
            assert again is not None
            await again.ask(None, m.ReturnToSeat(fay))
            await again.ask(None, m.ReturnToSeat(ana))
            assert not there.media.gates[runner.id][ana].screen
            if screens:
                await again.ask(ana, m.StartShare())
                assert there.media.gates[runner.id][ana].screen
            else:
                with pytest.raises(Refused, match="screens_off"):
                    await again.ask(ana, m.StartShare())


async def test_a_restart_is_not_heard_by_who_is_still_connected() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, ana, *_ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND, first=ana))
        await runner.ask(ana, m.SetMic(True))
    assert here.media.closed == [], "the worker keeps the circle of a server that goes down"
    left: dict[str, dict[str, Held]] = {
        runner.id: {"s2": Held({"2": "s1"}, True, high=True), "s1": Held({}, False)},
        "an-old-one": {},
    }
    async with node(journal, clock, left=left) as there:
        assert there.media.closed == ["an-old-one"]
        again = there.host.circle(runner.id)
        assert again is not None
        assert there.media.gates[runner.id][ana].audio
        there.journal.order.clear()
        for seat in (fay, ana):
            await again.come_back(seat)
        assert there.media.gates[runner.id][ana].audio
        lines = NotedLine(), NotedLine()
        again.attach(fay, lines[0], FAY, returning=True)
        again.attach(ana, lines[1], ANA, returning=True)
        assert (lines[0].reoffers, lines[1].reoffers) == (0, 0), "both have what they need"
        assert lines[1].mids == {"2": fay}
        assert lines[1].high, "their camera goes on sending both layers"


async def test_only_a_connection_that_lived_all_the_time_keeps_a_microphone_on() -> None:
    async with node() as here:
        runner, _, ana, _, line = await here.circle_of_two()
        for state, stays in (("connected", True), ("gone", False), ("left", False)):
            here.host.media_changed(runner.id, ana, "connected")
            await runner.ask(ana, m.SetMic(True))
            here.host.media_changed(runner.id, ana, state)
            await runner.detach(ana, line)
            assert here.media.gates[runner.id][ana].audio, "a lost line cuts nobody off"
            await runner.come_back(ana)
            assert here.media.gates[runner.id][ana].audio is stays
            runner.attach(ana, line, ANA, returning=True)


async def test_what_an_outage_made_due_is_not_done_before_people_could_be_back() -> None:
    """Nobody led for an hour, because nobody could; and a firm turn went by unheard."""
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, ana, *_ = await here.circle_of_two()
        firm = m.StartPhase(Mode.ROUND, turn_ms=60_000, timeout=Timeout.FIRM, first=ana)
        await runner.ask(fay, firm)
        await runner.ask(None, m.LoseSeat(fay))
    clock.move(s=3_600)
    async with node(journal, clock) as there:
        again = there.host.circle(runner.id)
        assert again is not None and again.circle.turn is not None
        assert (again.circle.turn.seat, again.circle.turn.clock.remaining_ms) == (ana, 60_000)


async def test_a_circle_nobody_sat_down_in_does_not_keep_the_server_from_starting() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        await here.host.circle_of("home")
    clock.move(s=4_000)
    async with node(journal, clock):
        pass


async def test_a_clock_set_back_during_the_outage_does_not_freeze_time() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, fay, *_ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.ROUND, turn_ms=60_000, first=fay))
    earlier = FakeClock(at=clock.at - 7_200_000)
    async with node(journal, earlier) as there:
        again = there.host.circle(runner.id)
        assert again is not None
        await again.ask(None, m.ReturnToSeat(fay))
        earlier.move(s=10)
        assert again.circle.turn is not None
        assert again.circle.turn.clock.left(earlier.now()) == 50_000


async def test_a_circle_nobody_came_back_for_is_forgotten() -> None:
    journal, clock = MemoryJournal(), FakeClock()
    async with node(journal, clock) as here:
        runner, *_ = await here.circle_of_two()
    clock.move(s=TOO_OLD_MS / 1000 + 1)
    async with node(journal, clock) as there:
        assert there.host.circle(runner.id) is None
    assert journal.circles == {}


async def test_a_fault_of_ours_is_mended_from_the_journal_and_twice_ends_the_circle(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with node() as here:
        runner, fay, _, line, _ = await here.circle_of_two()
        failing = [True]

        def sometimes(*arguments: object) -> object:
            if failing[0]:
                raise RuntimeError("a bug")
            return decide(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr("peermeet.hosting.runner.decide", sometimes)
        with pytest.raises(Busy):
            await runner.ask(fay, m.RaiseHand())
        failing[0] = False
        await runner.ask(fay, m.RaiseHand())
        assert line.views[-1].hands == ("s1",)
        failing[0] = True
        with pytest.raises(Busy):
            await runner.ask(fay, m.LowerHand())
        await until(lambda: here.host.circle(runner.id) is None)
        assert line.farewell == ("trouble", False)
        assert "runner failed" in caplog.text


async def test_a_full_queue_says_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    journal, clock = MemoryJournal(), FakeClock()
    await journal.open_circle("c", "home", clock.now())
    stored = journal.circles["c"]

    async def ended(_: Runner) -> None: ...

    runner = Runner(stored, journal, NotedMedia([]), MemorySheets(), clock, ended)
    monkeypatch.setattr(runner, "_queue", asyncio.Queue(1))
    waiting = asyncio.create_task(runner.ask(None, m.TakeSeat()))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await runner.ask(None, m.TakeSeat())
    waiting.cancel()
    assert runner.circle == Circle(seed=runner.circle.seed, at=clock.now())


async def test_a_new_media_worker_asks_everybody_for_a_new_offer() -> None:
    async with node() as here:
        runner, _, ana, fays, anas = await here.circle_of_two()
        here.host.set_streams(runner.id, ana, {"2": "s1"})
        assert anas.mids == {"2": "s1"}
        here.host.media_restarted(["another"])
        assert (fays.reoffers, anas.reoffers) == (0, 0), "the others do not notice"
        here.host.media_restarted([runner.id])
        assert (fays.reoffers, anas.reoffers) == (1, 1)
        assert runner.streams_of(ana) is None
        here.host.media_changed(runner.id, ana, "connected")
        here.host.media_changed(runner.id, ana, "left")
        assert anas.reoffers == 1, "who closed it needs no telling"
        here.host.media_changed(runner.id, ana, "gone")
        assert anas.reoffers == 2


async def test_time_alone_moves_a_firm_turn() -> None:
    """The real clock, once: the runner wakes by itself."""
    clock = SystemClock()
    here = Node(clock=clock)
    async with here.host:
        runner, fay, ana, line, _ = await here.circle_of_two()
        await runner.ask(fay, m.StartPhase(Mode.SILENCE, length_ms=10_000))
        # Ten seconds is the shortest length; shorten what is left instead of waiting.
        clock.not_before(Millis(runner.circle.at + 9_950))
        await runner.ask(ana, m.RaiseHand())
        await until(lambda: line.views[-1].phase.over)


async def until(condition: object, limit_s: float = 5.0) -> None:
    """Let the loop run until a condition holds."""
    assert callable(condition)
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - the fakes have no event to wait for
            await asyncio.sleep(0)
