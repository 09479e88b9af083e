"""How long a place shows nothing when it goes to somebody else: a seat switch.

A viewer has one place. The gates say that the person in it has gone to another room and a second
one has come; the clock starts when that is said to the worker. On the wire it stops with the
first packet of a key frame of the newcomer; their camera makes one with the next of 25 pictures a
second after it is asked. In Chromium, it stops when the newcomer's colour is on the screen.
`python -m bench.switch` prints a table; it takes about forty seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time

from playwright.async_api import Browser, Page, async_playwright

from bench import rig
from bench.load import percentile
from bench.member import MID_ID, VP8, Member, rtp_packet, vp8_payload
from peermeet.core.model import Gate
from peermeet.media.link import MediaLink
from peermeet.media.process import own_address
from tests.chromium import FLAGS, PROGRAM

SWITCHES = 30
PAUSE_S = (0.6, 0.9)
"""Between two: longer than the worker's patience with requests for key frames."""
FRAME_S = 0.04
LIMIT_S = 10.0
HERE, AWAY = Gate(audio=True, video=True), Gate(audio=True, video=True, space="away")
COLOURS = {"red": "#d01010", "green": "#10b010"}
PAGE = """<!doctype html><script>
const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
const vp8 = RTCRtpReceiver.getCapabilities('video').codecs.filter(c => c.mimeType == 'video/VP8');
const settle = async () => { await pc.setLocalDescription(); return pc.localDescription.sdp; };
const answer = sdp => pc.setRemoteDescription({ type: 'answer', sdp });
function show(colour) {
  const canvas = document.createElement('canvas');
  canvas.width = 640; canvas.height = 360;
  document.body.append(canvas);
  const paper = canvas.getContext('2d');
  let number = 0;
  setInterval(() => {
    paper.fillStyle = colour; paper.fillRect(0, 0, 640, 360);
    paper.fillStyle = '#808080'; paper.fillRect(number++ * 7 % 600, 8, 40, 40);
  }, 40);
  const track = canvas.captureStream(25).getVideoTracks()[0];
  pc.addTransceiver(track, { direction: 'sendonly' }).setCodecPreferences(vp8);
  return settle();
}
function view() {
  // Without a section for sound beside it this would be the section of a screen.
  pc.addTransceiver('audio', { direction: 'recvonly' });
  pc.addTransceiver('video', { direction: 'recvonly' }).setCodecPreferences(vp8);
  const video = document.createElement('video');
  const paper = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  document.body.append(video);
  video.autoplay = video.muted = true;
  pc.ontrack = event => { video.srcObject = new MediaStream([event.track]); };
  let shown = '';
  const look = () => {
    paper.drawImage(video, 0, 0, 16, 9);
    const [red, green] = paper.getImageData(8, 6, 1, 1).data;
    const now = Math.abs(red - green) < 40 ? '' : red > green ? 'red' : 'green';
    if (now && now != shown) seen(shown = now, performance.timeOrigin + performance.now());
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  return settle();
}
</script><body></body>"""


class Watched:
    """What the viewer has seen last, and when: seconds of `time.time`."""

    def __init__(self) -> None:
        self._shown = ""
        self._at = 0.0
        self._news = asyncio.Event()

    def saw(self, who: str, at: float) -> None:
        """Somebody appeared."""
        self._shown, self._at = who, at
        self._news.set()

    async def until(self, who: str) -> float:
        """When this person appeared. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while self._shown != who:
                self._news.clear()
                await self._news.wait()
        return self._at


async def switches(link: MediaLink, watched: Watched, first: str, second: str) -> list[float]:
    """Milliseconds of each switch, ascending; the circle is called "circle", the viewer "v"."""

    def give_place(holder: str) -> None:
        other = second if holder == first else first
        link.apply("circle", {"v": HERE, holder: HERE, other: AWAY})

    give_place(first)
    await watched.until(first)
    measured = []
    for _, holder in zip(range(SWITCHES), itertools.cycle((second, first)), strict=False):
        # A packet of the old stretch that is under way must not hide the next.
        await asyncio.sleep(random.uniform(*PAUSE_S))
        begun = time.time()
        give_place(holder)
        measured.append((await watched.until(holder) - begun) * 1000)
    return sorted(measured)


class Camera:
    """A member's pictures, 25 a second, and a key frame next when one is asked for."""

    def __init__(self, member: Member, mark: bytes) -> None:
        self._member, self._mark = member, mark

    async def run(self) -> None:
        """Until cancelled."""
        begun, number = time.perf_counter(), 0
        while True:
            asked = any(packet[1] == 206 for packet in self._requests())
            payload = vp8_payload(asked or not number, number, number, 900) + self._mark
            self._member.send_rtp(
                rtp_packet(
                    self._member.video_ssrc,
                    VP8,
                    number,
                    number * 3600,
                    payload,
                    marker=True,
                    extensions={MID_ID: b"1"},
                )
            )
            number += 1
            await asyncio.sleep(max(0.0, begun + number * FRAME_S - time.perf_counter()))

    def _requests(self) -> list[bytes]:
        """RTCP that came since the last picture, without the reports in front."""
        packets = []
        for compound in self._member.rtcp:
            while compound:
                size = 4 + 4 * int.from_bytes(compound[2:4], "big")
                if compound[0] & 31 == 1 or compound[1] != 206:
                    packets.append(compound[:size])
                compound = compound[size:]
        self._member.rtcp.clear()
        return packets


