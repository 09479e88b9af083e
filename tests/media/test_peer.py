"""The transport inside one process: keys, engines, and what the guards are there for."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import time
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCDtlsTransport
from aiortc.rtcdtlstransport import SRTP_PROFILES
from pylibsrtp import Policy, Session

from bench.member import Member
from peermeet.media import dtls, fanout, srtp
from peermeet.media.dtls import Admission, Certificate, SelfTestFailed, self_test
from peermeet.media.icelite import Address, Agent, Aside, IceLite
from peermeet.media.ingest import Layer
from peermeet.media.mux import Mux
from peermeet.media.peer import BURST_S, BYTES_PER_PACKET, PACKETS_PER_S, Ground, Peer
from peermeet.media.publication import Publication, Source
from peermeet.media.sdp import parse_offer
from peermeet.media.seat import SeatWriter
from peermeet.media.worker import Worker
from tests.media.kit import until
from tests.media.test_worker import a_client_hello


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    """A worker's common ground, without the worker."""
    counters: Counter[str] = Counter()
    ice = IceLite(counters)
    engine = srtp.choose_engine()
    fan_out = fanout.choose(engine, counters)
    mux = Mux(ice, counters, ["127.0.0.1"], 0, fan_out)
    mux.start()
    yield Ground(
        ice=ice,
        mux=mux,
        engine=engine,
        fan_out=fan_out,
        certificate=Certificate.generateCertificate(),
        admission=Admission(),
        counters=counters,
        addresses=("127.0.0.1",),
    )
    mux.close()


async def connect(
    ground: Ground, member: Member, limit_s: float = 2.0, first: bytes = b""
) -> list[str]:
    """Join and leave; answers the states the peer told. Raises what the member's join raises.

    first: a datagram that a stranger sends, some times, as soon as there is a peer.
    """
    states: list[str] = []
    peer = Peer(ground, parse_offer(member.offer), states.append)
    life = asyncio.create_task(peer.run())
    if first:
        before = ground.counters["drop.stranger"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(5):
                stranger.sendto(first, ("127.0.0.1", ground.mux.port))
        waiting = peer._dtls._transport._queue.qsize
        await until(lambda: waiting() + ground.counters["drop.stranger"] == before + 5)
    try:
        async with asyncio.timeout(limit_s):
            await member.join(peer.answer())
            await until(lambda: states)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        member.vanish()
    return states


async def test_a_connection_that_is_over_leaves_nothing_to_collect(ground: Ground) -> None:
    # These have no weak references; whatever is left of them the collector still knows. What other
    # tests have left behind is not ours.
    kinds = (Publication, Source, Layer, SeatWriter)
    gc.collect()
    before = [kept for kept in gc.get_objects() if isinstance(kept, kinds)]
    gc.disable()
    try:
        member, states = Member(1), list[str]()
        peer = Peer(ground, parse_offer(member.offer), states.append)
        life = asyncio.create_task(peer.run())
        await member.join(peer.answer())
        await until(lambda: states)
        member.speak()
        member.show(key_frame=True)
        publications = list(peer.publications.values())
        await until(lambda: all(publication.sources for publication in publications))
        publications.clear()
        parts: list[Any] = [peer, peer._dtls._dtls, peer.agent]
        gone = [weakref.ref(part) for part in parts]
        parts.clear()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        member.vanish()
        del peer, life
        await until(lambda: not any(ref() for ref in gone))
        others = {id(kept) for kept in before}
        left = [kept for kept in gc.get_objects() if isinstance(kept, kinds)]
        assert not [kept for kept in left if id(kept) not in others]
    finally:
        gc.enable()


class Anybody(dict[Address, Agent | Aside]):
    """The guard switched off: whatever comes from anywhere belongs to the newest agent."""

    newest: Agent | None = None

    def get(self, address: Address, default: object = None) -> Agent | None:  # type: ignore[override]
        return self.newest


JOINS = 50
SPRAYERS, HELLOS_PER_S = 4, 200


def without_guard(ground: Ground) -> None:
    """Hand whatever comes to the newest agent from now on."""
    anybody = ground.ice.by_address = Anybody()
    opened = ground.ice.open

    def open_and_remember(remote_ufrag: str, remote_pwd: str, now: float) -> Agent:
        agent = anybody.newest = opened(remote_ufrag, remote_pwd, now)
        return agent

    ground.ice.open = open_and_remember  # type: ignore[method-assign]


@pytest.mark.parametrize("guarded", [True, False])
async def test_without_the_guard_a_strangers_hello_would_spoil_the_join(
    ground: Ground, guarded: bool
) -> None:
    hello = await a_client_hello()
    if not guarded:
        without_guard(ground)
    joined = 0
    for _ in range(3):
        try:
            joined += await connect(ground, Member(1), 1.0, hello) == ["connected", "gone"]
        except (TimeoutError, ConnectionError):
            continue
    assert joined == (3 if guarded else 0)


@pytest.mark.parametrize("guarded", [True, False])
async def test_fifty_people_join_under_a_spray_of_hellos_behind_the_guard_alone(
    ground: Ground, guarded: bool
) -> None:
    """OWASP ASVS 5.0, 17.2.6: each of four strangers sends 200 a second, all the time."""
    hello = await a_client_hello()
    if not guarded:
        without_guard(ground)
    strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SPRAYERS)]
    sprayed = 0

    async def spray() -> None:
        nonlocal sprayed
        began = time.monotonic()
        while True:
            due = int((time.monotonic() - began) * HELLOS_PER_S) * SPRAYERS
            for number in range(sprayed, due):
                strangers[number % SPRAYERS].sendto(hello, ("127.0.0.1", ground.mux.port))
            sprayed = due
            await asyncio.sleep(1 / HELLOS_PER_S)

    spraying = asyncio.create_task(spray())
    joined = 0
    try:
        # The limit for each is the delay that nobody may have.
        for _ in range(JOINS):
            assert await connect(ground, Member(1), 1.0) == ["connected", "gone"]
            joined += 1
    except (TimeoutError, ConnectionError):
        assert not guarded
    finally:
        spraying.cancel()
        for stranger in strangers:
            stranger.close()
    assert joined == JOINS if guarded else joined < JOINS
    assert not guarded or ground.counters["drop.stranger"] > sprayed * 0.9 > JOINS


