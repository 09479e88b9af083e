"""What end-to-end encryption costs in the browser: joining, CPU, and the way of a voice.

`peermeet serve` and one Chromium with three people who show their cameras, in circles that are
encrypted and that are not, by turns. Delay: before the cameras are on, Ana's microphone gives a
tone of 30 ms twice a second; from its start to when Fay's page has it in what it plays, less what
the browser says of its jitter buffer, which follows whatever else the machine does. Joining: from
the tap on "I agree and sit down" to the first picture of anybody, for somebody who comes as the
third. CPU: of all processes of the browser while three show themselves and one speaks, one
person's share. `python -m bench.sealed` takes about eight minutes and writes its result into
docs/performance.md.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench import page, rig
from bench.load import percentile
from peermeet.robots.door import make_secret
from peermeet.robots.line import Link
from peermeet.robots.spelling import to_b64
from tests.browser.person import Person
from tests.browser.watch import Watch
from tests.chromium import FLAGS, PROGRAM
from tests.scenarios.server import Server

RUNS = 3
"""Of each kind, by turns."""
JOINS = 4
"""In each run; the first does not count."""
TALK_S = 15.0
SETTLE_S = 4.0
LIMIT_S = 20.0

# Calls `told(ms)` with the time from the tap on the last button to the first picture of anybody.
REPORT_JOIN = """(() => {
  let begun = 0;
  addEventListener('click', event => {
    if (event.target.closest?.('button')?.textContent.includes('I agree and sit down'))
      begun = performance.now();
  }, true);
  let told = false;
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video[aria-label^="Camera picture of"]')) {
      if (video.watched) continue;
      video.watched = true;
      video.requestVideoFrameCallback(() => {
        if (!told && begun) joined(performance.now() - begun);
        told = true;
      });
    }
  }).observe(document, { childList: true, subtree: true });
})()"""

# A microphone that gives a tone now and then; `spoke(at)` is called as it begins.
TICK_MS = 500
MICROPHONE = f"""(() => {{
  if (!isSecureContext) return;
  const take = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (wanted) {{
    if (!wanted.audio || wanted.video) return take.call(this, wanted);
    const context = new AudioContext();
    const tone = new OscillatorNode(context, {{ frequency: 1000 }});
    const loud = new GainNode(context, {{ gain: 0 }});
    const out = context.createMediaStreamDestination();
    tone.connect(loud).connect(out);
    tone.start();
    setInterval(() => {{
      spoke(performance.timeOrigin + performance.now());
      loud.gain.setValueAtTime(0.5, context.currentTime);
      loud.gain.setValueAtTime(0, context.currentTime + 0.03);
    }}, {TICK_MS});
    return out.stream;
  }};
}})()"""

# Calls `heard(at)` when a tone is in what the page plays. `buffered()` is what the browser has
# counted of its jitter buffers: seconds that samples have waited in them, and how many have.
EAR = f"""(() => {{
  const Connection = RTCPeerConnection;
  const made = [];
  globalThis.RTCPeerConnection = class extends Connection {{
    constructor(...given) {{ super(...given); made.push(this); }}
  }};
  globalThis.buffered = async () => {{
    const sum = {{ seconds: 0, samples: 0 }};
    for (const connection of made) {{
      for (const it of (await connection.getStats()).values()) {{
        if (it.type !== 'inbound-rtp' || it.kind !== 'audio') continue;
        sum.seconds += it.jitterBufferDelay ?? 0;
        sum.samples += it.jitterBufferEmittedCount ?? 0;
      }}
    }}
    return sum;
  }};
  const own = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  let heardAt = 0;
  const listen = stream => {{
    const context = new AudioContext();
    const ear = context.createScriptProcessor(256, 1, 1);
    ear.onaudioprocess = event => {{
      const now = performance.timeOrigin + performance.now();
      if (now - heardAt < {TICK_MS} / 2) return;
      if (event.inputBuffer.getChannelData(0).some(value => Math.abs(value) > 0.1)) {{
        heardAt = now;
        heard(now);
      }}
    }};
    context.createMediaStreamSource(stream).connect(ear).connect(context.destination);
    window.ears = [...(window.ears ?? []), ear];
  }};
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {{
    get: own.get,
    set(stream) {{
      own.set.call(this, stream);
      if (stream && stream.getAudioTracks().length > 0) listen(stream);
    }},
  }});
}})()"""


@dataclass
class Figures:
    """What was measured in one kind of circle, over all runs."""

    join_ms: list[float] = field(default_factory=list)
    cpu_s_per_minute: list[float] = field(default_factory=list)
    heard: int = 0
    """Tones."""
    way_ms: list[float] = field(default_factory=list)
    """Of a voice, without the jitter buffer; one for each run, as the next."""
    buffer_ms: list[float] = field(default_factory=list)

    def told(self, kind: str) -> dict[str, float]:
        return {
            f"{kind}_join_ms_p50": round(percentile(sorted(self.join_ms), 50)),
            f"{kind}_cpu_s_per_minute": round(statistics.median(self.cpu_s_per_minute), 2),
            f"{kind}_way_ms": round(statistics.median(self.way_ms), 1),
            f"{kind}_buffer_ms": round(statistics.median(self.buffer_ms), 1),
        }


class Room:
    """A server, a browser, and who has come."""

    def __init__(self, server: Server, browser: Browser, secret: str | None) -> None:
        self._server, self._browser = server, browser
        self._secret = f".{secret}" if secret else ""
        self._watch = Watch(server.url, ())

    async def invite(self, name: str, *scripts: str, **told: list[float]) -> Person:
        """With a blank page and a link. told: where what a script calls puts its number."""
        token = self._server.facilitator if name == "Fay" else self._server.participant
        context = await self._browser.new_context(locale="en-GB")
        for what, numbers in told.items():
            await context.expose_function(what, lambda number, to=numbers: to.append(number))
        for script in scripts:
            await context.add_init_script(script)
        link = f"{self._server.url}/join#{token}{self._secret}"
        return await Person.arrive(name, link, context, self._watch)


@asynccontextmanager
async def room(is_sealed: bool) -> AsyncIterator[Room]:
    """Everything new."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), encrypted=is_sealed)
        try:
            server.start()
            lead = Link.parse(f"{server.url}/join#{server.facilitator}")
            secret = to_b64(await make_secret(lead)) if is_sealed else None
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=PROGRAM,
                    args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"],
                )
                yield Room(server, browser, secret)
                await browser.close()
        finally:
            server.end()


