"""Whatever comes in by the real socket, nobody else notices: the circle stays as it was."""

import asyncio
import base64
import json
import random
import secrets
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiortc
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from peermeet.core.model import Millis
from peermeet.identity import HOME, KEY_BYTES, Invitation, make_link
from tests.scenarios.client import LIMIT_S, Client, Frame, Refused
from tests.scenarios.server import Server

DAY_MS = 86_400_000
MAX_FRAME_BYTES = 65_536


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all: bad input must not spoil it for the next."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder))
        try:
            server.start()
            yield server
            # uvicorn tells of text that is no UTF-8 with a trace of its own; we have none.
            traces = server.log.split("Traceback")[1:]
            assert all("UnicodeDecodeError" in trace for trace in traces), server.log
        finally:
            server.end()


class Pair:
    """Fay, who leads and holds the floor, and Ana, through whose line the bad input comes."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.fay = Client(server.url, server.facilitator, "Fay")
        self.ana = Client(server.url, server.participant, "Ana")
        self._seen: list[tuple[int, Frame]] = []

    @property
    def number(self) -> int:
        return int(self.fay.view["turn"]["number"])

    async def settle(self) -> list[tuple[int, Frame]]:
        """What both see, once they have read everything up to now."""
        for client in (self.fay, self.ana):
            await client.request("do", command={"kind": "lower_hand"})  # nothing to lower
        return [(client.seq, client.view) for client in (self.fay, self.ana)]

    async def begin(self) -> None:
        await self.fay.join()
        await self.ana.join()
        await self.fay.do("start_phase", mode="round", first=self.fay.seat)
        self._seen = await self.settle()

    async def saw_nothing(self) -> None:
        """No new view has come to either, and both lines are alive."""
        assert await self.settle() == self._seen

    async def ana_is_refused(self, command: Frame) -> str:
        with pytest.raises(Refused) as refusal:
            await self.ana.request("do", command=command)
        return str(refusal.value)

    async def ana_comes_back(self) -> None:
        """By her resume token, to her seat, in the same circle."""
        seat, number = self.ana.seat, self.number
        await self.ana.join()
        assert self.ana.seat == seat
        assert self.ana.view["turn"]["number"] == number

    async def end(self) -> None:
        """The next test finds no circle."""
        if not self.fay.close_code:
            await self.fay.post({"kind": "do", "ref": "end", "command": {"kind": "end_circle"}})
            await self.fay.until(lambda: self.fay.close_code)
        await self.fay.drop()
        await self.ana.drop()


@pytest_asyncio.fixture
async def pair(server: Server) -> AsyncIterator[Pair]:
    pair = Pair(server)
    try:
        await pair.begin()
        yield pair
    finally:
        await pair.end()


def line(server: Server, **options: Any) -> connect:
    """A bare WebSocket."""
    address = server.url.replace("http", "ws", 1) + "/ws"
    return connect(address, **{"compression": None, "proxy": None, **options})


def hello(**members: Any) -> str:
    whole = {
        "kind": "hello",
        "version": 3,
        "agreement": 1,
        "profile": {"name": "Mallory", "color": "clay"},
    }
    return json.dumps({k: v for k, v in (whole | members).items() if v is not None})


async def all_that_comes(socket: ClientConnection) -> list[Frame]:
    """Every frame to the end of the connection."""
    frames = []
    with suppress(ConnectionClosed):
        async with asyncio.timeout(LIMIT_S):
            while True:
                frames.append(json.loads(await socket.recv()))
    return frames


# --- Frames --------------------------------------------------------------------------------------


def do(command: Any, **members: Any) -> str:
    return json.dumps({"kind": "do", "ref": "x", "command": command} | members)


def profile(**members: Any) -> str:
    return json.dumps({"kind": "profile", "profile": {"name": "A", "color": "sky"} | members})


def watch(**members: Any) -> str:
    return json.dumps({"kind": "watch", "video": "all"} | members)


NESTED = "[" * 32_000 + "]" * 32_000
BAD_FRAMES = {
    "nothing": "",
    "half an object": '{"kind":',
    "no object": "[]",
    "null": "null",
    "a number": "42",
    "not a number": "NaN",
    "two objects": '{"kind":"ping"}{"kind":"ping"}',
    "no kind": "{}",
    "kind null": '{"kind": null}',
    "kind a list": '{"kind": ["ping"]}',
    "an unknown kind": '{"kind": "shout"}',
    "a frame of the server": '{"kind": "view", "seq": 1}',
    "another hello": hello(link="x" * 30),
    "a ping with more": '{"kind": "ping", "extra": 1}',
    "deep nesting": NESTED,
    "deep nesting in a member": '{"kind": "ping", "x": ' + NESTED + "}",
    "deep nesting as a command": '{"kind": "do", "ref": "x", "command": ' + NESTED + "}",
    "deep objects": '{"kind":' * 5000 + "1" + "}" * 5000,
    "no ref": '{"kind": "do", "command": {"kind": "raise_hand"}}',
    "an empty ref": do({"kind": "raise_hand"}, ref=""),
    "a long ref": do({"kind": "raise_hand"}, ref="r" * 41),
    "a ref with a space": do({"kind": "raise_hand"}, ref="a b"),
    "a ref of other letters": do({"kind": "raise_hand"}, ref="ä"),
    "a ref with a line break": do({"kind": "raise_hand"}, ref="a\n"),
    "a number as ref": do({"kind": "raise_hand"}, ref=7),
    "more beside the command": do({"kind": "raise_hand"}, seat="s1"),
    "more in the command": do({"kind": "raise_hand", "seat": "s1"}),
    "no command": '{"kind": "do", "ref": "x"}',
    "on as text": do({"kind": "set_mic", "on": "true"}),
    "on as number": do({"kind": "set_mic", "on": 1}),
    "on missing": do({"kind": "set_mic"}),
    "turn as text": do({"kind": "pass_turn", "turn": "1"}),
    "turn as fraction": do({"kind": "pass_turn", "turn": 1.5}),
    "turn as truth": do({"kind": "pass_turn", "turn": True}),
    "turn null": do({"kind": "pass_turn", "turn": None}),
    "turn endless": '{"kind":"do","ref":"x","command":{"kind":"pass_turn","turn":1e999}}',
    "a seat of a number": do({"kind": "remove", "seat": 1}),
    "another extension": do({"kind": "extend", "turn": 1, "by_ms": 61_000}),
    "an unknown mode": do({"kind": "start_phase", "mode": "party"}),
    "an unknown role": do({"kind": "set_roles", "seat": "s1", "roles": ["queen"]}),
    "sdp as a list": '{"kind": "offer", "ref": "x", "sdp": []}',
    "a name that is empty": profile(name=" \t "),
    "a long name": profile(name="n" * 41),
    "half a character": profile(name="\ud800"),
    "an unknown color": profile(color="black"),
    "more in the profile": profile(admin=True),
    "a watch of nothing": '{"kind": "watch"}',
    "an unknown watch": watch(video="some"),
    "a watch with a ref": watch(ref="x"),
    "a seat instead of seats": watch(seats="s1"),
    "seats of numbers": watch(seats=[1]),
    "seats by name": watch(seats={"s1": True}),
    "a seat without a name": watch(seats=[""]),
    "a seat with a long name": watch(seats=["s" * 17]),
    "seventeen seats": watch(seats=[f"s{n}" for n in range(17)]),
}
UNKNOWN_COMMANDS = {
    "an unknown command": do({"kind": "take_over"}),
    "a command without a kind": do({"turn": 1}),
    "a frame as a command": do({"kind": "ping"}),
}


@pytest.mark.parametrize("text", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
async def test_a_malformed_frame_is_a_fault_and_changes_nothing(pair: Pair, text: str) -> None:
    await pair.ana.post(text)
    await pair.ana.until(lambda: pair.ana.faults)
    assert pair.ana.faults == ["bad_frame"]
    await pair.saw_nothing()


@pytest.mark.parametrize("text", UNKNOWN_COMMANDS.values(), ids=UNKNOWN_COMMANDS.keys())
async def test_an_unknown_command_is_a_fault_and_changes_nothing(pair: Pair, text: str) -> None:
    await pair.ana.post(text)
    await pair.ana.until(lambda: pair.ana.faults)
    assert pair.ana.faults == ["unknown_command"]
    await pair.saw_nothing()


async def test_ten_faults_are_borne_and_not_the_eleventh(pair: Pair) -> None:
    for _ in range(10):
        await pair.ana.post("{}")
    await pair.ana.until(lambda: len(pair.ana.faults) == 10)
    await pair.saw_nothing()
    await pair.ana.post("{}")
    await pair.ana.until(lambda: pair.ana.close_code)
    assert pair.ana.bye == {"kind": "bye", "code": "bad_frame", "again": False}
    assert pair.ana.close_code == 1008
    await pair.ana_comes_back()


async def test_a_binary_frame_ends_the_line(pair: Pair) -> None:
    await pair.ana.post(b'{"kind": "ping"}')
    await pair.ana.until(lambda: pair.ana.close_code)
    assert (pair.ana.bye["code"], pair.ana.close_code) == ("bad_frame", 1008)
    await pair.ana_comes_back()


async def test_a_frame_may_be_65536_bytes_long_and_no_longer(pair: Pair) -> None:
    wish = do({"kind": "raise_hand"})
    await pair.ana.post(wish + " " * (MAX_FRAME_BYTES - len(wish)))
    await pair.ana.until(lambda: pair.ana.view["hands"] == [pair.ana.seat])
    await pair.ana.do("lower_hand")
    await pair.ana.post(wish + " " * (MAX_FRAME_BYTES - len(wish) + 1))
    await pair.ana.until(lambda: pair.ana.close_code)
    assert (pair.ana.bye, pair.ana.close_code) == ({}, 1009)
    await pair.ana_comes_back()
    assert pair.ana.view["hands"] == []


async def test_text_that_is_no_utf8_ends_the_line(pair: Pair) -> None:
    assert pair.ana._socket is not None
    await pair.ana._socket.send(b'{"kind": "\xff"}', text=True)
    await pair.ana.until(lambda: pair.ana.close_code)
    assert pair.ana.close_code == 1007
    await pair.ana_comes_back()


async def test_a_flood_is_slowed_and_then_ended(pair: Pair) -> None:
    with suppress(ConnectionClosed):
        for _ in range(2_000):
            await pair.ana.post({"kind": "ping"})
    await pair.ana.until(lambda: pair.ana.close_code)
    assert pair.ana.faults == ["too_fast"] * 10
    assert (pair.ana.bye["code"], pair.ana.close_code) == ("too_fast", 1008)
    await pair.fay.do("raise_hand")
    await pair.ana_comes_back()


async def test_who_changes_what_to_watch_without_end_is_slowed(pair: Pair) -> None:
    for number in range(24):
        await pair.ana.post(watch(seats=[] if number % 2 else None))
    await pair.ana.until(lambda: len(pair.ana.faults) >= 3)
    assert set(pair.ana.faults) == {"too_fast"}
    await pair.saw_nothing()


async def test_a_watch_is_answered_by_nothing_and_changes_nothing(pair: Pair) -> None:
    for seats in (None, [], ["s1"], ["s99"], ["s1"] * 16):
        for video in ("all", "holder", "none"):
            await pair.ana.post(watch(video=video, seats=seats))
    await pair.saw_nothing()
    assert pair.ana.faults == []


async def test_compression_is_not_agreed(server: Server) -> None:
    async with line(server, compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


# --- Commands ------------------------------------------------------------------------------------

FACILITATORS_ONLY: tuple[Frame, ...] = (
    *({"kind": kind, "turn": 1} for kind in ("next_turn", "back", "hold_clock", "release_clock")),
    {"kind": "give_turn", "turn": 1, "seat": "s2"},
    {"kind": "extend", "turn": 1, "by_ms": 60_000},
    {"kind": "start_phase", "mode": "talk"},
    *(
        {"kind": kind, "seat": "s1"}
        for kind in ("hold_mic", "release_mic", "cover_camera", "uncover_camera", "remove")
    ),
    {"kind": "set_roles", "seat": "s2", "roles": ["facilitator"]},
    *(
        {"kind": kind}
        for kind in ("pause_circle", "resume_circle", "close_door", "open_door", "end_circle")
    ),
    {"kind": "lower_hand", "seat": "s1"},
    {"kind": "stop_share", "seat": "s1"},
)


@pytest.mark.parametrize("command", FACILITATORS_ONLY, ids=lambda command: command["kind"])
async def test_a_member_cannot_lead(pair: Pair, command: Frame) -> None:
    assert await pair.ana_is_refused(command) == "not_allowed"
    await pair.saw_nothing()


async def test_commands_about_other_turns_seats_and_lengths_are_refused(pair: Pair) -> None:
    turn = {"turn": pair.number}
    assert await pair.ana_is_refused({"kind": "pass_turn"} | turn) == "not_your_turn"
    assert await pair.ana_is_refused({"kind": "later"} | turn) == "not_your_turn"
    assert await pair.ana_is_refused({"kind": "set_mic", "on": True}) == "floor_taken"
    for number in (pair.number + 1, -1, 10**30):
        assert await pair.ana_is_refused({"kind": "pass_turn", "turn": number}) == "stale_turn"
        with pytest.raises(Refused, match="stale_turn"):
            await pair.fay.do("next_turn", turn=number)
    with pytest.raises(Refused, match="no_such_seat"):
        await pair.fay.do("remove", seat="s99")
    for wrong in ({"turn_ms": -1}, {"turn_ms": 10**30}, {"length_ms": 0}, {"warn_ms": -5}):
        with pytest.raises(Refused, match="bad_phase"):
            await pair.fay.do("start_phase", mode="round", **wrong)
    with pytest.raises(Refused, match="no_such_seat"):
        await pair.fay.do("start_phase", mode="round", first="s99")
    await pair.saw_nothing()


async def test_a_group_that_shows_no_screens_refuses_everybody(pair: Pair) -> None:
    assert await pair.ana_is_refused({"kind": "start_share"}) == "screens_off"
    with pytest.raises(Refused, match="screens_off"):
        await pair.fay.do("start_share")
    await pair.saw_nothing()


async def test_two_who_press_next_at_once_move_the_floor_once(pair: Pair) -> None:
    before = pair.number
    press = {"kind": "next_turn", "turn": before}
    await asyncio.gather(*(pair.fay.request("do", command=press) for _ in range(2)))
    await pair.ana.until(lambda: pair.ana.view["turn"]["seat"] == pair.ana.seat)
    assert (await pair.settle())[1][1]["turn"]["number"] == before + 1


# --- Hello ---------------------------------------------------------------------------------------


async def refused_hello(server: Server, text: str) -> tuple[str, int | None]:
    """Send a first frame; the code of the bye that must be the only answer, and the close code."""
    async with line(server) as socket:
        await socket.send(text)
        (bye,) = await all_that_comes(socket)
        assert bye["kind"] == "bye" and bye["again"] is False
        return bye["code"], socket.close_code


async def test_who_does_not_say_hello_in_five_seconds_is_sent_away(pair: Pair) -> None:
    began = time.monotonic()
    async with line(pair.server) as socket:
        (bye,) = await all_that_comes(socket)
        assert (bye["code"], socket.close_code) == ("hello_first", 1008)
    assert time.monotonic() - began > 4.5
    await pair.saw_nothing()


async def test_a_first_frame_that_is_no_good_hello_gives_no_seat(pair: Pair) -> None:
    link = pair.server.participant
    for text, code, close in (
        ('{"kind": "ping"}', "hello_first", 1008),
        (do({"kind": "end_circle"}), "hello_first", 1008),
        ("{", "bad_frame", 1008),
        (NESTED, "bad_frame", 1008),
        (hello(link=link, profile=None), "bad_frame", 1008),
        (hello(link=link, admin=True), "bad_frame", 1008),
        (hello(link=link, version="1"), "bad_frame", 1008),
        (hello(link=link, version=1), "bad_version", 1000),
        (hello(link=link, version=0), "bad_version", 1000),
        (hello(link=link, agreement=0), "agreement_needed", 1000),
        (hello(link=link, agreement=2), "agreement_needed", 1000),
        (hello(), "bad_link", 1000),
    ):
        assert await refused_hello(pair.server, text) == (code, close), text[:80]
    await pair.saw_nothing()


def altered(token: str) -> Iterator[str]:
    """The token with one letter changed, at each place."""
    for place in range(len(token)):
        if token[place] != ".":
            yield token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


async def test_a_link_or_a_seat_cannot_be_forged(pair: Pair) -> None:
    link, resume = pair.server.participant, pair.ana.resume
    body, mac = link.split(".")
    other_mac = pair.server.facilitator.split(".")[1]
    invitation = Invitation(HOME, as_facilitator=True)
    now = Millis(int(time.time() * 1000))
    strangers = make_link(secrets.token_bytes(KEY_BYTES), invitation, bytes(8), Millis(2 * now))
    links = [
        *random.Random(1).sample(list(altered(link)), 12),
        f"{body}.{other_mac}",
        f"{body}.",
        f".{mac}" + "A" * 20,
        f"{body}.{mac}.{mac}A",
        base64.urlsafe_b64encode(secrets.token_bytes(60)).decode().rstrip("="),
        "." * 30,
        "short",
        strangers,
        resume,  # the one is not the other
    ]
    for token in links:
        assert await refused_hello(pair.server, hello(link=token)) == ("bad_link", 1000), token
    for token in [*random.Random(2).sample(list(altered(resume)), 12), link, strangers]:
        assert await refused_hello(pair.server, hello(resume=token)) == ("bad_resume", 1000), token
    for token in ("ä" * 30, "", "x" * 201, link + "\n"):
        assert await refused_hello(pair.server, hello(link=token)) == ("bad_frame", 1008), token
    await pair.saw_nothing()


async def test_a_link_works_until_its_last_day_is_over(pair: Pair) -> None:
    key = (pair.server.data / "secret.key").read_bytes()
    now = int(time.time() * 1000)
    member = Invitation(HOME, as_facilitator=False)
    expired = make_link(key, member, bytes(8), Millis(now - DAY_MS))
    assert await refused_hello(pair.server, hello(link=expired)) == ("bad_link", 1000)
    assert (await ask(pair.server, "/api/link", {"link": expired}))[0] == 404
    await pair.saw_nothing()
    ben = Client(pair.server.url, make_link(key, member, bytes(8), Millis(now)), "Ben")
    await ben.join()
    await ben.leave()


async def test_who_was_removed_stays_out_and_who_left_may_come_again(pair: Pair) -> None:
    ana, seat = pair.ana, pair.ana.seat
    await pair.fay.do("remove", seat=seat)
    await ana.until(lambda: ana.close_code)
    assert ana.bye == {"kind": "bye", "code": "removed", "again": False}
    for link in (None, pair.server.participant):
        text = hello(resume=ana.resume, link=link)
        assert await refused_hello(pair.server, text) == ("removed", 1000)
    await pair.fay.do("open_door")
    ben = Client(pair.server.url, pair.server.participant, "Ben")
    await ben.join()
    seat = ben.seat
    await ben.leave()
    text = hello(resume=ben.resume)
    assert await refused_hello(pair.server, text) == ("bad_resume", 1000)
    await ben.join()  # by both
    assert ben.seat != seat
    await ben.leave()


async def test_a_seat_has_one_line_and_the_newer_takes_over(pair: Pair) -> None:
    again = Client(pair.server.url, None, "Ana")
    again.resume = pair.ana.resume
    await again.join()
    assert again.seat == pair.ana.seat
    await pair.ana.until(lambda: pair.ana.close_code)
    assert pair.ana.bye == {"kind": "bye", "code": "replaced", "again": False}
    await pair.fay.do("raise_hand")
    assert all(seat["present"] for seat in pair.fay.view["seats"])
    await again.drop()


# --- Who may open a socket -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    (
        "http://evil.example",
        "null",
        "",
        "http://sub.localhost:{port}",
        "http://localhost:1{port}",
        "http://localhost",
        "https://localhost:{port}",
        "http://localhost:{port}.evil.example",
        "http://localhost:{port}@evil.example",
        "http://evil.example/http://localhost:{port}",
        "http://localhost:{port}/",
        "http://xlocalhost:{port}",
        "http://127.0.0.1.evil.example:{port}",
        "http://localhost:{port}, http://evil.example",
    ),
)
async def test_a_page_from_elsewhere_gets_no_socket(server: Server, origin: str) -> None:
    headers = {"Origin": origin.format(port=server.port)}
    with pytest.raises(InvalidStatus) as refusal:
        async with line(server, additional_headers=headers):
            pass
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("origin", (None, "http://localhost:{port}", "http://127.0.0.1:{port}"))
async def test_our_own_pages_and_programs_get_one(server: Server, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin.format(port=server.port)}
    async with line(server, additional_headers=headers) as socket:
        await socket.send(hello(link="x" * 30))
        assert (await all_that_comes(socket))[0]["code"] == "bad_link"


async def test_no_address_holds_more_than_32_lines_without_a_hello(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        opened = await asyncio.gather(
            *(stack.enter_async_context(line(pair.server)) for _ in range(60)),
            return_exceptions=True,
        )
        lines = [socket for socket in opened if isinstance(socket, ClientConnection)]
        others = [error for error in opened if isinstance(error, InvalidStatus)]
        assert len(lines) == 32 and len(others) == 28
        assert {error.response.status_code for error in others} == {403}
        await pair.saw_nothing()  # who has a seat is not bothered
        await lines[0].send(hello(link=pair.server.participant))
        assert json.loads(await lines[0].recv())["kind"] == "welcome"
        async with line(pair.server) as socket:  # that place is free again
            await socket.ping()


# --- Session descriptions ------------------------------------------------------------------------


@pytest_asyncio.fixture
async def offer() -> str:
    """What a good client offers."""
    peer = aiortc.RTCPeerConnection(
        aiortc.RTCConfiguration([], bundlePolicy=aiortc.RTCBundlePolicy.MAX_BUNDLE)
    )
    for way in ("sendonly", "recvonly"):
        peer.addTransceiver("audio", direction=way)
        peer.addTransceiver("video", direction=way)
    await peer.setLocalDescription(await peer.createOffer())
    text: str = peer.localDescription.sdp
    await peer.close()
    return text


async def data_channel_only() -> str:
    peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration([]))
    peer.createDataChannel("chat")
    await peer.setLocalDescription(await peer.createOffer())
    text: str = peer.localDescription.sdp
    await peer.close()
    return text


def without(offer: str, start: str) -> str:
    kept = [line for line in offer.splitlines() if not line.startswith(start)]
    assert len(kept) < len(offer.splitlines())
    return "\r\n".join(kept) + "\r\n"


def instead(offer: str, old: str, new: str) -> str:
    assert old in offer
    return offer.replace(old, new)


async def offered(ana: Client, sdp: str) -> str | None:
    """None when it was answered, else the code of the refusal. At most 10 on one line."""
    try:
        answer = await ana.request("offer", sdp=sdp)
    except Refused as refusal:
        return str(refusal)
    assert answer["sdp"].startswith("v=0")
    return None


async def test_an_offer_that_cannot_be_used_is_refused(pair: Pair, offer: str) -> None:
    first, *sections = offer.split("m=")
    bad = {
        "empty": "",
        "a word": "hello",
        "a null": "\0" * 100,
        "huge": "a" * 60_000,
        "huge and almost right": offer + "a=x:y\r\n" * 4_000,
        "other letters": instead(offer, "v=0", "v=0\r\ns=ä"),
        "session only": first,
        "no session": "m=" + "m=".join(sections),
        "data channel only": await data_channel_only(),
        "no fingerprint": without(offer, "a=fingerprint:sha-256"),
        "no user": without(offer, "a=ice-ufrag"),
        "no password": without(offer, "a=ice-pwd"),
        "a short password": instead(offer, "a=ice-pwd:", "a=ice-pwd:x\r\na=y:"),
        "no bundle": without(offer, "a=group:BUNDLE"),
        "no mids": without(offer, "a=mid"),
        "equal mids": instead(offer, "a=mid:1", "a=mid:0"),
        "another codec": instead(offer, "opus/48000/2", "speex/8000"),
        "no encryption": instead(offer, "UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        "ice-lite": instead(offer, "t=0 0", "t=0 0\r\na=ice-lite"),
        "passive": instead(offer, "a=setup:actpass", "a=setup:passive"),
        "36 sections": first + "m=".join(["", *sections * 9]),
        "sends twice": offer.replace("recvonly", "sendonly"),
    }
    for count, (name, sdp) in enumerate(bad.items()):
        if count % 9 == 8:
            await pair.ana_comes_back()
        assert await offered(pair.ana, sdp) == "bad_sdp", name
    await pair.ana_comes_back()
    seen = await pair.settle()
    await pair.ana.meet()
    assert await pair.settle() == seen


async def test_no_mutation_of_an_offer_harms_the_circle(pair: Pair, offer: str) -> None:
    chance = random.Random(7)
    outcomes = set()
    for count in range(72):
        if count % 9 == 8:
            await pair.ana_comes_back()
        lines = offer.splitlines()
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(lines))
            match chance.randrange(5):
                case 0:
                    del lines[place]
                case 1:
                    lines.insert(chance.randrange(len(lines)), lines[place])
                case 2:
                    lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
                case 3:
                    lines[place] += chance.choice(("\0", " ", "%n", "-1", "9" * 400, "é", ":"))
                case _:
                    other = chance.randrange(len(lines))
                    lines[place], lines[other] = lines[other], lines[place]
        outcomes.add(await offered(pair.ana, "\r\n".join(lines) + "\r\n"))
    assert outcomes == {None, "bad_sdp"}
    await pair.ana_comes_back()
    seen = await pair.settle()
    await pair.ana.meet()
    assert await pair.settle() == seen


async def test_who_offers_without_end_is_slowed(pair: Pair) -> None:
    refusals = [await offered(pair.ana, "x") for _ in range(14)]
    assert refusals[:10] == ["bad_sdp"] * 10
    assert "too_fast" in refusals[10:]
    assert not pair.ana.faults
    await pair.saw_nothing()


# --- Plain HTTP ----------------------------------------------------------------------------------


async def ask(
    server: Server, path: str, body: Any = None, method: str | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of an answer."""

    def fetch() -> tuple[int, dict[str, str], bytes]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return answer.status, dict(answer.headers.items()), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers.items()), error.read()

    status, headers, content = await asyncio.to_thread(fetch)
    return status, {name.lower(): value for name, value in headers.items()}, content


