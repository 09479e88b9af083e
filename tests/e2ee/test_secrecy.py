"""Nobody opens what was not sealed for them, and nothing opens twice."""

from __future__ import annotations

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from peermeet.protocol import COLORS
from peermeet.robots import secrecy, sframe
from peermeet.robots.secrecy import Ask, NewSecret, Pair, Person, Profile, Self
from peermeet.robots.sframe import Kind, Receiver, Sender, SenderKey
from peermeet.robots.spelling import from_b64, to_b64

SECRET, OTHER = b"s" * 32, b"o" * 32
MEETING = secrecy.meeting(SECRET, "c")
SEAT = 3
ANA, BEN, RON = Self(), Self(), Self()

frames = st.binary(max_size=80)
kinds: st.SearchStrategy[Kind] = st.sampled_from(("audio", "video"))


def meet(sender: Sender, receiver: Receiver, now: int = 0) -> None:
    for key in sender.keys(now):
        receiver.take(SEAT, key, 0)


@pytest.fixture
def sender() -> Sender:
    return Sender(SEAT)


@pytest.fixture
def receiver(sender: Sender) -> Receiver:
    receiver = Receiver()
    meet(sender, receiver)
    return receiver


@given(kinds, st.lists(frames, max_size=5))
def test_whatever_is_sealed_opens_as_it_was(kind: Kind, sent: list[bytes]) -> None:
    sender, receiver = Sender(SEAT), Receiver()
    meet(sender, receiver)
    for frame in sent:
        assert receiver.open(SEAT, kind, sender.seal(kind, frame, 0), 0) == frame


@given(kinds, frames, st.integers(0, 2**48))
def test_any_counter_fits_its_header(kind: Kind, frame: bytes, counter: int) -> None:
    key = SenderKey(sframe.key_id(SEAT, 1, 1), SECRET)
    receiver = Receiver()
    receiver.take(SEAT, key, 0)
    assert receiver.open(SEAT, kind, sframe.Key(key).frame(counter, kind, frame), 0) == frame


@given(kinds, st.binary(max_size=200))
def test_what_was_never_sealed_opens_nothing(kind: Kind, noise: bytes) -> None:
    receiver = Receiver()
    meet(Sender(SEAT), receiver)
    for data in (noise, noise + sframe.MARK, noise + b"\1" + sframe.MARK):
        assert receiver.open(SEAT, kind, data, 0) is None
    assert receiver.hear(SEAT, "all", to_b64(noise), 0) is None
    assert receiver.hear(SEAT, "all", noise.decode("latin-1"), 0) is None


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_no_byte_of_a_frame_can_be_changed_or_left_out(sender: Sender, kind: Kind) -> None:
    sealed = sender.seal(kind, bytes.fromhex("101b009d012a4001b40011"), 0)
    receiver = Receiver()
    meet(sender, receiver)
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            assert receiver.open(SEAT, kind, bytes(changed), 0) is None
        assert receiver.open(SEAT, kind, sealed[:at], 0) is None
        assert receiver.open(SEAT, kind, sealed[:at] + sealed[at + 1 :], 0) is None
    assert receiver.open(SEAT, kind, sealed, 0) is not None


def test_a_wrong_key_opens_nothing(sender: Sender) -> None:
    receiver = Receiver()
    receiver.take(SEAT, SenderKey(sender.keys(0)[0].id, OTHER), 0)
    assert receiver.open(SEAT, "audio", sender.seal("audio", b"ssh", 0), 0) is None
    assert receiver.lacking == set()


def test_nothing_opens_twice_nor_long_after_the_others(sender: Sender, receiver: Receiver) -> None:
    sealed = [sender.seal("audio", b"%d" % n, 0) for n in range(1_100)]
    order = [*range(0, 50, 2), *range(49, 0, -2), *range(1_050, 1_099)]
    for n in order:
        assert receiver.open(SEAT, "audio", sealed[n], 0) == b"%d" % n
    for n in (*order, 60, 74):
        assert (receiver.open(SEAT, "audio", sealed[n], 0) is None) is (n != 75)
    assert receiver.open(SEAT, "audio", sealed[75], 0) == b"75"


