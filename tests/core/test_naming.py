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


def test_nobody_is_named_once_the_text_is_read() -> None:
    meeting = naming(Mode.READ, lines=1)
    meeting.fay.speaks()
    meeting.fay.does(m.NameNext, turn=1, seat="ben")
    assert meeting.holder is None
    assert meeting.circle.phase_over
