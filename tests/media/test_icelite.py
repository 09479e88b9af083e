"""Only who proves to know our password is answered and heard, and followed if really there."""

from __future__ import annotations

from collections import Counter

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from peermeet.media.icelite import (
    ALONE_CHECK_S,
    ALONE_MEDIA_S,
    ASK_INTERVAL_S,
    CHECK_BURST,
    CHECKS_PER_S,
    MAX_VALIDATED,
    Address,
    Agent,
    Aside,
    IceLite,
)

THEIRS = "their password of 22 or more"
HOME, AWAY = ("192.0.2.1", 4000), ("192.0.2.2", 5000)


def check(agent: Agent, pwd: str | None = None, user: str | None = None, use: bool = True) -> bytes:
    """A binding request as a client sends it; pwd "" leaves the integrity out."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = user or f"{agent.ufrag}:{agent.credentials.remote_ufrag}"
    if use:
        request.attributes["USE-CANDIDATE"] = None
    if pwd != "":
        request.add_message_integrity((pwd or agent.pwd).encode())
    return bytes(request)


class Line:
    """What goes out by one way, and the client at its end."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []

    def sendto(self, datagram: bytes | memoryview, address: Address) -> None:
        self.sent.append((bytes(datagram), address))

    def reply(self, pwd: str = THEIRS) -> bytes:
        """The client's answer to the check it got last."""
        request = stun.parse_message(self.sent[-1][0])
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = HOME
        response.add_message_integrity(pwd.encode())
        return bytes(response)


@pytest.fixture
def ice() -> IceLite:
    return IceLite(Counter())


@pytest.fixture
def line() -> Line:
    return Line()


def speaking(agent: Agent) -> None:
    """From now on every packet of media is authentic."""

    def hear(_: bytes, now: float) -> None:
        agent.heard_at = now

    agent.on_media = hear


def test_an_authentic_check_is_answered_and_nominates(ice: IceLite) -> None:
    agent = ice.open("them", THEIRS, 0.0)
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
    agent = ice.open("them", THEIRS, 0.0)
    home = ("2001:db8::1", 4000, 0, 3)
    answer = ice.answer(check(agent), home, 1.0)
    assert answer is not None
    assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == home[:2]
    assert agent.address == home


@pytest.mark.parametrize(
    ("pwd", "user"), [("", None), ("wrong", None), (None, "nobody:them"), (None, "{}:other")]
)
def test_nothing_else_is_answered(ice: IceLite, pwd: str | None, user: str | None) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    datagram = check(agent, pwd, user and user.format(agent.ufrag))
    assert ice.answer(datagram, HOME, 1.0) is None
    assert agent.address is None and not ice.by_address and agent.heard_at == 0.0


