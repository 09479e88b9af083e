"""Open sharing: raised hands are the line, and who has not spoken goes first."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from typing import Any

from peermeet.core import messages as m
from peermeet.core.evolve import stage_at
from peermeet.core.model import (
    CrossTalk,
    Mics,
    Mode,
    Order,
    Pass,
    Phase,
    Stage,
    Timeout,
    Who,
)
from tests.kit import Meeting


def queue(*names: str, **rules: Any) -> Meeting:
    rules = {"turn_ms": 60_000, "order": Order.HAND, **rules}
    return Meeting("fay*", *names).sheet(Phase(Mode.QUEUE, **rules))


def test_who_raises_a_hand_gets_the_free_floor_and_the_hand_goes_down() -> None:
    meeting = queue("ana", "ben")
    assert meeting.holder is None
    meeting.ana.does(m.RaiseHand)
    assert meeting.holder == "ana"
    assert meeting.circle.hands == ()


def test_hands_come_in_the_order_they_were_raised() -> None:
    meeting = queue("ana", "ben", "cleo")
    for name in ("cleo", "ben", "ana"):
        meeting.people[name].does(m.RaiseHand)
    spoke = []
    while meeting.holder is not None:
        spoke.append(meeting.holder)
        meeting.people[meeting.holder].does(m.PassTurn)
    assert spoke == ["cleo", "ben", "ana"]


def test_the_floor_stays_open_while_nobody_wants_it() -> None:
    meeting = queue("ana")
    meeting.at(s=300)
    assert not meeting.circle.phase_over
    assert meeting.fay.is_refused(m.NextTurn) == "nobody_left"


def test_quiet_people_come_before_those_who_have_spoken() -> None:
    meeting = queue("ana", "ben", "cleo", order=Order.QUIET_FIRST)
    meeting.ana.does(m.RaiseHand)
    meeting.ana.speaks()
    meeting.ben.does(m.RaiseHand)
    meeting.at(s=10).ana.does(m.PassTurn)
    meeting.ben.speaks()
    meeting.ana.does(m.RaiseHand)
    meeting.cleo.does(m.RaiseHand)
    meeting.at(s=20).ben.does(m.PassTurn)
    assert meeting.holder == "cleo"


def test_among_those_who_spoke_the_longest_quiet_comes_first() -> None:
    meeting = queue("ana", "ben", "cleo", order=Order.QUIET_FIRST)
    for seconds, name in ((10, "ana"), (20, "ben"), (30, "cleo")):
        meeting.people[name].does(m.RaiseHand)
        meeting.people[name].speaks()
        if name == "cleo":
            meeting.ben.does(m.RaiseHand)
            meeting.ana.does(m.RaiseHand)
        meeting.at(s=seconds).people[name].does(m.PassTurn)
    assert meeting.holder == "ana"


def test_who_passed_without_a_word_still_counts_as_quiet() -> None:
    meeting = queue("ana", "ben", order=Order.QUIET_FIRST)
    meeting.ana.does(m.RaiseHand)
    meeting.ana.does(m.PassTurn)
    meeting.fay.does(m.RaiseHand)
    meeting.fay.speaks()
    meeting.ben.does(m.RaiseHand)
    meeting.ben.does(m.LowerHand)
    meeting.ana.does(m.RaiseHand)
    meeting.fay.does(m.PassTurn)
    assert meeting.holder == "ana"
    assert meeting.ana.seat not in meeting.circle.spoke_at


def test_a_single_share_each_where_the_sheet_says_so() -> None:
    meeting = queue("ana", "ben", once=True)
    meeting.ana.does(m.RaiseHand)
    meeting.ana.does(m.PassTurn)
    meeting.ana.does(m.RaiseHand)
    assert meeting.holder is None
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder == "ben"


def test_a_burning_need_is_for_those_who_were_not_heard() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(
        Phase(Mode.QUEUE, order=Order.HAND),
        Phase(Mode.QUEUE, order=Order.HAND, who=Who.UNHEARD),
    )
    meeting.ana.does(m.RaiseHand)
    meeting.ana.speaks()
    meeting.ana.does(m.PassTurn)
    meeting.fay.does(m.OpenPhase, index=1)
    meeting.ana.does(m.RaiseHand)
    assert meeting.holder is None
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder == "ben"


def test_a_speaker_gets_the_floor_from_the_facilitator_alone() -> None:
    meeting = queue("ana", "ben", who=Who.SPEAKER)
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder is None
    meeting.fay.does(m.GiveTurn, seat="ana")
    assert meeting.holder == "ana"


def test_a_dropped_speaker_of_a_queue_has_the_rest_before_new_hands() -> None:
    meeting = queue("ana", "ben", "cleo")
    meeting.ana.does(m.RaiseHand)
    meeting.ana.does(m.BeginTurn)
    meeting.ben.does(m.RaiseHand)
    meeting.cleo.does(m.RaiseHand)
    meeting.at(s=10).ana.drops()
    meeting.at(s=41)
    assert meeting.holder == "ben"
    meeting.ana.returns()
    meeting.ben.does(m.PassTurn)
    assert meeting.holder == "ana"
    assert meeting.left_s == 50


def test_a_speaker_who_comes_back_to_an_idle_queue_has_the_floor_at_once() -> None:
    meeting = queue("ana", "ben")
    meeting.ana.does(m.RaiseHand)
    meeting.at(s=10).ana.drops()
    meeting.at(s=45)
    assert meeting.holder is None
    meeting.ana.returns()
    assert meeting.holder == "ana"


def test_later_is_not_offered_where_a_hand_can_be_raised_again() -> None:
    meeting = queue("ana", "ben")
    meeting.ana.does(m.RaiseHand)
    assert meeting.ana.is_refused(m.Later) == "not_offered"


def test_leaving_the_floor_to_anyone_lets_a_raised_hand_have_it() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").sheet(
        Phase(Mode.ROUND, passes=(Pass.TO_ANYONE,))
    )
    meeting.fay.does(m.PassToAnyone)
    assert meeting.holder is None
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder == "ben"
    meeting.ben.does(m.PassTurn)
    assert meeting.holder == "ana"


def test_next_fetches_somebody_when_nobody_takes_the_open_floor() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.ROUND, passes=(Pass.TO_ANYONE,)))
    meeting.fay.does(m.PassToAnyone)
    meeting.fay.does(m.NextTurn)
    assert meeting.holder == "ana"


def test_leaving_it_to_anyone_is_refused_where_it_is_not_offered() -> None:
    meeting = Meeting("fay*", "ana").round()
    assert meeting.fay.is_refused(m.PassToAnyone) == "not_offered"


def test_a_round_by_hands_waits_for_a_hand() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.ROUND, order=Order.HAND))
    assert meeting.holder is None
    assert not meeting.circle.phase_over
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder == "ben"
    meeting.ben.does(m.PassTurn)
    assert meeting.holder is None
    meeting.fay.does(m.NextTurn)
    assert meeting.holder == "fay"


def test_in_open_cross_talk_everyone_may_be_heard_beside_the_holder() -> None:
    meeting = queue("ana", "ben", mics=Mics.ALL, crosstalk=CrossTalk.OPEN)
    meeting.ana.does(m.RaiseHand)
    meeting.ana.speaks()
    meeting.ben.speaks()
    assert meeting.heard == {"ana", "ben"}


def test_a_holder_whose_microphone_was_open_already_has_no_time_to_gather() -> None:
    meeting = queue("ana", mics=Mics.ALL, crosstalk=CrossTalk.OPEN, gather_ms=20_000)
    meeting.ana.speaks()
    meeting.ana.does(m.RaiseHand)
    assert meeting.ana.view.turn is not None
    assert meeting.ana.view.turn.ready


def test_answers_are_given_only_when_the_holder_welcomes_them() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").sheet(
        Phase(Mode.ROUND, crosstalk=CrossTalk.INVITED, turn_ms=120_000)
    )
    meeting.cleo.does(m.RaiseHand)
    meeting.fay.does(m.PassTurn)
    assert meeting.holder == "ana"
    events = meeting.ana.does(m.WelcomeResponses, on=True)
    assert meeting.ben.notices(events) == ["responses_welcomed"]
    ended = meeting.ana.does(m.PassTurn)
    assert meeting.holder == "cleo"
    assert meeting.left_s == 60
    assert "your_response" in meeting.cleo.notices(ended)
    assert "response_started" in meeting.ben.notices(ended)
    meeting.cleo.does(m.PassTurn)
    assert meeting.holder == "ben"
    meeting.ben.does(m.PassTurn)
    assert meeting.holder == "cleo"
    assert meeting.left_s == 120


def test_an_answer_cannot_be_put_off_or_answered() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.ROUND, crosstalk=CrossTalk.INVITED))
    meeting.ana.does(m.RaiseHand)
    meeting.fay.does(m.WelcomeResponses, on=True)
    meeting.fay.does(m.PassTurn)
    assert meeting.ana.is_refused(m.Later) == "not_offered"
    assert meeting.ana.is_refused(m.WelcomeResponses, on=True) == "not_offered"


def test_answers_can_be_unwelcome_again() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.ROUND, crosstalk=CrossTalk.INVITED))
    meeting.ben.does(m.RaiseHand)
    meeting.fay.does(m.WelcomeResponses, on=True)
    meeting.fay.does(m.WelcomeResponses, on=False)
    assert meeting.fay.does(m.WelcomeResponses, on=False) == []
    meeting.fay.does(m.PassTurn)
    assert meeting.holder == "ana"


def test_when_a_queues_time_is_up_hands_have_a_short_turn_and_then_it_is_over() -> None:
    meeting = queue("ana", "ben", "cleo", length_ms=30_000)
    meeting.ana.does(m.RaiseHand)
    meeting.ben.does(m.RaiseHand)
    meeting.at(s=40)
    assert meeting.holder == "ana"
    meeting.ana.does(m.PassTurn)
    assert meeting.holder == "ben"
    assert meeting.left_s == 30
    meeting.ana.does(m.RaiseHand)
    meeting.ben.does(m.PassTurn)
    assert meeting.holder is None
    assert meeting.circle.phase_over


def test_an_idle_queue_ends_with_its_time() -> None:
    meeting = queue("ana", length_ms=30_000)
    meeting.at(s=31)
    assert meeting.circle.phase_over


def test_the_clock_of_a_turn_waits_until_its_person_is_ready() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.ROUND, gather_ms=20_000))
    meeting.at(s=10)
    assert meeting.left_s == 180
    meeting.fay.does(m.BeginTurn)
    assert meeting.fay.does(m.BeginTurn) == []
    meeting.at(s=15)
    assert meeting.left_s == 175


def test_the_clock_begins_by_itself_after_the_time_to_gather() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.ROUND, gather_ms=20_000))
    meeting.at(s=25)
    assert meeting.left_s == 175
    assert meeting.holder == "fay"


def test_switching_the_microphone_on_begins_the_turn() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.ROUND, gather_ms=20_000))
    meeting.at(s=5).fay.speaks()
    meeting.at(s=10)
    assert meeting.left_s == 175


def test_a_gentle_signal_reaches_the_speaker_alone() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    events = meeting.fay.does(m.SignalGently)
    assert meeting.ana.notices(events) == ["gently_signalled"]
    assert meeting.ben.notices(events) == []
    told = {p.name: p.view.turn for p in (meeting.ana, meeting.fay, meeting.ben)}
    assert [turn.stage if turn else None for turn in told.values()] == [
        Stage.WARNED,
        Stage.SPEAKING,
        None,
    ]
    assert meeting.fay.does(m.SignalGently) == []


def test_stages_follow_the_time_that_is_left() -> None:
    phase = Phase(Mode.ROUND, warn_ms=45_000, grace_ms=30_000)
    found = [stage_at(phase, left) for left in (45_001, 45_000, 1, 0, -29_999, -30_000)]
    assert found == [
        Stage.SPEAKING,
        Stage.WARNED,
        Stage.WARNED,
        Stage.GRACE,
        Stage.GRACE,
        Stage.OVERDUE,
    ]
    assert stage_at(Phase(Mode.ROUND, timeout=Timeout.NONE), -1) is Stage.SPEAKING
