"""Whatever happens to the people on screen, a viewer's stream has no seam."""

from __future__ import annotations

import struct
from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.member import rtp_packet, vp8_payload
from peermeet.media import rtp, vp8
from peermeet.media.ingest import History, Layer, MediaPacket, SenderClock, State
from peermeet.media.rtcp import SenderReport
from peermeet.media.sdp import Kind
from peermeet.media.seat import (
    ASK_AGAIN_S,
    PATIENCE,
    REPEAT_AGAIN_S,
    REPEAT_BURST,
    TRANSPORT_SEQUENCE_AT,
    SeatWriter,
)

FRAME_S = 1 / 30
KINDS: tuple[Kind, Kind] = ("audio", "video")
MID_ID, ORIENTATION_ID, TRANSPORT_CC_ID = 4, 13, 3


class Sent(NamedTuple):
    """One packet as the viewer gets it."""

    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    picture_id: int
    tl0: int
    data: bytes


class Source:
    """A camera or microphone whose packets go through a layer."""

    def __init__(
        self,
        ssrc: int,
        sequence: int,
        timestamp: int,
        kind: Kind = "video",
        intake: tuple[State | None, History | None] = (None, None),
    ) -> None:
        self.kind: Kind = kind
        self.sequence, self.timestamp, self.picture = sequence, timestamp, sequence
        self.ssrc = ssrc
        state, history = intake
        self.layer = Layer(
            ssrc,
            kind,
            96,
            Counter(),
            SenderClock(),
            orientation_id=ORIENTATION_ID,
            nack=True,
            state=state,
            history=history,
        )

    def packet(self, key_frame: bool = False, orientation: int | None = None) -> bytes:
        self.sequence += 1
        self.timestamp += 3000
        self.picture += 1
        extensions = {MID_ID: b"1"}
        if orientation is not None:
            extensions[ORIENTATION_ID] = bytes((orientation,))
        body = b"opus"
        if self.kind == "video":
            body = vp8_payload(key_frame, self.picture, self.picture, 60)
        return rtp_packet(self.ssrc, 96, self.sequence, self.timestamp, body, extensions=extensions)

    def take(self, packet: bytes, now: float, is_open: bool = True) -> MediaPacket | None:
        return self.layer.take(memoryview(packet), len(packet), now, is_open)


class Viewer:
    """A writer and everything it wrote."""

    def __init__(self, kind: Kind = "video", rtx: int | None = None) -> None:
        self.out = memoryview(bytearray(2048))
        self.writer = SeatWriter(
            "7",
            kind,
            100,
            self.out,
            ssrc=99,
            rtx_ssrc=98,
            rtx_payload_type=rtx,
            mid_id=1,
            orientation_id=ORIENTATION_ID,
            transport_cc_id=TRANSPORT_CC_ID,
        )
        self.sent: list[Sent] = []

    def take(self, packet: MediaPacket | None, now: float, layer: Layer | None = None) -> bool:
        if packet is None or (layer is not None and not self.writer.follows(layer, packet)):
            return False
        length = self.writer.forward(packet, now)
        if length:
            self.sent.append(self.read(length))
        return bool(length)

    def read(self, length: int) -> Sent:
        data = bytes(self.out[:length])
        _, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        at = rtp.payload_offset(data, length)
        descriptor = vp8.parse(data, at)
        picture, tl0 = (descriptor.picture_id, descriptor.tl0) if descriptor else (0, 0)
        return Sent(sequence, timestamp, ssrc, second & 0x7F, picture, tl0, data)


# What happens between two packets: nothing, the other person takes the place, the gate closes
# for some packets, a packet is lost, two swap, one comes twice, the numbers jump ahead.
EVENTS = st.lists(
    st.sampled_from(["next"] * 6 + ["switch", "gate", "lost", "swapped", "twice", "jump"]),
    max_size=60,
)
STARTS = st.integers(0, 0xFFFF)


