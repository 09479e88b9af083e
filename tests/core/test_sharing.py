"""Showing a screen: only who holds the floor or leads, one at a time, and it ends by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from peermeet.core import messages as m
from peermeet.core.messages import ShareEnded, ShareStarted, StartShare, StopShare
from peermeet.core.model import Mode, Phase, Role, Timeout, Who
from tests.kit import Meeting


def round_of(*names: str) -> Meeting:
    """A round in a group that shows screens; the second of them has the floor."""
    meeting = Meeting(*names, screens=True)
    return meeting.round(first=names[1].rstrip("*"))


def test_a_group_shows_no_screens_unless_it_wants_to() -> None:
    meeting = Meeting("fay*", "ana").round(first="ana")
    for person in (meeting.fay, meeting.ana):
        assert person.is_refused(StartShare) == "screens_off"
        assert "start_share" not in person.view.may
    assert meeting.shown == set()


def test_the_holder_shows_a_screen_and_everybody_is_told_whose() -> None:
    meeting = round_of("fay*", "ana", "ben")
    assert "start_share" in meeting.ana.view.may
    events = meeting.ana.does(StartShare)
    assert meeting.shown == {"ana"}
    for person in meeting.people.values():
        assert person.view.sharing == meeting.ana.seat
        assert person.notices(events) == ["share_started"]


def test_who_does_not_hold_the_floor_shows_nothing() -> None:
    meeting = round_of("fay*", "ana", "ben")
    assert meeting.ben.is_refused(StartShare) == "not_your_turn"
    assert "start_share" not in meeting.ben.view.may
    assert meeting.shown == set()


def test_in_open_talk_only_who_leads_may_show_a_screen() -> None:
    meeting = Meeting("fay*", "ana", screens=True)
    meeting.ana.speaks()
    assert meeting.ana.is_refused(StartShare) == "not_your_turn"
    meeting.fay.does(StartShare)
    assert meeting.shown == {"fay"}


def test_who_was_given_the_floor_to_tell_a_story_may_show_pictures() -> None:
    meeting = Meeting("fay*", "ana", screens=True)
    meeting.sheet(Phase(Mode.QUEUE, who=Who.SPEAKER))
    meeting.fay.does(m.GiveTurn, seat="ana")
    meeting.ana.does(StartShare)
    assert meeting.shown == {"ana"}


def test_there_is_one_screen_at_a_time() -> None:
    meeting = round_of("fay*", "ana", "cara*")
    meeting.fay.does(StartShare)
    assert meeting.ana.is_refused(StartShare) == "screen_taken"
    assert "start_share" not in meeting.ana.view.may
    meeting.fay.does(StopShare)
    meeting.ana.does(StartShare)
    assert meeting.shown == {"ana"}


def test_showing_and_stopping_twice_changes_nothing() -> None:
    meeting = round_of("fay*", "ana")
    meeting.ana.does(StartShare)
    assert meeting.ana.does(StartShare) == []
    assert meeting.ana.does(StopShare) == [ShareEnded(meeting.ana.seat)]
    assert meeting.ana.does(StopShare) == []


def test_a_screen_is_no_longer_shown_when_its_person_passes_and_everybody_is_told() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    events = meeting.ana.does(m.PassTurn)
    assert meeting.shown == set()
    assert events[-1] == ShareEnded(meeting.ana.seat)
    for person in meeting.people.values():
        assert "share_ended" in person.notices(events)
        assert person.view.sharing is None


ENDS: dict[str, Callable[[Meeting], object]] = {
    "the facilitator moves on": lambda x: x.fay.does(m.NextTurn),
    "the floor is given to another": lambda x: x.fay.does(m.GiveTurn, seat="ben"),
    "the part changes": lambda x: x.phase(Mode.TALK),
    "a silence is inserted": lambda x: x.insert(Phase(Mode.SILENCE)),
    "the circle is paused": lambda x: x.fay.does(m.PauseCircle),
    "the room is made safe": lambda x: x.fay.does(m.SafeRoom),
    "her line drops": lambda x: x.ana.drops(),
    "her page is loaded anew": lambda x: x.ana.returns(),
    "she leaves": lambda x: x.ana.does(m.Leave),
    "she steps out": lambda x: x.ana.does(m.StepOut),
    "she is here only to listen now": lambda x: x.ana.does(m.ListenOnly, on=True),
    "she is moved to the waiting area": lambda x: x.fay.does(m.MoveToWaiting, seat="ana"),
    "she is removed": lambda x: x.fay.does(m.Remove, seat="ana"),
    "her camera is covered": lambda x: x.fay.does(m.CoverCamera, seat="ana"),
    "the facilitator ends it": lambda x: x.fay.does(StopShare, seat="ana"),
}


@pytest.mark.parametrize("reason", list(ENDS))
def test_her_screen_is_no_longer_shown_when(reason: str) -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    meeting.log.clear()
    ENDS[reason](meeting)
    assert meeting.shown == set() and meeting.circle.sharing is None
    told = [event for _, event in meeting.log if isinstance(event, ShareEnded)]
    assert told == [ShareEnded(meeting.ana.seat)], "once"


@pytest.mark.parametrize("reason", ["the circle is paused", "a silence is inserted"])
def test_what_interrupted_a_screen_does_not_bring_it_back(reason: str) -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    ENDS[reason](meeting)
    if meeting.circle.paused:
        meeting.fay.does(m.ResumeCircle)
    else:
        meeting.fay.does(m.ReturnToPhase)
    assert meeting.holder == "ana" and meeting.shown == set()
    meeting.ana.does(StartShare)
    assert meeting.shown == {"ana"}


def test_back_gives_the_floor_and_not_the_screen() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    meeting.ana.does(m.PassTurn)
    meeting.fay.does(m.Back)
    assert meeting.holder == "ana" and meeting.shown == set()


def test_a_firm_turn_that_is_over_takes_the_screen_with_it() -> None:
    meeting = Meeting("fay*", "ana", "ben", screens=True)
    meeting.sheet(Phase(Mode.QUEUE, turn_ms=60_000, timeout=Timeout.FIRM))
    meeting.fay.does(m.GiveTurn, seat="ana")
    meeting.ana.does(StartShare)
    assert meeting.at(s=89).shown == {"ana"}
    assert meeting.at(s=91).shown == set()


def test_a_facilitators_screen_stays_through_the_round() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.fay.does(StartShare)
    meeting.ana.does(m.PassTurn)
    assert meeting.holder == "ben" and meeting.shown == {"fay"}


def test_who_no_longer_leads_no_longer_shows_a_screen() -> None:
    meeting = round_of("fay*", "ana", "cara*")
    meeting.people["cara"].does(StartShare)
    meeting.appoint("cara", Role.GREETER)
    assert meeting.shown == set()


def test_in_pairs_in_silence_in_a_pause_and_in_a_safe_room_nobody_shows_a_screen() -> None:
    meeting = Meeting("fay*", "ana", "ben", screens=True)
    meeting.phase(Mode.SILENCE)
    assert meeting.fay.is_refused(StartShare) == "wrong_phase"
    meeting.phase(Mode.TALK)
    meeting.fay.does(m.PauseCircle)
    assert meeting.fay.is_refused(StartShare) == "paused"
    meeting.fay.does(m.ResumeCircle)
    meeting.fay.does(m.SafeRoom)
    assert meeting.fay.is_refused(StartShare) == "veiled"
    meeting.fay.does(m.LiftSafety, everyone=True)
    meeting.phase(Mode.PAIRS)
    assert meeting.ana.is_refused(StartShare) == "away_from_circle"
    assert meeting.fay.is_refused(StartShare) == "wrong_phase"


def test_nobody_shows_a_screen_while_nobody_could_stop_it() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    meeting.fay.drops()
    assert meeting.at(s=19).shown == {"ana"}
    assert meeting.at(s=20).shown == set()
    assert meeting.ana.is_refused(StartShare) == "unled"


def test_whose_camera_is_covered_shows_no_other_pictures() -> None:
    meeting = round_of("fay*", "ana")
    meeting.fay.does(m.CoverCamera, seat="ana")
    assert meeting.ana.is_refused(StartShare) == "camera_covered"


def test_members_cannot_end_each_others_screens() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    ana = next(s for s in meeting.ben.view.seats if s.id == meeting.ana.seat)
    assert "stop_share" not in ana.may
    assert meeting.ben.is_refused(StopShare, seat="ana") == "not_allowed"
    assert meeting.fay.is_refused(StopShare, seat="s99") == "no_such_seat"
    assert meeting.shown == {"ana"}


def test_ending_the_screen_of_somebody_who_shows_none_changes_nothing() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    assert meeting.fay.does(StopShare, seat="ben") == []
    assert meeting.shown == {"ana"}


def test_a_facilitator_is_offered_to_end_a_screen_that_is_shown() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.ana.does(StartShare)
    offered = {s.id for s in meeting.fay.view.seats if "stop_share" in s.may}
    assert offered == {meeting.ana.seat}


def test_who_is_apart_from_the_circle_sees_and_hears_nothing_of_a_screen() -> None:
    meeting = round_of("fay*", "ana", "ben", "cy")
    meeting.ben.does(m.StepOut)
    events = meeting.ana.does(StartShare)
    assert meeting.ben.view.sharing is None and meeting.ben.notices(events) == []
    meeting.ben.does(m.StepIn)
    assert meeting.ben.view.sharing == meeting.ana.seat


def test_nobody_in_the_waiting_area_learns_of_a_screen() -> None:
    meeting = round_of("fay*", "ana", "ben")
    meeting.fay.does(m.MoveToWaiting, seat="ben")
    events = meeting.ana.does(StartShare)
    assert meeting.ben.view.sharing is None and meeting.ben.notices(events) == []


def test_after_a_crash_a_screen_needs_a_fresh_yes() -> None:
    meeting = round_of("fay*", "ana")
    meeting.ana.does(StartShare)
    meeting.restarts(alive_until_s=5, back_at_s=9)
    assert meeting.circle.sharing is None
    meeting.fay.returns()
    meeting.ana.returns()
    assert meeting.holder == "ana" and meeting.shown == set()


def test_that_a_screen_was_shown_is_written_nowhere() -> None:
    assert not {ShareStarted, ShareEnded} & set(m.JournalEvent.__args__)
