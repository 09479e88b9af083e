"""What an admin types, and what comes back: links with their codes, and words for mistakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from peermeet import cli
from peermeet.core.model import Millis
from peermeet.identity import read_code, read_link

NEXT_MONTH = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
BLOCK = ("block", "K7Q2M", "--review", NEXT_MONTH, "--appeal", "Write to us.")


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("PEERMEET_DATA", str(folder))
    return folder


def links(told: str, key: bytes) -> list[tuple[str, str]]:
    """Code and token of each line; the code must be the one the server will see."""
    found = []
    for line in told.splitlines():
        code, url = line.split(" ")
        token = url.partition("#")[2]
        now = Millis(int(datetime.now(UTC).timestamp() * 1000))
        invitation = read_link(key, token, now)
        assert invitation is not None and invitation.code == code == read_code(code)
        found.append((code, token))
    return found


def test_a_link_comes_with_its_code_and_a_warning_that_it_is_everybodys(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["admin", "link", "--role", "participant"]) == 0
    told = capsys.readouterr()
    assert len(links(told.out, (data / "secret.key").read_bytes())) == 1
    assert "blocks everybody" in told.err and "--for-one" in told.err


def test_links_for_one_are_as_many_as_asked_for_and_each_its_own(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, count in ((["--for-one"], 1), (["--for-one", "12"], 12)):
        assert cli.main(["admin", "link", "--role", "participant", *words]) == 0
        told = capsys.readouterr()
        found = links(told.out, (data / "secret.key").read_bytes())
        assert len(found) == len(dict(found)) == count
        assert "blocks everybody" not in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("block", "K7Q2O", *BLOCK[2:]), "five letters and digits"),
        (("unblock", "K7Q2"), "five letters and digits"),
        ((*BLOCK[:3], "31.1.2027", *BLOCK[4:]), "looks like 2027-01-31"),
        ((*BLOCK[:5], "  "), "1 to 500 characters"),
        ((*BLOCK[:5], "x" * 501), "1 to 500 characters"),
        (BLOCK[:4], "--appeal"),
        (("block", "K7Q2M", *BLOCK[4:]), "--review"),
    ],
)
def test_a_mistake_is_told_before_anything_is_done(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["admin", *words])
    assert end.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [BLOCK, ("unblock", "k7q2m"), ("blocks",)])
def test_without_a_server_nothing_is_blocked_and_that_is_said(
    words: tuple[str, ...], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # without the folder, and without a server in it
        assert cli.main(["admin", *words]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "No server answers" in told.err
        data.mkdir(exist_ok=True)
