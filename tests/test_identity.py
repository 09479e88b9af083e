"""Links and resume tokens cannot be made, changed or outlived."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from peermeet.core.model import Millis, SeatId
from peermeet.identity import Invitation, make_link, make_resume, read_link, read_resume

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = Millis(1_790_000_000_000)
DAY = 86_400_000
FAY = Invitation("home", as_facilitator=True)
ANA = Invitation("home", as_facilitator=False)


def test_a_link_says_what_it_was_made_for_until_its_day_is_over() -> None:
    for invitation in (FAY, ANA):
        token = make_link(KEY, invitation, b"12345678", Millis(NOW + 30 * DAY))
        assert read_link(KEY, token, NOW) == invitation
        assert read_link(KEY, token, Millis(NOW + 30 * DAY)) == invitation
        assert read_link(KEY, token, Millis(NOW + 31 * DAY)) is None
        assert read_link(OTHER, token, NOW) is None


def test_every_link_is_its_own() -> None:
    one = make_link(KEY, ANA, b"12345678", NOW)
    assert one != make_link(KEY, ANA, b"12345679", NOW)


def test_a_resume_token_names_one_seat_of_one_circle() -> None:
    token = make_resume(KEY, "c1", SeatId("s3"))
    assert read_resume(KEY, token) == ("c1", "s3")
    assert read_resume(OTHER, token) is None
    assert token != make_resume(KEY, "c2", SeatId("s3"))


def test_a_link_is_no_resume_token_nor_the_other_way_round() -> None:
    assert read_resume(KEY, make_link(KEY, ANA, b"12345678", NOW)) is None
    assert read_link(KEY, make_resume(KEY, "c1", SeatId("s3")), NOW) is None


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_one_changed_character_ends_a_link(position: int, character: str) -> None:
    token = make_link(KEY, ANA, b"12345678", Millis(NOW + DAY))
    at = position % len(token)
    changed = token[:at] + character + token[at + 1 :]
    assert read_link(KEY, changed, NOW) == (ANA if changed == token else None)


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert read_link(KEY, text, NOW) is None
    assert read_resume(KEY, text) is None
