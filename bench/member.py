"""A member of a circle at the level of datagrams, for benchmarks and hostile tests.

Speaks ICE, DTLS and SRTP like a browser, but sends exactly the RTP and RTCP it is told to and
keeps what arrives undecoded. Robots (peermeet.robots) are the ones with voices and pictures.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from aioice import stun
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
)

MID_ID, LEVEL_ID, ORIENTATION_ID, SEND_TIME_ID, RID_ID, TRANSPORT_ID = 4, 1, 13, 2, 10, 3
OPUS, VP8, RTX = 111, 96, 97
JOIN_S = 10.0

_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
_TRANSPORT = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
LAYERS = ("l", "h")
"""Restriction identifiers of a camera in two layers, the smaller first (RFC 8851, RFC 8853)."""
_EXTENSIONS = {
    "audio": {_MID: MID_ID, "urn:ietf:params:rtp-hdrext:ssrc-audio-level": LEVEL_ID},
    "video": {
        _MID: MID_ID,
        "urn:3gpp:video-orientation": ORIENTATION_ID,
        "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": SEND_TIME_ID,
    },
}


def vp8_payload(
    key_frame: bool, picture_id: int, tl0: int = 0, size: int = 200, start: bool = True
) -> bytes:
    """A VP8 payload with a 15-bit picture id: the right bytes in front, noise behind."""
    descriptor = bytes((0x90 if start else 0x80, 0xE0, 0x80 | picture_id >> 8 & 0x7F))
    descriptor += bytes((picture_id & 0xFF, tl0 & 0xFF, 0x20))
    frame = bytes.fromhex("5000009d012a40016801") if key_frame else b"\x51\0\0"
    body = frame if start else b""
    return descriptor + body + secrets.token_bytes(max(0, size - len(descriptor) - len(body)))


def rtp_packet(
    ssrc: int,
    payload_type: int,
    sequence: int,
    timestamp: int,
    payload: bytes,
    *,
    marker: bool = False,
    extensions: dict[int, bytes] | None = None,
) -> bytes:
    """An RTP packet; extensions in the one-byte form."""
    block = b""
    for identifier, value in (extensions or {}).items():
        block += bytes((identifier << 4 | len(value) - 1,)) + value
    block += bytes(-len(block) % 4)
    header = struct.pack(
        "!BBHII",
        0x90 if block else 0x80,
        (0x80 if marker else 0) | payload_type,
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
    if block:
        header += struct.pack("!HH", 0xBEDE, len(block) // 4) + block
    return header + payload


class Member:
    """One connection. `offer` goes to the worker; `join` takes its answer."""

    def __init__(
        self,
        places: int = 7,
        *,
        announce_ssrcs: bool = True,
        simulcast: bool = False,
        transport_cc: bool = False,
        rtx: bool = False,
        ip: str = "127.0.0.1",
    ):
        """places: pairs of receiving sections. announce_ssrcs: name our sources in the offer.

        simulcast: offer the camera in `LAYERS`, whose sources the offer never names.
        transport_cc: offer feedback about every packet; the caller then has to send it.
        rtx: offer a format for repeats. Without it pictures have no transport-wide numbers.
        """
        self._certificate = RTCCertificate.generateCertificate()
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(12)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._ip, self._is_ipv6 = ip, ":" in ip
        self.socket = self._bound()
        self.server: Any = None
        self.audio_ssrc, self.video_ssrc = secrets.randbits(32), secrets.randbits(32)
        self.layer_ssrcs = {rid: secrets.randbits(32) for rid in LAYERS}
        self.layers: tuple[str, ...] = ()
        """Layers of our camera that the answer takes; none without simulcast."""
        self.numbers_transport = False
        """Whether the answer takes transport-wide congestion control."""
        self.sequence: Counter[int] = Counter()
        self.places = places
        self.received: Counter[str] = Counter()
        """Packets that decrypted, by mid of the section they came on."""
        self.rtcp: list[bytes] = []
        self.on_rtp: Callable[[str, bytes], None] | None = None
        """Called with the mid and each decrypted packet."""
        self.mid_of: dict[int, str] = {}
        self.deaf_to: set[bytes] = set()
        """Sources whose packets are not opened: that would cost our time, not the worker's."""
        self._nominated = asyncio.Event()
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self), [self._certificate])
        self._dtls._set_role("client")
        self._rtx = rtx
        self.offer = self._offer(announce_ssrcs, simulcast, transport_cc)

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if self._is_ipv6 else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        made.bind((self._ip, 0))
        return made

    # What aiortc asks of a transport

    role = "controlling"

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, datagram: bytes) -> None:
        # After `vanish`, what aiortc still says is said to nobody.
        if self.socket.fileno() >= 0:
            self.socket.sendto(datagram, self.server)

    # Joining

    async def join(self, answer: str) -> None:
        """Connect to the worker that gave the answer."""
        lines = answer.split("\r\n")
        mid = ""
        for line in lines:
            if line.startswith("a=mid:"):
                mid = line[6:]
            elif line.startswith("a=ssrc:"):
                self.mid_of[int(line[7:].split()[0])] = mid
            elif line.startswith("a=simulcast:recv "):
                self.layers = tuple(line[17:].replace(",", ";").split(";"))
        self.numbers_transport = any(line.endswith(_TRANSPORT) for line in lines)
        candidates = [line.split() for line in lines if line.startswith("a=candidate:")]
        self.server = next(
            (candidate[4], int(candidate[5]))
            for candidate in candidates
            if candidate[2] == "udp" and (":" in candidate[4]) == self._is_ipv6
        )
        self._remote = (_value(lines, "a=ice-ufrag:"), _value(lines, "a=ice-pwd:"))
        algorithm, fingerprint = _value(lines, "a=fingerprint:").split()
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)
        async with asyncio.timeout(JOIN_S):
            while not self._nominated.is_set():
                self.check()
                try:
                    await asyncio.wait_for(self._nominated.wait(), 0.1)
                except TimeoutError:
                    continue
            await self._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint(algorithm, fingerprint)]))
        if self._dtls.state != "connected":
            raise ConnectionError("no DTLS")

    def check(self, through: socket.socket | None = None, *, use: bool = True) -> None:
        """Send one check, from another socket if given (a moved client). use: nominate."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote[0]}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        if use:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote[1].encode())
        (through or self.socket).sendto(bytes(request), self.server)

    def reply(self, datagram: bytes, through: socket.socket | None = None) -> None:
        """Answer a check of the worker's, if it is authentic; so it sees that we are here."""
        request = stun.parse_message(datagram)
        if not request.check_message_integrity(self._pwd.encode()):
            return
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = self.server[:2]
        response.add_message_integrity(self._pwd.encode())
        (through or self.socket).sendto(bytes(response), self.server)

    def move(self) -> None:
        """Be at another address from now on, as behind a NAT that forgot us; say nothing yet."""
        self.vanish()
        self.socket = self._bound()
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)

    def restart(self) -> str:
        """An offer with new ICE credentials (RFC 8445 section 9); `accept` takes its answer."""
        old = self._ufrag, self._pwd
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(12)
        for was, now in zip(old, (self._ufrag, self._pwd), strict=True):
            self.offer = self.offer.replace(was, now)
        return self.offer

    def accept(self, answer: str) -> None:
        """Use the worker's new credentials from the next check on."""
        lines = answer.split("\r\n")
        self._remote = (_value(lines, "a=ice-ufrag:"), _value(lines, "a=ice-pwd:"))

    async def leave(self) -> None:
        """Say goodbye and close the socket."""
        await self._dtls.stop()
        self.vanish()

    def pause(self) -> None:
        """Read nothing any more: somebody else does, or nobody."""
        asyncio.get_running_loop().remove_reader(self.socket.fileno())

    def vanish(self) -> None:
        """Close the socket without a word."""
        if self.socket.fileno() >= 0:
            self.pause()
            self.socket.close()

    # Media

    @property
    def sessions(self) -> tuple[Any, Any]:
        """The SRTP sessions that seal and open, once connected."""
        return self._dtls._tx_srtp, self._dtls._rx_srtp

    def protect(self, packet: bytes) -> bytes:
        """Seal an RTP packet."""
        sealed: bytes = self._dtls._tx_srtp.protect(packet)
        return sealed

    def unprotect(self, packet: bytes) -> bytes:
        """Open an RTP packet; raises pylibsrtp.Error."""
        opened: bytes = self._dtls._rx_srtp.unprotect(packet)
        return opened

    def send_rtp(self, packet: bytes) -> None:
        """Seal and send any RTP packet."""
        self.socket.sendto(self.protect(packet), self.server)

    def send_rtcp(self, packet: bytes) -> None:
        """Seal and send any RTCP packet."""
        self.socket.sendto(self._dtls._tx_srtp.protect_rtcp(packet), self.server)

    def speak(self, payload: bytes = b"opus" * 20, *, mid: str = "0") -> int:
        """Send one packet of sound; answers its sequence number."""
        sequence = self._next(self.audio_ssrc)
        self.send_rtp(
            rtp_packet(
                self.audio_ssrc,
                OPUS,
                sequence,
                sequence * 960,
                payload,
                extensions={MID_ID: mid.encode(), LEVEL_ID: b"\x8a"},
            )
        )
        return sequence

    def show(self, key_frame: bool = False, size: int = 200) -> int:
        """Send one picture of one packet; answers its sequence number."""
        sequence = self._next(self.video_ssrc)
        self.send_rtp(
            rtp_packet(
                self.video_ssrc,
                VP8,
                sequence,
                sequence * 3000,
                vp8_payload(key_frame, sequence, sequence, size),
                marker=True,
                extensions={MID_ID: b"1"},
            )
        )
        return sequence

    def _next(self, ssrc: int) -> int:
        self.sequence[ssrc] += 1
        return self.sequence[ssrc]

    def _readable(self) -> None:
        for _ in range(64):
            try:
                datagram = self.socket.recv(2048)
            except BlockingIOError:
                return
            first = datagram[0]
            if datagram[:2] == b"\0\1":
                self.reply(datagram)
            elif first <= 3:
                self._nominated.set()
            elif 20 <= first <= 63:
                self._queue.put_nowait(datagram)
            elif cast(object, self._dtls._rx_srtp) is None:
                # As a browser does: what comes before the keys is lost.
                continue
            elif 192 <= datagram[1] <= 223:
                self.rtcp.append(self._dtls._rx_srtp.unprotect_rtcp(datagram))
            elif datagram[8:12] not in self.deaf_to:
                packet = self.unprotect(datagram)
                mid = self.mid_of[int.from_bytes(packet[8:12], "big")]
                self.received[mid] += 1
                if self.on_rtp is not None:
                    self.on_rtp(mid, packet)

    def _offer(self, announce_ssrcs: bool, simulcast: bool, transport_cc: bool) -> str:
        digest = next(
            f.value for f in self._certificate.getFingerprints() if f.algorithm == "sha-256"
        )
        mids = [str(number) for number in range(2 + 2 * self.places)]
        lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
        lines.append("a=group:BUNDLE " + " ".join(mids))
        for number, mid in enumerate(mids):
            kind = "video" if number % 2 else "audio"
            codec = VP8 if number % 2 else OPUS
            name = "VP8/90000" if number % 2 else "opus/48000/2"
            formats = f"{codec} {RTX}" if self._rtx and number % 2 else codec
            lines += [
                f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}",
                "c=IN IP4 0.0.0.0",
                f"a=mid:{mid}",
                "a=sendonly" if number < 2 else "a=recvonly",
                "a=rtcp-mux",
                "a=rtcp-rsize",
                f"a=ice-ufrag:{self._ufrag}",
                f"a=ice-pwd:{self._pwd}",
                f"a=fingerprint:sha-256 {digest}",
                "a=setup:active",
                f"a=rtpmap:{codec} {name}",
            ]
            lines += [f"a=extmap:{i} {uri}" for uri, i in _EXTENSIONS[kind].items()]
            if transport_cc:
                lines.append(f"a=extmap:{TRANSPORT_ID} {_TRANSPORT}")
                lines.append(f"a=rtcp-fb:{codec} transport-cc")
            if self._rtx and kind == "video":
                lines += [f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={codec}"]
            if kind == "video":
                lines += [
                    f"a=rtcp-fb:{codec} {feedback}"
                    for feedback in ("nack", "nack pli", "ccm fir", "goog-remb")
                ]
            if simulcast and number == 1:
                lines.append(f"a=extmap:{RID_ID} {_RID}")
                lines += [f"a=rid:{rid} send" for rid in LAYERS]
                lines.append("a=simulcast:send " + ";".join(LAYERS))
            elif announce_ssrcs and number < 2:
                ssrc = self.video_ssrc if number else self.audio_ssrc
                lines.append(f"a=ssrc:{ssrc} cname:me")
        return "\r\n".join(lines) + "\r\n"


def _value(lines: list[str], prefix: str) -> str:
    return next(line[len(prefix) :] for line in lines if line.startswith(prefix))
