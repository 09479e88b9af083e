"""How clients write to one another: bytes as base64url without padding, the rest as JSON."""

from __future__ import annotations

import base64
import json
from typing import Any


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


def read_json(text: bytes | None) -> dict[str, Any]:
    """An object with anything in it, empty for what is none."""
    try:
        what = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    return what if isinstance(what, dict) else {}