async def test_health_is_told_in_plain_http(server: Server) -> None:
    for path in ("/livez", "/readyz"):
        status, _, body = await ask(server, path)
        assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, _, body = await ask(server, "/version")
    assert status == 200 and json.loads(body)["version"]


async def test_a_link_is_asked_about_before_anybody_is_asked_for_a_microphone(
    server: Server,
) -> None:
    for role in ("facilitator", "participant"):
        fresh = await asyncio.to_thread(server.link, role)
        for link in (fresh, getattr(server, role)):
            status, _, body = await ask(server, "/api/link", {"link": link})
            assert status == 200
            assert json.loads(body) == {
                "role": role,
                "agreement": 1,
                "group": "home",
                "practice": False,
                "encryption": {"on": False, "check": None, "reason": "It is a test."},
            }
    wrongs: tuple[Any, ...] = ({"link": "x" * 30}, {"link": None}, {}, [], "x")
    for wrong in (*wrongs, {"link": fresh, "more": 1}):
        status, _, body = await ask(server, "/api/link", wrong)
        assert (status, json.loads(body)) == (404, {"error": "bad_link"})
    assert (await ask(server, "/api/link", {"link": "x" * 2000}))[0] == 413


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    (
        ("/", "GET", (200, 503)),
        ("/join", "GET", (200, 503)),
        ("/left", "GET", (200, 503)),
        ("/livez", "GET", (200,)),
        ("/readyz", "GET", (200,)),
        ("/version", "GET", (200,)),
        ("/api/link", "GET", (405,)),
        ("/api/link", "POST", (404,)),
        ("/ws", "GET", (404,)),
        ("/nowhere", "GET", (404,)),
        ("/nowhere", "DELETE", (404,)),
        ("/openapi.json", "GET", (404,)),
        ("/docs", "GET", (404,)),
        ("/assets/none.js", "GET", (404,)),
        ("/assets/..%2f..%2fapp.py", "GET", (404,)),
        ("/assets/%2e%2e/%2e%2e/config.py", "GET", (404,)),
    ),
)
async def test_every_answer_carries_the_security_headers(
    server: Server, path: str, method: str, expected: tuple[int, ...]
) -> None:
    status, headers, _ = await ask(server, path, {} if method == "POST" else None, method)
    assert status in expected
    policy = headers["content-security-policy"].split("; ")
    for needed in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert needed in policy
    assert "worker-src 'self'" in policy and "trusted-types peermeet-worker" in policy
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=(self), microphone=(self)" in headers["permissions-policy"]
    assert "display-capture=()" in headers["permissions-policy"], "no group asked for screens"
    assert "server" not in headers
