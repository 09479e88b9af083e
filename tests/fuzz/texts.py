"""Text that people's browsers, other processes and authors of run sheets send."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from peermeet import identity, protocol, runsheets
from peermeet.core.model import Millis, SeatId
from peermeet.core.page import PageErrors
from peermeet.core.runsheet import FILE_BYTES, parse, to_toml
from peermeet.media.sdp import LocalTransport, SdpRefused, StreamId, build_answer, parse_offer
from peermeet.signalling.socket import _diagnose
from tests.fuzz.target import Target

GOLDEN = Path(__file__).parents[1] / "media/golden"
SHEETS = Path(runsheets.__file__).parent
KEY, NOW = bytes(identity.KEY_BYTES), Millis(10**11)

_LOCAL = LocalTransport(
    ice_ufrag="0123456789abcdef",
    ice_pwd="0123456789abcdef0123456789abcdef",
    fingerprint=("sha-256", ":".join(["AB"] * 32)),
    candidates=[("192.0.2.1", 3478), ("2001:db8::1", 3478)],
    tcp_candidates=[("192.0.2.1", 3478)],
)
MAX_ANSWER_BYTES = 64 * 1024


def take_offer(data: bytes) -> None:
    """An offer is refused with a code, or answered section by section, the same way each time."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        offer = parse_offer(text)
    except SdpRefused as refused:
        assert refused.code.replace("_", "").isalnum()
        return
    streams = {
        section.mid: StreamId(number, f"slot{number}", f"slot{number}", number + 1000)
        for number, section in enumerate(offer.sections)
    }
    answer = build_answer(offer, _LOCAL, streams)
    assert answer == build_answer(parse_offer(text), _LOCAL, streams)
    assert answer.count("\r\nm=") == len(offer.sections) and len(answer) <= MAX_ANSWER_BYTES
    assert "\n" not in answer.replace("\r\n", "") and answer.isascii()
    assert sum(len(s.ssrcs) + len(s.repairs) for s in offer.sections) <= 16
    # What it says of addresses is not read, so it is not said again.
    assert answer.count("a=candidate:") == 2 * len(offer.sections) + 1


def _offers() -> list[bytes]:
    return [path.read_bytes() for path in sorted(GOLDEN.glob("*-3.offer.sdp"))]


def take_frame(data: bytes) -> None:
    """A frame is read, or is a fault with a code and perhaps the reference it named."""
    text = data.decode("utf-8", "replace")[: protocol.MAX_FRAME_BYTES]
    try:
        frame = protocol.client_frames.validate_json(text, strict=True)
    except ValidationError as error:
        code, ref = _diagnose(text, error)
        assert code and (ref is None or len(ref) <= 40)
        return
    written = protocol.encode(frame)
    again = protocol.client_frames.validate_json(written, strict=True)
    assert again == frame and protocol.encode(again) == written


_PROFILE = {"name": "Ana", "color": "sage"}
_FRAMES: tuple[dict[str, object], ...] = (
    {"kind": "ping"},
    {"kind": "hello", "version": 1, "agreement": 1, "link": "ab.cd", "profile": _PROFILE},
    {"kind": "do", "ref": "7", "command": {"kind": "pass_turn", "turn": 12}},
    {"kind": "do", "ref": "8", "command": {"kind": "set_mic", "on": True}},
    {"kind": "do", "ref": "9", "command": {"kind": "raise_hand"}},
    {"kind": "offer", "ref": "1", "sdp": "v=0\r\n"},
    {"kind": "say", "ref": "1", "to": "all", "text": "hello"},
    {"kind": "watch", "video": "all", "seats": ["s1", "s2"]},
    {"kind": "choose_sheet", "ref": "1", "text": 'title = "x"'},
    {"kind": "get_library", "ref": "1"},
    {"kind": "get_ice_servers", "ref": "1"},
)


def _frames() -> list[bytes]:
    return [json.dumps(frame).encode() for frame in _FRAMES]


def take_sheet(data: bytes) -> None:
    """A run sheet is read and survives being written, or every mistake has a line and words."""
    text = data.decode("utf-8", "surrogateescape")
    lines = text.count("\n") + 1
    try:
        sheet = parse(text, "own-1")
    except PageErrors as errors:
        assert errors.mistakes
        for line, says in errors.mistakes:
            assert 1 <= line <= lines and says and len(says) <= 2000
        return
    assert len(data) <= FILE_BYTES + text.count("\r") + 3
    assert parse(to_toml(sheet), "own-1") == sheet


def _sheets() -> list[bytes]:
    sheets = sorted((path.read_bytes() for path in SHEETS.glob("*.toml")), key=len)
    return [*sheets[:3], b'title = "x"\n[[phase]]\nmode = "open"\ntitle = "y"\n', b'title = """x']


def take_token(data: bytes) -> None:
    """Nobody but us makes a token: whatever is not one of the seeds opens nothing."""
    text = data.decode("utf-8", "surrogateescape")
    invitation = identity.read_link(KEY, text, NOW)
    back = identity.read_resume(KEY, text)
    assert (invitation is None and back is None) or data in _TOKENS
    code = identity.read_code(text)
    assert code is None or len(code) == 5


_TOKENS = [
    identity.make_link(KEY, identity.Invitation("home", False), bytes(8), NOW).encode(),
    identity.make_link(KEY, identity.Invitation("home", True), bytes(8), NOW).encode(),
    identity.make_resume(KEY, "c1", SeatId("s1"), "K7Q2M").encode(),
]

TARGETS = (
    Target(
        "sdp",
        take_offer,
        _offers,
        (
            *(b"\r\nm=video 9 UDP/TLS/RTP/SAVPF 96", b"\r\na=mid:1", b"\r\na=ssrc:1 cname:x"),
            *(b"a=ssrc-group:FID 1 2", b"a=simulcast:send l;h", b"a=rid:l send", b"a=extmap:4 "),
            *(b"a=sendonly", b"a=recvonly", b"a=inactive", b"4294967296", b"\0", b"\r", b"\xff"),
        ),
    ),
    Target(
        "frame",
        take_frame,
        _frames,
        (b'"kind":"', b"null", b"[", b"]", b"1e999", b"-0", b"NaN", b'"\\ud800"', b"\\u0000"),
    ),
    Target(
        "run sheet",
        take_sheet,
        _sheets,
        (b"[[phase]]\n", b"'''", b'"""', b"= nan\n", b"= 1979-05-27\n", b"[", b"]", b"\\U0010FFFF"),
        1200,
    ),
    Target("token", take_token, lambda: list(_TOKENS), (b".", b"=", b"-_", b"\xff")),
)
