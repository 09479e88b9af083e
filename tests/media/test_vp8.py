"""The VP8 descriptor is read from any bytes, and only its numbers are rewritten."""

import random

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import example, given
from hypothesis import strategies as st

from peermeet.media import vp8

HEADER = bytes(12)
# 320x180, as RFC 6386, section 9.1 lays it out, and two bytes of the first partition.
KEY_FRAME = bytes.fromhex("100200 9d012a 4001 b400 1234")
DELTA_FRAME = bytes.fromhex("5101001122")


def packet(descriptor: str, payload: bytes) -> bytes:
    return HEADER + bytes.fromhex(descriptor) + payload


def test_a_key_frame_is_seen_where_it_begins() -> None:
    found = vp8.parse(packet("90 e0 9234 07 20", KEY_FRAME), 12)

    assert found == vp8.Descriptor(True, True, 14, 15, 16, 18, 0x1234, 7)


def test_the_rest_of_a_key_frame_is_not_its_beginning() -> None:
    found = vp8.parse(packet("80 e0 9234 07 20", KEY_FRAME), 12)

    assert found is not None
    assert (found.start, found.key_frame) == (False, False)


def test_a_later_partition_is_not_the_beginning_of_a_frame() -> None:
    found = vp8.parse(packet("11", KEY_FRAME), 12)

    assert found is not None
    assert (found.start, found.key_frame) == (False, False)


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        ("10", vp8.Descriptor(True, False, 0, 0, 0, 13, 0, 0)),
        ("90 00", vp8.Descriptor(True, False, 0, 0, 0, 14, 0, 0)),
        ("90 80 12", vp8.Descriptor(True, False, 14, 7, 0, 15, 0x12, 0)),
        ("90 80 8012", vp8.Descriptor(True, False, 14, 15, 0, 16, 0x12, 0)),
        ("90 40 ff", vp8.Descriptor(True, False, 0, 0, 14, 15, 0, 255)),
        ("90 20 ff", vp8.Descriptor(True, False, 0, 0, 0, 15, 0, 0)),
        ("90 10 ff", vp8.Descriptor(True, False, 0, 0, 0, 15, 0, 0)),
        ("90 30 ff", vp8.Descriptor(True, False, 0, 0, 0, 15, 0, 0)),
        ("90 f0 7f 01 ff", vp8.Descriptor(True, False, 14, 7, 15, 17, 127, 1)),
    ],
)
def test_every_form_of_the_descriptor_is_read(descriptor: str, expected: vp8.Descriptor) -> None:
    assert vp8.parse(packet(descriptor, DELTA_FRAME), 12) == expected


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(KEY_FRAME.replace(b"\x9d", b"\x9c"), id="first byte of the start code"),
        pytest.param(KEY_FRAME.replace(b"\x01\x2a", b"\x00\x2a"), id="second byte"),
        pytest.param(KEY_FRAME.replace(b"\x2a", b"\x2b"), id="third byte"),
        pytest.param(KEY_FRAME[:9], id="key frame header cut off"),
        pytest.param(bytes((0x10 | 4 << 1,)) + KEY_FRAME[1:], id="reserved version, key frame"),
        pytest.param(bytes((0x51 | 7 << 1,)) + DELTA_FRAME[1:], id="reserved version"),
        pytest.param(b"", id="no payload"),
    ],
)
def test_what_cannot_be_vp8_is_nothing(payload: bytes) -> None:
    assert vp8.parse(packet("90 80 12", payload), 12) is None


def test_opus_on_a_camera_never_begins_a_key_frame() -> None:
    chance = random.Random(3)
    # A hybrid or CELT frame of 20 ms begins with one of these bytes (RFC 6716, section 3.1).
    frames = [bytes((toc, *chance.randbytes(80))) for toc in (0x68, 0x78, 0x98, 0xB8, 0xF8, 0xFC)]
    starts = [vp8.parse(HEADER + frame, 12) for frame in frames]

    assert not any(found.key_frame for found in starts if found)


def test_a_cut_packet_is_nothing_until_a_payload_byte_is_there() -> None:
    whole = packet("90 e0 9234 07 20", DELTA_FRAME)
    found = [vp8.parse(whole[:length], 12) is not None for length in range(len(whole) + 1)]

    assert found == [False] * 19 + [True] * (len(whole) - 18)


@given(
    st.none() | st.integers(0, 0x7FFF),
    st.none() | st.integers(0, 255),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    st.none() | st.integers(0, 31),
)
def test_aiortc_and_we_read_the_same(
    picture_id: int | None,
    tl0: int | None,
    layer: tuple[int, int] | None,
    key_index: int | None,
) -> None:
    described = VpxPayloadDescriptor(
        partition_start=1,
        partition_id=0,
        picture_id=picture_id,
        tl0picidx=tl0,
        tid=layer,
        keyidx=key_index,
    )
    found = vp8.parse(HEADER + bytes(described) + DELTA_FRAME, 12)

    assert found is not None
    assert found.payload_at == 12 + len(bytes(described))
    assert (found.picture_id_at != 0) == (picture_id is not None)
    assert (found.tl0_at != 0) == (tl0 is not None)
    assert (found.picture_id, found.tl0) == (picture_id or 0, tl0 or 0)


@given(st.binary(min_size=1, max_size=24), st.integers(0, 0xFFFF), st.integers(0, 0x1FF))
@example(packet("90 80 12", DELTA_FRAME)[12:], 0x8000, 0x100)
def test_rewriting_changes_the_numbers_and_nothing_else(
    payload: bytes, picture_id: int, tl0: int
) -> None:
    before = vp8.parse(payload, 0)
    if before is None:
        return
    changed = bytearray(payload)
    vp8.rewrite(changed, before, picture_id, tl0)
    after = vp8.parse(changed, 0)

    width = (1 << before.picture_id_bits) - 1
    assert after == before._replace(
        picture_id=picture_id & width, tl0=tl0 & 0xFF if before.tl0_at else 0
    )
    numbers = {before.picture_id_at, before.tl0_at} - {0}
    if before.picture_id_bits == 15:
        numbers.add(before.picture_id_at + 1)
    assert all(changed[at] == payload[at] for at in range(len(payload)) if at not in numbers)


@given(st.binary(max_size=40), st.integers(0, 50))
def test_any_bytes_give_a_descriptor_or_nothing(data: bytes, offset: int) -> None:
    found = vp8.parse(data, offset)

    assert found == vp8.parse(bytearray(data), offset) == vp8.parse(memoryview(data), offset)
    assert found is None or offset < found.payload_at < len(data)


def test_20_000_damaged_packets_give_a_descriptor_or_nothing() -> None:
    chance = random.Random(7)
    whole = packet("90 e0 9234 07 20", KEY_FRAME)
    outcomes = {True: 0, False: 0}
    for _ in range(20_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        del data[chance.randrange(12, len(data) * 2) :]
        found = vp8.parse(data, 12)
        outcomes[found is None] += 1
        if found is not None:
            vp8.rewrite(data, found, chance.randrange(1 << 15), chance.randrange(256))
    assert min(outcomes.values()) > 2000
