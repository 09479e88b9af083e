"""What forwarding one packet costs: a circle of 8, everybody to everybody, saturated.

The real worker process on one core, eight members with ICE, DTLS and SRTP on another. Cost is
the worker's CPU time, receiving included, per packet it sent. The yardstick is a C loop around
sendto(), compiled and run on the spot between the runs, so that the ratio means the same on any
machine. `python -m bench.forward` prints a table; it takes about half a minute.
"""

from __future__ import annotations

import asyncio
import os
import select
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pylibsrtp

from bench.member import MID_ID, VP8, Member, rtp_packet, vp8_payload
from peermeet.core.model import Gate
from peermeet.media.link import MediaLink

PEOPLE = 8
PACKET_BYTES = 1100
"""RTP header, extension and payload, before SRTP."""
RUNS = 9
RUN_S = 1.5
BURST = 4
"""Packets each member sends before it looks at what came."""
IN_FLIGHT = 2 * BURST * PEOPLE * (PEOPLE - 1)
"""Enough that the worker never waits, little enough that no socket buffer overflows."""
STALLED_S = 0.05
CHECKED = 32
"""Packets of each member that are opened and compared after each run."""

HERE = Path(__file__).parent


def compile_yardstick() -> Path:
    """Build sendto.c with gcc. Raises CalledProcessError or FileNotFoundError."""
    binary = HERE / "bin" / "sendto"
    binary.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-o", str(binary), str(HERE / "sendto.c")], check=True)
    return binary


def sendto_us(binary: Path, cpu: int) -> float:
    """Microseconds of CPU per packet of the C loop, run on the given core."""
    output = subprocess.run(
        [str(binary), str(PACKET_BYTES + 16), "200000"],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    ).stdout
    return float(output) / 1000


def worker_cpu_ns(pid: int) -> int:
    """Time the worker's one thread has been on a core."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


class Load:
    """Eight members in a closed loop over plain sockets: no event loop, no decryption."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members
        self._sequence = 0
        self._fresh: list[list[bytes]] = [[] for _ in members]
        size = PACKET_BYTES - 12 - 8
        self._body = vp8_payload(False, 0, 0, size)
        self._poll = select.poll()
        for member in members:
            self._poll.register(member.socket, select.POLLIN)

    def key_frames(self) -> None:
        """Everybody's picture begins."""
        self._send(vp8_payload(True, 0, 0, PACKET_BYTES - 20))
        time.sleep(0.2)
        self._drain()

    def run(self, seconds: float) -> tuple[int, int]:
        """Load the worker; answers how many copies came back and how many did not."""
        everybody = len(self._members) * (len(self._members) - 1)
        sent = came = lost = 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in range(BURST):
                self._send(self._body)
            sent += BURST * everybody
            came += self._drain()
            stalled = time.perf_counter() + STALLED_S
            while sent - came - lost >= IN_FLIGHT:
                self._poll.poll(1)
                news = self._drain()
                came += news
                if news:
                    stalled = time.perf_counter() + STALLED_S
                elif time.perf_counter() > stalled:
                    lost = sent - came
        time.sleep(STALLED_S)
        came += self._drain()
        return came, sent - came

    def check(self) -> int:
        """How many members can open the last copies they got, and find our bytes in them."""
        good = 0
        for member, fresh in zip(self._members, self._fresh, strict=True):
            mids = set()
            for datagram in fresh[-CHECKED:]:
                try:
                    packet = member.unprotect(datagram)
                except pylibsrtp.Error:
                    break
                if packet[-1000:] != self._body[-1000:] or packet[1] & 0x7F != VP8:
                    break
                mids.add(member.mid_of[int.from_bytes(packet[8:12], "big")])
            else:
                good += len(mids) == len(self._members) - 1
            fresh.clear()
        return good

    def _send(self, body: bytes) -> None:
        self._sequence += 1
        number = self._sequence
        body = body[:2] + struct.pack("!HB", 0x8000 | number & 0x7FFF, number & 0xFF) + body[5:]
        for member in self._members:
            packet = rtp_packet(
                member.video_ssrc,
                VP8,
                number,
                number * 3000,
                body,
                marker=True,
                extensions={MID_ID: b"1"},
            )
            member.socket.sendto(member.protect(packet), member.server)

    def _drain(self) -> int:
        count = 0
        for member, fresh in zip(self._members, self._fresh, strict=True):
            receive = member.socket.recv
            try:
                while True:
                    datagram = receive(2048)
                    if datagram[1] & 0x7F == VP8:
                        count += 1
                        fresh.append(datagram)
            except BlockingIOError:
                pass
            if len(fresh) > 20 * CHECKED:
                del fresh[:-CHECKED]
        return count


async def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    cores = sorted(os.sched_getaffinity(0))
    ours, workers = cores[-1], cores[0]
    binary = compile_yardstick()
    with tempfile.TemporaryDirectory() as folder:
        link = MediaLink(
            socket=Path(folder) / "media.sock",
            bind="127.0.0.1",
            lease_ms=600_000,
            # Everybody floods here; the limit is for one member of many.
            packets_per_s=10**9,
            on_streams=lambda *_: None,
            on_media=lambda *_: None,
            on_restart=lambda: None,
        )
        await link.start()
        try:
            os.sched_setaffinity(link.pid, {workers})
            os.sched_setaffinity(0, {ours})
            seats = [f"s{number}" for number in range(PEOPLE)]
            link.apply("circle", {seat: Gate(audio=True, video=True) for seat in seats})
            members = []
            for seat in seats:
                member = Member(PEOPLE - 1)
                await member.join(await link.answer("circle", seat, member.offer))
                members.append(member)
            await link.stats()
            return await _runs(link, members, binary, workers)
        finally:
            await link.stop()
            os.sched_setaffinity(0, set(cores))


async def _runs(link: MediaLink, members: list[Member], binary: Path, cpu: int) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    for member in members:
        loop.remove_reader(member.socket.fileno())
    load = Load(members)
    load.key_frames()
    costs, rates, yardsticks = [], [], []
    opened = len(members)
    copies = lost = 0
    for run in range(RUNS + 1):
        yardstick = sendto_us(binary, cpu)
        before, started = worker_cpu_ns(link.pid), time.perf_counter()
        came, missing = load.run(RUN_S)
        spent, took = worker_cpu_ns(link.pid) - before, time.perf_counter() - started
        # The loop stood still for the run: let the link give its signs of life.
        await link.stats()
        opened = min(opened, load.check())
        if run == 0:
            continue  # warm-up
        copies, lost = copies + came, lost + missing
        costs.append(spent / 1000 / came)
        rates.append(came / took)
        yardsticks.append(yardstick)
    cost, yardstick = statistics.median(costs), statistics.median(yardsticks)
    for member in members:
        member.vanish()
    return {
        "forward_us_per_packet": round(cost, 2),
        "forward_us_per_packet_best": round(min(costs), 2),
        "forward_ratio_to_sendto": round(cost / yardstick, 2),
        "forward_packets_per_s": round(statistics.median(rates)),
        "forward_lost_percent": round(100 * lost / (copies + lost), 3),
        "forward_members_that_decrypt": opened,
        "sendto_us_per_packet": round(yardstick, 3),
    }


def main() -> dict[str, float]:
    """Measure, print a table, answer the figures."""
    figures = asyncio.run(measure())
    print(f"forwarding, circle of {PEOPLE}, {PACKET_BYTES}-byte packets, saturated")
    for name, value in figures.items():
        print(f"  {name:<32}{value:>12g}")
    return figures


if __name__ == "__main__":
    main()
