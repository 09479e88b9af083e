"""Run sheets as text: TOML in, values out, and back again.

A group writes its meeting down in a file, and everything that is wrong with it is told at once,
each mistake with its line and in words for somebody who has never seen TOML. The file is flat: a
few keys for the whole, then a `[[phase]]` table for each phase. The grammar is that of circle.md
§2, told in docs/runsheets.md. Nothing here reads a file, and nothing here runs a phase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from peermeet.core import fit
from peermeet.core.model import (
    CAPACITY,
    Chat,
    CrossTalk,
    Mics,
    Mode,
    Order,
    Pass,
    Phase,
    Sheet,
    Timeout,
    Who,
)
from peermeet.core.page import (
    Mistake,
    PageErrors,
    Table,
    Wrong,
    duration,
    flag,
    listed,
    load,
    near,
    one_of,
    statements,
    text_of,
)
from peermeet.core.phases import LINES, PHASES

SheetErrors = PageErrors
"""A file that is no run sheet: `mistakes` has everything that is wrong with it."""

FILE_BYTES = 32 * 1024
"""The longest file, in UTF-8."""

TITLE, WORDS, LINE, SOURCE = 80, 600, 400, 300
"""The longest title, words, line to read and source, in characters."""


@dataclass(frozen=True)
class PhaseWords:
    """What people read in a phase. lines: of a text to read aloud, one turn each."""

    title: str
    words: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunSheet:
    """A run sheet whole: its words here, its rules for the core.

    source: where its form comes from. minutes, people: what it is meant for, if stated; people
    from and to. rules: `Phase.words` is an index into `phases`.
    """

    id: str
    title: str
    source: str
    minutes: int | None
    people: tuple[int, int] | None
    phases: tuple[PhaseWords, ...]
    rules: Sheet


_FLOOR = frozenset({Mode.ROUND, Mode.QUEUE, Mode.READ})
_ALL = frozenset(Mode)

SHEET_KEYS = ("title", "source", "minutes", "people", "phase")
"""The keys of the whole sheet."""

PHASE_KEYS: Mapping[str, frozenset[Mode]] = {
    "title": _ALL,
    "words": _ALL,
    "mode": _ALL,
    "phase_min": _ALL - {Mode.PAIRS},
    "optional": _ALL,
    "chat": _ALL,
    "who": _FLOOR | {Mode.TALK},
    "order": _FLOOR,
    "reverse": frozenset({Mode.ROUND, Mode.READ}),
    "turn_s": _FLOOR | {Mode.PAIRS},
    "fit": frozenset({Mode.ROUND}),
    "timeout": _FLOOR,
    "warn_s": _FLOOR,
    "grace_s": _FLOOR,
    "gather_s": _FLOOR,
    "passes": _FLOOR,
    "crosstalk": _FLOOR,
    "mics": frozenset({Mode.ROUND, Mode.QUEUE}),
    "once": frozenset({Mode.QUEUE}),
    "lines": frozenset({Mode.READ}),
    "warm_up_s": frozenset({Mode.PAIRS}),
    "pause_s": frozenset({Mode.PAIRS}),
    "together_s": frozenset({Mode.PAIRS}),
}
"""The keys of a phase, and the modes in which each has a meaning."""


def parse(text: str, id: str) -> RunSheet:
    """Read a run sheet. id: what its words will be found by.

    Raises SheetErrors with everything that is wrong. Lengths are whole seconds.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text.encode(errors="replace")) > FILE_BYTES:
        raise SheetErrors((Mistake(1, "The file is too long: a run sheet has 32 KiB at most."),))
    document = load(text)
    mistakes: list[Mistake] = []
    whole, tables = _tables(text, document, mistakes)
    for key in whole.unknown(SHEET_KEYS):
        whole.wrong(key, "this word is not known here." + near(key, SHEET_KEYS))
    title = whole.take("title", text_of(TITLE), "")
    if "title" not in whole.values:
        mistakes.append(Mistake(1, 'The sheet needs a title, like title = "Sharing circle".'))
    phases = [_read_phase(table, index) for index, table in enumerate(tables)]
    sheet = RunSheet(
        id=id,
        title=title,
        source=whole.take("source", text_of(SOURCE), ""),
        minutes=whole.take("minutes", _minutes, None),
        people=whole.take("people", _people, None),
        phases=tuple(words for words, _ in phases),
        rules=Sheet(id, tuple(phase for _, phase in phases)),
    )
    if mistakes:
        raise SheetErrors(tuple(sorted(mistakes, key=lambda m: m.line)))
    return sheet


