"""One person behind a bad line, in a circle whose others have good ones.

`make lab` (PEERMEET_LAB) tries all lines for longer; without it a few are tried.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.browser.person import until
from tests.lab.conftest import open_circle, open_guest, open_place
from tests.lab.guest import Guest
from tests.lab.neighbours import PICTURES_PER_S, Neighbour
from tests.lab.net import SERVER_6, Network
from tests.lab.table import WHOLE, Row

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

logger = logging.getLogger(__name__)

LISTEN_S = 20.0 if WHOLE else 8.0
SETTLE_S = 2.0
"""The jitter buffer finds out what the line is like; what it invents meanwhile does not count."""
BACK_S = 15.0


@dataclass(frozen=True)
class Cell:
    """A line. join_s, concealed_percent, pictures_per_s: what is promised on it."""

    name: str
    make: Callable[[Network], None]
    join_s: float = 5.0
    concealed_percent: float = 5.0
    pictures_per_s: float = 0.8 * PICTURES_PER_S
    is_tried: bool = False
    """Also without `make lab`."""


CELLS = (
    Cell("clean", lambda net: None),
    Cell("loss 1 %", lambda net: net.loss(1)),
    Cell("loss 5 %", lambda net: net.loss(5)),
    Cell("loss 10 %", lambda net: net.loss(10), concealed_percent=10, is_tried=True),
    Cell("loss 20 %", lambda net: net.loss(20), 15, concealed_percent=20, pictures_per_s=1),
    Cell("delay 40±10 ms", lambda net: net.delay(40, 10, 0.01), is_tried=True),
    Cell("delay 300 ms", lambda net: net.delay(300), 10),
    Cell("symmetric NAT", lambda net: net.nat(symmetric=True)),
    Cell("MTU 1280", lambda net: net.mtu(1280), is_tried=True),
)


async def sits_down(dot: Guest, circle: list[Neighbour]) -> float:
    """The seconds from Dot's tap to the holder's voice."""
    dot.is_lost = False
    for person in circle:
        person.is_lost = False
    begun = time.monotonic()
    await dot.tap("I agree and sit down")
    await dot.sits()
    await dot.hears_a_voice(circle[0].seat, 30)
    return time.monotonic() - begun


def keep_their_seats(dot: Guest, circle: list[Neighbour]) -> None:
    """Nobody ever looked deserted to anybody, and the server asked for no second offer."""
    for person in circle:
        assert person.seats().keys() == {dot.seat, *(other.seat for other in circle)}
        assert not person.is_lost
    assert not dot.is_lost
    assert dot.reoffers == 0


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if WHOLE or cell.is_tried], ids=lambda cell: cell.name
)
async def test_a_person_behind_a_bad_line_hears_and_sees_the_holder(
    cell: Cell, net: Network, circle: list[Neighbour], dot: Guest, rows: list[Row]
) -> None:
    await hears_and_sees(cell, net, circle, dot, rows)


async def hears_and_sees(
    cell: Cell, net: Network, circle: list[Neighbour], dot: Guest, rows: list[Row]
) -> None:
    """Sit down by this line, listen, and be still there."""
    cell.make(net)
    joined_s = await sits_down(dot, circle)
    await dot.listens(circle[0].seat, SETTLE_S)
    heard = await dot.listens(circle[0].seat, LISTEN_S)
    connections, _ = await dot.reports()
    row = Row(
        cell.name,
        await dot.path(),
        round(joined_s, 2),
        round(heard.concealed_percent, 2),
        round(heard.frames / LISTEN_S, 1),
        round(heard.freezes_s, 1),
        connections,
    )
    rows.append(row)
    logger.info("%s", row)
    assert heard.energy > 0
    assert joined_s <= cell.join_s
    assert heard.concealed_percent < cell.concealed_percent
    assert heard.frames >= cell.pictures_per_s * LISTEN_S
    assert connections == 1
    keep_their_seats(dot, circle)


async def test_a_router_that_forgets_everybody_costs_nobody_the_seat(
    net: Network, circle: list[Neighbour], dot: Guest, rows: list[Row]
) -> None:
    ana = circle[0].seat
    net.nat(symmetric=False)
    joined_s = await sits_down(dot, circle)
    await dot.listens(ana, SETTLE_S)
    before = await dot.counts_of(ana)
    forgot = time.monotonic()
    net.rebind()

    async def hears_again() -> bool:
        heard = await dot.counts_of(ana) - before
        return heard.samples - heard.concealed > 48_000 and heard.frames > PICTURES_PER_S

    await until(hears_again, "the holder is heard and seen again", BACK_S)
    back_s = time.monotonic() - forgot
    heard = await dot.listens(ana, LISTEN_S)
    connections, _ = await dot.reports()
    row = Row(
        "NAT rebinding",
        await dot.path(),
        round(joined_s, 2),
        round(heard.concealed_percent, 2),
        round(heard.frames / LISTEN_S, 1),
        round(heard.freezes_s, 1),
        connections,
        round(back_s, 1),
    )
    rows.append(row)
    logger.info("%s", row)
    assert heard.concealed_percent < 5
    assert heard.frames >= 0.8 * PICTURES_PER_S * LISTEN_S
    assert connections <= 2 and dot.reoffers <= 1
    for person in circle:
        assert person.seats().keys() == {dot.seat, *(other.seat for other in circle)}


if WHOLE:

    async def test_a_person_with_ipv6_alone_hears_and_sees_the_holder(
        net: Network, tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
    ) -> None:
        cell = Cell("IPv6 only", Network.only_ipv6)
        async with (
            open_place(net, tmp_path_factory.mktemp("six"), SERVER_6) as place,
            open_circle(place) as circle,
            open_guest(place, circle) as dot,
        ):
            await hears_and_sees(cell, net, circle, dot, rows)