@settings(max_examples=300, deadline=None)
@given(EVENTS, STARTS, STARTS, st.integers(0, 0xFFFFFFFF), st.sampled_from(["video", "audio"]))
def test_numbers_never_jump_back_nor_repeat(
    events: list[str], first: int, second: int, timestamp: int, kind: Kind
) -> None:
    ana, ben = Source(1, first, timestamp, kind), Source(2, second, 77, kind)
    viewer, now = Viewer(kind), 100.0
    source = ana
    viewer.writer.point(source.layer)
    skipped = 0
    for event in ["next", *events, "next"]:
        now += FRAME_S
        key = viewer.writer.is_waiting
        if event == "switch":
            source = ben if source is ana else ana
            viewer.writer.point(source.layer)
            key = True
        elif event == "gate":
            viewer.writer.pause()
            source.layer.forget()
            for _ in range(3):
                assert source.take(source.packet(), now, is_open=False) is None
            key = True
        elif event == "lost":
            source.packet()
            skipped += 1
        elif event == "jump":
            source.sequence += 5000
            key = True
        packets = [source.packet(key)]
        if event == "swapped":
            packets.insert(0, source.packet())
        elif event == "twice":
            packets.append(packets[0])
        for packet in packets:
            viewer.take(source.take(packet, now), now)

    by_arrival = viewer.sent
    numbers = [sent.sequence for sent in by_arrival]
    assert len(set(numbers)) == len(numbers), "one number sealed two packets"
    steps = [rtp.extend_sequence(0, b - a) for a, b in zip(numbers, numbers[1:], strict=False)]
    assert all(-2 <= step <= 3 for step in steps)
    in_order = sorted(by_arrival, key=lambda s: rtp.extend_sequence(0, s.sequence - numbers[0]))
    for before, after in zip(in_order, in_order[1:], strict=False):
        assert 0 < rtp.signed_difference(after.timestamp, before.timestamp) < 90_000
        if kind == "video":
            # A lost picture leaves its number out; nothing else does.
            assert 1 <= (after.picture_id - before.picture_id) & 0x7FFF <= 2
            assert 1 <= (after.tl0 - before.tl0) & 0xFF <= 2
    span = rtp.extend_sequence(0, in_order[-1].sequence - in_order[0].sequence)
    assert span + 1 - len(in_order) <= skipped + events.count("swapped")
    assert all(sent.ssrc == 99 and sent.payload_type == 100 for sent in by_arrival)


@settings(max_examples=100, deadline=None)
@given(STARTS, st.lists(st.integers(0, 15) | st.none(), min_size=1, max_size=30))
def test_a_packet_sent_again_has_the_very_same_bytes(
    start: int, orientations: list[int | None]
) -> None:
    source, viewer, now = Source(1, start, 5), Viewer(), 100.0
    viewer.writer.point(source.layer)
    for number, orientation in enumerate(orientations):
        packet = source.packet(key_frame=number == 0, orientation=orientation)
        assert viewer.take(source.take(packet, now), now)
    for index, sent in enumerate(list(viewer.sent)):
        length = viewer.writer.repeat(sent.sequence, now + 10 * index)
        assert bytes(viewer.out[:length]) == sent.data


def test_a_retransmission_has_numbers_of_its_own_and_the_very_same_payload() -> None:
    source, viewer, now = Source(1, 65_530, 5), Viewer(rtx=101), 100.0
    viewer.writer.point(source.layer)
    for number in range(12):
        viewer.take(source.take(source.packet(number == 0, orientation=2), now), now)
    again = [viewer.read(viewer.writer.repeat(sent.sequence, now)) for sent in viewer.sent]
    for first, second in zip(viewer.sent, again, strict=True):
        at = rtp.payload_offset(second.data, len(second.data))
        assert (second.ssrc, second.payload_type) == (98, 101)
        assert second.timestamp == first.timestamp
        assert int.from_bytes(second.data[at : at + 2], "big") == first.sequence
        assert second.data[at + 2 :] == first.data[at:]
    steps = [b.sequence - a.sequence for a, b in zip(again, again[1:], strict=False)]
    assert set(steps) == {1}


