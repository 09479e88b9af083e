"""The media worker: a process of its own that forwards packets and does what its link says.

`python -m peermeet.media.worker --socket PATH --bind IP… --port N` listens on a unix socket for
one web process, which sends JSON lines: gates, offers, and a sign of life every second.
The worker decides nothing about turns. It outlives its web process: without a sign of life for
the lease it closes every gate, and only without one for much longer it exits, so that a new web
process finds the connections as they were. No threads, no HTTP, nothing logged per packet;
standard output stays empty.

Whoever begins with `{"do":"take"}` is the web process from then on; the link of the one before
is closed. It is told what the worker holds, and what the old one had opened stays open for the
old one's lease and no longer, unless the new one says the same.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from peermeet.core.model import Gate
from peermeet.media import fanout, srtp
from peermeet.media.circle import Circle
from peermeet.media.dtls import Admission, Certificate, SelfTestFailed, self_test
from peermeet.media.fanout import FanOut
from peermeet.media.icelite import IceLite
from peermeet.media.mux import Mux
from peermeet.media.peer import PACKETS_PER_S, Ground, Peer
from peermeet.media.process import door, made, own_address
from peermeet.media.sdp import Offer, SdpRefused, parse_offer
from peermeet.media.watch import MAX_WATCHED, Watch

MAX_LINE_BYTES: Final = 128 * 1024
MAX_UNSENT_BYTES: Final = 1 << 20
"""A web process that does not read this much is as good as dead."""
MAX_PEERS: Final = 256
MAX_SEATS: Final = 64
MAX_NAME: Final = 64
"""Characters of a circle's or seat's id, and of a space's name."""
TICK_S: Final = 0.1
LINES_S: Final = 2.0
"""How often the lines of a circle's people are measured, and told if they have changed."""
TAKE_S: Final = 2.0
"""From connecting to the first line; a stranger at the socket waits no longer."""
LOAD_S: Final = 2.0
"""How often the web process is told how busy we are."""
LEASE_MS: Final = 10_000
ALONE_MS: Final = 60_000
"""A worker that no web process talks to for so long ends itself."""

logger = logging.getLogger(__name__)


class BadLine(Exception):
    """A line that is not of the control protocol; the link is closed."""


