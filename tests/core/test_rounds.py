"""How the floor goes round."""

from __future__ import annotations

from peermeet.core.messages import (
    Back,
    Extend,
    GiveTurn,
    HoldClock,
    Later,
    Leave,
    NextTurn,
    PassTurn,
    RaiseHand,
    ReleaseClock,
    Remove,
    SetMic,
    StartPhase,
)
from peermeet.core.model import Mode, Stage, Timeout
from peermeet.core.project import gates
from tests.kit import Meeting


def circle_of_four() -> Meeting:
    return Meeting("fay*", "ana", "ben", "cleo").round(turn_s=60, first="ana")


def test_the_floor_goes_from_seat_to_seat_and_the_round_ends() -> None:
    meeting = circle_of_four()
    heard = []
    for _ in range(4):
        heard.append(meeting.holder)
        meeting.people[meeting.holder or ""].does(PassTurn)
    assert heard == ["ana", "ben", "cleo", "fay"]
    assert meeting.holder is None
    assert meeting.circle.phase_over
    assert meeting.heard == set()


def in_focus(meeting: Meeting) -> set[str]:
    seats = {person.seat: name for name, person in meeting.people.items()}
    return {seats[seat] for seat, gate in gates(meeting.circle).items() if gate.focus}


def test_the_larger_picture_goes_with_the_floor() -> None:
    meeting = circle_of_four()
    for holder in ("ana", "ben", "cleo", "fay"):
        assert in_focus(meeting) == {holder}
        meeting.people[holder].does(PassTurn)
    assert in_focus(meeting) == set()


def test_two_or_three_people_all_look_at_one_another() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    assert in_focus(meeting) == {"fay", "ana", "ben"}
    meeting.joins("cleo")
    assert in_focus(meeting) == set()


def test_only_the_holder_is_heard_and_only_after_switching_on() -> None:
    meeting = circle_of_four()
    assert meeting.heard == set()
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}
    assert meeting.ben.is_refused(SetMic, on=True) == "floor_taken"
    assert meeting.fay.is_refused(SetMic, on=True) == "floor_taken"
    meeting.ana.does(PassTurn)
    assert meeting.heard == set(), "nobody is switched on by getting the turn"


def test_a_microphone_left_on_is_off_when_the_turn_comes_back() -> None:
    meeting = circle_of_four()
    meeting.ana.speaks()
    meeting.fay.does(NextTurn)
    meeting.fay.does(Back)
    assert meeting.holder == "ana"
    assert meeting.heard == set()


def test_somebody_elses_turn_cannot_be_passed() -> None:
    meeting = circle_of_four()
    assert meeting.ben.is_refused(PassTurn) == "not_your_turn"
    assert meeting.ben.is_refused(Later) == "not_your_turn"
    assert meeting.ben.is_refused(NextTurn) == "not_allowed"


def test_two_facilitators_pressing_next_at_once_move_the_floor_once() -> None:
    meeting = circle_of_four()
    meeting.joins("gus*")
    turn = meeting.circle.turns_given
    meeting.fay.does(NextTurn, turn=turn)
    assert meeting.people["gus"].does(NextTurn, turn=turn) == []
    assert meeting.holder == "ben"


def test_a_pass_that_crosses_next_is_harmless() -> None:
    meeting = circle_of_four()
    turn = meeting.circle.turns_given
    meeting.fay.does(NextTurn, turn=turn)
    assert meeting.ana.does(PassTurn, turn=turn) == []
    assert meeting.holder == "ben"
    assert meeting.cleo.is_refused(PassTurn, turn=turn) == "stale_turn"


def test_a_stale_turn_number_is_refused() -> None:
    meeting = circle_of_four()
    turn = meeting.circle.turns_given
    meeting.fay.does(NextTurn)
    meeting.fay.does(NextTurn)
    assert meeting.fay.is_refused(NextTurn, turn=turn) == "stale_turn"
    assert meeting.fay.is_refused(Extend, turn=turn) == "stale_turn"
    assert meeting.ana.is_refused(PassTurn, turn=turn) == "stale_turn"


def test_next_after_back_does_not_skip_the_one_who_was_called_back() -> None:
    meeting = circle_of_four()
    turn = meeting.circle.turns_given + 1
    meeting.fay.does(NextTurn)
    meeting.fay.does(Back)
    assert meeting.fay.is_refused(NextTurn, turn=turn) == "stale_turn"
    assert meeting.holder == "ana"


