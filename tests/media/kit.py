"""A media worker, driven as the web process drives it, and people who connect to it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.member import MID_ID, VP8, Member, rtp_packet, vp8_payload
from peermeet.core.model import Gate
from peermeet.hosting.ports import MediaLine
from peermeet.media.link import MediaLink

OPEN = Gate(audio=True, video=True)
SHUT = Gate(audio=False, video=False)
SEEN = Gate(audio=False, video=True)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for something to become true; fail when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - no event tells of counters in another process
            await asyncio.sleep(0.005)


class Sharer(Member):
    """Somebody with the sections of a screen too, one to show and one to see. They stand behind
    all others here: which is whose follows from their order among those of one kind and way."""

    def __init__(self, places: int = 3) -> None:
        self.screen_ssrc = secrets.randbits(32)
        self.shows, self.sees = str(2 + 2 * places), str(3 + 2 * places)
        super().__init__(places)

    def _offer(self, announce_ssrcs: bool, simulcast: bool, transport_cc: bool) -> str:
        text = super()._offer(announce_ssrcs, simulcast, transport_cc)
        first = text.index("m=")
        camera = "m=video" + text.split("m=video")[1].split("m=")[0]
        camera = "\r\n".join(x for x in camera.split("\r\n") if not x.startswith("a=ssrc:"))
        for mid, way in ((self.shows, "sendonly"), (self.sees, "recvonly")):
            text += camera.replace("a=mid:1", f"a=mid:{mid}").replace("sendonly", way)
        bundle = next(x for x in text[:first].split("\r\n") if x.startswith("a=group:BUNDLE"))
        return text.replace(bundle, f"{bundle} {self.shows} {self.sees}")

    def show_screen(self, key_frame: bool = True) -> None:
        """Send one picture of the screen, of one packet."""
        sequence = self._next(self.screen_ssrc)
        picture = vp8_payload(key_frame, sequence, sequence)
        extensions = {MID_ID: self.shows.encode()}
        self.send_rtp(
            rtp_packet(
                self.screen_ssrc,
                VP8,
                sequence,
                sequence * 9000,
                picture,
                marker=True,
                extensions=extensions,
            )
        )

    @property
    def seen(self) -> int:
        """Packets that came on the section of somebody else's screen."""
        return self.received[self.sees]


class Media:
    """A worker process behind a real link, one circle, and what the link told."""

    def __init__(
        self,
        folder: Path,
        lease_ms: int = 10_000,
        bind: str | Sequence[str] = "127.0.0.1",
        tcp: bool = True,
        announce: Sequence[str] = (),
        packets_per_s: int | None = 10**9,
    ) -> None:
        self.streams: dict[str, dict[str, str]] = {}
        self.states: list[tuple[str, str]] = []
        self.demands: dict[str, bool] = {}
        self.lines: list[dict[str, MediaLine]] = []
        self.restarts = 0
        self.members: dict[str, Member] = {}
        self._everybody: list[Member] = []
        self.gates: dict[str, Gate] = {}
        self.marked = False
        """Whether the circle is encrypted, from the next `gate` on."""
        self.link = MediaLink(
            socket=folder / "media.sock",
            bind=bind,
            tcp=tcp,
            announce=announce,
            lease_ms=lease_ms,
            packets_per_s=packets_per_s,
            on_streams=lambda _, seat, streams: self.streams.__setitem__(seat, streams),
            on_media=lambda _, seat, state: self.states.append((seat, state)),
            on_demand=self._demanded,
            on_restart=self._restarted,
            on_lines=lambda _, lines: self.lines.append(lines),
        )

    def _demanded(self, _: str, seat: str, high: bool) -> None:
        self.demands[seat] = high

    def _restarted(self) -> None:
        self.restarts += 1

    def gate(self, **gates: Gate) -> None:
        """Change these seats' gates; the others stay."""
        self.gates |= gates
        self.link.apply("circle", self.gates, self.marked)

    async def settle(self) -> dict[str, int]:
        """Wait until the worker has obeyed everything said so far; its counters."""
        return await self.link.stats()

    async def join(self, seat: str, member: Member | None = None) -> Member:
        """Connect a member (places for three others unless given) to a seat."""
        member = self.members[seat] = member or Member(3)
        self._everybody.append(member)
        await member.join(await self.link.answer("circle", seat, member.offer))
        await until(lambda: (seat, "connected") in self.states)
        return member

    def heard(self, seat: str, who: str) -> int:
        """Packets of sound and picture that `seat` opened on the sections showing `who`."""
        streams, received = self.streams.get(seat, {}), self.members[seat].received
        return sum(received[mid] for mid, other in streams.items() if other == who)

    async def arrived(self, seat: str, count: int) -> None:
        """Wait until the worker has opened this many packets of the seat."""
        await self.counted(f"received/circle/{seat}", count)

    async def counted(self, name: str, count: int = 1, every_s: float = 0.01) -> dict[str, int]:
        """Wait until one of the worker's counters has come so far; all of them."""
        async with asyncio.timeout(20):
            while (stats := await self.link.stats()).get(name, 0) < count:  # noqa: ASYNC110
                await asyncio.sleep(every_s)
        return stats

    async def end(self) -> None:
        for member in (*self._everybody, *self.members.values()):
            member.vanish()
        await self.link.stop()


