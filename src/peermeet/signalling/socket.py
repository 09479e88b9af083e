"""One browser's WebSocket: frames in, commands out; views and answers back.

Nothing here knows a rule of the circle. What is written waits in a bounded queue beside one slot
for the newest view: a slow line skips views, never delays others, and is closed when it cannot
even take the answers to its own requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from peermeet.core.messages import Code, Refused, SeatTaken, TakeSeat
from peermeet.core.model import CAPACITY, SeatId
from peermeet.core.notices import Notice
from peermeet.core.page import Mistake, PageErrors
from peermeet.core.project import View
from peermeet.core.runsheet import RunSheet, parse, to_toml
from peermeet.hosting.blocks import BlockList
from peermeet.hosting.host import Host
from peermeet.hosting.ports import OWN, Block, Clock, MediaRefused
from peermeet.hosting.runner import Busy, NoSuchSheet, Runner
from peermeet.identity import make_resume, read_link, read_resume
from peermeet.limits import TokenBucket, Waiting
from peermeet.protocol import (
    AGREEMENT_VERSION,
    SILENCE_MS,
    VERSION,
    Answer,
    AnyProfile,
    Bye,
    ChangeProfile,
    ChooseSheet,
    ClientFrame,
    Demand,
    Do,
    Done,
    Fault,
    FaultFrame,
    ForgetSheet,
    GetIceServers,
    GetLibrary,
    GetSheet,
    HandKeys,
    Hello,
    IceServer,
    IceServers,
    Keys,
    Library,
    Lines,
    Offer,
    Ping,
    Pong,
    RefusedFrame,
    Reoffer,
    Said,
    Say,
    SealedProfile,
    ServerFrame,
    SheetEntry,
    SheetFault,
    SheetText,
    SheetWords,
    Show,
    Streams,
    Watch,
    Welcome,
    client_frames,
    encode,
)

log = logging.getLogger(__name__)

HELLO_S = 5.0
WRITE_S = 10.0
OUTGOING = 256
"""Frames that may wait: more than what was written in a circle and is told to who comes back."""
FAULTS_ALLOWED = 10

WS_POLICY = 1008
WS_RESTART = 1012
WS_OVERLOAD = 1013


class _Goodbye(Exception):
    """Ends a connection with a last word."""

    def __init__(
        self, code: str, again: bool, close: int = 1000, block: Block | None = None
    ) -> None:
        super().__init__(code)
        self.bye = Bye(code, again)
        if block is not None:
            self.bye = Bye(code, again, block.appeal, block.review_on)
        self.close = close


@dataclass(frozen=True)
class _Place:
    """Where a hello leads. code: of the link; is_own: it was theirs before."""

    runner: Runner
    seat: SeatId
    code: str
    is_own: bool


class Line:
    """The outgoing half of a socket; hosting's `Conversation`."""

    def __init__(self) -> None:
        self._frames: deque[ServerFrame] = deque()
        self._view: Show | None = None
        self._lines: Lines | None = None
        self._sheet: str | None = None
        self._ready = asyncio.Event()
        self._goodbye: _Goodbye | None = None

    def send(self, frame: ServerFrame) -> None:
        if len(self._frames) >= OUTGOING:
            self._end(_Goodbye(Fault.TOO_FAST, again=True, close=WS_OVERLOAD))
            return
        self._frames.append(frame)
        self._ready.set()

    def show(
        self,
        seq: int,
        view: View,
        profiles: Mapping[SeatId, AnyProfile],
        notices: Sequence[Notice],
        links: Mapping[SeatId, str],
    ) -> None:
        """Put the newest view in the slot; notices of a skipped one are kept, the last 32."""
        kept = [] if self._view is None else self._view.notices
        self._view = Show(seq, view, dict(profiles), [*kept, *notices][-32:], dict(links))
        self._ready.set()

    def sheet(self, sheet: RunSheet) -> None:
        """The words, once for each sheet: they are longer than a view."""
        if sheet.id != self._sheet:
            self._sheet = sheet.id
            self.send(_words_of(sheet))

    def said(self, said: Said) -> None:
        self.send(said)

    def keys(self, seat: SeatId, sealed: str) -> None:
        self.send(Keys(seat, sealed))

    def streams(self, mids: Mapping[str, str]) -> None:
        self.send(Streams({mid: SeatId(seat) for mid, seat in mids.items()}))

    def demand(self, high: bool) -> None:
        self.send(Demand(high))

    def lines(self, lines: Lines) -> None:
        """Only the newest waits: they are whole, and come again."""
        self._lines = lines
        self._ready.set()

    def reoffer(self) -> None:
        self.send(Reoffer())

    def bye(self, code: str, again: bool) -> None:
        self._end(_Goodbye(code, again, WS_RESTART if code == Fault.RESTARTING else 1000))

    def blocked(self, block: Block) -> None:
        self._end(_Goodbye(Fault.BLOCKED, again=False, block=block))

    def _end(self, goodbye: _Goodbye) -> None:
        self._goodbye = self._goodbye or goodbye
        self._ready.set()

    async def write(self, socket: WebSocket) -> None:
        """Write until a goodbye, which is raised after all that was waiting is out."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._frames or self._view is not None or self._lines is not None:
                async with asyncio.timeout(WRITE_S):
                    if self._frames:
                        await socket.send_text(encode(self._frames.popleft()))
                    elif self._view is not None:
                        view, self._view = self._view, None
                        await socket.send_text(encode(view))
                    elif self._lines is not None:
                        lines, self._lines = self._lines, None
                        await socket.send_text(encode(lines))
            if self._goodbye is not None:
                raise self._goodbye


class Sockets:
    """Serves WebSockets for a host."""

    def __init__(
        self,
        host: Host,
        blocks: BlockList,
        clock: Clock,
        key: bytes,
        origins: frozenset[str],
        relays: Callable[[str], tuple[IceServer, ...]],
    ) -> None:
        """relays: gives a session, by its random name, fresh credentials of the TURN relays."""
        self.relays = relays
        self._host = host
        self._blocks = blocks
        self._clock = clock
        self._key = key
        self._origins = origins
        self._waiting = Waiting(each=32, all_together=1024)

    async def serve(self, socket: WebSocket) -> None:
        """From the upgrade to the end of the connection."""
        origin = socket.headers.get("origin")
        address = socket.client.host if socket.client else None
        if origin is not None and origin not in self._origins:
            await socket.close(WS_POLICY)
            return
        if self._waiting.is_full(address):
            await socket.close(WS_OVERLOAD)
            return
        with self._waiting.place(address) as free:
            await socket.accept()
            goodbye = await _Person(self, socket, free).talk()
        if goodbye is not None:
            try:
                async with asyncio.timeout(WRITE_S):
                    await socket.send_text(encode(goodbye.bye))
                    await socket.close(goodbye.close)
            except (TimeoutError, WebSocketDisconnect, RuntimeError):
                pass  # The other side is gone already; there is nobody left to tell.

    async def seat_for(self, hello: Hello) -> _Place:
        """The seat a hello leads to; raises _Goodbye."""
        try:
            found = await self._resume(hello) or await self._join(hello)
        except Busy:
            raise _Goodbye(Fault.BUSY, again=True, close=WS_OVERLOAD) from None
        except Refused as refusal:
            raise _Goodbye(refusal.code, again=False) from None
        if found is None:
            raise _Goodbye(Fault.BAD_RESUME if hello.resume else Fault.BAD_LINK, again=False)
        return found

    def came_by(self, place: _Place, line: Line) -> None:
        """Remember the link of a seat: a facilitator may have to name it, an admin to block it."""
        place.runner.remember_link(place.seat, place.code)
        self._blocks.came_by(place.code, place.runner, place.seat, line.blocked)

    async def _resume(self, hello: Hello) -> _Place | None:
        known = read_resume(self._key, hello.resume) if hello.resume else None
        runner = self._host.circle(known.circle) if known else None
        if known is None or runner is None:
            return None
        self._require_unblocked(runner.group, known.code)
        _require_fitting(runner.encrypted, hello.profile)
        try:
            await runner.come_back(known.seat)
        except Refused as refusal:
            if refusal.code in (Code.NO_SUCH_SEAT, Code.CIRCLE_ENDED):
                return None
            raise
        return _Place(runner, known.seat, known.code, is_own=True)

    async def _join(self, hello: Hello) -> _Place | None:
        if hello.link is None:
            return None
        invitation = read_link(self._key, hello.link, self._clock.now())
        if invitation is None:
            raise _Goodbye(Fault.BAD_LINK, again=False)
        self._require_unblocked(invitation.group, invitation.code)
        _require_fitting(self._host.is_encrypted(invitation.group), hello.profile)
        runner = await self._host.circle_of(invitation.group)
        outcome = await runner.ask(None, TakeSeat(invitation.as_facilitator))
        taken = outcome.events[0]
        assert isinstance(taken, SeatTaken)
        return _Place(runner, taken.seat, invitation.code, is_own=False)

    def _require_unblocked(self, group: str, code: str) -> None:
        block = self._blocks.find(group, code)
        if block is not None:
            raise _Goodbye(Fault.BLOCKED, again=False, block=block)

    def resume_token(self, place: _Place) -> str:
        return make_resume(self._key, place.runner.id, place.seat, place.code)


class _Person:
    """One connection, from hello to goodbye."""

    def __init__(self, sockets: Sockets, socket: WebSocket, free: Callable[[], None]) -> None:
        self._sockets = sockets
        self._socket = socket
        self._free = free
        self._line = Line()
        self._frames = TokenBucket(burst=40, per_second=20)
        self._offers = TokenBucket(burst=10, per_second=0.5)
        self._sheets = TokenBucket(burst=20, per_second=0.5)
        self._words = TokenBucket(burst=10, per_second=1)
        # People come and go in bursts, and each change hands a key to everybody once or twice.
        self._keys = TokenBucket(burst=60, per_second=4)
        # Each change may cost those who are watched a key frame.
        self._watches = TokenBucket(burst=20, per_second=1)
        self._relays = TokenBucket(burst=10, per_second=0.5)
        # What the relay may know of a person: that these requests are of one connection.
        self._session = secrets.token_urlsafe(9)
        self._faults = 0

    async def talk(self) -> _Goodbye | None:
        """Serve the connection; the goodbye to say, or None when the other side is gone."""
        seated: tuple[Runner, SeatId] | None = None
        try:
            hello = await self._hello()
            place = await self._sockets.seat_for(hello)
            seated = runner, seat = place.runner, place.seat
            self._free()
            self._sockets.came_by(place, self._line)
            token = self._sockets.resume_token(place)
            relays = self._sockets.relays(self._session)
            self._line.send(Welcome(seat, token, runner.id, runner.encrypted, CAPACITY, relays))
            runner.attach(seat, self._line, hello.profile, place.is_own)
            await self._both_ways(runner, seat)
        except _Goodbye as goodbye:
            return goodbye
        except (WebSocketDisconnect, TimeoutError):
            return None
        finally:
            if seated is not None:
                await seated[0].detach(seated[1], self._line)
        return None

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(HELLO_S):
                text = await self._receive()
        except TimeoutError:
            raise _Goodbye(Fault.HELLO_FIRST, again=False, close=WS_POLICY) from None
        try:
            frame = client_frames.validate_json(text, strict=True)
        except ValidationError:
            raise _Goodbye(Fault.BAD_FRAME, again=False, close=WS_POLICY) from None
        if not isinstance(frame, Hello):
            raise _Goodbye(Fault.HELLO_FIRST, again=False, close=WS_POLICY)
        if frame.version != VERSION:
            raise _Goodbye(Fault.BAD_VERSION, again=False)
        if frame.agreement != AGREEMENT_VERSION:
            raise _Goodbye(Fault.AGREEMENT_NEEDED, again=False)
        return frame

    async def _receive(self) -> str:
        """The next text frame. Raises WebSocketDisconnect, _Goodbye."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text = message.get("text")
        if text is None:
            raise _Goodbye(Fault.BAD_FRAME, again=False, close=WS_POLICY)
        return str(text)

    async def _both_ways(self, runner: Runner, seat: SeatId) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._line.write(self._socket))
                tasks.create_task(self._read(runner, seat))
        except ExceptionGroup as group:
            # Both halves may end at once; what is neither a farewell nor a lost line is a fault.
            if group.split((_Goodbye, WebSocketDisconnect, TimeoutError))[1] is not None:
                raise
            for error in group.exceptions:
                if isinstance(error, _Goodbye):
                    raise error from None
            raise WebSocketDisconnect from None

    async def _read(self, runner: Runner, seat: SeatId) -> None:
        while True:
            try:
                async with asyncio.timeout(SILENCE_MS / 1000):
                    text = await self._receive()
            except TimeoutError:
                raise _Goodbye(Fault.SILENT, again=True) from None
            if not self._frames.take():
                self._fault(Fault.TOO_FAST, None)
                continue
            try:
                frame = client_frames.validate_json(text, strict=True)
            except ValidationError as error:
                self._fault(*_diagnose(text, error))
                continue
            await self._handle(runner, seat, frame)

    def _fault(self, code: str, ref: str | None) -> None:
        self._faults += 1
        if self._faults > FAULTS_ALLOWED:
            raise _Goodbye(code, again=False, close=WS_POLICY)
        self._line.send(FaultFrame(code, ref))

    async def _handle(self, runner: Runner, seat: SeatId, frame: ClientFrame) -> None:
        match frame:
            case Ping():
                self._line.send(Pong())
            case Do(ref=ref, command=command):
                try:
                    outcome = await runner.ask(seat, command)
                    self._line.send(Done(ref, outcome.seq))
                except Refused as refusal:
                    self._line.send(RefusedFrame(ref, refusal.code))
                except Busy:
                    self._line.send(RefusedFrame(ref, Fault.BUSY))
            case Offer(ref=ref, sdp=sdp):
                await self._offer(runner, seat, ref, sdp)
            case ChangeProfile(profile=profile):
                wrong = _misfit(runner.encrypted, isinstance(profile, SealedProfile))
                if wrong is None:
                    runner.change_profile(seat, profile)
                else:
                    self._fault(wrong, None)
            case ChooseSheet() | GetLibrary() | GetSheet() | ForgetSheet():
                await self._about_sheets(runner, seat, frame)
            case GetIceServers(ref=ref):
                self._line.send(
                    IceServers(ref, self._sockets.relays(self._session))
                    if self._relays.take()
                    else RefusedFrame(ref, Fault.TOO_FAST)
                )
            case Say():
                self._say(runner, seat, frame)
            case HandKeys(to=to):
                self._hand_keys(runner, seat, to)
            case Watch() if self._watches.take():
                runner.watch(seat, frame)
            case Watch():
                self._fault(Fault.TOO_FAST, None)
            case Hello():
                self._fault(Fault.BAD_FRAME, None)

    def _say(self, runner: Runner, seat: SeatId, frame: Say) -> None:
        wrong = _misfit(runner.encrypted, frame.sealed is not None)
        is_one = (frame.text is None) != (frame.sealed is None)
        if not is_one or (frame.text is None and frame.as_ != "chat"):
            self._fault(Fault.BAD_FRAME, frame.ref)
        elif wrong is not None:
            self._line.send(RefusedFrame(frame.ref, wrong))
        elif not self._words.take():
            self._line.send(RefusedFrame(frame.ref, Fault.TOO_FAST))
        else:
            try:
                runner.say(seat, frame.to, frame.text, frame.sealed, frame.as_)
                self._line.send(Done(frame.ref, 0))
            except Refused as refusal:
                self._line.send(RefusedFrame(frame.ref, refusal.code))

    def _hand_keys(self, runner: Runner, seat: SeatId, to: Mapping[SeatId, str]) -> None:
        if not runner.encrypted:
            self._fault(Fault.NOT_ENCRYPTED, None)
        elif not self._keys.take():
            self._fault(Fault.TOO_FAST, None)
        else:
            try:
                runner.hand_keys(seat, to)
            except Refused as refusal:
                # Who was sent outside meanwhile may not have heard of it yet: no fault of theirs.
                self._line.send(FaultFrame(refusal.code))

    async def _about_sheets(
        self, runner: Runner, seat: SeatId, frame: ChooseSheet | GetLibrary | GetSheet | ForgetSheet
    ) -> None:
        """Run sheets: choose one, list them, get one's text, let go of one."""
        ref = frame.ref
        if not self._sheets.take():
            self._line.send(RefusedFrame(ref, Fault.TOO_FAST))
            return
        try:
            self._line.send(await _answer_about_sheets(runner, seat, frame))
        except PageErrors as errors:
            faults = tuple(SheetFault(wrong.line, wrong.says) for wrong in errors.mistakes)
            self._line.send(RefusedFrame(ref, Fault.BAD_SHEET, faults))
        except NoSuchSheet:
            self._line.send(RefusedFrame(ref, Fault.NO_SUCH_SHEET))
        except Refused as refusal:
            self._line.send(RefusedFrame(ref, refusal.code))
        except Busy:
            self._line.send(RefusedFrame(ref, Fault.BUSY))

    async def _offer(self, runner: Runner, seat: SeatId, ref: str, sdp: str) -> None:
        if not self._offers.take():
            self._line.send(RefusedFrame(ref, Fault.TOO_FAST))
            return
        try:
            self._line.send(Answer(ref, await runner.answer(seat, sdp)))
        except MediaRefused as refusal:
            self._line.send(RefusedFrame(ref, refusal.code))
            return
        mids = runner.streams_of(seat)
        if mids is not None:
            self._line.streams(mids)
        self._line.demand(runner.demand_of(seat))


