"""The bad lines are as bad as they say: the other tests here would mean nothing otherwise."""

import select
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import CLIENT, PREFIX, SERVER, SERVER_6, Network, sweep

PORT = 7000
QUIET_S, PAUSE_S = 0.5, 0.002


class Ends:
    """A socket on either side."""

    def __init__(self, net: Network, server: str = SERVER) -> None:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with net.inside(net.client):
            self.client = socket.socket(family, socket.SOCK_DGRAM)
        with net.inside(net.server):
            self.server = socket.socket(family, socket.SOCK_DGRAM)
        self.server.bind((server, PORT))
        self.client.connect((server, PORT))
        for end in (self.client, self.server):
            end.settimeout(QUIET_S)

    def up(self, datagrams: int, size: int = 100) -> list[tuple[int, float]]:
        """Send so many from the client; number and seconds on the way of those that came."""
        sent = list[float]()
        came = list[tuple[int, float]]()
        while True:
            if len(sent) < datagrams:
                self.client.send(len(sent).to_bytes(4, "big") + bytes(size - 4))
                sent.append(time.monotonic())
            wait = QUIET_S if len(sent) == datagrams else PAUSE_S
            if select.select([self.server], [], [], wait)[0]:
                datagram, self.seen_as = self.server.recvfrom(2048)
                number = int.from_bytes(datagram[:4], "big")
                came.append((number, time.monotonic() - sent[number]))
            elif len(sent) == datagrams:
                return came

    def close(self) -> None:
        self.client.close()
        self.server.close()


@pytest.fixture
def ends(net: Network) -> Iterator[Ends]:
    ends = Ends(net)
    yield ends
    ends.close()


def test_a_plain_line_brings_everything_at_once_and_in_order(ends: Ends) -> None:
    assert [number for number, _ in ends.up(100)] == list(range(100))
    assert ends.seen_as[0] == CLIENT


def test_a_plain_line_knows_both_families(net: Network) -> None:
    ends = Ends(net, SERVER_6)
    assert len(ends.up(20)) == 20
    ends.close()


def test_a_lossy_line_loses_about_as_many_as_it_says(net: Network, ends: Ends) -> None:
    net.loss(20)
    assert 280 <= len(ends.up(400)) <= 360  # four deviations


def test_a_slow_road_delays_lets_packets_overtake_and_doubles_some(
    net: Network, ends: Ends
) -> None:
    net.delay(40, jitter_ms=10, doubled=0.1)
    came = ends.up(300)
    numbers = [number for number, _ in came]
    assert set(numbers) == set(range(300))
    assert 310 <= len(numbers) <= 360
    assert numbers != sorted(numbers)
    seconds = sorted(late for _, late in came)
    assert 0.035 < statistics.median(seconds) < 0.06
    assert seconds[len(seconds) * 9 // 10] - seconds[len(seconds) // 10] > 0.015


def test_a_thin_line_lets_through_what_it_says_and_drops_the_rest(net: Network) -> None:
    net.rate(256)
    ends = Ends(net)
    ends.client.send(b"here I am")
    _, client = ends.server.recvfrom(2048)
    begun, received = time.monotonic(), 0
    for _ in range(200):
        ends.server.sendto(bytes(1000), client)
        time.sleep(0.005)
    while True:
        try:
            received += len(ends.client.recv(2048)) + 42
            last = time.monotonic()
        except TimeoutError:
            break
    assert 200 < received * 8 / 1000 / (last - begun) < 330
    assert net.dropped() > 100
    net.plain()
    assert len(ends.up(50)) == 50
    ends.close()


def test_a_forgetful_router_shows_the_same_person_at_another_port(net: Network) -> None:
    net.nat(symmetric=False)
    ends = Ends(net)
    ends.up(1)
    before = ends.seen_as
    assert before[0] != CLIENT
    net.rebind()
    ends.up(1)
    assert ends.seen_as[0] == before[0] and ends.seen_as != before
    ends.close()


def test_a_line_without_udp_brings_tcp(net: Network, ends: Ends) -> None:
    net.block_udp()
    assert ends.up(5) == []
    with net.inside(net.server):
        door = socket.create_server((SERVER, PORT))
    with net.inside(net.client):
        came = socket.create_connection((SERVER, PORT), timeout=5)
    came.close()
    door.close()


def test_a_narrow_line_brings_no_long_packet_whole(net: Network, ends: Ends) -> None:
    net.mtu(1280)
    assert len(ends.up(5, 1280 - 28)) == 5
    with pytest.raises(OSError, match="too long"):
        ends.client.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
        ends.up(1, 1400)


def test_what_a_killed_run_left_is_taken_away(net: Network) -> None:
    gone = subprocess.Popen(("true",))
    gone.wait()
    left = f"{PREFIX}{gone.pid}c"
    subprocess.run(("ip", "netns", "add", left), check=True)
    sweep()
    assert not Path("/run/netns", left).exists()
    assert Path("/run/netns", net.client).exists(), "of a run that lives"
