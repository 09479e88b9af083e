"""The offer of one browser, checked and reduced to facts, and our answer to it.

Session descriptions are hostile input. This module must do no input or output, keep nothing
between calls, and raise nothing but `SdpRefused`. It must never hand on what a client says
about addresses: candidates and `c=` lines are not read, nor the address of the `o=` line.

The shape it accepts is one bundled connection that is negotiated once (JSEP, RFC 9429): at most
one microphone, one camera and one screen that the client sends, and pairs of sections that it
receives, with one more for somebody else's screen. Sections are told apart by their place
(docs/protocol.md §7): a browser lets a page mark a section by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
"""RTP header extension: which section a packet belongs to (RFC 9143)."""
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
"""RTP header extension: departure time, 24 bits of 6.18 fixed point seconds."""
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
"""RTP header extension: how the camera is held (3GPP TS 26.114)."""
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
"""RTP header extension: one sequence of 16 bits over all packets of a transport."""
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
"""RTP header extension: which layer of a camera a packet belongs to (RFC 8852)."""
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
"""RTP header extension: the layer that a retransmission repairs (RFC 8852)."""

MAX_TEXT_BYTES = 64 * 1024
MAX_SECTIONS = 34
# Chromium writes 168 lines for a video section that may receive every codec it knows.
MAX_LINES_PER_SECTION = 192
MAX_SSRCS = 16

Kind = Literal["audio", "video"]
Use = Literal["audio", "video", "screen"]
"""What a section is for: the pictures of a screen are video, but nobody's camera."""
LayerName = Literal["l", "h"]
LAYERS: tuple[LayerName, LayerName] = ("l", "h")
"""The restriction identifiers (RFC 8851) a camera may send side by side, lowest first."""
Direction = Literal["sendonly", "recvonly", "inactive"]

_PROTOCOL = "UDP/TLS/RTP/SAVPF"
_CODECS: Mapping[Kind, str] = {"audio": "opus/48000/2", "video": "vp8/90000"}
_ANSWERED_CODECS: Mapping[Kind, str] = {"audio": "opus/48000/2", "video": "VP8/90000"}
# RFC 7587, section 6.1. Encryption hides no times and no sizes: with usedtx the pauses would show,
# and without cbr each kind of sound (docs/privacy.md has the figures).
_OPUS_FORMAT = "minptime=10;useinbandfec=1;stereo=0;cbr=1"
_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc", "goog-remb")
_MIRROR: Mapping[Direction, Direction] = {
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
# One-byte header extensions carry identifiers 1 to 14 (RFC 8285); we write no others.
_MAX_EXTENSION_ID = 14
_KNOWN = (MID, ABS_SEND_TIME, VIDEO_ORIENTATION, TRANSPORT_CC, RID, REPAIRED_RID)

# Type preferences of our candidates (RFC 8445, section 5.1.2.2): every way over UDP comes first.
_UDP_HOST = 126
_TCP_HOST = 90

_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,16}")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_SHA_256 = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){31}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_SIMULCAST = re.compile(r"send ([A-Za-z0-9;~]{1,64})")

_Attributes = dict[str, list[str]]
_SESSION = ":session"
"""Beside the attributes of the session; no attribute's name holds a colon."""


