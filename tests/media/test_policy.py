"""Places at the table: everybody finds one, and nobody is moved for another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peermeet.media.policy import Places, assign, streams

SEATS = st.lists(st.sampled_from([f"s{n}" for n in range(20)]), unique=True, max_size=18)


@given(st.lists(SEATS, max_size=12), st.integers(0, 15))
def test_nobody_moves_because_others_come_or_go(scenes: list[list[str]], capacity: int) -> None:
    places: Places = ()
    for others in scenes:
        before, places = places, assign(places, others, capacity)
        assert len(places) == capacity
        taken = [seat for seat in places if seat is not None]
        assert len(set(taken)) == len(taken)
        assert set(taken) <= set(others)
        assert len(taken) == min(capacity, len(others))
        for index, seat in enumerate(before):
            if seat in others:
                assert places[index] == seat


@given(SEATS, SEATS)
def test_who_finds_no_place_gets_the_next_free_one(first: list[str], leaving: list[str]) -> None:
    places = assign((), first, 3)
    rest = [seat for seat in first if seat not in leaving]
    after = assign(places, rest, 3)
    assert len([seat for seat in after if seat]) == min(3, len(rest))
    waited = [seat for seat in rest if seat not in places]
    newcomers = [seat for seat in after if seat and seat not in places]
    assert newcomers == waited[: len(newcomers)]


def test_streams_name_both_sections_of_a_place() -> None:
    places = assign((), ["ana", "ben"], 3)
    assert streams(places, ["2", "4", "6"], ["3", "5", "7"]) == {
        "2": "ana",
        "3": "ana",
        "4": "ben",
        "5": "ben",
    }
    assert streams(places, ["2", "4"], []) == {"2": "ana", "4": "ben"}
