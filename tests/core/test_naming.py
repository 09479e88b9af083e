"""Who spoke names who comes next."""

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.model import Mode, Order, Phase, Sheet
from tests.kit import Meeting


def naming(mode: Mode, lines: int = 0) -> Meeting:
    meeting = Meeting("fay*", "ana", "ben")
    phase = Phase(mode, order=Order.PREVIOUS_NAMES_NEXT, lines=lines)
    meeting.decide(meeting.fay.seat, m.UseSheet(Sheet("names", (phase,))))
    meeting.fay.does(m.OpenPhase, after=0, index=0)
    return meeting


def test_the_one_who_spoke_chooses_among_those_who_wait() -> None:
    meeting = naming(Mode.ROUND)
    assert meeting.holder == "fay"
    meeting.fay.does(m.NameNext, turn=1, seat="ben")
    assert meeting.holder == "ben"
    assert meeting.ben.is_refused(m.NameNext, turn=2, seat="fay") == "not_eligible"


def test_the_holder_alone_is_offered_names_and_nobody_is_told_a_place() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo")
    phase = Phase(Mode.ROUND, order=Order.PREVIOUS_NAMES_NEXT)
    meeting.decide(meeting.fay.seat, m.UseSheet(Sheet("names", (phase,))))
    meeting.fay.does(m.OpenPhase, after=0, index=0)
    events = meeting.fay.does(m.NameNext, turn=1, seat="ana")
    named = {s.id for s in meeting.ana.view.seats if "name_next" in s.may}
    assert named == {meeting.ben.seat, meeting.cleo.seat}
    assert not [s for s in meeting.ben.view.seats if "name_next" in s.may]
    assert meeting.ben.view.before_you is None
    assert meeting.ben.notices(events) == ["turn_started"]


def test_nobody_is_named_once_the_text_is_read() -> None:
    meeting = naming(Mode.READ, lines=1)
    meeting.fay.speaks()
    meeting.fay.does(m.NameNext, turn=1, seat="ben")
    assert meeting.holder is None
    assert meeting.circle.phase_over