class SdpRefused(Exception):
    """The offer cannot be answered.

    `code` is a short constant for people who read counters; `detail` says what was expected and
    where, and never repeats a word of the offer.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Section:
    """One media section, reduced to what will be negotiated: the answer repeats it exactly."""

    mid: str
    """Unique in the offer, 1 to 16 token characters: it fits a one-byte header extension."""
    kind: Kind
    direction: Direction
    """As the client offered it: "sendonly" is a microphone or camera that we receive."""
    payload_type: int
    """Of Opus 48000/2 or VP8; never 64 to 95, which RTCP occupies (RFC 5761)."""
    extensions: Mapping[str, int]
    """Extension URI to its identifier, 1 to 14. Each means the same in the whole offer."""
    ssrcs: tuple[int, ...]
    """Announced sources of a sendonly section, repair sources left out; often empty."""
    feedback: frozenset[str]
    """Of "nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"; the last only where we
    receive and have no "transport-cc"."""
    reduced_size_rtcp: bool = False
    """Whether RTCP may be sent without a report in front (RFC 5506)."""
    rtx_payload_type: int | None = None
    """Of retransmissions (RFC 4588) of VP8; None without them."""
    rids: tuple[LayerName, ...] = ()
    """Of a camera that sends layers side by side (RFC 8853): all of `LAYERS`, or none."""
    repairs: Mapping[int, int] = field(default_factory=dict)
    """Announced sources of retransmissions, to the source that each repairs."""
    is_screen: bool = False

    @property
    def use(self) -> Use:
        return "screen" if self.is_screen else self.kind


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client wants: one transport and up to 34 sections on it."""

    ice_ufrag: str
    ice_pwd: str
    fingerprints: tuple[tuple[str, str], ...]
    """Pairs of ("sha-256", "AB:CD:…" in upper case), one of which the client's certificate has."""
    sections: tuple[Section, ...]
    session: str = ""
    """Identifier of the client's connection object, the same in all its offers (RFC 9429)."""

    def restarts(self, earlier: Offer) -> bool:
        """Whether this is the earlier offer again with new ICE credentials, and nothing else.

        Sources may differ: they are learnt from packets.
        """
        return (
            self.ice_ufrag != earlier.ice_ufrag
            and self.ice_pwd != earlier.ice_pwd
            and self.session == earlier.session
            and self.fingerprints == earlier.fingerprints
            and [replace(section, ssrcs=(), repairs={}) for section in self.sections]
            == [replace(section, ssrcs=(), repairs={}) for section in earlier.sections]
        )


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end: credentials of this peer, the worker's certificate and its addresses."""

    ice_ufrag: str
    ice_pwd: str
    fingerprint: tuple[str, str]
    candidates: Sequence[tuple[str, int]]
    """Address and UDP port, the preferred one first."""
    tcp_candidates: Sequence[tuple[str, int]] = ()
    """The same for TCP, where the client has to open the connection."""


@dataclass(frozen=True, slots=True)
class StreamId:
    """The constant source that we send on one section, whoever is heard or seen there."""

    ssrc: int
    cname: str
    msid: str
    """Identifier of the media stream, such as "slot3"; sections that share it play in step."""
    rtx_ssrc: int | None = None
    """The source of retransmissions on a section that has a payload type for them."""


def parse_offer(text: str) -> Offer:
    """Check an offer and keep what matters of it.

    Raises `SdpRefused`, and nothing else, for every text that is not an acceptable offer.
    """
    if len(text) > MAX_TEXT_BYTES:
        raise SdpRefused("too_large", f"at most {MAX_TEXT_BYTES} bytes")
    if not text.isascii():
        raise SdpRefused("not_ascii", "only ASCII text is read")
    session, media = _split(text)
    names = [_media_line(line, index) for index, (line, _) in enumerate(media)]
    parts = [attributes for _, attributes in media]
    everywhere = [session, *parts]

    if "ice-lite" in session:
        raise SdpRefused("ice_lite", "one end must be a full ICE agent, and it is not ours")
    mids = _mids(parts)
    _check_bundle(session, mids)
    _check_setup(everywhere)
    ufrag = _agreed(everywhere, "ice-ufrag", _UFRAG)
    pwd = _agreed(everywhere, "ice-pwd", _PWD)
    fingerprints = _fingerprints(everywhere)
    extensions = _extension_ids(parts)

    sections = tuple(
        _section(index, kind, formats, mids[index], session, parts[index], extensions)
        for index, (kind, formats) in enumerate(names)
    )
    _check_together(sections)
    return Offer(ufrag, pwd, fingerprints, _with_screens(sections), session.get(_SESSION, [""])[0])


