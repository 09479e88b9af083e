"""A group writes its meeting down: what is right is read; what is wrong is told with its line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peermeet.core import fit
from peermeet.core.model import (
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
from peermeet.core.phases import is_sound
from peermeet.core.runsheet import (
    FILE_BYTES,
    PHASE_KEYS,
    WORDS,
    PhaseWords,
    RunSheet,
    SheetErrors,
    default_gather_ms,
    default_warn_ms,
    parse,
    to_toml,
)
from peermeet.runsheets import ORDER, shipped, text_of

HEAD = 'title = "Ours"\n\n[[phase]]\ntitle = "Round"\n'


def mistakes(text: str) -> list[str]:
    """What is told about a page, as the command prints it."""
    with pytest.raises(SheetErrors) as told:
        parse(text, "ours")
    return str(told.value).split("\n")


def rules(text: str) -> Phase:
    """The rules of a sheet's only phase."""
    (phase,) = parse(HEAD + text, "ours").rules.phases
    return phase


def test_a_round_of_three_minutes_needs_three_lines() -> None:
    phase = rules('mode = "round"\nphase_min = 40\nturn_s = 180\n')
    assert phase == Phase(
        Mode.ROUND, 180_000, 45_000, length_ms=2_400_000, fit=True, gather_ms=20_000, words=0
    )


def test_lengths_are_numbers_or_say_their_unit() -> None:
    for written in ("180", '"180s"', '"180 s"', '"3min"', '"3 min"', "180.0"):
        assert rules(f'mode = "round"\nturn_s = {written}').turn_ms == 180_000
    for written in ("0.5", '"30s"', '"0.5min"'):
        assert rules(f'mode = "silence"\nphase_min = {written}').length_ms == 30_000


def test_short_turns_are_told_of_their_end_late_but_never_before_half() -> None:
    for turn_s, warn_s in ((180, 45), (91, 45), (90, 20), (40, 20), (30, 15), (15, 7), (5, 2)):
        assert rules(f'mode = "round"\nturn_s = {turn_s}').warn_ms == warn_s * 1000


def test_who_has_a_minute_or_more_may_gather_before_the_clock_begins() -> None:
    assert rules('mode = "round"\nturn_s = 60').gather_ms == 20_000
    assert rules('mode = "round"\nturn_s = 45').gather_ms == 0
    assert rules('mode = "round"\nturn_s = 60\ntimeout = "none"').gather_ms == 0
    assert rules('mode = "round"\nturn_s = 60\ngather_s = 5').gather_ms == 5_000


def test_what_can_be_done_with_a_turn_is_a_list() -> None:
    assert rules('mode = "round"').passes == (Pass.LATER,)
    assert rules('mode = "round"\npasses = ["pass"]').passes == ()
    assert rules('mode = "round"\npasses = "later"').passes == (Pass.LATER,)
    both = rules('mode = "round"\npasses = ["to-anyone", "pass", "later", "later"]').passes
    assert both == (Pass.LATER, Pass.TO_ANYONE)
    assert rules('mode = "queue"').passes == ()


def test_pairs_last_as_long_as_their_parts() -> None:
    phase = rules('mode = "pairs"\nturn_s = 300\nwarm_up_s = 60\npause_s = 30\ntogether_s = 120\n')
    assert phase.length_ms == fit.pairs_ms(phase) == 14 * 60_000


def test_a_new_line_in_the_file_is_a_new_line_on_the_screen() -> None:
    sheet = parse(HEAD + 'mode = "talk"\nwords = """\n  One.\n\n\tTwo. \n"""', "ours")
    assert sheet.phases[0].words == "One.\n\nTwo."