class Worker:
    """All circles of this process, driven by one link."""

    def __init__(
        self, ground: Ground, lease_s: float, alone_s: float, made: Sequence[str] = ()
    ) -> None:
        """alone_s: after this long without a web process, end. made: version and arguments, by
        which a web process knows whether it would start the same."""
        self._ground = ground
        self._lease_s = lease_s
        self._alone_s = alone_s
        self._made = made
        self._circles: dict[str, Circle] = {}
        self._lives: dict[Peer, asyncio.Task[None]] = {}
        self._lines: dict[str, dict[str, Any]] = {}
        self._lines_at = 0.0
        self._links: set[asyncio.Task[None]] = set()
        self._writer: asyncio.StreamWriter | None = None
        self._heard_at = time.monotonic()
        self._leased = False
        self._inherited: dict[str, float] = {}
        """Circles whose gates are an earlier web process's, and until when they hold."""
        self._is_left = False
        self._load = _Load()
        self._ended = asyncio.Event()

    async def serve(self, path: Path) -> None:
        """Serve web processes at `path`, one at a time, until one says "end" or all are gone."""
        with door(path) as address:
            await self._serve(address)

    async def _serve(self, address: str) -> None:
        listening, file = _listen(address)
        server = await asyncio.start_unix_server(self._link, sock=listening, limit=MAX_LINE_BYTES)
        clock = asyncio.create_task(self._clock())
        self._ground.mux.start()
        try:
            await self._ended.wait()
        finally:
            self._close_gates()
            self._ground.mux.close()
            server.close()
            _forget(address, file)
            clock.cancel()
            lives = list(self._lives.values())
            for life in lives:
                life.cancel()
            await asyncio.gather(clock, *lives, return_exceptions=True)
            if self._writer is not None:
                self._writer.close()
            if self._links:
                await asyncio.wait(self._links, timeout=TAKE_S)

    def stop(self) -> None:
        """End `serve`. Safe to repeat."""
        self._ended.set()

    # The link

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            await self._talk(reader, writer)
        finally:
            self._links.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TAKE_S):
                is_ours = json.loads(await reader.readline()) == {"do": "take"}
        except (TimeoutError, ValueError, RecursionError, ConnectionError):
            is_ours = False
        if not is_ours:
            self._ground.counters["link.stranger"] += 1
            writer.close()
            return
        self._take_over(writer)
        try:
            # After another has taken over, lines that were under way count no longer.
            while (line := await reader.readline()) and self._writer is writer:
                if not line.endswith(b"\n"):
                    break
                self._sign_of_life()
                self._obey(line)
        except (BadLine, ValueError) as fault:
            # ValueError: the line is longer than the reader's limit. A web process that cannot
            # speak is not believed to know who may be heard.
            self._ground.counters["link.bad_line"] += 1
            logger.error("link closed fault=%s", type(fault).__name__)
            if self._writer is writer:
                self.stop()
        except ConnectionError:
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None

    def _take_over(self, writer: asyncio.StreamWriter) -> None:
        """From now on this is the link; tell what we hold."""
        old, self._writer = self._writer, writer
        if old is not None:
            self._ground.counters["link.taken_over"] += 1
            old.write(b'{"tell":"taken"}\n')
            old.close()
        for circle_id in self._circles:
            self._inherited.setdefault(circle_id, self._heard_at + self._lease_s)
        # Lines are told when they change; the new one knows none.
        self._lines.clear()
        self._is_left = False
        self._sign_of_life()
        self._tell(
            tell="ready",
            pid=os.getpid(),
            port=self._ground.mux.port,
            addresses=list(self._ground.addresses),
            made=list(self._made),
            circles={
                circle_id: {
                    seat: {
                        "streams": circle.streams(seat),
                        "connected": peer.seal is not None,
                        "high": circle.demand(seat),
                    }
                    for seat, peer in circle.peers.items()
                }
                for circle_id, circle in self._circles.items()
            },
        )

    def _sign_of_life(self) -> None:
        self._heard_at = time.monotonic()
        self._leased = True

    def _obey(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise BadLine from None
        if not isinstance(message, dict):
            raise BadLine
        match message.get("do"):
            case "gates":
                marked = message.get("marked", False)
                if not isinstance(marked, bool):
                    raise BadLine
                self._apply(_name(message, "circle"), _gates(message.get("seats")), marked)
            case "offer":
                self._offer(
                    _number(message),
                    _name(message, "circle"),
                    _name(message, "seat"),
                    _text(message, "sdp"),
                )
            case "watch":
                circle = self._circles.get(_name(message, "circle"))
                seat, watch = _name(message, "seat"), _watch(message)
                if circle is not None:
                    circle.watch(seat, watch)
            case "drop":
                circle_id, seat = _name(message, "circle"), _name(message, "seat")
                circle = self._circles.get(circle_id)
                if circle is not None:
                    self._end(circle.unseat(seat))
                    self._tell_streams(circle_id, circle)
            case "close":
                circle_id = _name(message, "circle")
                self._inherited.pop(circle_id, None)
                self._lines.pop(circle_id, None)
                circle = self._circles.pop(circle_id, None)
                if circle is not None:
                    for peer in circle.apply({}):
                        self._end(peer)
            case "stats":
                self._tell(re=_number(message), stats=self._stats())
            case "alive":
                pass
            case "leave":
                # Another may come before the lease runs out; nobody is heard for longer.
                self._is_left = True
                if not self._lives:
                    self.stop()
            case "end":
                self.stop()
            case _:
                raise BadLine

    def _apply(self, circle_id: str, gates: dict[str, Gate], marked: bool) -> None:
        self._inherited.pop(circle_id, None)
        circle = self._circles.setdefault(circle_id, Circle())
        for peer in circle.apply(gates, marked):
            self._end(peer)
        self._tell_streams(circle_id, circle)

    def _offer(self, number: int, circle_id: str, seat: str, sdp: str) -> None:
        circle = self._circles.get(circle_id)
        if circle is None or seat not in circle.gates:
            self._tell(re=number, refused="unknown_seat")
            return
        try:
            self._negotiate(number, circle_id, circle, seat, parse_offer(sdp))
        except SdpRefused as refused:
            self._ground.counters[f"offer.{refused.code}"] += 1
            self._tell(re=number, refused="bad_sdp")
        # The fence: whatever one browser's offer provokes, the others are served.
        except Exception as fault:
            self._ground.counters[f"fault.{type(fault).__name__}"] += 1
            self._tell(re=number, refused="bad_sdp")

    def _negotiate(
        self, number: int, circle_id: str, circle: Circle, seat: str, offer: Offer
    ) -> None:
        present = circle.peers.get(seat)
        if present is not None and present.restart(offer):
            self._tell(re=number, sdp=present.answer())
            return
        if len(self._lives) >= MAX_PEERS:
            self._tell(re=number, refused="busy")
            return
        peer = Peer(self._ground, offer, lambda state: self._state(circle_id, seat, peer, state))
        self._lives[peer] = asyncio.create_task(self._live(circle_id, seat, peer))
        self._end(circle.seat(seat, peer))
        self._tell(re=number, sdp=peer.answer())
        self._tell_streams(circle_id, circle)

    async def _live(self, circle_id: str, seat: str, peer: Peer) -> None:
        try:
            await peer.run()
        except Exception:
            self._ground.counters["fault.peer"] += 1
            logger.exception("peer failed circle=%s seat=%s", circle_id, seat)
        finally:
            del self._lives[peer]
            circle = self._circles.get(circle_id)
            if circle is not None and circle.unseat(seat, peer) is not None:
                self._tell_streams(circle_id, circle)

    def _state(self, circle_id: str, seat: str, peer: Peer, state: str) -> None:
        """Tell of the seat's present connection only: a replaced one has nothing to say."""
        circle = self._circles.get(circle_id)
        if circle is not None and circle.peers.get(seat) is peer:
            self._tell(tell="media", circle=circle_id, seat=seat, state=state)

    def _end(self, peer: Peer | None) -> None:
        life = self._lives.get(peer) if peer is not None else None
        if life is not None:
            life.cancel()

    def _tell_streams(self, circle_id: str, circle: Circle) -> None:
        if circle.is_told:
            return
        circle.is_told = True
        for seat, streams in circle.changed_streams():
            self._tell(tell="streams", circle=circle_id, seat=seat, streams=streams)
        for seat, high in circle.changed_demands():
            self._tell(tell="demand", circle=circle_id, seat=seat, high=high)

    def _tell_lines(self, circle_id: str, circle: Circle, now: float) -> None:
        lines = {
            seat: asdict(peer.line(now))
            for seat, peer in circle.peers.items()
            if peer.seal is not None
        }
        if lines != self._lines.get(circle_id, {}):
            self._lines[circle_id] = lines
            self._tell(tell="lines", circle=circle_id, seats=lines)

    def _tell(self, **message: Any) -> None:
        writer = self._writer
        if writer is None or self._ended.is_set():
            return
        if writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._ground.counters["link.deaf"] += 1
            self._writer = None
            writer.transport.abort()
            return
        writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _stats(self) -> dict[str, int]:
        stats = dict(self._ground.counters)
        stats["peers"] = len(self._lives)
        # What must be as before when everybody has left (`python -m bench.soak`).
        stats["tasks"] = len(asyncio.all_tasks())
        stats["threads"] = threading.active_count()
        stats["fds"] = len(os.listdir("/proc/self/fd"))
        received = forwarded = 0
        for circle_id, circle in self._circles.items():
            for seat, peer in circle.peers.items():
                stats[f"received/{circle_id}/{seat}"] = peer.received
                stats[f"forwarded/{circle_id}/{seat}"] = peer.forwarded
                stats[f"sources/{circle_id}/{seat}"] = peer.sources
                received += peer.received
                forwarded += peer.forwarded
        stats["received"], stats["forwarded"] = received, forwarded
        return stats

    # Time

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            self._look_after(now)
            try:
                self._ground.mux.tick(now)
            except Exception as fault:
                self._ground.counters[f"fault.tick.{type(fault).__name__}"] += 1
            for peer in list(self._lives):
                try:
                    peer.tick(now)
                # One person's state must not stop the clock of the others.
                except Exception as fault:
                    self._ground.counters[f"fault.tick.{type(fault).__name__}"] += 1
            self._ground.fan_out.flush()
            for circle_id, circle in self._circles.items():
                try:
                    circle.tick(now)
                    self._tell_streams(circle_id, circle)
                except Exception as fault:
                    self._ground.counters[f"fault.tick.{type(fault).__name__}"] += 1
            if now - self._lines_at >= LINES_S:
                self._lines_at = now
                for circle_id, circle in self._circles.items():
                    try:
                        self._tell_lines(circle_id, circle, now)
                    # Nor may what is told of them.
                    except Exception as fault:
                        self._ground.counters[f"fault.lines.{type(fault).__name__}"] += 1

    def _look_after(self, now: float) -> None:
        """Close what nobody vouches for any more; end when nobody has come for long."""
        silent_s = now - self._heard_at
        if self._leased and silent_s > self._lease_s:
            self._leased = False
            self._ground.counters["link.lease_expired"] += 1
            logger.warning("lease expired, all gates closed")
            self._close_gates()
        for circle_id in [c for c, until in self._inherited.items() if now > until]:
            del self._inherited[circle_id]
            self._circles[circle_id].close_gates()
        if silent_s > (self._lease_s if self._is_left else self._alone_s):
            self.stop()
        percent = self._load.percent(now)
        if percent is not None:
            self._tell(tell="load", percent=percent)

    def _close_gates(self) -> None:
        for circle in self._circles.values():
            circle.close_gates()


def _listen(address: str) -> tuple[socket.socket, int]:
    """A socket at this address that only we may use, and the number of its file."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)
    listening = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listening.bind(address)
    finally:
        os.umask(mask)
    return listening, os.stat(address).st_ino


def _forget(address: str, file: int) -> None:
    """Remove our socket, and not that of whoever took us for dead."""
    with contextlib.suppress(FileNotFoundError):
        if os.stat(address).st_ino == file:
            os.unlink(address)


class _Load:
    """How much of its core this process uses."""

    def __init__(self) -> None:
        self._at, self._used_s = time.monotonic(), time.process_time()

    def percent(self, now: float) -> int | None:
        """Of one core, 0 to 100, since the last answer; None before LOAD_S have passed."""
        passed_s = now - self._at
        if passed_s < LOAD_S:
            return None
        used_s = time.process_time()
        busy = (used_s - self._used_s) / passed_s
        self._at, self._used_s = now, used_s
        return min(100, round(100 * busy))


def _name(message: dict[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise BadLine
    return value


def _text(message: dict[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        raise BadLine
    return value


def _number(message: dict[str, Any]) -> int:
    value = message.get("id")
    if not isinstance(value, int):
        raise BadLine
    return value


def _watch(message: dict[str, Any]) -> Watch:
    video, seats = message.get("video"), message.get("seats")
    if video not in ("all", "holder", "none"):
        raise BadLine
    if seats is None:
        return Watch(video)
    if not isinstance(seats, list) or len(seats) > MAX_WATCHED:
        raise BadLine
    if not all(isinstance(seat, str) and 0 < len(seat) <= MAX_NAME for seat in seats):
        raise BadLine
    return Watch(video, frozenset(seats))


def _gates(seats: Any) -> dict[str, Gate]:
    if not isinstance(seats, dict) or len(seats) > MAX_SEATS:
        raise BadLine
    gates = {}
    for seat, gate in seats.items():
        if not 0 < len(seat) <= MAX_NAME or not isinstance(gate, dict):
            raise BadLine
        said = [gate.get(name, False) for name in ("audio", "video", "focus", "screen")]
        if not all(isinstance(value, bool) for value in said):
            raise BadLine
        audio, video, focus, screen = said
        gates[seat] = Gate(audio, video, _name(gate, "space"), focus, screen)
    return gates


async def run(
    arguments: argparse.Namespace, counters: Counter[str], engine: srtp.Engine, fan_out: FanOut
) -> int:
    """Test ourselves, then serve. Answers the exit status."""
    try:
        await self_test(engine)
    except SelfTestFailed as fault:
        logger.error("media worker refuses to serve: %s", fault)
        return 1
    ice = IceLite(counters)
    try:
        mux = Mux(ice, counters, arguments.bind, arguments.port, fan_out, tcp=arguments.tcp)
    except OSError as fault:
        logger.error("media worker cannot bind port=%d: %s", arguments.port, fault.strerror)
        return 1
    ground = Ground(
        ice=ice,
        mux=mux,
        engine=engine,
        fan_out=fan_out,
        certificate=Certificate.generateCertificate(),
        admission=Admission(),
        counters=counters,
        addresses=tuple(arguments.announce or map(own_address, arguments.bind)),
        packets_per_s=arguments.packets_per_s,
    )
    worker = Worker(ground, arguments.lease_ms / 1000, arguments.alone_ms / 1000, arguments.made)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    # What exists now stays for good: the collector need not look at it again, and no packet
    # makes a cycle, so it may come rarely.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    await worker.serve(arguments.socket)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="peermeet.media.worker")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--bind", nargs="+", default=["0.0.0.0"], metavar="IP")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-tcp", dest="tcp", action="store_false")
    parser.add_argument("--announce", nargs="+", action="extend", metavar="IP")
    parser.add_argument("--lease-ms", type=int, default=LEASE_MS)
    parser.add_argument("--alone-ms", type=int, default=ALONE_MS)
    parser.add_argument("--packets-per-s", type=float, default=PACKETS_PER_S)
    logging.basicConfig(level=logging.WARNING, format="%(name)s %(levelname)s %(message)s")
    words = sys.argv[1:] if argv is None else argv
    arguments = parser.parse_args(words, argparse.Namespace(made=made(words)))
    counters: Counter[str] = Counter()
    engine = srtp.choose_engine()
    fan_out = fanout.choose(engine, counters)
    # The loop waits where packets are forwarded, and wakes Python for nothing else.
    selector = fan_out.selector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        return runner.run(run(arguments, counters, engine, fan_out))


if __name__ == "__main__":
    sys.exit(main())
