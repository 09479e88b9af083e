"""Transport-wide numbers: who sends hears when it came, and what we sent is accounted for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peermeet.media import rtcp
from peermeet.media.feedback import TICK_S, TransportFeedback
from peermeet.media.twcc import MAX_SPAN, RATE_REPORTS, SENT, Arrivals, Departures, Report


def told(data: list[bytes]) -> dict[int, float | None]:
    """Unwrapped as written: 16-bit number -> arrival in seconds, None if missing."""
    result: dict[int, float | None] = {}
    for one in data:
        assert len(one) <= 950
        [feedback] = rtcp.parse(one)
        assert isinstance(feedback, TransportFeedback)
        assert (feedback.ssrc, feedback.media_ssrc) == (1, 2)
        for index, ticks in enumerate(feedback.arrivals):
            at = None if ticks is None else feedback.reference_time * 0.064 + ticks * TICK_S
            result[(feedback.base_sequence + index) & 0xFFFF] = at
    return result


def counts(data: list[bytes]) -> list[int]:
    return [one[19] for one in data]


def test_feedback_is_due_every_tick_and_every_50_ms_when_busy() -> None:
    arrivals = Arrivals()
    assert not arrivals.is_due(1.0)
    arrivals.take(7, 1.0)
    assert told(arrivals.feedback(1.0, 1, 2)) == {7: 1.0}
    arrivals.take(8, 1.01)
    assert arrivals.feedback(1.08, 1, 2) == []
    assert list(told(arrivals.feedback(1.11, 1, 2))) == [8]
    for step in range(8):
        arrivals.take(9 + step, 1.12)
    assert not arrivals.is_due(1.15)
    assert list(told(arrivals.feedback(1.17, 1, 2))) == list(range(9, 17))
    assert not arrivals.is_due(9.0)


def test_numbers_wrap_and_feedback_is_counted() -> None:
    arrivals, seen, numbers = Arrivals(), [], []
    for step in range(600):
        now = 100.0 + step * 0.01
        arrivals.take((65_300 + step) & 0xFFFF, now)
        data = arrivals.feedback(now, 1, 2)
        seen += list(told(data))
        numbers += counts(data)
    assert seen == [(65_300 + step) & 0xFFFF for step in range(len(seen))]
    assert len(seen) > 580
    assert numbers == list(range(len(numbers)))


def test_the_first_number_may_be_any() -> None:
    for first in (0, 1, 32_766, 32_768, 64_000, 65_535):
        arrivals = Arrivals()
        arrivals.take(first, 5.0)
        assert told(arrivals.feedback(5.0, 1, 2)) == {first: 5.0}


def test_the_first_of_two_copies_counts() -> None:
    arrivals = Arrivals()
    arrivals.take(1, 5.0)
    arrivals.take(1, 5.02)
    assert told(arrivals.feedback(5.1, 1, 2)) == {1: 5.0}
    arrivals.take(1, 5.2)
    assert not arrivals.is_due(6.0)


def test_a_late_packet_is_told_after_all_with_those_behind_it() -> None:
    arrivals = Arrivals()
    for sequence in (1, 2, 4):
        arrivals.take(sequence, 5.0)
    assert told(arrivals.feedback(5.1, 1, 2)) == {1: 5.0, 2: 5.0, 3: None, 4: 5.0}
    arrivals.take(3, 5.125)
    arrivals.take(5, 5.125)
    assert told(arrivals.feedback(5.2, 1, 2)) == {3: 5.125, 4: 5.0, 5: 5.125}


def test_a_gap_is_told_and_a_jump_begins_anew() -> None:
    arrivals = Arrivals()
    arrivals.take(1, 5.0)
    arrivals.take(1500, 5.0)
    data = arrivals.feedback(5.1, 1, 2)
    assert [at for at in told(data).values() if at] == [5.0, 5.0]
    assert len(told(data)) == 1500
    assert counts(data) == [0, 1, 2, 3]
    arrivals.take(1500 + MAX_SPAN + 1, 5.2)
    assert list(told(arrivals.feedback(5.3, 1, 2))) == [1500 + MAX_SPAN + 1]
    arrivals.take(3, 5.4)
    assert list(told(arrivals.feedback(5.5, 1, 2))) == [3]


def test_a_long_silence_does_not_stop_feedback() -> None:
    arrivals = Arrivals()
    arrivals.take(1, 5.0)
    arrivals.take(2, 30.0)
    assert told(arrivals.feedback(30.0, 1, 2)) == {1: 5.0, 2: 30.0}


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 40)), max_size=200))
def test_any_numbers_are_survived(steps: list[tuple[int, int]]) -> None:
    arrivals, now = Arrivals(), 50.0
    for sequence, pause in steps:
        now += pause / 100
        arrivals.take(sequence, now)
        assert len(told(arrivals.feedback(now, 1, 2))) <= 2 * MAX_SPAN


def test_a_flood_between_two_feedbacks_is_bounded() -> None:
    arrivals = Arrivals()
    for step in range(10_000):
        arrivals.take(step, 5.0)
    data = arrivals.feedback(5.1, 1, 2)
    assert 0 < len(told(data)) <= MAX_SPAN
    assert len(data) <= 6


def answered(departures: Departures, arrivals: Arrivals, now: float) -> list[Report]:
    feedbacks = [rtcp.parse(data)[0] for data in arrivals.feedback(now - 0.05, 1, 2)]
    return [
        departures.acknowledge(feedback, now)
        for feedback in feedbacks
        if isinstance(feedback, TransportFeedback)
    ]


def test_what_was_sent_is_accounted_for() -> None:
    departures, arrivals = Departures(), Arrivals()
    reports: list[Report] = []
    for step in range(70_000 // 50):
        now = 10.0 + step * 0.01
        sequence = departures.sent(1250, now)
        if step % 10:
            arrivals.take(sequence, 777.0 + now + 0.03)
        reports += answered(departures, arrivals, 777.0 + now)
    assert sum(report.total for report in reports) >= 1380
    assert 0.09 < sum(report.lost for report in reports) / 1400 < 0.11
    assert 870_000 < reports[-1].acknowledged_bps < 1_000_000
    delays = [report.delay_s for report in reports if report.delay_s is not None]
    assert max(delays) - min(delays) < 0.001


def test_the_round_trip_ends_with_the_feedback() -> None:
    departures, arrivals = Departures(), Arrivals()
    arrivals.take(departures.sent(100, 10.0), 510.02)
    [feedback] = rtcp.parse(arrivals.feedback(510.02, 1, 2)[0])
    assert isinstance(feedback, TransportFeedback)
    assert departures.unanswered_s(10.03) > 0.02
    report = departures.acknowledge(feedback, 10.05)
    assert report.round_trip_s is not None and abs(report.round_trip_s - 0.05) < 1e-9
    assert (report.lost, report.total) == (0, 1)
    assert departures.unanswered_s(11.0) == 0.0
    again = departures.acknowledge(feedback, 10.06)
    assert (again.lost, again.total, again.delay_s, again.round_trip_s) == (0, 0, None, None)


def test_silence_after_a_pause_is_counted_from_its_end() -> None:
    departures = Departures()
    for at in (10.0, 10.02, 10.04):
        departures.sent(100, at)
    assert abs(departures.unanswered_s(10.3) - 0.3) < 1e-9
    assert departures.unanswered_s(11.0) == 0.0
    for step in range(100):
        departures.sent(100, 20.0 + step * 0.02)
    assert abs(departures.unanswered_s(22.0) - 2.0) < 1e-9
    assert Departures().unanswered_s(5.0) == 0.0


def test_a_packet_told_missing_may_come_after_all() -> None:
    departures = Departures()
    sequences = [departures.sent(100, 10.0 + step / 100) for step in range(3)]
    first = TransportFeedback(1, 2, sequences[0], 5, 0, (0, None, 80))
    report = departures.acknowledge(first, 10.1)
    assert (report.lost, report.total) == (1, 3)
    late = TransportFeedback(1, 2, sequences[1], 5, 1, (90, 80))
    report = departures.acknowledge(late, 10.2)
    assert (report.lost, report.total) == (0, 0) and report.delay_s is not None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFF),
            st.lists(st.one_of(st.none(), st.integers(-(1 << 27), 1 << 27)), max_size=300),
        ),
        max_size=20,
    )
)
def test_no_feedback_about_what_was_never_sent_counts(
    lies: list[tuple[int, int, list[int | None]]],
) -> None:
    departures = Departures()
    total = 0
    for step, (base, reference, arrivals) in enumerate(lies):
        for _ in range(200):
            departures.sent(100, 10.0 + step)
        lie = TransportFeedback(1, 2, base, reference, 0, tuple(arrivals))
        total += departures.acknowledge(lie, 10.1 + step).total
    assert total <= 200 * len(lies)


def test_what_left_the_ring_is_not_accounted_for() -> None:
    departures = Departures()
    first = departures.sent(100, 10.0)
    for step in range(SENT):
        departures.sent(100, 10.0 + step / 1000)
    old = TransportFeedback(1, 2, first, 5, 0, (0, 1))
    assert departures.acknowledge(old, 13.0).total == 1


def test_a_receiver_whose_clock_stands_still_takes_no_more_memory() -> None:
    departures = Departures()
    for _ in range(5000):
        sequence = departures.sent(100, 10.0)
        departures.acknowledge(TransportFeedback(1, 2, sequence, 5, 0, (0,)), 10.1)
    assert len(departures._rates) <= RATE_REPORTS
