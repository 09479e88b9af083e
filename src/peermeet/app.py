"""The composition root: builds the adapters and wires them into one ASGI app."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from fastapi import FastAPI, WebSocket

from peermeet import client, identity, relay
from peermeet.api import health, links, pages, practice
from peermeet.api.desk import Desk
from peermeet.api.practice import PracticeRooms
from peermeet.config import Settings
from peermeet.core.model import Millis
from peermeet.hosting.blocks import BlockList
from peermeet.hosting.host import Host
from peermeet.hosting.ports import Block, Checks, SystemClock
from peermeet.media.pool import MediaPool
from peermeet.media.process import own_address, own_addresses
from peermeet.protocol import IceServer
from peermeet.runsheets import shipped
from peermeet.signalling.socket import Sockets
from peermeet.storage.blocks import SqlBlocks
from peermeet.storage.checks import SqlChecks
from peermeet.storage.engine import migrate, open_engine
from peermeet.storage.journal import SqlJournal
from peermeet.storage.sheets import SqlSheets

DAY_MS = 86_400_000

logger = logging.getLogger(__name__)


def server_key(settings: Settings) -> bytes:
    """The secret that signs links and seats, made on first use in the data folder (mode 0600)."""
    return _kept(settings, "secret.key", secrets.token_bytes(identity.KEY_BYTES))


def _kept(settings: Settings, name: str, fresh: bytes) -> bytes:
    """What is in this file of the data folder; `fresh` from now on if there is none yet."""
    settings.data.mkdir(parents=True, exist_ok=True)
    path = settings.data / name
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(fresh)
    return fresh


def turn_secret(settings: Settings) -> str:
    """What the TURN relay knows too; made on first use in the data folder if none is set."""
    if settings.turn_secret is not None:
        return settings.turn_secret.get_secret_value()
    return _kept(settings, "turn.key", secrets.token_hex(32).encode()).decode().strip()


def relays(settings: Settings) -> Callable[[str], tuple[IceServer, ...]]:
    """What gives a session, by its random name, fresh credentials; none without a relay."""
    if not settings.turn_urls:
        return lambda session: ()
    secret = turn_secret(settings)

    def fresh(session: str) -> tuple[IceServer, ...]:
        # By the wall, not by `SystemClock`, which keeps its own time when the wall's is put right.
        username, password = relay.credential(
            secret, session, int(time.time()) + relay.CREDENTIAL_S
        )
        return (IceServer(settings.turn_urls, username, password, relay.CREDENTIAL_S * 1000),)

    return fresh


def turn_config(
    settings: Settings,
    elsewhere: Sequence[relay.Address] = (),
    certificate: relay.Certificate | None = None,
    ports: tuple[int, int] = relay.PORTS,
) -> str:
    """The file for coturn. elsewhere: addresses of its machine, if it is not this one.

    Raises ValueError.
    """
    bound = settings.media_bind or own_addresses()
    own = tuple(ip_address(own_address(address)) for address in bound)
    announced = tuple(ip_address(address) for address in settings.announce_ip)
    outside = next((a for a in announced if a.version == 4 and a not in own), None)
    return relay.coturn_file(
        tuple(relay.read_url(url) for url in settings.turn_urls),
        turn_secret(settings),
        workers=announced or own,
        addresses=elsewhere or own,
        outside=None if elsewhere else outside,
        certificate=certificate,
        ports=ports,
    )


@dataclass(frozen=True)
class Link:
    """An invitation as people get it, and the code it is called by."""

    url: str
    code: str


def new_link(settings: Settings, as_facilitator: bool, group: str = identity.HOME) -> Link:
    """A fresh invitation to the circle of this server; the group's secret is not in it."""
    key, nonce = server_key(settings), secrets.token_bytes(8)
    until = Millis(SystemClock().now() + settings.link_days * DAY_MS)
    invitation = identity.Invitation(group, as_facilitator)
    token = identity.make_link(key, invitation, nonce, until)
    return Link(f"{settings.url}/join#{token}", identity.link_code(key, nonce))


