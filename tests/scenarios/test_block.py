"""The last step: an admin blocks the link somebody came by."""

import asyncio
import json
import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.scenarios.client import LIMIT_S, Client
from tests.scenarios.conftest import Seat
from tests.scenarios.server import Server
from tests.scenarios.test_bad_input import ask

AWAY_S = 5.0  # promised: from the admin's command to the last word
WORDS = "This can be talked about: “hello@circle.example”, we read it on Mondays."


def day(days: int) -> str:
    """A day by the calendar of the server."""
    return str(datetime.now(UTC).date() + timedelta(days=days))


def personal(server: Server) -> tuple[str, str]:
    """Code and token of a link for one person."""
    told = server.admin("link", "--role", "participant", "--for-one")
    assert told.returncode == 0, told.stderr
    code, url = told.stdout.split()
    return code, url.split("#")[1]


async def block(server: Server, code: str, review_on: str) -> str:
    """What the admin reads after blocking a link."""
    words = ("block", code, "--review", review_on, "--appeal", WORDS)
    told = await asyncio.to_thread(server.admin, *words)
    assert told.returncode == 0, told.stderr
    return told.stdout


async def answer_to(server: Server, link: str | None = None, resume: str = "") -> dict[str, object]:
    """The goodbye to somebody who tries to come in with these."""
    somebody = Client(server.url, link, "Somebody")
    somebody.resume = resume
    with pytest.raises(ConnectionError):
        await somebody.join()
    await somebody.drop()
    return somebody.bye


async def test_a_blocked_person_is_sent_away_kindly_and_cannot_come_back(
    server: Server, person: Seat
) -> None:
    code, link = personal(server)
    fay, ana, ben = person("Fay"), person("Ana"), person("Ben")
    ana.link = link
    for each in (fay, ana, ben):
        await each.join()
    await fay.meet()
    await ana.meet()
    await fay.speak()
    await ana.until(lambda: ana.heard[fay.seat, fay.pitch])
    peer, seat, review_on = ana.peer, ana.seat, day(30)
    assert peer is not None

    asked_at = time.monotonic()
    said = await block(server, code.lower(), review_on)
    await asyncio.wait_for(_end(ana), AWAY_S)
    assert time.monotonic() - asked_at < AWAY_S
    kind = {"words": WORDS, "review_on": review_on}
    goodbye = {"kind": "bye", "code": "blocked", "again": False, **kind}
    assert (ana.bye, ana.close_code) == (goodbye, 1000)
    assert f"{code} is blocked. Sent away: 1." in said
    await fay.until(lambda: seat not in {s["id"] for s in fay.view["seats"]})
    await _hang_up(ana)
    left = {"kind": "seat_left", "seat": seat, "index": None}
    assert left in fay.notices, "the others hear no reason"

    async def every_way_is_closed() -> None:
        assert await answer_to(server, link) == goodbye
        assert await answer_to(server, link, ana.resume) == goodbye
        status, _, body = await ask(server, "/api/link", {"link": link})
        assert (status, json.loads(body)) == (403, {"error": "blocked", **kind})

    await every_way_is_closed()
    assert await answer_to(server, None, ana.resume) == goodbye
    assert ben.bye == {} and fay.bye == {}
    other = Client(server.url, personal(server)[1], "Cleo")
    await other.join()
    await other.leave()

    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.start)
    await fay.join()
    await every_way_is_closed()

    listed = await asyncio.to_thread(server.admin, "blocks")
    assert code in listed.stdout and review_on in listed.stdout and WORDS in listed.stdout
    assert (await asyncio.to_thread(server.admin, "unblock", code)).returncode == 0
    back = Client(server.url, link, "Ana")
    await back.join()
    await back.leave()


async def test_a_shared_link_blocks_all_who_came_by_it_and_a_restart_forgets_nobody(
    server: Server, person: Seat
) -> None:
    """Ana and Ben came by one link, and kept only what brings them back to their seats."""
    code, link = personal(server)
    fay, ana, ben = person("Fay"), person("Ana"), person("Ben")
    ana.link = ben.link = link
    for each in (fay, ana, ben):
        await each.join()
    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.start)
    await fay.join()
    ana.link = ben.link = None
    await ana.join()
    # Ben is away: the new server learns by which link he came when he comes back.
    said = await block(server, code, day(1))
    assert "Sent away: 1." in said
    await _end(ana)
    assert ana.bye["code"] == "blocked"
    assert (await answer_to(server, None, ben.resume))["code"] == "blocked"
    await fay.until(lambda: ana.seat not in {s["id"] for s in fay.view["seats"]})


async def test_a_block_can_be_renewed_and_ended_and_its_review_is_soon_enough(
    server: Server,
) -> None:
    code, _ = personal(server)
    assert "No link is blocked." in server.admin("blocks").stdout
    for review_on in (day(-1), day(0), day(367)):
        refused = server.admin("block", code, "--review", review_on, "--appeal", WORDS)
        assert refused.returncode == 1 and "after today" in refused.stderr
    await block(server, code, day(1))
    await block(server, code, day(366))
    listed = server.admin("blocks").stdout
    assert listed.count(code) == 1 and day(366) in listed and day(366 + 31) in listed
    assert server.admin("unblock", code).returncode == 0
    again = server.admin("unblock", code)
    assert again.returncode == 1 and f"{code} is not blocked." in again.stderr


def test_the_desk_is_the_admins_alone_and_bears_nonsense(server: Server) -> None:
    path = Path(server.data, "admin.sock")
    assert path.stat().st_mode & 0o077 == 0 and server.data.stat().st_mode & 0o077 == 0
    for nonsense in (b"", b"\n", b"{}\n", b'{"kind": "blocks"', b"x" * 20_000, b"\xff\n"):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(LIMIT_S)
            line.connect(os.fspath(path))
            line.sendall(nonsense)
            line.shutdown(socket.SHUT_WR)
            try:
                assert line.recv(100) == b""
            except ConnectionResetError:
                pass  # It was closed before all of it was read.
    assert server.admin("blocks").returncode == 0
    assert "Traceback" not in server.log


async def _end(client: Client) -> None:
    """Return when the server has closed this client's line."""
    try:
        await client.until(lambda: client.close_code)
    except ConnectionError:
        pass


async def _hang_up(client: Client) -> None:
    """Return when the media connection has ended, from the other side."""
    assert client.peer is not None
    ended = asyncio.Event()
    client.peer.on("connectionstatechange", ended.set)
    async with asyncio.timeout(LIMIT_S):
        while client.peer.connectionState != "closed":
            await ended.wait()
            ended.clear()
