"""The page for those who write run sheets says what the code takes, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from peermeet.core.model import Chat, CrossTalk, Mics, Mode, Order, Pass, Timeout, Who
from peermeet.core.runsheet import (
    LINE,
    PHASE_KEYS,
    SHEET_KEYS,
    SOURCE,
    TITLE,
    WORDS,
    SheetErrors,
    parse,
)
from peermeet.runsheets import ORDER, shipped

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/runsheets.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The rows below a heading, without its first two."""
    found = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^##|\Z)", PAGE, re.S | re.M)
    assert found, heading
    lines = [line for line in found[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


PARTS = {quoted(row[0])[0]: row for row in table("A part")}


def test_every_word_is_told_and_no_other() -> None:
    assert [quoted(row[0])[0] for row in table("The whole sheet")] == list(SHEET_KEYS)
    assert list(PARTS) == list(PHASE_KEYS)


@pytest.mark.parametrize("key", PHASE_KEYS)
def test_each_word_is_told_with_its_modes(key: str) -> None:
    modes = set(Mode) if PARTS[key][1] == "all" else {Mode(m) for m in quoted(PARTS[key][1])}
    assert modes == PHASE_KEYS[key]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("mode", Mode),
        ("chat", Chat),
        ("who", Who),
        ("order", Order),
        ("timeout", Timeout),
        ("crosstalk", CrossTalk),
        ("mics", Mics),
    ],
)
def test_each_choice_is_told(key: str, kind: type[Mode]) -> None:
    assert set(quoted(PARTS[key][3])) == set(kind)


def test_what_can_be_done_with_a_turn_is_told() -> None:
    assert quoted(PARTS["passes"][3]) == ["pass", *Pass]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("Modes", Mode), ("Who comes next", Order), ("When the time of a turn is up", Timeout)],
)
def test_each_choice_is_explained(heading: str, kind: type[Mode]) -> None:
    rows = table(heading)
    assert len(rows) == len(kind)
    assert {quoted(row[0])[0] for row in rows} == set(kind)


def test_the_limits_of_texts_are_the_codes() -> None:
    assert f"up to {TITLE} characters" in PARTS["title"][3]
    assert f"up to {WORDS} characters" in PARTS["words"][3]
    assert f"of up to {LINE} characters" in PARTS["lines"][3]
    assert f"up to {SOURCE} characters" in PAGE


def test_what_is_filled_in_is_as_told() -> None:
    def rules(text: str) -> object:
        return parse(f'title = "T"\n[[phase]]\ntitle = "T"\n{text}', "t").rules.phases[0]

    for key, row in PARTS.items():
        mode = next(m for m in Mode if m in PHASE_KEYS[key])
        written = quoted(row[4])[:1] or re.findall(r"^\d+", row[4])
        if not written or key in ("title", "mode", "lines", "timeout", "order"):
            continue
        value = written[0]
        if not re.match(r"[\[\d]|true|false", value):
            value = f'"{value}"'
        base = f'mode = "{mode}"\n' + ("phase_min = 9\n" if key == "fit" else "")
        base += 'lines = ["a"]\n' if mode is Mode.READ else ""
        assert rules(base) == rules(f"{base}{key} = {value}\n"), key


def test_the_sheets_that_come_along_are_listed() -> None:
    rows = table("Those that come along")
    assert [quoted(row[0])[0] for row in rows] == list(ORDER)
    for (_, title, minutes, people), sheet in zip(rows, shipped().values(), strict=True):
        meant = "any" if sheet.people is None else "–".join(map(str, sheet.people))
        assert (title, minutes, people) == (sheet.title, str(sheet.minutes), meant)


def test_the_first_sheet_works_and_its_mistake_is_told_as_shown() -> None:
    first, mistake = re.findall(r"^```(?:toml|text)\n(.*?)^```", PAGE, re.S | re.M)
    sheet = parse(first, "evening")
    assert sheet.minutes == sum(p.length_ms or 0 for p in sheet.rules.phases) / 60_000
    with pytest.raises(SheetErrors) as told:
        parse(first.replace("turn_s = 180", 'turn_s = "3 mins"'), "evening")
    assert f"{told.value}\n" == mistake
