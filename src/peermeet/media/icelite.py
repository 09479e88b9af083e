"""The ICE-lite half of a connection (RFC 8445 section 2.5): answer checks, follow the client.

Decides what a STUN datagram means; reads no clock, owns no socket (mux.py and icetcp.py do).
Nothing that fails authentication gets an answer, so a stranger learns nothing and nothing here
amplifies. Addresses are learnt from authenticated checks alone: what a client writes in its
offer about addresses never comes this far.

The first check that passes counts at once: nothing but a handshake follows it. Later the client may
move, and there a check alone is no proof: whoever sees one on its way can send the same bytes
from any address, and media would go there. So a new address is asked first, by a check of our
own that carries a number nobody can guess (the triggered check of RFC 8445 section 7.3.1.4,
which a lite agent may leave out; the idea is path validation in QUIC, RFC 9000 section 8.2),
and media follows when its answer comes from there. A replayer cannot answer; who can has the
power of a router, and the client's next check from its own address takes the media back.

An address is asked when the client nominates it (USE-CANDIDATE), or when nothing but that
address has been heard for a while: a NAT that gave the client a new port tells it nothing, and
consent checks (RFC 7675) of some clients nominate nothing.

`aioice.stun` is undocumented; it is touched in this module only.
"""

from __future__ import annotations

import contextlib
import secrets
import struct
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aioice import stun

Address = tuple[str, int] | tuple[str, int, int] | tuple[str, int, int, int]
"""Where a client is. Two items for IPv4 and four for IPv6, as a UDP socket gives them; three for
TCP: address, port and the number of the connection."""
SendTo = Callable[[bytes | memoryview, Address], object]
"""Sends one datagram, as `socket.sendto` does. Raises OSError if it cannot be sent."""

MAX_VALIDATED: Final = 8
"""Addresses one peer may be heard from at the same time: two networks, two families, TCP."""
ALONE_MEDIA_S: Final = 0.5
"""Media comes from this address alone for so long: it is where the client is now."""
ALONE_CHECK_S: Final = 5.0
"""The same for checks. Browsers check the pair in use every 2.5 s or every 4 to 6 s, and others
now and then; it must not look silent in between."""
ASK_INTERVAL_S: Final = 0.1
CHECKS_PER_S: Final = 50.0
CHECK_BURST: Final = 100.0
"""Of one peer. Browsers send a check every 50 ms while they look for a way; each costs us two
signatures."""

_HEADER = struct.Struct("!HHI")
_ATTRIBUTE = struct.Struct("!HH")
_BINDING_REQUEST = 0x0001
_BINDING_RESPONSE = 0x0101
_USERNAME = 0x0006
_COOKIE = 0x2112A442
_PRIORITY = 110 << 24 | 65535 << 8 | 255
"""Of a peer-reflexive candidate (RFC 8445 section 5.1.2.2); the client orders nothing by it."""


def _ignore_media(packet: bytes, now: float) -> None:
    """Media before the keys are known has no meaning."""


def _ignore_dtls(packet: bytes) -> None:
    """So has DTLS before anybody waits for it."""


def _ignore_nomination() -> None:
    """Nobody waits for it yet."""


