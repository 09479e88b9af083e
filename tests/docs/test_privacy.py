"""What the page on privacy promises has a test of that name, and keeps to the tables."""

from __future__ import annotations

import re
from pathlib import Path

from peermeet.storage.tables import RETENTION

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/privacy.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 8
    for path, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.M), name


def test_every_table_is_told_with_the_rule_that_ends_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
    assert dict(rows) == RETENTION


def test_every_link_of_the_page_leads_somewhere() -> None:
    for page, anchor in re.findall(r"\]\(([\w.]*)#?([\w-]*)\)", PAGE):
        text = (ROOT / "docs" / page).read_text() if page else PAGE
        headings = re.findall(r"^##+ (.+)$", text, re.M)
        made = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert not anchor or anchor in made, (page, anchor)
