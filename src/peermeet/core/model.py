"""The circle as a value: what is true now, and nothing else.

Frozen dataclasses only. No rule lives here (see decide.py), no clock, no randomness, no
input or output. Times are UTC milliseconds (`Millis`); durations are plain ints whose name
ends in `_ms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

SeatId = NewType("SeatId", str)
"""A place in one circle: "s1", "s2", … in the order of arrival. Survives reconnects."""

Millis = NewType("Millis", int)
"""A moment, in UTC milliseconds since 1970."""

CAPACITY = 16
"""Seats that may be taken at once (a circle is 2–16 people)."""


class Role(StrEnum):
    """What a seat does for the circle. A seat may have several, or none: a member.

    Their powers stand in powers.py. The first facilitator is the one who leads.
    """

    FACILITATOR = "facilitator"
    CO_FACILITATOR = "co-facilitator"
    """Same powers, and the one who cares for a single person while the circle goes on."""
    TIMEKEEPER = "timekeeper"
    GUARDIAN = "guardian"
    """May pause the circle and make it safe."""
    GREETER = "greeter"
    INTERPRETER = "interpreter"
    """Signs or types beside the circle, outside the turn order."""
    LISTENER = "listener"
    """Here today only to listen."""


class Mode(StrEnum):
    """How a phase gives out the floor."""

    TALK = "talk"
    """Open talk: everyone it is for may be heard."""
    ROUND = "round"
    """Each seat in order gets one turn; only the holder may be heard."""
    QUEUE = "queue"
    """Who raises a hand gets a turn, one after the other."""
    READ = "read"
    """A text is read aloud, a line each; who passes leaves the line to the next."""
    PAIRS = "pairs"
    """Twos and threes apart from one another, with equal time."""
    SILENCE = "silence"
    """Nobody is heard."""


class Order(StrEnum):
    """Who comes next."""

    LIST = "list"
    """The order of arrival, begun elsewhere and turned round from meeting to meeting."""
    SEEDED_RANDOM = "seeded-random"
    HAND = "hand"
    """By the time of the raised hand."""
    QUIET_FIRST = "quiet-first"
    """Whose last turn is longest ago, and before them who had none."""
    PREVIOUS_NAMES_NEXT = "previous-names-next"


class Who(StrEnum):
    """Whom a phase is for."""

    ALL = "all"
    FACILITATORS = "facilitators"
    SPEAKER = "speaker"
    """Whoever a facilitator gives the floor to."""
    UNHEARD = "unheard"
    """Who has not been heard in a turn of this meeting."""


class Pass(StrEnum):
    """What a holder may do with the turn beside ending it, which is always theirs."""

    LATER = "later"
    TO_ANYONE = "to-anyone"


class CrossTalk(StrEnum):
    """Whether people may answer one another."""

    NONE = "none"
    INVITED = "invited"
    """When the holder welcomes it, raised hands may answer for a minute each."""
    OPEN = "open"


class Chat(StrEnum):
    OFF = "off"
    TO_FACILITATORS = "to-facilitators"
    ON = "on"


class Mics(StrEnum):
    """Who may be heard while somebody holds the floor."""

    HOLDER = "holder"
    ALL = "all"


class Timeout(StrEnum):
    """What happens when a turn's time is used up."""

    SOFT = "soft"
    """Warn, grace, then a person decides. Nobody is cut off."""
    FIRM = "firm"
    """Warn, grace, then the turn moves on by itself."""
    NONE = "none"
    """No limit and no signal."""


class Card(StrEnum):
    """A reminder of what the group agreed, shown to all without a name or to one in private."""

    CROSS_TALK = "cross-talk"
    ADVICE = "advice"
    GRAPHIC_DETAIL = "graphic-detail"
    CONFIDENTIALITY = "confidentiality"
    SIDE_CHAT = "side-chat"
    SUBSTANCES_OR_DRIVING = "substances-or-driving"


class Topic(StrEnum):
    """What a content note may name; a fixed list, so that no words are kept."""

    DEATH = "death"
    SUICIDE = "suicide"
    SELF_HARM = "self-harm"
    VIOLENCE = "violence"
    SEXUAL_VIOLENCE = "sexual-violence"
    SUBSTANCES = "substances"
    EATING = "eating"
    ILLNESS = "illness"
    OTHER = "other"