def nowhere(datagram: bytes | memoryview, address: Address) -> object:
    """Sends nothing: there is no address yet, or its connection has ended. Raises OSError."""
    raise ConnectionError("no path")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of both ends, for one generation: a restart (RFC 8445 section 9) makes the next."""

    ufrag: str
    pwd: str
    remote_ufrag: str
    remote_pwd: str


@dataclass(eq=False, slots=True, weakref_slot=True)
class Agent:
    """One peer's end. address: where to send, None until a check has passed; sendto: by
    what. Both change together.

    heard: one item, `heard_at`; an array because the compiled loop (ingest.c) notes it as well.
    previous: the generation in use until a pair of the newest is nominated.
    """

    credentials: Credentials
    heard: array[float]
    address: Address | None = None
    sendto: SendTo = nowhere
    previous: Credentials | None = None
    checks: float = CHECK_BURST
    """That may be looked at now; `checks_at` says since when."""
    checks_at: float = 0.0
    validated: dict[Address, SendTo] = field(default_factory=dict)
    on_nominated: Callable[[], None] = _ignore_nomination
    on_dtls: Callable[[bytes], None] = _ignore_dtls
    on_media: Callable[[bytes, float], None] = _ignore_media

    @property
    def heard_at(self) -> float:
        """Monotonic seconds of the last authenticated check or accepted datagram."""
        return self.heard[0]

    @heard_at.setter
    def heard_at(self, now: float) -> None:
        self.heard[0] = now

    @property
    def ufrag(self) -> str:
        """Ours, of the newest generation."""
        return self.credentials.ufrag

    @property
    def pwd(self) -> str:
        """Ours, of the newest generation."""
        return self.credentials.pwd


class Aside:
    """An address that proved itself beside the nominated one: it is heard, and not sent to.

    Stands in the table where the agent would, so that the packets of those who stay where they
    are cost nothing more.
    """

    __slots__ = (
        "_alone_since",
        "_asked_at",
        "_heard_at",
        "address",
        "agent",
        "credentials",
        "sendto",
        "transaction",
    )

    def __init__(self, agent: Agent, address: Address, sendto: SendTo) -> None:
        self.agent, self.address, self.sendto = agent, address, sendto
        self.credentials = agent.credentials
        self.transaction = b""
        """Of our check while it is not answered."""
        self._asked_at = self._alone_since = self._heard_at = float("-inf")

    def on_dtls(self, datagram: bytes) -> None:
        """One datagram of a handshake, or an alert."""
        self.agent.on_dtls(datagram)

    def on_media(self, datagram: bytes, now: float) -> None:
        """One datagram of media; if it is authentic, the client may be here now."""
        agent = self.agent
        before = agent.heard_at
        agent.on_media(datagram, now)
        if before != now == agent.heard_at:
            self.heard(before, now, ALONE_MEDIA_S)

    def heard(self, before: float, now: float, alone_s: float) -> None:
        """The client was heard here, and `before` anywhere. Asks if it was only here lately."""
        if before != self._heard_at:
            self._alone_since = now
        self._heard_at = now
        if now - self._alone_since >= alone_s:
            self.ask(now)

    def ask(self, now: float) -> None:
        """Send a check of our own, not more often than every `ASK_INTERVAL_S`."""
        if now - self._asked_at < ASK_INTERVAL_S:
            return
        self._asked_at = now
        self.transaction = self.transaction or secrets.token_bytes(12)
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, self.transaction)
        credentials = self.credentials
        request.attributes["USERNAME"] = f"{credentials.remote_ufrag}:{credentials.ufrag}"
        request.attributes["PRIORITY"] = _PRIORITY
        request.attributes["ICE-CONTROLLED"] = secrets.randbits(64)
        request.add_message_integrity(credentials.remote_pwd.encode())
        # It is asked again while the client is heard.
        with contextlib.suppress(OSError):
            self.sendto(bytes(request), self.address)


class IceLite:
    """All agents of a worker: who has which ufrag, and who may speak from which address."""

    def __init__(self, counters: Counter[str]) -> None:
        self.by_address: dict[Address, Agent | Aside] = {}
        self._by_ufrag: dict[bytes, tuple[Agent, Credentials]] = {}
        self._counters = counters

    def open(self, remote_ufrag: str, remote_pwd: str, now: float) -> Agent:
        """A new agent with credentials of its own (RFC 8445 section 5.3)."""
        agent = Agent(_credentials(remote_ufrag, remote_pwd), array("d", [now]), checks_at=now)
        self._by_ufrag[agent.ufrag.encode()] = (agent, agent.credentials)
        return agent

    def restart(self, agent: Agent, remote_ufrag: str, remote_pwd: str, now: float) -> None:
        """Give the agent new credentials; those in use go on until a new pair is nominated."""
        if agent.previous is None:
            agent.previous = agent.credentials
        else:
            # A restart that was overtaken by the next one: the client has given it up.
            self._by_ufrag.pop(agent.ufrag.encode(), None)
        agent.credentials = _credentials(remote_ufrag, remote_pwd)
        self._by_ufrag[agent.ufrag.encode()] = (agent, agent.credentials)
        agent.heard_at = now
        self._counters["ice.restarted"] += 1

    def close(self, agent: Agent) -> None:
        """Forget the agent and its addresses. Safe to repeat."""
        for credentials in (agent.credentials, agent.previous):
            if credentials is not None:
                self._by_ufrag.pop(credentials.ufrag.encode(), None)
        for address in agent.validated:
            self.by_address.pop(address, None)
        agent.validated.clear()
        agent.address, agent.sendto = None, nowhere
        # Peer and agent hold one another; the worker's collector comes too rarely for 160 KiB.
        agent.on_nominated = _ignore_nomination
        agent.on_dtls, agent.on_media = _ignore_dtls, _ignore_media

    def forget(self, address: Address) -> None:
        """This address is no more: its TCP connection has ended. Safe to repeat."""
        owner = self.by_address.pop(address, None)
        if owner is None:
            return
        agent = owner.agent if isinstance(owner, Aside) else owner
        agent.validated.pop(address, None)
        if agent.address == address:
            agent.sendto = nowhere

    def answer(
        self, datagram: bytes, source: Address, now: float, sendto: SendTo = nowhere
    ) -> bytes | None:
        """What to send back to `source`, or None. Counts each reason for silence.

        sendto: sends to `source` by the way the datagram came; media to the client takes it if
        the client nominates that way. Raises nothing for any datagram.
        """
        if len(datagram) < 20:
            self._counters["drop.stun_other"] += 1
            return None
        kind, size, cookie = _HEADER.unpack_from(datagram)
        if size != len(datagram) - 20 or cookie != _COOKIE:
            kind = 0
        if kind == _BINDING_RESPONSE:
            self._take_response(datagram, source, now)
            return None
        if kind != _BINDING_REQUEST:
            self._counters["drop.stun_other"] += 1
            return None
        # Before the parser and the hashing: a stranger who floods must cost little.
        local, _, remote = _username(datagram).partition(b":")
        found = self._by_ufrag.get(local)
        if found is None or remote != found[1].remote_ufrag.encode():
            self._counters["drop.stun_unknown"] += 1
            return None
        agent, credentials = found
        if not self._may_check(agent, now):
            return None
        key = credentials.pwd.encode()
        request = self._authentic(datagram, key)
        if request is None or not self._validate(agent, source, sendto):
            return None
        before, agent.heard_at = agent.heard_at, now
        self._follow(agent, credentials, source, sendto, "USE-CANDIDATE" in request.attributes)
        owner = self.by_address[source]
        if isinstance(owner, Aside):
            if "USE-CANDIDATE" in request.attributes:
                owner.ask(now)
            else:
                owner.heard(before, now, ALONE_CHECK_S)
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
            attributes={"XOR-MAPPED-ADDRESS": source[:2]},
        )
        response.add_message_integrity(key)
        return bytes(response)

    def _may_check(self, agent: Agent, now: float) -> bool:
        """Whether one more message of this peer's may be looked at."""
        grown = (now - agent.checks_at) * CHECKS_PER_S
        agent.checks, agent.checks_at = min(CHECK_BURST, agent.checks + grown), now
        if agent.checks < 1:
            self._counters["drop.check_flood"] += 1
            return False
        agent.checks -= 1
        return True

    def _authentic(self, datagram: bytes, key: bytes) -> stun.Message | None:
        try:
            message = stun.parse_message(datagram)
        # struct.error, UnicodeDecodeError and others: the parser was not written for strangers.
        except Exception:
            self._counters["drop.stun_malformed"] += 1
            return None
        if not message.check_message_integrity(key):
            self._counters["drop.stun_unauthentic"] += 1
            return None
        return message

    def _validate(self, agent: Agent, source: Address, sendto: SendTo) -> bool:
        owner = self.by_address.get(source)
        if owner is agent or (isinstance(owner, Aside) and owner.agent is agent):
            return True
        if owner is not None:
            # A member who forges another's source address must not take the address over;
            # its owner keeps it until closed.
            self._counters["drop.address_taken"] += 1
            return False
        if len(agent.validated) >= MAX_VALIDATED:
            oldest = next(a for a in agent.validated if a != agent.address)
            del agent.validated[oldest]
            self.by_address.pop(oldest, None)
        agent.validated[source] = sendto
        is_first = agent.address is None
        self.by_address[source] = agent if is_first else Aside(agent, source, sendto)
        return True

    def _follow(
        self,
        agent: Agent,
        credentials: Credentials,
        source: Address,
        sendto: SendTo,
        is_nominating: bool,
    ) -> None:
        """Note by which way and generation an authentic check came; nominate what needs no proof.

        That is the first address, and another way (a second of our addresses) to the same one.
        """
        agent.validated[source] = sendto
        owner = self.by_address[source]
        if isinstance(owner, Aside):
            if credentials is not owner.credentials:
                owner.credentials, owner.transaction = credentials, b""
            owner.sendto = sendto
        elif is_nominating or agent.address is None:
            # RFC 8445 section 12.1.1 has a lite agent wait for the nomination. A browser on a slow
            # line sends its ClientHello when a check is answered, and nominates seconds later.
            self._nominate(agent, credentials, source, sendto)

    def _take_response(self, datagram: bytes, source: Address, now: float) -> None:
        """An answer to our own check: from its address, the client can be reached there."""
        aside = self.by_address.get(source)
        if not isinstance(aside, Aside) or aside.transaction != datagram[8:20]:
            self._counters["drop.stun_other"] += 1
            return
        if not self._may_check(aside.agent, now):
            return
        if self._authentic(datagram, aside.credentials.remote_pwd.encode()) is not None:
            self._counters["ice.migrated"] += 1
            self._nominate(aside.agent, aside.credentials, source, aside.sendto)

    def _nominate(
        self, agent: Agent, credentials: Credentials, source: Address, sendto: SendTo
    ) -> None:
        if agent.previous is not None and credentials is agent.credentials:
            self._by_ufrag.pop(agent.previous.ufrag.encode(), None)
            agent.previous = None
        is_new = agent.address != source
        agent.address, agent.sendto = source, sendto
        if not is_new:
            return
        self.by_address[source] = agent
        for address, way in agent.validated.items():
            if address != source and self.by_address[address] is agent:
                self.by_address[address] = Aside(agent, address, way)
        agent.on_nominated()


def _credentials(remote_ufrag: str, remote_pwd: str) -> Credentials:
    return Credentials(secrets.token_hex(8), secrets.token_hex(16), remote_ufrag, remote_pwd)


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
