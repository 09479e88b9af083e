"""Who goes leaves no trace behind, and who comes begins without one."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from dataclasses import replace

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import Refused
from peermeet.core.model import CAPACITY, CrossTalk, Millis, Mode, Phase, Role, Topic
from tests.kit import START, Meeting

ROUND = Phase(Mode.ROUND, turn_ms=60_000, warn_ms=20_000)
NAMES = ("fay*", "ana", "ben", "cleo")


def in_quiet() -> Meeting:
    """Ana is in a quiet word with Cara, who cares."""
    meeting = Meeting("fay*", "cara*", "ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    meeting.people["cara"].does(m.AcceptQuiet, seat="ana")
    assert meeting.space("ana") == {"ana", "cara"}
    return meeting


# --- Quiet words --------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ana", "cara"])
def test_a_quiet_word_ends_when_one_of_them_leaves_the_circle(who: str) -> None:
    meeting = in_quiet()
    meeting.people[who].does(m.Leave)
    other = "cara" if who == "ana" else "ana"
    assert meeting.space(other) == {"fay", "ben", other}
    meeting = in_quiet()
    meeting.fay.does(m.MoveToWaiting, seat=who)
    assert meeting.space(other) == {"fay", "ben", other}


@pytest.mark.parametrize("to", [None, "cara"])
def test_an_offer_goes_with_whoever_made_it(to: str | None) -> None:
    meeting = Meeting("fay*", "cara*", "ana", "ben")
    meeting.ana.does(m.OfferQuiet, seat=to)
    meeting.ben.does(m.OfferQuiet)
    cara = meeting.people["cara"]
    assert cara.view.quiet.asked_by == (meeting.ana.seat, meeting.ben.seat)
    meeting.ana.does(m.Leave)
    assert cara.view.quiet.asked_by == (meeting.ben.seat,)


def test_an_offer_goes_with_whoever_it_was_made_to() -> None:
    meeting = Meeting("fay*", "cara*", "ana")
    meeting.ana.does(m.OfferQuiet, seat="cara")
    assert meeting.ana.view.quiet.asked and meeting.ana.view.quiet.to == "s2"
    meeting.people["cara"].does(m.Leave)
    assert not meeting.ana.view.quiet.asked


def test_asking_somebody_else_takes_the_first_question_back() -> None:
    meeting = Meeting("fay*", "cara*", "ana", "ben")
    meeting.ben.does(m.OfferQuiet)
    meeting.ana.does(m.OfferQuiet, seat="cara")
    meeting.ana.does(m.OfferQuiet, seat="fay")
    assert meeting.people["cara"].view.quiet.asked_by == (meeting.ben.seat,)
    assert meeting.fay.view.quiet.asked_by == (meeting.ben.seat, meeting.ana.seat)


def test_a_quiet_word_settles_the_offers_of_the_two_and_of_nobody_else() -> None:
    meeting = Meeting("fay*", "cara*", "ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    meeting.ben.does(m.OfferQuiet)
    meeting.people["cara"].does(m.OfferQuiet, seat="ana")
    meeting.people["cara"].does(m.AcceptQuiet, seat="ana")
    assert meeting.fay.view.quiet.asked_by == (meeting.ben.seat,)
    assert meeting.ana.view.quiet.asked_by == ()


def test_who_stepped_out_and_is_cared_for_is_back_afterwards() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.ana.does(m.StepOut)
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    assert meeting.space("ana") == {"ana", "fay"}
    meeting.ana.does(m.LeaveSpace)
    assert meeting.space("ana") == {"ana", "fay", "ben"}


def test_a_carer_asked_by_name_can_accept() -> None:
    meeting = Meeting("fay*", "cara*", "ana")
    meeting.ana.does(m.OfferQuiet, seat="cara")
    assert meeting.fay.is_refused(m.AcceptQuiet, seat="ana") == "no_offer"
    meeting.people["cara"].does(m.AcceptQuiet, seat="ana")
    assert meeting.ana.view.quiet.with_you == meeting.people["cara"].seat


def test_who_cares_for_one_is_not_with_another() -> None:
    meeting = in_quiet()
    meeting.ben.does(m.OfferQuiet)
    cara = meeting.people["cara"]
    assert cara.is_refused(m.AcceptQuiet, seat="ben") == "away_from_circle"
    assert cara.is_refused(m.OfferQuiet, seat="ben") == "away_from_circle"


def test_whoever_offered_it_is_the_member_who_seems_away() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.OfferQuiet, seat="ana")
    events = meeting.ana.does(m.AcceptQuiet, seat="fay")
    assert [e for e in events if isinstance(e, m.QuietBegun)] == [
        m.QuietBegun(meeting.ana.seat, meeting.fay.seat)
    ]
    assert meeting.ana.does(m.LeaveSpace) == [m.QuietEnded(meeting.ana.seat)]


def test_who_is_veiled_asks_for_nothing_new() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.OfferQuiet, seat="ana")
    meeting.fay.does(m.SafeRoom)
    assert meeting.ana.is_refused(m.OfferQuiet) == "veiled"
    assert meeting.ana.is_refused(m.NoteContent, topic=Topic.DEATH) == "veiled"
    assert meeting.ana.is_refused(m.AskPause) == "veiled"
    assert meeting.fay.is_refused(m.OfferQuiet, seat="ana") == "veiled"


def test_an_offer_made_before_is_gone_when_the_room_is_made_safe() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.SafeRoom)
    assert meeting.fay.view.quiet.asked_by == ()
    assert meeting.fay.is_refused(m.AcceptQuiet, seat="ana") == "no_offer"


def test_of_two_quiet_words_the_one_that_is_left_ends() -> None:
    meeting = in_quiet()
    meeting.joins("dev")
    meeting.ben.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ben")
    meeting.ben.does(m.LeaveSpace)
    assert meeting.space("ben") == {"fay", "ben", "dev"}
    assert meeting.space("ana") == {"ana", "cara"}


# --- Stepping out -------------------------------------------------------------------------------


def test_stepping_out_of_a_pair_and_in_again_leads_to_the_circle() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev", "eve").phase(Mode.PAIRS)
    meeting.ana.does(m.StepOut)
    assert meeting.space("ana") == {"ana"}
    meeting.ana.does(m.StepIn)
    assert {"ana", "fay"} <= meeting.space("ana")


def test_stepping_out_of_a_quiet_word_ends_it() -> None:
    meeting = in_quiet()
    meeting.ana.does(m.StepOut)
    assert meeting.space("cara") == {"fay", "cara", "ben"}
    meeting.ana.does(m.StepIn)
    assert meeting.space("ana") == {"fay", "cara", "ana", "ben"}


def test_a_round_of_which_nobody_is_left_is_over() -> None:
    meeting = Meeting("fay*", "ana").sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    meeting.ana.does(m.StepOut)
    assert meeting.circle.phase_over
    meeting.ana.does(m.StepIn)
    meeting.fay.does(m.NextTurn)
    assert meeting.holder == "ana"
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    assert meeting.circle.phase_over and meeting.holder is None


@pytest.mark.parametrize("how", [m.Remove, m.MoveToWaiting])
def test_a_round_is_over_when_its_last_speaker_is_sent_away(how: type[m.Command]) -> None:
    meeting = Meeting("fay*", "ana").sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    meeting.fay.does(how, seat="ana")
    assert meeting.circle.phase_over


def test_a_round_is_over_when_its_last_speaker_only_listens() -> None:
    meeting = Meeting("fay*", "ana").sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    meeting.ana.does(m.ListenOnly, on=True)
    assert meeting.circle.phase_over


# --- Waiting, safety and roles ------------------------------------------------------------------


def test_who_is_admitted_again_begins_switched_off() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.ana.speaks()
    meeting.ana.does(m.SetCamera, on=True)
    meeting.fay.does(m.MoveToWaiting, seat="ana")
    meeting.fay.does(m.Admit, seat="ana")
    assert meeting.heard == meeting.seen == set()


def test_who_comes_while_the_room_is_safe_has_to_be_readmitted() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.fay.does(m.Remove, seat="ben")
    meeting.fay.does(m.SafeRoom)
    meeting.fay.does(m.OpenDoor)
    meeting.joins("cleo")
    meeting.joins("gus*")
    meeting.fay.does(m.TakeBackRemoval, seat="ben")
    meeting.ben.returns()
    meeting.fay.does(m.AskAtDoor)
    meeting.joins("dev")
    meeting.fay.does(m.Admit, seat="dev")
    meeting.fay.does(m.LiftSafety)
    for name in ("ana", "ben", "cleo", "dev"):
        assert meeting.people[name].is_refused(m.SetMic, on=True) == "veiled", name
        assert meeting.people[name].is_refused(m.SetCamera, on=True) == "veiled", name
    meeting.people["gus"].speaks()


def test_who_no_longer_leads_while_the_room_is_safe_has_to_be_readmitted() -> None:
    meeting = Meeting("fay*", "gus*", "ana")
    gus = meeting.people["gus"]
    gus.does(m.SetCamera, on=True)
    meeting.fay.does(m.SafeRoom)
    assert meeting.seen == {"gus"}
    meeting.appoint("gus", Role.GREETER)
    assert meeting.seen == set()
    meeting.fay.does(m.Readmit, seat="ana")
    meeting.appoint("ana", Role.TIMEKEEPER)
    meeting.fay.does(m.LiftSafety)
    assert gus.is_refused(m.SetMic, on=True) == "veiled"
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}, "another role is no reason to be veiled again"


def test_a_speaker_who_is_not_readmitted_is_offered_the_rest_later() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    meeting.at(s=10).fay.does(m.SafeRoom)
    meeting.fay.does(m.Readmit, seat="ben")
    meeting.fay.does(m.LiftSafety)
    assert (meeting.holder, meeting.waiting) == ("ben", ["ana"])
    meeting.ben.does(m.PassTurn)
    assert meeting.holder is None
    meeting.fay.does(m.Readmit, seat="ana")
    meeting.fay.does(m.NextTurn)
    assert (meeting.holder, meeting.left_s) == ("ana", 50)


def test_a_co_facilitator_in_the_waiting_area_does_not_inherit_the_lead() -> None:
    meeting = Meeting("fay*", "gus*", "ana")
    meeting.fay.does(m.MoveToWaiting, seat="gus")
    meeting.fay.does(m.Leave)
    assert meeting.circle.seats[meeting.people["gus"].seat].roles == {Role.CO_FACILITATOR}
    assert meeting.at(s=20).circle.holding


def test_who_waits_holds_no_power_and_may_only_leave() -> None:
    meeting = Meeting("fay*", "gus*", "ana").sheet(ROUND)
    meeting.fay.does(m.MoveToWaiting, seat="gus")
    gus = meeting.people["gus"]
    for command, members in (
        (m.Admit, {"seat": "gus"}),
        (m.NextTurn, {}),
        (m.RaiseHand, {}),
        (m.SetMic, {"on": False}),
        (m.PassTurn, {"turn": 99}),
        (m.EndCircle, {}),
    ):
        assert gus.is_refused(command, **members) == "in_waiting_area"
    gus.does(m.Leave)


def test_who_was_removed_and_let_back_is_away_until_they_come() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(ROUND)
    meeting.fay.does(m.Remove, seat="ana")
    meeting.fay.does(m.TakeBackRemoval, seat="ana")
    assert not meeting.circle.seats[meeting.ana.seat].present
    assert meeting.waiting == ["ben", "ana"]
    assert meeting.fay.does(m.TakeBackRemoval, seat="ana") == []
    assert meeting.fay.is_refused(m.TakeBackRemoval, seat="s77") == "no_such_seat"


def test_a_removal_is_only_taken_back_into_a_free_seat() -> None:
    meeting = Meeting("fay*", *(f"p{n}" for n in range(CAPACITY - 1)))
    meeting.fay.does(m.Remove, seat="p3")
    meeting.joins("gus*")
    assert meeting.fay.is_refused(m.TakeBackRemoval, seat="p3") == "circle_full"
    meeting.people["p4"].does(m.Leave)
    meeting.fay.does(m.TakeBackRemoval, seat="p3")


# --- Lines --------------------------------------------------------------------------------------


def test_first_place_in_the_next_round_goes_with_the_turn_order() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, length_ms=10_000), ROUND).at(s=10)
    meeting.fay.does(m.PassTurn)
    meeting.ana.does(m.FirstNextRound)
    meeting.ana.does(m.ListenOnly, on=True)
    meeting.ana.does(m.ListenOnly, on=False)
    for name in ("ben", "cleo"):
        meeting.people[name].does(m.PassTurn)
    meeting.fay.does(m.OpenPhase, index=1)
    assert meeting.holder == "fay"


def test_first_place_is_kept_for_whoever_is_away_when_the_round_begins() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, length_ms=10_000), ROUND).at(s=10)
    meeting.fay.does(m.PassTurn)
    meeting.ana.does(m.FirstNextRound)
    meeting.ana.drops()
    meeting.fay.does(m.OpenPhase, index=1)
    assert (meeting.holder, meeting.waiting) == ("cleo", ["ana", "fay", "ben"])


def test_an_answer_of_whoever_leaves_is_not_waited_for() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, crosstalk=CrossTalk.INVITED))
    for name in ("cleo", "ben"):
        meeting.people[name].does(m.RaiseHand)
    meeting.fay.does(m.WelcomeResponses, on=True)
    meeting.fay.does(m.PassTurn)
    meeting.ben.does(m.Leave)
    assert (meeting.holder, meeting.waiting) == ("cleo", ["ana", "cleo"])


def test_a_hand_goes_down_with_its_person() -> None:
    meeting = Meeting(*NAMES)
    for name in ("ana", "ben", "cleo"):
        meeting.people[name].does(m.RaiseHand)
    meeting.ana.does(m.Leave)
    meeting.ben.does(m.ListenOnly, on=True)
    meeting.fay.does(m.MoveToWaiting, seat="cleo")
    assert meeting.circle.hands == ()
    assert meeting.ben.is_refused(m.RaiseHand) == "only_listening"


def test_who_comes_in_an_insert_has_an_ordinary_turn_in_the_round_it_interrupted() -> None:
    meeting = Meeting("fay*", "ana").sheet(ROUND)
    meeting.insert(Phase(Mode.SILENCE))
    meeting.joins("dev")
    meeting.fay.does(m.ReturnToPhase)
    for name in ("fay", "ana"):
        meeting.people[name].does(m.PassTurn)
    assert (meeting.holder, meeting.left_s) == ("dev", 60)


# --- The circle ---------------------------------------------------------------------------------


def test_an_empty_circle_ends_an_hour_after_the_last_left() -> None:
    meeting = Meeting("fay*").at(s=100)
    meeting.fay.does(m.Leave)
    assert not meeting.at(s=3_699).circle.ended
    assert meeting.at(s=3_700).circle.ended


def test_a_hard_topic_is_over_when_it_was_said_to_be() -> None:
    for minutes in (2, 5, 10, 15):
        meeting = Meeting("fay*", "ana").at(s=7)
        meeting.ana.does(m.NoteContent, topic=Topic.ILLNESS, minutes=minutes)
        assert meeting.fay.view.note and meeting.fay.view.note.remaining_ms == minutes * 60_000
        assert meeting.at(s=7 + minutes * 60 - 0.001).circle.note
        assert not meeting.at(s=7 + minutes * 60).circle.note


def test_a_new_plan_is_closing_anew() -> None:
    hour = Phase(Mode.TALK, length_ms=3_600_000)
    meeting = Meeting("fay*", "ana").sheet(hour).at(s=2_700)
    assert [e for _, e in meeting.log if isinstance(e, m.ClosingSoon)] == [m.ClosingSoon()]
    meeting.sheet(hour).at(s=2_700 + 2_700)
    assert len([e for _, e in meeting.log if isinstance(e, m.ClosingSoon)]) == 2


def test_a_plan_of_a_quarter_of_an_hour_is_not_told_to_be_closing() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.TALK, length_ms=900_000))
    assert not [e for e in meeting.host(m.Tick()) if isinstance(e, m.ClosingSoon)]
    longer = Meeting("fay*", "ana").sheet(Phase(Mode.TALK, length_ms=901_000))
    longer.now = Millis(START + 1_000)
    assert longer.host(m.Tick()) == [m.ClosingSoon()]


def test_a_new_phase_is_not_over() -> None:
    meeting = Meeting("fay*", "ana").phase(Mode.SILENCE, length_ms=10_000).at(s=10)
    number = meeting.fay.view.phase.number
    assert meeting.circle.phase_over
    meeting.phase(Mode.TALK)
    assert not meeting.circle.phase_over
    assert meeting.fay.view.phase.number == number + 1


def test_a_circle_that_waited_and_emptied_goes_on_with_its_facilitator() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.drops()
    meeting.at(s=20).ana.drops()
    assert meeting.circle.holding
    meeting.at(s=60).fay.returns()
    assert not meeting.circle.holding


def test_pairs_are_numbered() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev").phase(Mode.PAIRS)
    assert list(meeting.circle.spaces) == ["pair-1", "pair-2"]


def test_nobody_sits_down_in_a_closed_or_full_circle() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(m.CloseDoor)
    with pytest.raises(Refused, match="door_closed"):
        meeting.joins("ben")
    meeting.joins("gus*")
