"""One circle's task: the only writer of its value.

A command waits in a bounded queue; the runner decides, appends to the journal, and only then
swaps the value and applies the projections (gates first, then views). A failed append means
the command did not happen, and its sender is told so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from peermeet.core import messages as m
from peermeet.core.decide import decide, decide_host, wakes_at
from peermeet.core.evolve import evolve
from peermeet.core.messages import Code, Event, JournalEvent, Refused
from peermeet.core.model import Circle, Gate, Millis, Seat, SeatId
from peermeet.core.notices import notices_for
from peermeet.core.powers import Power, has
from peermeet.core.project import To, gates, lines_for, view_for
from peermeet.core.runsheet import RunSheet
from peermeet.hosting.ports import (
    Clock,
    Conversation,
    Held,
    Journal,
    JournalTrouble,
    Media,
    MediaLine,
    Sheets,
    StoredCircle,
)
from peermeet.identity import library_of
from peermeet.protocol import AnyProfile, Fault, Lines, OwnLine, Said, SeatLine, Watch, Writing

log = logging.getLogger(__name__)

QUEUE_LENGTH = 256
APPEND_LIMIT_S = 5.0
DETACH_RETRY_S = 1.0
SAID_KEPT = 100
"""How much of what was written is kept, for whoever reconnects."""
SHEETS_KNOWN = 8
"""Whose words are at hand: the circle's, one set aside, and some that are just being chosen."""
NO_LINES = Lines(None, {})
"""What a new connection knows of people's lines."""
FAILURES_APART_MS = 60_000
"""A second failure of our own within this time ends the circle."""


class NoSuchSheet(Exception):
    """The group has no run sheet of this id."""


class Busy(Exception):
    """Could not be done now; nothing has changed; trying again makes sense."""


@dataclass(frozen=True)
class Outcome:
    """What a command led to. seq: the number of the view that shows it."""

    seq: int
    events: Sequence[Event]


@dataclass(frozen=True)
class _Asked:
    actor: SeatId | None
    command: m.Command | m.InnerCommand | m.HostCommand
    outcome: asyncio.Future[Outcome]


def replay(stored: StoredCircle, screens: bool = False) -> Circle:
    """The circle that the journal's events lead to. Its id, which is random, gives the seed.

    screens: as in `Circle`; the group's wish of today, so that it wins over an older one.
    """
    seed = int.from_bytes(sha256(stored.id.encode()).digest()[:4])
    circle = Circle(seed=seed, screens=screens, at=stored.opened_at)
    for at, event in stored.events:
        circle = evolve(circle, event, at)
    return circle


