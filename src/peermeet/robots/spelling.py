"""How bytes are written as text between clients: base64url without padding, one spelling each."""

from __future__ import annotations

import base64


def to_b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64(text: object) -> bytes | None:
    """The bytes, or None for anything but their one spelling."""
    if not isinstance(text, str):
        return None
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if to_b64(data) == text else None
