"""One's own microphone, camera, words and way out, wherever one is."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import JournalEvent
from peermeet.core.model import Chat, Mode, Phase, Reason, Role
from tests.kit import Meeting


def test_seats_are_numbered_as_people_come() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.ana.does(m.Leave)
    meeting.joins("cleo")
    assert list(meeting.circle.seats) == ["s1", "s3", "s4"]


def test_in_a_quiet_word_devices_work_and_nothing_of_it_is_written_down() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    before = len(meeting.log)
    meeting.ana.speaks()
    meeting.ana.does(m.SetCamera, on=True)
    assert (meeting.heard, meeting.seen) == ({"ana"}, {"ana"})
    meeting.fay.does(m.SetCamera, on=True)
    meeting.fay.speaks()
    assert (meeting.heard, meeting.seen) == ({"ana", "fay"}, {"ana", "fay"})
    meeting.ana.does(m.SetMic, on=False)
    assert (meeting.heard, meeting.seen) == ({"fay"}, {"ana", "fay"})
    assert not [e for _, e in meeting.log[before:] if isinstance(e, JournalEvent)]


def test_who_stepped_out_shows_no_picture() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(m.StepOut)
    assert meeting.ana.is_refused(m.SetCamera, on=True) == "away_from_circle"


def test_switching_on_what_is_on_changes_nothing() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    assert meeting.ana.speaks() == []
    assert meeting.ana.does(m.SetCamera, on=False) == []


def test_uncovering_what_is_not_covered_changes_nothing() -> None:
    meeting = Meeting("fay*", "ana")
    assert meeting.fay.does(m.UncoverCamera, seat="ana") == []
    meeting.fay.does(m.CoverCamera, seat="ana", reason=Reason.MOVING)
    assert meeting.fay.does(m.CoverCamera, seat="ana", reason=Reason.MOVING) == []
    meeting.fay.does(m.UncoverCamera, seat="ana")
    assert meeting.ana.view.covered is None


def writes(meeting: Meeting, name: str, to: str) -> None:
    meeting.decide(meeting.people[name].seat, m.Write(to))  # type: ignore[arg-type]


@pytest.mark.parametrize("to", ["all", "facilitators"])
def test_where_the_phase_has_no_chat_a_member_is_told_so(to: str) -> None:
    with pytest.raises(m.Refused, match="chat_off"):
        writes(Meeting("fay*", "ana"), "ana", to)


def test_whoever_has_the_floor_may_type_in_the_place_of_speaking() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.StartPhase, mode=Mode.ROUND, first="ana")
    writes(meeting, "ana", "all")
    with pytest.raises(m.Refused, match="chat_off"):
        writes(meeting, "ana", "facilitators")
    with pytest.raises(m.Refused, match="chat_off"):
        writes(meeting, "ben", "all")


def test_the_helpers_channel_is_for_helpers() -> None:
    meeting = Meeting("fay*", "ana")
    with pytest.raises(m.Refused, match="not_allowed"):
        writes(meeting, "ana", "team")
    writes(meeting, "fay", "team")


@pytest.mark.parametrize("to", ["all", "facilitators"])
def test_while_the_room_is_safe_a_readmitted_member_does_not_write(to: str) -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.TALK, chat=Chat.ON))
    writes(meeting, "ana", to)
    meeting.fay.does(m.SafeRoom)
    meeting.fay.does(m.Readmit, seat="ana")
    with pytest.raises(m.Refused, match="chat_off"):
        writes(meeting, "ana", to)
    writes(meeting, "fay", to)


def test_while_the_circle_waits_for_its_facilitator_members_do_not_write() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.TALK, chat=Chat.ON))
    meeting.fay.drops()
    meeting.at(s=21)
    with pytest.raises(m.Refused, match="chat_off"):
        writes(meeting, "ana", "all")


def test_from_a_pair_or_a_quiet_word_nobody_writes_to_the_circle() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.PAIRS, chat=Chat.ON))
    with pytest.raises(m.Refused, match="away_from_circle"):
        writes(meeting, "ana", "all")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    with pytest.raises(m.Refused, match="away_from_circle"):
        writes(meeting, "fay", "all")


def test_who_leaves_in_the_middle_of_a_three_hands_the_step_on() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").sheet(
        Phase(Mode.PAIRS, turn_ms=60_000, pause_ms=10_000)
    )
    (space,) = meeting.circle.spaces.values()
    first = meeting.people[meeting.name(space.order[0])]
    events = first.does(m.Leave)
    assert [e.kind for e in events] == ["pair_left", "step_reached", "seat_left"]


def test_moving_somebody_out_of_a_three_hands_the_step_on() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").sheet(
        Phase(Mode.PAIRS, turn_ms=60_000, pause_ms=10_000)
    )
    (space,) = meeting.circle.spaces.values()
    events = meeting.fay.does(m.MoveToWaiting, seat=meeting.name(space.order[0]))
    assert [e.kind for e in events] == ["pair_left", "step_reached", "seat_sent_to_wait"]


def test_who_leaves_from_the_waiting_area_is_missed_only_by_those_who_admit() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    events = meeting.ana.does(m.Leave)
    assert meeting.fay.notices(events) == ["seat_left"]
    assert meeting.ben.notices(events) == []


def test_the_heir_keeps_the_other_roles() -> None:
    meeting = Meeting("fay*", "cara*", "dora*")
    roles = (Role.CO_FACILITATOR, Role.GUARDIAN)
    meeting.fay.does(m.SetRoles, seat="cara", roles=roles)
    meeting.fay.does(m.Leave)
    assert meeting.circle.seats[meeting.cara.seat].roles == {Role.FACILITATOR, Role.GUARDIAN}
