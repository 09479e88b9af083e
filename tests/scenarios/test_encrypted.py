"""What an encrypted circle takes on the wire, and what it never does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.client import Client, Refused
from tests.scenarios.server import Server
from tests.scenarios.test_bad_input import ask

CHECKS = ("a" * 22, "b" * 22, "c" * 22)


def sealing(url: str, link: str, name: str) -> Client:
    """Somebody with a sealed profile; what is in it is nobody's business here."""
    person = Client(url, link, name)
    person.profile = {"sealed": f"sealed-{name}"}
    return person


@pytest.fixture(scope="module")
def secret_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder), encrypted=True)
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest_asyncio.fixture
async def two(secret_server: Server) -> AsyncIterator[tuple[Client, Client]]:
    fay = sealing(secret_server.url, secret_server.facilitator, "Fay")
    ana = sealing(secret_server.url, secret_server.participant, "Ana")
    await fay.join()
    await ana.join()
    yield fay, ana
    await fay.do("end_circle")
    for person in (fay, ana):
        await person.drop()


async def test_profiles_words_and_keys_pass_through_sealed(two: tuple[Client, Client]) -> None:
    fay, ana = two
    assert fay.welcome["encrypted"] and fay.welcome["circle"] == ana.welcome["circle"]
    await fay.until(lambda: len(fay.view["seats"]) == 2)
    await ana.post({"kind": "keys", "to": {fay.seat: "for-fay", "s99": "for-nobody"}})
    await fay.until(lambda: fay.others["keys"])
    assert fay.others["keys"] == [{"kind": "keys", "seat": ana.seat, "sealed": "for-fay"}]
    await fay.request("say", to="all", sealed="words")
    await ana.until(lambda: ana.others["said"])
    said = ana.others["said"][0]
    assert (said["seat"], said["sealed"], said["text"]) == (fay.seat, "words", None)


async def test_what_is_not_sealed_is_refused(
    secret_server: Server, two: tuple[Client, Client]
) -> None:
    fay, ana = two
    plain = Client(secret_server.url, secret_server.participant, "Ben")
    with pytest.raises(ConnectionError):
        await plain.join()
    assert plain.bye == {"kind": "bye", "code": "seal_needed", "again": False}
    with pytest.raises(Refused, match="seal_needed"):
        await fay.request("say", to="all", text="in clear")
    with pytest.raises(Refused, match="bad_frame"):
        await fay.request("say", to="all", text="both", sealed="both")
    with pytest.raises(Refused, match="bad_frame"):
        await fay.request("say", to="all")
    with pytest.raises(Refused, match="bad_frame"):
        await fay.request("say", to="all", sealed="not base64url!")
    before = len(ana.faults)
    await ana.post({"kind": "profile", "profile": {"name": "Ana", "color": "teal"}})
    await ana.until(lambda: len(ana.faults) > before)
    assert ana.faults[-1] == "seal_needed"
    for wrong in ({}, {"s1": ""}, {"s1": "x" * 801}, {f"s{n}": "x" for n in range(17)}):
        before = len(ana.faults)
        await ana.post({"kind": "keys", "to": wrong})
        await ana.until(lambda before=before: len(ana.faults) > before)  # type: ignore[misc]
        assert ana.faults[-1] == "bad_frame"
    assert not ana.others["said"] and not fay.others["keys"]


async def test_what_is_sealed_is_refused_where_nobody_could_open_it(server: Server) -> None:
    ana = sealing(server.url, server.participant, "Ana")
    with pytest.raises(ConnectionError):
        await ana.join()
    assert ana.bye["code"] == "not_encrypted"
    plain = Client(server.url, server.participant, "Ana")
    await plain.join()
    assert not plain.welcome["encrypted"]
    with pytest.raises(Refused, match="not_encrypted"):
        await plain.request("say", to="all", sealed="words")
    await plain.post({"kind": "keys", "to": {"s1": "x"}})
    await plain.until(lambda: plain.faults)
    assert plain.faults == ["not_encrypted"]
    await plain.drop()


async def test_a_facilitator_gets_links_and_settles_the_check(secret_server: Server) -> None:
    lead, join = secret_server.facilitator, secret_server.participant

    async def told(link: str) -> object:
        _, _, body = await ask(secret_server, "/api/link", {"link": link})
        return json.loads(body)["encryption"]

    async def post(path: str, **question: object) -> tuple[int, dict[str, str]]:
        status, _, body = await ask(secret_server, path, question)
        return status, json.loads(body)

    assert await told(join) == {"on": True, "check": None, "reason": None}
    status, made = await post("/api/invitation", link=lead, role="participant")
    fresh = made["link"].split("#")[1]
    assert status == 200 and made["code"] and fresh != join
    assert await told(fresh) == await told(join)
    one, two, three = CHECKS
    assert await post("/api/check", link=lead, check=one, old=None) == (200, {"check": one})
    assert await told(join) == {"on": True, "check": one, "reason": None}
    late = {"error": "replaced", "check": one}
    assert await post("/api/check", link=lead, check=two, old=None) == (409, late)
    assert await post("/api/check", link=lead, check=two, old=one) == (200, {"check": two})
    for wrong in (
        {"link": join, "check": three, "old": two},
        {"link": fresh, "role": "participant"},
    ):
        path = "/api/check" if "check" in wrong else "/api/invitation"
        assert await post(path, **wrong) == (403, {"error": "not_allowed"})
    for path, wrong in (
        ("/api/check", {"link": lead, "check": "short", "old": two}),
        ("/api/check", {"link": lead, "check": three}),
        ("/api/invitation", {"link": lead, "role": "admin"}),
        ("/api/invitation", {"link": "x" * 30, "role": "participant"}),
    ):
        assert await post(path, **wrong) == (404, {"error": "bad_link"})
    assert await told(join) == {"on": True, "check": two, "reason": None}