async def consent(member: Member) -> None:
    """Show that the member is there, as browsers do (RFC 7675), until cancelled."""
    while True:
        member.check()
        await asyncio.sleep(2.5)


async def on_the_wire(cores: rig.Cores) -> list[float]:
    """Switches between two members, seen by a third; ms, ascending."""
    async with rig.worker(cores) as link:
        link.apply("circle", {"v": HERE, "a": HERE, "b": AWAY})
        members = {"v": Member(1), "a": Member(0), "b": Member(0)}
        for seat, member in members.items():
            await member.join(await link.answer("circle", seat, member.offer))
        watched = Watched()

        def look(_: str, packet: bytes) -> None:
            # Behind 12 bytes of header and one extension: 6 of descriptor, then VP8 itself.
            begun = 12 + 4 + 4 * int.from_bytes(packet[14:16], "big")
            if not packet[begun + 6] & 1:
                watched.saw(packet[-1:].decode(), time.time())

        members["v"].on_rtp = look
        tasks = [
            asyncio.create_task(Camera(members[seat], seat.encode()).run()) for seat in ("a", "b")
        ]
        tasks.append(asyncio.create_task(consent(members["v"])))
        try:
            return await switches(link, watched, "a", "b")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await rig.leave(list(members.values()))


async def page(browser: Browser) -> Page:
    """A tab with PAGE, at an address where cameras are allowed."""
    tab = await browser.new_page()
    await tab.route(
        "http://localhost/**", lambda route: route.fulfill(body=PAGE, content_type="text/html")
    )
    await tab.goto("http://localhost/")
    return tab


async def in_chromium() -> list[float]:
    """Switches between two colours, seen in a third tab; ms, ascending."""
    if PROGRAM is None:
        raise FileNotFoundError("chromium")
    watched = Watched()
    async with (
        rig.worker(bind=own_address("0.0.0.0")) as link,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM,
            args=[
                *FLAGS,
                "--disable-background-timer-throttling",
                "--disable-renderer-backgrounding",
            ],
        )
        try:
            link.apply("circle", {"v": HERE, "red": HERE, "green": AWAY})
            for seat in ("v", *COLOURS):
                tab = await page(browser)
                if seat == "v":
                    await tab.expose_function("seen", lambda who, at: watched.saw(who, at / 1000))
                    offer = await tab.evaluate("view()")
                else:
                    offer = await tab.evaluate("colour => show(colour)", COLOURS[seat])
                await tab.evaluate("sdp => answer(sdp)", await link.answer("circle", seat, offer))
            return await switches(link, watched, "red", "green")
        finally:
            await browser.close()


async def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    async with rig.pinned() as cores:
        wire = await on_the_wire(cores)
    # A browser needs all the cores that there are.
    pixels = await in_chromium()
    return {
        "seat_switches": len(pixels),
        "seat_switch_ms_p50": round(percentile(pixels, 50), 1),
        "seat_switch_ms_p95": round(percentile(pixels, 95), 1),
        "seat_switch_wire_ms_p50": round(percentile(wire, 50), 1),
        "seat_switch_wire_ms_p95": round(percentile(wire, 95), 1),
    }


def main() -> None:
    """Measure and print a table."""
    for name, value in asyncio.run(measure()).items():
        print(f"  {name:<34}{value:>12g}")


if __name__ == "__main__":
    main()