def test_only_what_never_repeats_its_bytes_has_a_transport_wide_number() -> None:
    """AES-GCM gives its key away if one number seals two packets that differ in one bit."""
    assert not Viewer().writer.counts_transport
    for kind in KINDS:
        viewer, source = Viewer(kind, rtx=101 if kind == "video" else None), Source(1, 5, 5, kind)
        assert viewer.writer.counts_transport
        viewer.writer.point(source.layer)
        viewer.take(source.take(source.packet(True), 1.0), 1.0)
        (sent,) = viewer.sent
        assert sent.data[TRANSPORT_SEQUENCE_AT - 1] == TRANSPORT_CC_ID << 4 | 1
        end = rtp.payload_offset(sent.data, len(sent.data))
        assert rtp.extension(sent.data, end, TRANSPORT_CC_ID) == bytes(2)
        assert rtp.extension(sent.data, end, 1) == b"7"


def test_a_layer_takes_over_with_its_key_frame_and_the_old_one_goes_on_until_then() -> None:
    low, high, viewer, now = Source(1, 500, 7), Source(2, 60_000, 99), Viewer(), 100.0
    viewer.writer.point(low.layer)

    def both(key_frame: bool) -> list[bool]:
        nonlocal now
        now += FRAME_S
        return [
            viewer.take(source.take(source.packet(key and key_frame), now), now, source.layer)
            for source, key in ((low, False), (high, True))
        ]

    assert viewer.take(low.take(low.packet(True), now), now, low.layer)
    viewer.writer.turn_to(high.layer)
    assert [both(False) for _ in range(5)] == [[True, False]] * 5
    assert both(True) == [True, True]
    assert [both(False) for _ in range(5)] == [[False, True]] * 5
    viewer.writer.turn_to(low.layer)
    viewer.writer.turn_to(high.layer)
    assert both(False) == [False, True], "it had changed its mind"
    for before, after in zip(viewer.sent, viewer.sent[1:], strict=False):
        assert after.sequence - before.sequence & 0xFFFF == 1
        assert after.picture_id - before.picture_id & 0x7FFF == 1
        assert after.tl0 - before.tl0 & 0xFF == 1
        assert 0 < rtp.signed_difference(after.timestamp, before.timestamp) <= 3000


def test_who_turns_to_another_layer_before_the_first_picture_waits_for_that_one() -> None:
    low, high, viewer = Source(1, 500, 7), Source(2, 60_000, 99), Viewer()
    viewer.writer.point(low.layer)
    viewer.writer.turn_to(high.layer)
    assert not viewer.take(low.take(low.packet(True), 1.0), 1.0, low.layer)
    assert viewer.take(high.take(high.packet(True), 1.0), 1.0, high.layer)


def test_nothing_from_before_a_gate_closed_is_sent_again() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    assert viewer.take(source.take(source.packet(True), 1.0), 1.0)
    viewer.writer.pause()
    source.layer.forget()
    assert viewer.take(source.take(source.packet(True), 2.0), 2.0)
    before, after = viewer.sent
    assert viewer.writer.repeat(before.sequence, 3.0) == 0
    assert viewer.writer.repeat(after.sequence, 3.0) > 0
    assert viewer.writer.repeat(after.sequence + 1, 3.0) == 0


def test_a_late_packet_of_the_last_stretch_is_dropped() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    late = source.packet()
    viewer.take(source.take(source.packet(True), 1.0), 1.0)
    assert not viewer.take(source.take(late, 1.0), 1.0)


def test_a_picture_waits_for_its_key_frame_and_a_voice_for_nothing() -> None:
    camera, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(camera.layer)
    assert not viewer.take(camera.take(camera.packet(), 1.0), 1.0)
    assert viewer.take(camera.take(camera.packet(True), 1.0), 1.0)
    assert viewer.take(camera.take(camera.packet(), 1.0), 1.0)
    voice, listener = Source(2, 10, 0, "audio"), Viewer("audio")
    listener.writer.point(voice.layer)
    assert listener.take(voice.take(voice.packet(), 1.0), 1.0)