def test_a_file_from_another_system_is_read_all_the_same() -> None:
    text = "\ufeff" + (HEAD + 'mode = "talk"\nwords = """\nOne.\nTwo."""\n').replace("\n", "\r\n")
    assert parse(text, "ours").phases[0].words == "One.\nTwo."


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('mode = "rond"', '5: mode = "rond": write one of "talk", "round", "queue", "read"'),
        ('mode = "round"\nturn_s = "3 mins"', '6: turn_s = "3 mins": write seconds as a number'),
        ('mode = "round"\nphase_min = true', "6: phase_min = true: write minutes as a number"),
        ('mode = "round"\nturn_s = nan', "6: turn_s = nan: write seconds as a number"),
        ('mode = "round"\nturn_s = 4', "6: turn_s = 4: this may be from 5 seconds to 60 minutes"),
        ('mode = "round"\nturn_s = 3601', "6: turn_s = 3601: this may be from"),
        ('mode = "round"\nturn_s = inf', "6: turn_s = inf: this may be from"),
        ('mode = "round"\nturn_s = -inf', "6: turn_s = -inf: this may be from"),
        ('mode = "round"\nwarn_s = 601', "6: warn_s = 601: this may be from 0 seconds to 10 min"),
        ('mode = "round"\nturn_s = 30\nwarn_s = 31', "7: warn_s = 31: the signal cannot come"),
        ('mode = "round"\ngrace_s = "11min"', '6: grace_s = "11min": this may be from 0 seconds'),
        ('mode = "round"\ngather_s = 61', "6: gather_s = 61: this may be from 0 seconds to 60 s"),
        ('mode = "silence"\nphase_min = 0.1', "6: phase_min = 0.1: this may be from 10 seconds"),
        ('mode = "silence"\nphase_min = 121', "6: phase_min = 121: this may be from 10 seconds"),
        ('mode = "round"\nturn = 60', "6: turn = 60: this word is not known in a phase. Did you"),
        ('mode = "round"\nmics = "all"', '6: mics = "all": when everybody may be heard, say so'),
        ('mode = "silence"\npasses = ["to-anyone"]', '6: passes = ["to-anyone"]: this belongs to'),
        ('mode = "round"\nlines = ["a"]', '6: lines = ["a"]: this belongs to the mode "read"'),
        ('mode = "talk"\nturn_s = 60', "6: turn_s = 60: this belongs to the mode"),
        ('mode = "pairs"\nphase_min = 5', "6: phase_min = 5: this belongs to the mode"),
        ('mode = "pairs"\nturn_s = "60min"\npause_s = 60', '6: turn_s = "60min": the pairs would'),
        ('mode = "round"\nfit = true', "6: fit = true: turns can be fitted only to a phase with"),
        ('mode = "round"\nfit = "yes"', '6: fit = "yes": write true or false, without quotation'),
        ('mode = "round"\nwho = "speaker"', '6: who = "speaker": the facilitator gives the floor'),
        ('mode = "queue"\nwho = "speaker"\norder = "hand"', '7: order = "hand": the facilitator'),
        ('mode = "queue"\norder = "list"', '6: order = "list": in a queue raised hands are the'),
        ('mode = "queue"\npasses = ["later"]', '6: passes = ["later"]: there is no "later" in a'),
        ('mode = "queue"\ncrosstalk = "invited"', '6: crosstalk = "invited": answers are invited'),
        ('mode = "round"\npasses = []', '6: passes = []: write a list of "pass", "later" or'),
        ('mode = "round"\npasses = ["no"]', '6: passes = ["no"]: write a list of "pass"'),
        ('mode = "round"\ntimeout = "none"\nwarn_s = 9', "7: warn_s = 9: with timeout"),
        ('mode = "round"\ntimeout = "none"\ngrace_s = 9', "7: grace_s = 9: with timeout"),
        ('mode = "round"\ntimeout = "none"\ngather_s = 9', "7: gather_s = 9: with timeout"),
        (
            'mode = "round"\norder = "seeded-random"\nreverse = true',
            "7: reverse = true: an order by chance",
        ),
        ('mode = "read"\nlines = []', "6: lines = []: write a list of 1 to 60 lines to read"),
        ('mode = "read"\nlines = ["a", 3]', '6: lines = ["a", 3]: number 2 in this list: write'),
        (f'mode = "read"\nlines = ["{"x" * 401}"]', "6: lines"),
        ('mode = "talk"\nwords = "a\\u0007"', "6: words = "),
        ('mode = "talk"\nwords = 3', '6: words = 3: write words in quotation marks, like "Welco'),
        ('mode = "talk"\nwords = " "', '6: words = " ": this is empty; write something or leave'),
        (f'mode = "talk"\nwords = "{"x" * (WORDS + 1)}"', "6: words = "),
        ('mode = "talk"\nwords = hello', "6: This line cannot be read: words stand in straight"),
        ('mode = "talk"\nwords = “hello”', "6: This line cannot be read: words stand in straight"),
        ('mode = "talk"\nwords "hello"', "6: This line cannot be read: write a word, an equals"),
        ('mode = "talk"\nmode = "round"', "6: This line cannot be read: something is written twi"),
        ('mode = "talk"\nwords = "hello', "6: This line cannot be read: a text begins here or"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(wrong: str, says: str) -> None:
    (told,) = mistakes(HEAD + wrong)
    assert told.startswith(f"line {says}")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('mode = "talk"', "1: The sheet needs a title"),
        ('title = "Ours"', "1: There is no phase yet"),
        ('title = "Ours"\nphase = "round"', '2: phase = "round": a phase begins with [[phase]]'),
        ('title = "Ours"\n[phase]\nmode = "talk"', "2: [phase]: a phase begins with [[phase]]"),
        ('title = "Ours"\nphase = [{mode = "talk"}]', "2: phase = [{mode"),
        ('title = "A\\nB"\n[[phase]]\nmode="talk"\ntitle="T"', '1: title = "A\\nB": this must be'),
        ('title = "Ours"\nminutes = 0\n', "2: minutes = 0: write the minutes of the whole as"),
        ('title = "Ours"\npeople = [5, 17]\n', "2: people = [5, 17]: write the fewest and the m"),
        ('title = "Ours"\npeople = 5\n', "2: people = 5: write the fewest and the most people"),
        ('title = "Ours"\ncolour = "red"\n', '2: colour = "red": this word is not known here.'),
        (f'title = "{"x" * 81}"', '1: title = "xxxxx'),
        ('title = "Ours"\n[[phase]]\ntitle = "T"', "2: This phase needs a mode"),
        ('title = "Ours"\n[[phase]]\nmode = "talk"', "2: This phase needs a title"),
        ('title = "Ours"\n[[phase]]\nmode = "read"\ntitle = "T"', "2: This phase needs lines"),
        ("x" * FILE_BYTES + "=1", "1: The file is too long"),
        ("x = " + "[" * 30_000, "1: The file cannot be read"),
        ("x = " + "9" * 30_000, "1: The file cannot be read"),
        ("x = 0x" + "f" * 30_000, "1: x = 0xffff"),
    ],
)
def test_a_mistake_in_the_whole_is_told_too(wrong: str, says: str) -> None:
    assert any(told.startswith(f"line {says}") for told in mistakes(wrong))


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    told = mistakes(
        'title = "Ours"\n'
        "colour = 3\n\n"
        "[[phase]] # the first\n"
        'title = "Hello"\n'
        'words = """\n'
        "[[phase]]\n"
        'mode = "no"\n'
        '"""\n'
        'mode = "talk"\n'
        'who = "nobody"\n\n'
        "[[ phase ]]\n"
        'title = "Reading"\n'
        'mode = "read"\n'
        "lines = [\n"
        '  "a [", # a bracket\n'
        '  """b\n"""]\n'
        "'order' = \"best\"\n"
        "turn_s = 3 # too short\n"
    )
    lines = [int(line.split(":")[0].removeprefix("line ")) for line in told]
    assert lines == [2, 11, 20, 21]


