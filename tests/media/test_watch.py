"""Who wants fewer pictures gets fewer, of those they named, and every sound all the same."""

from __future__ import annotations

import asyncio

import pytest

from bench.member import Member
from peermeet.core.model import SeatId
from peermeet.hosting.ports import MediaLine
from peermeet.media import rtcp
from peermeet.media.watch import Watch as Wanted
from peermeet.protocol import Watch
from tests.media.kit import OPEN, SEEN, Media, until


def test_sound_only_and_the_holder_alone_are_what_they_say() -> None:
    assert Wanted().wants("s1", False)
    assert not Wanted("none").wants("s1", True)
    assert Wanted("holder").wants("s1", True)
    assert not Wanted("holder", frozenset({"s1"})).wants("s1", False)
    on_screen = Wanted("all", frozenset({"s1"}))
    assert on_screen.wants("s1", False) and on_screen.wants("s2", True)
    assert not on_screen.wants("s2", False)


@pytest.fixture
async def circle(media: Media) -> Media:
    """Ana speaks and is seen, Ben is only seen, Cleo looks on."""
    media.gate(ana=OPEN, ben=SEEN)
    for seat in ("ana", "ben", "cleo"):
        await media.join(seat)
    return media


async def arrives(circle: Media) -> set[str]:
    """What reaches Cleo of a packet of each: "ana sound", "ana picture", "ben picture"."""
    await circle.settle()
    cleo, before = circle.members["cleo"], circle.members["cleo"].received.copy()
    circle.members["ben"].show(key_frame=True)
    circle.members["ana"].show(key_frame=True)
    for seat in ("ana", "ben"):
        await circle.arrived(seat, circle.members[seat].sequence.total())
    # Sound is never withheld, and comes last: what has not come before it will not come.
    sound = next(
        mid for mid, seat in circle.streams["cleo"].items() if seat == "ana" and not int(mid) % 2
    )
    circle.members["ana"].speak()
    await until(lambda: cleo.received[sound] > before[sound])
    return {
        f"{seat} {'picture' if int(mid) % 2 else 'sound'}"
        for mid, seat in circle.streams["cleo"].items()
        if cleo.received[mid] > before[mid]
    }


async def test_a_viewer_gets_the_pictures_they_asked_for_and_all_sound(circle: Media) -> None:
    everything = {"ana sound", "ana picture", "ben picture"}
    for watch, expected in (
        (Watch("all"), everything),
        (Watch("none"), {"ana sound"}),
        (Watch("holder"), {"ana sound", "ana picture"}),
        (Watch("all", [SeatId("ben")]), everything),
        (Watch("all", []), {"ana sound", "ana picture"}),
        (Watch("none", [SeatId("ben")]), {"ana sound"}),
        (Watch("all"), everything),
    ):
        circle.link.watch("circle", "cleo", watch)
        assert await arrives(circle) == expected, watch


async def test_a_new_connection_begins_with_everything(circle: Media) -> None:
    circle.link.watch("circle", "cleo", Watch("none"))
    assert await arrives(circle) == {"ana sound"}
    circle.states.clear()
    await circle.join("cleo", Member(3))
    assert await arrives(circle) == {"ana sound", "ana picture", "ben picture"}


async def test_one_persons_choice_is_nobody_elses(circle: Media) -> None:
    circle.link.watch("circle", "ben", Watch("none"))
    circle.link.watch("circle", "nobody", Watch("none"))
    circle.link.watch("no circle", "cleo", Watch("none"))
    assert await arrives(circle) == {"ana sound", "ana picture", "ben picture"}


async def test_who_is_watched_again_is_asked_for_a_key_frame(circle: Media) -> None:
    await arrives(circle)
    circle.link.watch("circle", "cleo", Watch("none"))
    circle.link.watch("circle", "ana", Watch("none"))
    await circle.settle()
    ben = circle.members["ben"]
    ben.rtcp.clear()
    circle.link.watch("circle", "cleo", Watch("all"))

    def asked() -> bool:
        return any(
            isinstance(packet, rtcp.PictureLossIndication)
            for compound in ben.rtcp
            for packet in rtcp.parse(compound)
        )

    await until(asked)


async def lost_of(media: Media, seat: str, lose: bool) -> None:
    """A second of a voice; of which every fourth packet is lost if so wished."""
    for number in range(50):
        if lose and number % 4 == 0:
            media.members[seat].sequence[media.members[seat].audio_ssrc] += 1
        else:
            media.members[seat].speak()
        await asyncio.sleep(0.02)


async def test_who_loses_packets_gets_a_lower_mark_and_the_others_do_not(circle: Media) -> None:
    told: list[dict[str, MediaLine]] = circle.lines
    for _ in range(12):
        await lost_of(circle, "ana", lose=True)
        # Cleo sends nothing at all, which is no fault of her line.
        circle.members["cleo"].check()
        circle.members["ben"].check()
        if told and told[-1]["ana"].mark == 1:
            break
    assert told[-1]["ana"].mark == 1
    loss = told[-1]["ana"].details.loss_percent
    assert loss is not None and 15 < loss < 35
    assert told[-1]["ben"].mark == told[-1]["cleo"].mark == 3
    assert told[-1]["ana"].details.path == "udp" and not told[-1]["ana"].weak


async def test_a_report_tells_the_round_trip_and_the_loss_on_the_way_to_somebody(
    circle: Media,
) -> None:
    cleo = circle.members["cleo"]

    def report_of_ours() -> rtcp.SenderReport | None:
        for compound in reversed(cleo.rtcp):
            for packet in rtcp.parse(compound):
                if isinstance(packet, rtcp.SenderReport):
                    return packet
        return None

    for second in range(6):
        await lost_of(circle, "ana", lose=False)
        report = report_of_ours()
        if report is None:
            continue
        # She claims to answer at once, and that a fifth of the packets is missing.
        block = rtcp.ReportBlock(
            report.ssrc, 51, 10 * second, 50 * second, 0, report.ntp >> 16 & 0xFFFFFFFF, 0
        )
        cleo.send_rtcp(rtcp.build_receiver_report(rtcp.ReceiverReport(1, (block,))))
    await until(lambda: circle.lines[-1]["cleo"].details.loss_percent == 20)
    rtt_ms = circle.lines[-1]["cleo"].details.rtt_ms
    # Our report is a second old or two when she answers.
    assert rtt_ms is not None and 0 <= rtt_ms < 3000


async def test_a_lie_about_sources_that_are_not_ours_is_not_heard(circle: Media) -> None:
    cleo = circle.members["cleo"]
    for number in range(3):
        block = rtcp.ReportBlock(7, 255, 500 * number, 500 * number, 0, 1, 0)
        cleo.send_rtcp(rtcp.build_receiver_report(rtcp.ReceiverReport(1, (block,))))
    await circle.settle()
    await until(lambda: "cleo" in circle.lines[-1] if circle.lines else False)
    assert circle.lines[-1]["cleo"].details.loss_percent is None


async def test_a_voice_that_stops_arriving_is_noticed_and_one_that_never_spoke_is_not(
    circle: Media,
) -> None:
    ana, cleo = circle.members["ana"], circle.members["cleo"]
    for _ in range(5):
        ana.speak()
    # Ana may be heard and has been; Cleo only checks her path now and then.
    async with asyncio.timeout(15):
        while not circle.lines or circle.lines[-1]["ana"].mark == 3:
            cleo.check()
            await asyncio.sleep(0.5)
    assert circle.lines[-1]["ana"].mark == 1
    assert circle.lines[-1]["cleo"].mark == 3
