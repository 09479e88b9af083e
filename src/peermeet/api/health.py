"""Is the server up, and can it take people? Own parts only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from peermeet import __version__


def router(is_ready: Callable[[], Awaitable[bool]]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/livez")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @routes.get("/readyz")
    async def ready() -> JSONResponse:
        well = await is_ready()
        return JSONResponse({"status": "ok" if well else "not ready"}, 200 if well else 503)

    @routes.get("/version")
    async def version() -> JSONResponse:
        return JSONResponse({"version": __version__})

    return routes