def test_what_is_said_and_shown_shares_one_counter(sender: Sender) -> None:
    def counter(header: bytes) -> int:
        read = sframe.decode_header(header)
        assert read is not None
        return read[1]

    words = from_b64(sender.say("chat", "hello", "all", 0))
    sound, picture = sender.seal("audio", b"x", 0), sender.seal("video", b"x", 0)
    assert words is not None
    told = [counter(frame[-5 - frame[-5] : -5]) for frame in (sound, picture)]
    assert [counter(words), *told] == [0, 1, 2]


def test_another_seat_cannot_be_put_on_a_frame(sender: Sender) -> None:
    receiver = Receiver()
    key = sender.keys(0)[0]
    assert not receiver.take(SEAT + 1, key, 0)
    receiver.take(SEAT, key, 0)
    assert receiver.open(SEAT + 1, "audio", sender.seal("audio", b"x", 0), 0) is None


class TestSteps:
    """Who has joined reads nothing from before."""

    def test_the_others_follow_alone_and_the_new_one_cannot_go_back(self, sender: Sender) -> None:
        old, new = Receiver(), Receiver()
        meet(sender, old)
        before = sender.seal("audio", b"before", 0)
        for key in sender.joined(0):
            new.take(SEAT, key, 0)
        after = sender.seal("audio", b"after", 0)
        for receiver in (old, new):
            assert receiver.open(SEAT, "audio", after, 0) == b"after"
        assert old.open(SEAT, "audio", before, 4_999) == b"before"
        assert new.open(SEAT, "audio", before, 0) is None
        assert not new.lacking

    def test_an_older_step_is_forgotten_after_a_while(
        self, sender: Sender, receiver: Receiver
    ) -> None:
        late = sender.seal("audio", b"late", 0)
        sender.joined(0)
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"x", 0), 0)
        assert receiver.open(SEAT, "audio", late, 5_000) is None
        receiver.sweep(5_000)
        assert receiver.open(SEAT, "audio", late, 0) is None

    def test_too_many_steps_at_once_are_asked_for(self, sender: Sender, receiver: Receiver) -> None:
        for _ in range(sframe.STEPS_AT_ONCE):
            sender.joined(0)
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"x", 0), 0) == b"x"
        for _ in range(sframe.STEPS_AT_ONCE + 1):
            sender.joined(0)
        frame = sender.seal("audio", b"y", 0)
        assert receiver.open(SEAT, "audio", frame, 0) is None
        assert receiver.lacking == {SEAT}
        meet(sender, receiver)
        assert receiver.open(SEAT, "audio", frame, 0) == b"y"

    def test_a_forged_step_does_not_move_anything(self, sender: Sender, receiver: Receiver) -> None:
        forged = sframe.Key(SenderKey(sframe.key_id(SEAT, 0, 9), OTHER)).frame(0, "audio", b"x")
        assert receiver.open(SEAT, "audio", forged, 0) is None
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"y", 0), 9_999) == b"y"

    def test_no_key_id_comes_twice(self, sender: Sender) -> None:
        seen = []
        for now in range(0, 700_000, 1_000):
            if now % 3_000 == 0:
                sender.left(now)
            else:
                sender.joined(now)
            seen.append(sender.keys(now)[0].id)
        assert seen == sorted(seen)
        many = Sender(SEAT)
        ids = [many.joined(0)[0].id for _ in range(600)]
        assert ids == sorted(set(ids))


