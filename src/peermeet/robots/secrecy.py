"""Who is who, and what passes between them unread: the keys of docs/encryption.md, in Python.

Names and labels are those of that page. What comes from the network never raises here: it opens
or is None.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from peermeet.protocol import COLORS
from peermeet.robots.sframe import KEY_BYTES, SenderKey
from peermeet.robots.spelling import from_b64, read_json, to_b64

SECRET_BYTES = 32
SAFETY_ROUNDS = 600_000

_IV_BYTES, _TAG_BYTES = 12, 16


def derive(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(key)


def seal(key: bytes, label: str, text: bytes) -> bytes:
    """`iv ‖ ciphertext ‖ tag` under a key of 32 bytes."""
    iv = os.urandom(_IV_BYTES)
    return iv + AESGCM(key).encrypt(iv, text, label.encode())


def unseal(key: bytes, label: str, sealed: bytes) -> bytes | None:
    """What `seal` has sealed with the same key and label."""
    if len(sealed) < _IV_BYTES + _TAG_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:_IV_BYTES], sealed[_IV_BYTES:], label.encode())
    except InvalidTag:
        return None


def _pack(what: dict[str, Any]) -> bytes:
    return json.dumps(what, ensure_ascii=False).encode()


# --- The group secret ------------------------------------------------------------------------


def read_secret(text: str) -> bytes | None:
    """The secret as it stands in a link, 43 letters; None if it is none."""
    secret = from_b64(text)
    return secret if secret is not None and len(secret) == SECRET_BYTES else None


def check(secret: bytes) -> str:
    """What the server keeps, to tell who has today's secret."""
    return to_b64(derive(secret, b"", b"peermeet check", 16))


def announce(secret: bytes) -> bytes:
    return derive(secret, b"", b"peermeet announce", 32)


def meeting(secret: bytes, circle: str) -> bytes:
    return derive(secret, circle.encode(), b"peermeet meeting", 32)


# --- Who is here -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """The public half of somebody: two P-256 points of 65 bytes."""

    hand: bytes
    device: bytes


def _point(point: bytes | None) -> EllipticCurvePublicKey | None:
    if point is None or len(point) != 65:
        return None
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        return None


def _person(hand: object, device: object) -> Person | None:
    points = from_b64(hand), from_b64(device)
    if points[0] is None or points[1] is None or not all(map(_point, points)):
        return None
    return Person(points[0], points[1])


class Self:
    """Both halves of oneself. A robot keeps no device key: it is as new as the hand."""

    def __init__(
        self,
        hand: EllipticCurvePrivateKey | None = None,
        device: EllipticCurvePrivateKey | None = None,
    ) -> None:
        self._hand = hand or generate_private_key(SECP256R1())
        self._device = device or generate_private_key(SECP256R1())
        hand_point, device_point = (
            key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            for key in (self._hand, self._device)
        )
        self.person = Person(hand_point, device_point)

    def between(self, other: Person) -> bytes:
        """`ECDH(hand, hand) ‖ ECDH(device, device)`. Raises `ValueError` if these are no points."""
        hand, device = _point(other.hand), _point(other.device)
        if hand is None or device is None:
            raise ValueError("no points of P-256")
        return self._hand.exchange(ECDH(), hand) + self._device.exchange(ECDH(), device)


@dataclass(frozen=True)
class Profile:
    name: str
    color: str
    person: Person


def seal_profile(announce: bytes, profile: Profile) -> str:
    what = {"name": profile.name, "color": profile.color}
    points = {"hand": to_b64(profile.person.hand), "device": to_b64(profile.person.device)}
    return to_b64(seal(announce, "profile", _pack(what | points)))


def open_profile(announce: bytes, text: str) -> Profile | None:
    """Who that is; None if it does not open or is not the profile of anybody."""
    what = read_json(unseal(announce, "profile", from_b64(text) or b""))
    name, color = what.get("name"), what.get("color")
    person = _person(what.get("hand"), what.get("device"))
    if not isinstance(name, str) or not 1 <= len(name) <= 40 or name != name.strip():
        return None
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return None
    return Profile(name, color, person) if person and color in COLORS else None


