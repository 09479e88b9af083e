"""A real coturn on the file that `peermeet admin turn-config` prints, on loopback."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from peermeet.relay import credential
from tests.relay.turn import Refused, Turn

PROGRAM = shutil.which("turnserver")
START_S = 30.0
WORKERS = ("198.51.100.7", "2001:db8::7")
SECRET = "a-secret-of-these-tests-alone"


def require() -> str:
    """The program; without one the test is skipped aloud, and fails where CI runs it."""
    if PROGRAM is not None:
        return PROGRAM
    missing = "coturn is not installed: NOTHING was asked of a real relay"
    if os.environ.get("PEERMEET_CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def shipped(
    folder: Path,
    port: int,
    *words: str,
    at: str = "127.0.0.1",
    workers: tuple[str, ...] = WORKERS,
) -> str:
    """What the admin's command prints; words: after it. at: where browsers look for the relay."""
    announced = ", ".join(f'"{worker}"' for worker in workers)
    told = subprocess.run(
        [sys.executable, "-m", "peermeet", "admin", "turn-config", *words],
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("PEERMEET_")
            },
            "PEERMEET_CONFIG": str(folder / "none.env"),
            "PEERMEET_DATA": str(folder),
            "PEERMEET_ANNOUNCE_IP": f"[{announced}]",
            "PEERMEET_TURN_URLS": f'["turn:{at}:{port}", "turn:{at}:{port}?transport=tcp"]',
            "PEERMEET_TURN_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


_HUNDREDS = itertools.count(os.getpid())


def ports(count: int = 100) -> tuple[str, str]:
    """`--relay-ports`, others each time, and below those the system gives out by itself."""
    return "--relay-ports", "{}-{}".format(*next_ports(count))


def next_ports(count: int = 100) -> tuple[int, int]:
    first = 12_000 + next(_HUNDREDS) % 200 * 100
    return first, first + count - 1


def ip_addresses(*addresses: str) -> tuple[IPv4Address | IPv6Address, ...]:
    return tuple(ip_address(address) for address in addresses)


class Relay:
    """A relay that runs. at: its address and port."""

    def __init__(self, at: tuple[str, int]) -> None:
        self.at = at

    def client(self, session: str = "ana", lasts_s: int = 300, *, stream: bool = False) -> Turn:
        """Somebody with a good credential, unless it lasts less than no time."""
        username, password = credential(SECRET, session, int(time.time()) + lasts_s)
        return Turn(self.at, username, password, stream=stream)


@contextmanager
def running(folder: Path, file: str, at: tuple[str, int]) -> Iterator[Relay]:
    """Coturn on this file, until it is left."""
    (folder / "turnserver.conf").write_text(file)
    process = subprocess.Popen(
        [require(), "-c", str(folder / "turnserver.conf"), "--pidfile", str(folder / "pid")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _until_it_answers(at, process)
        yield Relay(at)
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=START_S)
    # Of a line it does not know it only complains.
    assert "rror" not in said and "onfiguration" not in said, said


def _until_it_answers(at: tuple[str, int], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "coturn has ended"
        assert time.monotonic() < deadline, "coturn does not answer"
        try:
            with Turn(at, "nobody", "", limit_s=0.5) as nobody:
                nobody.allocate()
        except Refused:
            return
        except OSError:
            time.sleep(0.05)  # nothing tells when another process is ready


def granted(ask: Callable[..., object], *arguments: object) -> bool:
    """Whether the relay does what it is asked for."""
    try:
        ask(*arguments)
    except Refused:
        return False
    return True


@contextmanager
def listeners() -> Iterator[tuple[int, Callable[[], bool]]]:
    """A service of this machine on 127.0.0.1 and ::1; its port, and whether it has heard a word."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        four.bind(("127.0.0.1", 0))
        port: int = four.getsockname()[1]
        six.bind(("::1", port))

        def has_heard() -> bool:
            for each in (four, six):
                each.setblocking(False)
                try:
                    each.recv(100)
                    return True
                except BlockingIOError:
                    pass
            return False

        yield port, has_heard
