"""What arrives is put in order, counted and asked for again, and nothing is kept in secret."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.member import rtp_packet, vp8_payload
from peermeet.media import rtp
from peermeet.media.ingest import (
    KEPT,
    MARK,
    MAX_MISSING,
    NACK_AGAIN_S,
    NACK_TRIES,
    Layer,
    MediaPacket,
    SenderClock,
)
from peermeet.media.rtcp import SenderReport
from peermeet.media.sdp import Kind


class Stream:
    """A layer and a sender whose packets are numbered by the test."""

    def __init__(self, video: bool = True) -> None:
        self.counters: Counter[str] = Counter()
        self.video = video
        kind: Kind = "video" if video else "audio"
        self.layer = Layer(
            7,
            kind,
            96,
            self.counters,
            SenderClock(),
            rtx_payload_type=97,
            orientation_id=13,
            nack=video,
        )

    def take(
        self, number: int, now: float = 1.0, is_open: bool = True, key: bool = False
    ) -> MediaPacket | None:
        body = vp8_payload(key, number, number, 40) if self.video else b"opus"
        packet = rtp_packet(7, 96, number, number * 3000, body)
        return self.layer.take(memoryview(packet), len(packet), now, is_open)

    def repair(
        self, number: int, now: float = 1.0, body: bytes | None = None
    ) -> MediaPacket | None:
        """The packet once more, on the source of retransmissions."""
        payload = vp8_payload(False, number, number, 40) if body is None else body
        packet = rtp_packet(8, 97, 1, number * 3000, number.to_bytes(2, "big") + payload)
        if body == b"":
            packet = packet[:12]
        return self.layer.take(memoryview(packet), len(packet), now, True, repairs=True)


def test_a_retransmission_fills_the_gap_and_a_probing_copy_is_dropped() -> None:
    stream = Stream()
    for number in (1, 2, 5):
        stream.take(number)
    assert stream.layer.lost_now and stream.layer.lost_due(1.0) == [3, 4]
    repaired = stream.repair(3)
    assert repaired is not None and repaired.sequence == 0x10003
    assert repaired.descriptor is not None and repaired.timestamp == 9000
    assert stream.repair(3) is None, "a copy of what has come"
    assert stream.repair(1) is None
    assert stream.repair(4, body=b"") is None, "padding alone"
    assert stream.counters == {"drop.duplicate": 2, "drop.probe": 1}
    assert stream.layer.lost_due(2.0) == [4]


def test_what_was_lost_and_repaired_still_counts_as_lost_on_the_line() -> None:
    stream = Stream()
    for number in (1, 2, 4):
        stream.take(number)
    stream.repair(3)
    assert stream.layer.report(1.0).packets_lost == 1


def test_a_rate_is_what_came_in_about_a_second() -> None:
    stream = Stream(video=False)
    for number in range(1, 500):
        stream.take(number, now=number / 50)
        if number % 5 == 0:
            stream.layer.measure(number / 50)
    assert stream.layer.rate_bps == pytest.approx(4 * 8 * 50, rel=0.02)
    for tick in range(100, 130):
        stream.layer.measure(tick / 10)
    assert stream.layer.rate_bps < 200


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-3, 6), max_size=200))
def test_each_number_passes_once_and_counts_on_over_the_wrap(start: int, steps: list[int]) -> None:
    stream, at, passed = Stream(), start, []
    for step in [0, *steps]:
        at += step
        packet = stream.take(at & 0xFFFF)
        if packet is not None:
            passed.append(packet.sequence - 0x10000)
    assert len(set(passed)) == len(passed)
    assert all(number & 0xFFFF == number % 0x10000 for number in passed)
    assert max(passed) == max(start + sum(steps[:n]) for n in range(len(steps) + 1))


def test_behind_a_closed_gate_packets_are_counted_but_not_kept() -> None:
    stream = Stream()
    stream.take(1, key=True)
    assert stream.take(2, is_open=False) is None
    assert stream.layer.state.received == 2
    assert stream.layer.recall(0x10002) is None
    assert stream.layer.recall(0x10001) is not None
    stream.layer.forget()
    assert stream.layer.recall(0x10001) is None


def sound(number: int, body: bytes) -> bytes:
    return rtp_packet(7, 96, number, number * 960, body)


def part(number: int, body: bytes, last: bool = False, key: bool = False) -> bytes:
    """A packet of a picture."""
    picture = vp8_payload(key, number, number, 40) + body
    return rtp_packet(7, 96, number, number * 3000, picture, marker=last)


def passes(stream: Stream, packet: bytes, is_open: bool = True) -> bool:
    return stream.layer.take(memoryview(packet), len(packet), 1.0, is_open) is not None


def test_where_all_is_encrypted_sound_in_clear_is_dropped() -> None:
    stream = Stream(video=False)
    assert passes(stream, sound(1, b"in clear"))
    stream.layer.state.marked = True
    assert not passes(stream, sound(2, b"in clear"))
    assert not passes(stream, sound(3, MARK[1:])) and not passes(stream, sound(4, b""))
    assert not passes(stream, sound(5, MARK + b"\0"))
    assert passes(stream, sound(6, b"sealed" + MARK))
    assert stream.counters == {"drop.unmarked": 4}
    assert stream.layer.report(1.0).packets_lost == 0, "it came"
    assert stream.layer.faults == 0, "a browser that cannot encrypt is no attacker"


def wants_key(stream: Stream) -> bool:
    return stream.layer.key_frame_wanted


def test_where_all_is_encrypted_no_picture_in_clear_is_completed() -> None:
    stream = Stream()
    stream.layer.state.marked = True
    assert passes(stream, part(1, b"", key=True)) and passes(stream, part(2, MARK, last=True))
    # Only its last packet tells.
    assert passes(stream, part(3, b"", key=True))
    assert not passes(stream, part(4, b"in clear", last=True))
    assert stream.layer.recall(0x10004) is None, "nor is it repeated"
    # Nor is any other until one was encrypted.
    assert not passes(stream, part(5, b"", key=True))
    assert not passes(stream, part(6, b"", last=True))
    assert not passes(stream, part(7, b"")) and not wants_key(stream)
    assert not passes(stream, part(8, MARK, last=True)) and wants_key(stream)
    assert passes(stream, part(9, b"", key=True)) and not wants_key(stream)
    assert passes(stream, part(10, MARK, last=True))
    assert stream.counters == {"drop.unmarked": 5}


def test_a_gate_that_closes_forgets_that_a_picture_was_in_clear() -> None:
    stream = Stream()
    stream.layer.state.marked = True
    assert not passes(stream, part(1, b"", last=True, key=True))
    stream.layer.forget()
    assert not passes(stream, part(2, b"", last=True), is_open=False)
    assert passes(stream, part(3, MARK, last=True, key=True))


def test_the_history_holds_the_last_packets_and_no_more() -> None:
    stream = Stream()
    for number in range(1, KEPT + 100):
        stream.take(number)
    assert stream.layer.recall(0x10000 + 99) is None
    assert stream.layer.recall(0x10000 + 100) is not None
    assert stream.layer.recall(0x10000 + KEPT + 99) is not None


def test_a_packet_that_comes_very_late_does_not_take_the_place_of_a_newer_one() -> None:
    stream = Stream()
    for number in range(1, KEPT + 6):
        if number != 5:
            stream.take(number)
    late = stream.take(5)
    assert late is not None and late.sequence == 0x10005, "it is passed on"
    assert stream.layer.recall(0x10005) is None
    assert stream.layer.recall(0x10005 + KEPT) is not None


def test_a_gap_is_asked_for_a_few_times_and_then_given_up() -> None:
    stream = Stream()
    stream.take(1)
    stream.take(5)
    assert stream.layer.lost_due(1.0) == [2, 3, 4]
    assert stream.layer.lost_due(1.0) == []
    stream.take(3, 1.05)
    for again in range(1, NACK_TRIES):
        assert stream.layer.lost_due(1.0 + again * 1.01 * NACK_AGAIN_S) == [2, 4]
    assert stream.layer.lost_due(9.0) == []


def test_a_storm_of_loss_is_asked_for_in_part() -> None:
    stream = Stream()
    stream.take(1)
    stream.take(900)
    assert len(stream.layer.lost_due(1.0)) == MAX_MISSING
    assert stream.counters["lost.not_asked"] > 0


def test_a_great_jump_is_a_new_beginning_and_not_loss() -> None:
    stream = Stream()
    stream.take(1)
    assert stream.take(5000) is not None
    assert stream.layer.lost_due(1.0) == []
    assert stream.layer.report(1.0).packets_lost == 0


def test_reports_tell_loss_jitter_and_the_last_sender_report() -> None:
    stream = Stream(video=False)
    for number in (1, 2, 3, 5):
        stream.take(number, number / 16)
    stream.layer.on_sender_report(SenderReport(7, 0x11112222_33334444, 0, 0, 0), 1.0, 0.0)
    report = stream.layer.report(1.5)
    assert report.ssrc == 7
    assert (report.packets_lost, report.fraction_lost) == (1, 256 // 5)
    assert report.highest_sequence == 5
    assert (report.lsr, report.dlsr) == (0x22223333, 0x8000)
    # 48 kHz: 3000 ticks of media against 3000 of time.
    assert report.jitter == 0
    stream.take(6, 6 / 16 + 0.1)
    report = stream.layer.report(1.5)
    assert (report.packets_lost, report.fraction_lost) == (1, 0)
    assert report.jitter == 4800 // 16


def test_a_late_packet_can_make_loss_negative_but_not_the_fraction() -> None:
    stream = Stream()
    stream.take(10)
    stream.take(9)
    report = stream.layer.report(1.0)
    assert report.packets_lost == -1 and report.fraction_lost == 0


def test_one_request_for_a_key_frame_serves_everybody() -> None:
    layer = Stream().layer
    assert not layer.key_frame_due(1.0)
    layer.want_key_frame()
    assert layer.key_frame_due(1.0)
    assert not layer.key_frame_due(1.4)
    assert layer.key_frame_due(1.5)


def test_a_key_frame_ends_the_asking() -> None:
    stream = Stream()
    stream.layer.want_key_frame()
    stream.take(1, key=True)
    assert not stream.layer.key_frame_due(9.0)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (rtp_packet(7, 97, 1, 0, b"x"), "payload_type"),
        (b"\x9f" + rtp_packet(7, 96, 1, 0, b"x")[1:], "rtp_malformed"),
        (b"\xa0" + rtp_packet(7, 96, 1, 0, b"x\0")[1:], "rtp_malformed"),
        (b"\xa0" + rtp_packet(7, 96, 1, 0, b"x\xff")[1:], "rtp_malformed"),
        (rtp_packet(7, 96, 1, 0, b"\x90"), "not_vp8"),
        (rtp_packet(7, 96, 1, 0, b"\x10\x50\0\0opus is no start code"), "not_vp8"),
    ],
)
def test_what_was_not_negotiated_is_dropped(packet: bytes, reason: str) -> None:
    stream = Stream()
    assert stream.layer.take(memoryview(packet), len(packet), 1.0, True) is None
    assert stream.counters == {f"drop.{reason}": 1}


@given(st.binary(min_size=12, max_size=100))
def test_any_authentic_bytes_are_taken_or_dropped_without_a_fault(data: bytes) -> None:
    for video in (True, False):
        stream = Stream(video)
        stream.layer.take(
            memoryview(bytes((data[0] & 0x3F | 0x80, 96)) + data[2:]), len(data), 1, True
        )


@given(st.binary(min_size=12, max_size=80), st.integers(1, 15))
def test_extensions_of_any_bytes_stay_inside_the_header(data: bytes, wanted: int) -> None:
    end = rtp.payload_offset(data, len(data))
    assert end == 0 or 12 <= end <= len(data)
    if end:
        value = rtp.extension(data, end, wanted)
        assert value is None or value in data[12:end]


@given(
    st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), max_size=6),
)
def test_extensions_written_are_read_back(elements: dict[int, bytes]) -> None:
    block = rtp.extension_block(list(elements.items()))
    packet = bytes((0x90 if block else 0x80,)) + bytes(11) + block + b"payload"
    end = rtp.payload_offset(packet, len(packet))
    assert packet[end:] == b"payload"
    for identifier in range(1, 15):
        assert rtp.extension(packet, end, identifier) == elements.get(identifier)


def test_voice_and_picture_share_the_quickest_path_of_the_clock() -> None:
    clock = SenderClock()
    clock.observe(100.0, 5000.5)
    clock.observe(101.0, 5001.1)
    assert clock.offset_s == pytest.approx(4900.1)
    clock.observe(102.0, 5003.1)
    assert clock.offset_s is not None and 4900.1 < clock.offset_s < 4900.2
