"""What a link's bearer may ask before sitting down: whether it works, and for more links.

Guessing a link is hopeless (128 bits); the buckets keep it cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from peermeet.core.model import Millis
from peermeet.hosting.ports import Block, Checks, JournalTrouble
from peermeet.identity import Invitation, is_practice, read_link
from peermeet.limits import TokenBucket
from peermeet.protocol import AGREEMENT_VERSION, Check, Fault, Secret

MAX_BODY_BYTES = 1024


class LinkQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")
    link: Secret


class InvitationQuestion(LinkQuestion):
    role: Literal["facilitator", "participant"]


class CheckQuestion(LinkQuestion):
    """old: the check that is to be replaced; null for a group without any."""

    check: Check
    old: Check | None


class No(Exception):
    """What is answered instead."""

    def __init__(self, status: int, error: str, **more: str | None) -> None:
        super().__init__(error)
        self.answer = JSONResponse({"error": error, **more}, status)


Question = TypeVar("Question", bound=BaseModel)


async def read_question(request: Request, kind: type[Question], bucket: TokenBucket) -> Question:
    """The body of a request. Raises No; what has not the shape is no link of ours."""
    if not bucket.take():
        raise No(429, Fault.TOO_FAST)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise No(413, Fault.BAD_FRAME)
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        raise No(404, Fault.BAD_LINK) from None


def router(
    key: bytes,
    now: Callable[[], Millis],
    find_block: Callable[[str, str], Block | None],
    checks: Callable[[], Checks],
    invite: Callable[[str, bool], tuple[str, str]],
    encryption_off: str | None,
) -> APIRouter:
    """POST /api/link, /api/invitation, /api/check.

    invite: a fresh link of a group, for a facilitator or not, as its address and its code.
    encryption_off: why the circles of this server are not encrypted; None if they are.
    """
    routes = APIRouter()
    links = TokenBucket(burst=200, per_second=50)
    changes = TokenBucket(burst=40, per_second=2)

    def known(link: str) -> Invitation:
        invitation = read_link(key, link, now())
        if invitation is None:
            raise No(404, Fault.BAD_LINK)
        block = find_block(invitation.group, invitation.code)
        if block is not None:
            more = {"words": block.appeal, "review_on": block.review_on.isoformat()}
            raise No(403, Fault.BLOCKED, **more)
        return invitation

    def leading(link: str) -> Invitation:
        invitation = known(link)
        if not invitation.as_facilitator or is_practice(invitation.group):
            raise No(403, "not_allowed")
        return invitation

    @routes.post("/api/link")
    async def ask(request: Request) -> JSONResponse:
        try:
            invitation = known((await read_question(request, LinkQuestion, links)).link)
            practice = is_practice(invitation.group)
            is_on = encryption_off is None and not practice
            check = await checks().find(invitation.group) if is_on else None
        except No as no:
            return no.answer
        except JournalTrouble:
            return No(503, Fault.BUSY).answer
        return JSONResponse(
            {
                "role": "facilitator" if invitation.as_facilitator else "participant",
                "agreement": AGREEMENT_VERSION,
                "group": invitation.group,
                "practice": practice,
                "encryption": {"on": is_on, "check": check, "reason": encryption_off},
            }
        )

    @routes.post("/api/invitation")
    async def hand_out(request: Request) -> JSONResponse:
        try:
            question = await read_question(request, InvitationQuestion, changes)
            group = leading(question.link).group
        except No as no:
            return no.answer
        url, code = invite(group, question.role == "facilitator")
        return JSONResponse({"link": url, "code": code})

    @routes.post("/api/check")
    async def change(request: Request) -> JSONResponse:
        try:
            question = await read_question(request, CheckQuestion, changes)
            group = leading(question.link).group
            if await checks().replace(group, question.old, question.check):
                return JSONResponse({"check": question.check})
            return No(409, "replaced", check=await checks().find(group)).answer
        except No as no:
            return no.answer
        except JournalTrouble:
            return No(503, Fault.BUSY).answer

    return routes
