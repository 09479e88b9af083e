"""Time: gentle, standing still when it should, and never a reason to cut anybody off."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.decide import wakes_at
from peermeet.core.messages import (
    AskAtDoor,
    Back,
    BeginTurn,
    ChangePhase,
    CloseDoor,
    Event,
    Extend,
    GiveTurn,
    HoldClock,
    Later,
    NextTurn,
    OpenDoor,
    OpenPhase,
    PassTurn,
    PauseCircle,
    RaiseHand,
    Refused,
    ReleaseClock,
    Remove,
    ResumeCircle,
    SignalGently,
)
from peermeet.core.model import Door, Millis, Mode, Phase, Role, Stage, Timeout
from tests.kit import START, Meeting

NAMES = ("fay*", "ana", "ben")


def stage(meeting: Meeting) -> Stage | None:
    return None if meeting.circle.turn is None else meeting.circle.turn.stage


# --- A turn ---------------------------------------------------------------------------------------


def test_a_holder_has_twenty_seconds_to_gather() -> None:
    phase = Phase(Mode.ROUND, turn_ms=60_000, gather_ms=20_000)
    meeting = Meeting(*NAMES).sheet(phase)
    assert meeting.at(s=19).left_s == 60
    assert meeting.at(s=25).left_s == 55
    assert meeting.fay.does(BeginTurn) == []


def test_the_clock_begins_when_the_holder_is_ready_or_speaks() -> None:
    phase = Phase(Mode.ROUND, turn_ms=60_000, gather_ms=20_000)
    meeting = Meeting(*NAMES).sheet(phase)
    meeting.at(s=5).fay.does(BeginTurn)
    assert meeting.at(s=15).left_s == 50
    meeting.fay.does(PassTurn)
    meeting.at(s=20).ana.speaks()
    assert meeting.at(s=30).left_s == 50
    assert meeting.fay.is_refused(BeginTurn) == "not_your_turn"


def test_gathering_stands_still_in_a_pause() -> None:
    phase = Phase(Mode.ROUND, turn_ms=60_000, gather_ms=20_000)
    meeting = Meeting(*NAMES).sheet(phase)
    meeting.at(s=5).fay.does(PauseCircle)
    assert meeting.at(s=90).circle.turn is not None
    meeting.fay.does(ResumeCircle)
    assert meeting.at(s=100).left_s == 50


def test_what_is_heard_before_somebody_is_ready_does_not_count_as_time() -> None:
    phase = Phase(Mode.ROUND, turn_ms=60_000, gather_ms=20_000)
    meeting = Meeting(*NAMES, seed=1).sheet(phase)
    meeting.ana.drops()
    meeting.at(s=25)
    assert (meeting.holder, meeting.left_s) == ("ana", 60)
    assert meeting.at(s=30).holder == "ben", "a dropped line is waited for half a minute"


def test_the_gentle_signal_reaches_the_speaker_alone_and_early() -> None:
    meeting = Meeting(*NAMES).round(turn_s=120, first="ana")
    events = meeting.at(s=10).fay.does(SignalGently)
    assert meeting.ana.notices(events) == ["gently_signalled"]
    assert meeting.fay.notices(events) == meeting.ben.notices(events) == []
    ana, ben, fay = meeting.ana.view.turn, meeting.ben.view.turn, meeting.fay.view.turn
    assert ana and ben and fay
    assert (ana.stage, ben.stage, fay.stage) == ("warned", None, "speaking")
    assert meeting.fay.does(SignalGently) == []
    meeting.fay.does(Extend)
    assert meeting.ana.view.turn and meeting.ana.view.turn.stage == "speaking"


def test_no_gentle_signal_after_the_ordinary_one() -> None:
    meeting = Meeting(*NAMES).round(turn_s=120, first="ana")
    assert meeting.at(s=100).fay.does(SignalGently) == []


def test_three_more_minutes() -> None:
    meeting = Meeting(*NAMES).round(turn_s=120, first="ana").at(s=110)
    meeting.fay.does(Extend, by_ms=180_000)
    assert (meeting.left_s, stage(meeting)) == (190, Stage.SPEAKING)
    assert meeting.ana.view.turn and meeting.ana.view.turn.given_ms == 120_000


def test_more_time_while_the_clock_is_held_does_not_let_it_run() -> None:
    meeting = Meeting(*NAMES).round(turn_s=120, first="ana").at(s=20)
    meeting.fay.does(HoldClock)
    assert meeting.fay.does(HoldClock) == []
    meeting.fay.does(Extend)
    assert meeting.at(s=400).left_s == 160
    meeting.fay.does(ReleaseClock)
    assert meeting.fay.does(ReleaseClock) == []
    assert meeting.at(s=410).left_s == 150


def test_the_stages_of_a_firm_turn() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, timeout=Timeout.FIRM, grace_ms=30_000)
    found = []
    for second in (39.999, 40, 59.999, 60, 89.999):
        found.append(stage(meeting.at(s=second)))
    assert found == [Stage.SPEAKING, Stage.WARNED, Stage.WARNED, Stage.GRACE, Stage.GRACE]
    assert meeting.holder == "fay"
    assert meeting.at(s=90).holder == "ana"


def test_a_firm_turn_without_grace_ends_at_its_limit() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, timeout=Timeout.FIRM, grace_ms=0)
    assert meeting.at(s=59.999).holder == "fay"
    assert meeting.at(s=60).holder == "ana"


def test_a_late_tick_tells_the_newest_stage_only() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60)
    meeting.now = Millis(START + 75_000)
    events = meeting.host(m.Tick())
    assert [e.stage for e in events if isinstance(e, m.StageReached)] == [Stage.GRACE]
    assert meeting.host(m.Tick()) == []


def test_a_turn_that_begins_short_begins_warned() -> None:
    meeting = Meeting(*NAMES).sheet(Phase(Mode.QUEUE, turn_ms=60_000, warn_ms=60_000))
    meeting.ana.does(RaiseHand)
    assert stage(meeting) is Stage.WARNED


def test_the_rules_fill_in_when_the_signal_comes() -> None:
    for turn_s, warn_ms in ((90, 20_000), (91, 45_000), (10, 5_000), (180, 45_000)):
        meeting = Meeting(*NAMES).round(turn_s=turn_s)
        assert meeting.circle.phase.warn_ms == warn_ms
    assert meeting.circle.phase.grace_ms == 30_000
    meeting.phase(Mode.QUEUE, turn_ms=90_001)
    assert meeting.circle.phase.warn_ms == 45_000


def test_who_comes_back_later_finds_at_least_a_third_of_a_turn() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60)
    meeting.at(s=55).fay.does(Later)
    meeting.ana.does(PassTurn)
    meeting.ben.does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("fay", 20)


def test_a_held_clock_does_not_hold_the_floor_for_a_dropped_line() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.fay.does(HoldClock)
    meeting.ana.drops()
    assert meeting.at(s=29.999).holder == "ana"
    assert meeting.at(s=30).holder == "ben"


def test_a_dropped_line_is_waited_for_half_a_minute_from_the_start_of_the_turn() -> None:
    meeting = Meeting(*NAMES, seed=1).sheet(Phase(Mode.ROUND, turn_ms=60_000))
    meeting.at(s=10).ana.drops()
    meeting.insert_and_return(after_s=45)
    assert meeting.holder == "ana", "the turn stood aside when the half minute was over"
    assert meeting.at(s=74.999).holder == "ana"
    assert meeting.at(s=75).holder == "ben"


# --- The circle ---------------------------------------------------------------------------------


def test_a_circle_without_a_facilitator_waits_after_twenty_seconds() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.ana.speaks()
    meeting.at(s=5).fay.drops()
    assert not meeting.at(s=24.999).circle.holding
    assert meeting.at(s=25).circle.holding
    assert meeting.left_s == 35
    assert meeting.heard == {"ana"}, "nobody is cut off"
    assert meeting.at(s=100).left_s == 35
    meeting.fay.returns()
    assert not meeting.circle.holding
    assert meeting.at(s=110).left_s == 25


def test_open_talk_is_closed_while_the_circle_waits() -> None:
    meeting = Meeting(*NAMES)
    meeting.ana.speaks()
    meeting.fay.drops()
    assert meeting.at(s=20).heard == set()
    assert meeting.ana.is_refused(m.SetMic, on=True) == "unled"
    meeting.fay.returns()
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}


def test_a_circle_ends_kindly_when_its_facilitator_stays_away() -> None:
    meeting = Meeting(*NAMES)
    meeting.at(s=10).fay.drops()
    assert not meeting.at(s=10 + 320 - 0.001).circle.ended
    assert meeting.at(s=10 + 320).circle.ended


def test_a_co_facilitator_keeps_the_circle_going() -> None:
    meeting = Meeting("fay*", "gus*", "ana")
    meeting.fay.drops()
    assert not meeting.at(s=600).circle.holding
    meeting.people["gus"].drops()
    assert meeting.at(s=620).circle.holding


def test_a_circle_nobody_ever_led_goes_on() -> None:
    meeting = Meeting("ana", "ben")
    meeting.ana.speaks()
    assert meeting.at(s=600).heard == {"ana"}


def test_an_empty_room_waits_for_its_people_not_for_its_facilitator() -> None:
    meeting = Meeting(*NAMES)
    for name in ("fay", "ana", "ben"):
        meeting.people[name].drops()
    assert not meeting.at(s=600).circle.holding
    meeting.ana.returns()
    assert not meeting.at(s=619.9).circle.holding
    assert meeting.at(s=620).circle.holding


def test_leaving_counts_from_when_the_line_was_lost() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.at(s=100).ana.drops()
    meeting.at(s=200).ben.drops()
    assert "ana" in {meeting.name(s) for s in meeting.at(s=999).circle.seats}
    assert [meeting.name(s) for s in meeting.at(s=1000).circle.seats] == ["fay", "ben"]


def test_a_phase_without_turns_is_over_when_its_time_is() -> None:
    meeting = Meeting(*NAMES).phase(Mode.TALK, length_ms=60_000)
    meeting.ana.speaks()
    meeting.at(s=30).fay.does(PauseCircle)
    meeting.at(s=100).fay.does(ResumeCircle)
    meeting.ana.speaks()
    assert not meeting.at(s=129.999).circle.phase_over
    assert meeting.at(s=130).circle.phase_over
    assert meeting.heard == {"ana"}, "and nobody is cut off by it"
    assert meeting.fay.view.phase.remaining_ms == 0


def test_a_phase_stands_still_while_nobody_is_there() -> None:
    meeting = Meeting(*NAMES).phase(Mode.TALK, length_ms=60_000).at(s=10)
    for name in ("fay", "ana", "ben"):
        meeting.people[name].drops()
    meeting.at(s=300).fay.returns()
    assert meeting.fay.view.phase.remaining_ms == 50_000


def test_who_leads_is_told_a_quarter_of_an_hour_before_the_end() -> None:
    ten = Phase(Mode.TALK, length_ms=600_000)
    meeting = Meeting("fay*", "ana").sheet(ten, ten)
    meeting.at(s=299.999)
    meeting.now = Millis(START + 300_000)
    events = meeting.host(m.Tick())
    assert events == [m.ClosingSoon()]
    assert (meeting.fay.notices(events), meeting.ana.notices(events)) == (["closing_soon"], [])
    meeting.at(s=500).fay.does(OpenPhase, index=1)
    assert [e for _, e in meeting.log if isinstance(e, m.ClosingSoon)] == events


def test_the_planned_end_counts_from_the_phase_that_was_opened() -> None:
    ten = Phase(Mode.TALK, length_ms=600_000)
    meeting = Meeting("fay*", "ana").sheet(ten, ten, Phase(Mode.TALK))
    assert meeting.circle.ends_at == START + 1_200_000
    meeting.at(s=60).fay.does(OpenPhase, index=1)
    assert meeting.circle.ends_at == START + 1_200_000
    meeting.sheet(Phase(Mode.TALK))
    assert meeting.circle.ends_at == START + 60_000


def test_a_single_phase_plans_no_end() -> None:
    assert Meeting(*NAMES).phase(Mode.TALK, length_ms=60_000).circle.ends_at is None


def test_a_changed_length_keeps_what_was_spent() -> None:
    meeting = Meeting(*NAMES).sheet(Phase(Mode.TALK, length_ms=60_000))
    meeting.at(s=20).fay.does(ChangePhase, index=0, length_ms=90_000)
    assert meeting.fay.view.phase.remaining_ms == 70_000
    assert not meeting.at(s=89.999).circle.phase_over
    assert meeting.at(s=90).circle.phase_over


def test_a_turn_made_longer_holds_for_those_who_still_wait() -> None:
    meeting = Meeting(*NAMES).sheet(Phase(Mode.ROUND, turn_ms=60_000))
    meeting.at(s=10).fay.does(ChangePhase, index=0, turn_ms=90_000)
    assert meeting.left_s == 50
    meeting.fay.does(PassTurn)
    assert meeting.left_s == 90


# --- The door -------------------------------------------------------------------------------------


def test_the_door_closes_by_itself_after_the_latecomers() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(CloseDoor, after_ms=300_000)
    assert meeting.fay.view.door_closes_in_ms == 300_000
    meeting.at(s=200).joins("ben")
    meeting.at(s=299.999).joins("cleo")
    meeting.at(s=300)
    with pytest.raises(Refused, match="door_closed"):
        meeting.joins("dev")
    assert meeting.fay.view.door_closes_in_ms is None
    meeting.ana.drops()
    meeting.ana.returns()


def test_the_latecomers_rule_opens_a_closed_door_and_leaves_a_guarded_one() -> None:
    meeting = Meeting("fay*")
    meeting.fay.does(CloseDoor)
    assert meeting.fay.does(CloseDoor) == []
    meeting.fay.does(CloseDoor, after_ms=600_000)
    assert meeting.circle.door is Door.OPEN
    meeting.fay.does(AskAtDoor)
    assert meeting.circle.door_closes_at is None
    assert meeting.fay.does(AskAtDoor) == []
    meeting.fay.does(CloseDoor, after_ms=600_000)
    assert meeting.circle.door is Door.ASK
    meeting.fay.does(OpenDoor)
    assert (meeting.circle.door, meeting.circle.door_closes_at) == (Door.OPEN, None)
    assert meeting.fay.does(OpenDoor) == []


def test_closing_now_needs_no_waiting() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(CloseDoor, after_ms=900_000)
    meeting.fay.does(CloseDoor)
    assert (meeting.circle.door, meeting.circle.door_closes_at) == (Door.CLOSED, None)


def test_removing_somebody_keeps_a_guarded_door_guarded() -> None:
    meeting = Meeting("fay*", "ana")
    meeting.fay.does(AskAtDoor)
    meeting.fay.does(Remove, seat="ana")
    assert meeting.circle.door is Door.ASK


# --- At rest --------------------------------------------------------------------------------------


def test_nothing_wakes_a_circle_in_which_nothing_can_happen() -> None:
    meeting = Meeting("fay*", "ana")
    assert wakes_at(meeting.circle) is None
    meeting.round(turn_s=60)
    assert wakes_at(meeting.circle) == START + 40_000
    meeting.fay.does(PauseCircle)
    assert wakes_at(meeting.circle) is None


def test_a_speaker_who_may_talk_on_wakes_nobody() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, timeout=Timeout.NONE)
    assert wakes_at(meeting.circle) is None
    soft = Meeting("fay*", "ana").round(turn_s=60).at(s=90)
    assert stage(soft) is Stage.OVERDUE and wakes_at(soft.circle) is None


def early(meeting: Meeting, ms: int) -> list[Event]:
    """What a tick does so many milliseconds after the start."""
    meeting.now = Millis(START + ms)
    return meeting.host(m.Tick())


def test_a_tick_a_millisecond_early_does_nothing() -> None:
    gathering = Phase(Mode.ROUND, turn_ms=60_000, gather_ms=20_000)
    assert early(Meeting(*NAMES).sheet(gathering), 19_999) == []
    assert early(Meeting(*NAMES).phase(Mode.SILENCE, length_ms=60_000), 59_999) == []
    pairs = Phase(Mode.PAIRS, turn_ms=60_000, warm_up_ms=30_000)
    assert early(Meeting(*NAMES).sheet(pairs), 15_000) == []
    assert early(Meeting(*NAMES).sheet(pairs), 29_999) == []
    meeting = Meeting(*NAMES).sheet(pairs).at(s=30 + 60)
    assert early(meeting, 90_000 + 39_999) == []


def test_the_last_firm_turn_ends_the_round() -> None:
    meeting = Meeting("fay*").round(turn_s=60, timeout=Timeout.FIRM, grace_ms=0)
    assert meeting.at(s=60).circle.phase_over
    assert meeting.holder is None
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("fay", 0)


def test_a_tick_before_its_time_does_nothing() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60)
    meeting.now = Millis(START + 39_999)
    assert meeting.host(m.Tick()) == []
    empty = Meeting("fay*")
    empty.fay.does(m.Leave)
    empty.now = Millis(START + 3_599_999)
    assert empty.host(m.Tick()) == []


def test_a_turn_can_be_given_while_the_circle_is_paused_and_waits() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(turn_s=60)
    meeting.fay.does(PauseCircle)
    meeting.fay.does(GiveTurn, seat="ben")
    meeting.appoint("ana", Role.TIMEKEEPER)
    meeting.ana.does(NextTurn)
    assert meeting.at(s=60).left_s == 60