def test_back_restores_the_exact_remaining_time() -> None:
    meeting = circle_of_four().at(s=17)
    meeting.fay.does(NextTurn)
    meeting.at(s=25).fay.does(Back)
    assert meeting.holder == "ana"
    assert meeting.left_s == 43
    assert meeting.waiting == ["ben", "cleo", "fay"]
    meeting.ana.does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("ben", 60)


def test_back_after_the_round_gives_the_last_one_the_floor_again() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60)
    meeting.fay.does(PassTurn)
    meeting.at(s=20).ana.does(PassTurn)
    assert meeting.circle.phase_over
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("ana", 40)
    assert not meeting.circle.phase_over


def test_back_at_the_first_turn_has_nothing_to_undo() -> None:
    assert circle_of_four().fay.is_refused(Back) == "nothing_to_undo"


def test_later_comes_once_at_the_end_of_the_round() -> None:
    meeting = circle_of_four()
    meeting.at(s=10).ana.does(Later)
    assert meeting.holder == "ben"
    assert meeting.waiting == ["cleo", "fay", "ana"]
    for name in ("ben", "cleo", "fay"):
        meeting.people[name].does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("ana", 50)
    assert meeting.ana.is_refused(Later) == "already_later"


def test_back_undoes_later() -> None:
    meeting = circle_of_four()
    meeting.ana.does(Later)
    meeting.fay.does(Back)
    assert meeting.holder == "ana"
    assert meeting.waiting == ["ben", "cleo", "fay"]
    meeting.ana.does(Later)
    assert meeting.waiting == ["cleo", "fay", "ana"]


def test_later_needs_somebody_else_to_go_first() -> None:
    meeting = Meeting("fay*", "ana").round()
    meeting.fay.does(PassTurn)
    assert meeting.ana.is_refused(Later) == "nobody_left"


def test_a_named_person_gets_the_turn() -> None:
    meeting = circle_of_four()
    meeting.fay.does(GiveTurn, seat="cleo")
    assert meeting.holder == "cleo"
    assert meeting.waiting == ["ben", "fay"]
    meeting.fay.does(GiveTurn, seat="ana")
    assert meeting.holder == "ana", "who spoke already may be given the turn again"
    assert meeting.fay.is_refused(GiveTurn, seat="s99") == "no_such_seat"


def test_giving_the_turn_to_its_holder_changes_nothing() -> None:
    meeting = circle_of_four()
    assert meeting.fay.does(GiveTurn, seat="ana") == []


def test_an_absent_person_cannot_be_given_the_turn() -> None:
    meeting = circle_of_four()
    meeting.ben.drops()
    assert meeting.fay.is_refused(GiveTurn, seat="ben") == "seat_away"


def test_one_more_minute_is_added_to_what_is_left() -> None:
    meeting = circle_of_four().at(s=50)
    meeting.fay.does(Extend)
    assert meeting.left_s == 70
    assert meeting.circle.turn is not None
    assert meeting.circle.turn.stage is Stage.SPEAKING


def test_one_more_minute_after_the_limit_is_a_whole_minute() -> None:
    meeting = circle_of_four().at(s=75)
    meeting.fay.does(Extend)
    assert meeting.left_s == 60


def test_a_held_clock_stands_still() -> None:
    meeting = circle_of_four().at(s=10)
    meeting.fay.does(HoldClock)
    meeting.at(s=300)
    assert meeting.left_s == 50
    meeting.fay.does(ReleaseClock)
    assert meeting.at(s=310).left_s == 40


def test_soft_time_never_takes_the_floor_away() -> None:
    meeting = circle_of_four()
    meeting.ana.speaks()
    stages = []
    for second in (39, 40, 60, 90, 4000):
        meeting.at(s=second)
        assert meeting.circle.turn is not None
        stages.append(meeting.circle.turn.stage)
    assert stages == [Stage.SPEAKING, Stage.WARNED, Stage.GRACE, Stage.OVERDUE, Stage.OVERDUE]
    assert meeting.heard == {"ana"}


def test_firm_time_moves_the_floor_after_the_grace() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(
        turn_s=60, first="ana", timeout=Timeout.FIRM, grace_ms=10_000
    )
    meeting.ana.speaks()
    assert meeting.at(s=69.9).heard == {"ana"}
    assert meeting.at(s=70).holder == "ben"
    assert meeting.heard == set()


