"""Who gets a credential of the relay: people with a seat, each their own, and nobody else."""

from __future__ import annotations

import json
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.relay.coturn import SECRET, granted, ports, running, shipped
from tests.relay.turn import Turn
from tests.scenarios.client import Client, Refused
from tests.scenarios.server import Server, free_port

URLS = '["turn:relay.example:3478", "turn:relay.example:3478?transport=tcp"]'


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="tn-") as folder:
        server = Server(Path(folder), turn_urls=URLS, turn_secret=SECRET, log_level="debug")
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest.fixture
async def ana(server: Server) -> AsyncIterator[Client]:
    ana = Client(server.url, server.participant, "Ana")
    await ana.join()
    yield ana
    await ana.drop()


def hello(link: str | None, **members: Any) -> dict[str, Any]:
    profile = {"name": "Ana", "color": "teal"}
    return {
        "kind": "hello",
        "version": 3,
        "agreement": 1,
        "profile": profile,
        "link": link,
    } | members


async def told(server: Server, frame: dict[str, Any]) -> str:
    """Everything that is said to somebody whose first frame is this, and after it asks."""
    heard = ""
    async with connect(server.url.replace("http", "ws") + "/ws", proxy=None) as socket:
        try:
            await socket.send(json.dumps(frame))
            await socket.send('{"kind": "get_ice_servers", "ref": "1"}')
            while True:
                heard += str(await socket.recv())
        except ConnectionClosed:
            return heard


def asked_about(server: Server, link: str) -> str:
    """What is said about a link before anybody sits."""
    request = urllib.request.Request(
        server.url + "/api/link",
        json.dumps({"link": link}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as error:
        return str(error.read())


async def test_who_has_no_seat_gets_no_credential(server: Server) -> None:
    good, bad = server.participant, server.participant[:-2] + "AA"
    for first in (
        hello(bad),
        hello(None, resume=good),
        hello(good, version=1),
        hello(good, agreement=0),
        {"kind": "get_ice_servers", "ref": "0"},
        {"kind": "ping"},
    ):
        heard = await told(server, first)
        assert '"bye"' in heard, first
        assert "credential" not in heard and "turn:" not in heard, first
    for link in (good, bad):
        assert "turn:" not in asked_about(server, link)


async def test_a_closed_door_and_a_removal_give_none(server: Server, ana: Client) -> None:
    fay = Client(server.url, server.facilitator, "Fay")
    await fay.join()
    await fay.do("close_door", after_ms=0)
    heard = await told(server, hello(server.participant))
    assert "door_closed" in heard and "credential" not in heard
    await fay.do("remove", seat=ana.seat)
    heard = await told(server, hello(None, resume=ana.resume))
    assert "removed" in heard and "credential" not in heard
    await fay.drop()


async def test_everybody_with_a_seat_gets_their_own_and_a_fresh_one(
    server: Server, ana: Client, tmp_path: Path
) -> None:
    ben = Client(server.url, server.participant, "Ben")
    await ben.join()
    mine, other = ana.welcome["ice_servers"], ben.welcome["ice_servers"]
    assert mine[0]["urls"] == json.loads(URLS)
    until_s, session = mine[0]["username"].split(":")
    assert 290 <= int(until_s) - time.time() <= 300
    assert mine[0]["lasts_ms"] == 300_000
    assert session != other[0]["username"].split(":")[1]

    fresh = (await ana.request("get_ice_servers"))["servers"]
    assert fresh[0]["username"].split(":")[1] == session
    assert int(fresh[0]["username"].split(":")[0]) >= int(until_s)

    port = free_port()
    file = shipped(tmp_path, port, "--address", "127.0.0.1", *ports())
    with running(tmp_path, file, ("127.0.0.1", port)) as relay:
        for each in (*mine, *other, *fresh):
            with Turn(relay.at, each["username"], each["credential"]) as client:
                assert granted(client.allocate)

    # Back at their seat they are a new session: nothing ties the two but the relay's clock.
    await ana.join()
    again = ana.welcome["ice_servers"][0]["username"].split(":")[1]
    assert again != session
    for known in ("Ana", ana.seat, ana.welcome["resume"].split(".")[0]):
        assert known not in (session, again)
    await ben.drop()

    for each in (*mine, *other, *fresh):
        assert each["username"] not in server.log and each["credential"] not in server.log
    assert SECRET not in server.log


async def test_one_person_asks_only_so_often(ana: Client) -> None:
    for _ in range(10):
        assert (await ana.request("get_ice_servers"))["servers"]
    with pytest.raises(Refused, match="too_fast"):
        await ana.request("get_ice_servers")
