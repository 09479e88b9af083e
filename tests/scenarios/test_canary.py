"""A server that looks at all it can reach finds nothing of what was said, shown, written or named.

Robots meet on a server that writes down every packet which its media worker has opened, and every
text that browsers send. They know what they said; it is looked for in that, in the memory of both
processes during the meeting, and in the data folder and a copy of it. The same search in a circle
that is not encrypted finds it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import struct
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiortc.codecs.vpx import Vp8Encoder

from peermeet.core.model import SeatId
from peermeet.media import rtp, vp8
from peermeet.protocol import (
    AGREEMENT_VERSION,
    COLORS,
    VERSION,
    HandKeys,
    Hello,
    Keys,
    Profile,
    Say,
    SealedProfile,
    Show,
)
from peermeet.robots import secrecy, sframe
from peermeet.robots.door import make_secret
from peermeet.robots.keyring import Keyring
from peermeet.robots.line import Line, Link
from peermeet.robots.robot import Robot
from peermeet.robots.sframe import MARK, Kind, Receiver, Sender, SenderKey, clear_bytes
from peermeet.robots.speech import clip
from peermeet.robots.spelling import from_b64, to_b64
from tests.scenarios.listening import noted
from tests.scenarios.server import Server
from tests.scenarios.test_kept import everything

SPEAKERS = 8
FRAMES, WORDS = 10_000, 1_000
FEW = 1_000
"""Frames in the circle that is not encrypted."""
RUN = 8
"""So many bytes of what was said or shown, one after the other, are not there by chance."""
VARIED = 5
"""Different bytes in such a run: zeros and the like are everywhere."""
AT_ONCE = 10
"""Words that one connection may say at once."""


class Runs:
    """All runs of `RUN` bytes in some texts, to find any of them in others."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, text: bytes) -> None:
        for at in range(RUN):
            self._known.update(run for run in _runs(text[at:]) if _is_varied(run))

    def are_in(self, text: bytes) -> bool:
        """Whether any is in this text, wherever it begins."""
        return any(not self._known.isdisjoint(_runs(text[at:])) for at in range(RUN))

    def count_in(self, place: bytes) -> int:
        """How many begin in this place at a multiple of `RUN`, as one does of every 15 bytes."""
        return len(self._known.intersection(_runs(place)))


