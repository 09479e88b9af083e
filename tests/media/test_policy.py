"""Places at the table, and what a thin line shows of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from peermeet.media.policy import SLACK, Places, Want, assign, select, streams
from peermeet.media.sdp import LayerName

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


WANTS = [Want("holder", "h"), Want("ana", "l"), Want("ben", "l")]
RATES: dict[tuple[str, LayerName], int] = {
    ("holder", "l"): 140_000,
    ("holder", "h"): 1_200_000,
    ("ana", "l"): 150_000,
    ("ben", "l"): 160_000,
}


def test_the_holders_picture_outlives_the_others() -> None:
    shown = [
        tuple(select(WANTS, RATES, budget).rids.values())
        for budget in (None, 1_510_000, 1_500_000, 450_000, 449_000, 290_000, 140_000, 139_000, 0)
    ]
    assert shown == [
        ("h", "l", "l"),
        ("h", "l", "l"),
        ("l", "l", "l"),
        ("l", "l", "l"),
        ("l", "l", None),
        ("l", "l", None),
        ("l", None, None),
        (None, None, None),
        (None, None, None),
    ]


def test_the_next_step_has_a_price_until_all_is_given() -> None:
    budget, prices = 0, []
    while (chosen := select(WANTS, RATES, budget)).next_bps is not None:
        prices.append(chosen.next_bps)
        budget = chosen.next_bps
    assert prices == [140_000, 290_000, 450_000, 1_510_000]
    assert chosen.cost_bps == 1_510_000
    assert select([], {}, 0).next_bps is None


def test_a_layer_nobody_watches_costs_what_is_usual() -> None:
    chosen = select([Want("ana", "h")], {("ana", "l"): 90_000}, 200_000)
    assert (chosen.rids, chosen.cost_bps, chosen.next_bps) == ({"ana": "l"}, 90_000, 1_500_000)


def test_nobody_comes_and_goes_because_a_rate_wavers() -> None:
    before: dict[str, LayerName | None] | None = None
    seen = []
    for step in range(20):
        rates = {**RATES, ("ana", "l"): 150_000 + (8_000 if step % 2 else -8_000)}
        before = select(WANTS, rates, 295_000, before).rids
        seen.append(tuple(before.values()))
    assert set(seen) == {("l", "l", None)}


BPS = st.integers(0, 3_000_000)


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["l", "h"])), max_size=8),
    st.dictionaries(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["l", "h"])), BPS),
    BPS,
)
def test_a_selection_keeps_to_its_budget(
    pairs: list[tuple[str, LayerName]], rates: dict[tuple[str, LayerName], int], budget: int
) -> None:
    wants = [Want(seat, rid) for seat, rid in dict(pairs).items()]
    chosen = select(wants, rates, budget)
    assert chosen.cost_bps <= budget
    assert select(wants, rates, budget, chosen.rids) == chosen
    shown = [chosen.rids[want.seat] for want in wants]
    # Nobody is without a picture while somebody after them has one, or anybody has a high one.
    assert None not in shown[: len(shown) - shown.count(None)]
    assert "h" not in shown or None not in shown
    if chosen.next_bps is not None:
        better = select(wants, rates, chosen.next_bps)
        assert better.cost_bps >= chosen.next_bps > budget
    less = select(wants, rates, int(budget / SLACK) - 1, chosen.rids) if budget > 10 else chosen
    assert less.cost_bps <= budget
