"""A media worker as a process: what it is, how it starts, who it is, and its end.

It may be an earlier web process's child, so that only its number is at hand; a number that is
used again is told from a worker by the words it was started with.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket as network
import struct
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Network, ip_address
from pathlib import Path
from typing import Final

from peermeet import __version__

MODULE: Final = "peermeet.media.worker"
STOP_S: Final = 3.0
"""For ending by itself; then a worker is killed."""
IPV6_ADDR_PREFERENCES: Final = 72
PREFER_SRC_PUBLIC: Final = 2
"""Of Linux (RFC 5014); Python names neither."""
UNIQUE_LOCAL: Final = IPv6Network("fc00::/7")


def own_address(bind_ip: str) -> str:
    """The address to announce when none is given: the bound one, or the one routes prefer."""
    if bind_ip not in ("0.0.0.0", "::"):
        return bind_ip
    family, anywhere = (
        (network.AF_INET6, "2001:db8::1") if ":" in bind_ip else (network.AF_INET, "192.0.2.1")
    )
    with contextlib.suppress(OSError), network.socket(family, network.SOCK_DGRAM) as probe:
        if family == network.AF_INET6:
            # A temporary address (RFC 8981) is gone tomorrow; a worker stays.
            with contextlib.suppress(OSError):
                probe.setsockopt(network.IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, PREFER_SRC_PUBLIC)
        # Connecting a datagram socket sends nothing; it asks the routing table.
        probe.connect((anywhere, 9))
        return str(probe.getsockname()[0])
    return "::1" if ":" in bind_ip else "127.0.0.1"


def own_addresses() -> tuple[str, ...]:
    """Where this machine is reached by default: its IPv4 address, and its IPv6 address if it has
    one that goes beyond the link.

    The preferred one first, as RFC 8421 wants it and RFC 6724 (section 2.1) ranks it: a global
    IPv6 address, then IPv4, then a unique local one. A machine without a network has 127.0.0.1.
    """
    four, six = own_address("0.0.0.0"), ip_address(own_address("::").partition("%")[0])
    if six.is_loopback or six.is_link_local:
        return (four,)
    return (four, str(six)) if six in UNIQUE_LOCAL else (str(six), four)


def made(arguments: Sequence[str]) -> tuple[str, ...]:
    """What a worker is: a newer version, and other settings, want another worker."""
    return (__version__, *arguments)


@contextlib.contextmanager
def door(path: Path) -> Iterator[str]:
    """A socket's address, short whatever its folder's: one may hold 107 bytes at most."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listener(writer: asyncio.StreamWriter) -> int:
    """Who listens at the other end (unix(7), SO_PEERCRED)."""
    line: network.socket = writer.get_extra_info("socket")
    told = line.getsockopt(network.SOL_SOCKET, network.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[0])


def spawn(arguments: Sequence[str]) -> int:
    """Start a worker and answer its process id.

    Not with asyncio, which kills its children when the loop ends; in a session of its own, for
    Ctrl-C is for us.
    """
    words = [sys.executable, "-m", MODULE, *arguments]
    files = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
    return os.posix_spawn(sys.executable, words, os.environ, file_actions=files, setsid=True)


def is_worker(pid: int, socket: Path) -> bool:
    """Whether this process is a media worker at this socket, and not at its end."""
    if pid <= 1:
        return False
    try:
        # Our own needs no look at its words, which are not there before it has quite begun.
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        pass
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return MODULE.encode() in words and os.fsencode(socket) in words


async def end(pid: int, socket: Path, patience_s: float = STOP_S) -> None:
    """Wait until this worker has ended; past our patience it is killed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while is_worker(pid, socket):
        if loop.time() >= until:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.02)
