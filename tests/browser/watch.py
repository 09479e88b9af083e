"""Looks on at every page: whom it asks, what it gives away, and what the browser complains of."""

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, WebSocket

REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', event =>
  console.error('policy broken:', event.effectiveDirective, event.blockedURI, event.sample))
"""


class Watch:
    """For one server: its address, the tokens that must never leave the places for them, and the
    secrets that must never leave the browser."""

    def __init__(self, url: str, tokens: tuple[str, ...], secrets: tuple[str, ...] = ()) -> None:
        self.requests: list[str] = []
        self.sockets: list[str] = []
        self._host = urlsplit(url).netloc
        self._tokens = tokens
        self._secrets = secrets
        self._complaints: list[str] = []
        self._forgiven: list[re.Pattern[str]] = []

    async def look_at(self, context: BrowserContext) -> None:
        await context.add_init_script(REPORT_VIOLATIONS)
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda failed: self._complaints.append(f"error: {failed.error}"))
        context.on("page", self._opened)

    def forgive(self, pattern: str) -> None:
        """Complaints that this test causes on purpose, as when it kills the server."""
        self._forgiven.append(re.compile(pattern))

    def complaints(self) -> list[str]:
        """All that was wrong; empty for a test that went well."""
        return [
            each
            for each in self._complaints
            if not any(pattern.search(each) for pattern in self._forgiven)
        ]

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)
        self._check(request.url, request.headers.get("referer", ""))
        self._check_sent(request.post_data or "")

    def _connected(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        self._check(socket.url, "")
        socket.on("framesent", lambda data: self._check_sent(str(data)))

    def _check_sent(self, text: str) -> None:
        if any(secret in text for secret in self._secrets):
            self._complaints.append("secret given away")

    def _check(self, url: str, referer: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("data", "blob") and address.netloc != self._host:
            self._complaints.append(f"third party: {url}")
        # The token stands behind the "#" of the first address; a browser keeps that to itself.
        sent = url.partition("#")[0] + referer
        if any(token in sent for token in self._tokens):
            self._complaints.append(f"token given away: {url} (referer {referer})")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location
            self._complaints.append(f"{message.type}: {message.text} ({where.get('url', '')})")
