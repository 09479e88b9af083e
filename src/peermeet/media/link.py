"""The web process's end of the link to one media worker; pool.py makes the `Media` port of many.

Finds the worker that an earlier web process left running, or starts one, keeps it alive with a
sign of life, and starts it again when it dies; then the newest gates of its circles are applied
before anything else. What is said to a worker is ordered and bounded. Nothing here touches a
packet, and nothing here decides who may be heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from peermeet.core.model import Gate
from peermeet.hosting.ports import Held, MediaLine, MediaRefused
from peermeet.media.process import STOP_S, door, end, is_worker, listener, made, spawn
from peermeet.protocol import LineDetails, Watch

ANSWER_S: Final = 5.0
"""An offer that is not answered in this time counts as refused with "busy"."""
FIND_S: Final = 2.0
"""A worker that is already there says in this time what it holds, or is taken for hung."""
START_S: Final = 15.0
"""From starting the process to its first line; imports and the self-test take about one."""
ALIVE_S: Final = 1.0
DRAIN_S: Final = 5.0
"""A worker that reads nothing for this long is replaced."""
BACK_OFF_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
MAX_UNSENT: Final = 1024
"""Lines that may wait for the worker. Gates of one circle wait once, newest only."""
MAX_LINE_BYTES: Final = 1 << 20

logger = logging.getLogger(__name__)

OnLines = Callable[[str, dict[str, MediaLine]], None]


def nobody_asks(circle: str, lines: dict[str, MediaLine]) -> None:
    """Marks are for people to see; a link without people leaves them."""


class MediaFailed(Exception):
    """The worker cannot be started; its own log says why."""


@dataclass(frozen=True)
class _Ready:
    """A worker's first line. made: what it was started as; circles: what it holds."""

    pid: int
    port: int
    addresses: tuple[str, ...]
    made: tuple[str, ...]
    circles: Mapping[str, Mapping[str, Held]]


