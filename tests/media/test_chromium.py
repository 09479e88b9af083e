"""A real browser's connection through the worker: heard, seen, switched without a freeze."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from peermeet.media.process import own_address
from tests.chromium import FLAGS, require
from tests.media.kit import OPEN, SHUT, Media, until

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><script>
const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
let camera;
const codecs = (kind, names) => RTCRtpReceiver.getCapabilities(kind).codecs
  .filter(codec => names.includes(codec.mimeType));
async function encode(high) {
  const parameters = camera.getParameters();
  parameters.encodings[1].active = high;
  await camera.setParameters(parameters);
}
async function offer(places) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true, video: { width: 640, height: 360, frameRate: 20 } });
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly' });
  camera = pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', sendEncodings: [
    { rid: 'l', scaleResolutionDownBy: 2, maxBitrate: 150000 },
    { rid: 'h', maxBitrate: 1300000, active: false } ] }).sender;
  for (let i = 0; i < places; i++)
    for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
  for (const t of pc.getTransceivers()) {
    const kind = t.receiver.track.kind;
    const wanted = kind == 'audio' ? ['audio/opus'] : ['video/VP8', 'video/rtx'];
    t.setCodecPreferences(codecs(kind, wanted));
  }
  pc.ontrack = event => {
    const element = document.createElement(event.track.kind);
    element.autoplay = true;
    element.srcObject = new MediaStream([event.track]);
    document.body.append(element);
  };
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}
const answer = sdp => pc.setRemoteDescription({ type: 'answer', sdp });
async function stats(type) {
  return [...(await pc.getStats()).values()].filter(report => report.type == type);
}
</script><body></body>"""


