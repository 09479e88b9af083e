"""The wire between a browser and the server: frames around the core's commands and views.

One JSON object per WebSocket text frame, told apart by `kind`. `docs/protocol.md` is the manual
for people who write clients; `json_schema()` is the source of the web client's types. No rule
lives here: pydantic only says whether a frame has the right shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from peermeet.core.messages import Command
from peermeet.core.model import CAPACITY, SeatId
from peermeet.core.notices import Notice
from peermeet.core.project import To, View
from peermeet.core.runsheet import FILE_BYTES, PhaseWords

VERSION = 3
"""Grows when a client written for the older one would no longer work."""

AGREEMENT_VERSION = 1
"""The group agreement that a person affirms before sitting down."""

MAX_FRAME_BYTES = 65_536
"""Longer frames end the connection before they are parsed."""

HEARTBEAT_MS = 5_000
"""How often a client sends `ping`."""

SILENCE_MS = 12_000
"""A side that has heard nothing for this long takes the line as dropped."""

COLORS = (
    "sage",
    "rose",
    "sky",
    "sand",
    "lilac",
    "teal",
    "clay",
    "honey",
)
"""The palette a person chooses from; how it looks is the client's business."""

_STRICT = ConfigDict(extra="forbid")

Ref = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.:-]+$")]
"""A client's own name for a request; its answer carries the same."""

Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.-]+$")
]


SheetId = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
"""Which run sheet: a shipped one, or one the group keeps."""

SeatName = Annotated[SeatId, StringConstraints(min_length=1, max_length=16)]
"""A seat as a client names it in a list; there need be none of this name."""

MAX_SAID = 1_000
"""Characters of what may be written at once."""

MAX_SEALED_SAID = 6_000
"""Characters of what may be written at once, sealed: MAX_SAID of four bytes each, and a little."""

_BASE64 = r"^[A-Za-z0-9_-]+$"

Sealed = Annotated[str, StringConstraints(min_length=1, max_length=800, pattern=_BASE64)]
"""What only members can open: base64url of docs/encryption.md."""

Check = Annotated[str, StringConstraints(min_length=22, max_length=22, pattern=_BASE64)]
"""Tells one group secret from another, and nothing about either."""


class Fault(StrEnum):
    """Why the server could not take a frame, or ended the connection. Stable codes.

    Refusals of commands carry the core's codes (`core.messages.Code`) or one of these.
    """

    BAD_FRAME = "bad_frame"
    """Not JSON, or not the shape of any frame."""
    UNKNOWN_COMMAND = "unknown_command"
    HELLO_FIRST = "hello_first"
    """Something else than `hello` came first, or it came too late."""
    BAD_VERSION = "bad_version"
    BAD_LINK = "bad_link"
    """This link is not one of ours, is damaged, or has expired."""
    BAD_RESUME = "bad_resume"
    """This seat is gone; join by the link again."""
    AGREEMENT_NEEDED = "agreement_needed"
    TOO_FAST = "too_fast"
    """More frames than a person could cause."""
    BUSY = "busy"
    """The server could not do it just now; nothing has changed; try again."""
    SEAL_NEEDED = "seal_needed"
    """This circle is end-to-end encrypted: profiles and words must come sealed."""
    NOT_ENCRYPTED = "not_encrypted"
    """This circle is not encrypted: nobody could open what is sealed."""
    BAD_SDP = "bad_sdp"
    BAD_SHEET = "bad_sheet"
    """This text is no run sheet; `faults` says which lines and why."""
    NO_SUCH_SHEET = "no_such_sheet"
    REPLACED = "replaced"
    """The same person opened the circle in another window."""
    LEFT = "left"
    """You left, as you asked."""
    REMOVED = "removed"
    BLOCKED = "blocked"
    """The host of the group has blocked the link this person came by."""
    CIRCLE_ENDED = "circle_ended"
    RESTARTING = "restarting"
    """The server goes down and will be back: reconnect with the resume token."""
    SILENT = "silent"
    """Nothing was heard from the client for SILENCE_MS."""
    TROUBLE = "trouble"
    """The server failed; the fault is ours."""


@dataclass(frozen=True)
class Profile:
    """How a person appears in this circle. Held by the client, relayed, never stored or logged."""

    __pydantic_config__ = _STRICT
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    color: Literal["sage", "rose", "sky", "sand", "lilac", "teal", "clay", "honey"]


