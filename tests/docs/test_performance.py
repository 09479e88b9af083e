"""The figures on the page are those of the last run, and each is explained."""

from __future__ import annotations

import json
import re

import pytest

from bench.page import AT_LEAST, AT_MOST, LATEST, MIXED, PAGE, PROFILE, SEALED, SOAK, note, promise

FIGURES: dict[str, str | float] = {}
for path in (LATEST, PROFILE, SEALED, MIXED, SOAK):
    FIGURES |= json.loads(path.read_text())
ROWS = dict(re.findall(r"^\| `([a-z0-9_]+)` \| ([^|]*) \|", PAGE.read_text(), re.MULTILINE))


def test_every_figure_of_the_last_run_is_explained_and_no_other() -> None:
    assert ROWS.keys() == FIGURES.keys()


@pytest.mark.parametrize("name", FIGURES)
def test_the_page_shows_the_last_run(name: str) -> None:
    assert ROWS[name] == str(FIGURES[name])


@pytest.mark.parametrize("name", [*AT_MOST, *AT_LEAST])
def test_the_page_promises_what_the_measurement_checks(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| [^|]* \| {promise(name)} \|", PAGE.read_text(), re.M)


def test_a_run_changes_its_own_cells_only() -> None:
    page = "| `join_ms` | 1 | join |\n| `join_ms_p95` | 2 | `join_ms` |\n"
    assert note({"join_ms": 3.5}, page) == page.replace(" 1 ", " 3.5 ")


def test_the_last_run_names_no_machine() -> None:
    assert not re.search(r"[/@]|localhost|\d+\.\d+\.\d+\.\d+", LATEST.read_text())