class Door(StrEnum):
    """What happens to newcomers. Who has a seat may always come back."""

    OPEN = "open"
    ASK = "ask"
    """They wait until somebody admits them."""
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a camera was covered: told to its person, from a fixed list."""

    UNSAID = "unsaid"
    PRIVATE_THINGS = "private-things"
    SOMEBODY_ELSE = "somebody-else"
    DISTRESSING = "distressing"
    MOVING = "moving"


class Stage(StrEnum):
    """How far a turn has come; grows only while its clock runs."""

    SPEAKING = "speaking"
    WARNED = "warned"
    GRACE = "grace"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Phase:
    """One step of a run sheet: the rules of it. Its words are elsewhere (runsheet.py).

    Turn fields matter where a floor is held (round, queue, read), partly in pairs.
    turn_ms: 5 s … 60 min. warn_ms: before the limit. grace_ms: after it. gather_ms: a holder who
    has not begun has this long before the clock does. length_ms: how long the whole phase should
    last (a silence rings once at its end), or None. fit: shorten the turns of a round to the
    people present and the length. reverse: the list is gone through backwards. once: one turn
    each in a queue. lines: of a text to read. warm_up_ms, pause_ms, together_ms: of pairs:
    both at first, silence after each speaker, both at the end. words: which words of the run
    sheet belong to it.
    """

    mode: Mode
    turn_ms: int = 180_000
    warn_ms: int = 45_000
    grace_ms: int = 30_000
    timeout: Timeout = Timeout.SOFT
    length_ms: int | None = None
    order: Order = Order.LIST
    reverse: bool = False
    who: Who = Who.ALL
    passes: tuple[Pass, ...] = (Pass.LATER,)
    crosstalk: CrossTalk = CrossTalk.NONE
    chat: Chat = Chat.OFF
    mics: Mics = Mics.HOLDER
    optional: bool = False
    once: bool = False
    fit: bool = False
    gather_ms: int = 0
    lines: int = 0
    warm_up_ms: int = 0
    pause_ms: int = 0
    together_ms: int = 0
    words: int | None = None


@dataclass(frozen=True)
class Sheet:
    """The rules of a run sheet. id: what its words are found by."""

    id: str
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class Seat:
    """One person's place. What only the person may switch on: `mic_on`, `camera_on`.

    present: a browser is connected. away_since: set while it is not.
    mic_held, camera_covered: a facilitator's decision, kept across reconnects.
    waiting: in the waiting area, apart from the circle. veiled: not readmitted since the room
    was made safe. stepped_out: away for a moment of their own will. card: shown to them alone.
    """

    id: SeatId
    roles: frozenset[Role] = frozenset()
    present: bool = True
    away_since: Millis | None = None
    mic_on: bool = False
    camera_on: bool = False
    mic_held: bool = False
    camera_covered: Reason | None = None
    waiting: bool = False
    veiled: bool = False
    stepped_out: bool = False
    card: Card | None = None


@dataclass(frozen=True)
class Place:
    """A turn to come in this phase, and the time it will have. response: an invited answer."""

    seat: SeatId
    turn_ms: int
    response: bool = False


@dataclass(frozen=True)
class EndedTurn:
    """A turn of this phase that is over, kept so that Back can restore it exactly.

    came_back: the seat asked for *later* or was dropped, and so waits again. asked: by itself.
    owed: it chose to be first in the next round instead. lines_read: how many were before it.
    """

    seat: SeatId
    remaining_ms: int
    given_ms: int
    came_back: bool = False
    asked: bool = False
    response: bool = False
    planned: bool = True
    owed: bool = False
    lines_read: int = 0


@dataclass(frozen=True)
class Clock:
    """A count-down that can stand still: `remaining_ms` was true at `since`; None = stopped.

    It may fall below zero: people finish in their own time.
    """

    remaining_ms: int
    since: Millis | None = None

    def left(self, now: Millis) -> int:
        """Milliseconds left at `now`; negative once the time is used up."""
        return self.remaining_ms if self.since is None else self.remaining_ms - (now - self.since)

    def set_running(self, running: bool, now: Millis) -> Clock:
        """The same clock, running or standing still from `now` on."""
        if running == (self.since is not None):
            return self
        return Clock(self.left(now), now if running else None)


@dataclass(frozen=True)
class Turn:
    """One holding of the floor. `number` is never used twice in a circle.

    given_ms: the time it began with. held: a facilitator froze the clock. planned: the seat was
    waiting for a turn, and waits again if this one is taken back. ready: it has begun, so the
    clock may run. heard: its microphone was on. signalled: told early, and gently, that time
    goes by. welcomes: answers are invited. response: it is itself an answer.
    """

    number: int
    seat: SeatId
    given_ms: int
    clock: Clock
    started_at: Millis
    planned: bool = True
    held: bool = False
    stage: Stage = Stage.SPEAKING
    ready: bool = True
    heard: bool = False
    signalled: bool = False
    welcomes: bool = False
    response: bool = False


@dataclass(frozen=True)
class Round:
    """The line of a phase in which a floor is held.

    waiting: next first; in a queue only who is owed a turn, for raised hands are the line.
    ended: oldest first, Back pops the last. used_later: who has asked for *later* already (once).
    floor_open: the last holder left it to anyone who wants it. ran_out: the phase's length is
    used up, so who still waits has a short turn. lines_read: of a text.
    """

    waiting: tuple[Place, ...] = ()
    ended: tuple[EndedTurn, ...] = ()
    used_later: frozenset[SeatId] = frozenset()
    floor_open: bool = False
    ran_out: bool = False
    lines_read: int = 0


@dataclass(frozen=True)
class Space:
    """People apart from the circle for a while, in pairs or threes.

    seats: who is there. order: who speaks when, as it began. step: index into
    `spaces.steps`. clock: of this step. goes_on: its speaker was away too long to be waited for.
    noticed: they were told that the end is near.
    """

    seats: tuple[SeatId, ...]
    order: tuple[SeatId, ...]
    step: int
    clock: Clock
    goes_on: bool = False
    noticed: bool = False


@dataclass(frozen=True)
class QuietOffer:
    """Somebody offers a quiet word. to: a seat, or None for whoever cares."""

    seat: SeatId
    to: SeatId | None


@dataclass(frozen=True)
class ContentNote:
    """A hard topic is announced. until: when it should be over."""

    seat: SeatId
    topic: Topic
    until: Millis


@dataclass(frozen=True)
class Aside:
    """What waits while an insert runs: the phase as it stood, to be taken up unchanged."""

    sheet: Sheet | None
    index: int | None
    phase: Phase
    phase_clock: Clock | None
    phase_over: bool
    round: Round | None
    turn: Turn | None


@dataclass(frozen=True)
class Circle:
    """A live meeting. `seats` keeps the order of arrival.

    seed: decides where lists begin and chance falls; another in each circle. index: of the phase
    in the sheet. owed: who has first place in the next round. spoke_at: when a seat was last
    heard in a turn. superseded: the number of the turn that ended last by moving on; a repeated
    *next* for it is a no-op. led: a facilitator has been here. unled_since: none is here now.
    holding: the circle waits for a facilitator. safe: only facilitators are heard, clocks stand.
    door_closes_at: latecomers may come until then. ends_at: as the run sheet planned it.
    spaces, quiet: people apart; quiet words, offers, cards, notes, stepping out and who shows a
    screen are never written down (messages.PrivateEvent). screens: the group lets screens be shown
    at all; given when the circle is opened, like the seed. sharing: whose screen is shown.
    """

    seed: int = 0
    screens: bool = False
    sheet: Sheet | None = None
    index: int | None = None
    aside: Aside | None = None
    phase: Phase = field(default_factory=lambda: Phase(Mode.TALK))
    phase_number: int = 0
    phase_clock: Clock | None = None
    phase_over: bool = False
    seats: Mapping[SeatId, Seat] = field(default_factory=dict)
    seats_given: int = 0
    round: Round | None = None
    turn: Turn | None = None
    turns_given: int = 0
    superseded: int | None = None
    hands: tuple[SeatId, ...] = ()
    owed: tuple[SeatId, ...] = ()
    spoke_at: Mapping[SeatId, Millis] = field(default_factory=dict)
    spaces: Mapping[str, Space] = field(default_factory=dict)
    quiet: tuple[tuple[SeatId, SeatId], ...] = ()
    quiet_offers: tuple[QuietOffer, ...] = ()
    sharing: SeatId | None = None
    card: Card | None = None
    note: ContentNote | None = None
    pause_asked: bool = False
    paused: bool = False
    safe: bool = False
    led: bool = False
    unled_since: Millis | None = None
    holding: bool = False
    door: Door = Door.OPEN
    door_closes_at: Millis | None = None
    removed: frozenset[SeatId] = frozenset()
    ends_at: Millis | None = None
    closing_told: bool = False
    ended: bool = False
    at: Millis = Millis(0)
    """When the last event happened."""


@dataclass(frozen=True)
class Gate:
    """What the server lets through for one seat. An open gate permits; it switches nothing on.

    space: who can hear and see one another; "main" for the whole circle. video: of the camera.
    focus: this is whom the others look at, so the picture deserves the larger of two sizes.
    screen: the pictures of a shown screen; of one seat in a circle at most.
    """

    audio: bool
    video: bool
    space: str = "main"
    focus: bool = False
    screen: bool = False
