"""The robots' client does what docs/encryption.md says, byte for byte; so does the browsers'."""

from __future__ import annotations

from typing import Any

import pytest

from peermeet.robots import secrecy, sframe
from peermeet.robots.secrecy import Ask, NewSecret, Pair, Self
from peermeet.robots.sframe import Receiver, SenderKey
from peermeet.robots.spelling import from_b64
from tests.e2ee.conftest import Vectors
from tests.e2ee.make_vectors import FILE, written

hexa = bytes.fromhex


def test_the_file_is_what_its_maker_makes() -> None:
    assert FILE.read_text() == written()


def test_headers_are_those_of_the_rfc(vectors: Vectors) -> None:
    for case in vectors["rfc9605"]["headers"] + vectors["headers"]:
        header = hexa(case["header"])
        assert sframe.encode_header(case["id"], case["counter"]) == header
        read = (case["id"], case["counter"], len(header))
        assert sframe.decode_header(header + b"more") == read
        for short in range(len(header)):
            assert sframe.decode_header(header[:short]) is None


def test_a_header_has_one_spelling() -> None:
    for longer in ("0807", "8000", "80070a", "090001", "9000010a", "0803"):
        assert sframe.decode_header(hexa(longer)) is None


def test_a_frame_is_sealed_as_in_the_rfc(vectors: Vectors) -> None:
    case = vectors["rfc9605"]["sframe"]
    key = SenderKey(case["id"], hexa(case["base_key"]))
    assert sframe.key_and_salt(key) == (hexa(case["key"]), hexa(case["salt"]))
    header, text = sframe.Key(key).seal(case["counter"], hexa(case["clear"]), hexa(case["plain"]))
    assert header + text == hexa(case["sealed"])


def test_key_ids_keys_and_steps(vectors: Vectors) -> None:
    for case in vectors["key_ids"]:
        assert sframe.key_id(case["seat"], case["generation"], case["step"]) == case["id"]
    for case in vectors["derived"]:
        key = SenderKey(case["id"], hexa(case["key"]))
        assert sframe.key_and_salt(key) == (hexa(case["derived"]), hexa(case["salt"]))
    steps = vectors["ratchet"]
    for one, two in zip(steps, steps[1:], strict=False):
        assert sframe.ratchet(hexa(one)) == hexa(two)


def _receiver(case: dict[str, Any]) -> tuple[Receiver, int]:
    receiver, seat = Receiver(), case["id"] >> 24
    assert receiver.take(seat, SenderKey(case["id"], hexa(case["key"])), 0)
    return receiver, seat


def test_frames(vectors: Vectors) -> None:
    for case in vectors["frames"]:
        key = SenderKey(case["id"], hexa(case["key"]))
        sealed = sframe.Key(key).frame(case["counter"], case["kind"], hexa(case["plain"]))
        assert sealed == hexa(case["sealed"]), case["name"]
        receiver, seat = _receiver(case)
        assert receiver.open(seat, case["kind"], sealed, 0) == hexa(case["plain"]), case["name"]


def test_words(vectors: Vectors) -> None:
    for case in vectors["words"]:
        receiver, seat = _receiver(case)
        heard = receiver.hear(seat, case["to"], case["sealed"], 0)
        assert heard == (case["kind"], case["text"])
        receiver, seat = _receiver(case)
        elsewhere: sframe.To = "team" if case["to"] == "all" else "all"
        assert receiver.hear(seat, elsewhere, case["sealed"], 0) is None


def test_what_comes_of_the_secret(vectors: Vectors) -> None:
    case = vectors["group"]
    secret = hexa(case["secret"])
    assert secrecy.read_secret(case["in_link"]) == secret
    assert secrecy.check(secret) == case["check"]
    assert secrecy.announce(secret) == hexa(case["announce"])
    assert secrecy.meeting(secret, case["circle"]) == hexa(case["meeting"])


def test_a_profile(vectors: Vectors, people: dict[str, Self]) -> None:
    case = vectors["profile"]
    opened = secrecy.open_profile(hexa(vectors["group"]["announce"]), case["sealed"])
    assert opened == secrecy.Profile(case["name"], case["color"], people[case["of"]].person)


def test_profiles_of_nobody(vectors: Vectors) -> None:
    announce = hexa(vectors["group"]["announce"])
    assert len(vectors["profiles_of_nobody"]) > 10
    for sealed in vectors["profiles_of_nobody"]:
        assert secrecy.unseal(announce, "profile", from_b64(sealed) or b"")
        assert secrecy.open_profile(announce, sealed) is None


def test_what_goes_between_two(vectors: Vectors, people: dict[str, Self]) -> None:
    case, meeting = vectors["pair"], hexa(vectors["group"]["meeting"])
    one, two = people[case["one"]], people[case["two"]]
    there, back = Pair(one, two.person, meeting), Pair(two, one.person, meeting)
    assert [back.open(text) for text in case["from_one"]] == [
        SenderKey(case["key"]["id"], hexa(case["key"]["key"])),
        Ask(),
        NewSecret(hexa(case["secret"])),
    ]
    assert [there.open(text) for text in case["from_two"]] == [Ask()]


def test_a_renewed_secret(vectors: Vectors, people: dict[str, Self]) -> None:
    case = vectors["renew"]
    opened = secrecy.open_renew(people[case["to"]], hexa(case["older_meeting"]), case["sealed"])
    assert opened == (people[case["from"]].person, hexa(case["secret"]))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0, 1)])
def test_safety_numbers(vectors: Vectors, order: tuple[int, ...]) -> None:
    case, meeting = vectors["safety"], hexa(vectors["group"]["meeting"])
    hands = [hexa(case["hands"][at]) for at in order]
    assert list(secrecy.safety_numbers(meeting, hands)) == case["numbers"]
