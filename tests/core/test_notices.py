"""Each thing that people should notice is told once, to those whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from peermeet.core import messages as m
from peermeet.core.messages import Event
from peermeet.core.model import (
    Card,
    CrossTalk,
    Millis,
    Mode,
    Phase,
    Reason,
    Role,
    Sheet,
    Timeout,
    Topic,
)
from peermeet.core.notices import Notice, notices_for
from tests.kit import START, Meeting

ROUND = Phase(Mode.ROUND, turn_ms=60_000, warn_ms=20_000)


def circle(*more: str) -> Meeting:
    """Fay leads, Ana, Ben and Cleo sit, Gret greets."""
    return Meeting("fay*", "ana", "ben", "cleo", "gret", *more).appoint("gret", Role.GREETER)


def told(meeting: Meeting, events: list[Event]) -> dict[str, list[str]]:
    """What each person notices of the events; those who notice nothing are left out."""
    found = {name: person.notices(events) for name, person in meeting.people.items()}
    return {name: notices for name, notices in found.items() if notices}


def everybody(kind: str, *but: str) -> dict[str, list[str]]:
    return {n: [kind] for n in ("fay", "ana", "ben", "cleo", "gret") if n not in but}


def of(meeting: Meeting, name: str, events: list[Event]) -> list[Notice]:
    return notices_for(meeting.circle, meeting.people[name].seat, events)


# --- People -------------------------------------------------------------------------------------


def test_who_comes_and_who_leaves() -> None:
    meeting = circle()
    meeting.joins("dev")
    assert told(meeting, [meeting.log[-1][1]]) == everybody("seat_taken")
    seat = meeting.people["dev"].seat
    events = meeting.people["dev"].does(m.Leave)
    assert told(meeting, events) == everybody("seat_left")
    assert of(meeting, "ana", events) == [Notice("seat_left", seat)]


def test_a_knock_is_for_those_who_open() -> None:
    meeting = circle()
    meeting.fay.does(m.AskAtDoor)
    meeting.joins("dev")
    assert told(meeting, [meeting.log[-1][1]]) == {"fay": ["knock"], "gret": ["knock"]}
    events = meeting.people["gret"].does(m.Admit, seat="dev")
    assert told(meeting, events) == {**everybody("seat_taken"), "dev": ["admitted"]}


def test_what_goes_on_in_the_waiting_area_is_for_those_who_open() -> None:
    meeting = circle()
    meeting.fay.does(m.AskAtDoor)
    dev = meeting.joins("dev")
    for command in (m.LoseSeat(dev.seat), m.ReturnToSeat(dev.seat)):
        events = meeting.host(command)
        kind = events[0].kind
        assert told(meeting, events) == {"fay": [kind], "gret": [kind]}
    assert told(meeting, dev.does(m.Leave)) == {"fay": ["seat_left"], "gret": ["seat_left"]}
    meeting.joins("eve")
    events = meeting.fay.does(m.Remove, seat="eve")
    assert told(meeting, events) == {"fay": ["seat_left"], "gret": ["seat_left"]}


def test_who_waits_hears_of_nothing_but_that_they_wait() -> None:
    meeting = circle()
    events = meeting.fay.does(m.MoveToWaiting, seat="ana")
    assert told(meeting, events) == {**everybody("seat_apart", "ana"), "ana": ["sent_to_wait"]}
    events = meeting.fay.does(m.MoveToWaiting, seat="ben")
    assert told(meeting, events) == {
        **everybody("seat_apart", "ana", "ben"),
        "ben": ["sent_to_wait"],
    }
    for command in (m.PauseCircle, m.ResumeCircle, m.SafeRoom):
        assert "ana" not in told(meeting, meeting.fay.does(command))


def test_who_holds_the_floor_is_told_too_that_they_wait() -> None:
    meeting = circle().sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    events = meeting.fay.does(m.MoveToWaiting, seat="ana")
    assert meeting.ana.notices(events) == ["sent_to_wait"]


def test_who_is_away_is_passed_over_in_saying_who_comes_next() -> None:
    meeting = circle().sheet(ROUND)
    meeting.ben.drops()
    found = told(meeting, meeting.fay.does(m.PassTurn))
    assert found["cleo"] == ["turn_started", "you_are_next"]
    assert found["gret"] == ["turn_started", "two_before_you"]


def test_a_line_that_drops_and_is_back() -> None:
    meeting = circle()
    for command, kind in ((m.LoseSeat, "seat_away"), (m.ReturnToSeat, "seat_returned")):
        events = meeting.host(command(meeting.ana.seat))
        assert told(meeting, events) == everybody(kind, "ana")


def test_a_raised_hand() -> None:
    meeting = circle()
    assert told(meeting, meeting.ana.does(m.RaiseHand)) == everybody("hand_raised", "ana")
    assert told(meeting, meeting.ana.does(m.LowerHand)) == {}


def test_being_away_for_a_moment_looks_the_same_whatever_it_is_for() -> None:
    meeting = circle()
    assert told(meeting, meeting.ana.does(m.StepOut)) == everybody("seat_apart", "ana")
    assert told(meeting, meeting.ana.does(m.StepIn)) == everybody("seat_back", "ana")
    events = meeting.ana.does(m.OfferQuiet)
    assert told(meeting, events) == {"fay": ["quiet_offered"]}
    events = meeting.fay.does(m.AcceptQuiet, seat="ana")
    both = {"fay": ["quiet_begun"], "ana": ["quiet_begun"]}
    assert told(meeting, events) == {**everybody("seat_apart", "fay", "ana"), **both}
    assert of(meeting, "ana", events) == [Notice("quiet_begun", meeting.fay.seat)]
    assert of(meeting, "fay", events) == [Notice("quiet_begun", meeting.ana.seat)]
    assert of(meeting, "ben", events) == [Notice("seat_apart", meeting.ana.seat)]
    assert told(meeting, meeting.fay.does(m.LeaveSpace)) == everybody("seat_back", "ana")


def test_an_offer_by_name_reaches_that_person_alone() -> None:
    meeting = circle("hal*")
    events = meeting.fay.does(m.OfferQuiet, seat="ana")
    assert told(meeting, events) == {"ana": ["quiet_offered"]}
    events = meeting.ben.does(m.OfferQuiet)
    assert told(meeting, events) == {"fay": ["quiet_offered"], "hal": ["quiet_offered"]}


def test_a_person_who_goes_from_one_place_to_another_is_not_back_between() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev")
    meeting.phase(Mode.PAIRS)
    assert told(meeting, meeting.ana.does(m.StepOut))["fay"] == ["seat_apart"]
    meeting.phase(Mode.PAIRS)
    assert told(meeting, meeting.cleo.does(m.Leave))["fay"] == ["seat_left"]
    meeting.phase(Mode.PAIRS)
    meeting.ben.does(m.OfferQuiet)
    events = meeting.fay.does(m.AcceptQuiet, seat="ben")
    assert Notice("seat_apart", meeting.ben.seat) in of(meeting, "dev", events)
    assert Notice("seat_back", meeting.ben.seat) not in of(meeting, "dev", events)


def test_ones_own_devices_and_roles_are_ones_own_business() -> None:
    meeting = circle()
    for command, members, kind in (
        (m.HoldMic, {}, "mic_held"),
        (m.ReleaseMic, {}, "mic_released"),
        (m.CoverCamera, {"reason": Reason.MOVING}, "camera_covered"),
        (m.UncoverCamera, {}, "camera_uncovered"),
        (m.SetRoles, {"roles": (Role.TIMEKEEPER,)}, "roles_changed"),
    ):
        assert told(meeting, meeting.fay.does(command, seat="ana", **members)) == {"ana": [kind]}
    assert told(meeting, meeting.ana.does(m.SetCamera, on=True)) == {}


def test_being_readmitted_is_told_to_who_is() -> None:
    meeting = circle()
    assert told(meeting, meeting.fay.does(m.SafeRoom)) == everybody("room_made_safe")
    assert told(meeting, meeting.fay.does(m.Readmit, seat="ana")) == {"ana": ["seat_readmitted"]}
    assert told(meeting, meeting.fay.does(m.LiftSafety)) == everybody("safety_lifted")


def test_cards_and_notes() -> None:
    meeting = circle()
    events = meeting.fay.does(m.ShowCard, card=Card.ADVICE)
    assert told(meeting, events) == everybody("card_shown")
    assert of(meeting, "ben", events) == [Notice("card_shown")]
    assert told(meeting, meeting.fay.does(m.WithdrawCard)) == {}
    events = meeting.fay.does(m.ShowCard, card=Card.SIDE_CHAT, seat="ana")
    assert told(meeting, events) == {"ana": ["card_for_you"]}
    events = meeting.ana.does(m.NoteContent, topic=Topic.DEATH)
    assert told(meeting, events) == everybody("content_noted")
    assert of(meeting, "ben", events) == [Notice("content_noted", meeting.ana.seat)]
    meeting.cleo.does(m.StepOut)
    assert told(meeting, meeting.ana.does(m.EndNote)) == {"cleo": ["called_back"]}


# --- The floor ----------------------------------------------------------------------------------


def test_everybody_knows_once_who_speaks_and_who_comes_next() -> None:
    meeting = circle().sheet(ROUND)
    events = meeting.fay.does(m.PassTurn)
    assert told(meeting, events) == {
        "fay": ["turn_started"],
        "ana": ["your_turn"],
        "ben": ["turn_started", "you_are_next"],
        "cleo": ["turn_started", "two_before_you"],
        "gret": ["turn_started"],
    }
    assert of(meeting, "ben", events) == [
        Notice("turn_started", meeting.ana.seat),
        Notice("you_are_next", meeting.ben.seat),
    ]


def test_the_beginning_of_a_round_tells_the_phase_and_the_turn() -> None:
    meeting = circle().sheet(Phase(Mode.TALK), ROUND)
    events = meeting.fay.does(m.OpenPhase, index=1)
    assert of(meeting, "gret", events) == [
        Notice("round_started", index=1),
        Notice("turn_started", meeting.fay.seat),
    ]
    for mode in (Mode.TALK, Mode.SILENCE, Mode.QUEUE):
        events = meeting.fay.does(m.StartPhase, mode=mode)
        assert told(meeting, events) == everybody(f"{mode}_started")


def test_an_answer_is_told_as_an_answer() -> None:
    meeting = circle().sheet(replace(ROUND, crosstalk=CrossTalk.INVITED))
    meeting.ben.does(m.RaiseHand)
    events = meeting.fay.does(m.WelcomeResponses, on=True)
    assert told(meeting, events) == everybody("responses_welcomed", "fay")
    assert told(meeting, meeting.fay.does(m.WelcomeResponses, on=False)) == {}
    meeting.fay.does(m.WelcomeResponses, on=True)
    events = meeting.fay.does(m.PassTurn)
    found = told(meeting, events)
    assert found["ben"][0] == "your_response"
    assert found["gret"] == ["response_started"]


def at(meeting: Meeting, seconds: float) -> list[Event]:
    """What the tick at this moment brings."""
    meeting.now = Millis(START + int(seconds * 1000))
    return meeting.host(m.Tick())


def test_how_far_a_turn_has_come_is_for_its_person_and_the_timekeepers() -> None:
    meeting = circle().appoint("cleo", Role.TIMEKEEPER).sheet(ROUND)
    meeting.fay.does(m.PassTurn)
    for second, kind in ((40, "turn_warned"), (60, "turn_grace"), (90, "turn_overdue")):
        events = at(meeting, second)
        assert told(meeting, events) == {"fay": [kind], "ana": [kind], "cleo": [kind]}
    assert told(meeting, meeting.cleo.does(m.Extend)) == {"ana": ["turn_extended"]}
    assert told(meeting, meeting.cleo.does(m.HoldClock)) == {}


def test_a_firm_turn_that_ends_is_told_as_the_next_one() -> None:
    meeting = circle().sheet(replace(ROUND, timeout=Timeout.FIRM, grace_ms=0))
    at(meeting, 40)
    assert told(meeting, at(meeting, 60))["ana"] == ["your_turn"]


def test_a_time_that_ran_out_and_a_phase_that_is_over() -> None:
    meeting = Meeting("fay*", "ana").sheet(replace(ROUND, length_ms=30_000))
    assert told(meeting, at(meeting, 30)) == {"fay": ["time_ran_out"], "ana": ["time_ran_out"]}
    meeting.fay.does(m.PassTurn)
    over = {"fay": ["phase_completed"], "ana": ["phase_completed"]}
    assert told(meeting, meeting.ana.does(m.PassTurn)) == over


def test_pairs_are_told_of_their_own_steps() -> None:
    pairs = Phase(Mode.PAIRS, turn_ms=60_000, warm_up_ms=30_000, pause_ms=10_000)
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev").sheet(pairs)
    pair = next(iter(meeting.circle.spaces.values()))
    first, second = (meeting.name(s) for s in pair.order)
    found = told(meeting, at(meeting, 30))
    assert found[first] == ["your_turn"] and found[second] == ["pair_turn"]
    assert "fay" not in found and len(found) == 4
    found = told(meeting, at(meeting, 90))
    assert found[first] == found[second] == ["pair_silence"]
    found = told(meeting, meeting.fay.does(m.CallBack))
    assert found[first] == ["pair_ends_soon"] and "fay" not in found
    found = told(meeting, meeting.people[first].does(m.LeaveSpace))
    assert found[second] == ["seat_back"] and found["fay"] == ["seat_back"]
    assert first not in found


def test_pairs_without_a_warm_up_begin_with_a_turn() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev").sheet(Phase(Mode.TALK))
    events = meeting.fay.does(m.StartPhase, mode=Mode.PAIRS)
    pair = next(iter(meeting.circle.spaces.values()))
    first, second = (meeting.name(s) for s in pair.order)
    found = told(meeting, events)
    assert found[first] == ["pairs_started", "your_turn"]
    assert found[second] == ["pairs_started", "pair_turn"]
    assert found["fay"] == ["pairs_started"]


def test_pairs_with_a_warm_up_begin_together() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(
        Phase(Mode.TALK), Phase(Mode.PAIRS, warm_up_ms=30_000, together_ms=20_000)
    )
    events = meeting.fay.does(m.OpenPhase, index=1)
    assert told(meeting, events)["ana"] == ["pairs_started"]
    meeting.at(s=30 + 359)
    assert told(meeting, at(meeting, 30 + 360))["ana"] == ["pair_together"]


# --- The circle ---------------------------------------------------------------------------------


def test_what_concerns_all_is_told_to_all() -> None:
    meeting = circle()
    happenings: list[tuple[Callable[[], list[Event]], str]] = [
        (lambda: meeting.fay.does(m.PauseCircle), "circle_paused"),
        (lambda: meeting.fay.does(m.ResumeCircle), "circle_resumed"),
        (lambda: meeting.decide(meeting.fay.seat, m.UseSheet(a_sheet())), "sheet_chosen"),
        (lambda: meeting.fay.does(m.ChangePhase, index=0, turn_ms=30_000), "phase_changed"),
        (lambda: meeting.fay.does(m.DropPhase, index=0), "phase_dropped"),
        (lambda: meeting.fay.does(m.EndCircle), "circle_ended"),
    ]
    for happens, kind in happenings:
        assert told(meeting, happens()) == everybody(kind)


def a_sheet() -> Sheet:
    return Sheet("plan", (ROUND, Phase(Mode.TALK)))


def test_a_changed_phase_is_named_by_its_place() -> None:
    meeting = circle().sheet(ROUND, ROUND)
    events = meeting.fay.does(m.ChangePhase, index=1, turn_ms=30_000)
    assert of(meeting, "ana", events) == [Notice("phase_changed", index=1)]
    events = meeting.fay.does(m.DropPhase, index=1)
    assert of(meeting, "ana", events) == [Notice("phase_dropped", index=1)]


def test_the_wish_for_a_pause_is_for_those_who_may_pause() -> None:
    meeting = circle().appoint("cleo", Role.GUARDIAN)
    events = meeting.ana.does(m.AskPause)
    assert told(meeting, events) == {"fay": ["pause_asked"], "cleo": ["pause_asked"]}
    assert of(meeting, "fay", events) == [Notice("pause_asked")]


def test_a_circle_that_waits_says_so() -> None:
    meeting = circle()
    meeting.fay.drops()
    assert told(meeting, at(meeting, 20)) == everybody("circle_held")


def test_who_has_no_seat_is_told_nothing() -> None:
    meeting = circle()
    events = meeting.ana.does(m.Leave)
    assert "ana" not in told(meeting, events)


def test_what_nobody_needs_to_hear() -> None:
    meeting = circle().sheet(ROUND)
    assert told(meeting, meeting.fay.speaks()) == {}
    for command in (m.HoldClock, m.ReleaseClock, m.CloseDoor):
        assert told(meeting, meeting.fay.does(command)) == {}
    assert told(meeting, meeting.host(m.Recover(START))) == {}
