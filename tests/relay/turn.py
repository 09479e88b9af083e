"""A TURN client (RFC 8656, RFC 6062) that asks for what it must not get.

Written for these tests alone: aioice's would refuse to ask. Blocking, one question at a time.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import socket
import ssl
import struct
import time
import zlib
from ipaddress import IPv4Address, ip_address
from typing import Self

COOKIE = 0x2112A442
BINDING, ALLOCATE, REFRESH, SEND = 0x001, 0x003, 0x004, 0x006
CREATE_PERMISSION, CHANNEL_BIND, CONNECT = 0x008, 0x009, 0x00A
SUCCESS, INDICATION = 0x100, 0x010
USERNAME, INTEGRITY, ERROR_CODE, CHANNEL_NUMBER, LIFETIME = 0x06, 0x08, 0x09, 0x0C, 0x0D
PEER, PAYLOAD, REALM, NONCE = 0x12, 0x13, 0x14, 0x15
FAMILY, TRANSPORT, SOFTWARE, FINGERPRINT = 0x17, 0x19, 0x8022, 0x8028
UDP, TCP = 17, 6
LIMIT_S = 10.0

_CLIENTS = itertools.count()

Attributes = dict[int, bytes]
Wish = tuple[tuple[int, bytes], ...]


class Refused(Exception):
    """The relay said no; code: of the STUN error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def peer(address: str, port: int, transaction: bytes) -> bytes:
    """XOR-PEER-ADDRESS (RFC 8489 §14.2)."""
    packed = ip_address(address).packed
    pad = struct.pack("!I", COOKIE) + transaction
    family = 1 if len(packed) == 4 else 2
    mixed = bytes(a ^ b for a, b in zip(packed, pad, strict=False))
    return struct.pack("!HH", family, port ^ COOKIE >> 16) + mixed


def encode(kind: int, transaction: bytes, wish: Wish, key: bytes | None) -> bytes:
    """A message; with a key signed by it (RFC 8489 §14.5), and with a fingerprint at its end."""
    body = b"".join(_attribute(*each) for each in wish)
    if key is not None:
        head = struct.pack("!HHI", kind, len(body) + 24, COOKIE) + transaction
        body += _attribute(INTEGRITY, hmac.new(key, head + body, hashlib.sha1).digest())
    whole = struct.pack("!HHI", kind, len(body) + 8, COOKIE) + transaction + body
    return whole + _attribute(FINGERPRINT, struct.pack("!I", zlib.crc32(whole) ^ 0x5354554E))


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def decode(data: bytes) -> tuple[int, bytes, Attributes]:
    """Kind, transaction and attributes of a message."""
    kind, length = struct.unpack("!HH", data[:4])
    attributes, at = Attributes(), 20
    while at < 20 + length:
        name, size = struct.unpack("!HH", data[at : at + 4])
        attributes[name] = data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
    return kind, data[8:20], attributes


class Turn:
    """One client: a socket and the allocation behind it."""

    def __init__(
        self,
        relay: tuple[str, int],
        username: str,
        password: str,
        *,
        stream: bool = False,
        tls: ssl.SSLContext | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        """relay: IPv4 address and port. stream: speak to it over TCP; tls: over TLS."""
        self.username, self._password = username, password
        self._stream = stream or tls is not None
        self._realm = self._nonce = b""
        self._socket = socket.socket(type=socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM)
        # A relay knows a client by address and port for a while after it has gone.
        self._socket.bind((str(IPv4Address("127.1.0.1") + next(_CLIENTS)), 0))
        self._limit_s = limit_s
        self._socket.settimeout(limit_s)
        self._socket.connect(relay)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="relay.example")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gone without a word; the relay keeps the allocation until it ends."""
        self._socket.close()

    def allocate(self, family: int = 4, transport: int = UDP) -> Attributes:
        """Ask for an address to relay from. Raises Refused."""
        wish: Wish = ((TRANSPORT, struct.pack("!I", transport << 24)),)
        if family == 6:
            wish += ((FAMILY, struct.pack("!I", 2 << 24)),)
        return self._signed(ALLOCATE, wish)

    def refresh(self, lifetime_s: int = 600) -> None:
        """Keep the allocation; 0 gives it back. Raises Refused."""
        self._signed(REFRESH, ((LIFETIME, struct.pack("!I", lifetime_s)),))

    def permit(self, *addresses: str) -> None:
        """CreatePermission for all of them. Raises Refused."""
        self._signed(CREATE_PERMISSION, (), *((address, 8000) for address in addresses))

    def bind(self, channel: int, address: str) -> None:
        """ChannelBind. channel: 0x4000–0x4FFF. Raises Refused."""
        wish = ((CHANNEL_NUMBER, struct.pack("!HH", channel, 0)),)
        self._signed(CHANNEL_BIND, wish, (address, 8000))

    def connect(self, address: str) -> None:
        """Connect, for TCP to the peer (RFC 6062). Raises Refused."""
        self._signed(CONNECT, (), (address, 8000))

    def send(self, address: str, port: int, data: bytes) -> None:
        """A Send indication, which has no answer: what is not permitted is dropped."""
        transaction = os.urandom(12)
        wish = ((PEER, peer(address, port, transaction)), (PAYLOAD, data))
        self._socket.sendall(encode(SEND | INDICATION, transaction, wish, None))

    def look_around(self) -> None:
        """A STUN Binding request, which needs no credential."""
        transaction = os.urandom(12)
        self._ask(encode(BINDING, transaction, (), None), transaction)

    def _signed(self, method: int, wish: Wish, *peers: tuple[str, int]) -> Attributes:
        """The answer to a request; a challenge on the way is met. Raises Refused."""
        for _ in range(3):
            transaction = os.urandom(12)
            whole = wish + tuple((PEER, peer(*each, transaction)) for each in peers)
            key = self._key() if self._nonce else None
            if key is not None:
                whole += ((USERNAME, self.username.encode()),)
                whole += ((REALM, self._realm), (NONCE, self._nonce))
            kind, answer = self._ask(encode(method, transaction, whole, key), transaction)
            assert SOFTWARE not in answer, "the relay says which software it is"
            if kind == method | SUCCESS:
                return answer
            code = answer[ERROR_CODE][2] * 100 + answer[ERROR_CODE][3]
            if code != 438 and not (code == 401 and key is None):
                break
            self._realm, self._nonce = answer[REALM], answer[NONCE]
        raise Refused(code)

    def _key(self) -> bytes:
        text = b":".join((self.username.encode(), self._realm, self._password.encode()))
        return hashlib.md5(text).digest()

    def _ask(self, request: bytes, transaction: bytes) -> tuple[int, Attributes]:
        """Send it, over UDP again after 0.5, 1, 2 s (RFC 8489 §6.2.1), until it is answered."""
        deadline, wait_s = time.monotonic() + self._limit_s, 0.5
        while True:
            self._socket.sendall(request)
            left_s = max(0.01, deadline - time.monotonic())
            self._socket.settimeout(left_s if self._stream else min(wait_s, left_s))
            try:
                while True:
                    kind, answered, found = decode(self._receive())
                    if answered == transaction:
                        return kind, found
            except TimeoutError:
                if self._stream or time.monotonic() >= deadline:
                    raise
                wait_s = min(2 * wait_s, deadline - time.monotonic())

    def _receive(self) -> bytes:
        if not self._stream:
            return self._socket.recv(2048)
        head = self._exactly(20)
        return head + self._exactly(int.from_bytes(head[2:4], "big"))

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            more = self._socket.recv(size - len(got))
            if not more:
                raise ConnectionError("the relay has closed")
            got += more
        return got
