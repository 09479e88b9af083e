"""Debian's Firefox and a person at it, by way of Marionette, which needs no other program.

Marionette is what geckodriver speaks to Firefox: JSON behind its own length, over TCP. Commands
are those of WebDriver (W3C), so a tap counts as one of a person.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from tests.browser.person import LIMIT_S, Person, until

PROGRAM = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
START_S, ANSWER_S, END_S = 60.0, 30.0, 10.0
_PORT = "MarionetteActivePort"  # a file that Firefox writes into its profile

PREFERENCES: dict[str, str | int | bool] = {
    "marionette.port": 0,  # any free one
    # A microphone with a tone in it and a camera with a picture that moves, without a question.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    # Firefox has much to ask of its makers: only this machine's own addresses can be reached.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
}


def require() -> str:
    """The program; without one the test is skipped aloud, and fails where CI runs it."""
    if PROGRAM is not None:
        return PROGRAM
    missing = "Firefox is not installed: NO page was looked at in it"
    if os.environ.get("PEERMEET_CI"):
        pytest.fail(missing)
    pytest.skip(missing)


class Tab:
    """One Firefox with one tab. Asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._one = asyncio.Lock()

    async def do(self, command: str, **members: Any) -> Any:
        """A command of WebDriver; its value. Raises FirefoxError."""
        async with self._one, asyncio.timeout(ANSWER_S):
            number = next(self._numbers)
            text = json.dumps([0, number, command, members]).encode()
            self._writer.write(b"%d:%s" % (len(text), text))
            answered, error, result = 0, None, None
            while answered != number:
                _, answered, error, result = await self.receive()
        if error is not None:
            raise FirefoxError(error["error"], error["message"])
        return result.get("value") if isinstance(result, dict) else result

    async def receive(self) -> Any:
        """The next thing that Firefox says."""
        size = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(size[:-1])))

    async def evaluate(self, function: str, argument: object = None) -> Any:
        """Call a function of the page's language in the page; what it comes to."""
        script = f"""const done = arguments[1];
            Promise.resolve(({function})(arguments[0])).then(
                value => done([value]), fault => done(String(fault)))"""
        found = await self.do("WebDriver:ExecuteAsyncScript", script=script, args=[argument])
        if not isinstance(found, list):
            raise FirefoxError("script", str(found))
        return found[0] if found else None

    async def find(self, path: str) -> str:
        """An element in sight, by XPath; waits for it."""
        found: list[str] = []

        async def is_there() -> bool:
            elements = await self.do("WebDriver:FindElements", using="xpath", value=path)
            for element in elements:
                [identity] = element.values()
                if await self.do("WebDriver:IsElementDisplayed", id=identity):
                    found.append(identity)
                    return True
            return False

        await until(is_there, path)
        return found[0]


class FirefoxError(Exception):
    """What Firefox says of a command that failed: its code and its words."""


class FirefoxPerson(Person):
    """Somebody at Firefox. `seat` is told by whoever sees it: frames cannot be read along."""

    def __init__(self, name: str, link: str, tab: Tab) -> None:
        # What a person hears and sees needs of a page that it can be asked, no more.
        super().__init__(name, link, cast(Any, None), cast(Any, tab))
        self.tab = tab

    async def tap(self, words: str) -> None:
        await self._click(
            f"//button[starts-with(normalize-space(), '{words}') and"
            f" string-length(normalize-space()) <= {len(words) + 2}]"
        )

    async def sees(self, words: str) -> None:
        await self.tab.find(f"//*[text()[contains(., '{words}')]]")

    async def open_link(self) -> None:
        await self.tab.do("WebDriver:Navigate", url=self.link)

    async def come_to_the_agreement(self, camera: bool = True) -> None:
        await self.open_link()
        await self.tap("Next")
        name = await self.tab.find("//input[@id=//label[contains(., 'Name in this circle')]/@for]")
        await self.tab.do("WebDriver:ElementClear", id=name)
        await self.tab.do("WebDriver:ElementSendKeys", id=name, text=self.name)
        if camera:
            await self.tap("Turn camera on")
            await self.tab.find("//button[starts-with(normalize-space(), 'Turn camera off')]")
        await self.tap("Read our agreement")

    async def sits(self) -> None:
        await self.tab.find("//*[@aria-label='People in the circle']//*[text()='You']")

    async def reload(self) -> None:
        await self.tab.do("WebDriver:Refresh")

    async def _click(self, path: str) -> None:
        """What moves away under the finger is tried again, as a person would."""

        async def is_clicked() -> bool:
            try:
                await self.tab.do("WebDriver:ElementClick", id=await self.tab.find(path))
            except FirefoxError as fault:
                if fault.args[0] in (
                    "stale element reference",
                    "element click intercepted",
                    "element not interactable",
                ):
                    return False
                raise
            return True

        await until(is_clicked, path)


@asynccontextmanager
async def open_firefox(folder: Path) -> AsyncIterator[Tab]:
    """A Firefox with a fresh profile in this folder; it ends with the context."""
    program = require()
    preferences = (f"user_pref({json.dumps(n)}, {json.dumps(v)});" for n, v in PREFERENCES.items())
    (folder / "user.js").write_text("\n".join(preferences))
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless", "--marionette", "--no-remote", "--profile", str(folder)),
        env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:

        async def is_up() -> bool:
            assert process.returncode is None, "Firefox ended"
            return (folder / _PORT).exists() and (folder / _PORT).read_text().strip().isdigit()

        await until(is_up, "Firefox is up", START_S)
        port = int((folder / _PORT).read_text())
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16 << 20)
        tab = Tab(reader, writer)
        await tab.receive()  # its hello
        await tab.do("WebDriver:NewSession", capabilities={})
        await tab.do("WebDriver:SetTimeouts", script=int(LIMIT_S * 1000))
        try:
            yield tab
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_S)
            except TimeoutError:
                process.kill()
                await process.wait()