def build_answer(offer: Offer, local: LocalTransport, streams: Mapping[str, StreamId]) -> str:
    """Answer every section of the offer in its order; equal arguments give equal text.

    `streams` names, by mid, the source we send on each recvonly section. A recvonly section
    that it lacks is answered inactive.
    """
    lines = [
        "v=0",
        # Nobody reads the session's identity here: a connection is negotiated once.
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(section.mid for section in offer.sections),
        "a=msid-semantic: WMS *",
    ]
    for index, section in enumerate(offer.sections):
        lines += _answer_section(section, local, streams.get(section.mid))
        # Once would do for browsers; aiortc, when bundled from the start, reads the last ones,
        # and knows no TCP.
        lines += _candidates(local.candidates, local.tcp_candidates if index == 0 else ())
    return "\r\n".join(lines) + "\r\n"


def _split(text: str) -> tuple[_Attributes, list[tuple[str, _Attributes]]]:
    """Attributes of the session, then each `m=` value with its attributes."""
    lines = text.removesuffix("\n").split("\n")
    if lines[0].rstrip("\r") != "v=0":
        raise SdpRefused("not_sdp", "the first line must be v=0")
    session: _Attributes = {}
    media: list[tuple[str, _Attributes]] = []
    current = session
    count = 0
    for line in lines:
        line = line.removesuffix("\r")
        if line[1:2] != "=":
            raise SdpRefused("bad_line", "every line is a letter, an equals sign and a value")
        count += 1
        if line[0] == "m":
            if len(media) == MAX_SECTIONS:
                raise SdpRefused("too_many_sections", f"at most {MAX_SECTIONS}")
            current, count = {}, 1
            media.append((line[2:], current))
        elif count > MAX_LINES_PER_SECTION:
            raise SdpRefused("too_many_lines", f"at most {MAX_LINES_PER_SECTION} a section")
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            current.setdefault(name, []).append(value)
        elif line[0] == "o" and current is session:
            # Of the origin only its number (RFC 8866, section 5.2): it names no address.
            session.setdefault(_SESSION, []).append(line.partition(" ")[2].partition(" ")[0])
    if not media:
        raise SdpRefused("no_media", "at least one section is needed")
    return session, media


def _media_line(value: str, index: int) -> tuple[Kind, list[str]]:
    kind, _, rest = value.partition(" ")
    if kind == "application":
        raise SdpRefused("data_channel", "messages travel on the WebSocket")
    if kind != "audio" and kind != "video":
        raise SdpRefused("bad_media", f"section {index} is neither audio nor video")
    fields = rest.split(" ")
    if len(fields) < 3 or fields[1] != _PROTOCOL:
        raise SdpRefused("bad_protocol", f"section {index} must use {_PROTOCOL}")
    return ("audio" if kind == "audio" else "video"), fields[2:]


def _mids(parts: Sequence[_Attributes]) -> list[str]:
    mids = []
    for index, part in enumerate(parts):
        given = part.get("mid", [])
        if len(given) != 1 or not _TOKEN.fullmatch(given[0]):
            raise SdpRefused("bad_mid", f"section {index} needs one mid of 1 to 16 characters")
        mids.append(given[0])
    if len(set(mids)) != len(mids):
        raise SdpRefused("bad_mid", "mids must differ")
    return mids


def _check_bundle(session: _Attributes, mids: Sequence[str]) -> None:
    groups = [value.split(" ") for value in session.get("group", [])]
    bundles = [group[1:] for group in groups if group[0] == "BUNDLE"]
    if len(bundles) != 1 or sorted(bundles[0]) != sorted(mids):
        raise SdpRefused("not_bundled", "one BUNDLE group must hold every section")


def _check_setup(everywhere: Iterable[_Attributes]) -> None:
    roles = {role for part in everywhere for role in part.get("setup", [])}
    if not roles or not roles <= {"actpass", "active"}:
        raise SdpRefused("bad_setup", "the client must be able to open DTLS")


def _agreed(everywhere: Iterable[_Attributes], name: str, form: re.Pattern[str]) -> str:
    """The one value that the whole offer has: its sections share one transport."""
    values = {value for part in everywhere for value in part.get(name, [])}
    if len(values) != 1:
        raise SdpRefused("bad_ice", f"one {name} is needed for the whole offer")
    value = values.pop()
    if not form.fullmatch(value):
        raise SdpRefused("bad_ice", f"{name} is not of the form RFC 8839 gives")
    return value


