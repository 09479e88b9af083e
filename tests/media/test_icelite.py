"""Only who proves to know our password is answered, heard and followed."""

from __future__ import annotations

from collections import Counter

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from peermeet.media.icelite import MAX_VALIDATED, Agent, IceLite

HOME, AWAY = ("192.0.2.1", 4000), ("192.0.2.2", 5000)


def check(agent: Agent, pwd: str | None = None, user: str | None = None, use: bool = True) -> bytes:
    """A binding request as a client sends it; pwd "" leaves the integrity out."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = user or f"{agent.ufrag}:{agent.remote_ufrag}"
    if use:
        request.attributes["USE-CANDIDATE"] = None
    if pwd != "":
        request.add_message_integrity((pwd or agent.pwd).encode())
    return bytes(request)


@pytest.fixture
def ice() -> IceLite:
    return IceLite(Counter())


def test_an_authentic_check_is_answered_and_nominates(ice: IceLite) -> None:
    agent = ice.open("them", 0.0)
    told: list[bool] = []
    agent.on_nominated = lambda: told.append(True)
    answer = ice.answer(check(agent), HOME, 1.0)
    assert answer is not None
    response = stun.parse_message(answer)
    assert response.message_class == stun.Class.RESPONSE
    assert response.check_message_integrity(agent.pwd.encode())
    assert response.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert agent.address == HOME and agent.heard_at == 1.0 and told == [True]
    assert ice.by_address == {HOME: agent}


def test_ipv6_addresses_keep_their_four_parts(ice: IceLite) -> None:
    agent = ice.open("them", 0.0)
    home = ("2001:db8::1", 4000, 0, 3)
    answer = ice.answer(check(agent), home, 1.0)
    assert answer is not None
    assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == home[:2]
    assert agent.address == home


@pytest.mark.parametrize(
    ("pwd", "user"), [("", None), ("wrong", None), (None, "nobody:them"), (None, "{}:other")]
)
def test_nothing_else_is_answered(ice: IceLite, pwd: str | None, user: str | None) -> None:
    agent = ice.open("them", 0.0)
    datagram = check(agent, pwd, user and user.format(agent.ufrag))
    assert ice.answer(datagram, HOME, 1.0) is None
    assert agent.address is None and not ice.by_address and agent.heard_at == 0.0


def test_a_check_without_nomination_only_validates(ice: IceLite) -> None:
    agent = ice.open("them", 0.0)
    assert ice.answer(check(agent, use=False), HOME, 1.0)
    assert agent.address is None and ice.by_address == {HOME: agent}


def test_a_client_that_moves_is_followed(ice: IceLite) -> None:
    agent = ice.open("them", 0.0)
    ice.answer(check(agent), HOME, 1.0)
    ice.answer(check(agent), AWAY, 2.0)
    assert agent.address == AWAY
    assert set(ice.by_address) == {HOME, AWAY}


def test_an_agent_keeps_few_addresses_and_never_drops_its_own(ice: IceLite) -> None:
    agent = ice.open("them", 0.0)
    ice.answer(check(agent), HOME, 1.0)
    for port in range(100):
        assert ice.answer(check(agent, use=False), ("192.0.2.3", port), 1.0)
    assert len(ice.by_address) == len(agent.validated) == MAX_VALIDATED
    assert ice.by_address[HOME] is agent


def test_an_address_belongs_to_its_first_owner_until_closed(ice: IceLite) -> None:
    ana, ben = ice.open("ana", 0.0), ice.open("ben", 0.0)
    ice.answer(check(ana), HOME, 1.0)
    assert ice.answer(check(ben), HOME, 2.0) is None
    assert ice.by_address[HOME] is ana and ben.address is None
    ice.close(ana)
    ice.close(ana)
    assert not ice.by_address
    assert ice.answer(check(ben), HOME, 3.0)
    assert ice.answer(check(ana), AWAY, 3.0) is None


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_and_get_nothing(datagram: bytes) -> None:
    assert IceLite(Counter()).answer(datagram, HOME, 0.0) is None


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_check_is_never_answered(changes: list[tuple[int, int]]) -> None:
    ice = IceLite(Counter())
    agent = ice.open("them", 0.0)
    original = check(agent)
    changed = bytearray(original)
    for at, value in changes:
        changed[at % len(changed)] = value
    # The fingerprint at the end guards nothing that authentication does not.
    if bytes(changed[:-8]) != original[:-8]:
        assert ice.answer(bytes(changed), HOME, 0.0) is None