async def run(is_sealed: bool, figures: Figures) -> None:
    """One circle, from its first person on."""
    spoke: list[float] = []
    heard: list[float] = []
    async with room(is_sealed) as there:
        fay = await there.invite("Fay", EAR, heard=heard)
        ana = await there.invite("Ana", MICROPHONE, spoke=spoke)
        for person in (fay, ana):
            await person.join(camera=False)
        await fay.start_round(first=ana)
        await ana.tap("I am ready")
        await until(heard)
        await asyncio.sleep(SETTLE_S)
        # With nothing to do but this, or one would measure how busy the machine is.
        await listen(fay, spoke, heard, figures)
        for person in (fay, ana):
            await person.page.get_by_role("button", name="Camera off").click()
        await fay.sees_picture_of(ana)
        for number in range(JOINS):
            joined: list[float] = []
            ben = await there.invite("Ben", REPORT_JOIN, joined=joined)
            await ben.join()
            await until(joined)
            if number:
                figures.join_ms += joined
            if number < JOINS - 1:
                await ben.context.close()
        await asyncio.sleep(SETTLE_S)
        used, begun = browser_cpu_s(), time.monotonic()
        await asyncio.sleep(TALK_S)
        used, passed_s = browser_cpu_s() - used, time.monotonic() - begun
        figures.cpu_s_per_minute.append(used / passed_s * 60 / 3)


async def listen(fay: Person, spoke: list[float], heard: list[float], figures: Figures) -> None:
    """To a voice for a while, without pictures."""
    del spoke[:], heard[:]
    before = await fay.page.evaluate("() => buffered()")
    await asyncio.sleep(TALK_S)
    after = await fay.page.evaluate("() => buffered()")
    seconds, samples = (after[what] - before[what] for what in ("seconds", "samples"))
    buffer_ms = seconds / samples * 1000
    found = delays(spoke, heard)
    figures.heard += len(found)
    figures.buffer_ms.append(buffer_ms)
    figures.way_ms.append(statistics.median(found) - buffer_ms)


def delays(spoke: list[float], heard: list[float]) -> list[float]:
    """Milliseconds from each tone to when it was heard; one that was not is left out."""
    found = []
    for at in spoke:
        after = [then - at for then in heard if 0 < then - at < TICK_MS]
        found += after[:1]
    return found


async def until(news: list[float]) -> None:
    """Something was told. Raises TimeoutError."""
    async with asyncio.timeout(LIMIT_S):
        while not news:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def browser_cpu_s() -> float:
    """Time that all processes of our browser have been on a core."""
    return sum(rig.cpu_ns(pid) for pid in descendants(os.getpid()) if is_browser(pid)) / 1e9


def is_browser(pid: int) -> bool:
    return PROGRAM is not None and b"chrom" in Path(f"/proc/{pid}/cmdline").read_bytes()


def descendants(pid: int) -> list[int]:
    """Process ids of children, their children, and so on."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


async def measure() -> dict[str, float]:
    """Everything, by name."""
    kinds = {"sealed": Figures(), "plain": Figures()}
    for number in range(RUNS):
        # By turns, and each as often first.
        for kind in sorted(kinds, reverse=number % 2 == 0):
            await run(kind == "sealed", kinds[kind])
            print(kind, kinds[kind].told(kind), flush=True)
    told = {name: value for kind, it in kinds.items() for name, value in it.told(kind).items()}
    return {
        "sealed_runs": RUNS,
        "sealed_joins": len(kinds["sealed"].join_ms),
        "sealed_tones_heard": kinds["sealed"].heard,
        **told,
        "sealed_join_ratio": round(told["sealed_join_ms_p50"] / told["plain_join_ms_p50"], 2),
        "sealed_cpu_ratio": round(
            told["sealed_cpu_s_per_minute"] / told["plain_cpu_s_per_minute"], 2
        ),
        "sealed_added_way_ms": round(told["sealed_way_ms"] - told["plain_way_ms"], 1),
    }


def main() -> None:
    """Run, print, write the result down."""
    result = asyncio.run(measure())
    for name, value in result.items():
        print(page.row(name, value))
    page.keep(result, page.SEALED)


if __name__ == "__main__":
    main()
