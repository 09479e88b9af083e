"""The built client, and the headers every answer carries."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = ("/", "/join", "/left")
"""Addresses of the one-page client."""

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        # One policy, for one address: the worker that encrypts (web/src/net/transforms.ts).
        "trusted-types peermeet-worker",
    )
)


def security_headers(screens: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries. screens: a page may ask the browser for a screen to show."""
    capture = b"(self)" if screens else b"()"
    return (
        (b"content-security-policy", CSP.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (
            b"permissions-policy",
            b"camera=(self), microphone=(self), display-capture=" + capture + b", geolocation=(), "
            b"payment=(), usb=(), serial=(), midi=(), publickey-credentials-get=(self)",
        ),
    )


class Headers:
    """Adds the security headers to every HTTP answer, errors too."""

    def __init__(self, app: ASGIApp, screens: bool) -> None:
        self._app = app
        self._headers = security_headers(screens)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def add_pages(app: FastAPI, folder: Path) -> None:
    """Serve the client from `folder`; without a build, say what to do."""
    index = folder / "index.html"

    async def page() -> Response:
        if not index.is_file():
            return PlainTextResponse("The web client is not built. Run: make web\n", 503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    for path in PAGES:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)
    if (folder / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=folder / "assets"), name="assets")
