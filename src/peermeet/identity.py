"""Invitation links and resume tokens: signed bytes, so that nothing about them is stored.

Pure functions. A token is `body.mac` in base64url; the MAC is HMAC-SHA256 over a purpose and the
body, cut to 128 bits (RFC 2104 §5). Whoever changes the key ends all links and seats.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from peermeet.core.model import Millis, SeatId

KEY_BYTES = 32
_MAC_BYTES = 16
_DAY_MS = 86_400_000

_CODE_LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""No letter that is taken for a digit, and no vowel, so that no code is a word."""
_CODE_LENGTH = 5

HOME = "home"
"""The one group of this server."""


_PRACTICE = "/practice-"


def practice_group(group: str, name: str) -> str:
    """What a practice circle of a group runs under; name: fresh."""
    return f"{group}{_PRACTICE}{name}"


def is_practice(group: str) -> bool:
    return _PRACTICE in group


def library_of(group: str) -> str:
    """Whose run sheets there are: somebody who practises has those of their group."""
    return group.partition(_PRACTICE)[0]


@dataclass(frozen=True)
class Invitation:
    """What a link allows. as_facilitator: it is the facilitators' link.

    code: the short name people call the link by. `read_link` fills it in; a link is not made of
    it but it of the link.
    """

    group: str
    as_facilitator: bool
    code: str = ""


def link_code(key: bytes, nonce: bytes) -> str:
    """The short name of the link with this nonce, such as K7Q2M. It opens nothing.

    One of 17 million: of a hundred links two share a code once in 3,500 times.
    """
    number = int.from_bytes(_mac(key, b"code", nonce), "big")
    code = ""
    for _ in range(_CODE_LENGTH):
        number, letter = divmod(number, len(_CODE_LETTERS))
        code += _CODE_LETTERS[letter]
    return code


def read_code(text: str) -> str | None:
    """A link's code as somebody has typed it, or None if it cannot be one."""
    code = text.strip().upper()
    is_code = len(code) == _CODE_LENGTH and all(letter in _CODE_LETTERS for letter in code)
    return code if is_code else None


def make_link(key: bytes, invitation: Invitation, nonce: bytes, until: Millis) -> str:
    """The token of an invitation that works to the end of the day of `until`.

    nonce: 8 fresh random bytes, so that each link is its own.
    """
    role = b"f" if invitation.as_facilitator else b"p"
    day = (until // _DAY_MS).to_bytes(3, "big")
    return _seal(key, b"link", role + day + nonce + invitation.group.encode())


def read_link(key: bytes, token: str, now: Millis) -> Invitation | None:
    """The invitation behind a token, or None if it is not ours, is damaged or has expired."""
    body = _open(key, b"link", token)
    if body is None or len(body) < 12 or body[:1] not in (b"f", b"p"):
        return None
    if now // _DAY_MS > int.from_bytes(body[1:4], "big"):
        return None
    return Invitation(
        body[12:].decode(), as_facilitator=body[:1] == b"f", code=link_code(key, body[4:12])
    )


@dataclass(frozen=True)
class Return:
    """What a resume token says. code: of the link its person came by."""

    circle: str
    seat: SeatId
    code: str


def make_resume(key: bytes, circle: str, seat: SeatId, code: str) -> str:
    """The token that brings a person back to their seat while the circle lasts.

    It carries the link's code, so that a blocked link stays blocked through a restart and nobody
    has to store who came by which.
    """
    return _seal(key, b"resume", f"{circle}/{seat}/{code}".encode())


def read_resume(key: bytes, token: str) -> Return | None:
    """What is behind a resume token, or None if it is not ours."""
    body = _open(key, b"resume", token)
    if body is None or body.count(b"/") != 2:
        return None
    circle, seat, code = body.decode().split("/")
    return Return(circle, SeatId(seat), code)


def _mac(key: bytes, purpose: bytes, body: bytes) -> bytes:
    return hmac.new(key, purpose + b"\0" + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _seal(key: bytes, purpose: bytes, body: bytes) -> str:
    return f"{_encode(body)}.{_encode(_mac(key, purpose, body))}"


def _open(key: bytes, purpose: bytes, token: str) -> bytes | None:
    body_text, _, mac_text = token.partition(".")
    try:
        body, mac = _decode(body_text), _decode(mac_text)
    except ValueError:
        return None
    # The canonical spelling only: base64 has several for the same bytes.
    is_ours = hmac.compare_digest(mac, _mac(key, purpose, body)) and f"{body_text}.{mac_text}" == (
        f"{_encode(body)}.{_encode(mac)}"
    )
    return body if is_ours else None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
