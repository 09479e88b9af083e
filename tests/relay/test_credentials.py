"""Who may use the relay, for how long, and how much of it."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from peermeet import relay as ours
from peermeet.relay import credential
from tests.relay.coturn import SECRET, WORKERS, Relay, granted, ports, running, shipped
from tests.relay.turn import Refused, Turn
from tests.scenarios.server import free_port

CHANCE = random.Random(4)
Forge = Callable[[int, str, str], tuple[str, str]]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    port, folder = free_port(), tmp_path_factory.mktemp("coturn")
    text = shipped(folder, port, "--address", "127.0.0.1", *ports())
    with running(folder, text, ("127.0.0.1", port)) as relay:
        yield relay


def expired(now: int, *_: str) -> tuple[str, str]:
    return credential(SECRET, "ana", now - CHANCE.choice((5, 60, 300, 86_400, now)))


def of_another_secret(now: int, *_: str) -> tuple[str, str]:
    return credential(CHANCE.choice(("", "secret", SECRET[:-1], SECRET + "x")), "ana", now + 300)


def with_a_longer_life(now: int, username: str, password: str) -> tuple[str, str]:
    return f"{now + CHANCE.randrange(301, 10**8)}:{username.partition(':')[2]}", password


def with_another_name(now: int, username: str, password: str) -> tuple[str, str]:
    at = CHANCE.randrange(username.index(":") + 1, len(username) + 1)
    return username[:at] + CHANCE.choice("abcx: ") + username[at:], password


def with_a_letter_changed(now: int, username: str, password: str) -> tuple[str, str]:
    at = CHANCE.randrange(len(password) - 2)
    return username, password[:at] + ("A" if password[at] != "A" else "B") + password[at + 1 :]


def of_no_time(now: int, *_: str) -> tuple[str, str]:
    name = CHANCE.choice(("", ":", "ana", ":ana", "x:ana", "-1:ana", "0:ana", " :ana", "ana:"))
    return name, CHANCE.choice(("", SECRET, hashlib.sha1(SECRET.encode()).hexdigest()))


FORGED = (
    expired,
    of_another_secret,
    with_a_longer_life,
    with_another_name,
    with_a_letter_changed,
    of_no_time,
)


def test_a_thousand_bad_credentials_open_nothing(relay: Relay) -> None:
    opened = []
    for number in range(1_002):
        forge: Forge = FORGED[number % len(FORGED)]
        now = int(time.time())
        bad = forge(now, *credential(SECRET, "ana-1x", now + 300))
        with Turn(relay.at, *bad) as somebody:
            if granted(somebody.allocate):
                opened.append((forge.__name__, bad))
    assert opened == []
    with relay.client() as ana:
        ana.allocate()
        ana.refresh(0)


def test_one_session_has_its_share_and_leaves_the_others_theirs(relay: Relay) -> None:
    clients = [relay.client("greedy", 300 + n) for n in range(100)]
    try:
        got = [granted(client.allocate) for client in clients]
        assert got == [True] * ours.ALLOCATIONS_EACH + [False] * (100 - ours.ALLOCATIONS_EACH)
        with pytest.raises(Refused) as refused, relay.client("greedy") as another:
            another.allocate()
        assert refused.value.code == 486
        with relay.client("ben") as ben:
            ben.allocate()
            ben.permit(WORKERS[0])
            ben.refresh(0)
    finally:
        for client in clients:
            client.close()


def test_all_together_have_as_many_as_there_are_ports(tmp_path: Path) -> None:
    port = free_port()
    text = shipped(tmp_path, port, "--address", "127.0.0.1", *ports(20))
    with running(tmp_path, text, ("127.0.0.1", port)) as relay, ExitStack() as stack:
        clients = [stack.enter_context(relay.client(f"session-{n}")) for n in range(25)]
        assert [granted(client.allocate) for client in clients] == [True] * 20 + [False] * 5


def test_a_credential_that_ends_opens_nothing_new_and_breaks_nothing_old(relay: Relay) -> None:
    until_s = int(time.time()) + 2
    username, password = credential(SECRET, "bea", until_s)
    with Turn(relay.at, username, password) as bea:
        bea.allocate()
        while True:
            with Turn(relay.at, username, password) as late:
                if not granted(late.allocate):
                    break
                late.refresh(0)
            assert time.time() < until_s + 5  # coturn's own clock may be a second behind
            time.sleep(0.3)  # nothing tells when a second has passed
        assert time.time() >= until_s
        bea.refresh()
        bea.permit(WORKERS[0])


def test_the_relay_answers_no_stranger(relay: Relay) -> None:
    with Turn(relay.at, "", "", limit_s=0.3) as stranger:
        with pytest.raises(TimeoutError):
            stranger.look_around()