async def test_an_offer_that_provokes_a_fault_is_refused_and_the_worker_goes_on(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: str) -> None:
        raise ZeroDivisionError

    worker, told = Worker(ground, 10.0, 60.0), list[dict[str, Any]]()
    monkeypatch.setattr(worker, "_tell", lambda **message: told.append(message))
    monkeypatch.setattr("peermeet.media.worker.parse_offer", fails)
    gates = {"s": {"audio": True, "video": False, "space": "main"}}
    worker._obey(json.dumps({"do": "gates", "circle": "c", "seats": gates}).encode())
    worker._obey(b'{"do":"offer","id":7,"circle":"c","seat":"s","sdp":"v=0"}')
    assert told == [{"re": 7, "refused": "bad_sdp"}]
    assert ground.counters["fault.ZeroDivisionError"] == 1


async def test_a_certificate_that_was_not_offered_gets_no_keys(ground: Ground) -> None:
    member = Member(1)
    at = member.offer.index("a=fingerprint:sha-256 ") + 22
    forged = "00" if member.offer[at : at + 2] != "00" else "01"
    member.offer = member.offer.replace(
        member.offer[at : at + 95], forged + member.offer[at + 2 : at + 95]
    )
    with pytest.raises(TimeoutError):
        await connect(ground, member, 0.5)
    assert ground.counters["peer.dtls_failed"] == 1