# --- The whole ---------------------------------------------------------------------------------


def _tables(
    text: str, document: dict[str, Any], mistakes: list[Mistake]
) -> tuple[Table, list[Table]]:
    """The whole sheet and its phases, each key with the line it stands on."""
    whole = Table(1, mistakes)
    whole.values = document
    found: list[Table] = []
    table: Table | None = whole
    for statement in statements(text):
        header = re.fullmatch(r"(\[\[?)(.*?)\]\]?", statement.text, re.DOTALL)
        if header is None:
            key = re.split(r"[.=]", statement.text, maxsplit=1)[0].strip().strip("\"'")
            if table is not None:
                table.at.setdefault(key, statement)
            continue
        key = header[2].partition(".")[0].strip().strip("\"'")
        table = None
        if header[1] == "[[" and header[2].strip().strip("\"'") == "phase":
            table = Table(statement.line, mistakes)
            found.append(table)
        else:
            whole.at.setdefault(key, statement)
    written = document.get("phase", [])
    if not isinstance(written, list) or len(found) != len(written):
        whole.wrong("phase", "a phase begins with [[phase]], two brackets on either side.")
        return whole, []
    for table, values in zip(found, written, strict=True):
        table.values = values
    if not found:
        last = text.rstrip("\n").count("\n") + 1
        mistakes.append(Mistake(last, "There is no phase yet: begin one with [[phase]]."))
    if len(found) > PHASES:
        found[PHASES].lacks(f"A run sheet has {PHASES} phases at most, and this one {len(found)}.")
    return whole, found


def _minutes(value: Any) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 480:
        raise Wrong("write the minutes of the whole as a number from 1 to 480.")
    return value


def _people(value: Any) -> tuple[int, int] | None:
    match value:
        case [int(few), int(many)] if 2 <= few <= many <= CAPACITY:
            return few, many
    raise Wrong(f"write the fewest and the most people, from 2 to {CAPACITY}, like [5, 12].")


def _passes(value: Any) -> tuple[Pass, ...]:
    words = value if isinstance(value, list) else [value]
    known = ["pass", *(str(p) for p in Pass)]
    if not words or any(word not in known for word in words):
        raise Wrong(f'write a list of {listed(known)}, like ["pass", "later"].')
    return tuple(p for p in Pass if p in words)


