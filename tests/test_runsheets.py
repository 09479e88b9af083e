"""A run sheet is rehearsed on paper before anybody sits down, and told to whoever wrote it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from peermeet import cli
from peermeet.core import fit
from peermeet.core.model import Mics, Mode, Order, Phase, Who
from peermeet.core.runsheet import RunSheet, parse
from peermeet.runsheets import ORDER, shipped, text_of
from peermeet.runsheets.rehearsal import NAMES, Stretch, rehearse, told
from tests.core.test_runsheet import sheets

ROOT = Path(__file__).parents[1]
HEAD = 'title = "Ours"\n\n[[phase]]\ntitle = "Round"\n'


def is_kept(phase: Phase, stretch: Stretch) -> bool:
    """Whether only those were heard whom the phase promises to let speak."""
    if phase.mode is Mode.SILENCE:
        return not any(stretch.heard)
    if phase.mode is Mode.PAIRS:
        spaces = zip(stretch.heard, stretch.listen, strict=True)
        return all(len(heard) <= 1 or not listen for heard, listen in spaces)
    (heard,) = stretch.heard
    if phase.who is Who.FACILITATORS:
        return set(heard) <= {"Fay"}
    return phase.mode is Mode.TALK or phase.mics is Mics.ALL or len(heard) <= 1


def spoken_ms(stretches: tuple[Stretch, ...], phase: int) -> dict[str, int]:
    """How long each was heard alone, in turns of one phase."""
    found: dict[str, int] = {}
    for s in stretches:
        if s.phase == phase:
            for heard, listen in zip(s.heard, s.listen, strict=True):
                if len(heard) == 1 and listen:
                    found[heard[0]] = found.get(heard[0], 0) + s.ends_ms - s.begins_ms
    return found


@pytest.mark.parametrize("people", [2, 3, 9, 16])
@pytest.mark.parametrize("id", ORDER)
def test_a_shipped_sheet_is_held_from_its_first_phase_to_its_last(id: str, people: int) -> None:
    sheet = shipped()[id]
    phases = sheet.rules.phases
    stretches = rehearse(sheet, people)
    assert list(dict.fromkeys(s.phase for s in stretches)) == list(range(len(phases)))
    assert all(a.ends_ms == b.begins_ms for a, b in zip(stretches, stretches[1:], strict=False))
    assert all(is_kept(phases[s.phase], s) for s in stretches)
    for index, phase in enumerate(phases):
        if phase.mode is Mode.ROUND and phase.who is Who.ALL:
            assert spoken_ms(stretches, index).keys() == set(NAMES[:people]), index


def test_everybody_has_the_turn_that_fits() -> None:
    sheet = shipped()["sharing-circle"]
    heard = spoken_ms(rehearse(sheet, 12), 4)
    assert set(heard.values()) == {fit.turn_ms(sheet.rules.phases[4], 12)} == {165_000}


def test_pairs_have_equal_time_and_so_has_a_three() -> None:
    sheet = shipped()["pairs"]
    assert set(spoken_ms(rehearse(sheet, 9), 1).values()) == {300_000}
    in_three = spoken_ms(rehearse(sheet, 6), 1)
    assert sorted(in_three.values()) == [190_000] * 3 + [300_000] * 2


def test_the_speaker_speaks_for_the_time_the_sheet_gives() -> None:
    (speaker,) = spoken_ms(rehearse(shipped()["speaker-meeting"], 9), 4).values()
    assert speaker == 1_800_000


def test_who_was_heard_already_waits_where_the_unheard_come_first() -> None:
    sheet = shipped()["open-sharing"]
    stretches = rehearse(sheet, 16)
    assert not spoken_ms(stretches, 1).keys() & spoken_ms(stretches, 2).keys()


def test_a_text_is_read_to_its_end_a_line_each() -> None:
    lines = ", ".join(f'"line {i}"' for i in range(7))
    for order in Order:
        sheet = parse(HEAD + f'mode = "read"\norder = "{order}"\nlines = [{lines}]', "ours")
        turns = [s for s in rehearse(sheet, 3) if s.heard[0]]
        assert len(turns) == 7, order


def test_the_same_seed_is_the_same_meeting_and_another_another() -> None:
    sheet = shipped()["check-in-and-discussion"]
    assert rehearse(sheet, 9, 4) == rehearse(sheet, 9, 4) != rehearse(sheet, 9, 5)


@settings(max_examples=60, deadline=None)
@given(sheets(), st.integers(2, 16), st.integers(0, 9))
def test_whatever_a_group_writes_can_be_held_to_its_end(
    sheet: RunSheet, people: int, seed: int
) -> None:
    stretches = rehearse(sheet, people, seed)
    assert stretches[-1].phase == len(sheet.rules.phases) - 1
    assert all(is_kept(sheet.rules.phases[s.phase], s) for s in stretches)


def test_the_rehearsal_is_told_a_line_for_each_who_speaks() -> None:
    sheet = parse(HEAD + 'mode = "round"\nturn_s = 30\ntimeout = "none"\n', "ours")
    lines = list(told(sheet, rehearse(sheet, 2)))
    assert lines[0] == "  0:00  1. Round"
    assert sorted(line.split()[-1] for line in lines[1:3]) == ["Ana", "Fay"]
    assert lines[1].startswith("      0:00 to   0:30  ")
    assert lines[-1] == "  1:05  The end"


# --- At the command line ------------------------------------------------------------------------


def test_check_tells_every_mistake_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "ours.toml"
    page.write_text(HEAD + 'mode = "round"\nturn_s = "3 mins"\nmics = "all"\n')
    assert cli.main(["runsheet", "check", str(page)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith('line 6: turn_s = "3 mins": write seconds as a number')
    assert second.startswith('line 7: mics = "all": when everybody may be heard')


def test_check_tells_what_a_sheet_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "ours.toml"
    page.write_text(
        HEAD.replace("\n\n", "\nminutes = 30\npeople = [2, 8]\n\n", 1)
        + 'mode = "round"\nphase_min = 20\nturn_s = 180\n'
    )
    assert cli.main(["runsheet", "check", str(page)]) == 0
    said = capsys.readouterr().out
    assert "In all 20 minutes; the sheet says 30." in said
    assert "\n   6 people   19\n" in said
    assert "\n   7 people   18  Round: 2 min 30 s each\n" in said
    assert "\n- 16 people   18  Round: 1 min each\n" in said


def test_check_tells_what_is_optional_and_what_has_no_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["runsheet", "check", "sharing-circle"]) == 0
    said = capsys.readouterr().out
    assert "  6.   10 min  round    What stayed with me (optional)\n" in said
    assert "  9.     open  talk     After the circle (optional)\n" in said
    assert "Parts without a length are not counted." in said
    assert "\n  12 people   76  How are you here?: 1 min 36 s too long; Sharing: 2 min 45 s" in said
    assert cli.main(["runsheet", "check", "grounding"]) == 0
    said = capsys.readouterr().out
    assert "  1.     20 s  talk     A moment to land\n" in said
    assert "meant for" not in said


def test_a_sheet_that_comes_along_can_be_copied_and_rehearsed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["runsheet", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(ORDER)
    assert cli.main(["runsheet", "show", "pairs"]) == 0
    assert capsys.readouterr().out == text_of("pairs")
    assert cli.main(["runsheet", "rehearse", "pairs", "--people", "5", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    assert said == "".join(
        f"{line}\n" for line in told(shipped()["pairs"], rehearse(shipped()["pairs"], 5, 2))
    )


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_is_no_text_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    page = tmp_path / "ours.toml"
    if content is not None:
        page.write_bytes(content)
    assert cli.main(["runsheet", "check", str(page)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_sheets_are_in_what_people_install(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        for id in ORDER:
            found = packed.read(f"peermeet/runsheets/{id}.toml")
            assert found.decode() == text_of(id)
