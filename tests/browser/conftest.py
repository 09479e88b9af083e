"""Real people's pages: one Chromium for the run, a fresh profile and page for every person.

Every page of every test is watched (see watch.py): a request to a third party, a complaint in the
console or a broken policy fails the test that it happened in.
"""

import asyncio
import tempfile
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.resources import files
from pathlib import Path

import av
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from peermeet.robots.door import make_secret
from peermeet.robots.line import Link
from peermeet.robots.spelling import to_b64
from tests.browser.person import Person
from tests.browser.watch import Watch
from tests.chromium import FLAGS, require
from tests.scenarios.server import Server

Invite = Callable[..., Awaitable[Person]]
Sit = Callable[..., Awaitable[list[Person]]]


@pytest.fixture
def server() -> Iterator[Server]:
    """A server as it comes: its circles are encrypted, and its links have the group's secret."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:  # short: it holds a Unix socket
        server = Server(Path(folder), encrypted=True)
        try:
            server.start()
            server.secret = to_b64(asyncio.run(make_secret(Link.parse(server.invitation("Fay")))))
            yield server
        finally:
            server.end()


def write_speech(path: Path) -> None:
    """The clip of the robots as the WAV file that Chromium takes for a microphone."""
    clip = files("peermeet.robots") / "speech.opus"
    mono = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    with clip.open("rb") as file, av.open(file, "r") as speech, wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        for frame in speech.decode(audio=0):
            for piece in mono.resample(frame):
                out.writeframes(bytes(piece.planes[0])[: 2 * piece.samples])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Every microphone in it speaks real words; every camera shows a picture that moves."""
    program = require()
    speech = tmp_path_factory.mktemp("speech") / "speech.wav"
    write_speech(speech)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={speech}"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def watch(server: Server) -> AsyncIterator[Watch]:
    """Looks on at all pages of a test, and fails it when one did what it must not."""
    secrets = (server.secret,) if server.secret else ()
    watch = Watch(server.url, (server.facilitator, server.participant, *secrets), secrets)
    yield watch
    assert watch.complaints() == []


@pytest_asyncio.fixture(loop_scope="session")
async def invite(chromium: Browser, server: Server, watch: Watch) -> AsyncIterator[Invite]:
    """`await invite("Ana")` is somebody with a link and a blank page; Fay's is the facilitator's.

    At most three people at a time: each costs a browser's worth of work.
    """
    people: list[Person] = []

    async def person(name: str, **look: object) -> Person:
        context = await chromium.new_context(**{"locale": "en-GB", **look})  # type: ignore[arg-type]
        people.append(await Person.arrive(name, server.invitation(name), context, watch))
        return people[-1]

    yield person
    for each in people:
        await each.context.close()


@pytest.fixture
def sit(invite: Invite) -> Sit:
    """`await sit("Fay", "Ana")`: they came through the whole door and see one another's names."""

    async def together(*names: str, cameras: bool = False) -> list[Person]:
        people = [await invite(name) for name in names]
        for person in people:
            await person.join(camera=cameras)
        for person in people:
            await person.sees_at_the_table(*(other for other in people if other is not person))
        return people

    return together