def _fingerprints(everywhere: Iterable[_Attributes]) -> tuple[tuple[str, str], ...]:
    found = set()
    for part in everywhere:
        for value in part.get("fingerprint", []):
            algorithm, _, digest = value.partition(" ")
            if algorithm.lower() == "sha-256":
                found.add(digest.upper())
    if len(found) != 1 or not _SHA_256.fullmatch(digest := found.pop()):
        raise SdpRefused("bad_fingerprint", "one sha-256 fingerprint is needed")
    return (("sha-256", digest),)


def _extension_ids(parts: Iterable[_Attributes]) -> dict[int, str]:
    """What each extension identifier of the offer means.

    A packet's section is found by its mid extension, so an identifier must mean the same in
    all sections of a bundle (RFC 9143, section 9.2), also those that we do not know.
    """
    meanings: dict[int, str] = {}
    for part in parts:
        for value in part.get("extmap", []):
            fields = value.split(" ")
            number = _number(fields[0].partition("/")[0], 0xFFFF)
            if len(fields) < 2 or number is None:
                raise SdpRefused("bad_extension", "an extmap is an identifier and a URI")
            if meanings.setdefault(number, fields[1]) != fields[1]:
                raise SdpRefused("bad_extension", "an identifier has two meanings")
    known = [uri for uri in meanings.values() if uri in _KNOWN]
    if len(set(known)) != len(known):
        raise SdpRefused("bad_extension", "an extension has two identifiers")
    return meanings


def _section(
    index: int,
    kind: Kind,
    formats: Sequence[str],
    mid: str,
    session: _Attributes,
    part: _Attributes,
    meanings: Mapping[int, str],
) -> Section:
    if "rtcp-mux" not in part:
        raise SdpRefused("no_rtcp_mux", f"section {index} must carry RTCP beside RTP")
    direction = _direction(index, session, part)
    payload_type = _payload_type(index, kind, formats, part)
    receiving = direction == "sendonly"

    rtx_payload_type = _rtx_payload_type(formats, part, payload_type) if kind == "video" else None
    rids = _rids(part) if kind == "video" and receiving else ()

    # Not the level of sound (RFC 6464): SRTP leaves header extensions readable, so that everybody
    # on the way would see who speaks and how loud, and nothing here needs it.
    wanted = {MID, TRANSPORT_CC}
    if kind == "video":
        wanted.add(VIDEO_ORIENTATION)
        if receiving:
            wanted.add(ABS_SEND_TIME)
    if rids:
        wanted |= {RID, REPAIRED_RID}
    extensions: dict[str, int] = {}
    for value in part.get("extmap", []):
        # An extmap with a direction ("3/recvonly") is for one way only; ours go both ways.
        number = _number(value.partition(" ")[0], _MAX_EXTENSION_ID)
        if number and meanings[number] in wanted:
            extensions.setdefault(meanings[number], number)

    offered = set()
    for value in part.get("rtcp-fb", []):
        target, _, feedback = value.partition(" ")
        if target in ("*", str(payload_type)):
            offered.add(feedback)
    answered = set(_FEEDBACK) if kind == "video" else {"transport-cc"}
    if TRANSPORT_CC not in extensions:
        # The one is nothing without the other.
        answered.discard("transport-cc")
    if not receiving or "transport-cc" in offered & answered:
        answered.discard("goog-remb")
    if "transport-cc" in offered & answered:
        extensions.pop(ABS_SEND_TIME, None)
    else:
        extensions.pop(TRANSPORT_CC, None)
    if RID not in extensions or MID not in extensions:
        # Layers whose packets cannot be told apart are not layers.
        rids = ()

    return Section(
        mid=mid,
        kind=kind,
        direction=direction,
        payload_type=payload_type,
        extensions=extensions,
        ssrcs=_ssrcs(index, part) if receiving else (),
        rtx_payload_type=rtx_payload_type,
        rids=rids,
        repairs=_repairs(part) if receiving and rtx_payload_type is not None else {},
        feedback=frozenset(offered & answered),
        reduced_size_rtcp="rtcp-rsize" in part,
    )


