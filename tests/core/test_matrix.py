"""Every command by every role in every state does what the table of powers says."""

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.decide import decide
from peermeet.core.messages import Code, Refused
from peermeet.core.model import Circle, Role
from tests.core.matrix import CAST, SEATS, STATES, Cell, cells, in_state
from tests.kit import Meeting


def outcome(circle: Circle, cell: Cell, meeting: Meeting) -> Code | None:
    try:
        decide(circle, SEATS[cell.name], cell.command, meeting.now)
    except Refused as refusal:
        return refusal.code
    return None


def test_the_cast_has_every_role() -> None:
    meeting = in_state("talk")
    for name, role in CAST.items():
        assert meeting.circle.seats[SEATS[name]].roles == ({role} if role else set())
    assert set(CAST.values()) == {*Role, None}


def test_every_cell_of_the_matrix_is_what_the_table_says() -> None:
    tried, denied = 0, 0
    for state in STATES:
        meeting = in_state(state)
        for cell in cells(state, meeting.circle):
            code = outcome(meeting.circle, cell, meeting)
            tried += 1
            if cell.denied is not None:
                denied += 1
                assert code == cell.denied, cell
            else:
                assert code is not Code.NOT_ALLOWED, cell
    assert tried > 10_000 and denied > 5_000


def test_nobody_has_a_power_over_those_who_lead_but_the_facilitator() -> None:
    meeting = in_state("talk")
    cara = SEATS["cara"]
    for command in (m.MoveToWaiting, m.Remove):
        assert meeting.people["cara"].is_refused(command, seat="fay") == "not_allowed"
        assert meeting.people["cara"].is_refused(command, seat="cara") == "not_allowed"
        assert meeting.fay.is_refused(command, seat="fay") == "not_allowed"
        assert decide(meeting.circle, SEATS["fay"], command(cara), meeting.now)
        assert decide(meeting.circle, cara, command(SEATS["tim"]), meeting.now)
