"""In what order people come."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from dataclasses import replace
from typing import Any

from peermeet.core.messages import (
    Back,
    ChangePhase,
    FirstNextRound,
    GiveTurn,
    Later,
    NameNext,
    NextTurn,
    OpenPhase,
    PassTurn,
    RaiseHand,
    WelcomeResponses,
)
from peermeet.core.model import CrossTalk, Mode, Order, Phase, Role, Who
from peermeet.core.order import order_for, pairs_for
from tests.kit import Meeting

NAMES = ("fay*", "ana", "ben", "cleo")
ROUND = Phase(Mode.ROUND, turn_ms=60_000)


def order_in(meeting: Meeting, first: str | None = None, **rules: Any) -> list[str]:
    phase = replace(ROUND, **rules)
    begins = None if first is None else meeting.seat(first)
    return [meeting.name(s) for s in order_for(meeting.circle, phase, begins)]


def test_the_list_begins_elsewhere_from_meeting_to_meeting() -> None:
    orders = [order_in(Meeting(*NAMES, seed=seed)) for seed in range(5)]
    assert orders == [
        ["fay", "ana", "ben", "cleo"],
        ["ana", "ben", "cleo", "fay"],
        ["ben", "cleo", "fay", "ana"],
        ["cleo", "fay", "ana", "ben"],
        ["fay", "ana", "ben", "cleo"],
    ]


def test_the_direction_turns_round_too() -> None:
    assert order_in(Meeting(*NAMES, seed=256)) == ["fay", "cleo", "ben", "ana"]
    assert order_in(Meeting(*NAMES, seed=512)) == ["fay", "ana", "ben", "cleo"]
    assert order_in(Meeting(*NAMES, seed=256), reverse=True) == ["fay", "ana", "ben", "cleo"]


def test_a_closing_round_goes_the_other_way() -> None:
    assert order_in(Meeting(*NAMES), reverse=True) == ["fay", "cleo", "ben", "ana"]
    assert order_in(Meeting(*NAMES), first="ben", reverse=True) == ["ben", "ana", "fay", "cleo"]


def test_who_is_asked_to_begin_begins_whatever_the_meeting() -> None:
    for seed in (0, 1, 256, 300):
        order = order_in(Meeting(*NAMES, seed=seed), first="ben")
        assert order == ["ben", "cleo", "fay", "ana"]
    assert order_in(Meeting(*NAMES), first="nobody") == ["fay", "ana", "ben", "cleo"]


def test_chance_is_the_same_for_the_same_circle_and_another_in_the_next() -> None:
    orders = [order_in(Meeting(*NAMES, seed=s), order=Order.SEEDED_RANDOM) for s in range(20)]
    assert all(sorted(o) == ["ana", "ben", "cleo", "fay"] for o in orders)
    assert len({tuple(o) for o in orders}) > 8
    assert orders[3] == order_in(Meeting(*NAMES, seed=3), order=Order.SEEDED_RANDOM)


def test_chance_falls_anew_in_each_phase() -> None:
    meeting = Meeting(*NAMES)
    first = order_in(meeting, order=Order.SEEDED_RANDOM)
    later = []
    for _ in range(6):
        meeting.phase(Mode.TALK)
        later.append(order_in(meeting, order=Order.SEEDED_RANDOM))
    assert any(order != first for order in later)


def test_a_round_of_quiet_ones_first() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    for second, name in ((10, "ana"), (20, "ben")):
        meeting.at(s=second).people[name].speaks()
        meeting.people[name].does(PassTurn)
    assert order_in(meeting, order=Order.QUIET_FIRST) == ["fay", "cleo", "ana", "ben"]


def test_who_is_speaking_when_a_round_of_quiet_ones_opens_has_spoken() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.at(s=10).ana.speaks()
    meeting.ana.does(PassTurn)
    meeting.ben.speaks()
    assert order_in(meeting, order=Order.QUIET_FIRST) == ["fay", "cleo", "ana", "ben"]


def test_who_is_speaking_when_a_round_of_the_unheard_opens_is_heard() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.ana.speaks()
    assert order_in(meeting, who=Who.UNHEARD) == ["fay", "ben", "cleo"]


def test_of_two_quiet_ones_a_raised_hand_comes_first() -> None:
    meeting = Meeting(*NAMES)
    meeting.cleo.does(RaiseHand)
    assert order_in(meeting, order=Order.QUIET_FIRST) == ["cleo", "fay", "ana", "ben"]


def test_who_only_listens_interprets_or_waits_outside_is_in_no_order() -> None:
    meeting = Meeting(*NAMES)
    meeting.appoint("ana", Role.LISTENER)
    meeting.appoint("ben", Role.INTERPRETER)
    assert order_in(meeting) == ["fay", "cleo"]
    assert order_in(Meeting("fay*", "ana"), who=Who.FACILITATORS) == ["fay"]
    assert order_in(Meeting("fay*", "ana"), who=Who.SPEAKER) == []


def test_a_round_for_the_unheard() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.ana.speaks()
    meeting.ana.does(PassTurn)
    assert order_in(meeting, who=Who.UNHEARD) == ["fay", "ben", "cleo"]


def test_a_speaker_interrupted_by_the_next_phase_was_heard() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ana")
    meeting.ana.speaks()
    meeting.phase(Mode.TALK)
    assert order_in(meeting, who=Who.UNHEARD) == ["fay", "ben", "cleo"]


def test_names_go_round_along_the_list_if_nobody_names_anybody() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, order=Order.PREVIOUS_NAMES_NEXT))
    meeting.fay.does(NameNext, seat="cleo")
    assert (meeting.holder, meeting.waiting) == ("cleo", ["ana", "ben"])
    meeting.cleo.does(PassTurn)
    assert meeting.holder == "ana"
    assert meeting.ana.is_refused(NameNext, seat="fay") == "not_eligible"
    assert meeting.ana.is_refused(NameNext, seat="s99") == "no_such_seat"
    meeting.ben.drops()
    assert meeting.ana.is_refused(NameNext, seat="ben") == "not_eligible"
    assert meeting.ben.is_refused(NameNext, seat="ana") == "not_your_turn"


def test_naming_has_to_be_offered() -> None:
    assert Meeting(*NAMES).round().fay.is_refused(NameNext, seat="ana") == "not_offered"


# --- When a phase runs out ----------------------------------------------------------------------


def ran_out() -> Meeting:
    """Fay has spoken too long; Ana, Ben and Cleo were not heard."""
    short = replace(ROUND, length_ms=60_000)
    meeting = Meeting(*NAMES).sheet(short, Phase(Mode.READ, lines=1), ROUND)
    return meeting.at(s=60)


def test_the_speaker_finishes_and_the_unheard_are_offered_half_a_minute() -> None:
    meeting = ran_out()
    assert meeting.holder == "fay"
    meeting.at(s=100).fay.does(PassTurn)
    assert (meeting.holder, meeting.left_s) == ("ana", 30)
    assert meeting.ana.is_refused(Later) == "not_offered"
    meeting.ana.does(PassTurn)
    meeting.joins("dev")
    assert meeting.waiting == ["cleo", "dev"]


def test_a_shorter_turn_is_not_made_longer_by_running_out() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, turn_ms=20_000, warn_ms=5_000, length_ms=10_000))
    meeting.at(s=15).fay.does(PassTurn)
    assert meeting.left_s == 20


def test_or_first_place_in_the_next_round() -> None:
    meeting = ran_out()
    meeting.fay.does(PassTurn)
    meeting.ana.does(PassTurn)
    meeting.ben.does(FirstNextRound)
    assert meeting.holder == "cleo"
    meeting.cleo.does(PassTurn)
    assert meeting.circle.phase_over
    meeting.fay.does(OpenPhase, index=1)
    meeting.fay.does(OpenPhase, index=2)
    assert (meeting.holder, meeting.waiting) == ("ben", ["fay", "ana", "cleo"])
    meeting.fay.does(OpenPhase, index=2, after=meeting.circle.phase_number)
    assert meeting.holder == "fay", "once"


def test_who_still_waits_when_the_next_phase_opens_is_first_in_the_next_round() -> None:
    meeting = ran_out()
    meeting.fay.does(PassTurn)
    meeting.fay.does(OpenPhase, index=2)
    assert (meeting.holder, meeting.waiting) == ("ben", ["cleo", "fay", "ana"])


def test_two_who_want_first_place_have_it_in_the_order_they_asked() -> None:
    meeting = ran_out()
    meeting.fay.does(PassTurn)
    for name in ("ana", "ben"):
        meeting.people[name].does(FirstNextRound)
    meeting.cleo.does(PassTurn)
    meeting.fay.does(OpenPhase, index=2)
    assert (meeting.holder, meeting.waiting) == ("ana", ["ben", "fay", "cleo"])


def test_an_answer_that_was_not_given_owes_nobody_a_first_place() -> None:
    phase = replace(ROUND, length_ms=60_000, crosstalk=CrossTalk.INVITED)
    meeting = Meeting(*NAMES).sheet(phase, ROUND)
    for _ in range(3):
        meeting.people[meeting.holder or ""].does(PassTurn)
    for name in ("fay", "ana"):
        meeting.people[name].does(RaiseHand)
    meeting.cleo.does(WelcomeResponses, on=True)
    meeting.at(s=60).cleo.does(PassTurn)
    assert (meeting.holder, meeting.waiting) == ("fay", ["ana"])
    meeting.fay.does(OpenPhase, index=1)
    assert (meeting.holder, meeting.circle.owed) == ("fay", ())


def test_first_place_is_in_a_round_that_is_for_them() -> None:
    short = replace(ROUND, length_ms=60_000)
    leading = replace(ROUND, who=Who.FACILITATORS)
    meeting = Meeting(*NAMES).sheet(short, leading, ROUND).at(s=60)
    meeting.fay.does(OpenPhase, index=1)
    assert (meeting.holder, meeting.waiting) == ("fay", [])
    meeting.fay.does(OpenPhase, index=2)
    assert (meeting.holder, meeting.waiting) == ("ana", ["ben", "cleo", "fay"])


def test_a_round_that_had_its_time_owes_nobody_anything() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND, ROUND)
    meeting.fay.does(OpenPhase, index=1)
    assert meeting.holder == "fay"


def test_back_takes_first_place_in_the_next_round_back() -> None:
    meeting = ran_out()
    meeting.fay.does(PassTurn)
    meeting.ana.does(FirstNextRound)
    assert meeting.circle.owed == (meeting.ana.seat,)
    meeting.fay.does(Back)
    assert meeting.holder == "ana" and meeting.circle.owed == ()


def test_first_place_next_round_is_offered_only_when_time_ran_out() -> None:
    assert Meeting(*NAMES).round().fay.is_refused(FirstNextRound) == "not_offered"
    meeting = Meeting(*NAMES).sheet(Phase(Mode.QUEUE, length_ms=10_000))
    meeting.ana.does(RaiseHand)
    assert meeting.at(s=20).ana.is_refused(FirstNextRound) == "not_offered"


def test_when_the_last_chooses_the_next_round_this_one_is_over() -> None:
    meeting = ran_out()
    for _ in range(3):
        meeting.people[meeting.holder or ""].does(PassTurn)
    meeting.cleo.does(FirstNextRound)
    assert meeting.circle.phase_over


def test_nobody_waiting_means_a_round_is_simply_over() -> None:
    meeting = Meeting("fay*").sheet(replace(ROUND, length_ms=60_000))
    meeting.at(s=60)
    assert not meeting.circle.phase_over and meeting.holder == "fay"
    meeting.fay.does(PassTurn)
    assert meeting.circle.phase_over


# --- Changed while it runs ----------------------------------------------------------------------


def test_a_changed_order_takes_hold_among_those_who_wait() -> None:
    meeting = Meeting(*NAMES).round(turn_s=60, first="ben")
    meeting.ben.speaks()
    meeting.sheet(ROUND)
    meeting.fay.does(Later)
    meeting.joins("dev")
    assert (meeting.holder, meeting.waiting) == ("ana", ["ben", "cleo", "fay", "dev"])
    meeting.fay.does(ChangePhase, index=0, order=Order.QUIET_FIRST)
    assert meeting.waiting == ["cleo", "dev", "ben", "fay"], "who comes again stays at the end"
    assert meeting.holder == "ana"


def test_answers_stay_before_whatever_order() -> None:
    meeting = Meeting(*NAMES).sheet(replace(ROUND, crosstalk=CrossTalk.INVITED))
    for name in ("cleo", "ben"):
        meeting.people[name].does(RaiseHand)
    meeting.fay.does(WelcomeResponses, on=True)
    meeting.fay.does(PassTurn)
    meeting.fay.does(ChangePhase, index=0, order=Order.QUIET_FIRST)
    assert (meeting.holder, meeting.waiting) == ("cleo", ["ben", "ana", "ben", "cleo"])


def test_a_changed_order_by_chance_moves_people() -> None:
    orders = set()
    for seed in range(0, 40, 4):
        meeting = Meeting(*NAMES, seed=seed).sheet(ROUND)
        meeting.fay.does(ChangePhase, index=0, order=Order.SEEDED_RANDOM)
        assert sorted([meeting.holder or "", *meeting.waiting]) == ["ana", "ben", "cleo", "fay"]
        orders.add(tuple(meeting.waiting))
    assert len(orders) > 1


def test_the_order_of_a_reading_is_not_changed_while_it_is_read() -> None:
    meeting = Meeting(*NAMES).sheet(Phase(Mode.READ, lines=9))
    refused = meeting.fay.is_refused(ChangePhase, index=0, order=Order.SEEDED_RANDOM)
    assert refused == "wrong_phase"
    meeting.fay.does(ChangePhase, index=0, turn_ms=30_000, order=Order.LIST)


# --- Pairs --------------------------------------------------------------------------------------


def paired(*names: str, seed: int = 0) -> list[set[str]]:
    meeting = Meeting(*names, seed=seed)
    return [{meeting.name(s) for s in pair} for pair in pairs_for(meeting.circle)]


def test_everybody_is_in_one_pair_and_an_odd_one_makes_a_three() -> None:
    for count in range(2, 12):
        names = [f"p{n}" for n in range(count)]
        pairs = paired("fay*", *names)
        assert sorted(name for pair in pairs for name in pair) == sorted(names)
        assert sorted(map(len, pairs)) == [2] * (count // 2 - count % 2) + [3] * (count % 2)


def test_who_is_with_whom_falls_anew_in_each_meeting() -> None:
    names = ("fay*", "ana", "ben", "cleo", "dev")
    found = {tuple(sorted(map(tuple, map(sorted, paired(*names, seed=s))))) for s in range(30)}
    assert len(found) == 3


def test_who_leads_stays_with_the_circle_unless_somebody_would_be_alone() -> None:
    assert paired("fay*", "ana") == paired("ana", "fay*") == [{"fay", "ana"}]
    assert paired("fay*", "gus*", "ana") == [{"fay", "ana"}]
    assert paired("fay*", "gus*") == []
    assert paired("fay*") == []


def test_who_is_away_listening_or_outside_is_in_no_pair() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev", "eve")
    meeting.ana.drops()
    meeting.appoint("ben", Role.LISTENER)
    pairs = pairs_for(meeting.circle)
    assert [{meeting.name(s) for s in pair} for pair in pairs] == [{"cleo", "dev", "eve"}]


def test_pairs_after_pairs_are_made_of_everybody_again() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev").phase(Mode.PAIRS)
    before = {frozenset(meeting.space(n)) for n in ("ana", "ben", "cleo", "dev")}
    meeting.phase(Mode.PAIRS)
    after = {frozenset(meeting.space(n)) for n in ("ana", "ben", "cleo", "dev")}
    assert sorted(map(len, before)) == sorted(map(len, after)) == [2, 2]


def test_giving_the_floor_out_of_order_takes_a_waiting_place() -> None:
    meeting = Meeting(*NAMES).sheet(ROUND)
    meeting.fay.does(GiveTurn, seat="ben")
    assert meeting.waiting == ["ana", "cleo"]
    meeting.fay.does(Back)
    assert (meeting.holder, meeting.waiting) == ("fay", ["ben", "ana", "cleo"])
    meeting.fay.does(NextTurn)
    assert meeting.holder == "ben"