def _direction(index: int, session: _Attributes, part: _Attributes) -> Direction:
    names = ("sendrecv", "sendonly", "recvonly", "inactive")
    given = [name for name in names if name in part] or [name for name in names if name in session]
    if given == ["sendonly"]:
        return "sendonly"
    if given == ["recvonly"]:
        return "recvonly"
    if given == ["inactive"]:
        return "inactive"
    raise SdpRefused("bad_direction", f"section {index} must either send or receive")


def _payload_type(index: int, kind: Kind, formats: Sequence[str], part: _Attributes) -> int:
    codecs: dict[str, str] = {}
    for value in part.get("rtpmap", []):
        name, _, codec = value.partition(" ")
        if codecs.setdefault(name, codec) != codec:
            raise SdpRefused("bad_codec", f"section {index} maps one payload type twice")
    for name in formats:
        number = _number(name, 127)
        if number is not None and not 64 <= number <= 95:
            if codecs.get(name, "").lower() == _CODECS[kind]:
                return number
    raise SdpRefused("no_codec", f"section {index} must offer {_ANSWERED_CODECS[kind]}")


def _rtx_payload_type(formats: Sequence[str], part: _Attributes, repaired: int) -> int | None:
    """The payload type of retransmissions of `repaired` (RFC 4588, section 8.1)."""
    maps = set(part.get("rtpmap", []))
    for value in part.get("fmtp", []):
        name, _, parameters = value.partition(" ")
        number = _number(name, 127)
        if number is None or 64 <= number <= 95 or name not in formats:
            continue
        if f"apt={repaired}" in parameters.split(";") and f"{name} rtx/90000" in maps:
            return number
    return None


def _rids(part: _Attributes) -> tuple[LayerName, ...]:
    """`LAYERS` if the section offers to send both (RFC 8853); a client may name others, in vain."""
    for value in part.get("simulcast", []):
        found = _SIMULCAST.fullmatch(value)
        sent = [name.removeprefix("~") for name in found[1].split(";")] if found else []
        if all(name in sent and f"{name} send" in part.get("rid", []) for name in LAYERS):
            return LAYERS
    return ()


def _repairs(part: _Attributes) -> dict[int, int]:
    """Announced pairs of a source of retransmissions and what it repairs (RFC 5576)."""
    repairs = {}
    for value in part.get("ssrc-group", []):
        group = value.split(" ")
        if group[0] == "FID" and len(group) == 3:
            media, repair = (_number(name, 0xFFFFFFFF) for name in group[1:])
            if media is not None and repair is not None and media != repair:
                repairs[repair] = media
    return repairs


def _ssrcs(index: int, part: _Attributes) -> tuple[int, ...]:
    found: dict[int, None] = {}
    for value in part.get("ssrc", []):
        ssrc = _number(value.partition(" ")[0], 0xFFFFFFFF)
        if ssrc is None:
            raise SdpRefused("bad_ssrc", f"section {index} names a source that is no number")
        found[ssrc] = None
    for value in part.get("ssrc-group", []):
        group = value.split(" ")
        if group[0] in ("FID", "FEC-FR"):
            for name in group[2:]:
                repair = _number(name, 0xFFFFFFFF)
                if repair is not None:
                    found.pop(repair, None)
    return tuple(found)


def _check_together(sections: Sequence[Section]) -> None:
    for kind in ("audio", "video"):
        sending = [s for s in sections if s.kind == kind and s.direction == "sendonly"]
        most = 1 if kind == "audio" else 2
        if len(sending) > most:
            raise SdpRefused("too_many_senders", f"at most {most} sending {kind} sections")
    ssrcs = [ssrc for section in sections for ssrc in (*section.ssrcs, *section.repairs)]
    if len(ssrcs) > MAX_SSRCS or len(set(ssrcs)) != len(ssrcs):
        raise SdpRefused("bad_ssrc", f"at most {MAX_SSRCS} sources, each in one section")
    audio = {section.payload_type for section in sections if section.kind == "audio"}
    video = {section.payload_type for section in sections if section.kind == "video"}
    repair = {s.rtx_payload_type for s in sections if s.rtx_payload_type is not None}
    if audio & video or repair & (audio | video):
        raise SdpRefused("bad_codec", "one payload type means two codecs")