def test_a_sheet_has_thirty_phases_at_most() -> None:
    phase = '[[phase]]\ntitle = "T"\nmode = "talk"\n'
    parse('title = "Ours"\n' + phase * 30, "ours")
    (told,) = mistakes('title = "Ours"\n' + phase * 31)
    assert told.startswith("line 92: A run sheet has 30 phases at most, and this one 31.")


# --- There and back -----------------------------------------------------------------------------

letters = st.characters(exclude_categories=("Cc", "Cs"))


def seconds(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high).map(lambda s: s * 1000)


def one_line(longest: int) -> st.SearchStrategy[str]:
    texts = st.text(letters | st.sampled_from("\"\\#[]='"), min_size=1, max_size=longest)
    return texts.map(str.strip).filter(bool)


paragraphs = st.lists(one_line(30) | st.just(""), max_size=5).map(lambda x: "\n".join(x).strip())


@st.composite
def phases(draw: st.DrawFn) -> tuple[PhaseWords, Phase]:
    """A phase that can be written: what a mode does not know stays as it is."""
    mode = draw(st.sampled_from(Mode))
    knows = {key for key, modes in PHASE_KEYS.items() if mode in modes}
    phase = Phase(
        mode,
        chat=draw(st.sampled_from(Chat)),
        optional=draw(st.booleans()),
        length_ms=draw(st.none() | seconds(10, 7200)) if "phase_min" in knows else None,
        passes=(Pass.LATER,),
    )
    fields: dict[str, Any] = {}
    if "turn_s" in knows:
        fields["turn_ms"] = turn_ms = draw(seconds(5, 3000))
        fields["warn_ms"] = default_warn_ms(turn_ms)
    if mode is Mode.PAIRS:
        for span in ("warm_up_ms", "pause_ms", "together_ms"):
            fields[span] = draw(seconds(0, 60))
        phase = replace(phase, **fields)
        fields["length_ms"] = fit.pairs_ms(phase)
    if "who" in knows:
        kinds = [w for w in Who if w is not Who.SPEAKER or mode is Mode.QUEUE]
        fields["who"] = draw(st.sampled_from(kinds))
    if "timeout" in knows:
        fields["timeout"] = timeout = draw(st.sampled_from(Timeout))
        fields["gather_ms"] = default_gather_ms(turn_ms, timeout)
        if timeout is not Timeout.NONE:
            fields["warn_ms"] = draw(seconds(0, min(600, turn_ms // 1000)))
            fields["grace_ms"] = draw(seconds(0, 600))
            fields["gather_ms"] = draw(seconds(0, 60))
        offered = [p for p in Pass if mode is not Mode.QUEUE or p is not Pass.LATER]
        passes = draw(st.sets(st.sampled_from(offered)))
        fields["passes"] = tuple(p for p in Pass if p in passes)
        fields["crosstalk"] = draw(st.sampled_from([CrossTalk.NONE, CrossTalk.OPEN]))
        if mode is Mode.QUEUE:
            speaker = fields["who"] is Who.SPEAKER
            order = st.just(Order.HAND) if speaker else st.sampled_from(list(Order)[2:])
            fields |= {"order": draw(order), "once": draw(st.booleans())}
        else:
            fields["order"] = draw(st.sampled_from(Order))
            fields["reverse"] = draw(st.booleans()) and fields["order"] != Order.SEEDED_RANDOM
    if mode is Mode.ROUND:
        fields["fit"] = phase.length_ms is not None and draw(st.booleans())
    if "mics" in knows and fields["crosstalk"] is CrossTalk.OPEN:
        fields["mics"] = draw(st.sampled_from(Mics))
    lines: tuple[str, ...] = ()
    if mode is Mode.READ:
        lines = tuple(draw(st.lists(one_line(20), min_size=1, max_size=6)))
    words = PhaseWords(draw(one_line(20)), draw(paragraphs), lines)
    return words, replace(phase, lines=len(lines), **fields)


@st.composite
def sheets(draw: st.DrawFn) -> RunSheet:
    both = draw(st.lists(phases(), min_size=1, max_size=6))
    few = draw(st.none() | st.integers(2, 16))
    return RunSheet(
        id="ours",
        title=draw(one_line(40)),
        source=draw(st.just("") | one_line(40)),
        minutes=draw(st.none() | st.integers(1, 480)),
        people=None if few is None else (few, draw(st.integers(few, 16))),
        phases=tuple(words for words, _ in both),
        rules=Sheet("ours", tuple(replace(p, words=i) for i, (_, p) in enumerate(both))),
    )


@given(sheets())
def test_whatever_a_group_writes_comes_back_from_its_file(sheet: RunSheet) -> None:
    assert parse(to_toml(sheet), "ours") == sheet


@given(sheets())
def test_whatever_can_be_written_the_rules_accept(sheet: RunSheet) -> None:
    read = parse(to_toml(sheet), "ours")
    assert all(is_sound(phase) for phase in read.rules.phases)


@given(st.text(max_size=200) | st.text("[]{}\"'#=\\\n .,-_phaseint01", max_size=80))
def test_whatever_somebody_sends_is_read_or_told(text: str) -> None:
    try:
        parse(text, "ours")
    except SheetErrors as told:
        lines = text.count("\n") + 1
        assert told.mistakes and all(1 <= line <= lines for line, _ in told.mistakes)


# --- The sheets that PeerMeet comes with --------------------------------------------------------


@pytest.mark.parametrize("id", ORDER)
def test_a_shipped_sheet_is_sound_says_its_source_and_lasts_what_it_says(id: str) -> None:
    sheet = shipped()[id]
    assert sheet.id == sheet.rules.id == id
    assert sheet.source and sheet.minutes
    assert all(words.words for words in sheet.phases)
    assert all(is_sound(phase) for phase in sheet.rules.phases)
    lengths = sum(phase.length_ms or 0 for phase in sheet.rules.phases)
    assert round(lengths / 60_000) == sheet.minutes
    assert parse(to_toml(sheet), id) == sheet


@pytest.mark.parametrize("id", ORDER)
def test_a_shipped_sheet_fits_the_fewest_it_is_for(id: str) -> None:
    sheet = shipped()[id]
    few, _ = sheet.people or (2, 16)
    assert all(f.needed_ms <= f.length_ms for f in fit.check(sheet.rules, few))


def test_there_are_ten_and_every_file_is_listed() -> None:
    assert len(ORDER) == 10
    with pytest.raises(KeyError):
        text_of("../../etc/passwd")


def test_another_tradition_needs_no_new_code() -> None:
    """Reading, example, spotting and mutual aid, as Recovery International holds them."""
    sheet = parse(
        """
title = "Reading, example, spotting, mutual aid"
source = "The form of Recovery International's meetings; its texts are its own"
minutes = 75
people = [4, 12]

[[phase]]
title = "Reading"
words = "We read from your group's book, a part each."
mode = "read"
phase_min = 15
order = "previous-names-next"
lines = ["Your group's reading: first part.", "Second part.", "Third part."]

[[phase]]
title = "Example"
words = "One of us tells of an everyday moment: what happened, what I felt, what I did, and before."
mode = "queue"
phase_min = 10
order = "hand"
turn_s = "5min"
once = true

[[phase]]
title = "Spotting"
words = "Raise your hand to name a tool that was used. About the example, never about the person."
mode = "queue"
phase_min = 20
order = "quiet-first"
turn_s = 60
timeout = "firm"

[[phase]]
title = "Mutual aid"
words = "We talk freely: questions, and what helps."
mode = "queue"
phase_min = 30
turn_s = 120
crosstalk = "open"
mics = "all"
""",
        "reading-and-spotting",
    )
    reading, example, spotting, aid = sheet.rules.phases
    assert (reading.mode, reading.lines, reading.order) == (
        Mode.READ,
        3,
        Order.PREVIOUS_NAMES_NEXT,
    )
    assert example.once and example.turn_ms == 300_000
    assert (spotting.order, spotting.timeout) == (Order.QUIET_FIRST, Timeout.FIRM)
    assert aid.mics is Mics.ALL
