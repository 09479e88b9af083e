"""How much video one person's line carries: video yields, audio never.

`Downlink` turns the reports of twcc.py into a budget for policy.select. Two things only count as
the line being full: a queue that grows, and loss that shrinks when we send less. It does not
probe; the next better picture is the probe, and a failed one is taken back. Times are monotonic
seconds; nothing here reads a clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Final

from peermeet.media.policy import USUAL_BPS
from peermeet.media.twcc import Report

QUEUE_BAD_S: Final = 0.1
"""A median queue above this is bad; two bad reports in a row are overload."""
QUEUE_DRAINED_S: Final = 0.05
QUEUE_PAUSE_S: Final = 0.15
"""Above this a mere cut would drain it slower than it grew: all video waits until it is empty."""
BASELINE_S: Final = 20
"""The smallest one-way delay of so many seconds is an empty queue."""
LOSS_BAD: Final = 0.1
"""Beyond what the line loses whatever we send."""
LOSS_WINDOW_S: Final = 1.0
LOSS_MIN_PACKETS: Final = 20
SHARE: Final = 0.85
"""Of what arrived while the line was full: so much is sent from then on, audio included."""
SETTLE_S: Final = 1.0
"""After a cut, before what is still bad is cut again."""
JUDGE_S: Final = 1.5
"""After a cut for loss alone, before it is said whether the loss was of our making."""
STAND_S: Final = 2.0
"""A step up that has stood so long lets the next one follow."""
FAILED_S: Final = 5.0
"""Overload so soon after a step up is its fault, and ends with what was before it."""
EASE_S: Final = 1.0
"""After a pause half of the budget comes back, and all of it so much later: every picture that
returns begins with a key frame, and together these would fill the line again."""
RELAPSE_S: Final = 3.0
"""Overload so soon after the last is still that one."""
START_BPS: Final = 300_000
"""Until the line has shown what it carries: a full line delays every voice by its whole buffer."""
START_STAND_S: Final = 1.0
"""In place of `STAND_S` before the first overload."""
UNHEARD_S: Final = 5.0
"""Who never answers at all cannot, and is not limited."""
SURGE: Final = (1, 2, 4)
"""How many times the budget a step may be, after so many that went beyond the known rate."""
EASE_FROM_BPS: Final = USUAL_BPS["l"]
"""Half a budget is not less than this, which is the holder's picture."""
FIRST_WAIT_S: Final = 4.0
LONGEST_WAIT_S: Final = 60.0
"""From overload to the next step up; doubles each time."""
FORGIVEN_S: Final = 60.0
SILENCE_S: Final = 1.0
"""Without feedback while we send, beyond the round trip: the line carries nothing."""
MAX_ROUND_TRIP_S: Final = 2.0
"""More is not waited for."""
WORSE_AFTER_S: Final = 2.0
BETTER_AFTER_S: Final = 5.0
"""A weak line is told after the one, and taken back after the other."""


class Latch:
    """A yes or no that has to last before it counts."""

    __slots__ = ("_off_after_s", "_on_after_s", "_since", "is_on")

    def __init__(self, on_after_s: float = WORSE_AFTER_S, off_after_s: float = BETTER_AFTER_S):
        self.is_on = False
        self._on_after_s = on_after_s
        self._off_after_s = off_after_s
        self._since = inf

    def update(self, value: bool, now: float) -> bool:
        """What counts, having been told what is."""
        if value == self.is_on:
            self._since = inf
            return self.is_on
        self._since = min(self._since, now)
        if now - self._since >= (self._on_after_s if value else self._off_after_s):
            self.is_on, self._since = value, inf
        return self.is_on


@dataclass(slots=True)
class _Episode:
    """From overload until it is over."""

    at: float
    before_bps: int | None
    target_bps: int
    """The budget from its end on."""
    step_failed: bool
    queue_s: float
    """The longest since the cut."""
    loss: float | None
    """Lost before the cut, if that was all that was wrong."""
    wait_s: float
    """The back-off before it."""


