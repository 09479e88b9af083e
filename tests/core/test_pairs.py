"""Pairs: spaces of their own, equal time to the second, and a way out at any moment."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.hearing import StepKind, step_of, steps
from peermeet.core.model import Mode, Phase, SeatId, Space
from tests.kit import Meeting

PAIRS = Phase(Mode.PAIRS, turn_ms=300_000, warm_up_ms=60_000, pause_ms=30_000, together_ms=120_000)


def paired(*names: str, phase: Phase = PAIRS) -> Meeting:
    return Meeting("fay*", *names).sheet(phase)


def partner(meeting: Meeting, name: str) -> str:
    (other,) = meeting.space(name) - {name}
    return other


def everybody_speaks(meeting: Meeting) -> None:
    for person in meeting.people.values():
        seat = meeting.circle.seats.get(person.seat)
        if seat is not None and not seat.mic_on:
            try:
                person.speaks()
            except m.Refused:
                continue


def test_people_go_apart_in_twos_and_the_facilitator_stays() -> None:
    meeting = paired("ana", "ben", "cleo", "dev")
    sizes = sorted(len(meeting.space(n)) for n in ("ana", "ben", "cleo", "dev"))
    assert sizes == [2, 2, 2, 2]
    assert meeting.space("fay") == {"fay"}


def test_an_odd_person_makes_a_three_that_lasts_as_long() -> None:
    meeting = paired("ana", "ben", "cleo", "dev", "eli")
    assert sorted(len(s.seats) for s in meeting.circle.spaces.values()) == [2, 3]
    lengths = {sum(t.length_ms for t in steps(PAIRS, s.order)) for s in _spaces(meeting)}
    assert lengths == {60_000 + 2 * 330_000 + 120_000}


def _spaces(meeting: Meeting) -> list[Space]:
    return list(meeting.circle.spaces.values())


def test_a_single_member_is_with_the_facilitator() -> None:
    meeting = paired("ana")
    assert meeting.space("ana") == {"ana", "fay"}


def test_alone_nobody_is_paired_and_the_phase_is_over() -> None:
    meeting = paired()
    assert meeting.circle.phase_over


def test_only_the_speaker_of_a_pair_is_heard_and_then_the_other_for_as_long() -> None:
    meeting = paired("ana", "ben")
    spoke = {"ana": 0, "ben": 0}
    for second in range(60, 60 + 660):
        meeting.at(s=second)
        everybody_speaks(meeting)
        heard = meeting.heard - {"fay"}
        assert len(heard) <= 1
        for name in heard:
            spoke[name] += 1
    assert abs(spoke["ana"] - spoke["ben"]) <= 1
    assert spoke["ana"] == 300


def test_in_a_three_everybody_has_the_same_time() -> None:
    meeting = paired("ana", "ben", "cleo")
    spoke = dict.fromkeys(("ana", "ben", "cleo"), 0)
    for second in range(60, 60 + 660):
        meeting.at(s=second)
        everybody_speaks(meeting)
        for name in meeting.heard - {"fay"}:
            spoke[name] += 1
    assert set(spoke.values()) == {190}


def test_pairs_do_not_hear_one_another() -> None:
    meeting = paired("ana", "ben", "cleo", "dev")
    everybody_speaks(meeting)
    assert meeting.space("ana").isdisjoint(
        {"ana", "ben", "cleo", "dev", "fay"} - meeting.space("ana")
    )
    away = [s for s in meeting.ana.view.seats if s.apart]
    assert {meeting.name(s.id) for s in away} == {"ben", "cleo", "dev"} - {partner(meeting, "ana")}
    assert all(s.mic == "off" for s in away)


def test_the_end_is_told_twenty_seconds_before() -> None:
    meeting = paired("ana", "ben")
    meeting.at(s=819)
    view = meeting.ana.view.pair
    assert view is not None and not view.ends_soon
    meeting.at(s=821)
    view = meeting.ana.view.pair
    assert view is not None and view.ends_soon
    meeting.at(s=841)
    assert meeting.ana.view.pair is None
    assert meeting.circle.phase_over
    assert meeting.space("ana") == {"ana", "ben", "fay"}


def test_called_back_they_have_twenty_seconds() -> None:
    meeting = paired("ana", "ben", "cleo", "dev")
    events = meeting.at(s=100).fay.does(m.CallBack)
    assert meeting.ana.notices(events) == ["pair_ends_soon"]
    everybody_speaks(meeting)
    assert {"ana", "ben"} <= meeting.heard
    meeting.at(s=119)
    assert meeting.ana.view.pair is not None
    meeting.at(s=121)
    assert meeting.ana.view.pair is None
    assert meeting.fay.does(m.CallBack) == []


def test_who_leaves_a_pair_is_back_and_nobody_is_left_alone() -> None:
    meeting = paired("ana", "ben", "cleo", "dev")
    other = partner(meeting, "ana")
    events = meeting.ana.does(m.LeaveSpace)
    assert meeting.space("ana") == {"ana", other, "fay"}
    assert "seat_back" in meeting.people[other].notices(events)
    assert meeting.ana.does(m.LeaveSpace) == []


def test_a_three_goes_on_as_a_two_and_passes_over_the_empty_step() -> None:
    meeting = paired("ana", "ben", "cleo")
    (space,) = meeting.circle.spaces.values()
    meeting.at(s=61)
    first = step_of(meeting.circle, next(iter(meeting.circle.spaces.values()))).speaker
    assert first == space.order[0]
    meeting.people[meeting.name(space.order[0])].does(m.LeaveSpace)
    (left,) = meeting.circle.spaces.values()
    assert len(left.seats) == 2
    assert step_of(meeting.circle, left).kind is StepKind.SILENCE
    meeting.at(s=92)
    (left,) = meeting.circle.spaces.values()
    assert step_of(meeting.circle, left).speaker == space.order[1]


def test_a_dropped_speaker_is_waited_for_half_a_minute() -> None:
    meeting = paired("ana", "ben")
    meeting.at(s=70)
    (space,) = meeting.circle.spaces.values()
    speaker = meeting.people[meeting.name(SeatId(str(step_of(meeting.circle, space).speaker)))]
    speaker.drops()
    meeting.at(s=90)
    (space,) = meeting.circle.spaces.values()
    assert space.clock.left(meeting.now) == 290_000
    meeting.at(s=110)
    (space,) = meeting.circle.spaces.values()
    assert space.clock.left(meeting.now) == 280_000


def test_a_pause_stops_the_pairs_to_the_second() -> None:
    meeting = paired("ana", "ben")
    meeting.at(s=70).fay.does(m.PauseCircle)
    meeting.at(s=500).fay.does(m.ResumeCircle)
    (space,) = meeting.circle.spaces.values()
    assert space.clock.left(meeting.now) == 290_000


def test_a_latecomer_stays_with_the_facilitator_and_they_may_talk() -> None:
    meeting = paired("ana", "ben")
    meeting.joins("cleo")
    meeting.cleo.speaks()
    meeting.fay.speaks()
    assert meeting.space("cleo") == {"cleo", "fay"}
    assert {"cleo", "fay"} <= meeting.heard


def test_a_running_phase_of_pairs_cannot_be_changed() -> None:
    meeting = paired("ana", "ben")
    assert meeting.fay.is_refused(m.ChangePhase, index=0, turn_ms=60_000) == "wrong_phase"


def test_an_insert_has_to_wait_for_the_pairs() -> None:
    meeting = paired("ana", "ben")
    try:
        meeting.insert(Phase(Mode.SILENCE, length_ms=60_000))
    except m.Refused as refusal:
        assert refusal.code == "wrong_phase"
    else:
        raise AssertionError("pairs were interrupted")


def test_each_step_is_told_to_those_it_concerns() -> None:
    meeting = paired("ana", "ben", phase=Phase(Mode.PAIRS, turn_ms=60_000, pause_ms=10_000))
    (space,) = meeting.circle.spaces.values()
    first, second = (meeting.people[meeting.name(s)] for s in space.order)
    log = meeting.log
    begun = [e for _, e in log if isinstance(e, m.PhaseStarted)]
    assert first.notices(list(begun)) == ["pairs_started", "your_turn"]
    assert second.notices(list(begun)) == ["pairs_started", "pair_turn"]
    del log[:]
    meeting.at(s=61)
    assert first.notices([e for _, e in log]) == ["pair_silence"]
    assert meeting.fay.notices([e for _, e in log]) == []
    del log[:]
    meeting.at(s=71)
    assert second.notices([e for _, e in log]) == ["your_turn"]


def test_the_next_speaker_is_waited_for_too() -> None:
    meeting = Meeting("fay*", "ana", "ben").phase(Mode.PAIRS, turn_ms=60_000)
    (pair,) = meeting.circle.spaces.values()
    first, second = (meeting.people[meeting.name(s)] for s in pair.order)
    first.drops()
    meeting.at(s=80)
    second.drops()
    meeting.at(s=90)
    first.returns()
    meeting.at(s=109)
    assert first.view.pair and (first.view.pair.steps_left, first.view.pair.running) == (0, False)
    assert meeting.at(s=110).circle.spaces["pair-1"].goes_on


def test_a_pair_that_is_called_back_waits_for_nobody() -> None:
    meeting = Meeting("fay*", "ana", "ben").phase(Mode.PAIRS, turn_ms=60_000)
    (pair,) = meeting.circle.spaces.values()
    meeting.people[meeting.name(pair.order[1])].drops()
    meeting.at(s=5).fay.does(m.CallBack)
    assert not meeting.at(s=24.9).circle.phase_over
    assert meeting.at(s=25).circle.phase_over


def test_a_three_that_would_have_no_time_has_a_second_each() -> None:
    phase = Phase(Mode.PAIRS, turn_ms=5_000, pause_ms=60_000)
    three = tuple(SeatId(name) for name in ("s1", "s2", "s3"))
    assert [step.length_ms for step in steps(phase, three)] == [1_000, 60_000] * 3


@pytest.mark.parametrize("stands", ["paused", "holding"])
def test_nobody_gives_up_on_a_dropped_speaker_while_clocks_stand(stands: str) -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo").phase(Mode.PAIRS, turn_ms=60_000)
    (pair,) = meeting.circle.spaces.values()
    if stands == "paused":
        meeting.fay.does(m.PauseCircle)
    else:
        meeting.fay.drops()
        meeting.at(s=20)
    meeting.people[meeting.name(pair.order[0])].drops()
    assert not meeting.at(s=100).circle.spaces["pair-1"].goes_on