class MediaLink:
    """One media worker, as the web process sees it."""

    def __init__(
        self,
        *,
        socket: Path,
        bind: str | Sequence[str] = "0.0.0.0",
        port: int = 0,
        tcp: bool = True,
        announce: Sequence[str] = (),
        lease_ms: int = 10_000,
        packets_per_s: int | None = None,
        on_streams: Callable[[str, str, dict[str, str]], None],
        on_media: Callable[[str, str, str], None],
        on_restart: Callable[[], None],
        on_demand: Callable[[str, str, bool], None] = lambda circle, seat, high: None,
        on_lines: OnLines = nobody_asks,
    ) -> None:
        """socket: where the worker listens, in a directory only we may enter.
        bind: addresses, all with the port number `port`. tcp: whether they are reached by TCP too.
        packets_per_s: what one person may send, or None for the worker's own limit.

        on_streams(circle, seat, {mid: seat}); on_media(circle, seat, "connected",
        "left" or "gone"); on_lines(circle, {seat: line}), whole;
        on_demand(circle, seat, high): whether anybody is to see the seat's larger layer, told
        anew with each connection that has layers.
        on_restart(): all connections are lost, gates are applied, browsers should offer again.
        Callbacks run in the loop and must not block.
        """
        self.connections: dict[str, dict[str, Held]] = {}
        """What the worker holds, by circle and seat."""
        self.load_percent = 0
        """Of its core, as the worker said last."""
        self._socket = socket
        self._lease_ms = lease_ms
        addresses = [bind] if isinstance(bind, str) else bind
        self._arguments = ["--socket", str(socket), "--bind", *addresses, "--port", str(port)]
        self._arguments += ["--lease-ms", str(lease_ms)]
        if not tcp:
            self._arguments.append("--no-tcp")
        if packets_per_s is not None:
            self._arguments += ["--packets-per-s", str(packets_per_s)]
        if announce:
            self._arguments += ["--announce", *announce]
        self._on_streams, self._on_media, self._on_restart = on_streams, on_media, on_restart
        self._on_demand = on_demand
        self._gates: dict[str, Mapping[str, Gate]] = {}
        self._marked: set[str] = set()
        self._unsent: deque[_Line] = deque()
        self._unsent_gates: dict[str, _Line] = {}
        self._unsent_watches: dict[tuple[str, str], _Line] = {}
        self._on_lines = on_lines
        self._something = asyncio.Event()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._connected = False
        self._owner: asyncio.Task[None] | None = None
        self._last_word = "end"
        self._is_taken = False
        self.pid = 0
        self.port = 0
        self.addresses: tuple[str, ...] = ()

    async def start(self) -> None:
        """Find or start the worker and wait until it is ready. Raises MediaFailed."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._keep_alive(ready))
        try:
            await ready
        except MediaFailed:
            await self.stop()
            raise

    async def stop(self, for_good: bool = True) -> None:
        """End the link. Safe to repeat.

        for_good: end the worker as well. Else it goes on for its lease, or ends at once if
        nobody is connected: the next web process is not heard to begin.
        """
        if self._owner is not None:
            self._last_word = "end" if for_good else "leave"
            self._owner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._owner
            self._owner = None
        if for_good and not self._is_taken:
            await end(self.pid, self._socket)

    @property
    def is_up(self) -> bool:
        """Whether a worker is there now."""
        return self._connected

    def apply(self, circle: str, gates: Mapping[str, Gate], marked: bool = False) -> None:
        """Make these the gates of the circle. Returns at once; the newest state wins.

        marked: forward nothing of it that is not encrypted from end to end.
        """
        self._gates[circle] = dict(gates)
        (self._marked.add if marked else self._marked.discard)(circle)
        held = self.connections.get(circle, {})
        for seat in held.keys() - gates.keys():
            del held[seat]
        waiting = self._unsent_gates.get(circle)
        if waiting is not None:
            waiting.message = self._gates_message(circle)
        elif self._connected:
            self._unsent_gates[circle] = self._send(self._gates_message(circle))

    def watch(self, circle: str, seat: str, watch: Watch) -> None:
        """What pictures the seat wants. Returns at once; the newest wins, and none is kept."""
        whose = {"circle": circle, "seat": seat}
        message = {"do": "watch", **whose, "video": watch.video, "seats": watch.seats}
        waiting = self._unsent_watches.get((circle, seat))
        if waiting is not None:
            waiting.message = message
        elif self._connected:
            self._unsent_watches[circle, seat] = self._send(message)

    def gates(self, circle: str) -> Mapping[str, Gate]:
        """The newest gates of the circle; none if it has none."""
        return self._gates.get(circle, {})

    def is_marked(self, circle: str) -> bool:
        """Whether only what is encrypted is forwarded, as `apply` said last."""
        return circle in self._marked

    def drop(self, circle: str, seat: str) -> None:
        """Close the seat's connection and keep its gate."""
        self.connections.get(circle, {}).pop(seat, None)
        self._send({"do": "drop", "circle": circle, "seat": seat})

    def close(self, circle: str) -> None:
        """Close every connection of the circle and forget its gates."""
        self._gates.pop(circle, None)
        self._marked.discard(circle)
        self.connections.pop(circle, None)
        # Gates said after this must not slip in before it.
        self._unsent_gates.pop(circle, None)
        self._send({"do": "close", "circle": circle})

    async def answer(self, circle: str, seat: str, sdp: str) -> str:
        """The worker's answer to a browser's offer; it replaces the seat's connection.

        Raises MediaRefused ("bad_sdp" or "busy"), after `ANSWER_S` at the latest.
        """
        reply = await self._ask({"do": "offer", "circle": circle, "seat": seat, "sdp": sdp})
        answer = reply.get("sdp")
        if not isinstance(answer, str):
            # A seat the worker does not know yet will be known in a moment.
            raise MediaRefused("bad_sdp" if reply.get("refused") == "bad_sdp" else "busy")
        return answer

    async def stats(self) -> dict[str, int]:
        """The worker's counters, flat. Raises MediaRefused("busy") while there is no worker."""
        stats: dict[str, int] = (await self._ask({"do": "stats"}))["stats"]
        return stats

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if not self._connected or len(self._unsent) >= MAX_UNSENT:
            raise MediaRefused("busy")
        self._number += 1
        number = self._number
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        self._send({**message, "id": number})
        try:
            async with asyncio.timeout(ANSWER_S):
                reply: dict[str, Any] = await future
                return reply
        except TimeoutError:
            raise MediaRefused("busy") from None
        finally:
            self._answers.pop(number, None)

    def _send_all_gates(self) -> None:
        for circle in self._gates:
            if circle not in self._unsent_gates:
                self._unsent_gates[circle] = self._send(self._gates_message(circle))

    def _gates_message(self, circle: str) -> dict[str, Any]:
        seats = {
            seat: {
                "audio": gate.audio,
                "video": gate.video,
                "space": gate.space,
                "focus": gate.focus,
                "screen": gate.screen,
            }
            for seat, gate in self._gates[circle].items()
        }
        return {"do": "gates", "circle": circle, "seats": seats, "marked": self.is_marked(circle)}

    def _send(self, message: dict[str, Any]) -> _Line:
        line = _Line(message)
        # Without a worker there is nothing to close or drop, and gates are applied on arrival.
        if self._connected:
            self._unsent.append(line)
            self._something.set()
        return line

    # The worker's life

    async def _keep_alive(self, ready: asyncio.Future[None]) -> None:
        failures = 0
        while True:
            try:
                await self._live(ready)
                failures = 0
            except MediaFailed as fault:
                if not ready.done():
                    ready.set_exception(fault)
                    return
                failures += 1
            if self._is_taken:
                # To take it back would be a quarrel for ever, and everybody would hear it.
                logger.error("another web process has taken over the media worker")
                return
            logger.error("media worker ended failures=%d", failures)
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """One link from start to end. Raises MediaFailed if no worker became ready."""
        found = await self._find()
        reader, writer, told = found or await self._start_worker()
        self.pid, self.port, self.addresses = told.pid, told.port, told.addresses
        self._connected = True
        self._send_all_gates()
        if not ready.done():
            self.connections = {c: dict(seats) for c, seats in told.circles.items()}
            ready.set_result(None)
        elif found:
            self._compare(told.circles)
        else:
            self.connections.clear()
            self._call(self._on_restart)
        reading = asyncio.create_task(self._read(reader))
        tasks = [
            reading,
            asyncio.create_task(self._write(writer)),
            asyncio.create_task(self._stay()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # The worker closes the link when it ends; if we have to, it does not listen.
            if not reading.done():
                await end(self.pid, self._socket, patience_s=0)
        except asyncio.CancelledError:
            await self._say_last_word(writer)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._connected = False
            self._unsent.clear()
            self._unsent_gates.clear()
            self._unsent_watches.clear()
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(MediaRefused("busy"))
            writer.close()

    async def _say_last_word(self, writer: asyncio.StreamWriter) -> None:
        """After everything that still waits: a circle that ended must be closed there too."""
        self._send({"do": self._last_word})
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._write_unsent(writer)
                writer.close()
                await writer.wait_closed()

    async def _find(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, _Ready] | None:
        """The worker that is already there, if we would start the same; any other is ended.

        A socket that nobody listens at, and one at which a stranger does, are replaced by the
        worker that is started next.
        """
        try:
            reader, writer = await _connect(self._socket)
        except OSError:
            # What does not listen any more may not have ended quite yet.
            await end(self.pid, self._socket)
            return None
        pid, told = listener(writer), None
        try:
            async with asyncio.timeout(FIND_S):
                told = await _take(reader, writer)
            if told.pid == pid and told.made == made(self._arguments):
                return reader, writer, told
            writer.write(b'{"do":"end"}\n')
            await writer.drain()
        except (TimeoutError, OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        except asyncio.CancelledError:
            writer.close()
            raise
        writer.close()
        logger.warning("media worker not taken over, is_ours=%s", told is not None)
        await end(pid, self._socket, patience_s=STOP_S if told else 0)
        return None

    async def _start_worker(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, _Ready]:
        """Raises MediaFailed."""
        # What another listens at must not be taken for the new one.
        self._socket.unlink(missing_ok=True)
        self.pid = spawn(self._arguments)
        try:
            async with asyncio.timeout(START_S):
                while True:
                    try:
                        reader, writer = await _connect(self._socket)
                        return reader, writer, await _take(reader, writer)
                    except (FileNotFoundError, ConnectionRefusedError):
                        if not is_worker(self.pid, self._socket):
                            raise
                        await asyncio.sleep(0.02)
        except (TimeoutError, OSError, ValueError, KeyError):
            await end(self.pid, self._socket, patience_s=0)
            raise MediaFailed("the media worker does not start") from None
        except asyncio.CancelledError:
            await end(self.pid, self._socket, patience_s=0)
            raise

    def _compare(self, circles: Mapping[str, Mapping[str, Held]]) -> None:
        """The link was broken and the worker was not: tell what has changed meanwhile."""
        before = self.connections
        self.connections = {c: dict(seats) for c, seats in circles.items()}
        for circle in circles.keys() - self._gates.keys():
            self.close(circle)
        for circle, seats in before.items():
            for seat in seats.keys() - self.connections.get(circle, {}).keys():
                self._call(self._on_media, circle, seat, "gone")
        for circle, seats in self.connections.items():
            for seat, held in seats.items():
                self._call(self._on_streams, circle, seat, dict(held.streams))
                if held.high is not None:
                    self._call(self._on_demand, circle, seat, held.high)
                if held.connected:
                    self._call(self._on_media, circle, seat, "connected")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = _parse(line)
            match message.get("tell"):
                case "streams":
                    circle, seat = message["circle"], message["seat"]
                    self._note(circle, seat, streams=message["streams"])
                    self._call(self._on_streams, circle, seat, message["streams"])
                case "demand":
                    circle, seat = message["circle"], message["seat"]
                    self._note(circle, seat, high=message["high"])
                    self._call(self._on_demand, circle, seat, message["high"])
                case "media":
                    circle, seat = message["circle"], message["seat"]
                    self._note(circle, seat, state=message["state"])
                    self._call(self._on_media, circle, seat, message["state"])
                case "lines":
                    lines = {seat: _line(told) for seat, told in message["seats"].items()}
                    self._call(self._on_lines, message["circle"], lines)
                case "load":
                    self.load_percent = message["percent"]
                case "taken":
                    self._is_taken = True
                case _:
                    future = self._answers.get(message.get("re", 0))
                    if future is not None and not future.done():
                        future.set_result(message)

    def _note(self, circle: str, seat: str, *, state: str = "", **changed: Any) -> None:
        """Keep `connections` true. changed: of `Held`."""
        if circle not in self.connections and circle not in self._gates:
            return  # It was closed while this was on its way.
        seats = self.connections.setdefault(circle, {})
        if state in ("left", "gone"):
            seats.pop(seat, None)
            return
        if state == "connected":
            changed["connected"] = True
        seats[seat] = replace(seats.get(seat, Held({}, connected=False)), **changed)

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._something.wait()
            await self._write_unsent(writer)
            self._something.clear()

    async def _write_unsent(self, writer: asyncio.StreamWriter) -> None:
        while self._unsent:
            line = self._unsent.popleft()
            circle = line.message.get("circle", "")
            if self._unsent_gates.get(circle) is line:
                del self._unsent_gates[circle]
            whose = (circle, line.message.get("seat", ""))
            if self._unsent_watches.get(whose) is line:
                del self._unsent_watches[whose]
            writer.write(json.dumps(line.message, separators=(",", ":")).encode() + b"\n")
            async with asyncio.timeout(DRAIN_S):
                await writer.drain()

    async def _stay(self) -> None:
        """Give signs of life; end (and with it the worker) when too much waits."""
        loop = asyncio.get_running_loop()
        said_at = loop.time()
        while len(self._unsent) <= MAX_UNSENT:
            now = loop.time()
            if now - said_at > self._lease_ms / 2000:
                # We stood still for so long that the worker may have closed every gate.
                self._send_all_gates()
            said_at = now
            self._send({"do": "alive"})
            await asyncio.sleep(ALIVE_S)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        # A fault above must not cost a circle its media.
        except Exception:
            logger.exception("media callback failed")


class _Line:
    """One message that waits for the worker; gates are replaced in place while they wait."""

    __slots__ = ("message",)

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message


def _line(told: dict[str, Any]) -> MediaLine:
    details = LineDetails(told["rtt_ms"], told["loss_percent"], told["layer"], told["path"])
    return MediaLine(told["mark"], told["weak"], details)


def _parse(line: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but one JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


async def dismiss(socket: Path) -> None:
    """End the worker at this socket, if there is one, and remove what it leaves."""
    with contextlib.suppress(OSError):
        _, writer = await _connect(socket)
        pid = listener(writer)
        writer.write(b'{"do":"take"}\n{"do":"end"}\n')
        await writer.drain()
        await end(pid, socket)
        writer.close()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(socket)


async def _connect(socket: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with door(socket) as address:
        return await asyncio.open_unix_connection(address, limit=MAX_LINE_BYTES)


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Ready:
    """Become this worker's web process. Raises OSError, ValueError, KeyError."""
    writer.write(b'{"do":"take"}\n')
    told = _parse(await reader.readline())
    circles = {
        circle: {
            seat: Held(held["streams"], held["connected"], held["high"])
            for seat, held in seats.items()
        }
        for circle, seats in told["circles"].items()
    }
    return _Ready(told["pid"], told["port"], tuple(told["addresses"]), tuple(told["made"]), circles)