def safety_numbers(meeting: bytes, hands: Iterable[bytes]) -> bytes:
    """8 numbers of 0-255, the same wherever the same people are: the hands of all, oneself too."""
    everybody = b"".join(sorted(set(hands)))
    return hashlib.pbkdf2_hmac("sha256", everybody, meeting, SAFETY_ROUNDS, 8)


# --- Between two -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """Hand me your key."""


@dataclass(frozen=True)
class NewSecret:
    secret: bytes = field(repr=False)


Message = SenderKey | Ask | NewSecret


def _message(what: dict[str, Any]) -> Message | None:
    kind, number = what.get("kind"), what.get("id")
    key = from_b64(what.get("key" if kind == "key" else "secret"))
    if kind == "ask":
        return Ask()
    if key is None or len(key) != KEY_BYTES:
        return None
    if kind == "key" and type(number) is int and 0 <= number < 1 << 40:
        return SenderKey(number, key)
    return NewSecret(key) if kind == "secret" else None


def _pair_key(own: Self, other: Person, salt: bytes, label: bytes, from_own: bool) -> bytes:
    one, two = (own.person, other) if from_own else (other, own.person)
    info = label + one.hand + one.device + two.hand + two.device
    return derive(own.between(other), salt, info, 32)


class Pair:
    """What goes between oneself and one other hand in one meeting, each message once.

    Kept for as long as oneself is here, also when the other has gone: with it one would forget
    which of their messages had come.
    """

    def __init__(self, own: Self, other: Person, meeting: bytes) -> None:
        """Raises `ValueError` if the other's keys are no points of P-256."""
        self._there = _pair_key(own, other, meeting, b"peermeet pair", True)
        self._back = _pair_key(own, other, meeting, b"peermeet pair", False)
        self._sent = self._came = 0

    def seal(self, message: Message) -> str:
        self._sent += 1
        what: dict[str, Any] = {"n": self._sent}
        match message:
            case SenderKey(number, key):
                what |= {"kind": "key", "id": number, "key": to_b64(key)}
            case NewSecret(secret):
                what |= {"kind": "secret", "secret": to_b64(secret)}
            case Ask():
                what |= {"kind": "ask"}
        return to_b64(b"\x01" + seal(self._there, "keys", _pack(what)))

    def open(self, text: str) -> Message | None:
        """None also for a message that has come before, or that was overtaken."""
        data = from_b64(text) or b"\0"
        if data[0] != 1:
            return None
        what = read_json(unseal(self._back, "keys", data[1:]))
        message, n = _message(what), what.get("n")
        if message is None or type(n) is not int or n <= self._came:
            return None
        self._came = n
        return message


def seal_renew(own: Self, other: Person, older: bytes, secret: bytes) -> str:
    """Today's secret for somebody who has come with an older one. older: its meeting key."""
    kek = _pair_key(own, other, older, b"peermeet renew", True)
    what = {
        "hand": to_b64(own.person.hand),
        "device": to_b64(own.person.device),
        "sealed": to_b64(seal(kek, "renew", secret)),
    }
    return to_b64(b"\x02" + seal(older, "renew", _pack(what)))


def open_renew(own: Self, older: bytes, text: str) -> tuple[Person, bytes] | None:
    """From whom, and the secret. The caller must know that device as one that has led."""
    data = from_b64(text) or b"\0"
    what = read_json(unseal(older, "renew", data[1:])) if data[0] == 2 else {}
    person = _person(what.get("hand"), what.get("device"))
    if person is None:
        return None
    kek = _pair_key(own, person, older, b"peermeet renew", False)
    secret = unseal(kek, "renew", from_b64(what.get("sealed")) or b"")
    return (person, secret) if secret is not None and len(secret) == SECRET_BYTES else None