def test_repeats_are_rationed_per_packet_and_in_all() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    for number in range(200):
        viewer.take(source.take(source.packet(number == 0), 1.0), 1.0)
    one = viewer.sent[0].sequence
    assert viewer.writer.repeat(one, 2.0)
    assert not viewer.writer.repeat(one, 2.0 + REPEAT_AGAIN_S / 2)
    assert viewer.writer.repeat(one, 2.0 + REPEAT_AGAIN_S)
    repeated = sum(viewer.writer.repeat(sent.sequence, 9.0) > 0 for sent in viewer.sent)
    assert repeated == REPEAT_BURST


def granted(viewer: Viewer, source: Source, seconds: float, loses: bool) -> list[float]:
    """When a viewer got a key frame that asks four times a second for one."""
    found = []
    for number in range(round(seconds * 4)):
        now = 1.0 + number / 4
        viewer.take(source.take(source.packet(True), now), now)
        if loses:
            viewer.writer.note_loss()
        if viewer.writer.may_ask_key_frame(now):
            found.append(now - 1.0)
    return found


def test_a_viewer_who_loses_packets_all_the_time_is_soon_ignored() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    assert PATIENCE <= len(granted(viewer, source, 10, loses=True)) <= PATIENCE + 1


def test_a_viewer_who_loses_nothing_and_cannot_decode_gets_a_key_frame_ever_more_rarely() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    assert granted(viewer, source, 200, loses=False) == [0, 8, 24, 56, 116, 176]
    # Then it loses something, and is served as anybody.
    viewer.take(source.take(source.packet(True), 202.0), 202.0)
    assert not viewer.writer.may_ask_key_frame(202.0)
    viewer.writer.note_loss()
    assert viewer.writer.may_ask_key_frame(202.0)


def test_a_viewer_who_stumbled_long_ago_is_served_at_once() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    granted(viewer, source, 30, loses=False)
    at = 30 + 2 * sum(ASK_AGAIN_S)
    served = []
    for now in (at, at + 1, at + ASK_AGAIN_S[0]):
        viewer.take(source.take(source.packet(True), now), now)
        served.append(viewer.writer.may_ask_key_frame(now))
    assert served == [True, False, True]


def test_another_picture_in_the_same_place_is_served_at_once() -> None:
    one, two, viewer = Source(1, 10, 0), Source(2, 10, 0), Viewer()
    viewer.writer.point(one.layer)
    assert granted(viewer, one, 5, loses=False) == [0]
    viewer.writer.point(two.layer)
    assert granted(viewer, two, 5, loses=False) == [0]


def test_reports_follow_the_senders_clock_but_not_its_lies() -> None:
    source, viewer = Source(1, 10, 90_000), Viewer()
    viewer.writer.point(source.layer)
    viewer.take(source.take(source.packet(True), 1.0), 1.0)
    assert viewer.writer.report(1.0, 5000.0) is not None
    last = viewer.sent[-1].timestamp
    # The sender says: the picture of this moment was taken 0.2 s ago by its media clock.
    source.layer.on_sender_report(
        SenderReport(1, 7000 << 32, source.timestamp + 18_000, 1, 1), 1.0, 5000.0
    )
    report = viewer.writer.report(1.0, 5000.0)
    assert report is not None
    assert rtp.signed_difference(report.rtp, last) == 18_000
    source.layer.on_sender_report(
        SenderReport(1, 7001 << 32, source.timestamp + 90_000_000, 1, 1), 2.0, 5001.0
    )
    report = viewer.writer.report(2.0, 5001.0)
    assert report is not None
    assert rtp.signed_difference(report.rtp, last) == 90_000


def test_padding_alone_leaves_no_gap() -> None:
    source, viewer = Source(1, 10, 0), Viewer()
    viewer.writer.point(source.layer)
    viewer.take(source.take(source.packet(True), 1.0), 1.0)
    source.sequence += 1
    padding = rtp_packet(1, 96, source.sequence, source.timestamp, bytes(19) + b"\x14")
    padding = bytes((padding[0] | 0x20,)) + padding[1:]
    assert viewer.take(source.take(padding, 1.0), 1.0)
    assert viewer.take(source.take(source.packet(), 1.0), 1.0)
    first, filler, last = viewer.sent
    assert last.sequence - first.sequence & 0xFFFF == 2
    assert len(filler.data) < 25 and not filler.data[0] & 0x20
