"""Over TCP as over UDP: members meet, and strangers, junk and slow readers cost only themselves."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.member import Member
from peermeet.media import icetcp, srtp
from peermeet.media.fanout import PlainFanOut
from peermeet.media.icelite import IceLite
from peermeet.media.icetcp import MAX_FRAME_BYTES, BadFrame, Frames
from peermeet.media.mux import Mux
from tests.media.kit import OPEN, Media, until
from tests.media.tcp import Framed, TcpMember
from tests.media.test_icelite import THEIRS, check
from tests.media.test_worker import a_client_hello


def nothing() -> PlainFanOut:
    """Forwards nothing here."""
    return PlainFanOut(srtp.PublicEngine(), Counter())


@pytest.fixture
async def pair(media: Media) -> Media:
    """Ana comes over TCP, Ben over UDP."""
    media.gate(ana=OPEN, ben=OPEN)
    await media.join("ana", TcpMember(3))
    await media.join("ben")
    return media


async def test_tcp_and_udp_meet(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    for number in range(20):
        ana.show(number == 0, size=1000)
        ben.show(number == 0, size=1000)
    await until(lambda: pair.heard("ben", "ana") == pair.heard("ana", "ben") == 20)
    await until(lambda: ana.rtcp)
    await ana.leave()
    await until(lambda: ("ana", "left") in pair.states)
    stats = await pair.settle()
    assert not [name for name in stats if name.startswith(("fault.", "drop.send"))]


async def test_the_answer_tells_of_tcp_once_and_after_udp(media: Media) -> None:
    member = Member(1)
    answer = await media.link.answer("circle", "ana", member.offer)
    member.socket.close()
    candidates = [line for line in answer.split("\r\n") if line.startswith("a=candidate:")]
    tcp = [line for line in candidates if " tcp " in line]
    assert tcp == [
        f"a=candidate:2 1 tcp 1520435199 127.0.0.1 {media.link.port} typ host tcptype passive"
    ]
    assert all(
        int(line.split()[3]) > int(tcp[0].split()[3]) for line in candidates if line not in tcp
    )


async def test_tcp_can_be_switched_off(tmp_path: Path) -> None:
    media = Media(tmp_path, tcp=False)
    await media.link.start()
    try:
        media.gate(ana=OPEN)
        member = await media.join("ana")
        with pytest.raises(ConnectionRefusedError):
            Framed(member.server)
        offer = Member(1)
        offer.socket.close()
        assert " tcp " not in await media.link.answer("circle", "ana", offer.offer)
    finally:
        await media.end()


async def test_a_taken_port_costs_tcp_and_not_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        mux = Mux(IceLite(Counter()), Counter(), ["127.0.0.1"], port, nothing(), tcp=True)
        assert mux.port == port and not mux.has_tcp
        mux.close()
    assert "no media over TCP" in caplog.text


async def test_a_lost_connection_is_followed_by_the_next_one(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    assert isinstance(ana, TcpMember)
    ana.redial()
    ana.check()
    await pair.counted("ice.migrated")
    ben.speak()
    ana.speak()
    await until(lambda: pair.heard("ana", "ben") == pair.heard("ben", "ana") == 1)
    assert (await pair.settle())["dtls.handshake"] == 2


async def test_who_speaks_before_a_check_is_cut_off_alone(pair: Media) -> None:
    hello = await a_client_hello()
    address = ("127.0.0.1", pair.link.port)
    for junk in (hello, b"\x80\x60" + bytes(40), b"GET / HTTP/1.1"):
        stranger = Framed(address)
        stranger.sendto(junk)
        await until(lambda s=stranger: _is_closed(s))  # type: ignore[misc]
        stranger.close()
    # Plain HTTP announces a frame that is too long.
    stranger = Framed(address)
    stranger.stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
    await until(lambda: _is_closed(stranger))
    stranger.close()
    stats = await pair.settle()
    assert stats["tcp.stranger"] == 3 and stats["tcp.bad_frame"] == 1
    pair.members["ana"].speak()
    await until(lambda: pair.heard("ben", "ana") == 1)


async def test_a_check_without_the_password_gets_nothing(pair: Media) -> None:
    ana = pair.members["ana"]
    stranger = Framed(("127.0.0.1", pair.link.port))
    ana._remote, proof = (ana._remote[0], "0" * 32), ana._remote
    ana.check(through=stranger)  # type: ignore[arg-type]
    ana._remote = proof
    await pair.counted("drop.stun_unauthentic")
    with pytest.raises(BlockingIOError):
        stranger.recv()
    stranger.close()


def _is_closed(framed: Framed) -> bool:
    try:
        framed.recv()
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return False


async def test_a_reader_who_stops_reading_loses_packets_and_holds_up_nobody(pair: Media) -> None:
    ana, ben = pair.members["ana"], pair.members["ben"]
    pair.gate(cleo=OPEN)
    await pair.join("cleo")
    loop = asyncio.get_running_loop()
    loop.remove_reader(ana.socket.fileno())
    ben.show(True, size=1000)
    sent, dropped, before = 1, 0, -1
    # Until nothing fits any more: what waits is bounded, however much comes.
    while dropped - before < 50:
        for _ in range(50):
            ben.show(size=1000)
        sent += 50
        assert sent < 10_000
        # She speaks, so that she is not taken for gone.
        ana.speak()
        await pair.arrived("ben", sent)
        before, dropped = dropped, (await pair.settle()).get("drop.tcp_slow", 0)
    await until(lambda: pair.heard("cleo", "ben") == sent)
    # She reads again: what waited comes, and then what is new, all of it authentic.
    sizes: list[int] = []
    ana.on_rtp = lambda _, packet: sizes.append(len(packet))
    loop.add_reader(ana.socket.fileno(), ana._readable)

    def is_here() -> bool:
        ben.show(True, size=200)
        return len(sizes) > 50 and sizes[-1] < 500

    await until(is_here)
    assert len([size for size in sizes if size > 500]) < sent


# One process


@pytest.fixture
async def door() -> AsyncIterator[Mux]:
    mux = Mux(IceLite(Counter()), Counter(), ["127.0.0.1"], 0, nothing(), tcp=True)
    mux.start()
    yield mux
    mux.close()


def proved(mux: Mux) -> int:
    return sum(one.is_proved for one in mux._tcp.connections)


async def test_a_connection_that_proves_nothing_is_ended(door: Mux) -> None:
    stranger, client = Framed(("127.0.0.1", door.port)), Framed(("127.0.0.1", door.port))
    agent = door._ice.open("them", THEIRS, 0.0)
    client.sendto(check(agent))
    await until(lambda: proved(door) == 1 and len(door._tcp.connections) == 2)
    now = time.monotonic()
    door.tick(now + icetcp.FIRST_CHECK_S - 0.5)
    assert len(door._tcp.connections) == 2
    door.tick(now + icetcp.FIRST_CHECK_S + 0.5)
    await until(lambda: _is_closed(stranger))
    assert len(door._tcp.connections) == 1
    door.tick(now + icetcp.IDLE_S + 1)
    await until(lambda: _is_closed(client))
    assert door._counters == {"tcp.never_proved": 1, "tcp.idle": 1}
    assert not door._ice.by_address
    stranger.close()
    client.close()


async def test_a_connection_ends_with_its_peer(door: Mux) -> None:
    client = Framed(("127.0.0.1", door.port))
    agent = door._ice.open("them", THEIRS, 0.0)
    client.sendto(check(agent))
    await until(lambda: proved(door) == 1)
    door._ice.close(agent)
    door.tick(time.monotonic())
    await until(lambda: _is_closed(client))
    client.close()


async def test_strangers_make_way_and_never_push_out_who_proved_themselves(
    door: Mux, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(icetcp, "MAX_PER_SOURCE", 4)
    monkeypatch.setattr(icetcp, "MAX_CONNECTIONS", 6)
    address = ("127.0.0.1", door.port)
    agent = door._ice.open("them", THEIRS, 0.0)
    inside = Framed(address)
    inside.sendto(check(agent))
    await until(lambda: proved(door) == 1)
    crowd = []
    for number in range(40):
        crowd.append(Framed(address, f"127.0.0.{2 + number // 10}"))
        await until(lambda n=number: door._tcp._number == n + 2)  # type: ignore[misc]
        assert len(door._tcp.connections) <= 6
        sources = Counter(one.source for one in door._tcp.connections)
        assert max(sources.values()) <= 4
    assert proved(door) == 1 and door._counters["tcp.displaced"] == 35
    # When all have proved themselves the next one waits outside.
    crowd += [Framed(address) for _ in range(3)]
    await until(lambda: door._tcp._number == 44)
    for client in crowd[-3:]:
        client.sendto(check(agent, use=False))
    await until(lambda: proved(door) == 4)
    crowd.append(Framed(address))
    await until(lambda: door._counters["tcp.full"] == 1)
    for client in (inside, *crowd):
        client.close()


@given(st.lists(st.binary(max_size=MAX_FRAME_BYTES), max_size=6), st.data())
def test_frames_survive_any_cut(sent: list[bytes], data: st.DataObject) -> None:
    frames, taken = Frames(), list[bytes]()
    stream = b"".join(len(frame).to_bytes(2, "big") + frame for frame in sent)
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        taken += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert taken == sent and frames.rest == b""


@given(st.lists(st.binary(max_size=4000), max_size=6))
def test_any_bytes_are_frames_or_wait_in_little_space(chunks: list[bytes]) -> None:
    frames = Frames()
    for chunk in chunks:
        try:
            assert all(len(frame) <= MAX_FRAME_BYTES for frame in frames.feed(chunk))
        except BadFrame:
            return
        assert len(frames.rest) <= MAX_FRAME_BYTES + 1


async def test_what_a_frame_provokes_ends_one_connection(door: Mux) -> None:
    client, other = Framed(("127.0.0.1", door.port)), Framed(("127.0.0.1", door.port))
    agent = door._ice.open("them", THEIRS, 0.0)

    def break_down(_: bytes, now: float) -> None:
        raise ZeroDivisionError

    agent.on_media = break_down
    for one in (client, other):
        one.sendto(check(agent))
    await until(lambda: proved(door) == 2)
    client.sendto(b"\x80" + bytes(20))
    await until(lambda: _is_closed(client))
    assert door._counters["fault.ZeroDivisionError"] == 1 and proved(door) == 1
    client.close()
    other.close()


async def test_a_flood_of_frames_is_left_waiting_and_read_on_later(door: Mux) -> None:
    client, other = Framed(("127.0.0.1", door.port)), Framed(("127.0.0.1", door.port))
    agent = door._ice.open("them", THEIRS, 0.0)
    client.sendto(check(agent))
    await until(lambda: proved(door) == 1)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.stream.send(bytes(1 << 16))
    await until(lambda: door._counters["tcp.paused"])
    read = door._counters["drop.empty"]
    most = icetcp.BURST_BYTES // icetcp.FRAME_COSTS + icetcp.READ_BYTES // 2
    assert 0 < read <= most
    # Others are served, and nothing more is read in the meantime.
    other.sendto(check(agent))
    await until(lambda: proved(door) == 2)
    assert door._counters["drop.empty"] == read
    now = time.monotonic()
    door.tick(now + 0.5)
    await until(lambda: door._counters["tcp.paused"] == 2)
    assert read < door._counters["drop.empty"] <= 2 * most
    client.close()
    other.close()
    await until(lambda: len(door._tcp.connections) <= 1)


async def test_several_addresses_have_one_port_number() -> None:
    addresses = ["127.0.0.1", "::1", "127.0.0.2"]
    mux = Mux(IceLite(Counter()), Counter(), addresses, 0, nothing(), tcp=True)
    for ip in ("127.0.0.1", "::1", "127.0.0.2"):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            with socket.socket(family, kind) as other, pytest.raises(OSError) as taken:
                other.bind((ip, mux.port))
            assert taken.value.errno == errno.EADDRINUSE
    mux.close()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", mux.port))
