"""What circles cost at the rates of real people: all-to-all, in a round, and many at a time.

The real worker process on one core, the crowd (`bench.load`) on another. Everybody in an
all-to-all circle sends Opus, 50 packets a second, and VP8 of 595 kbit/s in 25 frames, each a
burst of packets. In a round the holder sends 1.3 Mbit/s and a voice, the others 150 kbit/s in
15 frames and no sound. Cost is the worker's CPU time per packet that reached somebody.
`python -m bench.rates` prints a table; it takes about three minutes.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import rig
from bench.forward import c_forwarder
from bench.load import Crowd, Outcome, direct_ms, percentile
from peermeet.media.link import MediaLink

SIZES = (4, 8, 12, 16)
PEOPLE = 8
RUNS = 3
RUN_S = 4.0
FLOWING_S = 20
"""Within which pictures of all must have come."""
WARM_UP_S = 2.0
ROUND_S = 8.0
"""Longer than the largest picture takes to come."""
FULL_S = 36.0
"""After this long the worker remembers as many packets of everybody as it ever will."""
STEPS = (8, 14, 20, 26, 32)
"""Circles of PEOPLE at the same time; a worker takes 256 people."""
STEP_S = 4.0
BUSY_PERCENT = 60.0
LATE_MS = 150.0
MAX_LOST_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run under load. core: of one core, 0 to 1; waited: for it, per time on it."""

    us_per_packet: float
    core: float
    waited: float
    lost_percent: float
    outcome: Outcome


async def run(link: MediaLink, crowd: Crowd, seconds: float, copies: int) -> Run:
    """Load the worker for a while; copies: of each packet that is sent.

    Raises AssertionError when packets arrive that do not open.
    """
    ran, waited = scheduled_ns(link.pid)
    outcome = await asyncio.to_thread(crowd.run, seconds)
    ran_then, waited_then = scheduled_ns(link.pid)
    assert not outcome.refused, "packets do not open"
    spent = ran_then - ran
    return Run(
        us_per_packet=spent / 1000 / outcome.received,
        core=spent / 1e9 / outcome.took_s,
        waited=(waited_then - waited) / spent,
        lost_percent=max(0.0, 100 * (1 - outcome.received / (outcome.sent * copies))),
        outcome=outcome,
    )


async def until_all_flows(link: MediaLink, crowd: Crowd, copies: int) -> None:
    """Warm up until everybody's line has shown that it carries all. Raises AssertionError.

    The worker begins with a small budget for pictures and doubles it about every second.
    """
    for _ in range(FLOWING_S):
        if (await run(link, crowd, 1.0, copies)).lost_percent < 1:
            return
    raise AssertionError("pictures are held back although the line is free")


def scheduled_ns(pid: int) -> tuple[int, int]:
    """How long the process has run, and how long it has waited for a core."""
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran), int(waited)


