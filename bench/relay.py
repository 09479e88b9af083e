"""What a Python user would take instead: aiortc's own connections and its MediaRelay.

It decodes every voice and picture, and encodes them again for each viewer. A circle of 4 with
the load of `bench.rates` all-to-all; the clients are aiortc as well, but send what was encoded
before and decode nothing. `python -m bench.relay` prints a table; it takes half a minute.
"""

from __future__ import annotations

import asyncio
import fractions
import json
import os
import sys
import time
from collections import Counter
from typing import Any

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay
from aiortc.rtp import RtpPacket

from bench import rig

PEOPLE = 4
"""More than this, and one core cannot follow at all."""
WARM_UP_S = 4.0
RUN_S = 10.0
FRAMES = 100
"""Pictures that are encoded before, and repeated."""
WIDTH, HEIGHT = 640, 360
# Without this, every connection asks a server on the internet for its address.
ALONE = RTCConfiguration(iceServers=[])

Session = dict[str, str]


def pictures() -> list[bytes]:
    """VP8 of the rate that everybody sends, beginning with a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate = rig.PICTURE_KBIT_S * 1000
    encoder.framerate = fractions.Fraction(rig.FRAMES_PER_S)
    encoder.time_base = fractions.Fraction(1, rig.FRAMES_PER_S)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    encoded = []
    for number in range(FRAMES):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for index, plane in enumerate(frame.planes):
            # A slope that wanders: it moves everywhere, as in front of a hand-held phone.
            shift = 3 * number * (index + 1)
            line = bytes((x // 2 + shift) & 0xFF for x in range(plane.line_size))
            plane.update(line * plane.height)
        frame.pts, frame.time_base = number, encoder.time_base
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return encoded


def sounds() -> list[bytes]:
    """Opus, 20 ms each."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.bit_rate = 32_000
    encoded = []
    for number in range(FRAMES):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        hum = ((number * 960 + at) * 150 % 48_000 // 3 for at in range(960))
        frame.planes[0].update(b"".join(value.to_bytes(2, "little") for value in hum))
        frame.pts, frame.sample_rate = number * 960, 48_000
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return encoded


class Encoded(MediaStreamTrack):
    """A track of packets that are sent as they are, again and again."""

    def __init__(self, kind: str, packets: list[bytes], per_s: int) -> None:
        super().__init__()
        self.kind = kind
        self._packets, self._per_s = packets, per_s
        self._number = 0
        self._begun = time.perf_counter()

    async def recv(self) -> Any:
        due = self._begun + self._number / self._per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        packet = av.Packet(self._packets[self._number % len(self._packets)])
        packet.pts, packet.time_base = self._number, fractions.Fraction(1, self._per_s)
        self._number += 1
        return packet


async def serve() -> None:
    """The server's process: all offers in one line, all answers in the next, until the end."""
    relay, connections = MediaRelay(), []
    tracks: list[list[MediaStreamTrack]] = []
    reader = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    for offer in json.loads(await reader.readline()):
        connection = RTCPeerConnection(ALONE)
        own: list[MediaStreamTrack] = []
        connection.on("track", own.append)
        await connection.setRemoteDescription(RTCSessionDescription(**offer))
        connections.append(connection)
        tracks.append(own)
    answers = []
    for viewer, connection in enumerate(connections):
        for speaker, own in enumerate(tracks):
            for track in own:
                if speaker != viewer:
                    connection.addTrack(relay.subscribe(track))
        await connection.setLocalDescription(await connection.createAnswer())
        local = connection.localDescription
        answers.append({"type": local.type, "sdp": local.sdp})
    print(json.dumps(answers), flush=True)
    await reader.read()
    # Decoders and encoders run in threads that would be waited for.
    os._exit(0)


async def measure() -> dict[str, float]:
    """Run everything; answers the figures by name."""
    arrived: Counter[str] = Counter()

    async def count(receiver: RTCRtpReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
        arrived["packets"] += 1
        arrived["pictures"] += receiver.track.kind == "video" and packet.marker

    async with rig.pinned() as cores:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.relay", "serve"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 22,
            preexec_fn=lambda: os.sched_setaffinity(0, {cores.worker}),
        )
        assert server.stdin is not None and server.stdout is not None
        original = RTCRtpReceiver._handle_rtp_packet
        RTCRtpReceiver._handle_rtp_packet = count  # type: ignore[method-assign,assignment]
        seen, heard = pictures(), sounds()
        clients = [RTCPeerConnection(ALONE) for _ in range(PEOPLE)]
        try:
            offers = []
            for client in clients:
                client.addTrack(Encoded("audio", heard, 50))
                client.addTrack(Encoded("video", seen, rig.FRAMES_PER_S))
                for _ in range(PEOPLE - 2):
                    client.addTransceiver("audio", "recvonly")
                    client.addTransceiver("video", "recvonly")
                await client.setLocalDescription(await client.createOffer())
                local = client.localDescription
                offers.append({"type": local.type, "sdp": local.sdp})
            server.stdin.write(json.dumps(offers).encode() + b"\n")
            answers: list[Session] = json.loads(await server.stdout.readline())
            for client, answer in zip(clients, answers, strict=True):
                await client.setRemoteDescription(RTCSessionDescription(**answer))
            await asyncio.sleep(WARM_UP_S)
            arrived.clear()
            before, begun = rig.cpu_ns(server.pid), time.perf_counter()
            await asyncio.sleep(RUN_S)
            spent, took = rig.cpu_ns(server.pid) - before, time.perf_counter() - begun
            packets, frames = arrived["packets"], arrived["pictures"]
        finally:
            RTCRtpReceiver._handle_rtp_packet = original  # type: ignore[method-assign]
            for client in clients:
                await client.close()
            server.stdin.close()
            await server.wait()
    wanted = PEOPLE * (PEOPLE - 1) * rig.FRAMES_PER_S * took
    return {
        "mediarelay_us_per_packet": round(spent / 1000 / packets),
        "mediarelay_core_percent_per_person": round(spent / 1e7 / took / PEOPLE, 1),
        "mediarelay_pictures_percent": round(100 * frames / wanted, 1),
    }


def main() -> None:
    """Measure and print a table."""
    for name, value in asyncio.run(measure()).items():
        print(f"  {name:<34}{value:>12g}")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