class Tab:
    """One person's browser tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def join(self, media: Media, seat: str) -> None:
        answer = await media.link.answer(
            "circle", seat, await self.page.evaluate("places => offer(places)", 3)
        )
        await self.page.evaluate("sdp => answer(sdp)", answer)
        await until(lambda: (seat, "connected") in media.states)

    async def inbound(self, mid: str) -> dict[str, Any]:
        reports = await self.page.evaluate("() => stats('inbound-rtp')")
        return next((report for report in reports if report["mid"] == mid), {})


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require(),
            args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        await browser.close()


async def tab(browser: Browser) -> Tab:
    page = await browser.new_page()
    await page.route(
        "http://localhost/**", lambda route: route.fulfill(body=PAGE, content_type="text/html")
    )
    await page.goto("http://localhost/")
    return Tab(page)


async def growing(tab: Tab, mid: str, field: str, by: float) -> None:
    """Wait until a counter of what arrives on a mid has grown this much."""
    before = (await tab.inbound(mid)).get(field, 0)
    for _ in range(200):
        if (await tab.inbound(mid)).get(field, 0) >= before + by:
            return
        await tab.page.wait_for_timeout(50)
    raise AssertionError(f"{field} on {mid} stays near {before}")


async def grown(tab: Tab, mid: str, field: str, to: float) -> None:
    """Wait until something of what arrives on a mid is at least this."""
    await _measured(tab, mid, field, lambda value: value >= to)


async def shrunk(tab: Tab, mid: str, field: str, to: float) -> None:
    """Wait until something of what arrives on a mid is at most this."""
    await _measured(tab, mid, field, lambda value: value <= to)


async def _measured(tab: Tab, mid: str, field: str, enough: Callable[[float], bool]) -> None:
    for _ in range(200):
        value = (await tab.inbound(mid)).get(field, 0)
        if enough(value):
            return
        await tab.page.wait_for_timeout(50)
    raise AssertionError(f"{field} on {mid} stays {value}")


async def quiet(tab: Tab, *mids: str) -> list[dict[str, Any]]:
    """Wait until what was on its way has arrived on these mids."""
    before: list[dict[str, Any]] = []
    for _ in range(100):
        reports = [await tab.inbound(mid) for mid in mids]
        if [r["packetsReceived"] for r in before] == [r["packetsReceived"] for r in reports]:
            return reports
        before = reports
        await tab.page.wait_for_timeout(50)
    raise AssertionError("packets keep coming")


async def test_browsers_meet_and_a_place_changes_hands_without_a_freeze(
    browser: Browser, tmp_path: Path
) -> None:
    media = Media(tmp_path, bind=own_address("0.0.0.0"))
    await media.link.start()
    try:
        media.gate(ana=OPEN, ben=OPEN, cleo=OPEN)
        tabs = {}
        for seat in ("ana", "ben", "cleo"):
            tabs[seat] = await tab(browser)
            await tabs[seat].join(media, seat)
        ana = tabs["ana"]
        sound, picture = (mid for mid, who in media.streams["ana"].items() if who == "ben")
        if int(sound) % 2:
            sound, picture = picture, sound
        await growing(ana, sound, "totalAudioEnergy", 0.001)
        await growing(ana, picture, "framesDecoded", 40)

        # Ben's gate closes: nothing more of him arrives, and Cleo is not disturbed.
        media.gate(ben=SHUT)
        await media.settle()
        before = await quiet(ana, sound, picture)
        other = next(
            mid for mid, who in media.streams["ana"].items() if who == "cleo" and int(mid) % 2
        )
        await growing(ana, other, "framesDecoded", 10)
        after = await ana.inbound(sound), await ana.inbound(picture)
        assert [r["packetsReceived"] for r in before] == [r["packetsReceived"] for r in after]

        # It opens again, then Ben leaves and Dev comes to his place.
        media.gate(ben=OPEN)
        await growing(ana, picture, "framesDecoded", 10)
        del media.gates["ben"]
        media.gate(dev=OPEN)
        tabs["dev"] = await tab(browser)
        await tabs["dev"].join(media, "dev")
        assert media.streams["ana"][picture] == "dev"
        await growing(ana, picture, "framesDecoded", 40)
        await growing(ana, sound, "totalAudioEnergy", 0.001)

        arrived = await ana.inbound(picture)
        # Dev alone is looked at, and so encodes the larger layer; Ana sees it without a freeze.
        small = await ana.inbound(picture)
        media.gate(dev=replace(OPEN, focus=True))
        await until(lambda: media.demands["dev"])
        await tabs["dev"].page.evaluate("() => encode(true)")
        await grown(ana, picture, "frameWidth", 640)
        # Its browser has found out from our feedback that the line carries that much.
        pair = await tabs["dev"].page.evaluate("() => stats('candidate-pair')")
        assert max(report.get("availableOutgoingBitrate", 0) for report in pair) > 400_000
        media.gate(dev=OPEN)
        await until(lambda: not media.demands["dev"])
        await tabs["dev"].page.evaluate("() => encode(false)")
        await shrunk(ana, picture, "frameWidth", 320)
        large = await ana.inbound(picture)
        assert small["frameWidth"] == 320
        assert large["freezeCount"] == small["freezeCount"]

        # Chromium asks for help whenever a number or a picture does not follow its forerunner.
        assert (arrived["packetsLost"], arrived["pliCount"], arrived["nackCount"]) == (0, 0, 0)
    finally:
        await media.end()


SIZES = """() => {
  const code = `const sizes = [];
    onrtctransform = ({ transformer: { readable, writable } }) => readable
      .pipeThrough(new TransformStream({ transform(frame, next) {
        sizes.push(frame.data.byteLength);
        next.enqueue(frame); } }))
      .pipeTo(writable);
    onmessage = () => postMessage(sizes.splice(0));`;
  window.ear = new Worker(URL.createObjectURL(new Blob([code])));
  const add = pc.addTransceiver.bind(pc);
  pc.addTransceiver = (...what) => {
    pc.addTransceiver = add;
    const microphone = add(...what);
    // In the same tick: Chromium never runs one that comes later.
    microphone.sender.transform = new RTCRtpScriptTransform(window.ear, {});
    return microphone;
  };
}"""
TAKEN = """() => new Promise(tell => {
  window.ear.onmessage = ({ data }) => tell(data);
  window.ear.postMessage('');
})"""


async def test_a_microphone_that_hears_nothing_sends_like_one_that_hears_something(
    browser: Browser, tmp_path: Path
) -> None:
    """What passes by is equal packets at equal distances; encryption could not hide other ones."""
    media = Media(tmp_path, bind=own_address("0.0.0.0"))
    await media.link.start()
    try:
        media.gate(ana=OPEN)
        page = (await tab(browser)).page
        await page.evaluate(SIZES)
        offer = await page.evaluate("() => offer(1)")
        await page.evaluate("sdp => answer(sdp)", await media.link.answer("circle", "ana", offer))
        await until(lambda: ("ana", "connected") in media.states)
        extensions = await page.evaluate(
            "() => pc.getSenders()[0].getParameters().headerExtensions.map(({ uri }) => uri)"
        )
        assert extensions and not any("audio-level" in uri for uri in extensions)

        sizes: dict[bool, list[int]] = {True: [], False: []}
        for is_on, found in sizes.items():
            await page.evaluate("on => { pc.getSenders()[0].track.enabled = on }", is_on)
            await page.wait_for_timeout(300)  # what was encoded before
            await page.evaluate(TAKEN)
            async with asyncio.timeout(10):
                while len(found) < 100:
                    await page.wait_for_timeout(100)
                    found += await page.evaluate(TAKEN)
        assert set(sizes[True]) == set(sizes[False]) == {80}
    finally:
        await media.end()