@dataclass(slots=True)
class _Step:
    at: float
    before_bps: int
    eases: bool = False
    """It only takes back what a pause took."""


@dataclass(slots=True)
class _Window:
    """Losses of the last second."""

    reports: deque[tuple[float, int, int]] = field(default_factory=deque)
    lost: int = 0
    total: int = 0

    def add(self, at: float, lost: int, total: int) -> None:
        self.reports.append((at, lost, total))
        self.lost += lost
        self.total += total
        while self.reports[0][0] < at - LOSS_WINDOW_S:
            _, lost, total = self.reports.popleft()
            self.lost -= lost
            self.total -= total

    def clear(self) -> None:
        self.reports.clear()
        self.lost = self.total = 0

    @property
    def share(self) -> float:
        return self.lost / self.total if self.total else 0.0

    def exceeds(self, share: float) -> bool:
        """Whether more is lost than chance explains: two standard deviations beyond."""
        enough = self.total >= LOSS_MIN_PACKETS
        return enough and self.lost - 2 * sqrt(self.lost) > share * self.total


class Downlink:
    """The line to one person.

    `on_report` for every report, `tick` about ten times a second; then look at `budget_bps`.
    Made only for a connection that negotiated transport-wide feedback.
    """

    def __init__(self, start_bps: int | None = START_BPS) -> None:
        self.budget_bps = start_bps
        """For all video together; None is no limit."""
        self.queue_s = 0.0
        """How long packets wait on the way, median of the last report."""
        self.round_trip_s: float | None = None
        self.is_weak = False
        """The line carries less than is wanted, and has for a while."""
        self.overloads = 0
        """Counts episodes, for metrics."""
        self._weak = Latch()
        self._minima: deque[tuple[int, float]] = deque()
        """One-way delays by second, each smaller than all that came after it: the first is the
        smallest."""
        self._losses = _Window()
        self._counts_from = 0.0
        """What left before says nothing about the present budget."""
        self._excused = 0.0
        """The share this line loses whatever we send."""
        self._bad = 0
        self._episode: _Episode | None = None
        self._step: _Step | None = None
        self._known_bps = 0
        """What video was seen to arrive while the line was full."""
        self._surge = 0
        """Steps in a row that stood and went beyond that."""
        self._stood = True
        self._starting = start_bps is not None
        self._easing_to_bps: int | None = None
        self._over_at = -inf
        """When the last episode ended."""
        self._wait_s = 0.0
        self._changed_at = 0.0
        self._heard_at: float | None = None
        self._silent_at: float | None = None
        self._silent_bps: int | None = None

    @property
    def loss(self) -> float:
        """Of the last second, 0 to 1."""
        return self._losses.share

    @property
    def calm_delay_s(self) -> float:
        """A report of no loss and no longer delay changes nothing now; -inf if any might."""
        is_calm = self.budget_bps is None and self._silent_at is None and not self._bad
        if not is_calm or self._episode is not None or not self._minima:
            return -inf
        return self._minima[0][1] + QUEUE_BAD_S

    def on_report(self, report: Report, audio_bps: int, now: float) -> None:
        """Learn how the last packets arrived. audio_bps: what audio to this person takes now."""
        if not report.total and report.delay_s is None:
            return
        if self._heard_at is None:
            self._changed_at = now
        self._heard_at = now
        if report.round_trip_s is not None:
            self.round_trip_s = report.round_trip_s
        if self._silent_at is not None:
            self._silent_at = None
            self._set(self._silent_bps, now)
        if report.delay_s is not None:
            self._measure_queue(report.delay_s, now)
        # A report that says when nothing left is about the packets of one round trip ago.
        left_at = now - self._round_trip()
        if left_at >= self._counts_from:
            self._losses.add(now, report.lost, report.total)
        if self._losses.total >= 2 * LOSS_MIN_PACKETS and self._losses.share < self._excused / 2:
            self._excused = self._losses.share
        lossy = report.lost > 0 and self._losses.exceeds(self._excused + LOSS_BAD)
        self._bad = self._bad + 1 if lossy or self.queue_s > QUEUE_BAD_S else 0
        if self._episode is not None:
            self._follow(self._episode, report, audio_bps, left_at, now)
        elif self._bad >= 2:
            self._begin(report, audio_bps, now)

    def tick(self, now: float, next_bps: int | None, unanswered_s: float) -> None:
        """Let time pass.

        next_bps: what the next better selection costs (`Selection.next_bps`). unanswered_s: how
        long we have sent without any feedback (`Departures.unanswered_s`).
        """
        short = self.budget_bps is not None and next_bps is not None and not self._starting
        self.is_weak = self._weak.update(short, now)
        patience_s = SILENCE_S + self._round_trip()
        episode = self._episode
        if self._heard_at is None:
            if unanswered_s > UNHEARD_S:
                self.budget_bps, self._starting = None, False
            return
        if unanswered_s == 0.0 and now - self._heard_at > patience_s:
            # Nothing is sent, so nothing waits on the way.
            self.queue_s, self._bad = 0.0, 0
        if self._silent_at is not None:
            if unanswered_s <= patience_s and now - self._silent_at >= FIRST_WAIT_S:
                # Without audio nothing flows that could be answered.
                self._silent_at = None
                self._set(self._silent_bps, now)
        elif unanswered_s > patience_s:
            self._silent_at = now
            self._silent_bps = episode.target_bps if episode else self.budget_bps
            self._episode = self._step = self._easing_to_bps = None
            self._set(0, now)
        elif episode is not None:
            if now - max(self._heard_at, episode.at) > patience_s:
                self._end(episode, now)
        elif self.budget_bps is not None:
            self._maybe_step(self.budget_bps, next_bps, now)
        elif now - self._changed_at >= FORGIVEN_S:
            self._wait_s = 0.0

    # Measuring

    def _round_trip(self) -> float:
        return min(MAX_ROUND_TRIP_S, self.round_trip_s or 0.0)

    def _measure_queue(self, delay_s: float, now: float) -> None:
        minima, second = self._minima, int(now)
        while minima and minima[-1][1] >= delay_s:
            minima.pop()
        if not minima or minima[-1][0] != second:
            minima.append((second, delay_s))
        while minima[0][0] <= second - BASELINE_S:
            minima.popleft()
        self.queue_s = delay_s - minima[0][1]

    # Down

    def _begin(self, report: Report, audio_bps: int, now: float) -> None:
        before_bps, step, wait_s = self.budget_bps, self._step, self._wait_s
        target_bps = self._share(report, audio_bps, before_bps)
        failed = step is not None and now - step.at < FAILED_S + self._round_trip()
        if step is not None and failed:
            target_bps = step.before_bps
        eased = self._easing_to_bps is not None or (step is not None and step.eases)
        if not (eased or now - self._over_at < RELAPSE_S):
            self.overloads += 1
            self._wait_s = min(LONGEST_WAIT_S, 2 * wait_s) if wait_s else FIRST_WAIT_S
        self._step = self._easing_to_bps = None
        self._stood, self._surge, self._starting = False, 0, False
        lost_only = self.queue_s <= QUEUE_BAD_S
        self._episode = _Episode(
            now,
            before_bps,
            target_bps,
            failed,
            self.queue_s,
            self._losses.share if lost_only else None,
            wait_s,
        )
        self._set(0 if self.queue_s > QUEUE_PAUSE_S else target_bps, now)

    def _share(self, report: Report, audio_bps: int, limit_bps: int | None) -> int:
        self._known_bps = max(0, report.acknowledged_bps - audio_bps)
        share_bps = max(0, int(SHARE * report.acknowledged_bps) - audio_bps)
        return share_bps if limit_bps is None else min(limit_bps, share_bps)

    def _follow(
        self, episode: _Episode, report: Report, audio_bps: int, left_at: float, now: float
    ) -> None:
        """One more report within an episode; left_at: when the packets it is about were sent."""
        queue_s = self.queue_s
        if episode.loss is not None and queue_s <= QUEUE_BAD_S:
            if left_at >= episode.at + JUDGE_S:
                self._judge_loss(episode, episode.loss, now)
            return
        episode.loss = None
        episode.queue_s = max(episode.queue_s, queue_s)
        shrunk_s, settled = episode.queue_s - queue_s, left_at >= episode.at + SETTLE_S
        if queue_s <= QUEUE_DRAINED_S or (queue_s <= QUEUE_BAD_S and settled):
            if self._bad and left_at >= episode.at + JUDGE_S:
                # The queue is gone and the loss is not.
                self._excused, self._bad = max(self._excused, self._losses.share), 0
            if not self._bad:
                self._end(episode, now)
            return
        if shrunk_s > 0 and not episode.step_failed:
            # A queue that drains is the best measure of the line.
            episode.target_bps = self._share(report, audio_bps, episode.before_bps)
        if not settled:
            return
        if self.budget_bps != 0:
            if queue_s > QUEUE_PAUSE_S or shrunk_s < 0.05 * (left_at - episode.at):
                episode.target_bps = self._share(report, audio_bps, self.budget_bps)
                episode.at, episode.queue_s, episode.step_failed = now, queue_s, False
                self._set(0, now)
        elif shrunk_s >= 0.1 * min(left_at - episode.at, episode.queue_s):
            episode.at, episode.queue_s = now, queue_s
        else:
            # We sent no video and it did not get shorter: it is another's, or another way.
            self._minima.clear()
            self.queue_s = 0.0
            self._restore(episode, now)

    def _judge_loss(self, episode: _Episode, before: float, now: float) -> None:
        if self._losses.share > before / 2:
            # We sent less and as much was lost: that is the radio, and pictures do not cause it.
            self._excused = max(self._excused, self._losses.share)
            self._restore(episode, now)
        else:
            self._end(episode, now)

    def _restore(self, episode: _Episode, now: float) -> None:
        """It was not overload."""
        self._wait_s = episode.wait_s
        self._end(episode, now)
        self._easing_to_bps = None
        self._set(episode.before_bps, now)

    def _end(self, episode: _Episode, now: float) -> None:
        self._episode = None
        self._bad = 0
        self._changed_at = self._over_at = now
        target_bps = episode.target_bps
        if self.budget_bps == 0 and target_bps:
            self._easing_to_bps = target_bps
            target_bps = max(target_bps // 2, min(target_bps, EASE_FROM_BPS))
        self._set(target_bps, now)

    def _set(self, budget_bps: int | None, now: float) -> None:
        if budget_bps != self.budget_bps:
            self.budget_bps = budget_bps
            self._losses.clear()
            self._counts_from = now

    # Up

    def _maybe_step(self, budget_bps: int, next_bps: int | None, now: float) -> None:
        step, waited_s = self._step, now - self._changed_at
        if step is not None:
            stand_s = START_STAND_S if self._starting else STAND_S
            if now - step.at < stand_s + self._round_trip():
                return
            self._step = None
            if not step.eases:
                self._stood = True
                self._surge += budget_bps > self._known_bps
        if self._stood and waited_s >= FORGIVEN_S:
            self._wait_s = 0.0
        if self._starting and waited_s < START_STAND_S:
            return
        if self._bad or self.queue_s > QUEUE_DRAINED_S:
            return
        if self._easing_to_bps is not None:
            if waited_s >= EASE_S + self._round_trip():
                self._step = _Step(now, budget_bps, eases=True)
                self._set(self._easing_to_bps, now)
                self._easing_to_bps = None
        elif not self._stood and waited_s < self._wait_s:
            return
        elif next_bps is None:
            self._set(None, now)
            self._stood, self._surge, self._starting = False, 0, False
        else:
            self._step = _Step(now, budget_bps)
            surge = 2 if self._starting else SURGE[min(self._surge, len(SURGE) - 1)]
            self._set(max(next_bps, surge * budget_bps), now)
