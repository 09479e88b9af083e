"""A client written from docs/protocol.md alone, to show that the manual suffices.

It imports nothing from peermeet and stays within 200 lines. Without ``meet`` it needs no media.
"""

import asyncio
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiortc
import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.scenarios.tone import Tone, pitch

LIMIT_S = 30.0  # of every wait: ends a test, measures nothing
Frame = dict[str, Any]


class Refused(Exception):
    """The server refused a request; the argument is the code."""


class Client:
    """One person. ``url`` is the server's, ``link`` the token behind the ``#``."""

    def __init__(self, url: str, link: str | None, name: str = "Juniper", pitch: int = 1) -> None:
        self.address = url.replace("http", "ws", 1) + "/ws"
        self.link, self.name, self.pitch = link, name, pitch
        self.profile = {"name": name, "color": "teal"}
        self.seat = self.resume = ""  # the seat's id and the token that gives it again
        self.welcome, self.view, self.bye = Frame(), Frame(), Frame()
        self.others: defaultdict[str, list[Frame]] = defaultdict(list)  # all else, by kind
        self.seq, self.view_at, self.close_code = 0, 0.0, 0
        self.notices = list[Frame]()
        self.streams: dict[str, str] = {}
        self.faults: list[str] = []
        self.heard: Counter[tuple[str, int]] = Counter()  # audible frames by (seat, pitch)
        self.seen: Counter[str] = Counter()  # pictures by seat
        self.peer: aiortc.RTCPeerConnection | None = None
        self._socket: ClientConnection | None = None
        self._refs = itertools.count()
        self._replies, self._news = dict[str, asyncio.Future[Frame]](), asyncio.Event()
        self._line, self._ears = list[asyncio.Task[None]](), list[asyncio.Task[None]]()

    async def join(self, within_s: float = LIMIT_S) -> None:
        """Take a seat, or one's own again; raises ConnectionError when the server says bye."""
        await self.drop()
        self.seq, self.close_code, self.bye, self.welcome, self.view = 0, 0, {}, {}, {}
        hello = {"kind": "hello", "version": 3, "agreement": 1, "profile": self.profile}
        hello |= {k: v for k, v in (("resume", self.resume), ("link", self.link)) if v}
        async with asyncio.timeout(within_s):
            for n in itertools.count():
                try:
                    self._socket = await connect(self.address, compression=None, proxy=None)
                    break
                except (OSError, EOFError):
                    await asyncio.sleep(random.uniform(0, min(7, 0.3 * 2**n)))
            self._line = [asyncio.create_task(self._read()), asyncio.create_task(self._beat())]
            await self.post(hello)
            await self.until(lambda: self.view, within_s)

    async def do(self, kind: str, **members: Any) -> Frame:
        """Send a command; returns its ``done``, once the view shows it. Raises Refused."""
        done = await self.request("do", command={"kind": kind, **members})
        await self.until(lambda: self.seq >= done["seq"] or self.bye)
        return done

    async def request(self, kind: str, **members: Any) -> Frame:
        """Send a frame with a ref of its own; returns the answer. Raises Refused."""
        ref = f"r{next(self._refs)}"
        reply = self._replies[ref] = asyncio.get_running_loop().create_future()
        await self.post({"kind": kind, "ref": ref, **members})
        await self.until(reply.done)
        frame: Frame = reply.result()
        if frame["kind"] in ("refused", "fault"):
            raise Refused(frame["code"])
        return frame

    async def post(self, frame: Frame | str | bytes) -> None:
        """Send any frame, or what is none."""
        assert self._socket is not None
        await self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def until(self, condition: Callable[[], Any], within_s: float = LIMIT_S) -> None:
        """Wait until something holds; raises ConnectionError when the line ends before."""
        async with asyncio.timeout(within_s):
            while not condition():
                if self.close_code:
                    raise ConnectionError(self.close_code, self.bye)
                self._news.clear()
                await self._news.wait()

    def remaining_ms(self) -> float:
        """What is left of the turn by this client's clock; below zero past the limit."""
        turn = self.view["turn"]
        passed_ms = (time.monotonic() - self.view_at) * 1000 if turn["running"] else 0
        return float(turn["remaining_ms"]) - passed_ms

    async def meet(self, pairs: int = 3) -> None:
        """Offer media, with room for ``pairs`` others; returns when connected."""
        await self._hang_up()
        bundled = aiortc.RTCConfiguration([], bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE)
        peer = self.peer = aiortc.RTCPeerConnection(bundled)
        peer.on("connectionstatechange", self._news.set)
        for way in ["sendonly"] + ["recvonly"] * min(pairs, self.welcome["capacity"] - 1):
            peer.addTransceiver("audio", direction=way)
            peer.addTransceiver("video", direction=way)
        await peer.setLocalDescription(await peer.createOffer())
        answer = await self.request("offer", sdp=peer.localDescription.sdp)
        await peer.setRemoteDescription(aiortc.RTCSessionDescription(answer["sdp"], "answer"))
        for t in peer.getTransceivers()[2:]:
            self._ears.append(asyncio.create_task(self._listen(t.mid, t.receiver.track)))
        await self.until(lambda: peer.connectionState == "connected")

    def send(self, track: MediaStreamTrack) -> None:
        """Send microphone or camera, whatever the server thinks of it."""
        assert self.peer is not None
        self.peer.getTransceivers()[track.kind == "video"].sender.replaceTrack(track)

    async def speak(self) -> None:
        """Switch the microphone on, on both sides; raises Refused."""
        self.send(Tone(self.pitch))
        await self.do("set_mic", on=True)

    async def leave(self) -> None:
        """Give up the seat; returns when the server has said bye and closed."""
        await self.post({"kind": "do", "ref": "leave", "command": {"kind": "leave"}})
        await self.until(lambda: self.close_code)
        await self.drop()

    async def drop(self) -> None:
        """Break both lines without a word; :meth:`join` then resumes."""
        await self._hang_up()
        await self._end(self._line)
        if self._socket:
            await self._socket.close()

    async def _hang_up(self) -> None:
        await self._end(self._ears)
        self.streams = {}
        if self.peer is not None:
            await self.peer.close()

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        while tasks:
            tasks[-1].cancel()
            await asyncio.wait([tasks.pop()])

    async def _beat(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.welcome.get("heartbeat_ms", 2000) / 1000)
                await self.post({"kind": "ping"})

    async def _read(self) -> None:
        assert self._socket is not None
        with suppress(ConnectionClosed):
            async for text in self._socket:
                self._take(json.loads(text))
        self.close_code = self._socket.close_code or 1006
        self._news.set()

    def _take(self, frame: Frame) -> None:
        match frame["kind"]:
            case "welcome":
                self.welcome, self.seat, self.resume = frame, frame["seat"], frame["resume"]
            case "view" if frame["seq"] > self.seq:
                self.seq, self.view, self.view_at = frame["seq"], frame["view"], time.monotonic()
                self.notices += frame["notices"]
            case "streams":
                self.streams = frame["mids"]
            case "bye":
                self.bye = frame
            case "fault":
                self.faults.append(frame["code"])
            case kind:
                self.others[kind].append(frame)
        if (reply := self._replies.pop(frame.get("ref") or "", None)) is not None:
            reply.set_result(frame)
        self._news.set()

    async def _listen(self, mid: str | None, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                seat = self.streams.get(mid or "", "")
                if not isinstance(frame, av.AudioFrame):
                    self.seen[seat] += 1
                elif pitch(frame):
                    self.heard[seat, pitch(frame)] += 1
                self._news.set()
