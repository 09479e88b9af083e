"""Robots in an encrypted circle: they hear and see one another, and nobody else can."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from peermeet.core.messages import Admit, MoveToWaiting, Remove
from peermeet.protocol import Profile
from peermeet.robots.door import is_encrypted, make_secret
from peermeet.robots.line import BadLink, Link
from peermeet.robots.robot import Robot
from tests.robots.conftest import Server
from tests.robots.test_together import seat_of
from tests.scenarios.client import Client, Refused
from tests.scenarios.server import Server as Running


@pytest.fixture
def sealed_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        running = Running(Path(folder), encrypted=True)
        try:
            running.start()
            yield Server(running)
        finally:
            running.end()


@dataclass
class Circle:
    server: Server
    secret: bytes
    fay: Robot
    ana: Robot
    ben: Robot

    def link(self) -> Link:
        return self.server.for_others.with_secret(self.secret)


@pytest_asyncio.fixture
async def circle(sealed_server: Server) -> AsyncIterator[Circle]:
    """Fay facilitates, Ana and Ben sit."""
    secret = await make_secret(sealed_server.for_fay)
    assert await is_encrypted(sealed_server.for_others)
    people = [
        Robot(link.with_secret(secret), Profile(name, "teal"), seed=seed, pairs=3)
        for seed, (name, link) in enumerate(
            (
                ("Fay", sealed_server.for_fay),
                ("Ana", sealed_server.for_others),
                ("Ben", sealed_server.for_others),
            )
        )
    ]
    async with AsyncExitStack() as there:
        for person in people:
            await there.enter_async_context(person)
        yield Circle(sealed_server, secret, *people)


def opened(person: Robot) -> int:
    assert person.keys is not None
    return person.keys.opened


def failed(person: Robot) -> int:
    assert person.keys is not None
    return person.keys.failed


def names(person: Robot) -> set[str]:
    assert person.keys is not None
    return {profile.name for profile in person.keys.names.values()}


async def test_members_know_hear_see_and_read_one_another(circle: Circle) -> None:
    fay, ana, ben = circle.fay, circle.ana, circle.ben
    await fay.until(lambda: names(fay) == {"Ana", "Ben"})
    await fay.switch_mic(True)
    await ana.switch_camera(True)
    await ben.until(lambda: opened(ben) >= 100 and ben.seen[seat_of(ana)] >= 5)
    await ana.until(lambda: opened(ana) >= 50)
    await fay.say("all", "Welcome, all of you.")
    await ana.until(lambda: bool(ana.read))
    assert list(ana.read) == [(seat_of(fay), "Welcome, all of you.")]
    assert [failed(person) for person in (fay, ana, ben)] == [0, 0, 0]


async def test_who_has_another_secret_reads_hears_and_sees_nothing(circle: Circle) -> None:
    fay, ana = circle.fay, circle.ana
    mallory = Robot(circle.server.for_others.with_secret(bytes(32)), Profile("Mallory", "sky"))
    async with mallory:
        await fay.switch_mic(True)
        await ana.switch_camera(True)
        await mallory.until(lambda: mallory.heard[seat_of(fay)] >= 100)
        await fay.say("all", "Welcome.")
        await ana.until(lambda: bool(ana.read))
        assert (names(mallory), opened(mallory), list(mallory.read)) == (set(), 0, [])
        assert not mallory.seen
        assert failed(mallory) >= 100
        assert "Mallory" not in names(fay)


async def test_who_was_removed_opens_nothing_3_s_later(circle: Circle) -> None:
    fay, ana, ben = circle.fay, circle.ana, circle.ben
    await fay.switch_mic(True)
    await ben.until(lambda: opened(ben) >= 50)
    keys, seat = ben.keys, seat_of(ben)
    assert keys is not None
    await fay.do(Remove(seat))
    before = opened(ana)
    sealed = _listen_in(fay)
    # Three seconds by the sound itself: 50 frames a second.
    await ana.until(lambda: opened(ana) >= before + 200)
    late = [keys.open(seat_of(fay), "audio", frame) for frame in sealed[150:]]
    early = [keys.open(seat_of(fay), "audio", frame) for frame in sealed[:40]]
    assert len(late) >= 40 and not any(late)
    assert any(early), "the key in use did not change at once"
    assert failed(ana) == 0


async def test_a_newcomer_opens_nothing_from_before(circle: Circle) -> None:
    fay, ben = circle.fay, circle.ben
    await fay.switch_mic(True)
    sealed = _listen_in(fay)
    await ben.until(lambda: len(sealed) >= 50)
    before = list(sealed)
    async with Robot(circle.link(), Profile("Cleo", "rose"), pairs=3) as cleo:
        await cleo.until(lambda: opened(cleo) >= 50)
        assert cleo.keys is not None
        old = [cleo.keys.open(seat_of(fay), "audio", frame) for frame in before]
        assert not any(old)
        await ben.until(lambda: opened(ben) >= 150)
    assert failed(ben) == 0


async def test_who_waits_outside_gets_no_key(circle: Circle) -> None:
    fay, ana, ben = circle.fay, circle.ana, circle.ben
    await fay.do(MoveToWaiting(seat_of(ben)))
    await fay.until(lambda: names(fay) == {"Ana"})
    await fay.do(Admit(seat_of(ben)))
    await fay.until(lambda: names(fay) == {"Ana", "Ben"})
    await fay.switch_mic(True)
    before = opened(ben)
    await ben.until(lambda: opened(ben) >= before + 50)
    await ana.until(lambda: opened(ana) >= 50)


async def test_a_lost_line_loses_no_key_for_good(circle: Circle) -> None:
    fay, ana, ben = circle.fay, circle.ana, circle.ben
    await fay.switch_mic(True)
    await ana.until(lambda: opened(ana) >= 50)
    ana.cut_line()
    # While she is away Ben leaves, and the new key does not reach her.
    await ben.leave()
    await ana.until(lambda: ana.connections == 2)
    before = opened(ana)
    await ana.until(lambda: opened(ana) >= before + 150)


def test_a_link_carries_its_secret_and_nothing_else_passes_for_one() -> None:
    link = Link.parse("http://localhost:1/join#body.mac").with_secret(bytes(range(32)))
    assert Link.parse(str(link)) == link
    assert "secret" not in repr(link)
    for wrong in ("A", "A" * 42, "A" * 44, "!" * 43):
        with pytest.raises(BadLink):
            Link.parse(f"http://localhost:1/join#body.mac.{wrong}")


def _listen_in(speaker: Robot) -> list[bytes]:
    """What this robot's voice is from now on, as it goes out."""
    assert speaker.call is not None
    seal, sealed = speaker.call.microphone.seal, list[bytes]()
    assert seal is not None

    def note(sound: bytes) -> bytes:
        sealed.append(seal(sound))
        return sealed[-1]

    speaker.call.microphone.seal = note
    return sealed


async def test_what_is_sealed_says_inside_as_what_it_is_written(sealed_server: Server) -> None:
    fay = Client(sealed_server.running.url, sealed_server.running.facilitator)
    fay.profile = {"sealed": "nobody-opens-this"}
    await fay.join()
    for wrong in ("caption", "shout"):
        with pytest.raises(Refused, match="bad_frame"):
            await fay.request("say", **{"to": "all", "sealed": "words", "as": wrong})
    assert not fay.others["said"]
    await fay.request("say", **{"to": "all", "sealed": "words", "as": "chat"})
    await fay.until(lambda: fay.others["said"])
    assert [said["as"] for said in fay.others["said"]] == ["chat"]
    await fay.drop()