@dataclass(frozen=True)
class SealedProfile:
    """The same in an encrypted circle, with this page's public keys; we cannot read it."""

    __pydantic_config__ = _STRICT
    sealed: Sealed


AnyProfile = Profile | SealedProfile


# --- From the client -------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """The first frame. `resume` brings a person back to their seat, `link` gives a new one.

    When both are given and the seat still exists, the seat wins; else the link.
    """

    __pydantic_config__ = _STRICT
    version: int
    profile: AnyProfile
    agreement: int
    link: Secret | None = None
    resume: Secret | None = None
    kind: Literal["hello"] = "hello"


@dataclass(frozen=True)
class Do:
    """Ask for a command. Answered by `done` or `refused` with the same ref."""

    __pydantic_config__ = _STRICT
    ref: Ref
    command: Annotated[Command, Field(discriminator="kind")]
    kind: Literal["do"] = "do"


@dataclass(frozen=True)
class Offer:
    """An SDP offer for a new media connection. Answered by `answer` or `refused`."""

    __pydantic_config__ = _STRICT
    ref: Ref
    sdp: Annotated[str, StringConstraints(max_length=MAX_FRAME_BYTES)]
    kind: Literal["offer"] = "offer"


@dataclass(frozen=True)
class ChangeProfile:
    __pydantic_config__ = _STRICT
    profile: AnyProfile
    kind: Literal["profile"] = "profile"


@dataclass(frozen=True)
class ChooseSheet:
    """Make a run sheet the circle's: one that is kept (sheet), or a new one (text), which the
    group then keeps. insert: set the phase aside and run it first. Answered by `done` or
    `refused`.
    """

    __pydantic_config__ = _STRICT
    ref: Ref
    sheet: SheetId | None = None
    text: Annotated[str, StringConstraints(max_length=FILE_BYTES)] | None = None
    insert: bool = False
    kind: Literal["choose_sheet"] = "choose_sheet"


@dataclass(frozen=True)
class GetLibrary:
    """Ask which run sheets there are. Answered by `library` or `refused`."""

    __pydantic_config__ = _STRICT
    ref: Ref
    kind: Literal["get_library"] = "get_library"


@dataclass(frozen=True)
class GetSheet:
    """Ask for the text of a run sheet, to copy, edit or carry away. Answered by `sheet_text`."""

    __pydantic_config__ = _STRICT
    ref: Ref
    sheet: SheetId
    kind: Literal["get_sheet"] = "get_sheet"


@dataclass(frozen=True)
class ForgetSheet:
    """Let the group no longer keep one of its own sheets."""

    __pydantic_config__ = _STRICT
    ref: Ref
    sheet: SheetId
    kind: Literal["forget_sheet"] = "forget_sheet"


@dataclass(frozen=True)
class GetIceServers:
    """Ask for fresh credentials before a new media connection. Answered by `ice_servers`."""

    __pydantic_config__ = _STRICT
    ref: Ref
    kind: Literal["get_ice_servers"] = "get_ice_servers"


Writing = Literal["chat", "share", "caption"]
"""As what something is written: beside what is said, instead of speaking, or to repeat it."""


@dataclass(frozen=True)
class Say:
    """Write to all, to the facilitators, or in the channel of those who help.

    text or, in an encrypted circle, sealed: one of them. as: of text alone; what is sealed says it
    inside.
    """

    __pydantic_config__ = _STRICT
    ref: Ref
    to: To
    text: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_SAID)]
        | None
    ) = None
    sealed: (
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_SEALED_SAID, pattern=_BASE64)]
        | None
    ) = None
    as_: Annotated[Writing, Field(alias="as")] = "chat"
    kind: Literal["say"] = "say"


@dataclass(frozen=True)
class HandKeys:
    """Hand each of these members what is sealed for them alone. Who is away does not get it."""

    __pydantic_config__ = _STRICT
    to: Annotated[dict[SeatName, Sealed], Field(min_length=1, max_length=CAPACITY)]
    kind: Literal["keys"] = "keys"


@dataclass(frozen=True)
class Watch:
    """What pictures this person wants from now on, whole; the newest wins. Sound always comes.

    video: "all" of whoever has the floor and of `seats`, "holder" the former alone, "none" no
    pictures. seats: those on the screen now; null is everybody. A new media connection begins
    with everything, so it is sent again after each `answer` and each `welcome`.
    """

    __pydantic_config__ = _STRICT
    video: Literal["all", "holder", "none"]
    seats: Annotated[list[SeatName], Field(max_length=CAPACITY)] | None = None
    kind: Literal["watch"] = "watch"


@dataclass(frozen=True)
class Ping:
    __pydantic_config__ = _STRICT
    kind: Literal["ping"] = "ping"


ClientFrame = (
    Hello
    | Do
    | Offer
    | ChangeProfile
    | ChooseSheet
    | GetLibrary
    | GetSheet
    | ForgetSheet
    | GetIceServers
    | Say
    | HandKeys
    | Watch
    | Ping
)


# --- From the server -------------------------------------------------------------------------


@dataclass(frozen=True)
class IceServer:
    """A TURN relay that may be used, as W3C WebRTC's `RTCIceServer` §4.2.4.

    lasts_ms: for how long from now the credential opens new allocations; one in use lives on.
    """

    urls: tuple[str, ...]
    username: str
    credential: str
    lasts_ms: int


@dataclass(frozen=True)
class Welcome:
    """You have a seat. resume: keep it for this tab only; it brings you back to the seat.

    circle: the name of this meeting. encrypted: end to end. capacity: seats of a circle; a client
    offers capacity - 1 receiving pairs. ice_servers: none where the server has no relay.
    """

    seat: SeatId
    resume: str
    circle: str
    encrypted: bool
    capacity: int
    ice_servers: tuple[IceServer, ...] = ()
    heartbeat_ms: int = HEARTBEAT_MS
    silence_ms: int = SILENCE_MS
    kind: Literal["welcome"] = "welcome"


@dataclass(frozen=True)
class Show:
    """The whole view, again after each change. `seq` grows; a smaller one is old news.

    profiles: of the seats in the view, except that a veiled person's is for those who lead.
    links: to those who moderate, by which invitation link a removed person came.
    """

    seq: int
    view: View
    profiles: dict[SeatId, AnyProfile] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    links: dict[SeatId, str] = field(default_factory=dict)
    kind: Literal["view"] = "view"


@dataclass(frozen=True)
class SheetWords:
    """The words of the run sheet with this id; a phase's `words` counts into `phases`."""

    id: str
    title: str
    source: str
    phases: tuple[PhaseWords, ...]
    kind: Literal["sheet"] = "sheet"


