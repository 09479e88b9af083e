"""Whose line one may know of: everybody's by a mark, in figures one's own or who cares for them."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.model import Role
from peermeet.core.project import lines_for
from tests.kit import Meeting


def knows(meeting: Meeting, name: str) -> dict[str, bool]:
    """Of whose line this person may know; True: in figures."""
    told = lines_for(meeting.circle, meeting.seat(name))
    return {meeting.name(seat): in_figures for seat, in_figures in told.items()}


def test_a_member_knows_everybodys_mark_and_only_their_own_figures() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    assert knows(meeting, "ana") == {"fay": False, "ana": True, "ben": False}


@pytest.mark.parametrize("role", Role)
def test_figures_of_others_are_for_those_who_care_for_people(role: Role) -> None:
    meeting = Meeting("fay*", "ana", "ben").appoint("ana", role)
    cares = role in (Role.FACILITATOR, Role.CO_FACILITATOR)
    assert knows(meeting, "ana")["ben"] is cares


def test_of_another_space_nothing_is_told_whoever_asks() -> None:
    meeting = Meeting("fay*", "cara*", "ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    meeting.cara.does(m.AcceptQuiet, seat="ana")
    assert knows(meeting, "fay") == {"fay": True, "ben": True}
    assert knows(meeting, "ben") == {"fay": False, "ben": True}
    assert knows(meeting, "ana") == {"cara": False, "ana": True}
    meeting.ben.does(m.StepOut)
    assert knows(meeting, "fay") == {"fay": True}
    assert knows(meeting, "ben") == {"ben": True}


def test_who_waits_is_not_told_of_and_knows_only_their_own() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    assert knows(meeting, "fay") == {"fay": True, "ben": True}
    assert knows(meeting, "ana") == {"ana": True}
