"""The table of bad lines on the page is that of the last whole run."""

from tests.lab.table import PAGE, Row, note, read, render


def test_the_page_shows_the_last_run_of_the_lab() -> None:
    page = PAGE.read_text()
    assert read() and note(read(), page) == page


def test_a_run_changes_its_own_table_only() -> None:
    rows = [Row("clean", "udp", 0.4, 0.2, 15.0, 0.0, 1)]
    page = f"before\n{note([], PAGE.read_text())}after\n"
    changed = note(rows, page)
    assert changed.startswith("before\n") and changed.endswith("after\n")
    assert changed.replace(render(rows), render([])) == page
