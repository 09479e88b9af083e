"""How much one connection and one address may ask for."""

from __future__ import annotations

from peermeet.limits import TokenBucket, Waiting


def test_a_bucket_allows_a_burst_and_then_a_steady_rate() -> None:
    now = [100.0]
    bucket = TokenBucket(burst=3, per_second=2, clock=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] += 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now[0] += 3600
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_one_address_cannot_fill_the_waiting_room() -> None:
    waiting = Waiting(each=1, all_together=2)
    with waiting.place("192.0.2.7"):
        assert waiting.is_full("192.0.2.7")
        assert not waiting.is_full("192.0.2.8")
        with waiting.place("192.0.2.8") as free:
            assert waiting.is_full("192.0.2.9")
            free()
            free()
            assert not waiting.is_full("192.0.2.9")
    assert not waiting.is_full("192.0.2.7")


def test_a_whole_ipv6_network_is_one_neighbour() -> None:
    waiting = Waiting(each=1, all_together=9)
    with waiting.place("2001:db8:1:2::5"):
        assert waiting.is_full("2001:db8:1:2:ffff::9")
        assert not waiting.is_full("2001:db8:1:3::5")
