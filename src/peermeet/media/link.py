"""The web process's end of the link to its media worker: the `Media` port over a unix socket.

Starts the worker, keeps it alive with a sign of life, and starts it again when it dies; then the
newest gates of all circles are applied before anything else. What is said to a worker is ordered
and bounded. Nothing here touches a packet, and nothing here decides who may be heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket as network
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Network, ip_address
from pathlib import Path
from typing import Any, Final

from peermeet.core.model import Gate
from peermeet.hosting.ports import MediaLine, MediaRefused
from peermeet.protocol import LineDetails, Watch

ANSWER_S: Final = 5.0
"""An offer that is not answered in this time counts as refused with "busy"."""
START_S: Final = 15.0
"""From starting the process to its first line; imports and the self-test take about one."""
STOP_S: Final = 3.0
"""Then the worker is killed."""
ALIVE_S: Final = 1.0
DRAIN_S: Final = 5.0
"""A worker that reads nothing for this long is replaced."""
BACK_OFF_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
MAX_UNSENT: Final = 1024
"""Lines that may wait for the worker. Gates of one circle wait once, newest only."""
MAX_LINE_BYTES: Final = 1 << 20
IPV6_ADDR_PREFERENCES: Final = 72
PREFER_SRC_PUBLIC: Final = 2
"""Of Linux (RFC 5014); Python names neither."""
UNIQUE_LOCAL: Final = IPv6Network("fc00::/7")

logger = logging.getLogger(__name__)

OnLines = Callable[[str, dict[str, MediaLine]], None]


def _nobody_asks(circle: str, lines: dict[str, MediaLine]) -> None:
    """Marks are for people to see; a link without people leaves them."""


class MediaFailed(Exception):
    """The worker cannot be started; its own log says why."""


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
        on_lines: OnLines = _nobody_asks,
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
        self._unsent: deque[_Line] = deque()
        self._unsent_gates: dict[str, _Line] = {}
        self._unsent_watches: dict[tuple[str, str], _Line] = {}
        self._on_lines = on_lines
        self._something = asyncio.Event()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._connected = False
        self._owner: asyncio.Task[None] | None = None
        self.pid = 0
        self.port = 0
        self.addresses: tuple[str, ...] = ()

    async def start(self) -> None:
        """Start the worker and wait until it is ready. Raises MediaFailed."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._keep_alive(ready))
        try:
            await ready
        except MediaFailed:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the worker and everything waiting for it. Safe to repeat."""
        if self._owner is not None:
            self._owner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._owner
            self._owner = None

    @property
    def is_up(self) -> bool:
        """Whether a worker is there now."""
        return self._connected

    def apply(self, circle: str, gates: Mapping[str, Gate]) -> None:
        """Make these the gates of the circle. Returns at once; the newest state wins."""
        self._gates[circle] = dict(gates)
        waiting = self._unsent_gates.get(circle)
        if waiting is not None:
            waiting.message = _gates_message(circle, gates)
        elif self._connected:
            self._unsent_gates[circle] = self._send(_gates_message(circle, gates))

    def watch(self, circle: str, seat: str, watch: Watch) -> None:
        """What pictures the seat wants. Returns at once; the newest wins, and none is kept."""
        whose = {"circle": circle, "seat": seat}
        message = {"do": "watch", **whose, "video": watch.video, "seats": watch.seats}
        waiting = self._unsent_watches.get((circle, seat))
        if waiting is not None:
            waiting.message = message
        elif self._connected:
            self._unsent_watches[circle, seat] = self._send(message)

    def drop(self, circle: str, seat: str) -> None:
        """Close the seat's connection and keep its gate."""
        self._send({"do": "drop", "circle": circle, "seat": seat})

    def close(self, circle: str) -> None:
        """Close every connection of the circle and forget its gates."""
        self._gates.pop(circle, None)
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
        for circle, gates in self._gates.items():
            if circle not in self._unsent_gates:
                self._unsent_gates[circle] = self._send(_gates_message(circle, gates))

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
            logger.error("media worker ended failures=%d", failures)
            await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """One worker from start to end. Raises MediaFailed if it never became ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "peermeet.media.worker",
            *self._arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            # Ctrl-C is for us; the worker ends when its link does.
            start_new_session=True,
        )
        writer: asyncio.StreamWriter | None = None
        try:
            try:
                async with asyncio.timeout(START_S):
                    reader, writer = await self._connect(process)
                    ready_line = _parse(await reader.readline())
                    self.pid, self.port = ready_line["pid"], ready_line["port"]
                    self.addresses = tuple(ready_line["addresses"])
            except (TimeoutError, OSError, ValueError, KeyError):
                raise MediaFailed("the media worker does not start") from None
            self._connected = True
            self._send_all_gates()
            if ready.done():
                self._call(self._on_restart)
            else:
                ready.set_result(None)
            tasks = [
                asyncio.create_task(self._read(reader)),
                asyncio.create_task(self._write(writer)),
                asyncio.create_task(self._stay()),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._connected = False
            self._unsent.clear()
            self._unsent_gates.clear()
            self._unsent_watches.clear()
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(MediaRefused("busy"))
            if writer is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            else:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            await _end(process)

    async def _connect(
        self, process: asyncio.subprocess.Process
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                return await asyncio.open_unix_connection(self._socket, limit=MAX_LINE_BYTES)
            except (FileNotFoundError, ConnectionRefusedError):
                if process.returncode is not None:
                    raise
                await asyncio.sleep(0.02)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = _parse(line)
            match message.get("tell"):
                case "streams":
                    circle, seat = message["circle"], message["seat"]
                    self._call(self._on_streams, circle, seat, message["streams"])
                case "demand":
                    circle, seat = message["circle"], message["seat"]
                    self._call(self._on_demand, circle, seat, message["high"])
                case "media":
                    circle, seat = message["circle"], message["seat"]
                    self._call(self._on_media, circle, seat, message["state"])
                case "lines":
                    lines = {seat: _line(told) for seat, told in message["seats"].items()}
                    self._call(self._on_lines, message["circle"], lines)
                case _:
                    future = self._answers.get(message.get("re", 0))
                    if future is not None and not future.done():
                        future.set_result(message)

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._something.wait()
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
            self._something.clear()

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


def own_address(bind_ip: str) -> str:
    """The address to announce when none is given: the bound one, or the one routes prefer."""
    if bind_ip not in ("0.0.0.0", "::"):
        return bind_ip
    family, anywhere = (
        (network.AF_INET6, "2001:db8::1") if ":" in bind_ip else (network.AF_INET, "192.0.2.1")
    )
    with contextlib.suppress(OSError), network.socket(family, network.SOCK_DGRAM) as probe:
        if family == network.AF_INET6:
            # A temporary address (RFC 8981) is gone tomorrow; a worker stays.
            with contextlib.suppress(OSError):
                probe.setsockopt(network.IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, PREFER_SRC_PUBLIC)
        # Connecting a datagram socket sends nothing; it asks the routing table.
        probe.connect((anywhere, 9))
        return str(probe.getsockname()[0])
    return "::1" if ":" in bind_ip else "127.0.0.1"


def own_addresses() -> tuple[str, ...]:
    """Where this machine is reached by default: its IPv4 address, and its IPv6 address if it has
    one that goes beyond the link.

    The preferred one first, as RFC 8421 wants it and RFC 6724 (section 2.1) ranks it: a global
    IPv6 address, then IPv4, then a unique local one. A machine without a network has 127.0.0.1.
    """
    four, six = own_address("0.0.0.0"), ip_address(own_address("::").partition("%")[0])
    if six.is_loopback or six.is_link_local:
        return (four,)
    return (four, str(six)) if six in UNIQUE_LOCAL else (str(six), four)


class _Line:
    """One message that waits for the worker; gates are replaced in place while they wait."""

    __slots__ = ("message",)

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message


def _gates_message(circle: str, gates: Mapping[str, Gate]) -> dict[str, Any]:
    seats = {
        seat: {
            "audio": gate.audio,
            "video": gate.video,
            "space": gate.space,
            "focus": gate.focus,
            "screen": gate.screen,
        }
        for seat, gate in gates.items()
    }
    return {"do": "gates", "circle": circle, "seats": seats}


def _line(told: dict[str, Any]) -> MediaLine:
    details = LineDetails(told["rtt_ms"], told["loss_percent"], told["layer"], told["path"])
    return MediaLine(told["mark"], told["weak"], details)


def _parse(line: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but one JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


async def _end(process: asyncio.subprocess.Process) -> None:
    """A worker ends when its link does; one that does not is killed."""
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
