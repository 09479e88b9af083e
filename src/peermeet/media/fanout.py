"""One packet to all who are shown it, the part of the worker that costs the most.

Two ways do the same: this module and those that call it, in plain Python, and, where it has been
compiled when the package was built, a loop in C (compiled.py) for the plain next packet of a
stretch that flows, from the socket on, which leaves everything else to the plain way. `choose`
decides once, at start. Who is shown what was settled before (circle.py, peer.py); what a copy looks
like is seat.py's.
"""

from __future__ import annotations

import logging
import selectors
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import pylibsrtp

from peermeet.media import ingest, seat, srtp
from peermeet.media.icelite import Address
from peermeet.media.ingest import Layer, MediaPacket
from peermeet.media.seat import TRANSPORT_SEQUENCE_AT, SeatWriter

if TYPE_CHECKING:
    from peermeet.media.peer import Peer

Viewer = tuple[SeatWriter, "Peer"]
"""Where a copy is written, and to whom it is sent."""
Readable = Callable[[socket.socket], None]

DATAGRAMS_AT_ONCE: Final = 64
"""Then other work of the loop gets its turn."""

_SHORT = struct.Struct("!H").pack_into

logger = logging.getLogger(__name__)


class FanOut(Protocol):
    """How packets are waited for, read, copied and sent."""

    def state(self) -> seat.State:
        """The numbers of a new writer."""

    def intake(self) -> tuple[ingest.State, ingest.History]:
        """The numbers and the memory of a new layer."""

    def settle(
        self, layer: Layer, viewers: Sequence[Viewer], is_current: bool, is_open: bool
    ) -> Any:
        """Make ready to send a layer to these; the answer is for `send`.

        is_current: it is the one source of its name that is forwarded. is_open: to anybody.
        """

    def follow(self, peer: Peer) -> None:
        """A person's keys, address or sources have changed: send there from now on, or no more."""

    def selector(self) -> selectors.BaseSelector:
        """What the event loop waits with."""

    def attend(self, sockets: Sequence[socket.socket], readable: Readable) -> None:
        """From now on these, and no others, are read. readable: calls `receive` for one of them;
        so does the event loop."""

    def receive(self, one: socket.socket) -> Iterator[tuple[bytes, Address]]:
        """Read what waits at a socket that does not block; answer what is not yet forwarded."""

    def learn(self, peer: Peer) -> None:
        """Let a person's connection know what has been reported since the last time."""

    def tell(self, peer: Peer, now: float) -> bool:
        """Make feedback for a person about what came, if it is due; False if the caller has to."""

    def flush(self) -> None:
        """Send what `tell` has made."""

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        """Send copies of a packet of a layer; answer how many went out. Counts what did not.

        Wants a key frame of the layer where a viewer waits for one.
        """


class PlainFanOut:
    """The loop in Python."""

    def __init__(self, engine: srtp.Engine, counters: Counter[str]) -> None:
        self._engine = engine
        self._counters = counters

    def state(self) -> seat.State:
        return seat.State()

    def intake(self) -> tuple[ingest.State, ingest.History]:
        return ingest.State(), ingest.History()

    def settle(
        self, layer: Layer, viewers: Sequence[Viewer], is_current: bool, is_open: bool
    ) -> Any:
        return None

    def follow(self, peer: Peer) -> None:
        """Each packet asks the peer anew."""

    def selector(self) -> selectors.BaseSelector:
        return selectors.DefaultSelector()

    def attend(self, sockets: Sequence[socket.socket], readable: Readable) -> None:
        """The event loop knows."""

    def receive(self, one: socket.socket) -> Iterator[tuple[bytes, Address]]:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                yield one.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                self._counters["drop.receive_error"] += 1

    def learn(self, peer: Peer) -> None:
        """It knows."""

    def tell(self, peer: Peer, now: float) -> bool:
        return False

    def flush(self) -> None:
        """Nothing was made."""

    def send(
        self, layer: Layer, viewers: Sequence[Viewer], ready: Any, packet: MediaPacket, now: float
    ) -> int:
        counters, sealing = self._counters, self._engine.sealing
        sent = 0
        for writer, peer in viewers:
            seal = peer.seal
            if seal is None:
                continue
            if writer.layer is not layer and not writer.follows(layer, packet):
                # Whatever became of the last key frame: this viewer has not had it.
                layer.want_key_frame()
                continue
            length = writer.forward(packet, now)
            if not length:
                if writer.is_waiting:
                    layer.want_key_frame()
                continue
            if writer.counts_transport:
                _SHORT(sealing, TRANSPORT_SEQUENCE_AT, peer.departures.sent(length, now))
            length = seal(length)
            if not length:
                counters["drop.seal"] += 1
                continue
            try:
                peer.agent.sendto(sealing[:length], peer.agent.address)  # type: ignore[arg-type]
            except OSError:
                counters["drop.send"] += 1
            else:
                sent += 1
        return sent


def choose(engine: srtp.Engine, counters: Counter[str]) -> FanOut:
    """The compiled loop if there is one and libsrtp can be reached from it, said in the log."""
    if isinstance(engine, srtp.FastEngine):
        try:
            from peermeet.media.compiled import CompiledFanOut

            return CompiledFanOut(engine, counters)
        except (ImportError, AttributeError, TypeError, pylibsrtp.Error) as fault:
            logger.warning("forwarding in plain Python fault=%s", type(fault).__name__)
    return PlainFanOut(engine, counters)