@dataclass(frozen=True)
class SheetEntry:
    """A run sheet that may be chosen. minutes: what it plans. own: the group's, not shipped."""

    id: str
    title: str
    source: str
    minutes: int
    own: bool


@dataclass(frozen=True)
class Library:
    ref: str
    sheets: tuple[SheetEntry, ...]
    kind: Literal["library"] = "library"


@dataclass(frozen=True)
class SheetText:
    ref: str
    sheet: str
    text: str
    kind: Literal["sheet_text"] = "sheet_text"


@dataclass(frozen=True)
class IceServers:
    """The relays again, with a fresh credential."""

    ref: str
    servers: tuple[IceServer, ...]
    kind: Literal["ice_servers"] = "ice_servers"


@dataclass(frozen=True)
class SheetFault:
    """A mistake in the text of a run sheet. line: from 1."""

    line: int
    words: str


@dataclass(frozen=True)
class Said:
    """Somebody wrote: text, or sealed in an encrypted circle; the other is null.

    Kept in memory only, and gone when the circle ends. at: server time, ms. as: of text alone.
    """

    seat: SeatId
    to: To
    text: str | None
    sealed: str | None
    at: int
    as_: Annotated[Writing, Field(alias="as")] = "chat"
    kind: Literal["said"] = "said"


@dataclass(frozen=True)
class Keys:
    """What another member has sealed for you."""

    seat: SeatId
    sealed: str
    kind: Literal["keys"] = "keys"


@dataclass(frozen=True)
class Streams:
    """Whose audio and video arrives on which of your receiving transceivers, whole."""

    mids: dict[str, SeatId]
    kind: Literal["streams"] = "streams"


