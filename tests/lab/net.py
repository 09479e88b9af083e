"""Three network namespaces in a row, and a router in the middle that can be made bad.

    client --- router --- server          10.77.1.2 | .1.1 10.77.2.1 | 10.77.2.2, and fd77:… alike

Nothing here leaves the namespaces. The kernel needs no netem: loss is iptables, a thin line is
tbf, and delay is a process of ours (relay.py) that packets pass by way of a TUN device.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

CLIENT, SERVER = "10.77.1.2", "10.77.2.2"
SERVER_6 = "fd77:2::2"
ROUTES = ("-4", f"{CLIENT}/24", "10.77.1.1"), ("-6", "fd77:1::2/64", "fd77:1::1")
"""Family, own address and router of the client."""
PREFIX = "lb"
PROGRAMS = ("ip", "iptables", "ip6tables", "tc", "conntrack", "nsenter")
STEP_S = 10.0
"""The longest that any of those programs may take."""
RELAY = "pmrelay"

_CLONE_NEWNET = 0x40000000
_RUN = Path("/run/netns")
_RELAY_TABLE = "77"
_INSIDE, _OUTSIDE = "inside", "outside"  # the router's devices towards client and server


def require() -> None:
    """Without root or one of the programs: skipped aloud, and failed where CI runs it."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if os.geteuid() == 0 and not missing and Path("/dev/net/tun").exists():
        return
    why = f"NO bad network was tried: this needs root, /dev/net/tun and {' '.join(PROGRAMS)}"
    if os.environ.get("PEERMEET_CI"):
        pytest.fail(why)
    pytest.skip(why)


