"""Back: the last handing on is undone, and then the one before it."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from peermeet.core.messages import (
    Back,
    GiveTurn,
    Later,
    Leave,
    ListenOnly,
    NextTurn,
    OfferQuiet,
    PassTurn,
    RaiseHand,
    SafeRoom,
    StepOut,
)
from peermeet.core.model import Mode, Phase
from tests.kit import Meeting

ROUND = Phase(Mode.ROUND, turn_ms=60_000, warn_ms=20_000)
NAMES = ("fay*", "ana", "ben", "cleo")


def third_turn() -> Meeting:
    """Fay had ten seconds, Ana twenty; Ben has the floor."""
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.at(s=10).fay.does(PassTurn)
    meeting.at(s=30).ana.does(PassTurn)
    assert meeting.holder == "ben"
    return meeting


def test_back_twice_goes_back_two_turns_each_with_its_time() -> None:
    meeting = third_turn()
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s, meeting.waiting) == ("ana", 40, ["ben", "cleo"])
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s, meeting.waiting) == ("fay", 50, ["ana", "ben", "cleo"])
    assert meeting.fay.is_refused(Back) == "nothing_to_undo"


def test_who_has_left_or_only_listens_is_passed_over() -> None:
    meeting = third_turn()
    meeting.ana.does(Leave)
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("fay", 50)
    meeting = third_turn()
    meeting.ana.does(ListenOnly, on=True)
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("fay", 50)
    assert meeting.fay.is_refused(Back) == "nothing_to_undo"


def test_the_floor_is_not_given_back_to_whoever_is_elsewhere() -> None:
    meeting = third_turn()
    meeting.ana.drops()
    assert meeting.fay.is_refused(Back) == "seat_away"
    meeting.ana.returns()
    meeting.ana.does(StepOut)
    assert meeting.fay.is_refused(Back) == "away_from_circle"
    meeting = third_turn()
    meeting.fay.does(SafeRoom)
    assert meeting.fay.is_refused(Back) == "veiled"


def test_a_late_next_does_not_hit_the_turn_that_is_back() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.fay.does(NextTurn, turn=1)
    meeting.fay.does(Back, turn=2)
    for turn in (1, 2):
        assert meeting.fay.is_refused(NextTurn, turn=turn) == "stale_turn"
    assert meeting.fay.is_refused(PassTurn, turn=1) == "stale_turn"
    meeting.fay.does(NextTurn, turn=3)
    assert meeting.holder == "ana"


def test_back_after_later_takes_that_place_and_no_other() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.fay.does(Later)
    meeting.joins("dev")
    assert meeting.waiting == ["ben", "cleo", "fay", "dev"]
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.waiting) == ("fay", ["ana", "ben", "cleo", "dev"])
    meeting.fay.does(Later)
    assert meeting.waiting == ["ben", "cleo", "dev", "fay"]


def test_back_after_later_in_a_reading_takes_the_place_at_the_end() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.READ, lines=3))
    assert meeting.waiting == ["ana", "fay", "ana", "fay"]
    meeting.fay.does(Later)
    assert meeting.waiting == ["fay", "ana", "fay", "fay"]
    meeting.fay.does(Back)
    assert meeting.waiting == ["ana", "fay", "ana", "fay"]


def test_back_takes_the_rest_of_a_dropped_turn_back_too() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.fay.does(PassTurn)
    meeting.at(s=10).ana.drops()
    meeting.at(s=40)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo", "ana"])
    meeting.ana.returns()
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.left_s, meeting.waiting) == ("ana", 50, ["ben", "cleo"])
    meeting.ana.does(Later)
    assert meeting.holder == "ben", "being dropped was not asking for later"


def test_back_to_ones_own_turn_before_begins_switched_off() -> None:
    meeting = Meeting("fay*", "ana").sheet(Phase(Mode.QUEUE, turn_ms=60_000, passes=()))
    meeting.ana.does(RaiseHand)
    meeting.at(s=20).ana.does(PassTurn)
    meeting.ana.does(RaiseHand)
    meeting.ana.speaks()
    meeting.at(s=25).fay.does(Back)
    assert (meeting.holder, meeting.left_s) == ("ana", 40)
    assert meeting.heard == set()


def test_a_second_turn_somebody_had_asked_for_still_waits_after_back() -> None:
    meeting = Meeting("fay*", "ana", "ben").sheet(Phase(Mode.QUEUE, turn_ms=60_000, passes=()))
    for name in ("ana", "ana", "ben"):
        meeting.people[name].does(RaiseHand)
    meeting.ana.does(PassTurn)
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.waiting) == ("ana", ["ana"])
    meeting.ana.does(PassTurn)
    assert (meeting.holder, meeting.waiting) == ("ana", [])
    meeting.ana.does(PassTurn)
    assert meeting.holder == "ben"


def test_what_was_given_out_of_order_is_forgotten_by_back() -> None:
    meeting = third_turn()
    meeting.fay.does(GiveTurn, seat="fay")
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo"])


def test_a_person_asked_for_a_quiet_word_can_still_have_the_floor_back() -> None:
    meeting = third_turn()
    meeting.fay.does(OfferQuiet, seat="ana")
    meeting.fay.does(Back)
    assert meeting.holder == "ana"
