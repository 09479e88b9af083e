"""Whether an invitation works, told before anybody is asked for a microphone."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from peermeet.core.model import Millis
from peermeet.hosting.ports import Block
from peermeet.identity import read_link
from peermeet.limits import TokenBucket
from peermeet.protocol import AGREEMENT_VERSION, Fault, Secret

MAX_BODY_BYTES = 1024


class LinkQuestion(BaseModel):
    model_config = ConfigDict(extra="forbid")
    link: Secret


def router(
    key: bytes, now: Callable[[], Millis], find_block: Callable[[str, str], Block | None]
) -> APIRouter:
    """POST /api/link. Guessing is hopeless (128 bits); the bucket keeps it cheap."""
    routes = APIRouter()
    bucket = TokenBucket(burst=200, per_second=50)

    @routes.post("/api/link")
    async def ask(request: Request) -> JSONResponse:
        if not bucket.take():
            return JSONResponse({"error": Fault.TOO_FAST}, 429)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return JSONResponse({"error": Fault.BAD_FRAME}, 413)
        try:
            question = LinkQuestion.model_validate_json(body)
        except ValidationError:
            return JSONResponse({"error": Fault.BAD_LINK}, 404)
        invitation = read_link(key, question.link, now())
        if invitation is None:
            return JSONResponse({"error": Fault.BAD_LINK}, 404)
        block = find_block(invitation.group, invitation.code)
        if block is not None:
            kind = {"words": block.appeal, "review_on": block.review_on.isoformat()}
            return JSONResponse({"error": Fault.BLOCKED, **kind}, 403)
        role = "facilitator" if invitation.as_facilitator else "participant"
        return JSONResponse({"role": role, "agreement": AGREEMENT_VERSION})

    return routes
