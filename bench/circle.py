"""What people wait for in a circle of 8: the floor moving on, a safe room, and taking a seat.

The product's own server (`peermeet serve`, a web process and a media worker, durable SQLite)
against people who decode nothing: `bench.member` for the datagrams, the robots' line for the
rest. `python -m bench.circle` prints a table; it takes about a minute. It must not measure
itself: whoever joins does so in a process of their own, which tells how much CPU that took.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

from bench.member import Member
from peermeet.core.messages import (
    Command,
    Leave,
    LiftSafety,
    PassTurn,
    SafeRoom,
    SetCamera,
    SetMic,
    StartPhase,
)
from peermeet.core.model import Mode, SeatId
from peermeet.core.project import Progress, View
from peermeet.protocol import (
    AGREEMENT_VERSION,
    VERSION,
    Answer,
    Do,
    Done,
    Hello,
    Offer,
    Profile,
    Show,
    Streams,
)
from peermeet.robots.line import Line, LineEnded, Link
from tests.scenarios.server import Server

PEOPLE = 8
ROUNDS = 10
"""Of PEOPLE - 1 hand-overs each."""
JOINS = 50
SAFE_ROOMS = 30
"""Each with everybody heard and seen before."""
QUIET_S = 0.6
"""Nothing more comes after this long, or it is not quiet; longer than what is allowed."""
WARM_UP = 2
"""Joins, and hand-overs, that do not count."""
PACKET_S = 0.02
"""One packet of Opus."""
PAUSE_S = (0.1, 0.4)
"""Between two measurements: long enough for silence, and out of step with the packets."""
LIMIT_S = 10.0

Stages = dict[str, float]
"""Milliseconds since the beginning, by what had happened then."""


class Person:
    """Somebody in the circle. Use `sit`; `leave` frees the seat."""

    def __init__(self, line: Line) -> None:
        self.seat = line.welcome.seat
        self.view: View | None = None
        self.heard: dict[SeatId, float] = {}
        """When the first packet of each seat came, since it was last cleared; seconds."""
        self.heard_last: dict[SeatId, float] = {}
        """When the newest packet of each seat came, of sound or picture."""
        self._line = line
        self._streams: dict[str, SeatId] = {}
        self._news = asyncio.Event()
        # As many places as a browser asks for: the server has all of them to negotiate.
        self._member = Member(line.welcome.capacity - 1, ip="0.0.0.0")
        self._member.on_rtp = self._hear
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(line.beat())]

    @classmethod
    async def sit(cls, link: Link, stage: Callable[[str], None] = lambda _: None) -> Person:
        """Take a seat and connect media; `stage` is told when each part is done."""
        profile = Profile("Juniper", "teal")
        line = await Line.open(link, Hello(VERSION, profile, AGREEMENT_VERSION, link.token))
        stage("welcome")
        person = cls(line)
        answer = await line.ask(lambda ref: Offer(ref, person._member.offer))
        stage("answer")
        assert isinstance(answer, Answer)
        await person._member.join(answer.sdp)
        stage("connected")
        return person

    async def do(self, command: Command) -> None:
        """Have a command done. Raises Refused, LineEnded, TimeoutError."""
        assert isinstance(await self._line.ask(lambda ref: Do(ref, command)), Done)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something about this person. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def hear(self, seats: Sequence[SeatId]) -> float:
        """When the last of these was first heard. Raises TimeoutError."""
        await self.until(lambda: all(seat in self.heard for seat in seats))
        return max(self.heard[seat] for seat in seats)

    def speak(self) -> None:
        """Send one packet, whatever the floor."""
        self._member.speak()

    def show(self, key_frame: bool) -> None:
        """Send one picture, whatever the gates."""
        self._member.show(key_frame)

    async def leave(self) -> None:
        """Free the seat and close everything."""
        # The answer to leaving is the end of the line.
        with suppress(LineEnded):
            await self.do(Leave())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._line.close()
        await self._member.leave()

    async def _read(self) -> None:
        async for frame in self._line.frames():
            match frame:
                case Show():
                    self.view = frame.view
                case Streams():
                    self._streams = frame.mids
            self._news.set()

    def _hear(self, mid: str, _: bytes) -> None:
        seat = self._streams.get(mid)
        if seat is None:
            return
        self.heard_last[seat] = time.perf_counter()
        if seat not in self.heard:
            self.heard[seat] = self.heard_last[seat]
            self._news.set()


async def talk(people: Sequence[Person], pictures: bool = False) -> None:
    """Everybody sends 50 packets a second, evenly spread, until cancelled; and 25 pictures."""
    begun, sent = time.perf_counter(), 0
    while True:
        people[sent % len(people)].speak()
        turn = sent // len(people)
        if pictures and turn % 2:
            people[sent % len(people)].show(key_frame=turn % 50 == 1)
        sent += 1
        due = begun + sent * PACKET_S / len(people)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def hand_over(people: dict[SeatId, Person], holder: Person) -> tuple[Person, Stages]:
    """The holder passes; until everybody else hears the next one, who is answered."""
    view = holder.view
    assert view is not None and view.turn is not None and view.turn.seat == holder.seat
    number = view.turn.number
    following = next(entry.seat for entry in view.order if entry.progress is Progress.WAITING)
    successor = people[following]
    others = [person for person in people.values() if person is not successor]
    for person in others:
        person.heard.clear()

    stages, cpu, begun = Stages(), time.process_time(), time.perf_counter()

    def stage(name: str, at: float | None = None) -> None:
        stages[name] = ((at or time.perf_counter()) - begun) * 1000

    async def pass_on() -> None:
        await holder.do(PassTurn(number))
        stage("done")

    async def take_over() -> None:
        await successor.until(lambda: _number_of(successor, following) > number)
        stage("told")
        await successor.do(SetMic(True))
        stage("mic")

    await asyncio.gather(pass_on(), take_over())
    heard = [await person.hear([following]) for person in others]
    stages["client_cpu"] = (time.process_time() - cpu) * 1000
    if (min(heard) - begun) * 1000 < stages["told"]:
        raise AssertionError("heard before they had the floor")
    stage("heard", max(heard))
    return successor, stages


async def hand_overs(people: dict[SeatId, Person], lead: Person, folder: Path) -> list[Stages]:
    """Rounds in which everybody says a little, and the disk's yardstick between the turns."""
    measured = []
    for _ in range(ROUNDS):
        await lead.do(StartPhase(Mode.ROUND, first=lead.seat))
        holder = lead
        await holder.until(lambda: _number_of(lead, lead.seat) > 0)
        await holder.do(SetMic(True))
        for _ in range(len(people) - 1):
            await asyncio.sleep(random.uniform(*PAUSE_S))
            flush = await asyncio.to_thread(flush_ms, folder)
            holder, stages = await hand_over(people, holder)
            measured.append({**stages, "flush": flush})
    return measured[WARM_UP:]


