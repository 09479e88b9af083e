"""Raised hands: whose turn they bring, and whose not."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from dataclasses import replace
from typing import Any

from peermeet.core.messages import (
    Back,
    GiveTurn,
    Later,
    NextTurn,
    PassToAnyone,
    PassTurn,
    PauseCircle,
    RaiseHand,
    ResumeCircle,
    StepIn,
    StepOut,
)
from peermeet.core.model import Mode, Order, Pass, Phase, Who
from tests.kit import Meeting

NAMES = ("fay*", "ana", "ben", "cleo", "dev")
ANYONE = Phase(Mode.ROUND, turn_ms=60_000, passes=(Pass.TO_ANYONE,))


def queue(**rules: Any) -> Meeting:
    phase = Phase(Mode.QUEUE, turn_ms=60_000, warn_ms=20_000, passes=())
    return Meeting(*NAMES).sheet(replace(phase, **rules))


def all_raise(meeting: Meeting, *names: str) -> None:
    for name in names:
        meeting.people[name].does(RaiseHand)


def who_speaks(meeting: Meeting) -> list[str]:
    """Everybody who has the floor from now on, if nobody raises a hand again."""
    names = []
    while meeting.holder is not None:
        names.append(meeting.holder)
        meeting.people[meeting.holder].does(PassTurn)
    return names


def test_quiet_first_remembers_other_phases() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.at(s=5).ana.speaks()
    meeting.ana.does(PassTurn)
    meeting.at(s=9).ben.speaks()
    meeting.sheet(Phase(Mode.QUEUE, order=Order.QUIET_FIRST))
    all_raise(meeting, "fay", "ben", "ana", "cleo")
    assert who_speaks(meeting) == ["fay", "cleo", "ana", "ben"], "Ben spoke until this began"


def test_a_second_hand_stays_up_where_each_has_one_turn() -> None:
    meeting = queue(once=True)
    all_raise(meeting, "ana")
    meeting.ana.does(PassTurn)
    all_raise(meeting, "ana", "ben")
    assert who_speaks(meeting) == ["ben"]
    assert meeting.circle.hands == (meeting.ana.seat,)


def test_a_part_for_those_who_lead() -> None:
    meeting = queue(who=Who.FACILITATORS)
    all_raise(meeting, "ana", "fay")
    assert who_speaks(meeting) == ["fay"]


def test_next_moves_on_to_the_next_hand_and_then_waits_for_one() -> None:
    meeting = queue()
    assert meeting.fay.is_refused(NextTurn) == "nobody_left"
    all_raise(meeting, "ana", "ben")
    meeting.fay.does(NextTurn)
    assert meeting.holder == "ben"
    meeting.fay.does(NextTurn)
    assert meeting.holder is None and not meeting.circle.phase_over
    assert meeting.fay.does(NextTurn) == []


def test_back_in_a_queue_gives_the_time_back_and_the_next_one_waits() -> None:
    meeting = queue()
    all_raise(meeting, "ana", "ben")
    meeting.at(s=20).fay.does(NextTurn)
    meeting.at(s=25).fay.does(Back)
    assert (meeting.holder, meeting.left_s, meeting.waiting) == ("ana", 40, ["ben"])
    assert who_speaks(meeting) == ["ana", "ben"]


def test_back_forgets_a_turn_that_nobody_had_waited_for() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.ana.does(PassTurn)
    meeting.fay.does(NextTurn)
    assert meeting.holder == "cleo"
    meeting.fay.does(GiveTurn, seat="ana")
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.waiting) == ("cleo", ["dev", "fay"])


def test_who_steps_out_keeps_the_place_among_the_hands() -> None:
    meeting = queue()
    all_raise(meeting, "ana", "ben", "cleo")
    meeting.ben.does(StepOut)
    meeting.ana.does(PassTurn)
    assert meeting.holder == "cleo"
    meeting.ben.does(StepIn)
    assert who_speaks(meeting) == ["cleo", "ben"]


def test_a_hand_raised_in_a_pause_waits_for_its_end() -> None:
    meeting = queue()
    meeting.fay.does(PauseCircle)
    meeting.ana.does(RaiseHand)
    assert meeting.holder is None
    meeting.fay.does(ResumeCircle)
    assert meeting.holder == "ana"


def test_the_floor_left_to_anyone_waits_for_a_hand_and_then_goes_on_along_the_line() -> None:
    meeting = Meeting(*NAMES).sheet(ANYONE)
    meeting.fay.does(PassToAnyone)
    assert meeting.holder is None and not meeting.circle.phase_over
    meeting.fay.does(RaiseHand)
    assert meeting.holder is None, "Fay had a turn"
    meeting.cleo.does(RaiseHand)
    assert meeting.holder == "cleo"
    meeting.people["dev"].does(RaiseHand)
    assert meeting.ana.view.before_you == 0
    meeting.cleo.does(PassTurn)
    assert meeting.holder == "ana"


def test_in_a_round_by_hands_the_first_hand_comes_first() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ANYONE, order=Order.HAND))
    all_raise(meeting, "fay", "dev", "cleo", "ben")
    assert who_speaks(meeting) == ["fay", "dev", "cleo", "ben"]
    assert not meeting.circle.phase_over, "Ana may still raise a hand"


def test_leaving_the_floor_to_anyone_when_nobody_is_left_ends_the_round() -> None:
    meeting = Meeting("fay*", "ana").sheet(ANYONE)
    meeting.fay.does(PassTurn)
    meeting.ana.does(PassToAnyone)
    assert meeting.circle.phase_over


def test_a_floor_that_is_handed_on_in_a_pause_is_handed_on_at_once() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ANYONE, passes=(Pass.LATER,)))
    meeting.fay.does(PauseCircle)
    meeting.fay.does(Later)
    assert meeting.holder == "ana"
    meeting.ana.does(PassTurn)
    assert meeting.holder == "ben"


def test_ending_a_turn_is_not_asking_for_later() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ANYONE, passes=(Pass.LATER,)))
    meeting.fay.does(PassTurn)
    meeting.fay.does(GiveTurn, seat="fay")
    meeting.fay.does(Later)
    assert meeting.waiting[-1] == "fay"


def test_who_is_given_the_floor_has_the_time_that_was_kept_for_them() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ANYONE, passes=(Pass.LATER,)))
    meeting.at(s=55).fay.does(Later)
    meeting.fay.does(GiveTurn, seat="fay")
    assert (meeting.holder, meeting.left_s) == ("fay", 20)
    meeting.fay.does(GiveTurn, seat="ben")
    assert (meeting.holder, meeting.left_s) == ("ben", 60)


def test_the_floor_left_to_anyone_goes_to_a_hand_that_is_up_already() -> None:
    meeting = Meeting(*NAMES).sheet(ANYONE)
    all_raise(meeting, "dev", "cleo")
    meeting.fay.does(PassToAnyone)
    assert meeting.holder == "dev"


def test_a_facilitator_moves_on_when_nobody_takes_the_floor() -> None:
    meeting = Meeting(*NAMES).sheet(ANYONE)
    meeting.fay.does(PassToAnyone)
    meeting.fay.does(NextTurn)
    assert meeting.holder == "ana"
