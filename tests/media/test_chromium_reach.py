"""A real browser reaches the worker over TCP and IPv6, restarts ICE, and gets a new port."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from peermeet.media.process import own_address, own_addresses
from tests.media.kit import OPEN, Media
from tests.media.test_chromium import Tab, browser, growing, tab

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser
logger = logging.getLogger(__name__)

FOLLOWED_S = 3.0


async def join(tab: Tab, media: Media, seat: str, change: Callable[[str], str]) -> None:
    """Like `Tab.join`, with an answer that tells of less than there is."""
    answer = await media.link.answer(
        "circle", seat, await tab.page.evaluate("places => offer(places)", 1)
    )
    await tab.page.evaluate("sdp => answer(sdp)", change(answer))
    async with asyncio.timeout(10):
        while (seat, "connected") not in media.states:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def path(tab: Tab) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pair of candidates in use: ours and the browser's."""
    pair = await tab.page.evaluate("""async () => {
      const all = await pc.getStats();
      const transport = [...all.values()].find(({ type }) => type == 'transport');
      const pair = all.get(transport.selectedCandidatePairId);
      return [all.get(pair.remoteCandidateId), all.get(pair.localCandidateId)];
    }""")
    return pair[0], pair[1]


async def restart(tab: Tab, media: Media, seat: str) -> None:
    """ICE from anew, on the same connection."""
    offer = await tab.page.evaluate(
        "async () => { pc.restartIce(); await pc.setLocalDescription();"
        " return pc.localDescription.sdp; }"
    )
    answer = await media.link.answer("circle", seat, offer)
    await tab.page.evaluate("sdp => answer(sdp)", answer)


def only(pattern: str) -> Callable[[str], str]:
    """Leaves of the candidates those that match."""
    return lambda answer: "\r\n".join(
        line
        for line in answer.split("\r\n")
        if not line.startswith("a=candidate:") or re.search(pattern, line)
    )


async def see_one_another(media: Media, ana: Tab, ben: Tab) -> None:
    """Sound and picture arrive both ways."""
    for seat, who in (("ana", ana), ("ben", ben)):
        mids = sorted(media.streams[seat], key=int)
        await growing(who, mids[0], "totalAudioEnergy", 0.0005)
        await growing(who, mids[1], "framesDecoded", 20)


@pytest.fixture
async def wide(tmp_path: Path) -> Any:
    """A worker at all addresses of this machine, with seats for Ana and Ben."""
    media = Media(tmp_path, bind=own_addresses())
    await media.link.start()
    media.gate(ana=OPEN, ben=OPEN)
    yield media
    await media.end()


async def test_a_browser_without_udp_comes_over_tcp(browser: Browser, wide: Media) -> None:
    ana, ben = await tab(browser), await tab(browser)
    began = time.monotonic()
    await join(ana, wide, "ana", only(" tcp "))
    logger.info("connected over TCP after %.2f s", time.monotonic() - began)
    await join(ben, wide, "ben", only(" udp "))
    await see_one_another(wide, ana, ben)
    theirs, _ = await path(ana)
    assert (theirs["protocol"], (await path(ben))[0]["protocol"]) == ("tcp", "udp")
    stats = await wide.settle()
    assert not [name for name in stats if name.startswith(("fault.", "drop.send", "drop.tcp"))]


async def test_a_browser_that_may_choose_takes_udp(browser: Browser, wide: Media) -> None:
    ana, ben = await tab(browser), await tab(browser)
    for seat, who in (("ana", ana), ("ben", ben)):
        await join(who, wide, seat, only(""))
    await see_one_another(wide, ana, ben)
    assert [(await path(who))[0]["protocol"] for who in (ana, ben)] == ["udp", "udp"]


