"""What forwarding one packet costs: a circle of 8, everybody to everybody, saturated.

The real worker process on one core; on another, eight members with ICE, DTLS and SRTP who send
as fast as copies come back. Cost is the worker's CPU time, receiving included, per packet it
sent. Two yardsticks are compiled here and measured between the runs: a C loop around sendto(),
and a C forwarder that does not encrypt, in the worker's place and under the same load.
`python -m bench.forward` prints a table; it takes about a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench import compiled, rig
from bench.load import TRAILER_BYTES, Crowd, Outcome

PEOPLE = 8
PACKET_BYTES = 1100
"""RTP header, extensions and payload, before SRTP."""
RUNS = 9
RUN_S = 1.5
BURST = 4
"""Packets each member sends before it looks at what came."""
IN_FLIGHT = 2 * BURST * PEOPLE * (PEOPLE - 1)
"""Enough that the worker never waits, little enough that no socket buffer overflows."""


def sendto_us(binary: Path, cpu: int) -> float:
    """Microseconds of CPU per packet of the C loop, run on the given core."""
    output = subprocess.run(
        [str(binary), str(PACKET_BYTES + TRAILER_BYTES), "200000"],
        check=True,
        capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    ).stdout
    return float(output) / 1000


@contextlib.contextmanager
def c_forwarder(cpu: int) -> Iterator[tuple[int, int]]:
    """The C forwarder on the given core: its process id and port."""
    with subprocess.Popen(
        [str(compiled.program("forwarder")), str(PEOPLE)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    ) as process:
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


async def flood(crowd: Crowd, pid: int, seconds: float) -> tuple[float, Outcome]:
    """Load one process; microseconds of its CPU per copy that came, and what came."""
    before = rig.cpu_ns(pid)
    outcome = await asyncio.to_thread(
        crowd.flood, PACKET_BYTES, seconds, BURST, PEOPLE - 1, IN_FLIGHT
    )
    return (rig.cpu_ns(pid) - before) / 1000 / outcome.received, outcome


async def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    binary = compiled.program("sendto")
    async with rig.pinned() as cores, rig.worker(cores) as link:
        members = await rig.seated(link, "circle", rig.everybody(PEOPLE), transport_cc=False)
        with c_forwarder(cores.worker) as (forwarder, port):
            ours, theirs = Crowd(members), Crowd(members, server=("127.0.0.1", port))
            for person in range(PEOPLE):
                ours.show(person, 0, 1)
                theirs.show(person, 0, 1)
            costs, floors, loops = [], [], []
            sent = came = refused = 0
            for run in range(RUNS + 1):
                loop = sendto_us(binary, cores.worker)
                floor, _ = await flood(theirs, forwarder, RUN_S / 2)
                cost, outcome = await flood(ours, link.pid, RUN_S)
                if run == 0:
                    continue  # warm-up
                costs.append(cost)
                floors.append(floor)
                loops.append(loop)
                sent, came = sent + outcome.sent * (PEOPLE - 1), came + outcome.received
                refused += outcome.refused
        good = sum(heard == PEOPLE - 1 for heard in ours.sources()) if not refused else 0
        await rig.leave(members)
    cost = statistics.median(costs)
    ratios = [cost / floor for cost, floor in zip(costs, floors, strict=True)]
    return {
        "forward_us_per_packet": round(cost, 2),
        "forward_us_per_packet_best": round(min(costs), 2),
        "forward_packets_per_second_core": round(1e6 / cost),
        "forward_ratio_to_c_forwarder": round(statistics.median(ratios), 2),
        "forward_ratio_to_sendto": round(cost / statistics.median(loops), 2),
        "forward_lost_percent": round(100 * (sent - came) / sent, 3),
        "forward_members_that_decrypt": good,
        "c_forwarder_us_per_packet": round(statistics.median(floors), 3),
        "sendto_us_per_packet": round(statistics.median(loops), 3),
    }


def main() -> None:
    """Measure and print a table."""
    print(f"forwarding, circle of {PEOPLE}, {PACKET_BYTES}-byte packets, saturated")
    for name, value in asyncio.run(measure()).items():
        print(f"  {name:<34}{value:>12g}")


if __name__ == "__main__":
    main()
