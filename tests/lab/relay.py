"""`python -m tests.lab.relay DEVICE DELAY_MS JITTER_MS DOUBLED`: a slow stretch of road.

Makes a TUN device where it is started, says "ready", and gives every packet that is routed into
it back later: by a normal variate of that mean and deviation, never early. Packets overtake one
another as they may on a real road; a share of DOUBLED (0-1) comes twice. Ends by SIGTERM.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import sys
import time

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_BATCH = 64
MAX_WAITING = 10_000
"""Packets on the road at the same time; the next is lost."""


def open_tun(name: str) -> int:
    """A new TUN device, up; its descriptor, which does not block."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    subprocess.run(("sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=0"), check=True)
    subprocess.run(("ip", "link", "set", name, "up"), check=True)
    return device


def relay(device: int, delay_s: float, jitter_s: float, doubled: float) -> None:
    """For ever."""
    number = itertools.count()
    road: list[tuple[float, int, bytes]] = []
    while True:
        wait = max(0.0, road[0][0] - time.monotonic()) if road else None
        readable, _, _ = select.select([device], [], [], wait)
        now = time.monotonic()
        for _ in range(_BATCH if readable else 0):
            try:
                packet = os.read(device, 65_535)
            except BlockingIOError:
                break
            for _ in range(1 + (random.random() < doubled)):
                late = max(0.0, random.gauss(delay_s, jitter_s))
                if len(road) < MAX_WAITING:
                    heapq.heappush(road, (now + late, next(number), packet))
        while road and road[0][0] <= time.monotonic():
            os.write(device, heapq.heappop(road)[2])


if __name__ == "__main__":
    _, name, *figures = sys.argv
    delay_ms, jitter_ms, doubled = map(float, figures)
    device = open_tun(name)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    relay(device, delay_ms / 1000, jitter_ms / 1000, doubled)
