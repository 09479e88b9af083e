"""The ICE-lite half of a connection (RFC 8445 section 2.5): answer checks, never send any.

Decides what a STUN datagram means; sends nothing, reads no clock, owns no socket (mux.py does).
Nothing that fails authentication gets an answer, so a stranger learns nothing and nothing here
amplifies. Addresses are learnt from authenticated checks alone: what a client writes in its
offer about addresses never comes this far.

`aioice.stun` is undocumented; it is touched in this module only.
"""

from __future__ import annotations

import secrets
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from aioice import stun

Address = tuple[str, int] | tuple[str, int, int, int]
"""As the socket gives it: two items for IPv4, four for IPv6."""

MAX_VALIDATED = 4
"""Addresses one peer may be heard from at the same time."""

_HEADER = struct.Struct("!HHI")
_ATTRIBUTE = struct.Struct("!HH")
_BINDING_REQUEST = 0x0001
_USERNAME = 0x0006
_COOKIE = 0x2112A442


def _ignore_media(packet: bytes, now: float) -> None:
    """Media before the keys are known has no meaning."""


def _ignore_dtls(packet: bytes) -> None:
    """So has DTLS before anybody waits for it."""


def _ignore_nomination() -> None:
    """Nobody waits for it yet."""


@dataclass(eq=False)
class Agent:
    """One peer's end. address: where to send, None until the client nominated one.

    heard_at: monotonic seconds of the last authenticated check or accepted datagram.
    """

    ufrag: str
    pwd: str
    remote_ufrag: str
    heard_at: float
    address: Address | None = None
    validated: list[Address] = field(default_factory=list)
    on_nominated: Callable[[], None] = _ignore_nomination
    on_dtls: Callable[[bytes], None] = _ignore_dtls
    on_media: Callable[[bytes, float], None] = _ignore_media


class IceLite:
    """All agents of a worker: who has which ufrag, and who may speak from which address."""

    def __init__(self, counters: Counter[str]) -> None:
        self.by_address: dict[Address, Agent] = {}
        self._by_ufrag: dict[bytes, Agent] = {}
        self._counters = counters

    def open(self, remote_ufrag: str, now: float) -> Agent:
        """A new agent with credentials of its own (RFC 8445 section 5.3)."""
        ufrag = secrets.token_hex(8)
        agent = Agent(ufrag, secrets.token_hex(16), remote_ufrag, heard_at=now)
        self._by_ufrag[ufrag.encode()] = agent
        return agent

    def close(self, agent: Agent) -> None:
        """Forget the agent and its addresses. Safe to repeat."""
        self._by_ufrag.pop(agent.ufrag.encode(), None)
        for address in agent.validated:
            self.by_address.pop(address, None)
        agent.validated.clear()
        agent.address = None
        # Peer and agent hold one another; the worker's collector comes too rarely for 160 KiB.
        agent.on_nominated = _ignore_nomination
        agent.on_dtls, agent.on_media = _ignore_dtls, _ignore_media

    def answer(self, datagram: bytes, source: Address, now: float) -> bytes | None:
        """What to send back to `source`, or None. Counts each reason for silence.

        Raises nothing for any datagram.
        """
        if len(datagram) < 20 or _HEADER.unpack_from(datagram) != (
            _BINDING_REQUEST,
            len(datagram) - 20,
            _COOKIE,
        ):
            self._counters["drop.stun_other"] += 1
            return None
        # Before the parser and the hashing: a stranger who floods must cost little.
        local, _, remote = _username(datagram).partition(b":")
        agent = self._by_ufrag.get(local)
        if agent is None or remote != agent.remote_ufrag.encode():
            self._counters["drop.stun_unknown"] += 1
            return None
        try:
            request = stun.parse_message(datagram)
        # struct.error, UnicodeDecodeError and others: the parser was not written for strangers.
        except Exception:
            self._counters["drop.stun_malformed"] += 1
            return None
        key = agent.pwd.encode()
        if not request.check_message_integrity(key):
            self._counters["drop.stun_unauthentic"] += 1
            return None
        if not self._validate(agent, source):
            return None
        agent.heard_at = now
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
            attributes={"XOR-MAPPED-ADDRESS": source[:2]},
        )
        response.add_message_integrity(key)
        if "USE-CANDIDATE" in request.attributes and agent.address != source:
            if agent.address is not None:
                self._counters["ice.migrated"] += 1
            agent.address = source
            agent.on_nominated()
        return bytes(response)

    def _validate(self, agent: Agent, source: Address) -> bool:
        owner = self.by_address.get(source)
        if owner is agent:
            return True
        if owner is not None:
            # A member who forges another's source address must not take the address over;
            # its owner keeps it until closed.
            self._counters["drop.address_taken"] += 1
            return False
        if len(agent.validated) >= MAX_VALIDATED:
            oldest = next(a for a in agent.validated if a != agent.address)
            agent.validated.remove(oldest)
            self.by_address.pop(oldest, None)
        agent.validated.append(source)
        self.by_address[source] = agent
        return True


def _username(datagram: bytes) -> bytes:
    """The value of the first USERNAME attribute (RFC 8489 section 14.3), or b""."""
    at, end = 20, len(datagram)
    while at + 4 <= end:
        kind, size = _ATTRIBUTE.unpack_from(datagram, at)
        at += 4
        if kind == _USERNAME:
            return datagram[at : at + size]
        at += size + -size % 4
    return b""
