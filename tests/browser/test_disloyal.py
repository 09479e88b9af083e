"""A server that goes on sending to who was removed, and sends what was said before to who joins."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import WebSocketRoute

from peermeet.robots.door import make_secret
from peermeet.robots.line import Link
from peermeet.robots.spelling import to_b64
from tests.browser.conftest import Invite, Sit
from tests.browser.person import Person, energy, frames, packets, until
from tests.browser.test_firefox import find_seat
from tests.scenarios.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

REMOVED_S = 3.0
LATE_S = 4


@pytest.fixture
def late_s() -> int:
    """For how long the server holds what people send, before it sends it on."""
    return 0


@pytest.fixture
def server(late_s: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Works against the circle."""
    monkeypatch.setenv("LATE_S", str(late_s))
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), "tests.scenarios.disloyal", encrypted=True)
        try:
            server.start()
            server.secret = to_b64(asyncio.run(make_secret(Link.parse(server.invitation("Fay")))))
            yield server
        finally:
            server.end()


class Deaf:
    """A page's line that, from a moment on, lets its page believe that nothing happens."""

    def __init__(self) -> None:
        self.is_deaf = False

    async def lay(self, person: Person) -> None:
        await person.page.route_web_socket("**/ws", self._connect)

    def _connect(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def ask(text: str | bytes) -> None:
            if not self.is_deaf:
                server.send(text)
            elif json.loads(text)["kind"] == "ping":
                page.send('{"kind":"pong"}')

        def tell(text: str | bytes) -> None:
            if not self.is_deaf:
                page.send(text)

        page.on_message(ask)
        server.on_message(tell)
        # Once deaf, it does not hear either that the server has closed.
        server.on_close(lambda code, reason: None)


async def sealed(person: Person) -> dict[str, int]:
    found: dict[str, int] = await person.page.evaluate("() => peermeetSealed()")
    return found


async def test_who_was_removed_decodes_nothing_though_the_server_sends_it_all(
    sit: Sit, invite: Invite
) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    ben, line = await invite("Ben"), Deaf()
    await line.lay(ben)
    await ben.join()
    await find_seat(ben, fay, ana)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await asyncio.gather(ben.hears(ana), ben.sees_picture_of(ana), ben.sees_picture_of(fay))

    line.is_deaf = True
    await fay.tap_face(ben)
    await fay.tap("Remove for today…")
    await fay.tap("Remove for today")
    await fay.sees_at_the_table(ana)
    await asyncio.sleep(REMOVED_S)  # what is promised
    before = {who.name: await ben.counts(who) for who in (fay, ana)}
    seen = frames(await fay.counts(ben))
    assert seen > 0
    was, had = await sealed(ben), await sealed(fay)
    # Six seconds of the voice, by what comes to the one who was removed.
    await ben.receives(ana, packets, 300, "sealed sound of {}")
    for who in (fay, ana):
        now = await ben.counts(who)
        assert frames(now) == frames(before[who.name])
    assert (await sealed(ben))["opened"] == was["opened"]
    assert (await sealed(ben))["dropped"] >= was["dropped"] + 200
    # Nobody who is in the circle has lost anything by it, and they see Ben no more.
    assert (await sealed(fay))["opened"] >= had["opened"] + 200
    assert frames(await fay.counts(ben)) == seen
    await asyncio.gather(fay.hears(ana), fay.sees_picture_of(ana))


@pytest.mark.parametrize("late_s", [LATE_S])
async def test_who_joins_decodes_nothing_of_what_was_said_before(sit: Sit, invite: Invite) -> None:
    fay, ana = await sit("Fay", "Ana", cameras=True)
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await fay.hears(ana)
    ben = await invite("Ben")
    await ben.join(camera=False)

    async def has_dropped() -> bool:
        return (await sealed(ben))["dropped"] >= 50

    await until(has_dropped, "Ben is sent what was said before he came")
    counts = await ben.counts(ana)
    assert (await sealed(ben))["opened"] == 0
    assert (frames(counts), energy(counts)) == (0, 0)
    # What was said since opens, as soon as it comes.
    await ben.hears(ana)
