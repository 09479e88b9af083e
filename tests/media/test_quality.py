"""How a line looks to people: what counts as bad, and that a mark does not flicker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from peermeet.media.quality import (
    FALL_S,
    RISE_S,
    Loss,
    Meter,
    Reading,
    Steady,
    follow,
    judge,
)
from peermeet.media.rtcp import ReportBlock

GOOD, BAD = Reading(80, 0.0), Reading(80, 30.0)


def block(highest: int, lost: int, *, ssrc: int = 1, lsr: int = 0, dlsr: int = 0) -> ReportBlock:
    return ReportBlock(ssrc, 0, lost, highest, 0, lsr, dlsr)


def marks(readings: Sequence[Reading], every_s: float = 1.0) -> list[int]:
    """The mark after each of them."""
    steady, told = Steady(), list[int]()
    for number, reading in enumerate(readings):
        steady = follow(steady, reading, 100 + number * every_s)
        told.append(steady.mark)
    return told


def test_what_a_listener_notices_decides_the_mark() -> None:
    assert judge(Reading()) == 3
    assert judge(Reading(240, 2.9)) == 3
    assert judge(Reading(250, 0)) == judge(Reading(0, 3)) == judge(Reading(600, 10)) == 2
    assert judge(Reading(601, 0)) == judge(Reading(0, 10.5)) == 1
    assert judge(Reading(20, 0, is_silent=True)) == 1


def test_a_moment_of_loss_changes_no_mark_and_a_few_seconds_do() -> None:
    assert marks([GOOD, BAD, BAD, GOOD, BAD, GOOD]) == [3] * 6
    assert marks([BAD] * 4) == [3, 3, 3, 1]
    assert FALL_S == 3


def test_silence_counts_at_once() -> None:
    assert marks([GOOD, Reading(is_silent=True)]) == [3, 1]


def test_a_line_must_be_clearly_better_for_a_while_to_rise() -> None:
    bad, barely = [BAD] * 4, [Reading(80, 2.5)]
    assert marks([*bad, *barely * 20])[-1] == 2, "2.5 % is no longer poor, and not yet good"
    rising = marks([*bad, *[GOOD] * 12])
    assert rising.index(3, 4) - 4 == RISE_S


@given(st.lists(st.sampled_from([GOOD, BAD, Reading(300, 4.0)]), max_size=60))
def test_a_mark_never_changes_twice_within_the_time_it_must_hold(readings: list[Reading]) -> None:
    told = [3, *marks(readings)]
    changes = [at for at in range(1, len(told)) if told[at] != told[at - 1]]
    assert all(later - earlier >= FALL_S for earlier, later in pairwise(changes))


def test_loss_is_the_share_of_what_should_have_come_lately() -> None:
    loss = Loss()
    loss.observe(block(1000, 0), 1)
    assert loss.percent(1) is None, "one report is no difference yet"
    loss.observe(block(1050, 10), 2)
    assert loss.percent(2) == 20
    for second in range(3, 30):
        loss.observe(block(1050 + 50 * (second - 2), 10), second)
    percent = loss.percent(29)
    assert percent is not None and percent < 0.2


def test_loss_of_several_sources_is_counted_by_their_packets() -> None:
    loss = Loss()
    for ssrc in (1, 2):
        loss.observe(block(0, 0, ssrc=ssrc), 1)
    loss.observe(block(100, 0, ssrc=1), 1)
    loss.observe(block(300, 100, ssrc=2), 1)
    assert loss.percent(1) == 25


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**23), 2**23 - 1)), max_size=30)
)
def test_whatever_a_client_reports_a_share_is_between_nothing_and_all(
    reports: list[tuple[int, int]],
) -> None:
    loss = Loss()
    for second, (highest, lost) in enumerate(reports):
        loss.observe(block(highest, lost), second)
        percent = loss.percent(second)
        assert percent is None or 0 <= percent <= 100


def test_a_new_beginning_of_a_source_is_no_loss() -> None:
    loss = Loss()
    loss.observe(block(5000, 0), 1)
    loss.observe(block(20, 0), 2)
    loss.observe(block(120, 0), 3)
    assert loss.percent(3) == 0


def ntp(s: float) -> int:
    return int(s * 65536) & 0xFFFFFFFF


def test_a_round_trip_is_what_neither_side_waited() -> None:
    meter = Meter()
    # We sent at 1000.0, they held it for half a second, and the report came at 1000.62.
    meter.observe_round_trip(block(1, 0, lsr=ntp(1000.0), dlsr=ntp(0.5)), 1000.62, 10)
    assert meter.line(10).rtt_ms == 120
    assert meter.line(26).rtt_ms is None, "old news"


def test_a_round_trip_that_cannot_be_is_not_believed() -> None:
    meter = Meter()
    for report in (block(1, 0), block(1, 0, lsr=ntp(1001)), block(1, 0, lsr=ntp(10))):
        meter.observe_round_trip(report, 1000.0, 10)
    assert meter.line(10).rtt_ms is None


def test_the_worse_direction_and_kind_are_told() -> None:
    meter = Meter()
    for loss, lost in ((meter.up["audio"], 5), (meter.down["audio"], 20), (meter.down["video"], 1)):
        loss.observe(block(0, 0), 1)
        loss.observe(block(100, lost), 1)
    assert meter.line(1).loss_percent == 20


def test_what_the_speakers_line_lost_is_no_loss_of_the_listeners() -> None:
    loss = Loss()
    loss.observe(block(0, 0), 1, passed_over=7)
    loss.observe(block(100, 30), 1, passed_over=7 + 28)
    assert loss.percent(1) == 2


def test_what_repair_makes_up_for_is_not_lost() -> None:
    loss = Loss()
    loss.observe(block(0, 0), 1)
    loss.observe(block(100, 20), 1)
    loss.observe(block(200, 2), 1)
    assert loss.percent(1) == 1


def test_a_report_with_each_request_for_repair_counts_nothing_twice() -> None:
    loss, lost, highest = Loss(), 0, 0
    loss.observe(block(highest, lost), 0)
    for number in range(200):
        # Every fourth packet is missed and comes a moment later; a report tells of both.
        highest += 4
        for lost in (1, 0):
            loss.observe(block(highest, lost), number / 10)
    percent = loss.percent(20)
    assert percent is not None and percent <= 1
