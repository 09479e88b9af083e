"""A circle to practise in: robots who are hard to facilitate, and a fresh link for one facilitator.

It is a circle of its own beside the group's, with the group's run sheets. Whatever the link's
bearer does there reaches nobody. The robots are a process of ours that ends when whoever
practises has left, after an hour, and with the server.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from peermeet.api.links import LinkQuestion, No, read_question
from peermeet.core.model import Millis
from peermeet.hosting.ports import Block
from peermeet.identity import Invitation, is_practice, make_link, practice_group, read_link
from peermeet.limits import TokenBucket
from peermeet.protocol import Fault

log = logging.getLogger(__name__)

AT_ONCE = 3
"""Practice circles on this server."""
LENGTH_S = 3_600.0
COMING_S = 10.0
"""From the request until somebody must have come."""
STOP_S = 5.0
LINK_MS = 2 * 3_600_000


class TooMany(Exception):
    """As many practise already as this server allows."""


@dataclass(frozen=True)
class _Practice:
    group: str
    token: str
    robots: asyncio.subprocess.Process
    opened_at_s: float


class PracticeRooms:
    """The practice circles of this server and their robots; use as `async with`.

    is_open: whether a group has a circle. address: of this server, as seen from this machine.
    command: what starts the robots.
    """

    def __init__(
        self,
        key: bytes,
        now: Callable[[], Millis],
        is_open: Callable[[str], bool],
        address: str,
        command: Sequence[str] = (sys.executable, "-m", "peermeet", "robots"),
    ) -> None:
        self._key = key
        self._now = now
        self._is_open = is_open
        self._command = command
        self._address = address
        self._open: dict[str, _Practice] = {}
        self._started: list[asyncio.subprocess.Process] = []
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        running = [r for r in self._started if r.returncode is None]
        for robots in running:
            robots.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*(robots.wait() for robots in running))
        except TimeoutError:
            for robots in running:
                if robots.returncode is None:
                    robots.kill()
            await asyncio.gather(*(robots.wait() for robots in running))

    async def open(self, invitation: Invitation) -> str:
        """The facilitators' token of a practice circle; the same as before while it goes on.

        Raises TooMany.
        """
        async with self._opening:
            self._open = {c: p for c, p in self._open.items() if self._goes_on(p)}
            there = self._open.get(invitation.code)
            if there is not None:
                return there.token
            if len(self._open) >= AT_ONCE:
                raise TooMany
            group = practice_group(invitation.group, secrets.token_hex(4))
            lead, join = (self._link(group, as_facilitator) for as_facilitator in (True, False))
            robots = await asyncio.create_subprocess_exec(
                *self._command,
                *(f"{self._address}/join#{join}", "--cast", "practice"),
                *("--seconds", str(LENGTH_S)),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C is for us; the robots are told by `__aexit__`.
                start_new_session=True,
            )
            self._started = [r for r in self._started if r.returncode is None] + [robots]
            opened = _Practice(group, lead, robots, time.monotonic())
            self._open[invitation.code] = opened
            log.info("practice opened open=%d", len(self._open))
            return lead

    def _goes_on(self, practice: _Practice) -> bool:
        """Its robots may need a moment to come, and one to go after the end."""
        is_new = time.monotonic() - practice.opened_at_s < COMING_S
        is_over = not is_new and not self._is_open(practice.group)
        return practice.robots.returncode is None and not is_over

    def _link(self, group: str, as_facilitator: bool) -> str:
        until = Millis(self._now() + LINK_MS)
        invitation = Invitation(group, as_facilitator)
        return make_link(self._key, invitation, secrets.token_bytes(8), until)


def router(
    key: bytes,
    now: Callable[[], Millis],
    find_block: Callable[[str, str], Block | None],
    rooms: Callable[[], PracticeRooms],
    url: str,
) -> APIRouter:
    """POST /api/practice, for who has a facilitators' link. url: the server's public address."""
    routes = APIRouter()
    bucket = TokenBucket(burst=20, per_second=0.5)

    @routes.post("/api/practice")
    async def practise(request: Request) -> JSONResponse:
        try:
            question = await read_question(request, LinkQuestion, bucket)
        except No as no:
            return no.answer
        invitation = read_link(key, question.link, now())
        if invitation is None or find_block(invitation.group, invitation.code) is not None:
            return JSONResponse({"error": Fault.BAD_LINK}, 404)
        if not invitation.as_facilitator or is_practice(invitation.group):
            return JSONResponse({"error": "not_allowed"}, 403)
        try:
            token = await rooms().open(invitation)
        except TooMany:
            return JSONResponse({"error": Fault.BUSY}, 503)
        return JSONResponse({"link": f"{url}/join#{token}"})

    return routes
