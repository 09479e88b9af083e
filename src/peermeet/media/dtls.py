"""DTLS-SRTP (RFC 5764) by aiortc, in the server role, on our own transport.

One of three modules that touch private names: here those of `aiortc.RTCDtlsTransport`
(`_set_role`, `_rx_srtp`, `_tx_srtp`, `_ssl`) and `RTCCertificate._create_ssl_context`.
`self_test` shakes hands with an aiortc client in memory and checks every such name; a worker
that fails it must not serve. Media never enters aiortc: mux.py hands over DTLS datagrams only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
)
from OpenSSL import SSL

from peermeet.media import srtp

HANDSHAKE_S = 10.0
"""A client that is slower than this is given up."""
START_INTERVAL_S = 0.005
"""Between two starts: a handshake costs 1.4 ms, so a full circle that joins at once must not
hold up the packets of those who are talking."""
MAX_WAITING = 32
"""Datagrams that may wait for DTLS; a whole flight is four."""
PREFERRED_PROFILE = b"SRTP_AEAD_AES_256_GCM"
DTLS_1_2 = 0xFEFD
"""As on the wire (RFC 6347); pyOpenSSL names no DTLS versions."""

logger = logging.getLogger(__name__)


class DtlsFailed(Exception):
    """No keys: wrong fingerprint, no common profile, time over, or closed by the client."""


class SelfTestFailed(Exception):
    """This build of aiortc, pylibsrtp or OpenSSL is not what the worker was written for."""


class Certificate(RTCCertificate):
    """The worker's certificate: ECDSA P-256, so that a flight fits one datagram."""

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_min_proto_version(DTLS_1_2)
        context.set_cipher_list(
            b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
            b":ECDHE-ECDSA-CHACHA20-POLY1305"
        )
        return context

    @property
    def fingerprint(self) -> tuple[str, str]:
        """Algorithm and value for the answer: ("sha-256", "AB:CD:…")."""
        return next(
            (f.algorithm, f.value) for f in self.getFingerprints() if f.algorithm == "sha-256"
        )


class Admission:
    """Spaces out the starts of handshakes by `START_INTERVAL_S`."""

    def __init__(self) -> None:
        self._next_at = 0.0

    async def turn(self) -> None:
        """Wait until this handshake may start."""
        now = asyncio.get_running_loop().time()
        start_at = max(now, self._next_at)
        self._next_at = start_at + START_INTERVAL_S
        if start_at > now:
            await asyncio.sleep(start_at - now)


def _nobody(*_: object) -> None:
    """Listens after the end."""


class _Transport:
    """What aiortc expects of an ICE transport, with a bounded queue behind it."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], object], counters: Counter[str]) -> None:
        self._send_datagram = send
        self._counters = counters
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)

    def receive(self, datagram: bytes) -> None:
        try:
            self._queue.put_nowait(datagram)
        except asyncio.QueueFull:
            self._counters["drop.dtls_queue"] += 1

    def forget(self) -> None:
        """Send nothing any more."""
        self._send_datagram = _nobody

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, datagram: bytes) -> None:
        self._send_datagram(datagram)


class Dtls:
    """One peer's DTLS association. incoming, outgoing: SRTP sessions once `start` returned."""

    incoming: Any
    outgoing: Any

    def __init__(
        self,
        certificate: Certificate,
        send: Callable[[bytes], object],
        counters: Counter[str],
        on_closed: Callable[[], None],
    ) -> None:
        """send: takes one datagram. on_closed: the client said goodbye after `start`."""
        self._counters = counters
        self._transport = _Transport(send, counters)
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self._transport), [certificate])
        self._dtls._set_role("server")
        self._on_closed = on_closed
        self.receive = self._transport.receive

    async def start(self, fingerprints: tuple[tuple[str, str], ...]) -> None:
        """Shake hands and check the client's certificate against its offer.

        Raises DtlsFailed, after `HANDSHAKE_S` at the latest.
        """
        parameters = RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(algorithm=a, value=v) for a, v in fingerprints]
        )
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._dtls.start(parameters)
        except TimeoutError:
            raise DtlsFailed("no handshake in time") from None
        if self._dtls.state != "connected":
            raise DtlsFailed("handshake refused")
        self._counters["dtls.handshake"] += 1
        self.incoming, self.outgoing = self._dtls._rx_srtp, self._dtls._tx_srtp
        self._dtls.add_listener("statechange", self._state_changed)

    def profile(self) -> bytes:
        """The SRTP profile negotiated, as OpenSSL names it."""
        return cast(bytes, self._dtls._ssl.get_selected_srtp_profile())  # type: ignore[union-attr]

    async def stop(self) -> None:
        """Say goodbye to the client. Safe to repeat."""
        self._dtls.remove_all_listeners("statechange")
        await self._dtls.stop()
        # Whoever waits for our words holds us: let go, so that all goes at once.
        self._transport.forget()
        self._on_closed = _nobody

    def _state_changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._on_closed()