def test_the_first_address_that_passes_serves_until_one_is_nominated(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    told: list[bool] = []
    agent.on_nominated = lambda: told.append(True)
    assert ice.answer(check(agent, use=False), HOME, 1.0)
    assert agent.address == HOME and told == [True]
    assert ice.answer(check(agent, use=False), AWAY, 1.0, line.sendto)
    assert agent.address == HOME and set(ice.by_address) == {HOME, AWAY}
    assert ice.answer(check(agent), AWAY, 1.0, line.sendto)
    ice.answer(line.reply(), AWAY, 1.1)
    assert agent.address == AWAY


def test_a_client_that_moves_is_followed_when_it_answers_from_there(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    ice.answer(check(agent), HOME, 1.0)
    assert ice.answer(check(agent), AWAY, 2.0, line.sendto)
    assert agent.address == HOME
    request = stun.parse_message(line.sent[0][0])
    assert request.attributes["USERNAME"] == f"them:{agent.ufrag}"
    assert request.check_message_integrity(THEIRS.encode())
    assert line.sent[0][1] == AWAY
    ice.answer(line.reply(), AWAY, 2.1)
    assert agent.address == AWAY and agent.sendto == line.sendto
    assert set(ice.by_address) == {HOME, AWAY}
    assert isinstance(ice.by_address[HOME], Aside) and ice.by_address[AWAY] is agent


def test_a_check_that_is_copied_moves_nobody(ice: IceLite, line: Line) -> None:
    """Whoever sees checks can send the same bytes from anywhere, also before the client does."""
    agent = ice.open("them", THEIRS, 0.0)
    seen = check(agent)
    ice.answer(seen, HOME, 1.0, line.sendto)
    for number in range(50):
        ice.answer(seen, AWAY, 2.0 + number, line.sendto)
    # Neither old answers nor guesses nor answers from elsewhere count.
    right = line.reply()
    ice.answer(line.reply("wrong password, also long"), AWAY, 60.0)
    ice.answer(right[:8] + bytes(12) + right[20:], AWAY, 60.0)
    ice.answer(right, HOME, 60.0)
    ice.answer(right, ("192.0.2.3", 1), 60.0)
    assert agent.address == HOME and "ice.migrated" not in ice._counters
    # That one would have.
    ice.answer(right, AWAY, 60.0)
    assert agent.address == AWAY


def test_questions_are_few_and_repeat_their_number(ice: IceLite, line: Line) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    ice.answer(check(agent), HOME, 1.0)
    for number in range(10):
        ice.answer(check(agent), AWAY, 2.0 + number * ASK_INTERVAL_S / 4, line.sendto)
    assert len(line.sent) == 3
    assert len({datagram[8:20] for datagram, _ in line.sent}) == 1


def test_a_new_port_is_noticed_by_media_that_come_from_there_alone(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    speaking(agent)
    ice.answer(check(agent), HOME, 1.0)
    ice.answer(check(agent, use=False), AWAY, 2.0, line.sendto)
    aside = ice.by_address[AWAY]
    for number in range(40):
        # Both are heard: a client with two ways, and late packets.
        aside.on_media(b"", 2.0 + number * 0.02)
        ice.by_address[HOME].on_media(b"", 2.01 + number * 0.02)
    assert not line.sent
    start = 3.0
    aside.on_media(b"", start)
    aside.on_media(b"", start + ALONE_MEDIA_S - 0.01)
    assert not line.sent
    aside.on_media(b"", start + ALONE_MEDIA_S)
    ice.answer(line.reply(), AWAY, start + ALONE_MEDIA_S)
    assert agent.address == AWAY


def test_media_that_do_not_decrypt_say_nothing_about_where_the_client_is(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    ice.answer(check(agent), HOME, 1.0)
    ice.answer(check(agent, use=False), AWAY, 1.0, line.sendto)
    for number in range(40):
        ice.by_address[AWAY].on_media(b"", 2.0 + number)
    assert not line.sent


def test_checks_that_come_from_one_address_alone_are_followed_later(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    ice.answer(check(agent), HOME, 1.0)
    for at in (2.0, 4.0, 6.0):
        # As browsers keep a second pair warm.
        ice.answer(check(agent, use=False), AWAY, at, line.sendto)
        ice.answer(check(agent), HOME, at + 1.0)
    assert not line.sent
    ice.answer(check(agent, use=False), AWAY, 8.0, line.sendto)
    ice.answer(check(agent, use=False), AWAY, 8.0 + ALONE_CHECK_S, line.sendto)
    ice.answer(line.reply(), AWAY, 14.0)
    assert agent.address == AWAY


def test_another_of_our_addresses_is_used_at_once_to_the_same_of_theirs(
    ice: IceLite, line: Line
) -> None:
    agent, other = ice.open("them", THEIRS, 0.0), Line()
    ice.answer(check(agent), HOME, 1.0, line.sendto)
    ice.answer(check(agent, use=False), HOME, 1.0, other.sendto)
    assert agent.sendto == line.sendto
    ice.answer(check(agent), HOME, 1.0, other.sendto)
    assert agent.sendto == other.sendto and not line.sent and not other.sent


def test_a_restart_keeps_the_old_way_until_the_new_one_is_nominated(
    ice: IceLite, line: Line
) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    old = check(agent)
    ice.answer(old, HOME, 1.0)
    told: list[bool] = []
    agent.on_nominated = lambda: told.append(True)
    ufrag, pwd = agent.ufrag, agent.pwd
    ice.restart(agent, "anew", "another password, long enough", 2.0)
    assert agent.ufrag != ufrag and agent.pwd != pwd and agent.address == HOME
    assert ice.answer(old, HOME, 3.0)
    assert ice.answer(check(agent, use=False), AWAY, 3.0, line.sendto)
    assert ice.answer(old, HOME, 3.0)
    ice.answer(check(agent), AWAY, 4.0, line.sendto)
    assert stun.parse_message(line.sent[-1][0]).attributes["USERNAME"].startswith("anew:")
    ice.answer(line.reply("another password, long enough"), AWAY, 4.1)
    assert agent.address == AWAY and told == [True]
    assert ice.answer(old, HOME, 5.0) is None
    assert agent.previous is None
    ice.close(agent)
    assert not ice.by_address and not ice._by_ufrag


def test_a_restart_that_is_overtaken_leaves_nothing_behind(ice: IceLite) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    old = check(agent)
    ice.answer(old, HOME, 1.0)
    ice.restart(agent, "anew", THEIRS, 2.0)
    middle = check(agent)
    ice.restart(agent, "last", THEIRS, 3.0)
    assert ice.answer(middle, HOME, 4.0) is None
    assert ice.answer(old, HOME, 4.0)
    # Nominated on the address it has: nothing moves, and the old credentials end.
    assert ice.answer(check(agent), HOME, 4.0)
    assert ice.answer(old, HOME, 4.0) is None
    ice.close(agent)
    assert not ice._by_ufrag


def test_a_connection_that_ends_is_forgotten_and_sends_nothing(ice: IceLite, line: Line) -> None:
    agent, tcp = ice.open("them", THEIRS, 0.0), ("192.0.2.1", 4000, 7)
    ice.answer(check(agent), tcp, 1.0, line.sendto)
    agent.sendto(b"frame", tcp)
    ice.forget(tcp)
    ice.forget(tcp)
    assert not ice.by_address
    with pytest.raises(OSError):
        agent.sendto(b"frame", tcp)
    # The next one is asked like any other.
    ice.answer(check(agent), HOME, 2.0, line.sendto)
    ice.answer(line.reply(), HOME, 2.0)
    assert agent.address == HOME


def test_an_agent_keeps_few_addresses_and_never_drops_its_own(ice: IceLite) -> None:
    agent = ice.open("them", THEIRS, 0.0)
    ice.answer(check(agent), HOME, 1.0)
    for port in range(100):
        assert ice.answer(check(agent, use=False), ("192.0.2.3", port), 1.0 + port / 10)
    assert len(ice.by_address) == len(agent.validated) == MAX_VALIDATED
    assert ice.by_address[HOME] is agent


def test_checks_of_one_peer_have_an_allowance_and_those_of_others_their_own(ice: IceLite) -> None:
    """Each costs two signatures, and whoever saw one on its way can send it as often again."""
    ana, ben = ice.open("ana", THEIRS, 0.0), ice.open("ben", THEIRS, 0.0)
    answers = sum(ice.answer(check(ana), HOME, number / 5000) is not None for number in range(5000))
    assert CHECK_BURST <= answers <= CHECK_BURST + CHECKS_PER_S
    assert ice._counters["drop.check_flood"] == 5000 - answers
    assert ice.answer(check(ben), AWAY, 1.0)
    assert ice.answer(check(ana), HOME, 1.1)


def test_an_address_belongs_to_its_first_owner_until_closed(ice: IceLite) -> None:
    ana, ben = ice.open("ana", THEIRS, 0.0), ice.open("ben", THEIRS, 0.0)
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
    agent = ice.open("them", THEIRS, 0.0)
    original = check(agent)
    changed = bytearray(original)
    for at, value in changes:
        changed[at % len(changed)] = value
    # The fingerprint at the end guards nothing that authentication does not.
    if bytes(changed[:-8]) != original[:-8]:
        assert ice.answer(bytes(changed), HOME, 0.0) is None