async def test_a_client_that_never_comes_is_given_up(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peermeet.media.peer.FIRST_CHECK_S", 0.05)
    member = Member(1)
    peer = Peer(ground, parse_offer(member.offer), lambda _: None)
    await peer.run()
    member.socket.close()
    assert ground.counters["peer.never_came"] == 1


async def test_a_client_that_stops_after_its_check_is_given_up(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peermeet.media.dtls.HANDSHAKE_S", 0.1)
    member = Member(1)
    with pytest.raises(TimeoutError):
        monkeypatch.setattr(member._dtls, "start", lambda _: asyncio.sleep(5))
        await connect(ground, member, 0.5)
    assert ground.counters["peer.dtls_failed"] == 1


async def test_ten_seconds_of_silence_end_a_connection(ground: Ground) -> None:
    member, states = Member(1), list[str]()
    peer = Peer(ground, parse_offer(member.offer), states.append)
    life = asyncio.create_task(peer.run())
    await member.join(peer.answer())
    await until(lambda: states)
    peer.tick(time.monotonic() + 9.9)
    assert states == ["connected"]
    peer.tick(time.monotonic() + 10.1)
    await life
    assert states == ["connected", "gone"]
    assert not ground.ice.by_address
    member.vanish()


async def test_a_flood_passes_at_the_allowed_rate(ground: Ground) -> None:
    member = Member(1)
    peer = Peer(ground, parse_offer(member.offer), lambda _: None)
    member.socket.close()
    peer._open = lambda datagram: 0
    start = time.monotonic()
    for number in range(20_000):
        peer.receive(bytes.fromhex("8060") + bytes(40), start + number / 10_000)
    passed = 20_000 - ground.counters["drop.flood"]
    assert 0.98 < passed / (PACKETS_PER_S * (2 + BURST_S)) < 1.02


async def test_a_flood_of_few_long_packets_passes_at_the_allowed_rate_as_well(
    ground: Ground,
) -> None:
    member = Member(1)
    peer = Peer(ground, parse_offer(member.offer), lambda _: None)
    member.socket.close()
    peer._open = lambda datagram: 0
    start, size = time.monotonic(), 1400
    # Fewer than are allowed, were they short ones.
    for number in range(2800):
        peer.receive(bytes.fromhex("8060") + bytes(size - 2), start + number / 1400)
    passed = (2800 - ground.counters["drop.flood"]) * size
    assert 0.98 < passed / (PACKETS_PER_S * BYTES_PER_PACKET * (2 + BURST_S)) < 1.02


async def test_handshakes_start_one_after_the_other() -> None:
    admission, loop = Admission(), asyncio.get_running_loop()
    started: list[float] = []

    async def start() -> None:
        await admission.turn()
        started.append(loop.time())

    before = loop.time()
    await asyncio.gather(*(start() for _ in range(8)))
    assert started[-1] - before >= 7 * dtls.START_INTERVAL_S * 0.9


async def test_the_self_test_passes_with_both_engines() -> None:
    for engine in (srtp.FastEngine(), srtp.PublicEngine()):
        await self_test(engine)


async def test_the_self_test_names_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCDtlsTransport, "_set_role")
    with pytest.raises(SelfTestFailed, match="RTCDtlsTransport._set_role is missing"):
        await self_test(srtp.PublicEngine())


async def test_the_self_test_wants_gcm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "aiortc.rtcdtlstransport.SRTP_PROFILES",
        [p for p in SRTP_PROFILES if b"GCM" not in p.openssl_profile],
    )
    with pytest.raises(SelfTestFailed, match="GCM"):
        await self_test(srtp.PublicEngine())


def session(inbound: bool) -> Session:
    """One end of a session with a fixed key."""
    policy = Policy(
        key=bytes(range(44)),
        ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    )
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


def test_both_engines_seal_the_same_bytes_and_refuse_the_same_forgeries() -> None:
    sealed, engines = [], (srtp.FastEngine(), srtp.PublicEngine())
    packet = bytes.fromhex("80e0000100000001000000ff") + bytes(1000)
    for engine in engines:
        seal = engine.sealer(session(inbound=False))
        engine.sealing[: len(packet)] = packet
        sealed.append(bytes(engine.sealing[: seal(len(packet))]))
    assert sealed[0] == sealed[1] != packet
    forged = sealed[0][:-1] + bytes((sealed[0][-1] ^ 1,))
    for engine in engines:
        open_packet = engine.opener(session(inbound=True))
        assert open_packet(forged) == 0
        assert bytes(engine.opened[: open_packet(sealed[0])]) == packet
        assert open_packet(sealed[0]) == 0, "a replay opened"
        assert open_packet(b"\x80") == open_packet(bytes(1500)) == 0


def test_a_refused_seal_answers_zero() -> None:
    for engine in (srtp.FastEngine(), srtp.PublicEngine()):
        seal = engine.sealer(session(inbound=False))
        packet = bytes.fromhex("80e07fff00000001000000ff") + bytes(10)
        engine.sealing[: len(packet)] = packet
        assert seal(len(packet))
        # Far behind libsrtp's window: sealing it could repeat a number.
        old = bytes.fromhex("80e0600000000001000000ff") + bytes(10)
        engine.sealing[: len(old)] = old
        assert seal(len(old)) == 0
