"""The shipped relay leads to the media worker and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest

from tests.relay.coturn import WORKERS, Relay, granted, listeners, ports, running, shipped
from tests.relay.turn import TCP
from tests.scenarios.server import free_port

# Unspecified, private, shared, loopback, link-local, of protocols, for documentation, 6to4, for
# benchmarks, multicast, reserved, broadcast; the worker's neighbours; the open Internet.
FOUR = """
    0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.1 10.77.5.1 10.255.255.254 100.64.0.1 100.127.255.254
    127.0.0.1 127.0.0.53 127.0.1.1 127.1.2.3 127.255.255.254 169.254.0.1 169.254.169.254
    172.16.0.1 172.17.0.1 172.31.255.254 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1
    192.168.1.1 192.168.255.254 198.18.0.1 198.19.255.254 198.51.100.6 198.51.100.8 198.51.100.0
    198.51.100.255 203.0.113.1 224.0.0.1 224.0.0.251 232.1.1.1 239.255.255.250 240.0.0.1
    255.255.255.255 1.1.1.1 8.8.8.8 9.9.9.9
""".split()
SIX = """
    :: ::1 ::2 fe80::1 fe80::5efe:10.0.0.1 febf::1 fec0::1 fc00::1 fd00::1 fd77::1 ff01::1 ff02::1
    ff02::fb ff05::2 ff0e::1 100::1 2001:db8::6 2001:db8::8 2001:db8:1::7 2001:2::1 2001:10::1
    2606:4700:4700::1111 2001:4860:4860::8888 3fff::1 5f00::1
""".split()


def disguises(four: str) -> list[str]:
    """An IPv4 address in IPv6: mapped, compatible, translated, NAT64 twice, 6to4, Teredo."""
    number = int(IPv4Address(four))
    teredo = (0x20010000 << 96) | (number << 64) | (number ^ 0xFFFFFFFF)
    return [
        *(
            str(IPv6Address(int(IPv6Address(prefix)) | number))
            for prefix in ("::ffff:0:0", "::", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::")
        ),
        str(IPv6Address((0x2002 << 112) | (number << 80) | 1)),
        str(IPv6Address(teredo)),
    ]


FORBIDDEN = sorted(
    {*FOUR, *SIX, *(other for four in (*FOUR, WORKERS[0]) for other in disguises(four))}
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    """The file that the command prints, for loopback, and the port in it."""
    port = free_port()
    addresses = ("--address", "127.0.0.1", "--address", "::1")
    return shipped(tmp_path_factory.mktemp("data"), port, *addresses, *ports()), port


@pytest.fixture(scope="module")
def relay(file: tuple[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    text, port = file
    with running(tmp_path_factory.mktemp("coturn"), text, ("127.0.0.1", port)) as relay:
        yield relay


def test_the_list_of_what_is_forbidden_is_long() -> None:
    assert len(FORBIDDEN) >= 200
    assert not set(WORKERS) & set(FORBIDDEN)


@pytest.mark.parametrize("family", [4, 6])
def test_no_address_but_the_workers_is_permitted(relay: Relay, family: int) -> None:
    with relay.client() as ana:
        ana.allocate(family)
        worker = WORKERS[family == 6]
        ana.permit(worker)
        ana.bind(0x4000, worker)
        assert [a for a in FORBIDDEN if granted(ana.permit, a)] == []
        assert [a for a in FORBIDDEN if granted(ana.bind, 0x4001, a)] == []
        assert [a for a in FORBIDDEN if granted(ana.permit, worker, a)] == []


def test_the_list_finds_a_relay_that_is_open(
    file: tuple[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text, _ = file
    port = free_port()
    lines = [line for line in text.splitlines() if not line.startswith("denied-peer-ip")]
    open_file = "\n".join(lines).replace(f"listening-port={file[1]}", f"listening-port={port}")
    with running(tmp_path_factory.mktemp("open"), open_file, ("127.0.0.1", port)) as relay:
        found = set()
        for family in (4, 6):
            with relay.client() as ana:
                ana.allocate(family)
                found |= {a for a in FORBIDDEN if granted(ana.permit, a)}
    assert len(found) >= 200
    assert {"10.0.0.1", "169.254.169.254", "::ffff:a00:1", "64:ff9b::a00:1"} <= found


@pytest.mark.parametrize("family", [4, 6])
def test_no_connection_is_made_for_anybody(relay: Relay, family: int) -> None:
    with relay.client(stream=True) as ana:
        assert not granted(ana.allocate, family, TCP)
    with relay.client(stream=True) as ana:
        ana.allocate(family)
        assert [a for a in (*FORBIDDEN, *WORKERS) if granted(ana.connect, a)] == []


@pytest.mark.parametrize("family", [4, 6])
def test_nothing_reaches_a_service_of_the_relays_own_machine(relay: Relay, family: int) -> None:
    own = ["127.0.0.1", "0.0.0.0", "::1", "::", *disguises("127.0.0.1"), *disguises("0.0.0.0")]
    with listeners() as (port, has_heard), relay.client() as ana:
        ana.allocate(family)
        for address in own:
            granted(ana.permit, WORKERS[family == 6], address)
            ana.send(address, port, b"hello")
            ana.refresh()  # answered after what came before it
        assert not has_heard()


def test_behind_nat_the_machines_own_address_is_added_and_no_other(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    port = free_port()
    text = shipped(tmp_path_factory.mktemp("data"), port, *ports())
    outside, own = next(
        line.partition("=")[2].split("/")
        for line in text.splitlines()
        if line.startswith("external-ip=")
    )
    assert outside == WORKERS[0]
    with running(tmp_path_factory.mktemp("nat"), text, (own, port)) as relay:
        with relay.client() as ana:
            ana.allocate()
            ana.permit(outside)
            ana.permit(own)
            assert [a for a in FORBIDDEN if a != own and granted(ana.permit, a)] == []