def _lines(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= LINES:
        raise Wrong(f'write a list of 1 to {LINES} lines to read, like ["First.", "Second."].')
    found = []
    for number, line in enumerate(value, 1):
        try:
            found.append(text_of(LINE)(line))
        except Wrong as wrong:
            raise Wrong(f"number {number} in this list: {wrong}") from None
    return tuple(found)


# --- A phase ------------------------------------------------------------------------------------


def default_warn_ms(turn_ms: int) -> int:
    """How long before its end a turn is told so, in whole seconds: never more than half of it."""
    return min(45_000 if turn_ms > 90_000 else 20_000, turn_ms // 2_000 * 1_000)


def default_gather_ms(turn_ms: int, timeout: Timeout) -> int:
    """How long a holder may gather before the clock of the turn begins."""
    return 20_000 if turn_ms >= 60_000 and timeout is not Timeout.NONE else 0


_DEFAULT_TIMEOUT = {Mode.READ: Timeout.NONE}
_DEFAULT_ORDER = {Mode.QUEUE: Order.HAND}
_DEFAULT_PASSES: Mapping[Mode, tuple[Pass, ...]] = {Mode.QUEUE: (), Mode.READ: ()}
_QUEUE_ORDERS = (Order.HAND, Order.QUIET_FIRST, Order.PREVIOUS_NAMES_NEXT)


def _read_phase(table: Table, index: int) -> tuple[PhaseWords, Phase]:
    """A phase and its words; what is wrong in it is noted in the table."""
    for key in table.unknown(PHASE_KEYS):
        table.wrong(key, "this word is not known in a phase." + near(key, PHASE_KEYS))
    mode: Mode | None = table.take("mode", one_of(Mode), None)
    if "mode" not in table.values:
        table.lacks(f"This phase needs a mode: {listed(Mode)}.")
    if "title" not in table.values:
        table.lacks('This phase needs a title, like title = "Welcome".')
    for key in [k for k in table.values if mode is not None and k in PHASE_KEYS]:
        if mode not in PHASE_KEYS[key]:
            modes = [m for m in Mode if m in PHASE_KEYS[key]]
            table.wrong(key, f'this belongs to the mode {listed(modes)}; this phase is "{mode}".')
            del table.values[key]
    words = PhaseWords(
        title=table.take("title", text_of(TITLE), ""),
        words=table.take("words", text_of(WORDS, many_lines=True), ""),
        lines=table.take("lines", _lines, ()),
    )
    if mode is Mode.READ and "lines" not in table.values:
        table.lacks('This phase needs lines to read, like lines = ["First.", "Second."].')
    phase = _read_rules(table, mode or Mode.TALK, index, len(words.lines))
    if mode is not None:
        _check_rules(table, phase)
    return words, phase


def _read_rules(table: Table, mode: Mode, index: int, lines: int) -> Phase:
    take = table.take
    ordinary = Phase(mode)
    turn_ms = take("turn_s", duration(5, 3600), ordinary.turn_ms)
    timeout = take("timeout", one_of(Timeout), _DEFAULT_TIMEOUT.get(mode, Timeout.SOFT))
    signals = mode in _FLOOR
    length_ms: int | None = take("phase_min", duration(10, 7200, in_minutes=True), None)
    phase = Phase(
        mode=mode,
        turn_ms=turn_ms,
        warn_ms=take("warn_s", duration(0, 600), default_warn_ms(turn_ms)),
        grace_ms=take("grace_s", duration(0, 600), ordinary.grace_ms),
        timeout=timeout,
        length_ms=length_ms,
        order=take("order", one_of(Order), _DEFAULT_ORDER.get(mode, Order.LIST)),
        reverse=take("reverse", flag, False),
        who=take("who", one_of(Who), Who.ALL),
        passes=take("passes", _passes, _DEFAULT_PASSES.get(mode, ordinary.passes)),
        crosstalk=take("crosstalk", one_of(CrossTalk), CrossTalk.NONE),
        chat=take("chat", one_of(Chat), Chat.OFF),
        mics=take("mics", one_of(Mics), Mics.HOLDER),
        optional=take("optional", flag, False),
        once=take("once", flag, False),
        fit=take("fit", flag, mode is Mode.ROUND and length_ms is not None),
        gather_ms=take(
            "gather_s", duration(0, 60), default_gather_ms(turn_ms, timeout) if signals else 0
        ),
        lines=lines,
        warm_up_ms=take("warm_up_s", duration(0, 600), 0),
        pause_ms=take("pause_s", duration(0, 600), 0),
        together_ms=take("together_s", duration(0, 600), 0),
        words=index,
    )
    if mode is Mode.PAIRS:
        # What pairs need is known to the second, and the plan of the meeting counts on it.
        return replace(phase, length_ms=fit.pairs_ms(phase))
    return phase


def _check_rules(table: Table, phase: Phase) -> None:
    """Rules that are fine alone and contradict one another together."""
    written, mode = table.values, phase.mode
    contradictions = (
        (
            "warn_s" in written and phase.warn_ms > phase.turn_ms,
            "warn_s",
            "the signal cannot come before the turn begins; it is longer than the turn.",
        ),
        *(
            (
                key in written and phase.timeout is Timeout.NONE,
                key,
                'with timeout = "none" there is no clock and no signal; leave one of them out.',
            )
            for key in ("warn_s", "grace_s", "gather_s")
        ),
        (
            phase.mics is Mics.ALL and phase.crosstalk is not CrossTalk.OPEN,
            "mics",
            'when everybody may be heard, say so: crosstalk = "open".',
        ),
        (
            phase.crosstalk is CrossTalk.INVITED and mode is Mode.QUEUE,
            "crosstalk",
            'answers are invited in a "round" or "read"; here everybody can raise a hand anyway.',
        ),
        (
            mode is Mode.QUEUE and Pass.LATER in phase.passes,
            "passes",
            'there is no "later" in a queue: who wants to speak again raises a hand again.',
        ),
        (
            mode is Mode.QUEUE and phase.order not in _QUEUE_ORDERS,
            "order",
            f"in a queue raised hands are the line: write {listed(_QUEUE_ORDERS)}.",
        ),
        (
            phase.who is Who.SPEAKER and mode is not Mode.QUEUE,
            "who",
            'the facilitator gives the floor to a "speaker" in the mode "queue".',
        ),
        (
            phase.who is Who.SPEAKER and "order" in written and mode is Mode.QUEUE,
            "order",
            "the facilitator gives the floor to whoever speaks; there is no order.",
        ),
        (
            phase.reverse and phase.order is Order.SEEDED_RANDOM,
            "reverse",
            "an order by chance cannot be turned round.",
        ),
        (
            phase.fit and phase.length_ms is None,
            "fit",
            "turns can be fitted only to a phase with phase_min.",
        ),
        (
            mode is Mode.PAIRS and (phase.length_ms or 0) > 7_200_000,
            "turn_s",
            "the pairs would be apart for more than 2 hours.",
        ),
    )
    for contradicts, key, says in contradictions:
        if contradicts:
            table.wrong(key, says)


# --- And back -----------------------------------------------------------------------------------


def to_toml(sheet: RunSheet) -> str:
    """The sheet as a file: what goes without saying is left out, and `parse` gives it back.

    Of a phase that was changed while it ran, lengths are rounded to seconds.
    """
    written = [f"title = {_string(sheet.title)}"]
    if sheet.source:
        written.append(f"source = {_string(sheet.source)}")
    if sheet.minutes is not None:
        written.append(f"minutes = {sheet.minutes}")
    if sheet.people is not None:
        written.append(f"people = [{sheet.people[0]}, {sheet.people[1]}]")
    for phase in sheet.rules.phases:
        words = sheet.phases[phase.words] if phase.words is not None else PhaseWords("")
        written += ["", "[[phase]]"]
        written += [f"{key} = {value}" for key, value in _write_phase(words, phase)]
    return "\n".join(written) + "\n"


def _write_phase(words: PhaseWords, phase: Phase) -> Iterator[tuple[str, str]]:
    """The keys of a phase that differ from what is taken without them."""
    mode, turn_ms, timeout = phase.mode, phase.turn_ms, phase.timeout
    seconds = phase.turn_ms // 1000
    clocked = timeout is not Timeout.NONE
    ordinary = Phase(mode)
    passes = _DEFAULT_PASSES.get(mode, ordinary.passes)
    gather_ms = default_gather_ms(turn_ms, timeout)
    fits = mode is Mode.ROUND and phase.length_ms is not None
    keys: Mapping[str, tuple[bool, str]] = {
        "title": (True, _string(words.title)),
        "words": (bool(words.words), _paragraph(words.words)),
        "mode": (True, _string(mode)),
        "phase_min": (phase.length_ms is not None, _minutes_of(phase.length_ms or 0)),
        "optional": (phase.optional, "true"),
        "chat": (phase.chat is not Chat.OFF, _string(phase.chat)),
        "who": (phase.who is not Who.ALL, _string(phase.who)),
        "order": (
            phase.order is not _DEFAULT_ORDER.get(mode, Order.LIST),
            _string(phase.order),
        ),
        "reverse": (phase.reverse, "true"),
        "turn_s": (True, str(seconds)),
        "fit": (phase.fit is not fits, _boolean(phase.fit)),
        "timeout": (
            timeout is not _DEFAULT_TIMEOUT.get(mode, Timeout.SOFT),
            _string(timeout),
        ),
        "warn_s": (
            clocked and phase.warn_ms != default_warn_ms(turn_ms),
            str(phase.warn_ms // 1000),
        ),
        "grace_s": (
            clocked and phase.grace_ms != ordinary.grace_ms,
            str(phase.grace_ms // 1000),
        ),
        "gather_s": (clocked and phase.gather_ms != gather_ms, str(phase.gather_ms // 1000)),
        "passes": (phase.passes != passes, _list("pass", *phase.passes)),
        "crosstalk": (phase.crosstalk is not CrossTalk.NONE, _string(phase.crosstalk)),
        "mics": (phase.mics is not Mics.HOLDER, _string(phase.mics)),
        "once": (phase.once, "true"),
        "lines": (True, _list(*words.lines)),
        "warm_up_s": (phase.warm_up_ms > 0, str(phase.warm_up_ms // 1000)),
        "pause_s": (phase.pause_ms > 0, str(phase.pause_ms // 1000)),
        "together_s": (phase.together_ms > 0, str(phase.together_ms // 1000)),
    }
    for key, (differs, value) in keys.items():
        if differs and mode in PHASE_KEYS[key]:
            yield key, value


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _paragraph(text: str) -> str:
    if "\n" not in text:
        return _string(text)
    return f'"""\n{_string(text)[1:-1]}"""'


def _list(*texts: str) -> str:
    if len(texts) < 4:
        return f"[{', '.join(_string(t) for t in texts)}]"
    return "[\n" + "".join(f"  {_string(t)},\n" for t in texts) + "]"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _minutes_of(length_ms: int) -> str:
    seconds = length_ms // 1000
    return _string(f"{seconds}s") if seconds % 60 else str(seconds // 60)
