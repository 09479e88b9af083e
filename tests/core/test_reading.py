"""A text is read aloud, a line each."""

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.model import Mode, Phase, Timeout
from tests.kit import Meeting


def reading(lines: int, *names: str) -> Meeting:
    phase = Phase(Mode.READ, lines=lines, timeout=Timeout.NONE, length_ms=60_000)
    return Meeting("fay*", *names).sheet(phase)


def read_on(meeting: Meeting) -> None:
    reader = meeting.people[str(meeting.holder)]
    reader.speaks()
    reader.does(m.PassTurn)


def test_each_reads_a_line_and_the_text_ends_with_its_last() -> None:
    meeting = reading(2, "ana", "ben")
    assert meeting.fay.view.phase.line == 0
    read_on(meeting)
    assert (meeting.holder, meeting.fay.view.phase.line) == ("ana", 1)
    read_on(meeting)
    assert meeting.holder is None
    assert meeting.circle.phase_over


def test_who_passes_leaves_the_line_to_the_next() -> None:
    meeting = reading(2, "ana", "ben")
    meeting.fay.does(m.PassTurn)
    assert (meeting.holder, meeting.fay.view.phase.line) == ("ana", 0)


def test_a_long_text_goes_round_again() -> None:
    meeting = reading(5, "ana")
    readers = []
    while meeting.holder is not None:
        readers.append(meeting.holder)
        read_on(meeting)
    assert readers == ["fay", "ana", "fay", "ana", "fay"]


def test_a_reading_that_everybody_passes_comes_to_an_end() -> None:
    meeting = reading(1, "ana")
    for _ in range(10):
        if meeting.holder is None:
            break
        meeting.people[meeting.holder].does(m.PassTurn)
    assert meeting.circle.phase_over


def test_an_empty_slot_for_the_groups_own_text_gives_each_a_turn() -> None:
    meeting = reading(0, "ana", "ben")
    readers = []
    while meeting.holder is not None:
        readers.append(meeting.holder)
        read_on(meeting)
    assert readers == ["fay", "ana", "ben"]


def test_back_gives_the_line_back_too() -> None:
    meeting = reading(3, "ana", "ben")
    read_on(meeting)
    meeting.fay.does(m.Back)
    assert (meeting.holder, meeting.fay.view.phase.line) == ("fay", 0)


def test_a_text_is_read_to_its_end_whatever_the_clock_says() -> None:
    meeting = reading(2, "ana")
    meeting.at(s=120)
    assert not meeting.circle.phase_over
    assert meeting.holder == "fay"