def test_a_turn_without_a_limit_has_no_stages() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, timeout=Timeout.NONE)
    meeting.at(s=500)
    assert meeting.circle.turn is not None
    assert meeting.circle.turn.stage is Stage.SPEAKING


def test_a_raised_hand_goes_down_when_the_turn_comes() -> None:
    meeting = circle_of_four()
    meeting.ben.does(RaiseHand)
    meeting.ana.does(PassTurn)
    assert meeting.circle.hands == ()


def test_a_latecomer_joins_at_the_end_of_the_round() -> None:
    meeting = circle_of_four()
    meeting.joins("dev")
    assert meeting.waiting == ["ben", "cleo", "fay", "dev"]


def test_a_latecomer_after_the_round_can_still_be_given_a_turn() -> None:
    meeting = Meeting("fay*", "ana").round()
    meeting.fay.does(PassTurn)
    meeting.ana.does(PassTurn)
    meeting.joins("dev")
    assert meeting.circle.phase_over
    meeting.fay.does(NextTurn)
    assert meeting.holder == "dev" and not meeting.circle.phase_over


def test_a_dropped_speaker_keeps_the_remaining_time() -> None:
    meeting = circle_of_four().at(s=20)
    meeting.ana.drops()
    meeting.at(s=45)
    assert (meeting.holder, meeting.left_s) == ("ana", 40)
    meeting.ana.returns()
    assert meeting.at(s=50).left_s == 35


def test_a_speaker_who_stays_away_is_offered_the_rest_at_the_end() -> None:
    meeting = circle_of_four().at(s=20)
    meeting.ana.drops()
    assert meeting.at(s=50).holder == "ben"
    assert meeting.waiting == ["cleo", "fay", "ana"]
    meeting.ana.returns()
    for name in ("ben", "cleo", "fay"):
        meeting.people[name].does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("ana", 40)


def test_somebody_away_keeps_the_place_and_is_skipped_for_now() -> None:
    meeting = circle_of_four()
    meeting.ben.drops()
    meeting.ana.does(PassTurn)
    assert meeting.holder == "cleo"
    meeting.ben.returns()
    meeting.cleo.does(PassTurn)
    assert meeting.holder == "ben"


def test_a_holder_who_leaves_hands_the_floor_on() -> None:
    meeting = circle_of_four()
    meeting.ana.does(Leave)
    assert meeting.holder == "ben"
    meeting.fay.does(Remove, seat="ben")
    assert meeting.holder == "cleo"
    assert meeting.waiting == ["fay"]


def test_a_server_outage_is_not_taken_from_the_speaker() -> None:
    meeting = circle_of_four().at(s=20).restarts(alive_until_s=25, back_at_s=400)
    assert (meeting.holder, meeting.left_s) == ("ana", 35)
    meeting.at(s=405).ana.returns()
    assert meeting.at(s=410).left_s == 30


def test_a_round_may_begin_with_anybody_who_has_a_seat() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ben")
    assert meeting.holder == "ben"
    assert meeting.waiting == ["fay", "ana"]
    assert meeting.fay.is_refused(StartPhase, mode=Mode.ROUND, first="s99") == "no_such_seat"


def test_lengths_out_of_range_are_refused() -> None:
    meeting = Meeting("fay*", "ana")
    for members in (
        {"turn_ms": 4_999},
        {"turn_ms": 3_600_001},
        {"warn_ms": -1},
        {"warn_ms": 180_001},
        {"grace_ms": 600_001},
        {"length_ms": 9_999},
    ):
        code = meeting.fay.is_refused(StartPhase, mode=Mode.ROUND, **members)
        assert code == "bad_phase", members


def test_turn_commands_outside_a_round_are_refused() -> None:
    meeting = Meeting("fay*", "ana")
    for command in (NextTurn, Back, Extend, HoldClock, PassTurn):
        assert meeting.fay.is_refused(command) == "wrong_phase"
    meeting.round()
    meeting.fay.does(PassTurn)
    meeting.ana.does(PassTurn)
    assert meeting.fay.is_refused(Extend) == "no_turn"
    assert meeting.fay.is_refused(NextTurn, turn=99) == "stale_turn"
    assert meeting.ana.is_refused(PassTurn, turn=1) == "no_turn"