class Runner:
    """Runs one circle. Create it, keep `run()` in an owned task, and ask."""

    def __init__(
        self,
        stored: StoredCircle,
        journal: Journal,
        media: Media,
        sheets: Sheets,
        clock: Clock,
        on_ended: Callable[[Runner], Awaitable[None]],
        screens: bool = False,
        held: Mapping[str, Held] | None = None,
        encrypted: bool = False,
    ) -> None:
        """held: media connections that outlived the web process before this one."""
        self.id = stored.id
        self.group = stored.group
        self.encrypted = encrypted
        self._library = library_of(stored.group)
        self._screens = screens
        self.circle = replay(stored, screens)
        self._seq = stored.seq
        self._in_doubt = False
        self._closed = False
        self._failed_at: Millis | None = None
        self._shown = 0
        self._journal = journal
        self._media = media
        self._clock = clock
        self._on_ended = on_ended
        self._queue: asyncio.Queue[_Asked] = asyncio.Queue(QUEUE_LENGTH)
        self._conversations: dict[SeatId, Conversation] = {}
        self._profiles: dict[SeatId, AnyProfile] = {}
        self._links: dict[SeatId, str] = {}
        held = held or {}
        self._streams = {SeatId(s): h.streams for s, h in held.items()}
        self._connected = {SeatId(s) for s, h in held.items() if h.connected}
        self._demands = {SeatId(s): h.high for s, h in held.items() if h.high is not None}
        self._lines: dict[SeatId, MediaLine] = {}
        self._lines_told: dict[SeatId, Lines] = {}
        self._sheets = sheets
        self._known: dict[str, RunSheet] = {}
        self._said: deque[Said] = deque(maxlen=SAID_KEPT)
        self._came_at: dict[SeatId, Millis] = {}

    # --- asked from outside -------------------------------------------------------------------

    async def ask(
        self, actor: SeatId | None, command: m.Command | m.InnerCommand | m.HostCommand
    ) -> Outcome:
        """Have a command decided. actor: None for the host itself. Raises Refused or Busy."""
        if self._closed:
            raise Refused(m.Code.CIRCLE_ENDED)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait(_Asked(actor, command, outcome))
        except asyncio.QueueFull:
            raise Busy from None
        return await outcome

    async def come_back(self, seat: SeatId) -> Outcome:
        """Somebody is back at their seat. Raises Refused or Busy.

        Whose media connection lives is still heard as before; a new page begins with nothing on.
        """
        return await self.ask(None, m.ReturnToSeat(seat, seat in self._connected))

    def attach(
        self, seat: SeatId, conversation: Conversation, profile: AnyProfile, returning: bool = False
    ) -> None:
        """Make this the seat's line; an older one is told that it was replaced.

        returning: the seat was taken before, so that its media may be believed alive.
        """
        older = self._conversations.pop(seat, None)
        if older is not None:
            older.bye(Fault.REPLACED, again=False)
        if seat not in self.circle.seats:
            conversation.bye(Fault.BAD_RESUME, again=False)
            return
        self._conversations[seat] = conversation
        self._profiles[seat] = profile
        self._lines_told.pop(seat, None)
        self._show_all(())
        if not self.circle.seats[seat].waiting:
            self._tell_what_was_said(seat, conversation)
        if not returning:
            return
        if seat in self._streams:
            # Others may have come and gone while the line was lost.
            conversation.streams(self._streams[seat])
            if seat in self._demands:
                conversation.demand(self._demands[seat])
        else:
            # The worker is new: their connection leads nowhere, and their own ICE would notice
            # only after half a minute.
            conversation.reoffer()

    def remember_link(self, seat: SeatId, code: str) -> None:
        """By which invitation a seat was taken, should it have to be blocked. In memory only."""
        self._links[seat] = code

    # --- run sheets and what is written -------------------------------------------------------

    async def choose_sheet(
        self, seat: SeatId, sheet: str | RunSheet, insert: bool = False
    ) -> Outcome:
        """Make a sheet the circle's, by its id or as it was read; a new one is kept.

        Raises Refused, Busy, NoSuchSheet.
        """
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                if isinstance(sheet, str):
                    found = await self._sheets.find(self._library, sheet)
                    if found is None:
                        raise NoSuchSheet
                    sheet = found
                command = m.InsertSheet(sheet.rules) if insert else m.UseSheet(sheet.rules)
                # Nobody's text is kept who may not use it.
                decide(self.circle, seat, command, self._now())
                await self._sheets.keep(self._library, sheet, self._now())
        except (JournalTrouble, TimeoutError) as trouble:
            raise Busy from trouble
        self._know(sheet)
        return await self.ask(seat, command)

    def _know(self, sheet: RunSheet) -> None:
        aside = self.circle.aside
        in_use = {s.id for s in (self.circle.sheet, aside.sheet if aside else None) if s}
        self._known.pop(sheet.id, None)
        self._known[sheet.id] = sheet
        for id in [i for i in self._known if i not in in_use][:-SHEETS_KNOWN]:
            del self._known[id]

    async def sheets(self, seat: SeatId) -> Sequence[RunSheet]:
        """The sheets a facilitator may choose. Raises Refused, Busy."""
        self._require_lead(seat)
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                return await self._sheets.all(self._library)
        except (JournalTrouble, TimeoutError) as trouble:
            raise Busy from trouble

    async def forget_sheet(self, seat: SeatId, sheet: str) -> None:
        """Let go of one of the group's own sheets. Raises Refused, Busy, NoSuchSheet."""
        self._require_lead(seat)
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                if not await self._sheets.forget(self._library, sheet):
                    raise NoSuchSheet
        except (JournalTrouble, TimeoutError) as trouble:
            raise Busy from trouble

    def _require_lead(self, seat: SeatId) -> None:
        own = self.circle.seats.get(seat)
        if own is None or not has(own, Power.LEAD):
            raise Refused(Code.NOT_ALLOWED)

    def say(
        self,
        seat: SeatId,
        to: To,
        text: str | None,
        sealed: str | None = None,
        as_: Writing = "chat",
    ) -> None:
        """Pass on what somebody wrote, to whoever may read it. Raises Refused."""
        decide(self.circle, seat, m.Write(to), self._now())
        said = Said(seat, to, text, sealed, self._now(), as_)
        self._said.append(said)
        for reader, conversation in self._conversations.items():
            if self._may_read(reader, said):
                conversation.said(said)

    def _may_read(self, reader: SeatId, said: Said) -> bool:
        own, writer = self.circle.seats.get(reader), self.circle.seats.get(said.seat)
        if own is None or own.waiting or (writer is not None and writer.veiled):
            return False
        if said.at < self._came_at.get(reader, 0):
            return False  # Who wrote did not know of them.
        needed = {"all": None, "facilitators": Power.LEAD, "team": Power.TEAM}[said.to]
        return reader == said.seat or needed is None or has(own, needed)

    def _tell_what_was_said(self, seat: SeatId, conversation: Conversation) -> None:
        for said in self._said:
            if self._may_read(seat, said):
                conversation.said(said)

    def hand_keys(self, seat: SeatId, to: Mapping[SeatId, str]) -> None:
        """Pass on what is sealed for each, to those who are here and inside. Raises Refused."""
        decide(self.circle, seat, m.HandKeys(), self._now())
        for reader, sealed in to.items():
            own = self.circle.seats.get(reader)
            if own is not None and not own.waiting and reader in self._conversations:
                self._conversations[reader].keys(seat, sealed)

    # ------------------------------------------------------------------------------------------

    def change_profile(self, seat: SeatId, profile: AnyProfile) -> None:
        if seat in self._conversations:
            self._profiles[seat] = profile
            self._show_all(())

    async def detach(self, seat: SeatId, conversation: Conversation) -> None:
        """This line is gone; the seat is away unless a newer line has taken over."""
        if self._conversations.get(seat) is not conversation:
            return
        del self._conversations[seat]
        while seat not in self._conversations:
            try:
                await self.ask(None, m.LoseSeat(seat))
            except Busy:
                # The seat must not stay "here" for ever because the journal was away.
                await asyncio.sleep(DETACH_RETRY_S)
            except Refused:
                return
            else:
                return

    async def answer(self, seat: SeatId, sdp: str) -> str:
        """The SDP answer for a seat's offer; raises MediaRefused."""
        return await self._media.answer(self.id, seat, sdp)

    def streams_of(self, seat: SeatId) -> Mapping[str, str] | None:
        return self._streams.get(seat)

    def set_streams(self, seat: SeatId, mids: Mapping[str, str]) -> None:
        """The media worker has seated people anew for this viewer."""
        if seat in self.circle.seats:
            self._streams[seat] = mids
            if seat in self._conversations:
                self._conversations[seat].streams(mids)

    def demand_of(self, seat: SeatId) -> bool:
        return self._demands.get(seat, False)

    def set_demand(self, seat: SeatId, high: bool) -> None:
        """Whether anybody is to see the larger picture of this seat."""
        if seat in self.circle.seats:
            self._demands[seat] = high
            if seat in self._conversations:
                self._conversations[seat].demand(high)

    def watch(self, seat: SeatId, watch: Watch) -> None:
        """What pictures this person wants. It concerns nobody else, so no rule is asked."""
        if seat in self.circle.seats:
            self._media.watch(self.id, seat, watch)

    def set_lines(self, lines: Mapping[SeatId, MediaLine]) -> None:
        """The media worker has measured everybody's line anew."""
        self._lines = dict(lines)
        for seat, conversation in self._conversations.items():
            self._tell_lines(seat, conversation)

    def _tell_lines(self, seat: SeatId, conversation: Conversation) -> None:
        """Tell a person what they may know of the lines, if it is not what they know."""
        if seat not in self.circle.seats:
            return
        seats = {
            other: SeatLine(line.mark, line.details if in_figures else None)
            for other, in_figures in lines_for(self.circle, seat).items()
            if (line := self._lines.get(other)) is not None
        }
        own = self._lines.get(seat)
        told = Lines(None if own is None else OwnLine(own.mark, own.weak), seats)
        if told != self._lines_told.get(seat, NO_LINES):
            self._lines_told[seat] = told
            conversation.lines(told)

    def media_connected(self, seat: SeatId) -> None:
        """The media connection of a seat has come about."""
        if seat in self.circle.seats:
            self._connected.add(seat)

    def media_gone(self, seat: SeatId, asked_for: bool = False) -> None:
        """The media connection of a seat is gone: ask for a new one.

        asked_for: its own client closed it, and offers anew by itself when it wants to.
        """
        self._streams.pop(seat, None)
        self._demands.pop(seat, None)
        self._lines.pop(seat, None)
        self._connected.discard(seat)
        if seat in self._conversations and not asked_for:
            self._conversations[seat].reoffer()

    def media_restarted(self) -> None:
        for seat in list(self.circle.seats):
            self.media_gone(seat)

    def needs_beat(self) -> bool:
        """A clock is running, so that the moment of a crash matters."""
        turn, clock = self.circle.turn, self.circle.phase_clock
        pairs = any(space.clock.since for space in self.circle.spaces.values())
        return bool((turn and turn.clock.since) or (clock and clock.since) or pairs)

    def close_lines(self, code: str, again: bool) -> None:
        for conversation in self._conversations.values():
            conversation.bye(code, again)

    # --- the task -----------------------------------------------------------------------------

    async def run(self, comes_back: bool = False) -> None:
        """Work until the circle has ended. Owned by the host.

        comes_back: the server was away. What the host then asks, Recover, is decided before
        anything else: time may have come for much that nobody could wait for.
        """
        self._media.apply(self.id, _named(self.circle), self.encrypted)
        await self._know_sheets()
        try:
            while not self.circle.ended:
                try:
                    asked = await (self._queue.get() if comes_back else self._next())
                    comes_back = False
                    if asked is not None:
                        await self._handle(asked)
                except Exception:
                    await self._recover_from_failure()
        finally:
            self._closed = True
            self._drain()
        # Not when the server goes down: the next one finds the media of the circle as it was.
        self._media.close(self.id)
        await self._on_ended(self)

    async def _know_sheets(self) -> None:
        """After a restart the words of the run sheet are found again by its id."""
        aside = self.circle.aside
        for sheet in (self.circle.sheet, aside.sheet if aside else None):
            if sheet is None:
                continue
            try:
                async with asyncio.timeout(APPEND_LIMIT_S):
                    found = await self._sheets.find(self._library, sheet.id)
            except (JournalTrouble, TimeoutError):
                found = None  # The rules go on; only the words are missing.
            if found is not None:
                self._know(found)

    async def _recover_from_failure(self) -> None:
        """A fault of ours: the journal is the truth. Twice in a minute ends the circle kindly."""
        log.exception("runner failed circle=%s", self.id)
        now, before = self._now(), self._failed_at
        self._failed_at = now
        if before is not None and now - before < FAILURES_APART_MS:
            self.close_lines(Fault.TROUBLE, again=False)
            self.circle = replace(self.circle, ended=True)
            return
        self._in_doubt, self._seq = True, -1

    async def _next(self) -> _Asked | None:
        """The next thing to decide; a Tick of our own when time has come."""
        wake = wakes_at(self.circle)
        if wake is None:
            return await self._queue.get()
        wait_s = self._clock.seconds_until(wake)
        if wait_s > 0:
            try:
                # Millis are whole: waking a hair early would only tick twice.
                async with asyncio.timeout(wait_s + 0.001):
                    return await self._queue.get()
            except TimeoutError:
                pass
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            await self._handle(_Asked(None, m.Tick(), outcome))
        finally:
            failed = outcome.done() and outcome.exception() is not None
        if failed:
            # The journal is away: do not spin on a tick that cannot be kept.
            await asyncio.sleep(0.1)
        return None

    def _now(self) -> Millis:
        return max(self._clock.now(), self.circle.at)

    async def _handle(self, asked: _Asked) -> None:
        try:
            await self._settle_doubt()
            now = self._now()
            if asked.actor is None:
                assert isinstance(asked.command, m.HostCommand)
                events = decide_host(self.circle, asked.command, now)
            else:
                assert isinstance(asked.command, m.Command | m.InnerCommand)
                events = decide(self.circle, asked.actor, asked.command, now)
            kept = [e for e in events if isinstance(e, JournalEvent)]
            if kept:
                await self._keep(kept, now)
            if events:
                for event in events:
                    self.circle = evolve(self.circle, event, now)
                await self._act(events)
        except (Refused, Busy) as refusal:
            _fail(asked.outcome, refusal)
            return
        except BaseException:
            # Whoever asks always hears something, else their line waits for ever.
            _fail(asked.outcome, Busy())
            raise
        if not asked.outcome.done():
            asked.outcome.set_result(Outcome(self._shown, events))
        # Whoever asked to leave or to end is told "done" before "bye".
        await asyncio.sleep(0)
        self._say_farewell()

    async def _keep(self, events: Sequence[JournalEvent], now: Millis) -> None:
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                await self._journal.append(self.id, self._seq, events, now)
        except (JournalTrouble, TimeoutError) as trouble:
            log.warning("journal append failed circle=%s", self.id)
            self._in_doubt = True
            if not await self._was_kept(events, now):
                raise Busy from trouble
        self._seq += len(events)

    async def _was_kept(self, events: Sequence[JournalEvent], now: Millis) -> bool:
        """Whether an append of unknown fate is in the journal after all.

        These very events, that is: an older one that was given up may have come in between.
        """
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                stored = await self._journal.load(self.id)
        except (JournalTrouble, TimeoutError):
            return False
        if stored is None or list(stored.events[self._seq :]) != [(now, e) for e in events]:
            return False
        self._in_doubt = False
        return True

    async def _settle_doubt(self) -> None:
        """After a failed append the journal is the truth: take it before deciding anything."""
        if not self._in_doubt:
            return
        try:
            async with asyncio.timeout(APPEND_LIMIT_S):
                stored = await self._journal.load(self.id)
        except (JournalTrouble, TimeoutError) as trouble:
            raise Busy from trouble
        if stored is None:
            raise Busy
        self._in_doubt = False
        if stored.seq != self._seq:
            self.circle, self._seq = replay(stored, self._screens), stored.seq
            await self._act(())
            self._say_farewell()

    async def _act(self, events: Sequence[Event]) -> None:
        """Apply what the new value projects: gates first, then views."""
        self._media.apply(self.id, _named(self.circle), self.encrypted)
        # Let the link write: views for everybody take longer than a gate may stay open.
        await asyncio.sleep(0)
        for seat in [s for s in self._profiles if s not in self.circle.seats]:
            del self._profiles[seat]
            self._streams.pop(seat, None)
            self._demands.pop(seat, None)
            self._lines.pop(seat, None)
            self._lines_told.pop(seat, None)
            self._connected.discard(seat)
            self._came_at.pop(seat, None)
        for event in events:
            if isinstance(event, m.SeatTaken):
                self._came_at[event.seat] = self.circle.at
        self._forget_words_of_the_removed(events)
        self._show_all(events)
        for event in events:
            if isinstance(event, m.SeatAdmitted) and event.seat in self._conversations:
                self._tell_what_was_said(event.seat, self._conversations[event.seat])

    def _forget_words_of_the_removed(self, events: Sequence[Event]) -> None:
        gone = {e.seat for e in events if isinstance(e, m.SeatRemoved)}
        if gone:
            self._said = deque((s for s in self._said if s.seat not in gone), maxlen=SAID_KEPT)

    def _say_farewell(self) -> None:
        gone = [s for s in self._conversations if s not in self.circle.seats]
        for seat in list(self._conversations) if self.circle.ended else gone:
            conversation = self._conversations.pop(seat)
            if self.circle.ended:
                conversation.bye(Fault.CIRCLE_ENDED, again=False)
            elif seat in self.circle.removed:
                conversation.bye(Fault.REMOVED, again=False)
            else:
                conversation.bye(Fault.LEFT, again=False)

    def _show_all(self, events: Sequence[Event]) -> None:
        self._shown += 1
        now = self._now()
        sheet = None if self.circle.sheet is None else self._known.get(self.circle.sheet.id)
        for seat, conversation in self._conversations.items():
            own = self.circle.seats.get(seat)
            if own is None:
                continue
            view = view_for(self.circle, seat, now)
            profiles = {
                s.id: self._profiles[s.id]
                for s in view.seats
                if s.id in self._profiles and _may_know(own, self.circle.seats[s.id])
            }
            links = {s: self._links[s] for s in view.removed if s in self._links}
            if sheet is not None and not own.waiting:
                conversation.sheet(sheet)
            notices = notices_for(self.circle, seat, events)
            conversation.show(self._shown, view, profiles, notices, links)
            # Who is where, and who cares, may have changed.
            self._tell_lines(seat, conversation)

    def _drain(self) -> None:
        while not self._queue.empty():
            _fail(self._queue.get_nowait().outcome, Refused(m.Code.CIRCLE_ENDED))


def _named(circle: Circle) -> Mapping[str, Gate]:
    return {str(seat): gate for seat, gate in gates(circle).items()}


def _may_know(viewer: Seat, seat: Seat) -> bool:
    """Whether the viewer may see how this person appears: intruders' names are veiled too."""
    return not seat.veiled or viewer.id == seat.id or has(viewer, Power.LEAD)


def _fail(outcome: asyncio.Future[Outcome], error: Exception) -> None:
    if not outcome.done():
        outcome.set_exception(error)
