"""Answers to a turn, if its holder welcomes them."""

from __future__ import annotations

from peermeet.core.messages import (
    Back,
    GiveTurn,
    Later,
    LowerHand,
    NextTurn,
    PassTurn,
    RaiseHand,
    WelcomeResponses,
)
from peermeet.core.model import CrossTalk, Mode, Order, Phase
from tests.kit import Meeting

INVITED = Phase(Mode.ROUND, turn_ms=120_000, crosstalk=CrossTalk.INVITED)


def circle(phase: Phase = INVITED) -> Meeting:
    return Meeting("fay*", "ana", "ben", "cleo").sheet(phase)


def line_of(meeting: Meeting) -> list[str]:
    found = []
    while meeting.holder is not None:
        found.append(meeting.holder)
        meeting.people[meeting.holder].does(PassTurn)
    return found


def test_hands_that_are_up_answer_for_a_minute_each_before_the_round_goes_on() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.ana.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("cleo", 60)
    assert meeting.circle.turn and meeting.circle.turn.response
    assert meeting.circle.hands == ()
    assert line_of(meeting) == ["cleo", "ana", "ana", "ben", "cleo"]
    assert meeting.circle.phase_over


def test_nobody_answers_who_was_not_asked_to() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    assert meeting.fay.does(WelcomeResponses, on=True) == []
    meeting.fay.does(WelcomeResponses, on=False)
    meeting.fay.does(PassTurn)
    assert meeting.holder == "ana"
    assert meeting.circle.hands == (meeting.cleo.seat,), "the hand stays up"


def test_only_the_holder_welcomes_and_only_where_it_is_offered() -> None:
    meeting = circle()
    assert meeting.ana.is_refused(WelcomeResponses, on=True) == "not_your_turn"
    plain = circle(Phase(Mode.ROUND))
    assert plain.fay.is_refused(WelcomeResponses, on=True) == "not_offered"


def test_an_answer_is_not_answered_and_has_no_later() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    assert meeting.cleo.is_refused(WelcomeResponses, on=True) == "not_offered"
    assert meeting.cleo.is_refused(Later) == "not_offered"
    meeting.ana.does(RaiseHand)
    meeting.cleo.does(PassTurn)
    assert meeting.holder == "ana" and meeting.circle.turn and not meeting.circle.turn.response


def test_a_dropped_answer_is_not_waited_for_and_the_own_turn_stays() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    meeting.cleo.drops()
    assert meeting.at(s=30).holder == "ana"
    assert meeting.waiting == ["ben", "cleo"]
    meeting.cleo.returns()
    assert line_of(meeting) == ["ana", "ben", "cleo"]


def test_who_is_away_with_a_hand_up_answers_nothing() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.ana.does(RaiseHand)
    meeting.cleo.drops()
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    assert meeting.waiting == ["ana", "ben", "cleo"]
    assert line_of(meeting) == ["ana", "ana", "ben"]


def test_ones_own_hand_is_no_answer() -> None:
    meeting = circle()
    meeting.fay.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    assert meeting.holder == "ana"


def test_answers_come_before_hands_in_a_round_by_hands() -> None:
    phase = Phase(Mode.ROUND, order=Order.HAND, crosstalk=CrossTalk.INVITED)
    meeting = circle(phase)
    meeting.ana.does(RaiseHand)
    meeting.ben.does(RaiseHand)
    meeting.ana.does(WelcomeResponses, on=True)
    meeting.ana.does(PassTurn)
    meeting.cleo.does(RaiseHand)
    assert meeting.holder == "ben" and meeting.circle.turn and meeting.circle.turn.response
    meeting.ben.does(PassTurn)
    assert meeting.holder == "cleo"


def test_a_new_hand_comes_after_all_answers() -> None:
    meeting = circle(Phase(Mode.ROUND, order=Order.HAND, crosstalk=CrossTalk.INVITED))
    for name in ("fay", "ana", "ben"):
        meeting.people[name].does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    meeting.cleo.does(RaiseHand)
    assert meeting.holder == "ana"
    meeting.ana.does(PassTurn)
    assert meeting.holder == "ben"


def test_back_from_an_answer_gives_the_floor_to_whom_it_answered() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.at(s=20).fay.does(PassTurn)
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("fay", 100)
    assert line_of(meeting) == ["fay", "cleo", "ana", "ben", "cleo"]


def test_back_to_an_answer_is_an_answer_again() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    meeting.at(s=10).cleo.does(PassTurn)
    assert meeting.holder == "ana"
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("cleo", 50)
    assert meeting.circle.turn and meeting.circle.turn.response
    assert line_of(meeting) == ["cleo", "ana", "ben", "cleo"]


def test_giving_the_floor_to_somebody_who_is_to_answer_is_that_answer() -> None:
    meeting = circle()
    for name in ("cleo", "ana"):
        meeting.people[name].does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    meeting.fay.does(GiveTurn, seat="ana")
    assert meeting.circle.turn and meeting.circle.turn.response and meeting.left_s == 60


def test_a_facilitators_next_leaves_room_for_answers_too() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(NextTurn)
    assert meeting.holder == "cleo"


def test_a_hand_lowered_in_time_is_no_answer() -> None:
    meeting = circle()
    meeting.cleo.does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.cleo.does(LowerHand)
    meeting.fay.does(PassTurn)
    assert meeting.holder == "ana"
