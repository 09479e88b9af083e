"""What robots ask over HTTP before they join, as a page does: is the circle encrypted, and how."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from typing import Any

from peermeet.robots.line import Link
from peermeet.robots.secrecy import SECRET_BYTES, check

LIMIT_S = 10.0


async def is_encrypted(link: Link) -> bool:
    """Raises `OSError`, also for a link that does not work."""
    return bool((await _ask(link, "link", {}))["encryption"]["on"])


async def make_secret(lead: Link) -> bytes:
    """A new secret for the group, in the place of any older one. lead: a facilitators' link.

    Raises `OSError`.
    """
    secret = os.urandom(SECRET_BYTES)
    old = (await _ask(lead, "link", {}))["encryption"]["check"]
    await _ask(lead, "check", {"check": check(secret), "old": old})
    return secret


async def _ask(link: Link, what: str, question: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{link.origin}/api/{what}",
        json.dumps({"link": link.token, **question}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=LIMIT_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"http_{error.code}") from error
