"""Frames under a sender key: SFrame (RFC 9605) as docs/encryption.md has it.

Times are milliseconds of any clock that does not jump. What comes from the network never raises
here: it opens or is None.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from peermeet.protocol import Writing
from peermeet.robots.spelling import from_b64, read_json, to_b64

KEY_BYTES = 32
MARK = bytes.fromhex("504d e2ee")
SUITE = 4
"""AES_128_GCM_SHA256_128 (RFC 9605, section 8.1)."""
USED_AFTER_MS = 1_000
KEPT_MS = 5_000
STEPS_AT_ONCE = 32
WINDOW = 1_024

_TAG_BYTES = 16
_LAST_STEP, _LAST_GENERATION = 0xFF, 0xFFFF

Kind = Literal["audio", "video"]
To = Literal["all", "facilitators", "team"]


@dataclass(frozen=True)
class SenderKey:
    """A sender key as it is handed over. id: as `key_id` makes it; key: 32 bytes."""

    id: int
    key: bytes = field(repr=False)


def key_id(seat: int, generation: int, step: int) -> int:
    """seat: 0-65535, the number in its name; generation: 0-65535; step: 0-255."""
    return seat << 24 | generation << 8 | step


def ratchet(key: bytes) -> bytes:
    """The key of the next step (RFC 9605, section 5.1)."""
    return HKDF(SHA256(), KEY_BYTES, None, b"SFrame 1.0 Ratchet").derive(key)


def key_and_salt(key: SenderKey) -> tuple[bytes, bytes]:
    """sframe_key and sframe_salt (RFC 9605, section 4.4.2)."""
    about = key.id.to_bytes(8, "big") + SUITE.to_bytes(2, "big")
    return (
        HKDF(SHA256(), 16, None, b"SFrame 1.0 Secret key " + about).derive(key.key),
        HKDF(SHA256(), 12, None, b"SFrame 1.0 Secret salt " + about).derive(key.key),
    )


def encode_header(number: int, counter: int) -> bytes:
    """The SFrame header (RFC 9605, section 4.3) of 1-17 bytes; both below 2^64."""
    config, rest = 0, b""
    for value, shift in ((number, 4), (counter, 0)):
        if value < 8:
            config |= value << shift
        else:
            length = (value.bit_length() + 7) // 8
            config |= (8 | length - 1) << shift
            rest += value.to_bytes(length, "big")
    return bytes((config,)) + rest


def decode_header(data: bytes) -> tuple[int, int, int] | None:
    """Key id, counter and how long the header at the beginning of `data` is."""
    if not data:
        return None
    values, at = [], 1
    for field_ in (data[0] >> 4, data[0] & 15):
        length = (field_ & 7) + 1 if field_ & 8 else 0
        values.append(int.from_bytes(data[at : at + length], "big") if length else field_)
        at += length
    is_ours = len(data) >= at and encode_header(values[0], values[1]) == data[:at]
    return (values[0], values[1], at) if is_ours else None


def clear_bytes(kind: Kind, frame: bytes) -> int:
    """How much of a frame stays readable (RFC 6386, section 9.1), sealed or not."""
    if kind == "audio" or not frame:
        return 0
    return 3 if frame[0] & 1 else 10


class Key:
    """One sender key at work: its cipher, and which counters have come."""

    def __init__(self, key: SenderKey) -> None:
        self.given = key
        cipher, salt = key_and_salt(key)
        self.until: float = math.inf
        self._cipher = AESGCM(cipher)
        self._salt = int.from_bytes(salt, "big")
        self._highest, self._seen = -1, 0

    def seal(self, counter: int, clear: bytes, text: bytes) -> tuple[bytes, bytes]:
        """The header, and the ciphertext with its tag."""
        header = encode_header(self.given.id, counter)
        return header, self._cipher.encrypt(self._nonce(counter), text, header + clear)

    def frame(self, counter: int, kind: Kind, frame: bytes) -> bytes:
        """A frame as it goes into packets."""
        size = clear_bytes(kind, frame)
        header, text = self.seal(counter, frame[:size], frame[size:])
        return frame[:size] + text + header + bytes((len(header),)) + MARK

    def open(self, counter: int, header: bytes, clear: bytes, text: bytes) -> bytes | None:
        try:
            opened = self._cipher.decrypt(self._nonce(counter), text, header + clear)
        except InvalidTag:
            return None
        return opened if self._is_first(counter) else None

    def _nonce(self, counter: int) -> bytes:
        return (self._salt ^ counter).to_bytes(12, "big")

    def _is_first(self, counter: int) -> bool:
        ahead = counter - self._highest
        if ahead > 0:
            self._highest = counter
            self._seen = (self._seen << ahead | 1) % (1 << WINDOW) if ahead < WINDOW else 1
            return True
        bit = 1 << -ahead
        if -ahead >= WINDOW or self._seen & bit:
            return False
        self._seen |= bit
        return True


class Sender:
    """My sender key as people come and go, and everything that is sealed with it."""

    def __init__(self, seat: int) -> None:
        self._seat = seat
        self._used = Key(SenderKey(key_id(seat, 0, 0), os.urandom(KEY_BYTES)))
        self._next: tuple[SenderKey, int] | None = None
        self._counter = 0

    def keys(self, now: int) -> list[SenderKey]:
        """What a member has to have: the key in use, and the next one if there is one."""
        self._advance(now)
        return [self._used.given, *([self._next[0]] if self._next else [])]

    def joined(self, now: int) -> list[SenderKey]:
        """Somebody is a member now: what to hand to them. The others find the step alone."""
        self._advance(now)
        used = self._used.given
        if used.id & 0xFF == _LAST_STEP:
            self._use(self._fresh())  # The others will ask.
        else:
            self._use(SenderKey(used.id + 1, ratchet(used.key)))
        return self.keys(now)

    def left(self, now: int) -> SenderKey:
        """Somebody is a member no more, or the secret is new: what to hand to all who remain."""
        self._advance(now)
        fresh = self._fresh()
        self._next = fresh, self._next[1] if self._next else now + USED_AFTER_MS
        return fresh

    def seal(self, kind: Kind, frame: bytes, now: int) -> bytes:
        """A frame as it goes into packets."""
        key, counter = self._count(now)
        return key.frame(counter, kind, frame)

    def say(self, kind: Writing, text: str, to: To, now: int) -> str:
        """Written words as they are sent."""
        words = json.dumps({"kind": kind, "text": text}, ensure_ascii=False).encode()
        key, counter = self._count(now)
        return to_b64(b"".join(key.seal(counter, b"say " + to.encode(), words)))

    def _count(self, now: int) -> tuple[Key, int]:
        self._advance(now)
        self._counter += 1
        return self._used, self._counter - 1

    def _fresh(self) -> SenderKey:
        newest = self._next[0] if self._next else self._used.given
        generation = (newest.id >> 8 & _LAST_GENERATION) + 1
        if generation > _LAST_GENERATION:
            raise OverflowError("no generation is used twice: join again")
        return SenderKey(key_id(self._seat, generation, 0), os.urandom(KEY_BYTES))

    def _advance(self, now: int) -> None:
        if self._next is not None and now >= self._next[1]:
            self._use(self._next[0])

    def _use(self, key: SenderKey) -> None:
        self._used, self._counter = Key(key), 0
        if self._next is not None and self._next[0].id <= key.id:
            self._next = None


class Receiver:
    """The sender keys of the others, by seat."""

    def __init__(self) -> None:
        self._keys: dict[int, dict[int, Key]] = {}
        self._given: dict[int, int] = {}
        self._opened: dict[int, int] = {}
        self.lacking: set[int] = set()
        """Seats of which something came under a key that was never handed over; theirs to clear."""

    def take(self, seat: int, key: SenderKey, now: int) -> bool:
        """A key from the person at that seat; not one that is older than what they handed over."""
        if key.id >> 24 != seat or key.id <= self._given.get(seat, -1):
            return False
        self._given[seat] = key.id
        self._outlive(seat, key.id, now + USED_AFTER_MS + KEPT_MS)
        keys = self._keys.setdefault(seat, {})
        keys[key.id] = Key(key)
        while len(keys) > STEPS_AT_ONCE:
            del keys[min(keys)]
        return True

    def forget(self, seat: int) -> None:
        """The person has gone, or somebody else is at the seat."""
        self._given.pop(seat, None)
        self._opened.pop(seat, None)
        self._keys.pop(seat, None)
        self.lacking.discard(seat)

    def sweep(self, now: int) -> None:
        """Forgets keys whose time is over; within a second of it is soon enough."""
        for keys in self._keys.values():
            for number in [n for n, key in keys.items() if key.until <= now]:
                del keys[number]

    def open(self, seat: int, kind: Kind, frame: bytes, now: int) -> bytes | None:
        """A frame that came from that seat."""
        if len(frame) < 5 or frame[-4:] != MARK or not 0 < frame[-5] <= len(frame) - 5:
            return None
        body, header = frame[: -5 - frame[-5]], frame[-5 - frame[-5] : -5]
        size = min(clear_bytes(kind, frame), len(body) - _TAG_BYTES)
        if size < 0:
            return None
        opened = self._open(seat, header, body[:size], body[size:], now)
        return None if opened is None else body[:size] + opened

    def hear(self, seat: int, to: To, text: str, now: int) -> tuple[Writing, str] | None:
        """Words written at that seat."""
        data = from_b64(text) or b""
        read = decode_header(data)
        size = read[2] if read else 0
        opened = self._open(seat, data[:size], b"say " + to.encode(), data[size:], now)
        words = read_json(opened)
        kind, said = words.get("kind"), words.get("text")
        if not isinstance(said, str) or any("\ud800" <= letter <= "\udfff" for letter in said):
            return None
        return (kind, said) if kind in ("chat", "caption", "share") else None

    def _open(self, seat: int, header: bytes, clear: bytes, text: bytes, now: int) -> bytes | None:
        read = decode_header(header)
        if read is None or read[2] != len(header) or read[0] >> 24 != seat:
            return None
        key = self._find(seat, read[0], now)
        opened = key.open(read[1], header, clear, text) if key else None
        if key is None or opened is None:
            return None
        number = key.given.id
        self._keys[seat][number] = key
        self._given[seat] = max(self._given[seat], number)
        self._opened[seat] = max(self._opened.get(seat, -1), number)
        self._outlive(seat, self._opened[seat], now + KEPT_MS)
        return opened

    def _outlive(self, seat: int, number: int, then: float) -> None:
        """What is older than this key goes then."""
        for older, key in self._keys.get(seat, {}).items():
            if older < number:
                key.until = min(key.until, then)

    def _find(self, seat: int, number: int, now: int) -> Key | None:
        keys = self._keys.get(seat, {})
        first = max(number - STEPS_AT_ONCE, number - number % 256)
        for begin in range(number, first - 1, -1):
            known = keys.get(begin)
            if known is None or known.until <= now:
                continue
            if begin == number:
                return known
            step = known.given.key
            for _ in range(number - begin):
                step = ratchet(step)
            return Key(SenderKey(number, step))
        if number > self._given.get(seat, -1):
            self.lacking.add(seat)
        return None
