"""A network that lets only TCP through: media goes the same way as the page."""

import pytest

from tests.lab.guest import Guest
from tests.lab.neighbours import Neighbour
from tests.lab.net import Network
from tests.lab.table import Row
from tests.lab.test_cells import Cell, hears_and_sees

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_person_without_udp_hears_and_sees_the_holder_by_tcp(
    net: Network, circle: list[Neighbour], dot: Guest, rows: list[Row]
) -> None:
    await hears_and_sees(Cell("UDP blocked", Network.block_udp), net, circle, dot, rows)
    assert rows[-1].path == "tcp"