class TestGenerations:
    """Who has left reads nothing more."""

    def test_a_fresh_key_is_used_after_a_second_and_the_old_one_kept_for_five(
        self, sender: Sender, receiver: Receiver
    ) -> None:
        gone = Receiver()
        meet(sender, gone)
        receiver.take(SEAT, sender.left(0), 0)
        last = sender.seal("audio", b"last", 999)
        late = sender.seal("audio", b"late", 999)
        first = sender.seal("audio", b"first", 1_000)
        assert gone.open(SEAT, "audio", last, 999) == b"last"
        assert gone.open(SEAT, "audio", first, 1_000) is None
        assert receiver.open(SEAT, "audio", first, 1_000) == b"first"
        assert receiver.open(SEAT, "audio", last, 5_999) == b"last"
        assert receiver.open(SEAT, "audio", late, 6_000) is None

    def test_a_second_one_who_leaves_within_the_second_has_not_the_key(
        self, sender: Sender
    ) -> None:
        second, stays = Receiver(), Receiver()
        for receiver in (second, stays):
            receiver.take(SEAT, sender.keys(0)[0], 0)
        fresh = sender.left(0)
        second.take(SEAT, fresh, 0)
        stays.take(SEAT, fresh, 0)
        stays.take(SEAT, sender.left(700), 0)
        frame = sender.seal("audio", b"x", 1_000)
        assert second.open(SEAT, "audio", frame, 1_000) is None
        assert stays.open(SEAT, "audio", frame, 1_000) == b"x"

    def test_who_comes_while_a_key_waits_has_both(self, sender: Sender, receiver: Receiver) -> None:
        new = Receiver()
        receiver.take(SEAT, sender.left(0), 0)
        for key in sender.joined(500):
            new.take(SEAT, key, 0)
        for now in (600, 1_000):
            frame = sender.seal("audio", b"x", now)
            for one in (receiver, new):
                assert one.open(SEAT, "audio", frame, now) == b"x"

    def test_an_old_key_ends_also_for_who_sends_nothing(
        self, sender: Sender, receiver: Receiver
    ) -> None:
        late, later = (sender.seal("audio", b"late", 0) for _ in range(2))
        receiver.take(SEAT, sender.left(0), 100)
        assert receiver.open(SEAT, "audio", late, 6_099) == b"late"
        assert receiver.open(SEAT, "audio", later, 6_100) is None

    def test_an_old_key_does_not_come_back_by_steps_that_nobody_had_seen(
        self, sender: Sender, receiver: Receiver
    ) -> None:
        sender.joined(0)
        unseen, replay = (sender.seal("audio", b"x", 0) for _ in range(2))
        sender.joined(0)
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"y", 0), 0) == b"y"
        assert receiver.open(SEAT, "audio", unseen, 1_000) == b"x"
        assert receiver.open(SEAT, "audio", replay, 6_000) is None
        gone = Receiver()
        for generation in (0, 1):
            gone.take(SEAT, SenderKey(sframe.key_id(SEAT, generation, 0), SECRET), 0)
        step = SenderKey(sframe.key_id(SEAT, 0, 1), sframe.ratchet(SECRET))
        assert gone.open(SEAT, "audio", sframe.Key(step).frame(0, "audio", b"x"), 6_000) is None

    def test_an_older_key_is_not_taken_again(self, sender: Sender, receiver: Receiver) -> None:
        old = sender.keys(0)[0]
        frame = sender.seal("audio", b"old", 0)
        receiver.take(SEAT, sender.left(0), 0)
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"x", 1_000), 1_000)
        receiver.sweep(9_000)
        assert not receiver.take(SEAT, old, 0)
        assert receiver.open(SEAT, "audio", frame, 9_000) is None
        assert not receiver.lacking

    def test_whoever_is_forgotten_is_not_heard(self, sender: Sender, receiver: Receiver) -> None:
        receiver.forget(SEAT)
        assert receiver.open(SEAT, "audio", sender.seal("audio", b"x", 0), 0) is None
        assert receiver.lacking == {SEAT}

    def test_keys_handed_over_without_end_are_not_kept(self) -> None:
        receiver = Receiver()
        for generation in range(5_000):
            receiver.take(SEAT, SenderKey(sframe.key_id(SEAT, generation, 0), SECRET), 0)
        assert len(receiver._keys[SEAT]) <= sframe.STEPS_AT_ONCE


@given(st.text(max_size=50), st.sampled_from(COLORS))
def test_a_profile_opens_for_the_group_alone(name: str, color: str) -> None:
    announce = secrecy.announce(SECRET)
    profile = Profile(name, color, ANA.person)
    sealed = secrecy.seal_profile(announce, profile)
    is_name = name == name.strip() and 1 <= len(name) <= 40
    is_name = is_name and not any(unicodedata.category(letter) == "Cc" for letter in name)
    assert secrecy.open_profile(announce, sealed) == (profile if is_name else None)
    assert secrecy.open_profile(secrecy.announce(OTHER), sealed) is None