class Bare:
    """A worker without a MediaLink: lines in, lines out."""

    lease_s = 0.4
    alone_s = 60.0

    gates: Mapping[str, Any] = {
        seat: {"audio": True, "video": True, "space": "main"} for seat in ("ana", "ben")
    }

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bare.sock"
        self.states: list[tuple[str, str]] = []
        self._links: list[asyncio.StreamWriter] = []
        self._members: list[Member] = []

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "peermeet.media.worker"),
            *("--socket", str(self.path), "--bind", "127.0.0.1", "--port", "0"),
            *("--lease-ms", str(int(self.lease_s * 1000))),
            *("--alone-ms", str(int(self.alone_s * 1000))),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await self.connect()

    async def connect(self) -> None:
        """Be its web process from now on, on a new link."""
        async with asyncio.timeout(15):
            while True:
                try:
                    self.reader, self.writer = await asyncio.open_unix_connection(self.path)
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    await asyncio.sleep(0.02)
        await self.say(do="take")
        self.ready = json.loads(await self.reader.readline())
        self._links.append(self.writer)

    async def two_talk(self) -> tuple[Member, Member]:
        """Ana and Ben are connected, in the circle "c", and may be heard."""
        await self.say(do="gates", circle="c", seats=self.gates)
        for seat in self.gates:
            member = Member(1)
            self._members.append(member)
            answer = await self.ask(do="offer", circle="c", seat=seat, sdp=member.offer)
            await member.join(answer["sdp"])
        while len(self.states) < 2:
            await self.ask(do="stats")
        return self._members[-2], self._members[-1]

    async def received(self, seat: str, count: int) -> None:
        """Wait until the worker has opened this many packets of the seat."""
        async with asyncio.timeout(10):
            while (await self.ask(do="stats"))["stats"][f"received/c/{seat}"] < count:
                pass

    async def say(self, **message: Any) -> None:
        """Send one line."""
        self.writer.write(json.dumps(message).encode() + b"\n")
        await self.writer.drain()

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send one line and wait for its answer; notes what is told in between."""
        await self.say(id=1, **message)
        async with asyncio.timeout(10):
            while True:
                line: dict[str, Any] = json.loads(await self.reader.readline())
                if line.get("tell") == "media":
                    self.states.append((line["seat"], line["state"]))
                if "re" in line:
                    return line

    async def ended(self) -> tuple[bytes, bytes]:
        """Wait for the end of the process; what it wrote to standard output and error."""
        for member in self._members:
            member.vanish()
        for link in self._links:
            link.close()
        async with asyncio.timeout(5):
            return await self.process.communicate()
