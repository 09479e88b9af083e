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

HOME = "home"
"""The one group of this server."""


@dataclass(frozen=True)
class Invitation:
    """What a link allows. as_facilitator: it is the facilitators' link."""

    group: str
    as_facilitator: bool


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
    return Invitation(body[12:].decode(), as_facilitator=body[:1] == b"f")


def make_resume(key: bytes, circle: str, seat: SeatId) -> str:
    """The token that brings a person back to their seat while the circle lasts."""
    return _seal(key, b"resume", f"{circle}/{seat}".encode())


def read_resume(key: bytes, token: str) -> tuple[str, SeatId] | None:
    """Circle and seat behind a resume token, or None if it is not ours."""
    body = _open(key, b"resume", token)
    if body is None:
        return None
    circle, _, seat = body.decode().partition("/")
    return circle, SeatId(seat)


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
