"""Transport-wide feedback is built as the draft says, and read from any bytes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peermeet.media import rtcp
from peermeet.media.feedback import MAX_PACKETS, TransportFeedback, build_transport_feedback

STEPS = st.one_of(st.none(), st.integers(0, 255), st.integers(-0x8000, 0x7FFF))


@st.composite
def feedbacks(draw: st.DrawFn) -> TransportFeedback:
    steps = draw(st.lists(st.tuples(STEPS, st.integers(1, 40)), min_size=1, max_size=12))
    arrivals: list[int | None] = []
    now = 0
    for step, times in steps:
        for _ in range(times):
            now += step or 0
            arrivals.append(None if step is None else now)
    return TransportFeedback(
        draw(st.integers(0, 0xFFFFFFFF)),
        draw(st.integers(0, 0xFFFFFFFF)),
        draw(st.integers(0, 0xFFFF)),
        draw(st.integers(0, 0xFFFFFF)),
        draw(st.integers(0, 0xFF)),
        tuple(arrivals[:450]),
    )


@given(feedbacks())
def test_feedback_comes_back(feedback: TransportFeedback) -> None:
    built = build_transport_feedback(feedback)

    assert len(built) <= 1500
    assert rtcp.parse(built) == [feedback]


@given(feedbacks(), feedbacks())
def test_feedback_comes_back_from_within_a_compound(
    first: TransportFeedback, second: TransportFeedback
) -> None:
    built = [build_transport_feedback(feedback) for feedback in (first, second)]
    data = rtcp.compound(*built, rtcp.build_pli(1, 2))
    if len(data) <= rtcp.MAX_BYTES:
        assert rtcp.parse(data) == [first, second, rtcp.PictureLossIndication(1, 2)]


def arrivals(chunks_and_deltas: str, packets: int) -> tuple[int | None, ...]:
    """What a feedback of the draft's layout says; chunks and deltas as hexadecimal."""
    body = bytes.fromhex(f"00000001 00000002 0003 {packets:04x} 000005 02 {chunks_and_deltas}")
    padding = -len(body) % 4
    body += bytes(padding)
    [feedback] = rtcp.parse(bytes((0x8F, 205, 0, len(body) // 4)) + body)
    assert isinstance(feedback, TransportFeedback)
    assert (feedback.ssrc, feedback.media_ssrc, feedback.base_sequence) == (1, 2, 3)
    assert (feedback.reference_time, feedback.count) == (5, 2)
    return feedback.arrivals


def test_the_drafts_chunks_are_understood() -> None:
    # 0 00 0000011011101: 221 packets that did not come (section 3.1.3); then one that did.
    assert arrivals("00dd 2001 07", 222) == (None,) * 221 + (7,)
    # 1 0 01111100011100: none, five, none of three, three, none of two (section 3.1.4).
    five, three = (1, 2, 3, 4, 5), (6, 7, 8)
    assert arrivals("9f1c 0101010101010101", 14) == (
        *(None, *five, None, None, None),
        *(*three, None, None),
    )
    # 1 1 00 01 10 01 00 00 00: small, large and small deltas; a large one may be negative.
    assert arrivals("c640 ff fffe 01", 7) == (None, 255, 253, 254, None, None, None)
    assert arrivals("c640 ff 7fff 01", 4) == (None, 255, 33_022, 33_023)
    # A chunk may say more than there are packets; what follows the deltas means nothing.
    assert arrivals("3fff 0102 ffff", 2) == (1, 3)


def test_the_builder_writes_the_drafts_chunks() -> None:
    def built(*arrivals: int | None) -> str:
        data = build_transport_feedback(TransportFeedback(1, 2, 3, 5, 2, arrivals))
        assert len(data) == 4 * (int.from_bytes(data[2:4], "big") + 1)
        return data.hex()

    def expected(first: str, packets: int, rest: str) -> str:
        return f"{first}000000010000000200 03{packets:04x}00000502{rest}".replace(" ", "")

    # Padding counts itself, and the flag that says so is set only if there is some.
    assert built(1, 3, 6) == expected("afcd0006", 3, "2003 010203 000003")
    assert built(*(None,) * 221, 7) == expected("afcd0006", 222, "00dd 2001 07 000003")
    assert built(None, 9, None) == expected("afcd0005", 3, "9000 09 01")
    assert built(None, 255, 253, 254) == expected("afcd0006", 4, "c640 ff fffe 01 0002")
    assert built(1, 2) == expected("8fcd0005", 2, "2002 0101")


CHROMIUM: dict[str, tuple[int, int, int, dict[int, int]]] = {
    "afcd0005 2dcd1e12 3d998633 00050001 00670e01 20013601": (5, 1, 1, {0: 54}),
    "8fcd0005 2dcd1e12 3d998633 000b0002 00671305 20026000": (11, 5, 2, {0: 96, 1: 96}),
    "afcd0006 2dcd1e12 3d998633 00650007 00674d30 c0152758 56000003": (
        *(101, 48, 7),
        {4: 39, 5: 127, 6: 213},
    ),
    # The first came after the others, which were told before and are told again.
    "8fcd0009 2dcd1e12 1e04a34b 011b008a 00676a4e a000004c e4000016 e000800c 1cfb164d 0330b75c": (
        *(283, 78, 138),
        {0: 28, 90: -1230, 91: -1153, 119: -337, 136: -154, 137: -62},
    ),
}
"""Captured from Chromium 156: what it wrote, then base, count, packets and arrivals by index."""


@pytest.mark.parametrize("captured", CHROMIUM)
def test_chromiums_feedback_is_understood(captured: str) -> None:
    base, count, packets, came = CHROMIUM[captured]
    [feedback] = rtcp.parse(bytes.fromhex(captured))
    assert isinstance(feedback, TransportFeedback)
    assert (feedback.base_sequence, feedback.count) == (base, count)
    assert feedback.arrivals == tuple(came.get(index) for index in range(packets))
    built = build_transport_feedback(feedback)
    assert len(built) == len(bytes.fromhex(captured))
    assert rtcp.parse(built) == [feedback]


def test_what_cannot_be_written_is_an_error() -> None:
    for wrong in ((), (None,) * (MAX_PACKETS + 1), (0, 0x8000), (0, -0x8001)):
        with pytest.raises(ValueError, match="feedback|too far apart"):
            build_transport_feedback(TransportFeedback(1, 2, 3, 4, 5, wrong))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("00000001 00000002 00030001", id="cut off in its head"),
        pytest.param("00000001 00000002 00030000 00000502 20010700", id="about no packet"),
        pytest.param("00000001 00000002 00031001 00000502 3fff3fff", id="about too many packets"),
        pytest.param("00000001 00000002 0003000f 00000502 20010700", id="statuses missing"),
        pytest.param("00000001 00000002 00030003 00000502 20030707", id="deltas missing"),
        pytest.param("00000001 00000002 00030001 00000502 60010700", id="reserved run"),
        pytest.param("00000001 00000002 00030001 00000502 f0000700", id="reserved in a vector"),
    ],
)
def test_a_broken_feedback_condemns_its_datagram(body: str) -> None:
    data = bytes.fromhex(body)
    with pytest.raises(rtcp.RtcpMalformed):
        rtcp.parse(bytes((0x8F, 205, 0, len(data) // 4)) + data)


@given(st.binary(max_size=120), st.integers(0, 0xFFFF), st.booleans())
def test_any_feedback_is_read_or_refused(rest: bytes, packets: int, padded: bool) -> None:
    body = bytes(10) + packets.to_bytes(2, "big") + bytes(4) + rest
    body += bytes(-len(body) % 4)
    try:
        rtcp.parse(bytes((0xAF if padded else 0x8F, 205, 0, len(body) // 4)) + body)
    except rtcp.RtcpMalformed:
        pass


def test_the_dearest_compound_of_feedback_is_read_within_10_ms() -> None:
    run = bytes.fromhex("8fcd0005 00000001 00000002 0003 1000 00000502 1fff0000")
    full = bytes.fromhex("8fcd0173 00000001 00000002 0003 05b8 00000502 25b8") + bytes(1466)
    for dearest in (run * 2, full):
        spent = []
        for _ in range(3):
            begun = time.process_time()
            assert rtcp.parse(dearest)
            spent.append(time.process_time() - begun)
        assert min(spent) < 0.010
