"""Writes vectors.json, to which both clients of docs/encryption.md are held.

    .venv/bin/python -m tests.e2ee.make_vectors

The page's formulas once more, from nothing but the primitives, and with everything that is drawn
by lot in the clients drawn from a count here. Bytes are hexadecimal unless they are sent as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FILE = Path(__file__).with_name("vectors.json")

RFC_SOURCE = "RFC 9605, Appendix C; as JSON in github.com/sframe-wg/sframe, test-vectors.json"
RFC_HEADERS = (
    (0x0, 0x0, "00"),
    (0x0, 0x1, "01"),
    (0x0, 0xFF, "08ff"),
    (0x0, 0x100, "090100"),
    (0x1, 0x0, "10"),
    (0x1, 0xFFFF, "19ffff"),
    (0xFF, 0x1, "81ff"),
    (0xFF, 0x10000, "8aff010000"),
    (0x100, 0xFFFFFF, "9a0100ffffff"),
    (0xFFFF, 0x1000000, "9bffff01000000"),
    (0x10000, 0xFFFFFFFF, "ab010000ffffffff"),
    (0xFFFFFF, 0x100000000, "acffffff0100000000"),
    (0x1000000, 0x0, "b001000000"),
    (0xFFFFFFFF, 0xFFFF, "b9ffffffffffff"),
    (0x100000000, 0xFFFFFFFFFF, "cc0100000000ffffffffff"),
    (0xFFFFFFFFFF, 0xFFFFFFFFFFFF, "cdffffffffffffffffffffff"),
)
"""Key id, counter, header. Those of more than 48 bits are left out: no client gets there."""
RFC_SFRAME = {
    "id": 0x123,
    "counter": 0x4567,
    "base_key": "000102030405060708090a0b0c0d0e0f",
    "key": "d34f547f4ca4f9a7447006fe7fcbf768",
    "salt": "75234edefe07819026751816",
    "clear": "4945544620534672616d65205747",
    "plain": "64726166742d696574662d736672616d652d656e63",
    "sealed": "9901234567b7412c2513a1b66dbb48841bbaf17f59875117"
    "6ad847681a69c6d0b091c07018ce4adb34eb",
}
"""Cipher suite 4. `clear` is what the RFC calls metadata."""

MARK = bytes.fromhex("504de2ee")
CIRCLE = "c-7Qm2"
HALF = b'"half"', b'"\\ud83c"'
"""A name that is half of a character."""

_lot = count(1)


def draw(size: int) -> bytes:
    """Bytes that are the same in every run, and never twice."""
    return hashlib.shake_128(b"peermeet vectors %d" % next(_lot)).digest(size)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def derive(key: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt, info).derive(key)


def seal(key: bytes, label: str, text: bytes) -> bytes:
    iv = draw(12)
    return iv + AESGCM(key).encrypt(iv, text, label.encode())


def pack(what: object) -> bytes:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":")).encode()


class Somebody:
    def __init__(self, name: str) -> None:
        self.name = name
        self.keys = [
            ec.derive_private_key(int.from_bytes(draw(31), "big"), ec.SECP256R1()) for _ in "hd"
        ]
        self.hand, self.device = (
            key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            for key in self.keys
        )

    def told(self) -> dict[str, Any]:
        points = {"hand": self.hand.hex(), "device": self.device.hex()}
        return points | {
            f"{name}_jwk": {
                "kty": "EC",
                "crv": "P-256",
                "d": b64(key.private_numbers().private_value.to_bytes(32, "big")),
                "x": b64(point[1:33]),
                "y": b64(point[33:]),
            }
            for name, key, point in zip(
                ("hand", "device"), self.keys, (self.hand, self.device), strict=True
            )
        }

    def between(self, other: Somebody) -> bytes:
        return b"".join(
            own.exchange(ec.ECDH(), theirs.public_key())
            for own, theirs in zip(self.keys, other.keys, strict=True)
        )


def to_other(label: str, one: Somebody, two: Somebody, salt: bytes) -> bytes:
    info = label.encode() + one.hand + one.device + two.hand + two.device
    return derive(one.between(two), salt, info, 32)


def header(number: int, counter: int) -> bytes:
    kid, ctr = (
        value.to_bytes(-(-value.bit_length() // 8), "big") if value > 7 else b""
        for value in (number, counter)
    )
    high = 8 + len(kid) - 1 if kid else number
    low = 8 + len(ctr) - 1 if ctr else counter
    return bytes([high * 16 + low]) + kid + ctr


def key_and_salt(number: int, key: bytes) -> tuple[bytes, bytes]:
    about = number.to_bytes(8, "big") + bytes([0, 4])
    return (
        derive(key, b"", b"SFrame 1.0 Secret key " + about, 16),
        derive(key, b"", b"SFrame 1.0 Secret salt " + about, 12),
    )


def encrypt(number: int, key: bytes, counter: int, clear: bytes, plain: bytes) -> bytes:
    cipher, salt = key_and_salt(number, key)
    nonce = bytes(a ^ b for a, b in zip(salt, counter.to_bytes(12, "big"), strict=True))
    return AESGCM(cipher).encrypt(nonce, plain, header(number, counter) + clear)


def frame(name: str, number: int, key: bytes, counter: int, clear: int, plain: bytes) -> Any:
    head = header(number, counter)
    text = encrypt(number, key, counter, plain[:clear], plain[clear:])
    return {
        "name": name,
        "kind": "audio" if "sound" in name else "video",
        "id": number,
        "key": key.hex(),
        "counter": counter,
        "plain": plain.hex(),
        "sealed": (plain[:clear] + text + head + bytes([len(head)]) + MARK).hex(),
    }


def frames(number: int, key: bytes) -> list[Any]:
    key_frame = bytes.fromhex("101b009d012a4001b400") + draw(60)
    delta = bytes.fromhex("b10300") + draw(30)
    return [
        frame("sound", number, key, 0, 0, draw(40)),
        frame("sound of silence", number, key, 7, 0, draw(1)),
        frame("sound of nothing", number, key, 8, 0, b""),
        frame("a key frame", number, key, 255, 10, key_frame),
        frame("a key frame cut short", number, key, 256, 10, key_frame[:10]),
        frame("a key frame shorter than its clear part", number, key, 65_535, 10, key_frame[:4]),
        frame("a delta frame", number, key, 65_536, 3, delta),
        frame("a delta frame of one byte", number, key, 2**24, 3, delta[:1]),
        frame("a picture of nothing", number, key, 2**32, 0, b""),
        frame("a sound of the first seat there can be", 0, draw(32), 5, 0, draw(20)),
        frame("a sound of the last seat there can be", 2**40 - 1, draw(32), 2**40, 0, draw(20)),
    ]


def words(number: int, key: bytes, counter: int, kind: str, text: str, to: str) -> Any:
    sealed = encrypt(number, key, counter, f"say {to}".encode(), pack({"kind": kind, "text": text}))
    return {
        "id": number,
        "key": key.hex(),
        "kind": kind,
        "text": text,
        "to": to,
        "sealed": b64(header(number, counter) + sealed),
    }


def make() -> dict[str, Any]:
    """The whole file."""
    global _lot
    _lot = count(1)
    secret, newer = draw(32), draw(32)
    announce = derive(secret, b"", b"peermeet announce", 32)
    meeting = derive(secret, CIRCLE.encode(), b"peermeet meeting", 32)
    ana, ben, cleo = (Somebody(name) for name in ("ana", "ben", "cleo"))
    steps = [draw(32)]
    for _ in range(3):
        steps.append(derive(steps[-1], b"", b"SFrame 1.0 Ratchet", 32))
    number = 3 << 24 | 2 << 8 | 1
    handed = {"n": 1, "kind": "key", "id": number, "key": b64(steps[1])}
    there, back = (
        to_other("peermeet pair", ana, ben, meeting),
        to_other("peermeet pair", ben, ana, meeting),
    )
    kek = to_other("peermeet renew", ana, ben, meeting)
    renew = {
        "hand": b64(ana.hand),
        "device": b64(ana.device),
        "sealed": b64(seal(kek, "renew", newer)),
    }
    hands = [ana.hand, ben.hand, cleo.hand]
    profile = {"name": "Zoë 🌱", "color": "sage", "hand": b64(ana.hand), "device": b64(ana.device)}
    return {
        "rfc9605": {
            "source": RFC_SOURCE,
            "headers": [
                {"id": kid, "counter": ctr, "header": head} for kid, ctr, head in RFC_HEADERS
            ],
            "sframe": RFC_SFRAME,
        },
        "headers": [
            {"id": kid, "counter": ctr, "header": header(kid, ctr).hex()}
            for kid in (0, 7, 8, 3 << 24, number, 2**40 - 1)
            for ctr in (0, 7, 8, 255, 256, 2**48 - 1)
        ],
        "key_ids": [
            {"seat": seat, "generation": generation, "step": step, "id": kid}
            for seat, generation, step, kid in (
                (0, 0, 0, 0),
                (1, 0, 0, 0x1000000),
                (3, 2, 1, number),
                (65_535, 65_535, 255, 2**40 - 1),
            )
        ],
        "group": {
            "secret": secret.hex(),
            "in_link": b64(secret),
            "circle": CIRCLE,
            "check": b64(derive(secret, b"", b"peermeet check", 16)),
            "announce": announce.hex(),
            "meeting": meeting.hex(),
        },
        "people": {each.name: each.told() for each in (ana, ben, cleo)},
        "profile": {
            "name": profile["name"],
            "color": "sage",
            "of": "ana",
            "sealed": b64(seal(announce, "profile", pack(profile))),
        },
        "profiles_of_nobody": [
            b64(seal(announce, "profile", pack(profile | change).replace(*HALF)))
            for change in (
                {"name": ""},
                {"name": " Ana"},
                {"name": "Ana\n"},
                {"name": "A\tna"},
                {"name": "half"},
                {"name": "x" * 41},
                {"name": 7},
                {"color": "black"},
                {"hand": b64(b"\4" * 65)},
                {"device": b64(ana.device[:64])},
                {"device": b64(ana.device) + "="},
                {"device": None},
            )
        ],
        "pair": {
            "one": "ana",
            "two": "ben",
            "one_to_two": there.hex(),
            "two_to_one": back.hex(),
            "from_one": [
                b64(b"\1" + seal(there, "keys", pack(what)))
                for what in (
                    handed,
                    {"n": 2, "kind": "ask"},
                    {"n": 5, "kind": "secret", "secret": b64(newer)},
                )
            ],
            "from_two": [b64(b"\1" + seal(back, "keys", pack({"n": 1, "kind": "ask"})))],
            "key": {"id": number, "key": steps[1].hex()},
            "secret": newer.hex(),
        },
        "renew": {
            "from": "ana",
            "to": "ben",
            "older_meeting": meeting.hex(),
            "kek": kek.hex(),
            "secret": newer.hex(),
            "sealed": b64(b"\2" + seal(meeting, "renew", pack(renew))),
        },
        "safety": {
            "hands": [hand.hex() for hand in hands],
            "numbers": list(
                hashlib.pbkdf2_hmac("sha256", b"".join(sorted(hands)), meeting, 600_000, 8)
            ),
        },
        "ratchet": [key.hex() for key in steps],
        "derived": [
            {"id": kid, "key": steps[0].hex(), "derived": derived.hex(), "salt": salt.hex()}
            for kid in (0, number - 1, 2**40 - 1)
            for derived, salt in [key_and_salt(kid, steps[0])]
        ],
        "frames": frames(number, steps[1]),
        "words": [
            words(number, steps[1], 70, "chat", "I am here. 🌿", "all"),
            words(number, steps[1], 2, "share", "", "team"),
            words(number, steps[1], 71, "caption", "«Guten Tag»", "facilitators"),
        ],
    }


def written() -> str:
    """The file as text."""
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
