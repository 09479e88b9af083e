"""Nothing is left behind: 2,000 joins and leaves, then an hour of a circle of 8.

What the worker holds (file descriptors, asyncio tasks, threads, connections) must be back to the
start exactly after the joins and after the hour, its memory within 20 MiB of what it was when
the first hundred had come and gone. `python -m bench.soak` takes an hour and writes its result
into docs/performance.md; PEERMEET_SOAK_MINUTES makes the circle's hour shorter (0: joins only).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from bench import page, rig
from bench.load import Crowd
from bench.member import Member
from bench.rates import memory_kb
from peermeet.core.model import Gate
from peermeet.media.link import MediaLink

JOINS = int(os.environ.get("PEERMEET_SOAK_JOINS", "2000"))
MINUTES = float(os.environ.get("PEERMEET_SOAK_MINUTES", "60"))
AT_ONCE = 4
"""People that join side by side."""
FIRST = 100
"""Joins after which memory is looked at first: imports, caches and pools are there by then."""
PEOPLE = 8
SLICE_S = 5.0
MAX_GROWN_MIB = 20.0
SETTLE_S = 15.0
"""Longer than a silent person is waited for."""
COUNTED = ("peers", "tasks", "threads", "fds")


async def settled(link: MediaLink, wanted: dict[str, int]) -> dict[str, int]:
    """What the worker holds once nobody is there; waits for `wanted` as long as it may take."""
    end = time.monotonic() + SETTLE_S
    while (now := await held(link)) != wanted and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return now


async def held(link: MediaLink) -> dict[str, int]:
    """The worker's own counts, now."""
    stats = await link.stats()
    return {name: stats[name] for name in COUNTED}


async def come_and_go(link: MediaLink, seat: str) -> None:
    """Join, be heard and seen by whoever is there, and leave; every third without a word."""
    member = Member(PEOPLE - 1)
    await member.join(await link.answer("joins", seat, member.offer))
    member.speak()
    member.show(key_frame=True)
    if member.audio_ssrc % 3 == 0:
        member.vanish()
        link.drop("joins", seat)
    await member.leave()


async def joins(link: MediaLink, start: dict[str, int]) -> tuple[int, int]:
    """Everybody comes and goes; resident memory after the first and after all, kB."""
    seats = {f"s{number}": Gate(audio=True, video=True) for number in range(AT_ONCE)}
    link.apply("joins", seats)
    first = 0
    for done in range(0, JOINS, AT_ONCE):
        await asyncio.gather(*(come_and_go(link, seat) for seat in seats))
        if done <= FIRST < done + AT_ONCE:
            await settled(link, start)
            first = memory_kb(link.pid)["rss"]
    await settled(link, start)
    link.close("joins")
    return first, memory_kb(link.pid)["rss"]


async def circle(link: MediaLink, minutes: float) -> tuple[int, int, int]:
    """A circle of PEOPLE talks; memory when its history is full and at the end, and packets."""
    members = await rig.seated(link, "circle", rig.everybody(PEOPLE))
    crowd = Crowd(members)
    rig.talk(crowd)
    end, full, packets = time.monotonic() + minutes * 60, 0, 0
    begun = time.monotonic()
    while (now := time.monotonic()) < end:
        outcome = await asyncio.to_thread(crowd.run, min(SLICE_S, max(0.1, end - now)))
        assert not outcome.refused, "packets do not open"
        packets += outcome.received
        if not full and time.monotonic() - begun > 20:
            full = memory_kb(link.pid)["rss"]
    last = memory_kb(link.pid)["rss"]
    assert crowd.sources() == [2 * (PEOPLE - 1)] * PEOPLE, "somebody is not heard or seen"
    await rig.leave(members)
    link.close("circle")
    return full or last, last, packets


async def soak() -> dict[str, float]:
    """Run everything; answers the result by name."""
    async with rig.pinned() as cores, rig.worker(cores) as link:
        start = await held(link)
        begun = time.monotonic()
        first, after = await joins(link, start)
        took = time.monotonic() - begun
        between = await settled(link, start)
        print(f"{JOINS} joins in {took:.0f} s: {start} -> {between}, {first} -> {after} kB")
        full, last, packets = await circle(link, MINUTES) if MINUTES else (after, after, 0)
        finish = await settled(link, start)
        counters = await link.stats()
    return {
        "soak_joins": JOINS,
        "soak_minutes": MINUTES,
        "soak_packets": packets,
        **{f"soak_{name}_left": finish[name] - start[name] for name in COUNTED},
        **{f"soak_{name}_left_by_joins": between[name] - start[name] for name in COUNTED},
        "soak_grown_mib_joins": round((after - first) / 1024, 1),
        "soak_grown_mib_circle": round((last - full) / 1024, 1),
        "soak_faults": sum(n for name, n in counters.items() if name.startswith("fault.")),
    }


def failures(result: dict[str, float]) -> list[str]:
    """What is not as it must be."""
    wrong = [n for n in result if ("_left" in n or n == "soak_faults") and result[n]]
    grown = result["soak_grown_mib_joins"] + result["soak_grown_mib_circle"]
    return wrong + (["memory"] if grown > MAX_GROWN_MIB else [])


def main() -> int:
    """Run, print, write the result down; 1 if something is left behind."""
    result = asyncio.run(soak())
    for name, value in result.items():
        print(f"  {name:<34}{value:>12g}")
    page.keep(result, page.SOAK)
    wrong = failures(result)
    print("left behind: " + ", ".join(wrong) if wrong else "nothing is left behind")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
