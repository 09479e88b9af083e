"""A text is read aloud, a line each."""

from __future__ import annotations

from dataclasses import replace

from peermeet.core.messages import Back, GiveTurn, Later, NextTurn, PassTurn
from peermeet.core.model import Mode, Phase, Timeout, Who
from tests.kit import Meeting

READ = Phase(Mode.READ, turn_ms=60_000, timeout=Timeout.NONE, lines=3)


def reading(*names: str) -> Meeting:
    return Meeting(*(names or ("fay*", "ana", "ben"))).sheet(READ)


def reads(meeting: Meeting) -> str:
    """The holder reads a line aloud and hands on."""
    name = meeting.holder
    assert name is not None
    meeting.people[name].speaks()
    meeting.people[name].does(PassTurn)
    return name


def line_now(meeting: Meeting) -> int:
    return meeting.fay.view.phase.line


def test_a_line_each_and_the_reading_ends_with_the_text() -> None:
    meeting = reading("fay*", "ana", "ben", "cleo")
    assert [reads(meeting) for _ in range(3)] == ["fay", "ana", "ben"]
    assert meeting.circle.phase_over and meeting.holder is None
    meeting.fay.does(NextTurn)
    assert meeting.holder is None, "Cleo has no line to read"


def test_only_the_reader_is_heard() -> None:
    meeting = reading()
    meeting.fay.speaks()
    assert meeting.heard == {"fay"}
    assert meeting.ana.is_refused(Later) == "not_your_turn"


def test_who_passes_leaves_the_line_to_the_next() -> None:
    meeting = reading()
    meeting.fay.does(PassTurn)
    assert (meeting.holder, line_now(meeting)) == ("ana", 0)
    reads(meeting)
    assert line_now(meeting) == 1


def test_more_lines_than_readers_go_round_again() -> None:
    meeting = reading("fay*", "ana")
    assert [reads(meeting) for _ in range(3)] == ["fay", "ana", "fay"]
    assert meeting.circle.phase_over


def test_lines_that_were_passed_find_a_reader_once_more() -> None:
    meeting = reading("fay*", "ana")
    readers = []
    meeting.fay.does(PassTurn)
    while meeting.holder is not None:
        readers.append(reads(meeting))
    assert readers == ["ana", "fay", "ana"]


def test_a_text_nobody_reads_is_over_when_everybody_passed() -> None:
    meeting = reading("fay*", "ana")
    for _ in range(5):
        meeting.people[meeting.holder or ""].does(PassTurn)
    assert meeting.circle.phase_over


def test_a_latecomer_reads_too() -> None:
    meeting = Meeting("fay*").sheet(Phase(Mode.READ, lines=1))
    meeting.joins("ana")
    meeting.fay.does(PassTurn)
    assert meeting.holder == "fay", "a line that was passed goes round again"
    meeting.fay.does(PassTurn)
    assert reads(meeting) == "ana"


def test_back_takes_the_line_back() -> None:
    meeting = reading()
    reads(meeting)
    assert line_now(meeting) == 1
    meeting.fay.does(Back)
    assert (meeting.holder, line_now(meeting)) == ("fay", 0)


def test_a_facilitator_may_ask_somebody_to_read() -> None:
    meeting = reading()
    meeting.fay.does(GiveTurn, seat="ben")
    assert reads(meeting) == "ben"
    assert line_now(meeting) == 1


def test_a_text_is_read_to_its_end_whatever_the_time() -> None:
    phase = Phase(Mode.READ, timeout=Timeout.NONE, lines=2, length_ms=60_000)
    meeting = Meeting("fay*", "ana").sheet(phase)
    meeting.at(s=500)
    assert meeting.holder == "fay" and not meeting.fay.view.phase.ran_out
    assert [reads(meeting) for _ in range(2)] == ["fay", "ana"]
    assert meeting.circle.phase_over


def test_a_text_without_counted_lines_is_read_by_each_once() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.READ))
    assert [reads(meeting) for _ in range(2)] == ["fay", "ana"]
    assert meeting.circle.phase_over


def test_a_text_that_is_for_nobody_is_over() -> None:
    meeting = Meeting("fay*", "ana").sheet(replace(READ, who=Who.SPEAKER))
    assert meeting.circle.phase_over