def _misfit(encrypted: bool, sealed: bool) -> Fault | None:
    """Why what is said or shown does not fit this circle; None if it does."""
    if encrypted == sealed:
        return None
    return Fault.SEAL_NEEDED if encrypted else Fault.NOT_ENCRYPTED


def _require_fitting(encrypted: bool, profile: AnyProfile) -> None:
    wrong = _misfit(encrypted, isinstance(profile, SealedProfile))
    if wrong is not None:
        raise _Goodbye(wrong, again=False)


async def _answer_about_sheets(
    runner: Runner, seat: SeatId, frame: ChooseSheet | GetLibrary | GetSheet | ForgetSheet
) -> ServerFrame:
    """The answer to a frame about run sheets. Raises Refused, Busy, NoSuchSheet, PageErrors."""
    match frame:
        case ChooseSheet(ref=ref, sheet=sheet, text=text, insert=insert):
            if (sheet is None) == (text is None):
                raise PageErrors((Mistake(1, "Name a run sheet or send the text of one."),))
            chosen = sheet if text is None else parse(text, _own_id(text))
            assert chosen is not None
            outcome = await runner.choose_sheet(seat, chosen, insert)
            return Done(ref, outcome.seq)
        case GetLibrary(ref=ref):
            sheets = await runner.sheets(seat)
            return Library(ref, tuple(_entry(s) for s in sheets))
        case GetSheet(ref=ref, sheet=wanted):
            for found in await runner.sheets(seat):
                if found.id == wanted:
                    return SheetText(ref, wanted, to_toml(found))
            raise NoSuchSheet
        case ForgetSheet(ref=ref, sheet=unwanted):
            await runner.forget_sheet(seat, unwanted)
            return Done(ref, 0)


def _own_id(text: str) -> str:
    """The same text is the same sheet."""
    return OWN + sha256(text.encode()).hexdigest()[:12]


def _words_of(sheet: RunSheet) -> SheetWords:
    return SheetWords(sheet.id, sheet.title, sheet.source, sheet.phases)


def _entry(sheet: RunSheet) -> SheetEntry:
    length = sum(p.length_ms or 0 for p in sheet.rules.phases)
    return SheetEntry(
        sheet.id, sheet.title, sheet.source, round(length / 60_000), sheet.id.startswith(OWN)
    )


def _diagnose(text: str, error: ValidationError) -> tuple[str, str | None]:
    """Which fault a frame that did not validate is, and its ref if it can be read."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return Fault.BAD_FRAME, None
    ref = raw.get("ref") if isinstance(raw, dict) else None
    if not isinstance(ref, str) or len(ref) > 40:
        ref = None
    unknown = any(
        e["type"] in ("union_tag_invalid", "union_tag_not_found") and "command" in e["loc"]
        for e in error.errors(include_url=False, include_input=False)
    )
    return (Fault.UNKNOWN_COMMAND if unknown else Fault.BAD_FRAME), ref