async def self_test(engine: srtp.Engine) -> None:
    """Shake hands with an aiortc client in memory and pass one packet each way.

    Raises SelfTestFailed with one sentence that says what differs.
    """
    for owner, names in (
        (RTCDtlsTransport, ("_set_role",)),
        (RTCCertificate, ("_create_ssl_context",)),
    ):
        for name in names:
            if not hasattr(owner, name):
                raise SelfTestFailed(f"{owner.__name__}.{name} is missing")
    counters: Counter[str] = Counter()
    certificate = Certificate.generateCertificate()
    client_certificate = RTCCertificate.generateCertificate()
    wire = _Transport(lambda datagram: server.receive(datagram), counters)
    server = Dtls(certificate, wire.receive, counters, on_closed=lambda: None)
    client = RTCDtlsTransport(cast(RTCIceTransport, wire), [client_certificate])
    client._set_role("client")
    offered = tuple((f.algorithm, f.value) for f in client.getLocalParameters().fingerprints)
    algorithm, value = certificate.fingerprint
    try:
        await asyncio.gather(
            server.start(offered),
            client.start(RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value)])),
        )
        if client.state != "connected":
            raise SelfTestFailed("an aiortc client refuses our handshake")
        if server.profile() != PREFERRED_PROFILE:
            raise SelfTestFailed("AES-256-GCM is not negotiated for SRTP")
        _pass_one_packet(engine, server, client)
    except DtlsFailed as fault:
        raise SelfTestFailed(f"the DTLS handshake fails: {fault}") from None
    except (AttributeError, TypeError, pylibsrtp.Error) as fault:
        raise SelfTestFailed(f"a private name has changed: {fault}") from None
    finally:
        await client.stop()
        await server.stop()


def _pass_one_packet(engine: srtp.Engine, server: Dtls, client: RTCDtlsTransport) -> None:
    packet = bytes.fromhex("80e0000100000001000000ff") + bytes(range(64))
    seal, open_ = engine.sealer(server.outgoing), engine.opener(server.incoming)
    sealed = []
    # Twice: a retransmission repeats a sequence number, and the bytes must repeat with it.
    for _ in range(2):
        engine.sealing[: len(packet)] = packet
        sealed.append(bytes(engine.sealing[: seal(len(packet))]))
    if sealed[0] != sealed[1] or client._rx_srtp.unprotect(sealed[0]) != packet:
        raise SelfTestFailed("a sealed packet does not open again")
    size = open_(client._tx_srtp.protect(packet))
    if bytes(engine.opened[:size]) != packet:
        raise SelfTestFailed("a client's packet does not open")
    control = srtp.Control(server.incoming, server.outgoing, Counter())
    report = bytes.fromhex("80c90001000000ff")
    sealed_report = control.seal(report)
    if sealed_report is None or client._rx_srtp.unprotect_rtcp(sealed_report) != report:
        raise SelfTestFailed("a sealed RTCP packet does not open again")
