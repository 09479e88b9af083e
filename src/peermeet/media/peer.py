"""One person's media connection: what they send, what they receive, and its life.

Joins the pure parts (ingest.py, seat.py) to the transport (icelite.py, dtls.py, srtp.py,
mux.py). It must not decide who hears whom: a `Publication` reaches exactly the writers that
circle.py gave it, and none while it is closed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from peermeet.media import rtcp, rtp, srtp
from peermeet.media.dtls import Admission, Certificate, Dtls, DtlsFailed
from peermeet.media.icelite import IceLite
from peermeet.media.ingest import Layer, SenderClock
from peermeet.media.mux import Mux
from peermeet.media.sdp import (
    MID,
    VIDEO_ORIENTATION,
    Kind,
    LocalTransport,
    Offer,
    Section,
    StreamId,
    build_answer,
)
from peermeet.media.seat import SeatWriter

MAX_SSRCS: Final = 16
"""Sources of one transport: libsrtp keeps them in a list that it walks for every packet."""
FIRST_CHECK_S: Final = 20.0
"""From the answer to the first nominated address."""
SILENCE_S: Final = 10.0
"""Without any authenticated datagram: the person is gone."""
SECOND_SOURCE_S: Final = 0.5
"""A section changes to another of its sources when the first has been silent for this long."""
REMB_BPS: Final = 1_500_000
"""A constant limit; without any feedback Chromium never leaves its start rate."""
PACKETS_PER_S: Final = 1500.0
"""Of one person. A voice and a camera at `REMB_BPS` are 250."""
BURST_S: Final = 0.3
"""Seconds of that rate which may come at once: a large key frame is 200 packets."""
REPORT_BYTES: Final = 1100
"""A compound of sender reports is cut here, to fit a datagram."""
MAX_NACKED: Final = 64
"""Packets that one request may name; a viewer's allowance is smaller anyway."""
NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all peers of a worker share."""

    ice: IceLite
    mux: Mux
    engine: srtp.Engine
    certificate: Certificate
    admission: Admission
    counters: Counter[str]
    addresses: tuple[str, ...]
    """Announced in answers, with the port of `mux`."""
    packets_per_s: float = PACKETS_PER_S
    """What one person may send; more is dropped before it costs anything."""


class Publication:
    """One section that a person sends: their microphone or their camera.

    is_open and viewers are set by circle.py only.
    """

    __slots__ = ("is_open", "kind", "layer", "nack", "orientation_id", "section", "viewers")

    def __init__(self, section: Section) -> None:
        self.section = section
        self.kind: Kind = section.kind
        self.is_open = False
        self.layer: Layer | None = None
        """The source being forwarded; its other sources are not."""
        self.viewers: tuple[tuple[SeatWriter, Peer], ...] = ()
        self.nack = "nack" in section.feedback
        self.orientation_id = section.extensions.get(VIDEO_ORIENTATION, 0)

    def close(self) -> None:
        """Nothing passes from the next packet on, and nothing old is repeated."""
        self.is_open = False
        for writer, _ in self.viewers:
            writer.pause()
        self.viewers = ()
        if self.layer is not None:
            self.layer.forget()

    def adopt(self, layer: Layer) -> None:
        """Forward this source from now on."""
        if self.layer is not None:
            self.layer.forget()
        self.layer = layer
        for writer, _ in self.viewers:
            writer.point(layer)
        layer.want_key_frame()


def _nobody(_: str) -> None:
    """Listens after the end."""


class Peer:
    """One connection of one seat. on_state is told "connected" and how that ended: "left" if
    the client said goodbye, else "gone"."""

    def __init__(self, ground: Ground, offer: Offer, on_state: Callable[[str], None]) -> None:
        now = time.monotonic()
        self._ground = ground
        self._offer = offer
        self._on_state = on_state
        self._ssrc = secrets.randbits(32)
        self._finished = asyncio.Event()
        self._nominated = asyncio.Event()
        self.agent = ground.ice.open(offer.ice_ufrag, now)
        self.agent.on_nominated = self._nominated.set
        self._left = False
        self._dtls = Dtls(ground.certificate, self._send_dtls, ground.counters, self._leave)
        self.agent.on_dtls = self._receive_dtls
        self._open: Callable[[bytes], int] | None = None
        self._control: srtp.Control | None = None
        self.seal: Callable[[int], int] | None = None
        """Seals a packet to this person; None before the handshake and after the end."""

        self.publications: dict[Kind, Publication] = {}
        self._by_mid: dict[bytes, Publication] = {}
        self._mid_ids: set[int] = set()
        self._sources: dict[int, tuple[Layer, Publication]] = {}
        self._clock = SenderClock()
        self.writers: dict[Kind, list[SeatWriter]] = {"audio": [], "video": []}
        self._by_ssrc: dict[int, SeatWriter] = {}
        self.streams: dict[str, StreamId] = {}
        self.received = 0
        self.forwarded = 0
        """Packets of this person that came in, and copies of them that went out."""
        self._ticks = secrets.randbelow(10)
        self._allowance = ground.packets_per_s * BURST_S
        self._allowance_at = now
        for section in offer.sections:
            if section.direction == "sendonly":
                self._add_publication(section)
            elif section.direction == "recvonly":
                self._add_writer(section)

    def answer(self) -> str:
        """The answer to the offer."""
        ground = self._ground
        local = LocalTransport(
            ice_ufrag=self.agent.ufrag,
            ice_pwd=self.agent.pwd,
            fingerprint=ground.certificate.fingerprint,
            candidates=[(address, ground.mux.port) for address in ground.addresses],
        )
        return build_answer(self._offer, local, self.streams)

    async def run(self) -> None:
        """Live until the client leaves, falls silent or `close` is called."""
        connected = False
        try:
            async with asyncio.timeout(FIRST_CHECK_S):
                await self._nominated.wait()
            await self._ground.admission.turn()
            await self._dtls.start(self._offer.fingerprints)
            if self._finished.is_set():
                return
            self._connect()
            connected = True
            self._on_state("connected")
            await self._finished.wait()
        except TimeoutError:
            self._ground.counters["peer.never_came"] += 1
        except DtlsFailed:
            self._ground.counters["peer.dtls_failed"] += 1
        finally:
            self.close()
            await self._dtls.stop()
            self._ground.ice.close(self.agent)
            if connected:
                self._on_state("left" if self._left else "gone")
            # Whoever listens knows this peer: without this the two would keep one another.
            self._on_state = _nobody

    def _leave(self) -> None:
        self._left = True
        self._finished.set()

    def close(self) -> None:
        """Forward nothing to or from this person any more. Safe to repeat; `run` then ends."""
        for publication in self.publications.values():
            publication.close()
        self.seal = None
        self._open = None
        self._finished.set()

    # From the network

    def receive(self, datagram: bytes, now: float) -> None:
        """One datagram that looks like RTP or RTCP and came from this person's address."""
        open_packet = self._open
        counters = self._ground.counters
        if open_packet is None or len(datagram) < 12:
            counters["drop.media_early" if open_packet is None else "drop.rtp_malformed"] += 1
            return
        self._allowance -= 1
        if self._allowance < 0 and not self._earn(now):
            return
        if 192 <= datagram[1] <= 223:
            self._receive_rtcp(datagram, now)
            return
        source = self._sources.get(int.from_bytes(datagram[8:12], "big"))
        # The section is known before decryption, so a flood of sources costs libsrtp nothing.
        candidate = None if source is not None else self._candidate(datagram)
        if source is None and candidate is None:
            counters["drop.ssrc_unknown"] += 1
            return
        # Also behind a closed gate, or the rollover counter would fall out of step.
        size = open_packet(datagram)
        if not size:
            counters["drop.rtp_unauthentic"] += 1
            return
        self.received += 1
        self.agent.heard_at = now
        if source is None:
            assert candidate is not None
            source = self._learn(int.from_bytes(datagram[8:12], "big"), candidate)
        layer, publication = source
        if layer is not publication.layer and not self._prefer(layer, publication, now):
            layer.take(self._ground.engine.opened, size, now, False)
            counters["drop.second_source"] += 1
            return
        packet = layer.take(self._ground.engine.opened, size, now, publication.is_open)
        if packet is None:
            return
        sealing = self._ground.engine.sealing
        sendto = self._ground.mux.sendto
        forwarded = 0
        for writer, viewer in publication.viewers:
            seal = viewer.seal
            if seal is None:
                continue
            length = writer.forward(packet, now)
            if not length:
                if writer.is_waiting:
                    # Whatever became of the last key frame: this viewer has not had it.
                    layer.want_key_frame()
                continue
            length = seal(length)
            if not length:
                counters["drop.seal"] += 1
                continue
            try:
                sendto(sealing[:length], viewer.agent.address)  # type: ignore[arg-type]
            except OSError:
                counters["drop.send"] += 1
            else:
                forwarded += 1
        self.forwarded += forwarded
        if layer.key_frame_wanted:
            self._ask_key_frame(layer, now)

    def _earn(self, now: float) -> bool:
        """Whether this packet is within the person's allowance after all."""
        rate = self._ground.packets_per_s
        earned = self._allowance + (now - self._allowance_at) * rate
        self._allowance_at = now
        if earned >= 0:
            self._allowance = min(rate * BURST_S, earned)
            return True
        # What is dropped costs the person nothing, or a flood would end in silence.
        self._allowance = earned + 1
        self._ground.counters["drop.flood"] += 1
        return False

    def _receive_dtls(self, datagram: bytes) -> None:
        """One datagram for the handshake, or an alert after it."""
        self._allowance -= 1
        if self._allowance >= 0 or self._earn(time.monotonic()):
            self._dtls.receive(datagram)

    def _candidate(self, datagram: bytes) -> Publication | None:
        """The section a new source claims by its mid and payload type, if there is room."""
        if len(self._sources) >= MAX_SSRCS:
            return None
        end = rtp.payload_offset(datagram, len(datagram))
        if not end:
            return None
        for mid_id in self._mid_ids:
            mid = rtp.extension(datagram, end, mid_id)
            publication = self._by_mid.get(mid) if mid is not None else None
            if publication is not None:
                fits = datagram[1] & 0x7F == publication.section.payload_type
                return publication if fits else None
        return None

    def _learn(self, ssrc: int, publication: Publication) -> tuple[Layer, Publication]:
        """Bind a source to its section, for good."""
        layer = Layer(
            ssrc,
            publication.kind,
            publication.section.payload_type,
            self._ground.counters,
            self._clock,
            orientation_id=publication.orientation_id,
            nack=publication.nack,
        )
        source = self._sources[ssrc] = (layer, publication)
        return source

    def _prefer(self, layer: Layer, publication: Publication, now: float) -> bool:
        current = publication.layer
        if current is not None and now - current.heard_at < SECOND_SOURCE_S:
            return False
        publication.adopt(layer)
        return True

    def _receive_rtcp(self, datagram: bytes, now: float) -> None:
        """Act on a client's control packets. They end here and are never forwarded."""
        if self._control is None:
            return
        plain = self._control.open(datagram)
        if plain is None:
            return
        self.agent.heard_at = now
        try:
            packets = rtcp.parse(plain)
        except rtcp.RtcpMalformed:
            self._ground.counters["drop.rtcp_malformed"] += 1
            return
        for packet in packets:
            match packet:
                case rtcp.SenderReport():
                    source = self._sources.get(packet.ssrc)
                    if source is not None:
                        source[0].on_sender_report(packet, now, time.time() + NTP_EPOCH_S)
                case rtcp.PictureLossIndication():
                    self._on_key_frame_request(packet.media_ssrc, now)
                case rtcp.FullIntraRequest():
                    for ssrc in packet.media_ssrcs:
                        self._on_key_frame_request(ssrc, now)
                case rtcp.Nack():
                    self._repeat(packet, now)
                case _:
                    pass

    def _on_key_frame_request(self, ssrc: int, now: float) -> None:
        writer = self._by_ssrc.get(ssrc)
        if writer is None or writer.layer is None:
            return
        if writer.may_ask_key_frame(now):
            writer.layer.want_key_frame()
        else:
            self._ground.counters["drop.key_frame_request"] += 1

    def _repeat(self, nack: rtcp.Nack, now: float) -> None:
        writer = self._by_ssrc.get(nack.media_ssrc)
        address = self.agent.address
        if writer is None or self.seal is None or address is None:
            return
        for sequence in nack.lost[:MAX_NACKED]:
            length = writer.repeat(sequence, now)
            length = length and self.seal(length)
            if length:
                self._ground.mux.send(self._ground.engine.sealing[:length], address)
                self._ground.counters["repeated"] += 1
            else:
                self._ground.counters["drop.repeat"] += 1

    # From the worker's clock

    def tick(self, now: float) -> None:
        """Ten times a second: reports, requests that are due, silence."""
        if now - self.agent.heard_at > SILENCE_S:
            if self.seal is not None:
                self._ground.counters["peer.silent"] += 1
            self._finished.set()
        if self.seal is None:
            return
        for publication in self.publications.values():
            layer = publication.layer
            if layer is None:
                continue
            self._ask_key_frame(layer, now)
            lost = layer.lost_due(now) if publication.nack else []
            if lost:
                self._send_rtcp(rtcp.build_nack(self._ssrc, layer.ssrc, lost))
        self._ticks += 1
        if self._ticks % 10 == 0:
            self._send_reports(now)

    def ask_key_frames(self) -> None:
        """Send the requests for key frames that are due, without waiting for the next tick."""
        now = time.monotonic()
        for publication in self.publications.values():
            if publication.layer is not None:
                self._ask_key_frame(publication.layer, now)

    def _ask_key_frame(self, layer: Layer, now: float) -> None:
        if layer.key_frame_due(now):
            self._send_rtcp(rtcp.build_pli(self._ssrc, layer.ssrc))

    def _send_reports(self, now: float) -> None:
        layers = [layer for layer, _ in self._sources.values() if now - layer.heard_at < 5]
        blocks = tuple(layer.report(now) for layer in layers)
        remb = b""
        camera = self.publications.get("video")
        if camera is not None and "goog-remb" in camera.section.feedback and layers:
            remb = rtcp.build_remb(self._ssrc, REMB_BPS, [layer.ssrc for layer in layers])
        receiver_report = rtcp.build_receiver_report(rtcp.ReceiverReport(self._ssrc, blocks))
        self._send_rtcp(receiver_report + remb, has_report=True)
        ntp_s = time.time() + NTP_EPOCH_S
        compound = b""
        for writers in self.writers.values():
            for writer in writers:
                report = writer.report(now, ntp_s)
                if report is not None:
                    compound += rtcp.build_sender_report(report)
                    compound += rtcp.build_sdes(writer.ssrc, self.streams[writer.mid].cname)
                    if len(compound) > REPORT_BYTES:
                        self._send_rtcp(compound, has_report=True)
                        compound = b""
        if compound:
            self._send_rtcp(compound, has_report=True)

    def _send_rtcp(self, packet: bytes, *, has_report: bool = False) -> None:
        if self._control is None or self.seal is None or self.agent.address is None:
            return
        if not has_report:
            # A compound begins with a report unless reduced size was negotiated (RFC 5506).
            packet = rtcp.build_receiver_report(rtcp.ReceiverReport(self._ssrc)) + packet
        sealed = self._control.seal(packet)
        if sealed is not None:
            self._ground.mux.send(sealed, self.agent.address)

    # Making

    def _add_publication(self, section: Section) -> None:
        publication = Publication(section)
        self.publications[section.kind] = publication
        self._by_mid[section.mid.encode()] = publication
        if MID in section.extensions:
            self._mid_ids.add(section.extensions[MID])
        for ssrc in section.ssrcs[: MAX_SSRCS // 2]:
            self._learn(ssrc, publication)

    def _add_writer(self, section: Section) -> None:
        writers = self.writers[section.kind]
        place = len(writers)
        ssrc = secrets.randbits(32)
        while ssrc in self._by_ssrc:
            ssrc = secrets.randbits(32)
        writer = SeatWriter(
            section.mid,
            section.kind,
            section.payload_type,
            self._ground.engine.sealing,
            ssrc=ssrc,
            mid_id=section.extensions.get(MID, 0),
            orientation_id=section.extensions.get(VIDEO_ORIENTATION, 0),
        )
        writers.append(writer)
        self._by_ssrc[ssrc] = writer
        # One name for the voice and the picture of a place: browsers keep them in step.
        self.streams[section.mid] = StreamId(ssrc, cname=f"slot{place}", msid=f"slot{place}")

    def _connect(self) -> None:
        dtls, engine = self._dtls, self._ground.engine
        self._control = srtp.Control(dtls.incoming, dtls.outgoing, self._ground.counters)
        self._open = engine.opener(dtls.incoming)
        self.seal = engine.sealer(dtls.outgoing)
        self.agent.on_media = self.receive
        # A key frame that was asked for when the seat was given may have come during the
        # handshake, and a browser asks for none before the first packet.
        for writer in self.writers["video"]:
            if writer.layer is not None and writer.is_waiting:
                writer.layer.want_key_frame()

    def _send_dtls(self, datagram: bytes) -> None:
        if self.agent.address is not None:
            self._ground.mux.send(datagram, self.agent.address)
