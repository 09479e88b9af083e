"""A robot's WebSocket to a circle: from `hello` to the end of one connection.

Reconnecting is the robot's business. What comes out of here is whole frames, answers to
questions, and `LineEnded`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from peermeet.protocol import (
    Answer,
    Bye,
    ClientFrame,
    Done,
    FaultFrame,
    Hello,
    Ping,
    RefusedFrame,
    ServerFrame,
    Welcome,
    encode,
    server_frames,
)
from peermeet.robots.spelling import from_b64, to_b64

SECRET_BYTES = 32
OPEN_LIMIT_S = 10.0
ANSWER_LIMIT_S = 10.0
_MAX_FRAME_BYTES = 1 << 20
_CLOSE_LIMIT_S = 2.0
_TOO_FAST = 1008


class BadLink(ValueError):
    """The text is not an invitation (https://HOST/join#LINK.SECRET)."""


class LineEnded(Exception):
    """The connection is over. `again`: reconnecting makes sense."""

    def __init__(self, code: str, again: bool) -> None:
        super().__init__(code)
        self.code = code
        self.again = again


class Refused(Exception):
    """The server's expected "no" to one request; nothing has changed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Link:
    """An invitation, taken apart."""

    socket: str
    """Address of the WebSocket."""
    token: str
    secret: bytes | None = field(default=None, repr=False)
    """Of the group, 32 bytes; it never goes to the server."""

    @classmethod
    def parse(cls, text: str) -> Link:
        """Raises `BadLink`."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise BadLink("not an address") from error
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
        if scheme is None or not parts.hostname or not parts.fragment:
            raise BadLink("an invitation looks like https://HOST/join#LINK.SECRET")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        address = f"{scheme}://{host}{f':{port}' if port else ''}/ws"
        # A token has one dot of its own.
        body, mac, secret = [*parts.fragment.split(".", 2), "", ""][:3]
        opened = from_b64(secret) if secret else None
        if secret and (opened is None or len(opened) != SECRET_BYTES):
            raise BadLink("its last part is no key of a group")
        return cls(address, f"{body}.{mac}" if mac else body, opened)

    @property
    def origin(self) -> str:
        """Of the server, as https://HOST."""
        return "http" + self.socket.removeprefix("ws").removesuffix("/ws")

    def with_secret(self, secret: bytes) -> Link:
        return replace(self, secret=secret)

    def __str__(self) -> str:
        secret = "" if self.secret is None else f".{to_b64(self.secret)}"
        return f"{self.origin}/join#{self.token}{secret}"


class Line:
    """One open connection; `frames` must be iterated for `ask` to be answered."""

    def __init__(self, socket: ClientConnection, welcome: Welcome) -> None:
        self.welcome = welcome
        self._socket = socket
        self._refs = 0
        self._asked: dict[str, asyncio.Future[Done | Answer]] = {}
        self._end: LineEnded | None = None

    @classmethod
    async def open(cls, link: Link, hello: Hello) -> Line:
        """Connect and take the seat. Raises `LineEnded`, also when nobody answers."""
        try:
            socket = await connect(
                link.socket,
                compression=None,
                open_timeout=OPEN_LIMIT_S,
                close_timeout=_CLOSE_LIMIT_S,
                ping_interval=None,
                max_size=_MAX_FRAME_BYTES,
                proxy=None,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            raise LineEnded(f"http_{status}", again=status >= 500) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise LineEnded("unreachable", again=True) from error
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                # A server may say goodbye before it has heard us; its last word still counts.
                with suppress(ConnectionClosed):
                    await socket.send(encode(hello))
                first = server_frames.validate_json(await socket.recv())
            if isinstance(first, Welcome):
                return cls(socket, first)
            if isinstance(first, Bye):
                raise LineEnded(first.code, first.again)
            raise LineEnded(first.code if isinstance(first, FaultFrame) else "no_welcome", False)
        except BaseException as error:
            await _close(socket)
            if isinstance(error, (ConnectionClosed, TimeoutError)):
                raise LineEnded("no_welcome", again=True) from error
            if isinstance(error, ValidationError):
                raise LineEnded("not_understood", again=False) from error
            raise

    async def send(self, frame: ClientFrame) -> None:
        """Raises `LineEnded`."""
        try:
            await self._socket.send(encode(frame))
        except ConnectionClosed as error:
            raise LineEnded("dropped", again=True) from error

    async def ask(self, frame: Callable[[str], ClientFrame]) -> Done | Answer:
        """Send `frame(ref)` and await its answer.

        Raises `Refused`, `LineEnded`, or `TimeoutError` after 10 s.
        """
        if self._end is not None:
            # Nobody reads answers any more.
            raise LineEnded(self._end.code, self._end.again)
        self._refs += 1
        ref = str(self._refs)
        answer: asyncio.Future[Done | Answer] = asyncio.get_running_loop().create_future()
        self._asked[ref] = answer
        try:
            await self.send(frame(ref))
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await answer
        finally:
            del self._asked[ref]

    async def beat(self) -> None:
        """Send `ping` as often as the server wants, until the line ends."""
        try:
            while True:
                await asyncio.sleep(self.welcome.heartbeat_ms / 1000)
                await self.send(Ping())
        except LineEnded:
            return

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """What the server tells, without the answers to `ask`. Ends with `LineEnded`."""
        try:
            while True:
                frame = await self._receive()
                match frame:
                    case Done() | Answer():
                        self._settle(frame.ref, frame)
                    case RefusedFrame():
                        self._settle(frame.ref, Refused(frame.code))
                    case FaultFrame(ref=str(ref)) if ref in self._asked:
                        self._settle(ref, Refused(frame.code))
                    case Bye():
                        raise LineEnded(frame.code, frame.again)
                    case _:
                        yield frame
        except LineEnded as end:
            self._end = end
            for ref in list(self._asked):
                self._settle(ref, LineEnded(end.code, end.again))
            raise

    async def close(self) -> None:
        """Say goodbye on the WebSocket; at most 2 s. Closed also when it is cancelled."""
        await _close(self._socket)

    def cut(self) -> None:
        """Drop the connection without a word, like a lost network."""
        self._socket.transport.abort()

    async def _receive(self) -> ServerFrame:
        try:
            async with asyncio.timeout(self.welcome.silence_ms / 1000):
                return server_frames.validate_json(await self._socket.recv())
        except TimeoutError as error:
            raise LineEnded("silent", again=True) from error
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            raise LineEnded("dropped", again=code != _TOO_FAST) from error
        except ValidationError as error:
            raise LineEnded("not_understood", again=False) from error

    def _settle(self, ref: str, result: Done | Answer | Refused | LineEnded) -> None:
        future = self._asked.get(ref)
        if future is None or future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


async def _close(socket: ClientConnection) -> None:
    try:
        await socket.close()
    finally:
        # Cancelled, `close` leaves the rest to a loop that may be about to end itself.
        socket.transport.abort()