async def safe_room(people: Sequence[Person], lead: Person) -> Stages:
    """Somebody who leads presses the key; until the last packet of anybody else has come."""
    members = [person for person in people if person is not lead]
    seats = [person.seat for person in members]
    for person in members:
        await person.do(SetMic(True))
        await person.do(SetCamera(True))
    for person in people:
        person.heard.clear()
        await person.hear([seat for seat in seats if seat != person.seat])
    await asyncio.sleep(random.uniform(*PAUSE_S))
    stages, begun = Stages(), time.perf_counter()
    await lead.do(SafeRoom())
    stages["done"] = (time.perf_counter() - begun) * 1000
    await asyncio.sleep(QUIET_S)
    last = max(p.heard_last[seat] for p in people for seat in seats if seat in p.heard_last)
    if time.perf_counter() - last < PACKET_S:
        raise AssertionError("packets still come")
    stages["quiet"] = (last - begun) * 1000
    await lead.do(LiftSafety(everyone=True))
    return stages


async def safe_rooms(people: Sequence[Person], lead: Person) -> list[Stages]:
    """Open talk, everybody at once, and one key."""
    await lead.do(StartPhase(Mode.TALK))
    talking = asyncio.create_task(talk(people, pictures=True))
    try:
        return [await safe_room(people, lead) for _ in range(WARM_UP + SAFE_ROOMS)][WARM_UP:]
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def join(link: Link, others: Sequence[SeatId]) -> Stages:
    """Come, hear all the others, and go."""
    stages, cpu, begun = Stages(), time.process_time(), time.perf_counter()

    def stage(name: str) -> None:
        stages[name] = (time.perf_counter() - begun) * 1000

    person = await Person.sit(link, stage)
    try:
        heard = await person.hear(others)
        stages["client_cpu"] = (time.process_time() - cpu) * 1000
        stages["heard"] = (heard - begun) * 1000
    finally:
        await person.leave()
    return stages


