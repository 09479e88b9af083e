"""One network for all of this folder's tests; each begins and ends with a plain line."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from peermeet.robots.line import Link
from tests.browser.watch import Watch
from tests.chromium import FLAGS
from tests.chromium import require as require_chromium
from tests.lab.guest import REMEMBER, Guest
from tests.lab.neighbours import Neighbour, live, pictures, words
from tests.lab.net import SERVER, Network, require
from tests.lab.table import WHOLE, Row, keep
from tests.scenarios.server import Server

Size = tuple[int, int, int]
"""Width, height and kbit/s."""
NAMES = "Ana", "Ben", "Cleo"
SIZES: tuple[tuple[Size, ...], ...] = (((640, 360, 600),), ((320, 180, 150),), ((320, 180, 150),))
"""What each of them shows."""


@dataclass(frozen=True)
class Place:
    """The network, a server at one end of it and a browser at the other."""

    net: Network
    server: Server
    browser: Browser


@pytest.fixture(scope="module")
def namespaces() -> Iterator[Network]:
    """Removed at the end, also after a failure or Ctrl-C."""
    require()
    network = Network()
    try:
        yield network
    finally:
        network.close()


@pytest.fixture
def net(namespaces: Network) -> Iterator[Network]:
    """The network with a plain line."""
    namespaces.plain()
    yield namespaces
    namespaces.plain()


@asynccontextmanager
async def open_place(net: Network, folder: Path, address: str) -> AsyncIterator[Place]:
    """A server at this address of its namespace, where the test stands as well meanwhile."""
    program = require_chromium()
    with net.inside(net.server):
        server = Server(folder / "data", address=address)
        server.start()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=net.wrapper(program, folder),
                    args=[*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={server.url}"],
                )
                try:
                    yield Place(net, server, browser)
                finally:
                    await browser.close()
        finally:
            server.end()


@asynccontextmanager
async def open_circle(
    place: Place, names: Sequence[str] = NAMES, sizes: Sequence[Sequence[Size]] = SIZES
) -> AsyncIterator[list[Neighbour]]:
    """The first holds the piece and speaks, the others are there, everybody shows pictures.

    sizes: of each one's pictures, the best layer first.
    """
    # Encoded before anybody sits: it takes longer than a silent line is put up with.
    words()
    clips = [[pictures(*size) for size in layers] for layers in sizes]
    link = Link.parse(f"{place.server.url}/join#{place.server.facilitator}")
    people = [await Neighbour.sit(link, name) for name in names]
    try:
        for person, layers in zip(people, clips, strict=True):
            await person.turn_camera_on(*layers)
        await people[0].hold()
        async with live(people, people[0]):
            yield people
    finally:
        for person in people:
            await person.leave()


@asynccontextmanager
async def open_guest(place: Place, circle: list[Neighbour]) -> AsyncIterator[Guest]:
    """Dot is at the agreement, by a good line; she leaves by one again."""
    context = await place.browser.new_context(locale="en-GB")
    await context.add_init_script(REMEMBER)
    link = f"{place.server.url}/join#{place.server.participant}"
    # Nobody looks at the complaints: a browser has every reason for some here.
    guest = await Guest.arrive("Dot", link, context, Watch(place.server.url, ()))
    try:
        await guest.come_to_the_agreement(camera=False)
        yield guest
    finally:
        place.net.plain()
        await guest.goes()
        await circle[0].until(lambda: len(circle[0].seats()) == len(circle))
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    namespaces: Network, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """The server and the browser of most tests."""
    async with open_place(namespaces, tmp_path_factory.mktemp("lab"), SERVER) as place:
        yield place


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def circle(place: Place) -> AsyncIterator[list[Neighbour]]:
    """The people there."""
    async with open_circle(place) as people:
        yield people


@pytest_asyncio.fixture(loop_scope="session")
async def dot(net: Network, place: Place, circle: list[Neighbour]) -> AsyncIterator[Guest]:
    """Somebody at the far end, who is about to sit down in that circle."""
    async with open_guest(place, circle) as guest:
        yield guest


@pytest.fixture(scope="session")
def rows() -> Iterator[list[Row]]:
    """What each cell came to; a whole run (`make lab`) puts it on the page."""
    rows: list[Row] = []
    yield rows
    if WHOLE:
        keep(rows)
