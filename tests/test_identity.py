"""Links and resume tokens cannot be made, changed or outlived."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given

from peermeet.core.model import Millis, SeatId
from peermeet.identity import (
    Invitation,
    Return,
    link_code,
    make_link,
    make_resume,
    read_code,
    read_link,
    read_resume,
)

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = Millis(1_790_000_000_000)
DAY = 86_400_000
FAY = Invitation("home", as_facilitator=True)
ANA = Invitation("home", as_facilitator=False)


def test_a_link_says_what_it_was_made_for_until_its_day_is_over() -> None:
    for invitation in (FAY, ANA):
        token = make_link(KEY, invitation, b"12345678", Millis(NOW + 30 * DAY))
        named = replace(invitation, code=link_code(KEY, b"12345678"))
        assert read_link(KEY, token, NOW) == named
        assert read_link(KEY, token, Millis(NOW + 30 * DAY)) == named
        assert read_link(KEY, token, Millis(NOW + 31 * DAY)) is None
        assert read_link(OTHER, token, NOW) is None


def test_every_link_is_its_own() -> None:
    one = make_link(KEY, ANA, b"12345678", NOW)
    assert one != make_link(KEY, ANA, b"12345679", NOW)


@given(st.binary(min_size=8, max_size=8))
def test_a_code_can_be_read_aloud_and_typed_again(nonce: bytes) -> None:
    code = link_code(KEY, nonce)
    assert read_code(f" {code.lower()}\n") == code
    assert not set(code) & set("01ILOAEU"), "taken for another letter, or spells a word"
    assert code == link_code(KEY, nonce), "a facilitator names tomorrow what was printed today"


def test_a_code_tells_nothing_without_the_key_and_links_have_different_ones() -> None:
    nonces = [n.to_bytes(8, "big") for n in range(100)]
    codes = {link_code(KEY, nonce) for nonce in nonces}
    assert len(codes) == 100
    assert not codes & {link_code(OTHER, nonce) for nonce in nonces}


@given(st.text(max_size=8))
def test_what_is_no_code_is_not_taken_for_one(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == 5 and read_code(code) == code)


def test_a_mistyped_code_is_seen_at_once() -> None:
    for text in ("", "K7Q2", "K7Q2MM", "K7Q2O", "K7 2M", "K7Q2\u0130"):
        assert read_code(text) is None, text


def test_a_resume_token_names_one_seat_of_one_circle_and_the_link_it_came_by() -> None:
    token = make_resume(KEY, "c1", SeatId("s3"), "K7Q2M")
    assert read_resume(KEY, token) == Return("c1", SeatId("s3"), "K7Q2M")
    assert read_resume(OTHER, token) is None
    assert token != make_resume(KEY, "c2", SeatId("s3"), "K7Q2M")


def test_a_link_is_no_resume_token_nor_the_other_way_round() -> None:
    assert read_resume(KEY, make_link(KEY, ANA, b"12345678", NOW)) is None
    assert read_link(KEY, make_resume(KEY, "c1", SeatId("s3"), "K7Q2M"), NOW) is None


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_one_changed_character_ends_a_link(position: int, character: str) -> None:
    token = make_link(KEY, ANA, b"12345678", Millis(NOW + DAY))
    at = position % len(token)
    changed = token[:at] + character + token[at + 1 :]
    assert (read_link(KEY, changed, NOW) is not None) == (changed == token)


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert read_link(KEY, text, NOW) is None
    assert read_resume(KEY, text) is None
