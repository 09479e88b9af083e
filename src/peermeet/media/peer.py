"""One person's media connection: what they send, what they receive, and its life.

Joins the pure parts (ingest.py, seat.py) to the transport (icelite.py, dtls.py, srtp.py,
mux.py). It must not decide who hears whom: a `Publication` reaches exactly the writers that
circle.py gave it, and none while it is closed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from peermeet.media import quality, rtcp, rtp, srtp
from peermeet.media.bwe import Downlink
from peermeet.media.dtls import Admission, Certificate, Dtls, DtlsFailed
from peermeet.media.fanout import FanOut, Viewer
from peermeet.media.feedback import TransportFeedback
from peermeet.media.icelite import IceLite
from peermeet.media.ingest import Layer, MediaPacket, SenderClock
from peermeet.media.mux import Mux
from peermeet.media.policy import Selection
from peermeet.media.publication import SILENT_LAYER_S, Publication, Source
from peermeet.media.sdp import (
    MID,
    REPAIRED_RID,
    RID,
    TRANSPORT_CC,
    VIDEO_ORIENTATION,
    Kind,
    LayerName,
    LocalTransport,
    Offer,
    Section,
    StreamId,
    Use,
    build_answer,
)
from peermeet.media.seat import TRANSPORT_SEQUENCE_AT, SeatWriter
from peermeet.media.twcc import Arrivals, Departures, Report

MAX_SSRCS: Final = 16
"""Sources of one transport: libsrtp keeps them in a list that it walks for every packet."""
FIRST_CHECK_S: Final = 20.0
"""From the answer to the first nominated address."""
SILENCE_S: Final = 10.0
"""Without any authenticated datagram: the person is gone."""
SECOND_SOURCE_S: Final = 0.5
"""A section changes to another of its sources when the first has been silent for this long."""
AUDIO_OVERHEAD_BPS: Final = 10_000
"""Headers of 50 packets of sound a second."""
REPORTED_S: Final = 5.0
"""A source that has been silent for this long is left out of reports."""
REMB_BPS: Final = 1_500_000
"""A constant limit; without any feedback Chromium never leaves its start rate."""
PACKETS_PER_S: Final = 1500.0
"""Of one person. A voice and a camera at `REMB_BPS` are 250."""
BYTES_PER_PACKET: Final = 600
"""On average over `BURST_S`: 7 Mbit/s, where a voice, a camera and a screen are 5."""
BURST_S: Final = 0.3
"""Seconds of that rate which may come at once: a large key frame is 200 packets."""
CONTROL_SHARE: Final = 0.15
"""Of the packets, those that may be RTCP, which cost more: 225 a second, of which a browser that
receives a full circle on a bad line needs a third."""
NAMED_PER_CONTROL: Final = 64
"""An RTCP packet that names so many others counts as one more."""
FAULT_SHARE: Final = 0.01
"""Of the packets, those that may be authentic and yet not what was negotiated."""
FAULT_BURST_S: Final = 10.0
MUTED_AT: Final = 2.0
"""Who sends so many times the allowance for a second is not forwarded until they stop: what gets
through is in shreds, and would be a flood to those who receive it."""
REPORT_BYTES: Final = 1100
"""A compound of sender reports is cut here, to fit a datagram."""
MAX_NACKED: Final = 64
"""Packets that one request may name; a viewer's allowance is smaller anyway."""
NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970."""

_SHORT = struct.Struct("!H").pack_into

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all peers of a worker share."""

    ice: IceLite
    mux: Mux
    engine: srtp.Engine
    fan_out: FanOut
    certificate: Certificate
    admission: Admission
    counters: Counter[str]
    addresses: tuple[str, ...]
    """Announced in answers, with the port of `mux`."""
    packets_per_s: float = PACKETS_PER_S
    """What one person may send; more is dropped before it costs anything."""


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
        self.ssrc = secrets.randbits(32)
        self._own_ssrcs = {self.ssrc}
        self._finished = asyncio.Event()
        self._nominated = asyncio.Event()
        self.agent = ground.ice.open(offer.ice_ufrag, offer.ice_pwd, now)
        self.agent.on_nominated = self._nominated.set
        self._left = False
        self._dtls = Dtls(ground.certificate, self._send_dtls, ground.counters, self._leave)
        self.agent.on_dtls = self._receive_dtls
        self._open: Callable[[bytes], int] | None = None
        self.incoming: Any = None
        """The SRTP session behind it; None before the handshake and after the end."""
        self._control: srtp.Control | None = None
        self.seal: Callable[[int], int] | None = None
        """Seals a packet to this person; None before the handshake and after the end."""
        self.outgoing: Any = None
        """The SRTP session behind it."""
        self._way: object = None
        self.path: Any = None
        """What a compiled fan-out knows of this person."""

        self.publications: dict[Use, Publication] = {}
        self._by_mid: dict[bytes, Publication] = {}
        self._mid_id = 0
        self.transport_id = 0
        """Of the numbers on packets that come in, 0 = none."""
        self.arrivals = Arrivals()
        self.departures = Departures()
        self.downlink: Downlink | None = None
        """How much video this person's line carries; None if their client does not tell."""
        self.selection = Selection({}, 0, None)
        """What pictures circle.py has chosen for this person."""
        self._sources: dict[int, Source] = {}
        self._marked = False
        self._clock = SenderClock()
        self.writers: dict[Use, list[SeatWriter]] = {"audio": [], "video": [], "screen": []}
        self._by_ssrc: dict[int, SeatWriter] = {}
        self.streams: dict[str, StreamId] = {}
        self._names: dict[int, bytes] = {}
        """What is added to the report of each source of ours."""
        self.counts = array("q", [0, 0])
        """Packets of this person that came in, and copies of them that went out."""
        self._meter = quality.Meter()
        self._ticks = secrets.randbelow(10)
        burst = ground.packets_per_s * BURST_S
        self.allowance = array("d", [burst, burst * BYTES_PER_PACKET])
        """Packets and bytes that may come before `_earn` is asked. An array, as the counts are,
        because the compiled loop (ingest.c) takes from it as well."""
        self._allowance_at = now
        self._flooded = 0
        """Packets beyond the allowance, in this second."""
        self._is_muted = False
        self.control_rate = ground.packets_per_s * CONTROL_SHARE
        """RTCP packets a second, and at once."""
        self.controls = array("d", [self.control_rate, now])
        """How many may come, and when that was."""
        self._faults = self._faults_judged = 0
        """In RTCP, and those of all kinds that were judged."""
        self._patience = ground.packets_per_s * FAULT_SHARE * FAULT_BURST_S
        self._patience_at = now
        for section in offer.sections:
            if section.direction == "sendonly":
                self._add_publication(section)
            elif section.direction == "recvonly":
                self._add_writer(section)

    def answer(self) -> str:
        """The answer to the offer."""
        ground = self._ground
        candidates = [(address, ground.mux.port) for address in ground.addresses]
        local = LocalTransport(
            ice_ufrag=self.agent.ufrag,
            ice_pwd=self.agent.pwd,
            fingerprint=ground.certificate.fingerprint,
            candidates=candidates,
            tcp_candidates=candidates if ground.mux.has_tcp else (),
        )
        return build_answer(self._offer, local, self.streams)

    def restart(self, offer: Offer) -> bool:
        """Go on with new ICE credentials (RFC 8445 section 9), if that is all the offer asks for.

        Keys, streams and their numbers stay; `answer` then answers this offer. False, and
        nothing is changed, for any other offer and after the end.
        """
        if self._finished.is_set() or not offer.restarts(self._offer):
            return False
        self._offer = offer
        now = time.monotonic()
        self._ground.ice.restart(self.agent, offer.ice_ufrag, offer.ice_pwd, now)
        return True

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
            # What knows one another would keep one another until the collector comes.
            self._on_state = _nobody
            for publication in self.publications.values():
                publication.sources.clear()

    def _follow(self) -> None:
        """Send to where the client is now."""
        self._way = (self.agent.sendto, self.agent.address)
        self._ground.fan_out.follow(self)

    def _leave(self) -> None:
        self._left = True
        self._finished.set()

    def close(self) -> None:
        """Forward nothing to or from this person any more. Safe to repeat; `run` then ends."""
        for publication in self.publications.values():
            publication.close()
        self._open = self.seal = self.incoming = self.outgoing = None
        self._ground.fan_out.follow(self)
        self._finished.set()

    def expect_marks(self, marked: bool) -> None:
        """Whether what this person sends must be encrypted to be forwarded (`Layer.marked`)."""
        self._marked = marked
        for source in self._sources.values():
            source.layer.state.marked = marked

    def line(self, now: float) -> quality.Line:
        """How good this person's line is; brings its mark up to date. now: monotonic seconds.

        The layer is that of the picture chosen first for this person.
        """
        sends = any(p.is_open and p.sources for p in self.publications.values())
        limit_s = quality.SILENT_S if sends else quality.IDLE_S
        address = self.agent.address
        return self._meter.line(
            now,
            is_silent=now - self.agent.heard_at > limit_s,
            weak=self.downlink is not None and self.downlink.is_weak,
            layer=next(iter(self.selection.rids.values()), None),
            path="tcp" if address is not None and len(address) == 3 else "udp",
        )

    @property
    def received(self) -> int:
        """Packets of this person that came in."""
        return self.counts[0]

    @property
    def forwarded(self) -> int:
        """Copies of them that went out."""
        return self.counts[1]

    @property
    def layers(self) -> list[Layer]:
        """What this person sends; retransmissions are of one of these."""
        return [source.layer for source in self._sources.values() if source.repairs is None]

    def source(self, ssrc: int) -> Source:
        """What this person sends under this number. Raises KeyError."""
        return self._sources[ssrc]

    @property
    def sources(self) -> int:
        """Sources that this person has sent from or announced, at most `MAX_SSRCS`."""
        return len(self._sources)

    # From the network

    def receive(self, datagram: bytes, now: float) -> None:
        """One datagram that looks like RTP or RTCP and came from this person's address."""
        open_packet = self._open
        counters = self._ground.counters
        if open_packet is None or len(datagram) < 12:
            counters["drop.media_early" if open_packet is None else "drop.rtp_malformed"] += 1
            return
        if not self._may_send(len(datagram), now):
            return
        if 192 <= datagram[1] <= 223:
            self._receive_rtcp(datagram, now)
            return
        source = self._sources.get(int.from_bytes(datagram[8:12], "big"))
        # What it is must be known before decryption, so a flood of sources costs libsrtp nothing.
        candidate = None if source is not None else self._candidate(datagram)
        if source is None and candidate is None:
            counters["drop.ssrc_unknown"] += 1
            return
        # Also behind a closed gate, or the rollover counter would fall out of step.
        size = open_packet(datagram)
        if not size:
            counters["drop.rtp_unauthentic"] += 1
            return
        self.counts[0] += 1
        self.agent.heard_at = now
        if source is None:
            assert candidate is not None
            source = self._sources[int.from_bytes(datagram[8:12], "big")] = candidate
            self._ground.fan_out.follow(self)
        self._take(source, size, now)
        if self.arrivals.is_busy(now):
            self.send_feedback(now)

    def _take(self, source: Source, size: int, now: float) -> None:
        """The packet that has just been opened."""
        opened = self._ground.engine.opened
        if self.transport_id:
            self._note_arrival(opened, size, now)
        repaired = source.repairs
        if repaired is not None:
            source = repaired
        layer, publication = source.layer, source.publication
        if source is not publication.sources.get(layer.name):
            if not self._prefer(source, now):
                layer.take(opened, size, now, False, repaired is not None)
                self._ground.counters["drop.second_source"] += 1
                return
        is_open = publication.is_open and not publication.is_muted
        packet = layer.take(opened, size, now, is_open, repaired is not None)
        if layer.lost_now:
            self._ask_again(layer, now)
        if packet is not None:
            self.show(source, source.viewers, source.ready, packet, now)

    def show(
        self,
        source: Source,
        viewers: Sequence[Viewer],
        ready: Any,
        packet: MediaPacket,
        now: float,
    ) -> None:
        """Forward a packet to these of the source's viewers (ready: see Source), and follow up."""
        layer = source.layer
        self.counts[1] += self._ground.fan_out.send(layer, viewers, ready, packet, now)
        if packet.key_frame:
            # Whoever turned to this layer with it leaves the other one.
            source.publication.settle()
        if layer.key_frame_wanted:
            self._ask_key_frame(layer, now)

    def _note_arrival(self, packet: memoryview, size: int, now: float) -> None:
        """Remember when a packet with a transport-wide number came."""
        end = rtp.payload_offset(packet, size)
        found = rtp.find_extension(packet, end, self.transport_id) if end else None
        if found is not None and found[1] == 2:
            at = found[0]
            self.arrivals.take(packet[at] << 8 | packet[at + 1], now)

    def send_feedback(self, now: float) -> None:
        """Tell when packets came if it is time, so that the browser finds what its line carries."""
        if self._ground.fan_out.tell(self, now):
            return
        ssrc = next(iter(self._sources), 0)
        for packet in self.arrivals.feedback(now, self.ssrc, ssrc):
            self._send_rtcp(packet)

    def _may_send(self, size: int, now: float) -> bool:
        """Whether one more packet of `size` bytes is within the person's allowance."""
        packets, octets = self.allowance
        self.allowance[0], self.allowance[1] = packets - 1, octets - size
        return (packets >= 1 and octets >= size) or self._earn(size, now)

    def _earn(self, size: int, now: float) -> bool:
        """The same, what time has added since the last call included."""
        rate = self._ground.packets_per_s
        earned = (now - self._allowance_at) * rate
        self._allowance_at = now
        packets = min(rate * BURST_S, self.allowance[0] + earned)
        octets = min(
            rate * BURST_S * BYTES_PER_PACKET, self.allowance[1] + earned * BYTES_PER_PACKET
        )
        may_pass = packets >= 0 and octets >= 0
        if not may_pass:
            # What is dropped costs the person nothing, or a flood would end in silence.
            packets, octets = packets + 1, octets + size
            self._flooded += 1
            self._ground.counters["drop.flood"] += 1
        self.allowance[0], self.allowance[1] = packets, octets
        return may_pass

    def _receive_dtls(self, datagram: bytes) -> None:
        """One datagram for the handshake, or an alert after it."""
        if self._may_send(len(datagram), time.monotonic()):
            self._dtls.receive(datagram)

    def _candidate(self, datagram: bytes) -> Source | None:
        """What a new source claims to be by its extensions and payload type, if there is room.

        A packet names its section (mid) and, of a camera with layers, the layer (rid) or the
        layer it repairs; without layers the payload type says whether it repairs.
        """
        if len(self._sources) >= MAX_SSRCS:
            return None
        end = rtp.payload_offset(datagram, len(datagram))
        mid = rtp.extension(datagram, end, self._mid_id) if end and self._mid_id else None
        publication = self._by_mid.get(mid) if mid is not None else None
        if publication is None:
            return None
        section, ssrc = publication.section, int.from_bytes(datagram[8:12], "big")
        repairs = datagram[1] & 0x7F == section.rtx_payload_type
        if not repairs and datagram[1] & 0x7F != section.payload_type:
            return None
        name: LayerName | None = None
        if section.rids:
            rid_id = section.extensions.get(REPAIRED_RID if repairs else RID)
            told = rtp.extension(datagram, end, rid_id) if rid_id is not None else None
            name = next((rid for rid in section.rids if rid.encode() == told), None)
            if name is None:
                return None
        if not repairs:
            return self._source(ssrc, publication, name)
        repaired = publication.sources.get(name)
        return Source(repaired.layer, publication, repaired) if repaired is not None else None

    def _source(self, ssrc: int, publication: Publication, name: LayerName | None) -> Source:
        """A source that is bound to its section and layer for good."""
        section = publication.section
        state, history = self._ground.fan_out.intake()
        layer = Layer(
            ssrc,
            publication.kind,
            section.payload_type,
            self._ground.counters,
            self._clock,
            name=name,
            rtx_payload_type=section.rtx_payload_type,
            orientation_id=publication.orientation_id,
            nack=publication.nack,
            marked=self._marked,
            state=state,
            history=history,
        )
        return Source(layer, publication, None)

    def _prefer(self, source: Source, now: float) -> bool:
        """Whether this source may take the place of the one that had its layer before."""
        publication = source.publication
        current = publication.sources.get(source.layer.name)
        if current is not None and now - current.layer.heard_at < SECOND_SOURCE_S:
            return False
        publication.adopt(source, now)
        return True

    def _receive_rtcp(self, datagram: bytes, now: float) -> None:
        """Act on a client's control packets. They end here and are never forwarded."""
        if self._control is None:
            return
        left = self.controls[0] + (now - self.controls[1]) * self.control_rate
        self.controls[0], self.controls[1] = min(self.control_rate, left), now
        if self.controls[0] < 1:
            self._ground.counters["drop.control_flood"] += 1
            return
        self.controls[0] -= 1
        plain = self._control.open(datagram)
        if plain is None:
            return
        self.agent.heard_at = now
        self.control(plain, now)

    def control(self, plain: bytes, now: float) -> None:
        """Act on an authentic compound."""
        self._ground.fan_out.learn(self)
        try:
            packets = rtcp.parse(plain)
        except rtcp.RtcpMalformed:
            self._faults += 1
            self._ground.counters["drop.rtcp_malformed"] += 1
            return
        self.controls[0] -= sum(map(rtcp.how_many, packets)) / NAMED_PER_CONTROL
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport | rtcp.ReceiverReport):
                self._measure(packet.reports, now)
            match packet:
                case rtcp.SenderReport():
                    source = self._sources.get(packet.ssrc)
                    if source is not None and source.repairs is None:
                        source.layer.on_sender_report(packet, now, time.time() + NTP_EPOCH_S)
                case rtcp.PictureLossIndication():
                    self._on_key_frame_request(packet.media_ssrc, now)
                case rtcp.FullIntraRequest():
                    for ssrc in packet.media_ssrcs:
                        self._on_key_frame_request(ssrc, now)
                case rtcp.Nack():
                    self._repeat(packet, now)
                case TransportFeedback():
                    self.learn(self.departures.acknowledge(packet, now), now)
                case _:
                    pass

    def learn(self, report: Report, now: float) -> None:
        """What one feedback says of this person's line."""
        if self.downlink is not None:
            self.downlink.on_report(report, self._audio_bps(now), now)

    @property
    def calm_delay_s(self) -> float:
        """A report of no loss and no longer delay (`Report.delay_s`) can wait for the next tick."""
        return inf if self.downlink is None else self.downlink.calm_delay_s

    def _measure(self, reports: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        """How our own sources arrive; a report about any other is not looked at.

        What the sender's own line lost leaves a gap here too, and is no loss of this line.
        """
        for block in reports:
            writer = self._by_ssrc.get(block.ssrc)
            if writer is not None:
                passed_over = writer.state.last_sequence - writer.state.packets
                if block.fraction_lost:
                    writer.note_loss()
                kind: Kind = "audio" if writer in self.writers["audio"] else "video"
                self._meter.down[kind].observe(block, now, passed_over)
                self._meter.observe_round_trip(block, time.time() + NTP_EPOCH_S, now)

    def _audio_bps(self, now: float) -> int:
        """What sound to this person takes now."""
        heard = (writer.layer for writer in self.writers["audio"])
        return sum(
            int(layer.rate_bps) + AUDIO_OVERHEAD_BPS
            for layer in heard
            if layer is not None and now - layer.heard_at < SILENT_LAYER_S
        )

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
        if writer is None or self.seal is None:
            return
        writer.note_loss()
        if self.downlink is not None and self.downlink.budget_bps == 0:
            # The line is full of what is asked for again.
            self._ground.counters["drop.repeat"] += len(nack.lost)
            return
        for sequence in nack.lost[:MAX_NACKED]:
            length = writer.repeat(sequence, now)
            if length and writer.counts_transport:
                number = self.departures.sent(length, now)
                _SHORT(self._ground.engine.sealing, TRANSPORT_SEQUENCE_AT, number)
            length = length and self.seal(length)
            if length:
                self._ground.mux.send(self._ground.engine.sealing[:length], self.agent)
                self._ground.counters["repeated"] += 1
            else:
                self._ground.counters["drop.repeat"] += 1

    # From the worker's clock

    def tick(self, now: float) -> None:
        """Ten times a second: reports, requests that are due, silence.

        While all is calm, every other time is for feedback alone.
        """
        if now - self.agent.heard_at > SILENCE_S:
            if self.seal is not None:
                self._ground.counters["peer.silent"] += 1
            self._finished.set()
        if self.seal is None:
            return
        self._ticks += 1
        if self._ticks % 2 and self._is_calm:
            self.send_feedback(now)
            return
        self._ground.fan_out.learn(self)
        if self.downlink is not None:
            unanswered_s = self.departures.unanswered_s(now)
            self.downlink.tick(now, self.selection.next_bps, unanswered_s)
        if self._way != (self.agent.sendto, self.agent.address):
            # Another of our sockets to the same address is no nomination.
            self._follow()
        for publication in self.publications.values():
            if publication.sources:
                publication.watch(now)
            for source in publication.sources.values():
                if source.layer.is_asking:
                    self._ask_key_frame(source.layer, now)
                    self._ask_again(source.layer, now)
        # What may wait for the next time is settled by what this one has found.
        self.send_feedback(now)
        if self._ticks % 10 == 0:
            self._judge(now)
            self._send_reports(now)
            self._mute()

    @property
    def _is_calm(self) -> bool:
        """Whether the line carries all and nothing has to be asked for."""
        is_asking = any(source.layer.is_asking for source in self._sources.values())
        return self.calm_delay_s > -inf and not is_asking

    def _judge(self, now: float) -> None:
        """End the connection of a client that keeps sending what was not negotiated.

        Only what its own keys authenticated counts against it: anybody can forge the rest.
        """
        faults = self._faults + sum(layer.faults for layer in self.layers)
        rate = self._ground.packets_per_s * FAULT_SHARE
        grown = (now - self._patience_at) * rate
        self._patience = min(rate * FAULT_BURST_S, self._patience + grown)
        self._patience -= faults - self._faults_judged
        self._faults_judged, self._patience_at = faults, now
        if self._patience < 0:
            self._ground.counters["peer.faulty"] += 1
            self.close()

    def _mute(self) -> None:
        """Once a second: forward nothing of who sends far more than they may."""
        limit = (MUTED_AT - 1) * self._ground.packets_per_s
        is_muted, self._flooded = self._flooded > limit, 0
        if is_muted and not self._is_muted:
            self._ground.counters["peer.muted"] += 1
            for publication in self.publications.values():
                for writer in publication.viewers:
                    writer.pause()
        for publication in self.publications.values():
            if publication.is_muted is not is_muted:
                publication.is_muted = is_muted
                publication.settle()
        self._is_muted = is_muted

    def ask_key_frames(self) -> None:
        """Send the requests for key frames that are due, without waiting for the next tick."""
        now = time.monotonic()
        for publication in self.publications.values():
            for source in publication.sources.values():
                self._ask_key_frame(source.layer, now)

    def _ask_again(self, layer: Layer, now: float) -> None:
        """Ask for packets that are missing and due."""
        lost = layer.lost_due(now)
        if lost:
            self._send_rtcp(rtcp.build_nack(self.ssrc, layer.ssrc, lost))

    def _ask_key_frame(self, layer: Layer, now: float) -> None:
        if layer.key_frame_due(now):
            self._send_rtcp(rtcp.build_pli(self.ssrc, layer.ssrc))

    def _send_reports(self, now: float) -> None:
        layers = [layer for layer in self.layers if now - layer.heard_at < REPORTED_S]
        blocks = tuple(layer.report(now) for layer in layers)
        for block in blocks:
            self._meter.up[self._sources[block.ssrc].publication.kind].observe(block, now)
        remb = b""
        camera = self.publications.get("video")
        if camera is not None and "goog-remb" in camera.section.feedback and layers:
            remb = rtcp.build_remb(self.ssrc, REMB_BPS, [layer.ssrc for layer in layers])
        receiver_report = rtcp.build_receiver_report(rtcp.ReceiverReport(self.ssrc, blocks))
        self._send_rtcp(receiver_report + remb, has_report=True)
        ntp_s = time.time() + NTP_EPOCH_S
        compound = b""
        for writers in self.writers.values():
            for writer in writers:
                report = writer.report(now, ntp_s)
                if report is not None:
                    compound += rtcp.build_sender_report(report)
                    compound += self._names[writer.ssrc]
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
            packet = rtcp.build_receiver_report(rtcp.ReceiverReport(self.ssrc)) + packet
        sealed = self._control.seal(packet)
        if sealed is not None:
            self._ground.mux.send(sealed, self.agent)

    # Making

    def _add_publication(self, section: Section) -> None:
        publication = Publication(section, self._ground.fan_out)
        self.publications[section.use] = publication
        self._by_mid[section.mid.encode()] = publication
        # The same in every section: sdp.py refuses an identifier with two meanings.
        self._mid_id = section.extensions.get(MID, self._mid_id)
        self.transport_id = section.extensions.get(TRANSPORT_CC, self.transport_id)
        for ssrc in section.ssrcs if not section.rids else ():
            if len(self._sources) < MAX_SSRCS:
                self._sources[ssrc] = self._source(ssrc, publication, None)
        for ssrc, repaired in section.repairs.items():
            source = self._sources.get(repaired)
            if source is not None and len(self._sources) < MAX_SSRCS:
                self._sources[ssrc] = Source(source.layer, publication, source)

    def _add_writer(self, section: Section) -> None:
        if "transport-cc" in section.feedback and self.downlink is None:
            self.downlink = Downlink()
        writers = self.writers[section.use]
        place = len(writers)
        ssrc, rtx_ssrc = self._unused_ssrc(), self._unused_ssrc()
        writer = SeatWriter(
            section.mid,
            section.kind,
            section.payload_type,
            self._ground.engine.sealing,
            ssrc=ssrc,
            state=self._ground.fan_out.state(),
            rtx_ssrc=rtx_ssrc,
            rtx_payload_type=section.rtx_payload_type,
            mid_id=section.extensions.get(MID, 0),
            orientation_id=section.extensions.get(VIDEO_ORIENTATION, 0),
            transport_cc_id=section.extensions.get(TRANSPORT_CC, 0),
        )
        writers.append(writer)
        self._by_ssrc[ssrc] = writer
        # One name for the voice and the picture of a place: browsers keep them in step.
        name = "screen" if section.is_screen else f"slot{place}"
        self.streams[section.mid] = StreamId(ssrc, name, name, rtx_ssrc)
        self._names[ssrc] = rtcp.build_sdes(ssrc, name)

    def _unused_ssrc(self) -> int:
        ssrc = secrets.randbits(32)
        while ssrc in self._own_ssrcs:
            ssrc = secrets.randbits(32)
        self._own_ssrcs.add(ssrc)
        return ssrc

    def _connect(self) -> None:
        dtls, engine = self._dtls, self._ground.engine
        self._control = srtp.Control(dtls.incoming, dtls.outgoing, self._ground.counters)
        self._open = engine.opener(dtls.incoming)
        self.seal = engine.sealer(dtls.outgoing)
        self.incoming, self.outgoing = dtls.incoming, dtls.outgoing
        self.agent.on_nominated = self._follow
        self._follow()
        self.agent.on_media = self.receive
        # A key frame that was asked for when the seat was given may have come during the
        # handshake, and a browser asks for none before the first packet.
        for writer in (*self.writers["video"], *self.writers["screen"]):
            if writer.layer is not None and writer.is_waiting:
                writer.layer.want_key_frame()

    def _send_dtls(self, datagram: bytes) -> None:
        if self.agent.address is not None:
            self._ground.mux.send(datagram, self.agent)