async def test_a_browser_comes_over_ipv6(browser: Browser, wide: Media) -> None:
    if len(own_addresses()) < 2:
        pytest.skip("this machine has no IPv6 address beyond its link")
    ana, ben = await tab(browser), await tab(browser)
    await join(ana, wide, "ana", only(r" udp \d+ [0-9a-f]*:"))
    await join(ben, wide, "ben", only(r" udp \d+ [0-9.]+ "))
    await see_one_another(wide, ana, ben)
    assert ":" in (await path(ana))[0]["address"]
    assert "." in (await path(ben))[0]["address"]


async def test_a_browser_restarts_ice_and_nothing_else(browser: Browser, wide: Media) -> None:
    ana, ben = await tab(browser), await tab(browser)
    for seat, who in (("ana", ana), ("ben", ben)):
        await join(who, wide, seat, only(""))
    await see_one_another(wide, ana, ben)
    _, before = await path(ana)
    for count in range(1, 4):
        await restart(ana, wide, "ana")
        await see_one_another(wide, ana, ben)
        stats = await wide.settle()
        assert (stats["ice.restarted"], stats["dtls.handshake"], stats["peers"]) == (count, 2, 2)
    _, after = await path(ana)
    assert after["usernameFragment"] != before["usernameFragment"]
    for who, seat in ((ana, "ana"), (ben, "ben")):
        for mid in wide.streams[seat]:
            arrived = await who.inbound(mid)
            assert arrived["packetsLost"] == 0, arrived
    assert [state for state in wide.states if state[1] != "connected"] == []


class Nat:
    """Stands between one browser and the worker; `forget` gives the browser a new port."""

    def __init__(self, ip: str, worker_port: int) -> None:
        self._ip, self._worker = ip, (ip, worker_port)
        self._inside = self._bound()
        self._outside = self._bound()
        self.port: int = self._inside.getsockname()[1]
        self._client: tuple[str, int] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._inside.fileno(), self._out)
        self._loop.add_reader(self._outside.fileno(), self._in)

    def _bound(self) -> socket.socket:
        made = socket.socket(type=socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((self._ip, 0))
        return made

    def _out(self) -> None:
        datagram, self._client = self._inside.recvfrom(2048)
        self._outside.sendto(datagram, self._worker)

    def _in(self) -> None:
        datagram = self._outside.recv(2048)
        if self._client is not None:
            self._inside.sendto(datagram, self._client)

    def forget(self) -> None:
        self._loop.remove_reader(self._outside.fileno())
        self._outside.close()
        self._outside = self._bound()
        self._loop.add_reader(self._outside.fileno(), self._in)

    def close(self) -> None:
        for one in (self._inside, self._outside):
            self._loop.remove_reader(one.fileno())
            one.close()


async def test_a_browser_behind_a_forgetful_nat_is_followed(
    browser: Browser, tmp_path: Path
) -> None:
    ip = own_address("0.0.0.0")
    media = Media(tmp_path, bind=ip, tcp=False)
    await media.link.start()
    nat = Nat(ip, media.link.port)
    try:
        media.gate(ana=OPEN, ben=OPEN)
        ana, ben = await tab(browser), await tab(browser)
        await join(
            ana,
            media,
            "ana",
            lambda sdp: sdp.replace(f" {media.link.port} typ", f" {nat.port} typ"),
        )
        await join(ben, media, "ben", only(""))
        await see_one_another(media, ana, ben)
        took = []
        for count in range(1, 5):
            # Not always at the same moment between two checks.
            await asyncio.sleep(0.7 * count)
            nat.forget()
            began = time.monotonic()
            await media.counted("ice.migrated", count)
            took.append(time.monotonic() - began)
        logger.info("followed to a new port after %s s", [round(s, 2) for s in took])
        assert max(took) < FOLLOWED_S
        await see_one_another(media, ana, ben)
        stats = await media.settle()
        assert (stats["dtls.handshake"], stats["peers"]) == (2, 2)
        assert "ice.restarted" not in stats
    finally:
        await media.end()
        nat.close()
