"""One key stops everybody; waiting, removing, roles, the door, and a circle without its head."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.model import Card, Chat, Door, Mode, Phase, Role
from tests.kit import Meeting


def loud(*names: str) -> Meeting:
    """Open talk, and everybody is heard and seen."""
    meeting = Meeting("fay*", "cara*", *names)
    for person in meeting.people.values():
        person.speaks()
        person.does(m.SetCamera, on=True)
    return meeting


# --- Safe the room ------------------------------------------------------------------------------


def test_one_key_and_nobody_but_those_who_lead_is_heard_or_seen() -> None:
    meeting = loud("ana", "ben")
    events = meeting.fay.does(m.SafeRoom)
    assert meeting.heard == meeting.seen == {"fay", "cara"}
    assert meeting.circle.door is Door.CLOSED
    assert meeting.ana.notices(events) == ["room_made_safe"]
    assert meeting.ana.is_refused(m.SetMic, on=True) == "veiled"
    assert meeting.ana.is_refused(m.SetCamera, on=True) == "veiled"
    assert meeting.ana.is_refused(m.RaiseHand) == "veiled"
    assert meeting.ana.view.write == ()


def test_pressing_it_twice_is_once() -> None:
    meeting = loud("ana")
    meeting.fay.does(m.SafeRoom)
    assert meeting.cara.does(m.SafeRoom) == []


def test_clocks_stand_and_the_turn_goes_on_where_it_was() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.at(s=30).fay.does(m.SafeRoom)
    meeting.at(s=100).fay.does(m.LiftSafety, everyone=True)
    assert (meeting.holder, meeting.left_s) == ("ana", 150)


def test_people_are_readmitted_one_by_one_and_arrive_switched_off() -> None:
    meeting = loud("ana", "ben")
    meeting.fay.does(m.SafeRoom)
    events = meeting.fay.does(m.Readmit, seat="ana")
    assert meeting.ana.notices(events) == ["seat_readmitted"]
    assert meeting.fay.does(m.Readmit, seat="ana") == []
    assert meeting.ana.is_refused(m.SetMic, on=True) == "veiled"
    meeting.fay.does(m.LiftSafety)
    assert "ana" not in meeting.heard
    meeting.ana.speaks()
    assert "ana" in meeting.heard
    assert meeting.ben.is_refused(m.SetMic, on=True) == "veiled"


def test_who_was_readmitted_can_be_stopped_again() -> None:
    meeting = loud("ana")
    meeting.fay.does(m.SafeRoom)
    meeting.fay.does(m.Readmit, seat="ana")
    meeting.fay.does(m.SafeRoom)
    assert meeting.circle.seats[meeting.ana.seat].veiled


def test_who_is_still_veiled_keeps_the_place_and_is_skipped() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="fay")
    meeting.fay.does(m.SafeRoom)
    meeting.fay.does(m.Readmit, seat="ben")
    meeting.fay.does(m.LiftSafety)
    assert meeting.fay.is_refused(m.GiveTurn, seat="ana") == "veiled"
    meeting.fay.does(m.PassTurn)
    assert meeting.holder == "ben"
    assert meeting.waiting == ["ana"]


def test_everybody_comes_back_from_pairs_and_quiet_words() -> None:
    meeting = loud("ana", "ben", "cleo", "dev")
    meeting.phase(Mode.PAIRS)
    meeting.ana.does(m.OfferQuiet)
    meeting.cara.does(m.AcceptQuiet, seat="ana")
    meeting.fay.does(m.SafeRoom)
    assert meeting.space("ana") == {"ana", "ben", "cleo", "dev", "fay", "cara"}
    assert meeting.circle.phase_over


def test_a_facilitators_microphone_still_works_when_the_room_is_safe() -> None:
    meeting = Meeting("fay*", "ana").phase(Mode.SILENCE)
    meeting.fay.does(m.SafeRoom)
    meeting.fay.speaks()
    assert meeting.heard == {"fay"}
    meeting.fay.does(m.LiftSafety)
    assert meeting.heard == set()


def test_lifting_what_is_not_there_changes_nothing() -> None:
    assert Meeting("fay*", "ana").fay.does(m.LiftSafety, everyone=True) == []


def test_time_does_nothing_to_a_holder_while_the_room_is_safe() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.ana.drops()
    meeting.fay.does(m.SafeRoom)
    meeting.at(s=300)
    assert meeting.holder == "ana"


# --- The waiting area, removal, the door --------------------------------------------------------


def test_in_the_waiting_area_one_learns_nothing_of_the_circle() -> None:
    meeting = loud("ana", "ben")
    events = meeting.fay.does(m.MoveToWaiting, seat="ana")
    assert meeting.ana.notices(events) == ["sent_to_wait"]
    assert meeting.ben.notices(events) == ["seat_apart"]
    view = meeting.ana.view
    assert view.waiting
    assert [s.id for s in view.seats] == [meeting.ana.seat]
    assert view.sheet is None and view.turn is None and view.order == ()
    assert meeting.space("ana") == {"ana"}
    assert meeting.ana.seat not in {s.id for s in meeting.ben.view.seats}
    assert meeting.ana.seat in {s.id for s in meeting.cara.view.seats}
    assert meeting.ana.is_refused(m.SetMic, on=True) == "in_waiting_area"
    assert meeting.ana.is_refused(m.StepOut) == "in_waiting_area"
    assert meeting.ana.is_refused(m.AskPause) == "in_waiting_area"
    assert meeting.ana.is_refused(m.ListenOnly, on=True) == "in_waiting_area"


def test_moving_the_holder_to_the_waiting_area_hands_the_floor_on() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    assert meeting.holder == "ben"
    assert meeting.fay.does(m.MoveToWaiting, seat="ana") == []
    assert meeting.fay.is_refused(m.GiveTurn, seat="ana") == "in_waiting_area"


def test_who_is_admitted_again_joins_at_the_end() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").round(first="fay")
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    events = meeting.fay.does(m.Admit, seat="ana")
    assert meeting.ana.notices(events) == ["admitted"]
    assert meeting.waiting == ["ben", "cleo", "ana"]
    assert meeting.fay.does(m.Admit, seat="ana") == []


def test_at_an_asking_door_newcomers_wait_and_the_greeter_lets_them_in() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(m.SetRoles, seat="ana", roles=(Role.GREETER,))
    meeting.ana.does(m.AskAtDoor)
    assert meeting.ana.does(m.AskAtDoor) == []
    meeting.joins("ben")
    assert meeting.ben.view.waiting
    knock = [e for _, e in meeting.log if isinstance(e, m.SeatTaken)][-1]
    assert meeting.ana.notices([knock]) == ["knock"]
    meeting.ana.does(m.Admit, seat="ben")
    assert not meeting.ben.view.waiting


def test_the_facilitators_link_opens_every_door() -> None:
    meeting = Meeting("fay*")
    meeting.fay.does(m.CloseDoor)
    with pytest.raises(m.Refused, match="door_closed"):
        meeting.joins("ana")
    meeting.joins("cara*")
    meeting.fay.does(m.AskAtDoor)
    assert not meeting.joins("dora*").view.waiting


def test_latecomers_have_ten_minutes_and_then_the_door_closes() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(m.CloseDoor, after_ms=600_000)
    assert meeting.fay.view.door_closes_in_ms == 600_000
    meeting.at(s=599)
    meeting.joins("ben")
    meeting.at(s=601)
    assert meeting.circle.door is Door.CLOSED
    with pytest.raises(m.Refused, match="door_closed"):
        meeting.joins("cleo")
    meeting.ana.drops()
    meeting.ana.returns()
    assert meeting.circle.seats[meeting.ana.seat].present


def test_the_latecomers_rule_opens_a_closed_door_and_is_lifted_by_opening() -> None:
    meeting = Meeting("fay*")
    meeting.fay.does(m.CloseDoor)
    meeting.fay.does(m.CloseDoor, after_ms=300_000)
    assert meeting.circle.door is Door.OPEN
    meeting.fay.does(m.OpenDoor)
    assert meeting.circle.door_closes_at is None
    assert meeting.fay.does(m.OpenDoor) == []


def test_a_removal_can_be_taken_back_and_the_person_finds_the_seat() -> None:
    meeting = loud("ana", "ben")
    meeting.fay.does(m.Remove, seat="ana")
    assert meeting.fay.view.removed == (meeting.ana.seat,)
    assert meeting.ben.view.removed == ()
    with pytest.raises(m.Refused, match="removed"):
        meeting.ana.returns()
    meeting.fay.does(m.TakeBackRemoval, seat="ana")
    assert meeting.fay.does(m.TakeBackRemoval, seat="ana") == []
    meeting.ana.returns()
    assert meeting.circle.seats[meeting.ana.seat].present
    assert "ana" not in meeting.heard
    assert meeting.fay.is_refused(m.TakeBackRemoval, seat="nobody") == "no_such_seat"


def test_a_removal_is_not_taken_back_into_a_full_circle() -> None:
    meeting = Meeting("fay*", *[f"p{n}" for n in range(15)])
    meeting.fay.does(m.Remove, seat="p0")
    meeting.fay.does(m.OpenDoor)
    meeting.joins("late")
    assert meeting.fay.is_refused(m.TakeBackRemoval, seat="p0") == "circle_full"


# --- Roles --------------------------------------------------------------------------------------


def test_one_person_may_have_several_roles_and_lose_them_again() -> None:
    meeting = Meeting("fay*", "ana")
    both = (Role.GUARDIAN, Role.TIMEKEEPER)
    events = meeting.fay.does(m.SetRoles, seat="ana", roles=both)
    assert meeting.ana.notices(events) == ["roles_changed"]
    assert "pause_circle" in meeting.ana.view.may
    meeting.ana.does(m.PauseCircle)
    meeting.fay.does(m.SetRoles, seat="ana", roles=())
    assert meeting.ana.is_refused(m.ResumeCircle) == "not_allowed"
    assert meeting.fay.does(m.SetRoles, seat="ana", roles=()) == []


def test_leading_is_handed_over_and_never_dropped() -> None:
    meeting = Meeting("fay*", "ana")
    assert meeting.fay.is_refused(m.SetRoles, seat="fay", roles=()) == "not_allowed"
    meeting.fay.does(m.SetRoles, seat="fay", roles=(Role.FACILITATOR, Role.TIMEKEEPER))
    meeting.fay.does(m.SetRoles, seat="ana", roles=(Role.FACILITATOR,))
    roles = {meeting.name(s.id): s.roles for s in meeting.circle.seats.values()}
    assert roles["ana"] == {Role.FACILITATOR}
    assert roles["fay"] == {Role.CO_FACILITATOR, Role.TIMEKEEPER}


def test_who_waits_is_given_no_role() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    code = meeting.fay.is_refused(m.SetRoles, seat="ana", roles=(Role.GREETER,))
    assert code == "in_waiting_area"


def test_a_listener_is_out_of_the_order_and_comes_back_at_its_end() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").round(first="fay")
    meeting.ana.does(m.ListenOnly, on=True)
    assert meeting.ana.does(m.ListenOnly, on=True) == []
    assert meeting.waiting == ["ben", "cleo"]
    assert meeting.ana.is_refused(m.RaiseHand) == "only_listening"
    assert meeting.ana.is_refused(m.SetMic, on=True) == "only_listening"
    assert meeting.fay.is_refused(m.GiveTurn, seat="ana") == "only_listening"
    meeting.ana.does(m.ListenOnly, on=False)
    assert meeting.waiting == ["ben", "cleo", "ana"]


def test_a_holder_who_chooses_to_listen_hands_the_floor_on() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.ana.does(m.ListenOnly, on=True)
    assert meeting.holder == "ben"


def test_an_interpreter_is_seen_and_writes_and_is_not_heard() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.SetRoles, seat="ana", roles=(Role.INTERPRETER,))
    meeting.ana.does(m.SetCamera, on=True)
    assert meeting.seen == {"ana"}
    assert meeting.ana.is_refused(m.SetMic, on=True) == "only_listening"
    assert meeting.ana.view.write == ("all",)
    meeting.round(first="fay")
    assert "ana" not in meeting.waiting


def test_helpers_write_among_themselves() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.SetRoles, seat="ana", roles=(Role.GREETER,))
    assert meeting.ana.view.write == ("team",)
    assert meeting.ben.view.write == ()
    assert meeting.fay.view.write == ("all", "facilitators", "team")


def test_a_phase_says_whether_members_may_write() -> None:
    meeting = Meeting("fay*", "ana").sheet(
        Phase(Mode.TALK, chat=Chat.TO_FACILITATORS), Phase(Mode.TALK, chat=Chat.ON)
    )
    assert meeting.ana.view.write == ("facilitators",)
    meeting.fay.does(m.OpenPhase, index=1)
    assert meeting.ana.view.write == ("all", "facilitators")
    meeting.ana.does(m.StepOut)
    assert meeting.ana.view.write == ()


# --- A circle without its head ------------------------------------------------------------------


def test_a_circle_without_a_facilitator_waits_after_twenty_seconds() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.ana.speaks()
    meeting.at(s=10).fay.drops()
    meeting.at(s=29)
    assert not meeting.ana.view.holding
    meeting.at(s=31)
    assert meeting.ana.view.holding
    assert meeting.heard == {"ana"}
    assert meeting.left_s == 150
    meeting.at(s=200)
    assert meeting.left_s == 150
    meeting.fay.returns()
    assert not meeting.ana.view.holding
    meeting.at(s=210)
    assert meeting.left_s == 140


def test_in_open_talk_nobody_new_is_heard_while_the_circle_waits() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.ana.speaks()
    meeting.fay.drops()
    meeting.at(s=21)
    assert meeting.heard == set()
    assert meeting.ben.is_refused(m.SetMic, on=True) == "unled"
    assert meeting.ben.view.write == ()


def test_with_a_co_facilitator_here_nothing_waits() -> None:
    meeting = Meeting("fay*", "cara*", "ana")
    meeting.fay.drops()
    meeting.at(s=60)
    assert not meeting.ana.view.holding


def test_after_five_more_minutes_it_ends_kindly() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.drops()
    meeting.at(s=319)
    assert not meeting.circle.ended
    meeting.at(s=321)
    assert meeting.circle.ended


def test_a_circle_that_nobody_has_led_yet_waits_for_nobody() -> None:
    meeting = Meeting("ana", "ben")
    meeting.at(s=600)
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}


def test_while_nobody_at_all_is_here_no_time_counts_against_the_facilitator() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.drops()
    meeting.ana.drops()
    meeting.at(s=400)
    assert not meeting.circle.ended
    meeting.ana.returns()
    meeting.at(s=419)
    assert not meeting.ana.view.holding


def test_a_card_is_shown_in_any_state() -> None:
    meeting = Meeting("fay*", "ana").phase(Mode.SILENCE)
    meeting.fay.does(m.PauseCircle)
    meeting.fay.does(m.ShowCard, card=Card.CONFIDENTIALITY)
    assert meeting.ana.view.card is Card.CONFIDENTIALITY