def memory_kb(pid: int) -> dict[str, int]:
    """Resident, proportional and unshared memory of a process: "rss", "pss", "uss"."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        fields[name] = int(value)
    uss = fields["Private_Clean:"] + fields["Private_Dirty:"]
    return {"rss": fields["Rss:"], "pss": fields["Pss:"], "uss": uss}


async def all_to_all(cores: rig.Cores, people: int) -> list[Run]:
    """A circle in which everybody sends everything to everybody."""
    async with rig.worker(cores) as link:
        members = await rig.seated(link, "circle", rig.everybody(people))
        crowd = Crowd(members)
        rig.talk(crowd)
        await until_all_flows(link, crowd, people - 1)
        runs = [await run(link, crowd, RUN_S, people - 1) for _ in range(RUNS)]
        assert crowd.sources() == [2 * (people - 1)] * people, "somebody is not heard or seen"
        await rig.leave(members)
        return runs


async def without_crypto(cores: rig.Cores) -> float:
    """Microseconds per packet of the C forwarder under the load of the circle of PEOPLE."""
    async with rig.worker(cores) as link:
        members = await rig.seated(link, "circle", rig.everybody(PEOPLE))
        with c_forwarder(cores.worker) as (pid, port):
            crowd = Crowd(members, server=("127.0.0.1", port))
            rig.talk(crowd)
            await asyncio.to_thread(crowd.run, WARM_UP_S)
            before = rig.cpu_ns(pid)
            outcome = await asyncio.to_thread(crowd.run, RUN_S)
            cost = (rig.cpu_ns(pid) - before) / 1000 / outcome.received
        await rig.leave(members)
        return cost


async def in_a_round(cores: rig.Cores) -> list[Run]:
    """One circle of PEOPLE as it is held."""
    async with rig.worker(cores) as link:
        gates = rig.a_round(PEOPLE)
        members = await rig.seated(link, "circle", gates, simulcast=True)
        crowd = Crowd(members)
        rig.take_turns(crowd, PEOPLE)
        # Not everything that is sent is forwarded here, so nothing says when all flows.
        await run(link, crowd, ROUND_S, PEOPLE - 1)
        runs = [await run(link, crowd, RUN_S, PEOPLE - 1) for _ in range(RUNS)]
        await rig.leave(members)
        return runs


@dataclass(frozen=True, slots=True)
class Step:
    """So many circles at a time, and what became of them."""

    circles: int
    core: float
    audio_ms_p95: float
    audio_lost_percent: float
    crowd: float
    """Share of its core that the crowd used."""


async def many(cores: rig.Cores) -> tuple[list[Step], dict[str, float]]:
    """More and more circles in a round, until voices are late; and memory of the first few."""
    steps = []
    async with rig.worker(cores) as link:
        await link.stats()
        empty = memory_kb(link.pid)
        crowd = Crowd([])
        memory: dict[str, float] = {}
        for circles in STEPS:
            before = len(crowd.members)
            for number in range(before // PEOPLE, circles):
                gates = rig.a_round(PEOPLE)
                crowd.add(await rig.seated(link, f"circle{number}", gates, simulcast=True))
            seated = memory_kb(link.pid)
            rig.take_turns(crowd, PEOPLE, before)
            if not memory:
                await run(link, crowd, FULL_S, PEOPLE - 1)
                full, people = memory_kb(link.pid), len(crowd.members)
                for kind in ("rss", "pss", "uss"):
                    grown = (full[kind] - empty[kind]) / 1024 / people
                    memory[f"{kind}_mb_per_participant"] = round(grown, 2)
                silent = (seated["rss"] - empty["rss"]) / 1024 / people
                memory["rss_mb_per_silent_participant"] = round(silent, 2)
                memory["rss_mb_empty"] = round(empty["rss"] / 1024, 1)
            await run(link, crowd, 1.0, PEOPLE - 1)
            measured = await run(link, crowd, STEP_S, PEOPLE - 1)
            outcome = measured.outcome
            voices = outcome.audio_sent * (PEOPLE - 1)
            step = Step(
                circles,
                measured.core,
                percentile(outcome.audio_delays_ms, 95),
                max(0.0, 100 * (1 - outcome.audio_received / voices)),
                outcome.cpu_s / outcome.took_s,
            )
            steps.append(step)
            if not in_time(step):
                break
        await rig.leave(crowd.members)
    return steps, memory


def in_time(step: Step) -> bool:
    """Whether voices could be followed."""
    return step.audio_ms_p95 <= LATE_MS and step.audio_lost_percent <= MAX_LOST_PERCENT


def at_percent(steps: Sequence[Step], percent: float) -> float:
    """How many circles make a core so busy; between two steps along a line."""
    before = Step(0, 0.0, 0.0, 0.0, 0.0)
    for step in steps:
        if step.core * 100 >= percent:
            share = (percent / 100 - before.core) / (step.core - before.core)
            return before.circles + share * (step.circles - before.circles)
        before = step
    return float(before.circles)


async def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    figures: dict[str, float] = {}
    async with rig.pinned() as cores:
        direct = direct_ms()
        busy = []
        for people in SIZES:
            runs = await all_to_all(cores, people)
            busy += [one.outcome.cpu_s / one.outcome.took_s for one in runs]
            cost = statistics.median(one.us_per_packet for one in runs)
            figures[f"real_us_per_packet_n{people}"] = round(cost, 2)
            core = statistics.median(one.core for one in runs)
            figures[f"real_core_percent_n{people}"] = round(100 * core, 1)
            if people == PEOPLE:
                for percent in (50, 99):
                    delays = [percentile(one.outcome.delays_ms, percent) for one in runs]
                    added = statistics.median(delays) - direct
                    figures[f"added_delay_ms_p{percent}"] = round(added, 2)
                figures["real_lost_percent"] = round(max(one.lost_percent for one in runs), 3)
                waited = statistics.median(one.waited for one in runs)
                figures["worker_wait_ratio"] = round(waited, 2)
                floor = await without_crypto(cores)
                figures["c_forwarder_real_us_per_packet_n8"] = round(floor, 2)
                figures["real_ratio_to_c_forwarder_n8"] = round(cost / floor, 2)
        runs = await in_a_round(cores)
        core = statistics.median(one.core for one in runs)
        figures["round8_core_percent_per_person"] = round(100 * core / PEOPLE, 2)
        cost = statistics.median(one.us_per_packet for one in runs)
        figures["round8_us_per_packet"] = round(cost, 2)
        packets = statistics.median(one.outcome.received / one.outcome.took_s for one in runs)
        figures["round8_packets_per_s"] = round(packets)
        steps, memory = await many(cores)
        figures["circles_of_8_at_60_percent"] = round(at_percent(steps, BUSY_PERCENT), 1)
        good = [step for step in steps if in_time(step)]
        figures["circles_until_audio_150ms"] = max((step.circles for step in good), default=0)
        figures["circles_audio_ms_p95"] = round(good[-1].audio_ms_p95 if good else 0.0, 1)
        busy += [step.crowd for step in steps]
        figures["crowd_core_percent_max"] = round(100 * max(busy))
    return figures | memory


def main() -> None:
    """Measure and print a table."""
    print(f"real rates, cores {sorted(os.sched_getaffinity(0))}")
    for name, value in asyncio.run(measure()).items():
        print(f"  {name:<34}{value:>12g}")


if __name__ == "__main__":
    main()
