"""What the packets of a microphone show of what it hears, by what the answer asks of Opus.

Chromium sends to itself; a transform beside its sender reads the size of each packet, as
end-to-end encryption would get it. `python -m bench.voice` prints a table in
three minutes.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from bench.load import percentile
from tests.browser.conftest import write_speech
from tests.chromium import FLAGS, PROGRAM

SECONDS = 11.0
"""As long as the clip of speech."""
BASE = "minptime=10;useinbandfec=1;stereo=0"
ASKED = ("", "usedtx=1", "cbr=1", "cbr=1;usedtx=1")
HEARD = {"speech": -1.0, "a quiet room": 0.002, "nothing": 0.0}
"""The amplitude of noise, 0 to 1; -1 is the clip."""
PAGE = """<!doctype html><script>
const code = `let sizes = [];
  onrtctransform = ({ transformer: { readable, writable } }) => readable
    .pipeThrough(new TransformStream({ transform(frame, next) {
      sizes.push([performance.now(), frame.data.byteLength]);
      next.enqueue(frame); } }))
    .pipeTo(writable);
  onmessage = () => postMessage(sizes.splice(0));`;
const wait = ms => new Promise(done => setTimeout(done, ms));
async function measure([format, amplitude, speech, seconds]) {
  const context = new AudioContext({ sampleRate: 48000 });
  const microphone = context.createMediaStreamDestination();
  microphone.channelCount = 1;
  const source = context.createBufferSource();
  if (amplitude < 0)
    source.buffer = await context.decodeAudioData(
      Uint8Array.from(atob(speech), letter => letter.charCodeAt(0)).buffer);
  else {
    source.buffer = context.createBuffer(1, 96000, 48000);
    const samples = source.buffer.getChannelData(0);
    samples.forEach((_, at) => { samples[at] = amplitude * (2 * Math.random() - 1); });
  }
  source.loop = true;
  source.connect(microphone);
  source.start();
  const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
  other.onicecandidate = ({ candidate }) => candidate && one.addIceCandidate(candidate);
  const [track] = microphone.stream.getAudioTracks();
  const transceiver = one.addTransceiver(track, { direction: 'sendonly' });
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  transceiver.sender.transform = new RTCRtpScriptTransform(worker, {});
  const taken = () => new Promise(tell => {
    worker.onmessage = ({ data }) => tell(data);
    worker.postMessage('');
  });
  await one.setLocalDescription();
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  const { sdp } = other.localDescription;
  const number = /a=rtpmap:(\\d+) opus/.exec(sdp)[1];
  const asked = sdp.replace(new RegExp(`a=fmtp:${number} .*`), `a=fmtp:${number} ${format}`);
  await one.setRemoteDescription({ type: 'answer', sdp: asked });
  while (one.connectionState != 'connected') await wait(50);
  await wait(2000);
  await taken();
  await wait(1000 * seconds);
  const sizes = await taken();
  one.close();
  other.close();
  worker.terminate();
  await context.close();
  return sizes;
}
</script>"""


def clip() -> str:
    """The clip of the robots as a WAV file, in base64."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        write_speech(path)
        return base64.b64encode(path.read_bytes()).decode()


async def main() -> None:
    """Measure and print the table."""
    speech = clip()
    print("| asked for | heard | packets/s | bytes | 5 % and 95 % | kbit/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM, args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        )
        page = await browser.new_page()
        await page.route(
            "http://localhost/**", lambda route: route.fulfill(body=PAGE, content_type="text/html")
        )
        await page.goto("http://localhost/")
        for asked in ASKED:
            for heard, amplitude in HEARD.items():
                terms = ";".join(filter(None, (BASE, asked)))
                found = await page.evaluate("measure", [terms, amplitude, speech, SECONDS])
                sizes = sorted(size for _, size in found)
                lasted_s = (found[-1][0] - found[0][0]) / 1000
                print(
                    f"| {f'`{asked}`' if asked else 'neither'} | {heard} "
                    f"| {sum(size > 1 for size in sizes) / lasted_s:.0f} "
                    f"| {min(sizes)}–{max(sizes)} "
                    f"| {percentile(sizes, 5):.0f}, {percentile(sizes, 95):.0f} "
                    f"| {8 * sum(sizes) / lasted_s / 1000:.1f} |",
                    flush=True,
                )
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