def _with_screens(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The same sections, knowing which are a screen's.

    Of those that send video it is the second. Of those that receive it is the last, if there is
    one more than there are to receive sound.
    """
    sending = [s for s in sections if (s.kind, s.direction) == ("video", "sendonly")]
    heard = [s for s in sections if (s.kind, s.direction) == ("audio", "recvonly")]
    seen = [s for s in sections if (s.kind, s.direction) == ("video", "recvonly")]
    screens = sending[1:] + (seen[-1:] if len(seen) == len(heard) + 1 else [])
    return tuple(replace(s, is_screen=True) if s in screens else s for s in sections)


def _number(text: str, maximum: int) -> int | None:
    """A plain decimal number up to `maximum`; int() alone would take "1_0" or a sign."""
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if number <= maximum else None


def _answer_section(section: Section, local: LocalTransport, stream: StreamId | None) -> list[str]:
    payload_type, rtx = section.payload_type, section.rtx_payload_type
    direction = _MIRROR[section.direction]
    if direction == "sendonly" and stream is None:
        direction = "inactive"
    # Browsers would take transport lines once for the bundle; aiortc wants them in each section.
    lines = [
        f"m={section.kind} 9 {_PROTOCOL} {payload_type}" + (f" {rtx}" if rtx is not None else ""),
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a={direction}",
        f"a=ice-ufrag:{local.ice_ufrag}",
        f"a=ice-pwd:{local.ice_pwd}",
        f"a=fingerprint:{local.fingerprint[0]} {local.fingerprint[1]}",
        "a=setup:passive",
        "a=rtcp-mux",
    ]
    if section.reduced_size_rtcp:
        lines.append("a=rtcp-rsize")
    lines += [
        f"a=extmap:{number} {uri}"
        for uri, number in sorted(section.extensions.items(), key=lambda item: item[1])
    ]
    lines.append(f"a=rtpmap:{payload_type} {_ANSWERED_CODECS[section.kind]}")
    if section.kind == "audio":
        lines.append(f"a=fmtp:{payload_type} {_OPUS_FORMAT}")
    lines += [f"a=rtcp-fb:{payload_type} {name}" for name in _FEEDBACK if name in section.feedback]
    if rtx is not None:
        lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={payload_type}"]
    if section.rids:
        lines += [f"a=rid:{name} recv" for name in section.rids]
        lines.append("a=simulcast:recv " + ";".join(section.rids))
    if direction == "sendonly" and stream is not None:
        lines += [
            f"a=msid:{stream.msid} {stream.msid}-{section.kind}",
            f"a=ssrc:{stream.ssrc} cname:{stream.cname}",
        ]
        if rtx is not None and stream.rtx_ssrc is not None:
            lines += [
                f"a=ssrc-group:FID {stream.ssrc} {stream.rtx_ssrc}",
                f"a=ssrc:{stream.rtx_ssrc} cname:{stream.cname}",
            ]
    return lines


def _candidates(udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]]) -> list[str]:
    """Host candidates in order of preference (RFC 8445, section 5.1.2), and the end of them.

    All over TCP come after all over UDP: there a lost packet holds up the next ones.
    """
    lines = []
    for index, (address, port) in enumerate(udp):
        priority = _priority(_UDP_HOST, 65535 - index)
        lines.append(f"a=candidate:{index + 1} 1 udp {priority} {address} {port} typ host")
    for index, (address, port) in enumerate(tcp):
        # A passive end has direction preference 4 of 7 (RFC 6544, section 4.2).
        priority = _priority(_TCP_HOST, (4 << 13) + 8191 - index)
        lines.append(
            f"a=candidate:{len(udp) + index + 1} 1 tcp {priority} {address} {port} typ host"
            " tcptype passive"
        )
    return [*lines, "a=end-of-candidates"]


def _priority(kind: int, preference: int) -> int:
    return kind << 24 | preference << 8 | 255
