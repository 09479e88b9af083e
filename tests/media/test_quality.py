"""What people are told of their line changes when it matters, and does not flicker."""

from __future__ import annotations

from peermeet.media.quality import Latch, Quality


def test_a_latch_waits_for_what_lasts() -> None:
    latch = Latch(2.0, 5.0)
    said = [latch.update(second < 9, float(second)) for second in range(16)]
    assert said == [False] * 2 + [True] * 12 + [False] * 2
    flicker = Latch(2.0, 5.0)
    assert not any(flicker.update(bool(step % 2), step * 1.0) for step in range(60))


def marks(*measured: tuple[float, float, float, float]) -> list[int]:
    """The mark after each second of round trip, loss up, loss down, queue."""
    quality = Quality()
    return [
        quality.update(float(second), round_trip_s=trip, loss_up=up, loss_down=down, queue_s=queue)
        for second, (trip, up, down, queue) in enumerate(measured)
    ]


def test_a_mark_gets_worse_after_2_seconds_and_better_after_5() -> None:
    good, lossy, broken = (0.05, 0.0, 0.0, 0.0), (0.05, 0.05, 0.0, 0.0), (0.05, 0.0, 0.15, 0.0)
    assert marks(*[good] * 3, *[lossy] * 4) == [3, 3, 3, 3, 3, 2, 2]
    assert marks(*[broken] * 4, *[good] * 7) == [3, 3, 1, 1, 1, 1, 1, 1, 1, 3, 3]
    assert marks(*[(1.0, 0.0, 0.0, 0.0)] * 3)[-1] == 1
    assert marks(*[(0.05, 0.0, 0.0, 0.2)] * 3)[-1] == 2


def test_a_mark_does_not_flicker_about_a_limit() -> None:
    about = [(0.05, 0.028 if second % 7 else 0.032, 0.0, 0.0) for second in range(60)]
    assert set(marks(*about)) == {3}
    begun = [(0.05, 0.04, 0.0, 0.0)] * 3
    assert set(marks(*begun, *about)[2:]) == {2}
