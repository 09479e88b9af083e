"""Whether a plan fits the people who came, and what is proposed if it does not."""

from __future__ import annotations

from peermeet.core import fit
from peermeet.core.model import Mode, Phase, Sheet

MINUTE = 60_000


def plan(*phases: Phase) -> Sheet:
    return Sheet("plan", phases)


def round_of(minutes: int, turn_s: int) -> Phase:
    return Phase(Mode.ROUND, turn_ms=turn_s * 1000, length_ms=minutes * MINUTE, fit=True)


def test_fourteen_people_at_three_minutes_need_forty_four_and_are_offered_a_shorter_turn() -> None:
    (found,) = fit.check(plan(round_of(40, 180)), 14)
    assert round(found.needed_ms / MINUTE) == 44
    assert found.shorter_ms == 150_000
    assert not found.two_circles


def test_a_plan_that_fits_is_left_alone() -> None:
    (found,) = fit.check(plan(round_of(40, 180)), 12)
    assert (found.shorter_ms, found.two_circles) == (None, False)


def test_too_many_for_a_minute_each_are_told_to_think_of_two_circles() -> None:
    (found,) = fit.check(plan(round_of(10, 180)), 14)
    assert (found.shorter_ms, found.two_circles) == (None, True)


def test_a_few_seconds_too_long_are_nothing_to_worry_about() -> None:
    (found,) = fit.check(plan(round_of(12, 60)), 11)
    assert found.needed_ms > found.length_ms
    assert (found.shorter_ms, found.two_circles) == (None, False)


def test_what_is_over_by_more_than_a_minute_is_told() -> None:
    for over_ms, shorter_ms in ((60_000, None), (60_001, 150_000)):
        phase = Phase(Mode.ROUND, turn_ms=180_000, length_ms=4 * 188_000 - over_ms)
        (found,) = fit.check(plan(phase), 4)
        assert (found.needed_ms, found.shorter_ms) == (752_000, shorter_ms)
    for over_ms, two_circles in ((60_000, False), (60_001, True)):
        phase = Phase(Mode.ROUND, turn_ms=180_000, length_ms=4 * 68_000 - over_ms)
        (found,) = fit.check(plan(phase), 4)
        assert found.two_circles is two_circles


def test_parts_without_turns_need_what_they_are_given() -> None:
    talk = Phase(Mode.TALK, length_ms=600_000)
    assert [f.needed_ms for f in fit.check(plan(talk, Phase(Mode.TALK)), 5)] == [600_000]
    assert fit.needed_ms(Phase(Mode.QUEUE), 5, 60_000) == 0


def test_one_alone_or_nobody_has_the_turn_as_planned() -> None:
    assert fit.turn_ms(round_of(2, 180), 1) == 105_000
    assert fit.turn_ms(round_of(2, 180), 0) == 180_000


def test_no_turn_is_made_shorter_than_a_minute_by_itself() -> None:
    assert fit.turn_ms(round_of(5, 180), 16) == 60_000
    assert fit.turn_ms(round_of(5, 20), 16) == 20_000


def test_a_turn_never_grows_beyond_what_was_planned() -> None:
    assert fit.turn_ms(round_of(120, 90), 2) == 90_000


def test_pairs_need_the_time_of_a_pair_however_many_there_are() -> None:
    pairs = Phase(
        Mode.PAIRS,
        turn_ms=300_000,
        warm_up_ms=60_000,
        pause_ms=30_000,
        together_ms=120_000,
        length_ms=14 * MINUTE,
    )
    assert [fit.check(plan(pairs), n)[0].needed_ms for n in (2, 9)] == [14 * MINUTE] * 2