class Network:
    """The three namespaces. `close` removes all of it, also after a failure half-way."""

    def __init__(self) -> None:
        own = f"{PREFIX}{os.getpid()}"
        self.client, self.router, self.server = (f"{own}{place}" for place in "crs")
        self._relay: subprocess.Popen[str] | None = None
        sweep()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Safe to repeat. Who still runs in there keeps a nameless network until they end."""
        self._end_relay()
        for name in (self.client, self.router, self.server):
            _remove(name)

    # What a line can be like. `plain` takes everything back.

    def plain(self) -> None:
        """A line without faults; every known connection through the router stays known."""
        self._end_relay()
        for program in ("iptables", "ip6tables"):
            self._route(program, "-F", "FORWARD")
            self._route(program, "-t", "nat", "-F", "POSTROUTING")
        for device in (_INSIDE, _OUTSIDE):
            self._route("tc", "qdisc", "replace", "dev", device, "root", "pfifo")
        self.mtu(1500)
        for family, address, gateway in ROUTES:
            _run("ip", "-n", self.client, family, "address", "replace", address, "dev", "net")
            _run("ip", "-n", self.client, family, "route", "replace", "default", "via", gateway)

    def loss(self, percent: float) -> None:
        """Each packet of every kind is lost with this chance, in both directions."""
        for program in ("iptables", "ip6tables"):
            for way in ("-i", "-o"):
                self._route(
                    *(program, "-A", "FORWARD", way, _INSIDE, "-m", "statistic"),
                    *("--mode", "random", "--probability", str(percent / 100), "-j", "DROP"),
                )

    def rate(self, kbit: int) -> None:
        """What goes to the client waits at a gate of this many kbit/s, 200 ms at most."""
        self._route(
            *("tc", "qdisc", "replace", "dev", _INSIDE, "root"),
            *("tbf", "rate", f"{kbit}kbit", "burst", "4kb", "latency", "200ms"),
        )

    def dropped(self) -> int:
        """Packets to the client that the gate of `rate` had no room for."""
        told = self._route("tc", "-s", "qdisc", "show", "dev", _INSIDE)
        found = re.search(r"dropped (\d+)", told)
        assert found is not None, told
        return int(found[1])

    def delay(self, ms: float, jitter_ms: float = 0.0, doubled: float = 0.0) -> None:
        """Each packet comes later by a normal variate, so some overtake; some come twice."""
        self._end_relay()
        self._relay = subprocess.Popen(
            [
                *("nsenter", f"--net={_RUN / self.router}", sys.executable, "-m"),
                *("tests.lab.relay", RELAY, str(ms), str(jitter_ms), str(doubled)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._relay.stdout is not None
        assert self._relay.stdout.readline() == "ready\n", "the relay did not start"
        for family in ("-4", "-6"):
            self._route("ip", family, "route", "add", "default", "dev", RELAY, "table", "77")
            for device in (_INSIDE, _OUTSIDE):
                self._route("ip", family, "rule", "add", "iif", device, "lookup", _RELAY_TABLE)

    def block_udp(self) -> None:
        """Only TCP passes."""
        for program in ("iptables", "ip6tables"):
            self._route(program, "-A", "FORWARD", "-p", "udp", "-j", "DROP")

    def nat(self, *, symmetric: bool) -> None:
        """The client has no address of its own; symmetric: another port for each destination."""
        self._route("iptables", "-t", "nat", "-F", "POSTROUTING")
        own = ("--random-fully",) if symmetric else ()
        self._route(
            *("iptables", "-t", "nat", "-A", "POSTROUTING", "-o", _OUTSIDE, "-j", "MASQUERADE"),
            *own,
        )

    def rebind(self) -> None:
        """The router forgets every connection, and its NAT gives other ports from now on."""
        self.nat(symmetric=True)
        self._route("conntrack", "-F")

    def mtu(self, size: int) -> None:
        """The longest IP packet on the client's side of the router."""
        for name, device in ((self.client, "net"), (self.router, _INSIDE)):
            _run("ip", "-n", name, "link", "set", device, "mtu", str(size))

    def only_ipv6(self) -> None:
        """The client has no IPv4 address."""
        _run("ip", "-n", self.client, "-4", "address", "flush", "dev", "net")

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """This thread, and every process and socket that it makes meanwhile, is in there."""
        with open("/proc/thread-self/ns/net") as home:
            _enter(_RUN / name)
            try:
                yield
            finally:
                _enter(Path(f"/proc/self/fd/{home.fileno()}"))

    def wrapper(self, program: str, folder: Path) -> Path:
        """A program that is `program` in the client's place."""
        path = folder / "inside"
        path.write_text(f'#!/bin/sh\nexec nsenter --net={_RUN / self.client} {program} "$@"\n')
        path.chmod(0o755)
        return path

    # Building

    def _build(self) -> None:
        for name in (self.client, self.router, self.server):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
            # Addresses that nobody else can have need no second in which they are not used.
            _run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
        self._join(self.client, _INSIDE, 1)
        self._join(self.server, _OUTSIDE, 2)
        # Asked about connections once, the router goes on tracking them without a rule for NAT.
        self._route(
            *("iptables", "-A", "INPUT", "-m", "conntrack"),
            *("--ctstate", "RELATED", "-j", "ACCEPT"),
        )
        # Replies that come back from the relay arrive on another device than they left by.
        for setting in ("ipv4.ip_forward=1", "ipv6.conf.all.forwarding=1"):
            self._route("sysctl", "-qw", f"net.{setting}")
        for device in ("all", "default", _INSIDE, _OUTSIDE):
            self._route("sysctl", "-qw", f"net.ipv4.conf.{device}.rp_filter=0")

    def _join(self, name: str, device: str, number: int) -> None:
        """One leg: the router is .1 and the other end .2 of it, and their way to everything."""
        _run(
            *("ip", "link", "add", "net", "netns", name, "type", "veth"),
            *("peer", "name", device, "netns", self.router),
        )
        for where, link, host in ((self.router, device, 1), (name, "net", 2)):
            # No offloading of segments: a gate that counts bytes must see packets as a line does.
            _run("ip", "-n", where, "link", "set", link, "gso_max_segs", "1")
            _run("ip", "-n", where, "address", "add", f"10.77.{number}.{host}/24", "dev", link)
            _run(
                *("ip", "-n", where, "address", "add", f"fd77:{number}::{host}/64"),
                *("dev", link, "nodad"),
            )
            _run("ip", "-n", where, "link", "set", link, "up")
        _run("ip", "-n", name, "route", "add", "default", "via", f"10.77.{number}.1")
        _run("ip", "-n", name, "-6", "route", "add", "default", "via", f"fd77:{number}::1")

    def _route(self, *words: str) -> str:
        """Run something in the router."""
        return _run("ip", "netns", "exec", self.router, *words)

    def _end_relay(self) -> None:
        if self._relay is None:
            return
        relay, self._relay = self._relay, None
        for family in ("-4", "-6"):
            for device in (_INSIDE, _OUTSIDE):
                with suppress(subprocess.CalledProcessError):
                    self._route("ip", family, "rule", "del", "iif", device)
        with relay:
            relay.terminate()
            relay.wait(STEP_S)


def _run(*words: str) -> str:
    return subprocess.run(
        words, check=True, capture_output=True, text=True, timeout=STEP_S, stdin=subprocess.DEVNULL
    ).stdout


def _enter(path: Path) -> None:
    """setns(2), which Python has from 3.12 on."""
    with open(path) as place:
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _remove(name: str) -> None:
    if (_RUN / name).exists():
        _run("ip", "netns", "del", name)


def sweep() -> None:
    """Take away what a run that was killed has left."""
    for path in _RUN.glob(f"{PREFIX}*"):
        number = re.fullmatch(rf"{PREFIX}(\d+)[crs]", path.name)
        if number is not None and not Path("/proc", number[1]).exists():
            _remove(path.name)
