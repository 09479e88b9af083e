"""One robot: a participant with a seat, a microphone, a camera and eyes and ears that count.

A robot is an ordinary client of the protocol. It shows and says only what its view allows, and
it reconnects as a browser does. What it does of its own will is in `habits.py`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

from peermeet.core.messages import Command, Leave, SetCamera, SetMic
from peermeet.core.model import SeatId
from peermeet.core.project import Camera, Mic, SeatView, To, View
from peermeet.protocol import (
    AGREEMENT_VERSION,
    VERSION,
    Answer,
    AnyProfile,
    ChangeProfile,
    Do,
    Done,
    Fault,
    FaultFrame,
    HandKeys,
    Hello,
    Keys,
    Offer,
    Profile,
    Reoffer,
    Said,
    Say,
    SealedProfile,
    ServerFrame,
    Show,
    Streams,
)
from peermeet.robots import secrecy
from peermeet.robots.call import Call, CallFailed
from peermeet.robots.keyring import Handed, Keyring
from peermeet.robots.line import Line, LineEnded, Link, Refused
from peermeet.robots.pictures import Pictures
from peermeet.robots.speech import Speech, clip

log = logging.getLogger(__name__)

CONNECT_LIMIT_S = 15.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.3, 7.0
# The server answers one offer every two seconds.
_NEXT_OFFER_S = (2.0, 4.0)
_LEAVE_LIMIT_S = 2.0
_MAX_ERRORS = 50
_ASK_EVERY_S = 0.25


class RobotFailed(Exception):
    """The robot could not take part; the message is a code of the protocol or "timeout"."""


class Robot:
    """A participant. Use `join` and `leave`, or `async with`."""

    def __init__(
        self,
        link: Link,
        profile: Profile,
        *,
        seed: int = 0,
        pairs: int | None = None,
        pictures_per_second: float = 8.0,
    ) -> None:
        """pairs: how many others it can hear and see at once; default: everybody.

        seed: decides when it reconnects and where in the clip it begins.
        """
        self.link = link
        self.profile = profile
        self.chance = random.Random(seed)
        self.seat: SeatId | None = None
        self.view: View | None = None
        """The newest view, or None until the first one and while the line is down."""
        self.call: Call | None = None
        self.heard: Counter[SeatId] = Counter()
        """Audio packets that arrived, by the seat they came from; half a second old at most."""
        self.seen: Counter[SeatId] = Counter()
        """Pictures decoded, by the seat they came from."""
        self.turns: set[int] = set()
        """Numbers of the turns it held."""
        self.errors: deque[str] = deque(maxlen=_MAX_ERRORS)
        """Codes of what went wrong; reconnecting because the server said so is not an error."""
        self.join_ms: int | None = None
        """From the start of `join` to connected media."""
        self.ended: str | None = None
        """Why it has gone for good, such as "circle_ended"; None while it takes part."""
        self.connections = 0
        """How often it got a welcome."""
        self.unruly = False
        """Whether it sends its voice whatever the server says."""
        self._pairs = pairs
        self._pictures_per_second = pictures_per_second
        self.keys: Keyring | None = None
        """Of the meeting, in an encrypted circle."""
        self.read: deque[tuple[SeatId, str]] = deque(maxlen=_MAX_ERRORS)
        """What others wrote, by seat."""
        self._secret = link.secret
        self._own = secrecy.Self()
        self._line: Line | None = None
        self._calls: list[Call] = []
        self._resume: str | None = None
        self._sequence = -1
        self._failures = 0
        self._opening = False
        self._away_s = 0.0
        self._connecting = False
        self._wants_camera = False
        self._wants_mic = False
        self._call_wanted = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.join()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    @property
    def me(self) -> SeatView | None:
        """The robot's own seat as it sees it."""
        seats = () if self.view is None else self.view.seats
        return next((seat for seat in seats if seat.id == self.seat), None)

    @property
    def connected(self) -> bool:
        """Seated, with a view and with media."""
        return self.view is not None and self.call is not None and self.call.connected

    async def join(self, within_s: float = CONNECT_LIMIT_S) -> None:
        """Take a seat and connect media. Raises `RobotFailed`; then everything is closed."""
        begun = time.monotonic()
        self.live(self._keep_line())
        self.live(self._keep_call())
        try:
            await self.until(lambda: self.connected or self.ended is not None, within_s)
        except TimeoutError as error:
            await self.leave()
            raise RobotFailed(self.errors[-1] if self.errors else "timeout") from error
        except BaseException:
            await self.leave()
            raise
        if self.ended is not None:
            await self.leave()
            raise RobotFailed(self.ended)
        self.join_ms = round((time.monotonic() - begun) * 1000)

    async def leave(self) -> None:
        """Free the seat and close everything. Safe to repeat, and when never joined."""
        # The seat may be taken already while its welcome is on the way.
        await self.wait(lambda: not self._opening, _LEAVE_LIMIT_S)
        if self._line is not None and self.ended is None:
            try:
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await self.do(Leave())
            except (LineEnded, Refused, TimeoutError):
                pass  # The server may end the line before it says that it is done.
        self.ended = self.ended or "left"
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for call in self._calls:
            await call.close()
        self._wake()

    def live(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the robot do `work` until it leaves."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_fault)
        self._tasks.append(task)

    async def do(self, command: Command) -> Done:
        """Ask for a command. Raises `Refused`, `LineEnded` (also while away), `TimeoutError`."""
        answer = await self._ask(lambda ref: Do(ref, command))
        assert isinstance(answer, Done)
        return answer

    async def switch_mic(self, on: bool) -> None:
        """Like a tap on the button: asks the server; speech follows what the view says."""
        self._wants_mic = on
        try:
            await self.do(SetMic(on))
        except Refused:
            self._wants_mic = False
            raise

    async def switch_camera(self, on: bool) -> None:
        """Like a tap on the button: asks the server; pictures follow what the view says."""
        self._wants_camera = on
        try:
            await self.do(SetCamera(on))
        except Refused:
            self._wants_camera = False
            raise

    async def say(self, to: To, text: str) -> None:
        """Write. Raises as `do`."""
        if self.keys is None:
            await self._ask(lambda ref: Say(ref, to, text))
        else:
            sealed = self.keys.say("chat", text, to)
            await self._ask(lambda ref: Say(ref, to, sealed=sealed))

    async def rename(self, profile: Profile) -> None:
        """Appear otherwise from now on. Raises `LineEnded`."""
        self.profile = profile
        if self._line is None:
            raise LineEnded("away", again=True)
        await self._line.send(ChangeProfile(self._shown_profile()))

    async def until(self, condition: Callable[[], bool], within_s: float = 10.0) -> None:
        """Wait for something about this robot to become true. Raises `TimeoutError`."""
        async with asyncio.timeout(within_s):
            while not condition():
                await self._changed.wait()

    async def wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Like `until`, but tells whether it became true in time."""
        try:
            await self.until(condition, within_s)
        except TimeoutError:
            return False
        return True

    def cut_line(self) -> None:
        """Lose the network under the WebSocket; the robot will reconnect."""
        if self._line is not None:
            self._line.cut()

    async def drop_out(self, for_s: float) -> None:
        """Lose the whole network for a while: the line and the call."""
        self._away_s = for_s
        self.cut_line()
        if self.call is not None:
            await self.call.close()

    def renew_call(self) -> None:
        """Make a new media connection, as a page does that was told to offer again."""
        self._call_wanted.set()

    # --- The line --------------------------------------------------------------------------

    async def _keep_line(self) -> None:
        while self.ended is None:
            try:
                line = await self._open_line()
                end = await self._sit(line)
            except LineEnded as refused:
                end = refused
            if not end.again:
                self.ended = end.code
                self._wake()
                return
            log.info("robot line ended code=%s failures=%d", end.code, self._failures)
            away_s, self._away_s = self._away_s, 0.0
            await asyncio.sleep(away_s)
            longest_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2**self._failures)
            self._failures += 1
            await asyncio.sleep(self.chance.uniform(0, longest_s))

    async def _open_line(self) -> Line:
        token, resume = self.link.token, self._resume
        self._opening = True
        try:
            shown = self._shown_profile()
            hello = Hello(VERSION, shown, AGREEMENT_VERSION, token, resume)
            line = await Line.open(self.link, hello)
            self._line = line
        finally:
            self._opening = False
            self._wake()
        welcome, again = line.welcome, self.seat == line.welcome.seat
        self._resume, self.seat = welcome.resume, welcome.seat
        if self._secret is not None and not (again and self.keys is not None):
            self.keys = Keyring(self._secret, self._own, welcome.circle, welcome.seat)
        self.connections += 1
        return line

    async def _sit(self, line: Line) -> LineEnded:
        """Live on one connection until it ends; tell how."""
        self._sequence = -1
        if self.call is None or not self.call.alive:
            self._call_wanted.set()
        beside = [
            asyncio.create_task(line.beat()),
            asyncio.create_task(self._ask_for_keys()),
            asyncio.create_task(self._switch_on_again(self._wants_camera, self._wants_mic)),
        ]
        try:
            async for frame in line.frames():
                await self._take(frame)
        except LineEnded as end:
            return end
        finally:
            self._line = self.view = None
            for task in beside:
                task.cancel()
            try:
                await asyncio.gather(*beside, return_exceptions=True)
            finally:
                # `leave` may cancel in the middle of this: its goodbye is answered at once.
                await line.close()
        raise AssertionError("frames() ends with LineEnded")

    async def _take(self, frame: ServerFrame) -> None:
        match frame:
            case Show() if frame.seq > self._sequence:
                self._sequence, self.view = frame.seq, frame.view
                if self.keys is not None:
                    await self._hand(self.keys.follow(frame.view, frame.profiles))
                self._failures = 0
                turn = frame.view.turn
                if turn is not None and turn.seat == self.seat:
                    self.turns.add(turn.number)
                self._obey()
                self._wake()
            case Streams() if self.call is not None:
                await self.call.place(frame.mids)
                self._wake()
            case Reoffer() if not self._connecting:
                self.renew_call()
            case Keys() if self.keys is not None:
                await self._hand(self.keys.receive(frame.seat, frame.sealed))
            case Said(seat=seat) if seat == self.seat:
                pass
            case Said() if frame.text is not None:
                self.read.append((frame.seat, frame.text))
            case Said() if self.keys is not None:
                words = self.keys.hear(frame.seat, frame.to, frame.sealed or "")
                if words is not None:
                    self.read.append((frame.seat, words[1]))
            case FaultFrame():
                self.errors.append(frame.code)
            case _:
                pass

    def _shown_profile(self) -> AnyProfile:
        if self._secret is None:
            return self.profile
        profile = secrecy.Profile(self.profile.name, self.profile.color, self._own.person)
        return SealedProfile(secrecy.seal_profile(secrecy.announce(self._secret), profile))

    async def _hand(self, handed: Handed) -> None:
        for to in handed:
            if self._line is not None:
                await self._line.send(HandKeys(to))

    async def _ask_for_keys(self) -> None:
        """Whose key was lost on the way."""
        while True:
            await asyncio.sleep(_ASK_EVERY_S)
            if self.keys is not None:
                with suppress(LineEnded):
                    await self._hand(self.keys.lacking())

    async def _switch_on_again(self, camera: bool, mic: bool) -> None:
        """A page that never went away switches on what its person still sees as on."""
        try:
            if camera:
                await self.switch_camera(True)
            if mic:
                await self.switch_mic(True)
        except (Refused, LineEnded, TimeoutError) as error:
            log.info("robot stays off after reconnecting reason=%s", type(error).__name__)

    async def _ask(self, frame: Callable[[str], Do | Offer | Say]) -> Done | Answer:
        if self._line is None:
            raise LineEnded("away", again=True)
        return await self._line.ask(frame)

    def _obey(self) -> None:
        """Send exactly what the own seat is said to send."""
        me = self.me
        if self.call is None or me is None:
            return
        if self.call.microphone.switched_on and me.mic is not Mic.ON:
            self._wants_mic = False
        self.call.microphone.switch(me.mic is Mic.ON or self.unruly)
        self.call.camera.switch(me.camera is Camera.ON)

    # --- The call --------------------------------------------------------------------------

    async def _keep_call(self) -> None:
        while True:
            await self._call_wanted.wait()
            self._call_wanted.clear()
            line = self._line
            if line is None:
                continue  # The next welcome asks for a call again.
            try:
                await self._connect(line)
            except (Refused, LineEnded, CallFailed, TimeoutError) as error:
                if str(error) != Fault.BUSY:  # "Nothing has changed, try again."
                    self.errors.append(f"call: {str(error) or type(error).__name__}")
                await asyncio.sleep(self.chance.uniform(*_NEXT_OFFER_S))
                self._call_wanted.set()
            self._wake()

    async def _connect(self, line: Line) -> None:
        everybody = line.welcome.capacity - 1
        call = Call(
            Speech(self.chance.randrange(len(clip()))),
            Pictures(self.profile.name, self.profile.color, self._pictures_per_second),
            everybody if self._pairs is None else min(self._pairs, everybody),
            self.heard,
            self.seen,
            self._wake,
            lambda: self._call_lost(call),
            self.keys,
        )
        # The `streams` that follow the answer are about the new call, so it takes the place now.
        old, self.call = self.call, call
        self._calls.append(call)
        self._connecting = True
        try:
            sdp = await call.offer()
            answer = await line.ask(lambda ref: Offer(ref, sdp))
            assert isinstance(answer, Answer)
            await call.accept(answer.sdp, CONNECT_LIMIT_S)
            self._obey()
        finally:
            self._connecting = False
            # Only now: closed earlier, the server would miss it and ask for another offer.
            if old is not None:
                await old.close()
                self._calls.remove(old)

    def _call_lost(self, call: Call) -> None:
        """The one that is in use, that is: the server itself closes the one before it."""
        if call is self.call:
            self._call_wanted.set()

    # --- Waiting ---------------------------------------------------------------------------

    def _wake(self) -> None:
        self._changed.set()
        self._changed.clear()

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(f"fault: {type(error).__name__}")
            log.error("robot failed", exc_info=error)
            self.ended = self.ended or "trouble"
            self._wake()
