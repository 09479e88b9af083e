"""The TURN relay that may stand beside a server: who may use it, and the file coturn runs on.

Pure functions. Some networks let a browser reach little but TLS; a relay gets its media out. It is
coturn, a program of its own, and knows nobody: it trusts whoever shows a credential made with the
secret that both sides have. A relay forwards to where it is told, so the file below lets it forward
to the media workers and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

CREDENTIAL_S = 300
"""How long a credential opens new allocations. One that is in use lives on."""
MAX_URLS = 4
"""Browsers warn from five on, and try each."""
PORTS = (50_000, 50_299)
"""First and last to relay from: one an allocation, so that their number is the limit of all."""
ALLOCATIONS_EACH = 12
"""Of one session: a browser makes one for each address of its device and each way to the relay,
and those of a connection that broke stay for ten minutes."""
BYTES_PER_S = 1_000_000
"""Of one allocation. A circle of 16 needs half of it at its worst."""

Address = IPv4Address | IPv6Address

_URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})"
    r"(:(?P<port>[0-9]{1,5}))?(\?transport=(?P<transport>udp|tcp))?"
)
_PORTS = {"turn": 3478, "turns": 5349}


@dataclass(frozen=True)
class RelayUrl:
    """A TURN address, taken apart. host: an IPv6 address without brackets. port: 1–65535."""

    is_secure: bool
    host: str
    port: int


def read_url(text: str) -> RelayUrl:
    """A `turn:` or `turns:` address (RFC 7065). Raises ValueError."""
    found = _URL.fullmatch(text)
    port = int(found["port"] or _PORTS[found["scheme"]]) if found else 0
    if found is None or not 1 <= port <= 65535:
        raise ValueError(f"{text!r} is not like turn:circle.example.org:3478?transport=udp")
    return RelayUrl(found["scheme"] == "turns", found["host"].strip("[]"), port)


def credential(secret: str, session: str, until_s: int) -> tuple[str, str]:
    """Username and password that coturn takes until `until_s` (seconds since 1970).

    session: random letters, new for each connection, and nothing about whose it is; coturn's quota
    counts by it. After draft-uberti-behave-turn-rest-00 §2.2.
    """
    username = f"{until_s}:{session}"
    mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(mac).decode()


@dataclass(frozen=True)
class Certificate:
    """Files that coturn's own user may read. chain: certificate and those behind it."""

    chain: str
    key: str


def coturn_file(
    urls: Sequence[RelayUrl],
    secret: str,
    *,
    workers: Sequence[Address],
    addresses: Sequence[Address],
    outside: Address | None = None,
    certificate: Certificate | None = None,
    ports: tuple[int, int] = PORTS,
) -> str:
    """The text of turnserver.conf for coturn 4.6 or newer.

    workers: addresses announced for the media workers, the only ones it may relay to. addresses: of
    the machine it runs on. outside: the first IPv4 one as announced for them, when both run
    on one machine behind NAT. Raises ValueError, with what to do, when these make no relay.
    """
    clear = {url.port for url in urls if not url.is_secure}
    secure = {url.port for url in urls if url.is_secure}
    if not urls:
        raise ValueError("Set PEERMEET_TURN_URLS first, to what browsers are to be told.")
    if len(clear) > 1 or len(secure) > 1 or clear & secure:
        raise ValueError("PEERMEET_TURN_URLS: one port for turn: and another one for turns:.")
    if secure and certificate is None:
        raise ValueError("PEERMEET_TURN_URLS has turns: so --cert and --key are needed.")
    for address in workers:
        if address.is_unspecified or address.is_loopback or address.is_multicast:
            raise ValueError(f"No relay goes to {address}: set PEERMEET_ANNOUNCE_IP.")
    inside = next((address for address in addresses if address.version == 4), None)
    is_behind_nat = outside is not None and inside is not None
    values = {
        "realm": urls[0].host,
        "secret": secret,
        "port": next(iter(clear), _PORTS["turn"]),
        "listen": _lines("listening-ip", addresses),
        "relay": _lines("relay-ip", addresses),
        "external": f"external-ip={outside}/{inside}" if is_behind_nat else "# It does not.",
        "first": ports[0],
        "last": ports[1],
        "workers": _lines("allowed-peer-ip", workers),
        "total": ports[1] - ports[0] + 1,
        "each": ALLOCATIONS_EACH,
        "bytes": BYTES_PER_S,
        "tls": _tls(certificate, next(iter(secure), _PORTS["turns"])),
    }
    return _FILE.format(**values)


def _lines(name: str, addresses: Sequence[Address]) -> str:
    return "\n".join(f"{name}={address}" for address in addresses)


def _tls(certificate: Certificate | None, port: int) -> str:
    files = certificate or Certificate("/etc/coturn/fullchain.pem", "/etc/coturn/privkey.pem")
    lines = (f"tls-listening-port={port}", f"cert={files.chain}", f"pkey={files.key}")
    if certificate is not None:
        return "\n".join((*lines, "no-tlsv1", "no-tlsv1_1"))
    return "\n".join(("no-tls", *(f"#{line}" for line in lines)))


_FILE = """\
# coturn for PeerMeet, written by `peermeet admin turn-config`. Do not edit: change the settings and
# write it again, so that both sides keep saying the same.

# Who may use it: whoever has a credential of PeerMeet's, which ends after minutes.
use-auth-secret
static-auth-secret={secret}
realm={realm}

# Where it listens and where it relays from.
listening-port={port}
{listen}
{relay}
min-port={first}
max-port={last}

# Where it may relay to: the media workers and nothing else. All is denied and they are allowed,
# because a list of forbidden addresses alone can be passed by in coturn before 4.9
# (CVE-2026-27624: ::ffff:127.0.0.1 and its like).
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
{workers}
no-multicast-peers
no-tcp-relay
# Does it stand behind NAT on the workers' own machine? Then what is sent to the announced address
# goes to the machine's own. By this line coturn allows both.
{external}

# How much: allocations of one session, of all, and bytes a second of one allocation.
user-quota={each}
total-quota={total}
max-bps={bytes}

# A nonce works for ten minutes, so that what was overheard cannot be said again for long.
stale-nonce=600
fingerprint

# TLS, for networks that let out nothing but what looks like HTTPS. For it, add a turns: address to
# PEERMEET_TURN_URLS and write this file again with --cert and --key: files that coturn's own user
# may read. Restart coturn whenever the certificate is new.
{tls}
no-dtls

# No console, no answers but to TURN, no banner.
no-cli
no-stun
no-rfc5780
no-stun-backward-compatibility
no-software-attribute

# Nothing is kept: its log would hold the address of everybody who comes. To look for a fault, take
# out these two lines for a while.
no-stdout-log
log-file=/dev/null
"""
