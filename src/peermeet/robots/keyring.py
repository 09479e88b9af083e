"""The keys of one meeting as a robot holds them: who is a member, and what passes between them.

docs/encryption.md is the manual; what is sealed how is in `secrecy.py` and `sframe.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import TypeVar

from peermeet.core.model import SeatId
from peermeet.core.project import View
from peermeet.protocol import AnyProfile, Profile, SealedProfile, Writing
from peermeet.robots import secrecy
from peermeet.robots.secrecy import Ask, NewSecret, Pair, Self
from peermeet.robots.sframe import Kind, Receiver, Sender, SenderKey, To

ASK_AGAIN_MS = 1_000

Opened = TypeVar("Opened")
Handed = list[dict[SeatId, str]]
"""What is to be handed over, one frame `keys` after the other."""


class Keyring:
    """One robot's keys in one meeting."""

    def __init__(self, secret: bytes, own: Self, circle: str, seat: SeatId) -> None:
        self.own = own
        self.names: dict[SeatId, Profile] = {}
        """How the members appear."""
        self.opened = self.failed = 0
        """Frames and words from members that opened, and that did not."""
        self._seat = seat
        self._announce = secrecy.announce(secret)
        self._meeting = secrecy.meeting(secret, circle)
        self._sender = Sender(_number(seat))
        self._receiver = Receiver()
        self._members: dict[SeatId, secrecy.Person] = {}
        self._pairs: dict[secrecy.Person, Pair] = {}
        self._asked_at: dict[SeatId, int] = {}
        # Pictures are sealed where they are encoded, in a thread.
        self._sealing = threading.Lock()

    def follow(self, view: View, profiles: Mapping[SeatId, AnyProfile]) -> Handed:
        """Take over who is a member now; what the change makes one hand over."""
        members = {}
        # Whoever waits outside is no member, and has none.
        outside = any(there.waiting for there in view.seats if there.id == self._seat)
        for there in view.seats:
            sealed = profiles.get(there.id)
            if outside or there.id == self._seat or there.waiting:
                continue
            if not isinstance(sealed, SealedProfile):
                continue
            profile = secrecy.open_profile(self._announce, sealed.sealed)
            if profile is not None:
                members[there.id] = profile.person
                # The palette is a plain tuple; mypy cannot see that its words are the right ones.
                self.names[there.id] = Profile(profile.name, profile.color)  # type: ignore[arg-type]
        before, self._members = self._members, members
        gone = [seat for seat, person in before.items() if members.get(seat) != person]
        come = [seat for seat, person in members.items() if before.get(seat) != person]
        for seat in gone:
            self._receiver.forget(_number(seat))
            self.names = {s: name for s, name in self.names.items() if s in members}
        handed: Handed = []
        with self._sealing:
            if gone:
                fresh = self._sender.left(now_ms())
                handed += self._to(members.keys() - set(come), [fresh])
            if come:
                handed += self._to(come, self._sender.joined(now_ms()))
        return handed

    def receive(self, seat: SeatId, sealed: str) -> Handed:
        """What another one has handed over; the answer to it."""
        person = self._members.get(seat)
        match None if person is None else self._pair(person).open(sealed):
            case SenderKey() as key:
                self._receiver.take(_number(seat), key, now_ms())
            case Ask():
                return self._to([seat], self._sender.keys(now_ms()))
            case NewSecret() | None:
                pass  # A robot does not outlive its secret.
        return []

    def lacking(self) -> Handed:
        """What to ask of those whose key never came."""
        now, asked = now_ms(), []
        for seat in self._members:
            if _number(seat) not in self._receiver.lacking:
                continue
            if now - self._asked_at.get(seat, -ASK_AGAIN_MS) >= ASK_AGAIN_MS:
                self._asked_at[seat] = now
                asked.append(seat)
            self._receiver.lacking.discard(_number(seat))
        self._receiver.sweep(now)
        return [{seat: self._pair(self._members[seat]).seal(Ask())} for seat in asked]

    def seal(self, kind: Kind, frame: bytes) -> bytes:
        with self._sealing:
            return self._sender.seal(kind, frame, now_ms())

    def open(self, seat: SeatId, kind: Kind, frame: bytes) -> bytes | None:
        return self._count(self._receiver.open(_number(seat), kind, frame, now_ms()))

    def say(self, kind: Writing, text: str, to: To) -> str:
        with self._sealing:
            return self._sender.say(kind, text, to, now_ms())

    def hear(self, seat: SeatId, to: To, sealed: str) -> tuple[Writing, str] | None:
        return self._count(self._receiver.hear(_number(seat), to, sealed, now_ms()))

    def _count(self, opened: Opened | None) -> Opened | None:
        if opened is None:
            self.failed += 1
        else:
            self.opened += 1
        return opened

    def _to(self, seats: Iterable[SeatId], keys: Iterable[SenderKey]) -> Handed:
        there = sorted(seat for seat in seats if seat in self._members)
        if not there:
            return []
        return [{seat: self._pair(self._members[seat]).seal(key) for seat in there} for key in keys]

    def _pair(self, person: secrecy.Person) -> Pair:
        if person not in self._pairs:
            self._pairs[person] = Pair(self.own, person, self._meeting)
        return self._pairs[person]


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _number(seat: SeatId) -> int:
    return int(seat[1:])
