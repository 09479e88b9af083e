"""People whose microphones never stop, and whose ears note every packet: who, and when it was said.

Each sends the robots' spoken clip from a place of their own, 50 packets a second from the first
moment to the last, whatever the floor. No two packets of the clip are alike, so a listener knows
when the words it hears were sent. Nothing is decoded.
"""

import asyncio
import bisect
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from bench.member import Member
from peermeet.core.messages import Command, Leave
from peermeet.core.model import SeatId
from peermeet.core.project import SeatView, View
from peermeet.protocol import (
    AGREEMENT_VERSION,
    VERSION,
    Answer,
    ClientFrame,
    Do,
    Done,
    Hello,
    Offer,
    Profile,
    Reoffer,
    Show,
)
from peermeet.robots.line import Line, LineEnded, Link, Refused
from peermeet.robots.speech import clip

PACKET_S = 0.02
LIMIT_S = 30.0
LATEST_S = 1.0
"""Longer on the way, and a packet is not ours: the next to speak these words is farther behind."""

Words = dict[bytes, tuple[SeatId, float]]
"""Who said these words last, and when; shared by everybody."""


@dataclass(frozen=True)
class Heard:
    """One packet of somebody's voice. sent_s: when they spoke it, came_s: when it arrived."""

    seat: SeatId
    sent_s: float
    came_s: float


class Guest:
    """Somebody in the circle. Use `sit`; `leave` frees the seat."""

    def __init__(self, name: str, line: Line, place: int) -> None:
        """place: where in the clip to begin."""
        self.name = name
        self.seat = line.welcome.seat
        self.line = line
        self.views: list[View] = []
        self.seen_s: list[float] = []
        """When each of `views` came."""
        self.heard: list[Heard] = []
        self.voices = Counter[SeatId]()
        """How many packets of each."""
        self.sounds = self.pictures = 0
        """How many packets came on sections for sound, and for pictures."""
        self.strange = 0
        """Packets that nobody here has sent."""
        self.words: Words = {}
        self.spoken_s: list[float] = []
        """When each packet was sent."""
        self.reoffers = 0
        """How often the server has asked for a new media connection."""
        self._next = place
        self._news = asyncio.Event()
        self._member: Member | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._listen()

    @classmethod
    async def sit(cls, link: Link, name: str, place: int) -> Self:
        """Take a seat and connect media."""
        hello = Hello(VERSION, Profile(name, "teal"), AGREEMENT_VERSION, link.token)
        guest = cls(name, await Line.open(link, hello), place)
        await guest.connect()
        await guest.until(lambda: bool(guest.views))
        return guest

    async def connect(self) -> None:
        """Make a new media connection."""
        member = Member(self.line.welcome.capacity - 1, ip="0.0.0.0")
        member.on_rtp = self._hear
        answer = await self.ask(lambda ref: Offer(ref, member.offer))
        assert isinstance(answer, Answer)
        await member.join(answer.sdp)
        old, self._member = self._member, member
        if old is not None:
            await old.leave()

    async def come_back(self, link: Link) -> None:
        """Once the line is gone: the same page reconnects it, and its media go on meanwhile."""
        hello = Hello(
            VERSION,
            Profile(self.name, "teal"),
            AGREEMENT_VERSION,
            resume=self.line.welcome.resume,
        )
        await self._hang_up()
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    self.line = await Line.open(link, hello)
                    break
                except LineEnded as end:
                    assert end.again, end.code
                    await asyncio.sleep(0.05)
        seen = len(self.views)
        self._listen()
        await self.until(lambda: len(self.views) > seen)

    @property
    def view(self) -> View:
        return self.views[-1]

    @property
    def me(self) -> SeatView:
        return next(seat for seat in self.view.seats if seat.id == self.seat)

    def view_at(self, at_s: float) -> View | None:
        """What this person saw at a moment."""
        index = bisect.bisect_right(self.seen_s, at_s) - 1
        return self.views[index] if index >= 0 else None

    async def ask(self, frame: Callable[[str], ClientFrame]) -> Done | Answer:
        """Raises Refused, LineEnded, TimeoutError."""
        return await self.line.ask(frame)

    async def do(self, command: Command) -> None:
        """Raises Refused, LineEnded, TimeoutError."""
        await self.ask(lambda ref: Do(ref, command))

    async def tries(self, command: Command) -> None:
        """Press a button that may be refused."""
        with suppress(Refused, LineEnded):
            await self.do(command)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something about this person; at most LIMIT_S."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def speak(self, lost: bool = False) -> None:
        """Send the next packet of the clip, whatever the floor. lost: it does not arrive."""
        assert self._member is not None
        packet = clip()[self._next % len(clip())]
        self._next += 1
        if lost:
            self._member.sequence[self._member.audio_ssrc] += 1
            return
        self.words[packet] = self.seat, time.monotonic()
        self._member.speak(packet)
        self.spoken_s.append(time.monotonic())

    def show(self) -> None:
        """Send a picture that needs no other, whatever the floor."""
        assert self._member is not None
        self._member.show(key_frame=True)

    def stay(self) -> None:
        """Check the path, as who sends nothing must now and then."""
        assert self._member is not None
        self._member.check()

    async def leave(self) -> None:
        assert self._member is not None
        with suppress(LineEnded):
            await self.do(Leave())
        await self._hang_up()
        await self._member.leave()

    def _listen(self) -> None:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self.line.beat())]

    async def _hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.line.close()

    async def _read(self) -> None:
        async for frame in self.line.frames():
            if isinstance(frame, Show):
                self.views.append(frame.view)
                self.seen_s.append(time.monotonic())
            elif isinstance(frame, Reoffer):
                self.reoffers += 1
            self._news.set()

    def _hear(self, mid: str, packet: bytes) -> None:
        """The words tell whose they are: `streams` may come a little after the first packets."""
        if int(mid) % 2:
            self.pictures += 1
            self._news.set()
            return
        self.sounds += 1
        came_s = time.monotonic()
        said = self.words.get(_payload(packet))
        if said is None or came_s - said[1] > LATEST_S:
            self.strange += 1
        else:
            self.voices[said[0]] += 1
            self.heard.append(Heard(*said, came_s))
        self._news.set()


def _payload(packet: bytes) -> bytes:
    """What follows the header (RFC 3550 §5.1) and its extension."""
    start = 12 + 4 * (packet[0] & 15)
    if packet[0] & 16:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    return packet[start:]


class Voices:
    """Everybody sends, evenly spread, for as long as `talk` runs."""

    def __init__(self, guests: Sequence[Guest]) -> None:
        self._guests = guests
        self.late_s = 0.0
        """How long this machine made one of the packets wait."""
        words: Words = {}
        for guest in guests:
            guest.words = words

    async def talk(self) -> None:
        begun, sent = time.monotonic(), 0
        while True:
            self._guests[sent % len(self._guests)].speak()
            sent += 1
            due = begun + sent * PACKET_S / len(self._guests)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late_s = max(self.late_s, time.monotonic() - due)
