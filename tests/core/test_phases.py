"""Phases of a run sheet: opened, changed, left out, interrupted and taken up again."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import (
    AcceptQuiet,
    Back,
    CallBack,
    ChangePhase,
    DropPhase,
    Leave,
    ListenOnly,
    MoveToWaiting,
    NextTurn,
    OfferQuiet,
    OpenPhase,
    PassTurn,
    PauseCircle,
    RaiseHand,
    Refused,
    ResumeCircle,
    ReturnToPhase,
    SetMic,
    StartPhase,
    StepOut,
    UseSheet,
)
from peermeet.core.model import (
    Chat,
    CrossTalk,
    Mics,
    Mode,
    Order,
    Pass,
    Phase,
    Role,
    Sheet,
    Timeout,
)
from peermeet.core.phases import is_sound
from tests.kit import Meeting

NAMES = ("fay*", "ana", "ben", "cleo")
TALK = Phase(Mode.TALK)
ROUND = Phase(Mode.ROUND, turn_ms=60_000, warn_ms=20_000)
SILENCE = Phase(Mode.SILENCE, length_ms=60_000)
QUEUE = Phase(Mode.QUEUE, turn_ms=60_000, warn_ms=20_000, passes=())


# --- The plan -----------------------------------------------------------------------------------


def test_choosing_a_sheet_begins_nothing() -> None:
    meeting = Meeting(*NAMES)
    meeting.ana.speaks()
    sheet = Sheet("evening", (TALK, ROUND))
    meeting.decide(meeting.fay.seat, UseSheet(sheet))
    assert meeting.heard == {"ana"} and meeting.circle.phase.mode is Mode.TALK
    assert meeting.ana.view.sheet and meeting.ana.view.sheet.index is None
    assert meeting.decide(meeting.fay.seat, UseSheet(sheet)) == []


def test_a_sheet_chosen_again_begins_anew() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND)
    assert meeting.circle.index == 0
    meeting.decide(meeting.fay.seat, UseSheet(Sheet("sheet", (TALK, ROUND))))
    assert meeting.circle.index is None


def test_a_person_opens_each_phase_and_may_go_back() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND, SILENCE)
    meeting.fay.does(OpenPhase, index=1)
    assert (meeting.circle.index, meeting.holder) == (1, "fay")
    meeting.fay.does(OpenPhase, index=2)
    assert meeting.holder is None
    meeting.fay.does(OpenPhase, index=1)
    assert meeting.holder == "fay"
    for index in (-1, 3):
        assert meeting.fay.is_refused(OpenPhase, index=index) == "no_such_phase"
    assert Meeting(*NAMES).fay.is_refused(OpenPhase, index=0) == "no_such_phase"


def test_two_who_open_the_same_phase_open_it_once() -> None:
    meeting = Meeting(*NAMES, "gus*").sheet(TALK, ROUND, SILENCE)
    number = meeting.circle.phase_number
    meeting.fay.does(OpenPhase, after=number, index=1)
    meeting.fay.does(PassTurn)
    assert meeting.people["gus"].does(OpenPhase, after=number, index=1) == []
    assert meeting.holder == "ana"
    assert meeting.people["gus"].is_refused(OpenPhase, after=number, index=2) == "stale_phase"
    assert meeting.people["gus"].is_refused(OpenPhase, after=number + 2, index=2) == "stale_phase"
    meeting.people["gus"].does(OpenPhase, index=2)
    assert meeting.fay.is_refused(OpenPhase, after=number, index=1) == "stale_phase"


def test_a_phase_that_is_in_no_sheet() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND)
    meeting.fay.does(StartPhase, mode=Mode.SILENCE)
    assert meeting.circle.index is None and meeting.circle.sheet is not None


def test_a_round_is_fitted_to_the_people_who_are_here() -> None:
    fitted = Phase(Mode.ROUND, turn_ms=180_000, warn_ms=100_000, length_ms=360_000, fit=True)
    meeting = Meeting(*NAMES).sheet(fitted)
    assert (meeting.left_s, meeting.circle.phase.warn_ms) == (75, 37_500)
    meeting = Meeting("fay*", "ana").sheet(fitted)
    assert (meeting.left_s, meeting.circle.phase.warn_ms) == (165, 82_500)
    meeting = Meeting("fay*", "ana").sheet(replace(fitted, fit=False))
    assert (meeting.left_s, meeting.circle.phase.warn_ms) == (180, 90_000)


def test_a_phase_of_pairs_has_no_length_but_its_pairs() -> None:
    pairs = Phase(Mode.PAIRS, turn_ms=60_000, length_ms=60_000)
    meeting = Meeting(*NAMES).sheet(pairs)
    assert meeting.circle.phase_clock is None
    assert not meeting.at(s=119).circle.phase_over
    assert meeting.at(s=120).circle.phase_over


# --- Changed live -------------------------------------------------------------------------------


def test_what_is_to_come_can_be_changed_and_everybody_is_told() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND)
    events = meeting.fay.does(
        ChangePhase, index=1, turn_ms=30_000, timeout=Timeout.FIRM, length_ms=600_000
    )
    assert meeting.ana.notices(events) == ["phase_changed"]
    planned = meeting.ana.view.sheet
    assert planned and planned.phases[1].turn_ms == 30_000
    meeting.fay.does(OpenPhase, index=1)
    phase = meeting.circle.phase
    assert (phase.turn_ms, phase.warn_ms, phase.timeout) == (30_000, 15_000, Timeout.FIRM)
    assert meeting.fay.does(ChangePhase, index=0) == []


def test_a_turn_whose_length_was_chosen_is_no_longer_fitted() -> None:
    fitted = Phase(Mode.ROUND, turn_ms=180_000, length_ms=300_000, fit=True)
    meeting = Meeting(*NAMES).sheet(TALK, fitted)
    meeting.fay.does(ChangePhase, index=1, turn_ms=120_000)
    meeting.fay.does(OpenPhase, index=1)
    assert meeting.left_s == 120


def test_a_fitted_round_that_runs_keeps_its_fit_when_something_else_changes() -> None:
    fitted = Phase(Mode.ROUND, turn_ms=180_000, length_ms=300_000, fit=True)
    meeting = Meeting(*NAMES).sheet(fitted)
    assert meeting.left_s == 60
    meeting.fay.does(ChangePhase, index=0, timeout=Timeout.FIRM)
    meeting.fay.does(PassTurn)
    assert meeting.left_s == 60
    assert meeting.circle.phase.timeout is Timeout.FIRM


def test_a_phase_that_runs_gets_a_length() -> None:
    meeting = Meeting(*NAMES).sheet(TALK)
    meeting.at(s=30).fay.does(ChangePhase, index=0, length_ms=60_000)
    assert meeting.fay.view.phase.remaining_ms == 60_000
    assert not meeting.at(s=89.9).circle.phase_over
    assert meeting.at(s=90).circle.phase_over


def test_a_change_of_another_phase_leaves_the_running_one_alone() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND, ROUND)
    meeting.fay.does(ChangePhase, index=1, turn_ms=90_000, order=Order.QUIET_FIRST)
    meeting.fay.does(PassTurn)
    assert (meeting.left_s, meeting.circle.phase.order) == (60, Order.LIST)


def test_nonsense_is_refused() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND)
    assert meeting.fay.is_refused(ChangePhase, index=1, turn_ms=4_999) == "bad_phase"
    assert meeting.fay.is_refused(ChangePhase, index=2, turn_ms=5_000) == "no_such_phase"


def test_a_phase_to_come_can_be_left_out() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND, SILENCE)
    events = meeting.fay.does(DropPhase, index=1)
    assert meeting.ben.notices(events) == ["phase_dropped"]
    meeting.fay.does(OpenPhase, index=1)
    assert meeting.circle.phase.mode is Mode.SILENCE
    assert meeting.fay.is_refused(DropPhase, index=1) == "wrong_phase"
    assert meeting.fay.is_refused(DropPhase, index=0) == "wrong_phase"
    assert meeting.fay.is_refused(DropPhase, index=2) == "no_such_phase"


def test_before_the_first_phase_any_may_be_left_out_but_the_last_that_is_left() -> None:
    meeting = Meeting(*NAMES)
    assert meeting.fay.is_refused(DropPhase, index=0) == "no_such_phase"
    meeting.decide(meeting.fay.seat, UseSheet(Sheet("plan", (TALK, ROUND))))
    meeting.fay.does(DropPhase, index=0)
    assert meeting.circle.index is None
    assert meeting.fay.is_refused(DropPhase, index=0) == "no_such_phase"


# --- Sound sheets -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    {"turn_ms": 4_999},
    {"turn_ms": 3_600_001},
    {"warn_ms": -1},
    {"warn_ms": 60_001},
    {"turn_ms": 3_600_000, "warn_ms": 600_001},
    {"grace_ms": -1},
    {"grace_ms": 600_001},
    {"gather_ms": -1},
    {"gather_ms": 60_001},
    {"length_ms": 9_999},
    {"length_ms": 7_200_001},
    {"warm_up_ms": -1},
    {"pause_ms": 600_001},
    {"together_ms": -1},
    {"lines": 1},
    {"lines": -1},
    {"mode": Mode.READ, "lines": 61},
    {"mics": Mics.ALL},
    {"mode": Mode.QUEUE, "crosstalk": CrossTalk.INVITED},
    {"mode": Mode.TALK, "passes": (Pass.TO_ANYONE,)},
    {"passes": (Pass.LATER, Pass.LATER)},
])  # fmt: skip
def test_a_phase_out_of_range_is_not_sound(change: dict[str, Any]) -> None:
    assert is_sound(ROUND)
    assert not is_sound(replace(ROUND, **change))


@pytest.mark.parametrize("change", [
    {"turn_ms": 5_000, "warn_ms": 5_000},
    {"turn_ms": 3_600_000, "warn_ms": 600_000},
    {"warn_ms": 0, "grace_ms": 0},
    {"grace_ms": 600_000, "gather_ms": 60_000},
    {"length_ms": 10_000},
    {"length_ms": 7_200_000},
    {"warm_up_ms": 600_000, "pause_ms": 600_000, "together_ms": 600_000},
    {"mode": Mode.READ, "lines": 60},
    {"mics": Mics.ALL, "crosstalk": CrossTalk.OPEN},
    {"mode": Mode.READ, "crosstalk": CrossTalk.INVITED},
    {"crosstalk": CrossTalk.INVITED},
    {"mode": Mode.QUEUE, "passes": (Pass.TO_ANYONE,), "chat": Chat.ON},
    {"passes": tuple(Pass)},
])  # fmt: skip
def test_a_phase_at_the_edge_is_sound(change: dict[str, Any]) -> None:
    assert is_sound(replace(ROUND, **change))


def test_a_sheet_has_one_to_thirty_sound_phases_and_a_short_name() -> None:
    meeting = Meeting(*NAMES)
    for name, phases in (
        ("plan", ()),
        ("plan", (TALK,) * 31),
        ("", (TALK,)),
        ("x" * 41, (TALK,)),
        ("plan", (TALK, replace(ROUND, turn_ms=1))),
    ):
        with pytest.raises(Refused, match="bad_phase"):
            meeting.decide(meeting.fay.seat, UseSheet(Sheet(name, phases)))
    with pytest.raises(Refused, match="bad_phase"):
        meeting.insert(replace(ROUND, turn_ms=1))
    meeting.decide(meeting.fay.seat, UseSheet(Sheet("x" * 40, (TALK,))))
    meeting.decide(meeting.fay.seat, UseSheet(Sheet("p", (TALK,) * 30)))


# --- Inserted -----------------------------------------------------------------------------------


def interrupted() -> Meeting:
    """Ana was speaking; after ten seconds a silence was put in."""
    meeting = Meeting(*NAMES, seed=1).sheet(TALK, replace(ROUND, length_ms=600_000))
    meeting.fay.does(OpenPhase, index=1)
    meeting.ana.speaks()
    meeting.ben.does(RaiseHand)
    meeting.at(s=10).insert(SILENCE)
    return meeting


def test_an_insert_stops_every_clock_and_every_voice() -> None:
    meeting = interrupted()
    assert meeting.heard == set() and meeting.holder is None
    assert meeting.ana.view.phase.insert
    assert meeting.ana.view.sheet and meeting.ana.view.sheet.index == 0
    assert meeting.ana.is_refused(SetMic, on=True) == "floor_taken"
    assert meeting.at(s=70).circle.phase_over


def test_what_was_interrupted_goes_on_as_it_stood() -> None:
    meeting = interrupted().at(s=200)
    turn, number = meeting.circle.turns_given, meeting.circle.phase_number
    assert meeting.circle.spoke_at == {}, "Ana has not finished"
    events = meeting.fay.does(ReturnToPhase)
    assert meeting.ben.notices(events) == ["phase_taken_up"]
    assert (meeting.holder, meeting.left_s, meeting.waiting) == ("ana", 50, ["ben", "cleo", "fay"])
    assert meeting.fay.view.phase.remaining_ms == 590_000
    assert meeting.heard == set(), "nobody is switched on by the end of a silence"
    assert meeting.circle.hands == (meeting.ben.seat,)
    assert not meeting.ana.view.phase.insert
    sheet = meeting.fay.view.sheet
    assert sheet and sheet.index == 1 and len(sheet.phases) == 2
    assert meeting.circle.turns_given == turn + 1 and not meeting.circle.phase_over
    assert meeting.circle.phase_number == number + 1
    assert meeting.fay.is_refused(NextTurn, turn=turn) == "stale_turn", "a late click hits nothing"
    assert meeting.at(s=210).left_s == 40


def test_there_is_one_insert_at_a_time_and_only_then_a_way_back() -> None:
    meeting = interrupted()
    for command in (m.InsertSheet(Sheet("again", (SILENCE,))), UseSheet(Sheet("new", (TALK,)))):
        with pytest.raises(Refused, match="wrong_phase"):
            meeting.decide(meeting.fay.seat, command)
    assert meeting.fay.is_refused(ReturnToPhase, after=0) == "stale_phase"
    meeting.fay.does(ReturnToPhase)
    assert meeting.fay.is_refused(ReturnToPhase) == "wrong_phase"


def test_an_insert_ends_a_pause_for_it_is_what_the_pause_was_for() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.fay.does(PauseCircle)
    meeting.insert(SILENCE)
    assert not meeting.circle.paused
    meeting.fay.does(ReturnToPhase)
    assert meeting.holder == "fay" and not meeting.circle.paused


def test_an_insert_of_several_phases_goes_from_one_to_the_next() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.at(s=10).insert(TALK, QUEUE)
    meeting.fay.does(OpenPhase, index=1)
    meeting.ben.does(RaiseHand)
    assert meeting.holder == "ben"
    meeting.ben.speaks()
    meeting.at(s=30).fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.left_s) == ("fay", 50)
    assert meeting.ben.seat in meeting.circle.spoke_at, "who spoke in it has spoken"


def test_a_speaker_who_went_apart_meanwhile_is_offered_the_rest_later() -> None:
    meeting = interrupted()
    meeting.ana.does(OfferQuiet)
    meeting.fay.does(AcceptQuiet, seat="ana")
    meeting.fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo", "fay", "ana"])


def test_a_speaker_who_stepped_out_meanwhile_is_offered_the_rest_later() -> None:
    meeting = interrupted()
    meeting.ana.does(StepOut)
    meeting.fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo", "fay", "ana"])


@pytest.mark.parametrize("goes", [Leave, "waits", ListenOnly])
def test_a_speaker_who_is_gone_meanwhile_leaves_the_floor_to_the_next(goes: Any) -> None:
    meeting = interrupted()
    if goes == "waits":
        meeting.fay.does(MoveToWaiting, seat="ana")
    else:
        meeting.ana.does(goes, **({"on": True} if goes is ListenOnly else {}))
    meeting.fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo", "fay"])


@pytest.mark.parametrize("mode", [Mode.ROUND, Mode.READ])
def test_a_phase_nobody_is_left_for_is_over_after_the_insert(mode: Mode) -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(mode))
    meeting.fay.does(PassTurn)
    meeting.insert(SILENCE)
    meeting.ana.does(Leave)
    meeting.fay.does(ReturnToPhase)
    assert meeting.circle.phase_over and meeting.holder is None


@pytest.mark.parametrize("goes", [Leave, ListenOnly])
def test_who_waited_for_a_turn_and_is_gone_meanwhile_waits_no_more(goes: Any) -> None:
    meeting = interrupted()
    meeting.cleo.does(goes, **({"on": True} if goes is ListenOnly else {}))
    meeting.fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.waiting) == ("ana", ["ben", "fay"])


def test_who_comes_during_an_insert_joins_the_round_it_interrupted() -> None:
    meeting = interrupted()
    meeting.joins("dev")
    meeting.fay.does(ReturnToPhase)
    assert meeting.waiting == ["ben", "cleo", "fay", "dev"]
    assert meeting.holder == "ana"


def test_the_speaker_who_returns_during_an_insert_does_not_wait_twice() -> None:
    meeting = interrupted()
    meeting.ana.does(ListenOnly, on=False)
    meeting.appoint("ana", Role.GREETER)
    meeting.fay.does(ReturnToPhase)
    assert (meeting.holder, meeting.waiting) == ("ana", ["ben", "cleo", "fay"])


def test_an_insert_into_a_queue_and_into_open_talk() -> None:
    meeting = Meeting(*NAMES).sheet(QUEUE)
    meeting.insert(SILENCE)
    meeting.joins("dev")
    meeting.fay.does(ReturnToPhase)
    assert meeting.holder is None and meeting.waiting == []
    meeting.ben.does(RaiseHand)
    assert meeting.holder == "ben"
    meeting = Meeting(*NAMES)
    meeting.insert(SILENCE)
    meeting.fay.does(ReturnToPhase)
    meeting.ana.speaks()
    assert meeting.heard == {"ana"} and meeting.circle.sheet is None


def test_a_round_that_was_over_stays_over() -> None:
    meeting = Meeting("fay*", "ana").sheet(ROUND)
    meeting.fay.does(PassTurn)
    meeting.ana.does(PassTurn)
    meeting.insert(SILENCE)
    meeting.fay.does(ReturnToPhase)
    assert meeting.circle.phase_over and meeting.holder is None
    meeting.fay.does(Back)
    assert meeting.holder == "ana"


def test_an_insert_of_pairs_ends_with_the_way_back() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.insert(Phase(Mode.PAIRS))
    assert meeting.space("ana") != {"ana", "ben", "cleo", "fay"}
    meeting.fay.does(ReturnToPhase)
    assert meeting.space("ana") == {"ana", "ben", "cleo", "fay"}
    assert meeting.fay.is_refused(CallBack) == "wrong_phase"


def test_an_insert_owes_nobody_anything() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, length_ms=10_000)).at(s=10)
    meeting.insert(SILENCE)
    assert meeting.circle.owed == ()


def test_an_insert_plans_no_end() -> None:
    meeting = Meeting(*NAMES)
    meeting.insert(replace(TALK, length_ms=1_800_000))
    assert meeting.circle.ends_at is None


def test_a_phase_opened_in_a_pause_waits_for_its_end() -> None:
    meeting = Meeting(*NAMES).sheet(TALK, ROUND)
    meeting.fay.does(PauseCircle)
    meeting.fay.does(OpenPhase, index=1)
    assert meeting.at(s=30).left_s == 60
    meeting.fay.does(ResumeCircle)
    assert meeting.at(s=40).left_s == 50