def _runs(text: bytes) -> memoryview:
    return memoryview(text[: len(text) // RUN * RUN]).cast("Q")


def _is_varied(run: int) -> bool:
    return len(set(run.to_bytes(RUN, "big"))) >= VARIED


@dataclass
class Told:
    """What the robots know: what they said, and with which keys."""

    sounds: set[bytes] = field(default_factory=set, repr=False)
    pictures: list[bytes] = field(default_factory=list, repr=False)
    first_keys: dict[int, SenderKey] = field(default_factory=dict)
    """By seat. The later ones are steps of these, as long as nobody leaves."""
    keys: set[bytes] = field(default_factory=set)

    def beyond_clear(self) -> Runs:
        runs = Runs()
        for sound in self.sounds:
            runs.add(sound)
        for picture in self.pictures:
            runs.add(picture[clear_bytes("video", picture) :])
        return runs


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Follows what robots of this process seal, and what they would send if they did not."""
    told = Told()
    seal, make, cut = Sender.seal, sframe.Key.__init__, vars(Vp8Encoder)["_packetize"].__func__

    def seals(self: Sender, kind: Kind, frame: bytes, now: int) -> bytes:
        if kind == "audio":
            told.sounds.add(frame)
        else:
            told.pictures.append(frame)
        return seal(self, kind, frame, now)

    def makes(self: sframe.Key, key: SenderKey) -> None:
        told.keys.add(key.key)
        told.first_keys.setdefault(key.id >> 24, key)
        make(self, key)

    def cuts(encoder: type[Vp8Encoder], buffer: bytes, picture_id: int) -> list[bytes]:
        # One that seals is a class of its own, and gives what it has sealed.
        if encoder is Vp8Encoder:
            told.pictures.append(buffer)
        return list(cut(encoder, buffer, picture_id))

    monkeypatch.setattr(Sender, "seal", seals)
    monkeypatch.setattr(sframe.Key, "__init__", makes)
    monkeypatch.setattr(Vp8Encoder, "_packetize", classmethod(cuts))
    return told


@dataclass(frozen=True)
class Frame:
    kind: Kind
    data: bytes


def frames(taken: Iterable[tuple[str, bytes]]) -> Iterator[Frame]:
    """Whole frames of sound and pictures, put together again from captured packets."""
    pictures: dict[int, list[tuple[int, bytes]]] = {}
    for what, packet in taken:
        if what not in "av":
            continue
        start = rtp.payload_offset(packet, len(packet))
        payload = packet[start : len(packet) - (packet[-1] if packet[0] & 0x20 else 0)]
        if what == "a":
            yield Frame("audio", payload)
            continue
        descriptor = vp8.parse(payload, 0) if payload else None
        if descriptor is None:
            continue
        _, second, number, _, source = struct.unpack_from("!BBHII", packet)
        if descriptor.start:
            pictures[source] = []
        parts = pictures.setdefault(source, [])
        parts.append((number, payload[descriptor.payload_at :]))
        first = parts[0][0]
        if second & 0x80:
            del pictures[source]
            # Of a picture that lost a packet nothing can be opened, with any key.
            if [n for n, _ in parts] == [first + n & 0xFFFF for n in range(len(parts))]:
                yield Frame("video", b"".join(part for _, part in parts))


class Scribe:
    """Somebody without media, who comes, writes a few lines and is away again."""

    def __init__(self, link: Link, name: str) -> None:
        assert link.secret is not None
        self._link, self._secret, self._own = link, link.secret, secrecy.Self()
        profile = secrecy.Profile(name, "sand", self._own.person)
        self._profile = secrecy.seal_profile(secrecy.announce(self._secret), profile)
        self._resume: str | None = None
        self._keys: Keyring | None = None

    async def write(self, *texts: str) -> None:
        """So many as a connection may write at once."""
        shown = SealedProfile(self._profile)
        hello = Hello(VERSION, shown, AGREEMENT_VERSION, self._link.token, self._resume)
        line = await Line.open(self._link, hello)
        self._resume = line.welcome.resume
        keys = self._keys = self._keys or Keyring(
            self._secret, self._own, line.welcome.circle, line.welcome.seat
        )
        reading = asyncio.create_task(self._read(line, keys))
        try:
            for text in texts:
                sealed = keys.say("chat", text, "all")
                await line.ask(lambda ref: Say(ref, "all", sealed=sealed))  # noqa: B023
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await line.close()

    async def _read(self, line: Line, keys: Keyring) -> None:
        async for frame in line.frames():
            handed: list[dict[SeatId, str]] = []
            match frame:
                case Show():
                    handed = keys.follow(frame.view, frame.profiles)
                case Keys():
                    handed = keys.receive(frame.seat, frame.sealed)
            for to in handed:
                await line.send(HandKeys(to))


@dataclass(frozen=True)
class Looked:
    """All that a server can know, taken during a meeting. web, worker: memory."""

    taken: list[tuple[str, bytes]]
    web: bytes
    worker: bytes
    kept: bytes
    sent: int
    """Frames of sound and pictures that the robots had sent by then."""


class Meeting:
    """Speakers with cameras in open talk, on a server that listens."""

    def __init__(self, server: Server, notes: Path, name: str, secret: bytes | None) -> None:
        self.server = server
        self._notes = notes
        self.secret = secret
        self.people: list[Robot] = []
        self.canary = f"canary {secrets.token_hex(8)}"
        self.name = name

    def link(self, is_lead: bool = False) -> Link:
        token = self.server.facilitator if is_lead else self.server.participant
        link = Link.parse(f"{self.server.url}/join#{token}")
        return link if self.secret is None else link.with_secret(self.secret)

    async def talk(self, there: AsyncExitStack, speakers: int) -> None:
        for number in range(speakers):
            profile = Profile(f"{self.name}{number}", COLORS[number])  # type: ignore[arg-type]
            robot = Robot(self.link(number == 0), profile, seed=number, pairs=1)
            self.people.append(await there.enter_async_context(robot))
        for person in self.people:
            await person.switch_camera(True)
            await person.switch_mic(True)

    @property
    def sent(self) -> int:
        calls = [person.call for person in self.people if person.call is not None]
        return sum(call.microphone.sent + call.camera.shown for call in calls)

    async def send(self, count: int) -> None:
        """Until the people have sent so many frames."""
        await self.people[0].until(lambda: self.sent >= count, within_s=150)

    async def look(self) -> Looked:
        """At the worst moment: while people talk, and right after somebody wrote the canary."""
        first, other = self.people[:2]
        await first.say("all", self.canary)
        await other.until(lambda: any(text == self.canary for _, text in other.read))
        sent = self.sent
        return await asyncio.to_thread(self._look, sent)

    def _look(self, sent: int) -> Looked:
        data = self.server.data
        web, worker = memory(self.server.pid), memory(self.server.worker())
        kept = everything(data)
        with tempfile.TemporaryDirectory() as elsewhere:
            ignored = shutil.ignore_patterns("*.sock")
            backup = shutil.copytree(data, Path(elsewhere) / "backup", ignore=ignored)
            kept += everything(backup)
        return Looked(list(noted(self._notes)), web, worker, kept, sent)


def memory(pid: int) -> bytes:
    """What a process can write to: heaps, stacks, and whatever libraries have taken (proc(5))."""
    found = []
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for line in maps:
            span, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if not rights.startswith("rw"):
                continue
            # A part may have gone meanwhile.
            with suppress(OSError):
                file.seek(begin)
                found.append(file.read(end - begin))
    return b"".join(found)


@asynccontextmanager
async def meeting(encrypted: bool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Meeting]:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        notes = Path(folder) / "notes"
        monkeypatch.setenv("LISTEN_TO", str(notes))
        server = Server(
            Path(folder) / "d", "tests.scenarios.listening", encrypted=encrypted, log_level="debug"
        )
        try:
            server.start()
            name = f"Canary{secrets.token_hex(6)}-"
            there = Meeting(server, notes, name, None)
            if encrypted:
                there.secret = await make_secret(there.link(is_lead=True))
            yield there
        finally:
            server.end()


async def test_ten_thousand_frames_and_a_thousand_words_are_nothing_to_the_server(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meeting(True, monkeypatch) as there, AsyncExitStack() as people:
        assert there.secret is not None
        await there.talk(people, SPEAKERS)
        other = there.link().with_secret(bytes(32))
        mallory = await people.enter_async_context(Robot(other, Profile("Mallory", "sky"), pairs=1))
        assert mallory.keys is not None
        words = [f"{there.canary} {number}" for number in range(WORDS)]
        # Who helps to lead may write at any time.
        scribes = [Scribe(there.link(is_lead=True), f"{there.name}{who}") for who in "xy"]
        for at in range(0, WORDS, 2 * AT_ONCE):
            halves = words[at : at + AT_ONCE], words[at + AT_ONCE : at + 2 * AT_ONCE]
            await asyncio.gather(
                *(scribe.write(*half) for scribe, half in zip(scribes, halves, strict=True))
            )
        await there.send(FRAMES * 21 // 20)
        looked = await there.look()

        whole = list(frames(looked.taken))
        assert len(whole) >= FRAMES and len(whole) >= looked.sent * 0.97, "not all was heard"
        kinds = Counter(frame.kind for frame in whole)
        assert kinds["audio"] >= 5_000 and kinds["video"] >= 500
        # Not one of them holds any of what was said or shown beyond what stays readable.
        beyond = told.beyond_clear()
        assert not any(beyond.are_in(packet) for what, packet in looked.taken if what != "t")
        assert all(frame.data.endswith(MARK) for frame in whole)
        # Another key opens none, and neither does another secret; the right keys open all.
        seats = {frame_seat(frame): frame for frame in whole}
        right, wrong = Receiver(), Receiver()
        for seat in seats:
            right.take(seat, told.first_keys[seat], 0)
            wrong.take(seat, SenderKey(told.first_keys[seat].id, secrets.token_bytes(32)), 0)
        assert len(seats) == SPEAKERS
        opened: Counter[str] = Counter()
        for frame in whole:
            seat = frame_seat(frame)
            opened["right"] += right.open(seat, frame.kind, frame.data, 0) is not None
            opened["wrong"] += wrong.open(seat, frame.kind, frame.data, 0) is not None
            opened["mallory"] += (
                mallory.keys.open(SeatId(f"s{seat}"), frame.kind, frame.data) is not None
            )
        assert opened == {"right": len(whole), "wrong": 0, "mallory": 0}

        texts = [data for what, data in looked.taken if what == "t"]
        said = [json.loads(text) for text in texts if b'"say"' in text]
        assert len(said) >= WORDS
        read = Receiver()
        for seat, key in told.first_keys.items():
            read.take(seat, key, 0)
        heard = [read.hear(writer(frame), frame["to"], frame["sealed"], 0) for frame in said]
        assert {text for _, text in filter(None, heard)} == {*words, there.canary}
        nothing = Receiver()
        for seat, key in told.first_keys.items():
            nothing.take(seat, SenderKey(key.id, secrets.token_bytes(32)), 0)
        assert not any(nothing.hear(writer(f), f["to"], f["sealed"], 0) for f in said)

        needles = (
            *(there.canary.encode(), there.name.encode(), to_b64(there.secret).encode()),
            *(there.secret, secrecy.announce(there.secret)),
        )
        keys = Runs()
        for raw in told.keys:
            keys.add(raw)
            keys.add(to_b64(raw).encode())
        sealed = b"".join(from_b64(value) or b"" for text in texts for value in strings(text))
        for place in (b"".join(texts), sealed):
            assert not keys.are_in(place)
            assert not [needle for needle in needles if needle in place]
        assert min(len(looked.web), len(looked.worker)) >= 20_000_000
        assert b"seat" in looked.kept
        for place in (looked.web, looked.worker, looked.kept):
            assert not [needle for needle in needles if needle in place]
            assert (beyond.count_in(place), keys.count_in(place)) == (0, 0)


async def test_the_same_search_finds_what_is_not_encrypted(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meeting(False, monkeypatch) as there, AsyncExitStack() as people:
        await there.talk(people, 3)
        await there.send(FEW)
        looked = await there.look()
        told.sounds.update(clip())
        beyond = told.beyond_clear()
        packets = [packet for what, packet in looked.taken if what in "av"]
        found = sum(map(beyond.are_in, packets))
        assert found >= len(packets) * 0.9 and len(packets) >= FEW * 0.9
        texts = b"".join(data for what, data in looked.taken if what == "t")
        for needle in (there.canary.encode(), there.name.encode()):
            assert needle in texts
            assert needle in looked.web
        assert beyond.count_in(looked.worker) >= 100


def frame_seat(frame: Frame) -> int:
    """Whose key it says that it is under."""
    size = frame.data[-5]
    read = sframe.decode_header(frame.data[-5 - size : -5])
    assert read is not None
    return read[0] >> 24


def writer(said: dict[str, str]) -> int:
    read = sframe.decode_header(from_b64(said["sealed"]) or b"")
    assert read is not None
    return read[0] >> 24


def strings(text: bytes) -> Iterator[str]:
    """Every string in a frame, at any depth."""
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
