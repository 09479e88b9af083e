"""What people see and choose of their line: passed on to whom it concerns, and kept nowhere."""

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.model import SeatId
from peermeet.hosting.ports import MediaLine
from peermeet.protocol import LineDetails, Lines, Mark, OwnLine, SeatLine, Watch
from tests.hosting.fakes import NotedLine
from tests.hosting.test_runner import ANA, node


def details(rtt_ms: int = 80) -> LineDetails:
    return LineDetails(rtt_ms, 1, None, "udp")


def line(mark: Mark = 3, rtt_ms: int = 80, weak: bool = False) -> MediaLine:
    return MediaLine(mark, weak, details(rtt_ms))


async def test_a_member_sees_marks_and_a_facilitator_figures() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        here.host.set_lines(runner.id, {fay: line(3, 40), ana: line(1, 700, weak=True)})
        assert fays.told == [
            Lines(
                OwnLine(3, False),
                {fay: SeatLine(3, details(40)), ana: SeatLine(1, details(700))},
            )
        ]
        assert anas.told == [
            Lines(OwnLine(1, True), {fay: SeatLine(3, None), ana: SeatLine(1, details(700))})
        ]


async def test_nobody_is_told_what_they_know() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        here.host.set_lines(runner.id, {fay: line(), ana: line()})
        here.host.set_lines(runner.id, {fay: line(3, 41), ana: line()})
        assert (len(fays.told), len(anas.told)) == (2, 1), "only Fay sees figures of Fay"
        await runner.ask(fay, m.RaiseHand())
        assert (len(fays.told), len(anas.told)) == (2, 1), "a view changes no line"


async def test_who_goes_apart_is_told_of_no_more_at_once() -> None:
    async with node() as here:
        runner, fay, ana, fays, anas = await here.circle_of_two()
        here.host.set_lines(runner.id, {fay: line(), ana: line()})
        await runner.ask(ana, m.StepOut())
        assert fays.told[-1].seats.keys() == {fay}
        assert anas.told[-1].seats.keys() == {ana}
        await runner.ask(ana, m.StepIn())
        assert fays.told[-1].seats.keys() == {fay, ana}


async def test_who_comes_back_is_told_anew_and_a_lost_connection_is_not_told_of() -> None:
    async with node() as here:
        runner, fay, ana, fays, _ = await here.circle_of_two()
        here.host.set_lines(runner.id, {fay: line(), ana: line(2)})
        back = NotedLine()
        await runner.ask(None, m.ReturnToSeat(ana))
        runner.attach(ana, back, ANA)
        assert back.told[-1].own == OwnLine(2, False)
        here.host.media_changed(runner.id, ana, "gone")
        await runner.ask(fay, m.RaiseHand())
        assert fays.told[-1].seats.keys() == {fay}
        assert back.told[-1].own is None


async def test_a_new_media_worker_knows_no_lines_yet() -> None:
    async with node() as here:
        runner, fay, ana, fays, _ = await here.circle_of_two()
        here.host.set_lines(runner.id, {fay: line(), ana: line()})
        here.host.media_restarted([runner.id])
        here.host.set_lines(runner.id, {})
        assert fays.told[-1] == Lines(None, {})


async def test_a_seat_that_left_is_not_told_of_even_if_the_worker_does() -> None:
    async with node() as here:
        runner, fay, ana, fays, _ = await here.circle_of_two()
        await runner.ask(ana, m.Leave())
        here.host.set_lines(runner.id, {fay: line(), ana: line(), "s99": line()})
        assert fays.told[-1].seats.keys() == {fay}
        here.host.set_lines("no circle", {fay: line(1)})
        assert len(fays.told) == 1


async def test_a_watch_goes_to_the_worker_and_into_no_journal_or_view() -> None:
    async with node() as here:
        runner, _, ana, fays, anas = await here.circle_of_two()
        before = here.journal.circles[runner.id], len(fays.views), len(anas.views)
        runner.watch(ana, Watch("holder"))
        runner.watch(ana, Watch("all", [SeatId("s1")]))
        runner.watch(SeatId("s9"), Watch("none"))
        assert here.media.watches == [
            (ana, Watch("holder")),
            (ana, Watch("all", [SeatId("s1")])),
        ]
        after = here.journal.circles[runner.id], len(fays.views), len(anas.views)
        assert after == before