@pytest.mark.parametrize("change", ["color", "hand", "device", "name", "all"])
def test_a_profile_of_nobody_is_none(change: str) -> None:
    announce = secrecy.announce(SECRET)
    off_curve = b"\4" + b"\1" * 64
    broken = {
        "color": Profile("Ana", "black", ANA.person),
        "hand": Profile("Ana", "sage", Person(off_curve, ANA.person.device)),
        "device": Profile("Ana", "sage", Person(ANA.person.hand, b"\4" * 64)),
        "name": Profile("x" * 41, "sage", ANA.person),
    }
    if change == "all":
        for text in (b"[]", b"{}", b"1", b"\xff", b'{"name":1}'):
            sealed = to_b64(secrecy.seal(announce, "profile", text))
            assert secrecy.open_profile(announce, sealed) is None
    else:
        assert (
            secrecy.open_profile(announce, secrecy.seal_profile(announce, broken[change])) is None
        )


messages = st.one_of(
    st.just(Ask()),
    st.builds(SenderKey, st.integers(0, 2**40 - 1), st.binary(min_size=32, max_size=32)),
    st.builds(NewSecret, st.binary(min_size=32, max_size=32)),
)


@settings(max_examples=30)
@given(st.lists(messages, min_size=1, max_size=5))
def test_messages_open_once_in_order_and_for_one_person(sent: list[secrecy.Message]) -> None:
    there, back = Pair(ANA, BEN.person, MEETING), Pair(BEN, ANA.person, MEETING)
    texts = [there.seal(message) for message in sent]
    strangers = [
        Pair(RON, ANA.person, MEETING),
        Pair(BEN, ANA.person, secrecy.meeting(SECRET, "another")),
        Pair(ANA, BEN.person, MEETING),
    ]
    for text in texts:
        assert not any(stranger.open(text) for stranger in strangers)
    assert [back.open(text) for text in texts] == sent
    assert [back.open(text) for text in texts] == [None] * len(sent)


def test_who_shows_the_device_of_another_opens_nothing() -> None:
    """Ron knows the group's secret and, with the server, puts his hand beside Ben's device."""
    mixed = Person(RON.person.hand, BEN.person.device)
    sealed = Pair(ANA, mixed, MEETING).seal(Ask())
    for other in (RON, BEN):
        assert Pair(other, ANA.person, MEETING).open(sealed) is None
    renewed = secrecy.seal_renew(ANA, mixed, MEETING, OTHER)
    for other in (RON, BEN):
        assert secrecy.open_renew(other, MEETING, renewed) is None


def test_a_new_secret_reaches_the_one_who_returns_and_nobody_else() -> None:
    renewed = secrecy.seal_renew(ANA, BEN.person, MEETING, OTHER)
    assert secrecy.open_renew(BEN, MEETING, renewed) == (ANA.person, OTHER)
    assert secrecy.open_renew(RON, MEETING, renewed) is None
    assert secrecy.open_renew(BEN, secrecy.meeting(OTHER, "c"), renewed) is None
    data = bytearray(from_b64(renewed) or b"")
    for at in range(0, len(data), 7):
        changed = bytes(data[:at]) + bytes([data[at] ^ 1]) + bytes(data[at + 1 :])
        assert secrecy.open_renew(BEN, MEETING, to_b64(changed)) is None


def test_one_person_more_changes_the_safety_numbers() -> None:
    hands = [each.person.hand for each in (ANA, BEN)]
    with_ghost = [*hands, RON.person.hand]
    assert secrecy.safety_numbers(MEETING, hands) != secrecy.safety_numbers(MEETING, with_ghost)


@given(st.text(max_size=20))
def test_text_has_one_spelling(text: str) -> None:
    data = from_b64(text)
    assert data is None or to_b64(data) == text
    assert secrecy.read_secret(text) is None