def build(settings: Settings, speed: float = 1.0) -> FastAPI:
    """The app; everything that runs lives inside its lifespan.

    speed: of the circles' clock; another than 1 is for rehearsals and their tests.
    """
    key = server_key(settings)
    clock = SystemClock(speed)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if settings.database.startswith("sqlite"):
                await migrate(settings.database)
            engine = open_engine(settings.database)
            stack.push_async_callback(engine.dispose)
            journal = SqlJournal(engine)
            # The workers' callbacks need the host and the host needs the workers.
            bind = settings.media_bind or own_addresses()
            tcp = settings.has_media_tcp(bind)
            if settings.media_tcp and not tcp:
                logger.warning("no media over TCP: HTTP has port=%d there", settings.port)
            media = MediaPool(
                folder=settings.data.absolute(),
                workers=settings.media_workers,
                bind=bind,
                port=settings.udp_port,
                tcp=tcp,
                announce=settings.announce_ip,
                lease_ms=round(settings.media_lease_s * 1000),
                on_streams=lambda c, s, mids: host.set_streams(c, s, mids),
                on_demand=lambda c, s, high: host.set_demand(c, s, high),
                on_media=lambda c, s, state: host.media_changed(c, s, state),
                on_lines=lambda c, lines: host.set_lines(c, lines),
                on_restart=lambda circles: host.media_restarted(circles),
            )
            sheets = SqlSheets(engine, shipped())
            await sheets.forget_unused(clock.now())
            encrypted = settings.encryption_off is None
            host = Host(journal, media, sheets, clock, settings.screen_share, encrypted)
            await media.start()

            async def stop_media() -> None:
                await media.stop(for_good=not app.state.media_goes_on)

            stack.push_async_callback(stop_media)
            await stack.enter_async_context(host)
            blocks = await stack.enter_async_context(BlockList(SqlBlocks(engine), SystemClock()))
            await stack.enter_async_context(Desk(settings.data, blocks))
            local = f"http://{settings.host}:{settings.port}"
            rooms = await stack.enter_async_context(
                PracticeRooms(key, clock.now, host.is_open, local)
            )
            app.state.practice = rooms
            app.state.sockets = Sockets(
                host, blocks, clock, key, settings.origins, relays(settings)
            )
            app.state.blocks = blocks
            app.state.checks = SqlChecks(engine)
            app.state.media = media
            app.state.host = host
            yield

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # Else OTEL_* variables in the environment would switch on an exporter by themselves.
        telemetry={"auto_configure": False},
    )

    app.state.media_goes_on = False

    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await app.state.sockets.serve(socket)

    async def is_ready() -> bool:
        return bool(app.state.media.is_up)

    def find_block(group: str, code: str) -> Block | None:
        blocks: BlockList = app.state.blocks
        return blocks.find(group, code)

    def checks() -> Checks:
        found: Checks = app.state.checks
        return found

    def invite(group: str, as_facilitator: bool) -> tuple[str, str]:
        fresh = new_link(settings, as_facilitator, group)
        return fresh.url, fresh.code

    app.include_router(
        links.router(key, clock.now, find_block, checks, invite, settings.encryption_off)
    )

    def rooms() -> PracticeRooms:
        found: PracticeRooms = app.state.practice
        return found

    app.include_router(practice.router(key, clock.now, find_block, rooms, settings.url))
    app.include_router(health.router(is_ready))
    pages.add_pages(app, client.FOLDER)
    app.add_middleware(pages.Headers, screens=settings.screen_share)
    return app


def say_goodbye(app: object) -> None:
    """Tell everybody that the server goes down and will be back, while their lines still work."""
    if isinstance(app, FastAPI) and hasattr(app.state, "host"):
        app.state.host.say_goodbye()


def keep_media(app: object, goes_on: bool) -> None:
    """Whether the media workers outlive this server, for the lease, once it ends.

    Whatever is about to start another server wants it; who ends this one for good does not.
    """
    if isinstance(app, FastAPI):
        app.state.media_goes_on = goes_on
