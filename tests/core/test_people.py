"""What people may do with themselves and, if they facilitate, for the circle."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.decide import wakes_at
from peermeet.core.messages import (
    CloseDoor,
    CoverCamera,
    EndCircle,
    HoldMic,
    Leave,
    LowerHand,
    OpenDoor,
    PassTurn,
    PauseCircle,
    RaiseHand,
    Refused,
    ReleaseMic,
    Remove,
    ResumeCircle,
    SetCamera,
    SetMic,
    SetRoles,
    UncoverCamera,
)
from peermeet.core.model import CAPACITY, Mode, Role
from peermeet.core.project import notices_for, view_for
from peermeet.core.timing import AWAY_MS, EMPTY_MS
from tests.kit import START, Meeting


def test_in_open_talk_everyone_may_be_heard_who_switches_on() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.ana.speaks()
    meeting.fay.speaks()
    assert meeting.heard == {"ana", "fay"}
    meeting.ana.does(SetMic, on=False)
    assert meeting.heard == {"fay"}


def test_in_a_silence_nobody_is_heard_and_it_ends_once() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.phase(Mode.SILENCE, length_ms=60_000)
    assert meeting.heard == set()
    assert meeting.ana.is_refused(SetMic, on=True) == "floor_taken"
    assert not meeting.at(s=59).circle.phase_over
    assert meeting.at(s=60).circle.phase_over
    assert meeting.heard == set(), "a silence ends with a chime, not with open microphones"


def test_a_held_microphone_is_permitted_again_but_stays_off() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.fay.does(HoldMic, seat="ana")
    assert meeting.heard == set()
    assert meeting.ana.is_refused(SetMic, on=True) == "mic_held"
    meeting.fay.does(ReleaseMic, seat="ana")
    assert meeting.heard == set()
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}


def test_a_covered_camera_is_permitted_again_but_stays_off() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(SetCamera, on=True)
    assert meeting.seen == {"ana"}
    meeting.fay.does(CoverCamera, seat="ana")
    assert meeting.seen == set()
    assert meeting.ana.is_refused(SetCamera, on=True) == "camera_covered"
    meeting.fay.does(UncoverCamera, seat="ana")
    assert meeting.seen == set()


def test_a_pause_silences_everyone_and_stops_the_clock() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, first="ana")
    meeting.ana.speaks()
    meeting.at(s=10).fay.does(PauseCircle)
    assert meeting.heard == set()
    assert meeting.ana.is_refused(SetMic, on=True) == "paused"
    meeting.at(s=500).fay.does(ResumeCircle)
    assert (meeting.holder, meeting.left_s) == ("ana", 50)
    assert meeting.heard == set(), "nobody is switched on by the end of a pause"


def test_members_hold_no_power_over_others() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    for command, members in (
        (HoldMic, {"seat": "ben"}),
        (ReleaseMic, {"seat": "ben"}),
        (CoverCamera, {"seat": "ben"}),
        (Remove, {"seat": "ben"}),
        (SetRoles, {"seat": "ben", "roles": (Role.CO_FACILITATOR,)}),
        (SetRoles, {"seat": "ana", "roles": (Role.FACILITATOR,)}),
        (LowerHand, {"seat": "ben"}),
        (PauseCircle, {}),
        (CloseDoor, {}),
        (EndCircle, {}),
    ):
        assert meeting.ana.is_refused(command, **members) == "not_allowed", command


def test_hands_stay_in_order_and_go_down_once() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.ben.does(RaiseHand)
    meeting.ana.does(RaiseHand)
    assert meeting.ben.does(RaiseHand) == []
    assert meeting.circle.hands == (meeting.ben.seat, meeting.ana.seat)
    meeting.fay.does(LowerHand, seat="ben")
    meeting.ana.does(LowerHand)
    assert meeting.ana.does(LowerHand) == []
    assert not meeting.circle.hands


def test_who_is_removed_cannot_return_and_the_door_closes() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(Remove, seat="ana")
    with pytest.raises(Refused, match="removed"):
        meeting.ana.returns()
    with pytest.raises(Refused, match="removed"):
        meeting.ana.does(RaiseHand)
    with pytest.raises(Refused, match="door_closed"):
        meeting.joins("ana again")
    meeting.ben.drops()
    meeting.ben.returns()
    meeting.joins("gus*")
    meeting.fay.does(OpenDoor)
    meeting.joins("dev")


def test_a_removal_is_told_to_others_as_leaving() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    events = meeting.fay.does(Remove, seat="ana")
    assert [n.kind for n in notices_for(meeting.circle, meeting.ben.seat, events)] == ["seat_left"]


def test_the_facilitator_cannot_be_removed_or_demoted_by_a_co_facilitator() -> None:
    meeting = Meeting("fay*", "gus*", "ana")
    assert meeting.people["gus"].is_refused(Remove, seat="fay") == "not_allowed"
    assert meeting.people["gus"].is_refused(SetRoles, seat="fay") == "not_allowed"
    assert meeting.fay.is_refused(Remove, seat="fay") == "not_allowed"
    meeting.fay.does(Remove, seat="gus")


def test_handing_the_lead_over_makes_the_old_lead_a_co_facilitator() -> None:
    meeting = Meeting("fay*", "ana")
    assert meeting.fay.does(SetRoles, seat="ana") == []
    meeting.fay.does(SetRoles, seat="ana", roles=(Role.FACILITATOR,))
    assert meeting.circle.seats[meeting.ana.seat].roles == {Role.FACILITATOR}
    assert meeting.circle.seats[meeting.fay.seat].roles == {Role.CO_FACILITATOR}


def test_a_co_facilitator_takes_over_when_the_facilitator_leaves() -> None:
    meeting = Meeting("fay*", "ana", "gus*", "hal*")
    meeting.people["gus"].drops()
    meeting.fay.does(Leave)
    assert meeting.circle.seats[meeting.people["hal"].seat].roles == {Role.FACILITATOR}


def test_a_circle_has_sixteen_seats() -> None:
    meeting = Meeting("fay*", *(f"p{n}" for n in range(CAPACITY - 1)))
    with pytest.raises(Refused, match="circle_full"):
        meeting.joins("one more")


def test_a_returning_page_begins_with_devices_off() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.ana.does(SetCamera, on=True)
    meeting.ana.drops()
    assert meeting.heard == {"ana"}, "a lost signalling line does not cut speech"
    meeting.ana.returns()
    assert (meeting.heard, meeting.seen) == (set(), set())


def test_who_lost_only_the_line_speaks_on_and_is_seen() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.ana.does(SetCamera, on=True)
    meeting.ana.drops()
    meeting.ana.returns(connected=True)
    assert meeting.heard == meeting.seen == {"ana"}


def test_a_second_window_begins_with_devices_off_though_the_first_is_connected() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.ana.does(SetCamera, on=True)
    meeting.ana.returns(connected=True)
    assert (meeting.heard, meeting.seen) == (set(), set())


def test_a_seat_is_kept_for_a_quarter_of_an_hour() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.drops()
    assert meeting.ana.seat in meeting.at(s=AWAY_MS / 1000 - 1).circle.seats
    assert meeting.ana.seat not in meeting.at(s=AWAY_MS / 1000).circle.seats


def test_an_empty_circle_ends_by_itself() -> None:
    meeting = Meeting("fay*")
    meeting.fay.does(Leave)
    assert meeting.at(s=EMPTY_MS / 1000).circle.ended
    assert wakes_at(meeting.circle) is None


def test_nothing_can_be_done_in_a_circle_that_has_ended() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(SetCamera, on=True)
    meeting.fay.does(EndCircle)
    assert (meeting.heard, meeting.seen) == (set(), set())
    with pytest.raises(Refused, match="circle_ended"):
        meeting.ana.does(RaiseHand)
    with pytest.raises(Refused, match="circle_ended"):
        meeting.joins("dev")


def test_somebody_without_a_seat_can_do_nothing() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(Leave)
    with pytest.raises(Refused, match="no_such_seat"):
        meeting.ana.does(RaiseHand)
    with pytest.raises(Refused, match="no_such_seat"):
        meeting.ana.returns()
    meeting.host(m.LoseSeat(meeting.ana.seat))


def test_the_view_says_what_one_may_do_and_how_many_come_before() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").round(turn_s=60, first="ana")
    meeting.at(s=45)
    ana, ben, cleo = (
        view_for(meeting.circle, meeting.people[n].seat, meeting.now)
        for n in ("ana", "ben", "cleo")
    )
    assert {"set_mic", "pass_turn", "later"} <= set(ana.may)
    assert not {"set_mic", "pass_turn", "next_turn", "end_circle"} & set(ben.may)
    assert (ana.before_you, ben.before_you, cleo.before_you) == (None, 0, 1)
    others = {meeting.name(seat.id): seat.may for seat in ben.seats}
    assert others == {"fay": ("offer_quiet",), "ana": (), "ben": (), "cleo": ()}
    fay = view_for(meeting.circle, meeting.fay.seat, meeting.now)
    assert {"next_turn", "extend", "hold_clock", "pause_circle", "end_circle"} <= set(fay.may)
    assert "give_turn" in next(s for s in fay.seats if s.id == meeting.ben.seat).may


def test_only_the_holder_and_facilitators_learn_that_time_is_short() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(turn_s=60, first="ana")
    meeting.now = type(START)(START + 40_000)
    events = meeting.host(m.Tick())
    told = {
        name: [n.kind for n in notices_for(meeting.circle, person.seat, events)]
        for name, person in meeting.people.items()
    }
    assert told == {"fay": ["turn_warned"], "ana": ["turn_warned"], "ben": []}
    stages = {
        name: view_for(meeting.circle, person.seat, meeting.now).turn
        for name, person in meeting.people.items()
    }
    assert {n: t.stage for n, t in stages.items() if t} == {
        "fay": "warned",
        "ana": "warned",
        "ben": None,
    }


def test_everyone_hears_once_whose_turn_it_is() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").round(first="ana")
    events = meeting.ana.does(PassTurn)
    assert {name: person.notices(events) for name, person in meeting.people.items()} == {
        "fay": ["turn_started", "two_before_you"],
        "ana": ["turn_started"],
        "ben": ["your_turn"],
        "cleo": ["turn_started", "you_are_next"],
    }