def joins(link: Link, others: Sequence[SeatId]) -> list[Stages]:
    """One newcomer again and again; runs in a process of its own."""

    async def come_and_go() -> list[Stages]:
        measured = []
        for _ in range(WARM_UP + JOINS):
            await asyncio.sleep(random.uniform(*PAUSE_S))
            measured.append(await join(link, others))
        return measured[WARM_UP:]

    return asyncio.run(come_and_go())


async def meet(lead: Link, link: Link, folder: Path) -> dict[str, float]:
    """Both measurements with one circle."""
    people = {}
    facilitator = await Person.sit(lead)
    people[facilitator.seat] = facilitator
    for _ in range(PEOPLE - 2):
        person = await Person.sit(link)
        people[person.seat] = person
    everybody = list(people.values())
    talking = asyncio.create_task(talk(everybody))
    try:
        for person in everybody:
            await person.do(SetMic(True))
        loop, own = asyncio.get_running_loop(), multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, own) as process:
            joined = await loop.run_in_executor(process, joins, link, list(people))
        last = await Person.sit(link)
        people[last.seat] = last
        everybody.append(last)
        handed = await hand_overs(people, facilitator, folder)
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        # Eight robots beside the one who presses the key.
        everybody.append(await Person.sit(link))
        made_safe = await safe_rooms(everybody, facilitator)
        for person in everybody:
            await person.leave()
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    return {
        "handovers": len(handed),
        "handover_ms_p50": _percentile(handed, "heard", 50),
        "handover_ms_p95": _percentile(handed, "heard", 95),
        "handover_done_ms_p50": _percentile(handed, "done", 50),
        "handover_told_ms_p50": _percentile(handed, "told", 50),
        "handover_mic_ms_p50": _percentile(handed, "mic", 50),
        "handover_client_cpu_ms_p50": _percentile(handed, "client_cpu", 50),
        "safe_rooms": len(made_safe),
        "safe_room_ms_p50": _percentile(made_safe, "quiet", 50),
        "safe_room_ms_p95": _percentile(made_safe, "quiet", 95),
        "safe_room_done_ms_p50": _percentile(made_safe, "done", 50),
        "flush_ms_p50": _percentile(handed, "flush", 50),
        "flush_ms_p95": _percentile(handed, "flush", 95),
        "joins": len(joined),
        "join_ms_p50": _percentile(joined, "heard", 50),
        "join_ms_p95": _percentile(joined, "heard", 95),
        "join_welcome_ms_p50": _percentile(joined, "welcome", 50),
        "join_answer_ms_p50": _percentile(joined, "answer", 50),
        "join_connected_ms_p50": _percentile(joined, "connected", 50),
        "join_client_cpu_ms_p50": _percentile(joined, "client_cpu", 50),
    }


def cpu_ns(pid: int) -> tuple[int, int]:
    """How long this process's threads were on a core, and how long they waited for one."""
    threads = [
        [int(field) for field in (thread / "schedstat").read_text().split()]
        for thread in Path(f"/proc/{pid}/task").iterdir()
    ]
    return sum(thread[0] for thread in threads), sum(thread[1] for thread in threads)


def flush_ms(folder: Path) -> float:
    """The yardstick of the disk: how long it takes to write 4 KiB and have them kept."""
    with open(folder / "flush", "wb", buffering=0) as file:
        begun = time.perf_counter()
        file.write(bytes(4096))
        os.fsync(file.fileno())
        return (time.perf_counter() - begun) * 1000


def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder))
        try:
            server.start()
            lead, link = (
                Link.parse(f"{server.url}/join#{token}")
                for token in (server.facilitator, server.participant)
            )
            ran, waited = cpu_ns(server.pid)
            figures = asyncio.run(meet(lead, link, Path(folder)))
            ran_then, waited_then = cpu_ns(server.pid)
            ratio = (waited_then - waited) / (ran_then - ran)
            return {"server_wait_ratio": round(ratio, 2), **figures}
        finally:
            server.end()


def _number_of(person: Person, seat: SeatId) -> int:
    """The number of the turn that this person sees the seat having, or 0."""
    turn = None if person.view is None else person.view.turn
    return turn.number if turn is not None and turn.seat == seat else 0


def _percentile(measured: Sequence[Stages], stage: str, percent: int) -> float:
    values = [stages[stage] for stages in measured]
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def main() -> None:
    """Measure and print a table."""
    print(f"a circle of {PEOPLE} on the product's own server")
    for name, value in measure().items():
        print(f"  {name:<32}{value:>12g}")


if __name__ == "__main__":
    main()