Mark = Literal[1, 2, 3]
"""How good a line is. 3: good; 2: gaps or a late answer now and then; 1: hard to follow."""


@dataclass(frozen=True)
class LineDetails:
    """A line in figures; null is unknown. loss_percent: of the worse direction, whole.

    layer: of the holder's picture as it is sent to them: "h" large, "l" small. path: the
    transport to the server; whether a relay stands between only the client itself knows.
    """

    rtt_ms: int | None
    loss_percent: int | None
    layer: Literal["h", "l"] | None
    path: Literal["udp", "tcp"]


@dataclass(frozen=True)
class OwnLine:
    """weak: your pictures are reduced to keep the sound."""

    mark: Mark
    weak: bool


@dataclass(frozen=True)
class SeatLine:
    """details: of yourself, and of everybody to those who care for people; else null."""

    mark: Mark
    details: LineDetails | None


@dataclass(frozen=True)
class Lines:
    """How good people's media lines are, whole. own: null while you have none.

    seats: of your space, yourself with them; who has no media connection is not named.
    """

    own: OwnLine | None
    seats: dict[SeatId, SeatLine]
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True)
class Demand:
    """Whether anybody is to see the larger layer of your camera; until told, nobody is."""

    high: bool
    kind: Literal["demand"] = "demand"


@dataclass(frozen=True)
class Reoffer:
    """Your media connection is gone on the server's side: make a new one."""

    kind: Literal["reoffer"] = "reoffer"


@dataclass(frozen=True)
class Done:
    """The command took effect and is kept, even through a crash. seq: of the view that shows it."""

    ref: str
    seq: int
    kind: Literal["done"] = "done"


@dataclass(frozen=True)
class RefusedFrame:
    """Nothing has changed. faults: with `bad_sheet`."""

    ref: str
    code: str
    faults: tuple[SheetFault, ...] = ()
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True)
class Answer:
    ref: str
    sdp: str
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True)
class Pong:
    kind: Literal["pong"] = "pong"


@dataclass(frozen=True)
class FaultFrame:
    """A frame could not be taken; the connection stays. ref: the frame's, if it could be read."""

    code: str
    ref: str | None = None
    kind: Literal["fault"] = "fault"


def _is_none(value: object) -> bool:
    return value is None


@dataclass(frozen=True)
class Bye:
    """The last frame before the server closes. again: reconnecting makes sense.

    Only with `blocked`: words, the host's own, say how to appeal; review_on is the day on which
    the block will be looked at again.
    """

    code: str
    again: bool
    words: Annotated[str | None, Field(exclude_if=_is_none)] = None
    review_on: Annotated[date | None, Field(exclude_if=_is_none)] = None
    kind: Literal["bye"] = "bye"


ServerFrame = (
    Welcome
    | Show
    | SheetWords
    | Library
    | SheetText
    | IceServers
    | Said
    | Keys
    | Streams
    | Demand
    | Lines
    | Reoffer
    | Done
    | RefusedFrame
    | Answer
    | Pong
    | FaultFrame
    | Bye
)

client_frames: TypeAdapter[ClientFrame] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="kind")]
)
server_frames: TypeAdapter[ServerFrame] = TypeAdapter(
    Annotated[ServerFrame, Field(discriminator="kind")]
)


def encode(frame: ServerFrame | ClientFrame) -> str:
    """The JSON text of a frame."""
    adapter: TypeAdapter[Any] = server_frames if isinstance(frame, ServerFrame) else client_frames
    return adapter.dump_json(frame, by_alias=True).decode()


class _Schema(GenerateJsonSchema):
    """Plain names and required kinds, so that generated TypeScript unions can be told apart."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        required: bool = super().field_is_required(field, total)
        schema = field.get("schema", {})
        inner = schema.get("schema", schema)
        return required or inner.get("type") == "literal"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of all frames: ClientFrame and ServerFrame under `$defs`."""
    frames, schema = TypeAdapter.json_schemas(
        [
            ("ClientFrame", "validation", client_frames),
            ("ServerFrame", "serialization", server_frames),
        ],
        schema_generator=_Schema,
    )
    return {
        "$defs": {**schema["$defs"], **{key[0]: value for key, value in frames.items()}},
        "title": "Frame",
        "anyOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
    }
