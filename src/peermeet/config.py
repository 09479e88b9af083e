"""Every setting, from the environment (`PEERMEET_…`) or from one file of `KEY=VALUE` lines.

Only cli and app import this. Names, meanings and defaults are told in docs/operating.md; a test
compares the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from peermeet import relay

MAX_WORKERS = 64


def usable_cores(group: Path = Path("/sys/fs/cgroup")) -> int:
    """How many cores this process may use: by affinity, and by the quota of its control group.

    group: the folder of a control group, version 2, whose `cpu.max` is "max" or microseconds in
    each so many (kernel documentation, admin-guide/cgroup-v2).
    """
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = (group / "cpu.max").read_text().split()
        cores = min(cores, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # No quota.
    return max(1, min(cores, MAX_WORKERS))


class Settings(BaseSettings):
    """What an admin may set. Unknown keys in the file and bad values stop the start."""

    model_config = SettingsConfigDict(
        env_prefix="PEERMEET_",
        env_file=os.environ.get("PEERMEET_CONFIG", "peermeet.env"),
        extra="forbid",
        frozen=True,
    )

    data: Path = Path("data")
    """The one folder that holds everything this server keeps."""
    host: str = "127.0.0.1"
    """Address to serve HTTP on; a proxy with TLS stands before it."""
    port: int = Field(8000, ge=1, le=65535)
    """TCP port for HTTP and WebSockets."""
    public_url: str | None = None
    """What people type; links are made of it, and its origin may open WebSockets."""
    extra_origins: tuple[str, ...] = ()
    """Further exact origins (JSON list) that may open WebSockets."""
    database_url: str | None = None
    """SQLAlchemy URL; default is a SQLite file in the data folder."""
    media_bind: tuple[str, ...] | None = None
    """Addresses of the media workers' sockets, one or a JSON list, the preferred one first;
    default are this machine's own, IPv4 and IPv6."""
    media_port: int | None = Field(None, ge=1, le=65535)
    """The first media worker's port number, UDP and TCP, the next has the next; default is the
    number of `port`."""
    media_tcp: bool = True
    """Whether sound and pictures may also come over TCP, where a network lets no UDP through."""
    media_workers: int = Field(
        default_factory=usable_cores, ge=1, le=MAX_WORKERS, validate_default=True
    )
    """How many media workers; a circle lives in one. Default is one for each usable core."""
    media_lease_s: float = Field(10, ge=1, le=300)
    """How long a media worker forwards on without a web process, so that a restart is not heard."""
    announce_ip: tuple[str, ...] = ()
    """Addresses (JSON list) told to browsers instead of `media_bind`, behind NAT or Docker."""
    screen_share: bool = False
    """Whether the group lets the holder or a facilitator show a screen."""
    encryption_off: str | None = Field(None, min_length=1, max_length=300)
    """Why circles are not end-to-end encrypted, told at the door; default: they are encrypted."""
    turn_urls: tuple[str, ...] = Field((), max_length=relay.MAX_URLS)
    """Addresses (JSON list) of a TURN relay that browsers may use; none without one."""
    turn_secret: SecretStr | None = None
    """What this server and the relay both know; default is `turn.key` in the data folder."""
    link_days: int = Field(30, ge=1, le=3650)
    """How long an invitation link works."""
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @field_validator("media_bind", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("announce_ip", "media_bind")
    @classmethod
    def _addresses(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(str(ip_address(v)) for v in value)

    @field_validator("turn_urls")
    @classmethod
    def _relays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            relay.read_url(url)
        return value

    @field_validator("turn_secret")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(
            r"[A-Za-z0-9_-]{24,200}", value.get_secret_value()
        ):
            raise ValueError("must have 24 to 200 letters and digits, as of `openssl rand -hex 32`")
        return value

    @field_validator("public_url")
    @classmethod
    def _no_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return None if value is None else value.rstrip("/")

    @field_validator("media_workers")
    @classmethod
    def _ports(cls, value: int, info: ValidationInfo) -> int:
        first = info.data.get("media_port") or info.data.get("port") or 1
        if first + value - 1 > 65535:
            raise ValueError("each needs a port number, from PEERMEET_MEDIA_PORT on")
        return value

    @property
    def url(self) -> str:
        """The public address of the server, without a slash at the end."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """Exact origins that may open a WebSocket."""
        own = {self.url, *self.extra_origins}
        if self.public_url is None:
            own.add(f"http://127.0.0.1:{self.port}")
        return frozenset(own)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data / 'peermeet.db'}"

    @property
    def udp_port(self) -> int:
        """Of the first media worker."""
        return self.media_port or self.port

    def has_media_tcp(self, bind: Sequence[str]) -> bool:
        """Whether these addresses are to be reached over TCP: not where HTTP has the port.

        All media workers or none, else it would be luck whether a circle can be reached.
        """
        ports = range(self.udp_port, self.udp_port + self.media_workers)
        if not self.media_tcp or self.port not in ports:
            return self.media_tcp
        everywhere = {"0.0.0.0", "::"}
        http = {"localhost": "127.0.0.1"}.get(self.host, self.host)
        return http not in everywhere and http not in bind and not everywhere.intersection(bind)
