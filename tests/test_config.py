"""A wrong setting stops the start and says which it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from peermeet import cli
from peermeet.config import Settings, usable_cores


def settings(**members: object) -> Settings:
    return Settings(_env_file=None, **members)  # type: ignore[arg-type]


def test_ports_and_addresses_follow_from_one_another() -> None:
    plain = settings(port=8123)
    assert plain.url == "http://localhost:8123"
    assert plain.udp_port == 8123
    assert plain.origins == {"http://localhost:8123", "http://127.0.0.1:8123"}
    public = settings(public_url="https://circle.example/", extra_origins=("https://b.example",))
    assert public.url == "https://circle.example"
    assert public.origins == {"https://circle.example", "https://b.example"}


def test_media_may_have_one_address_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().media_bind is None
    monkeypatch.setenv("PEERMEET_MEDIA_BIND", "192.0.2.7")
    assert settings().media_bind == ("192.0.2.7",)
    monkeypatch.setenv("PEERMEET_MEDIA_BIND", '["192.0.2.7", "2001:DB8::7"]')
    assert settings().media_bind == ("192.0.2.7", "2001:db8::7")


@pytest.mark.parametrize(
    ("members", "bind", "has_tcp"),
    [
        ({}, ("192.0.2.7", "2001:db8::7"), True),
        ({"media_tcp": False}, ("192.0.2.7",), False),
        # A machine without a network, and a container: there the number is taken.
        ({}, ("127.0.0.1",), False),
        ({"host": "localhost"}, ("127.0.0.1",), False),
        ({"host": "0.0.0.0"}, ("192.0.2.7",), False),
        ({}, ("0.0.0.0",), False),
        ({"host": "0.0.0.0", "media_port": 8001}, ("0.0.0.0", "::"), True),
        # One of several workers would meet the pages.
        ({"host": "0.0.0.0", "media_port": 7997, "media_workers": 4}, ("0.0.0.0",), False),
        ({"host": "0.0.0.0", "media_port": 7997, "media_workers": 3}, ("0.0.0.0",), True),
        ({"media_port": 7997, "media_workers": 4}, ("192.0.2.7",), True),
        ({"media_tcp": False, "media_port": 8001}, ("0.0.0.0",), False),
    ],
)
def test_media_never_take_the_tcp_port_of_the_pages(
    members: dict[str, object], bind: tuple[str, ...], has_tcp: bool
) -> None:
    assert settings(**members).has_media_tcp(bind) is has_tcp


def test_there_is_a_media_worker_for_each_core_that_may_be_used(tmp_path: Path) -> None:
    assert settings().media_workers == usable_cores() <= len(os.sched_getaffinity(0))
    limit = tmp_path / "cpu.max"
    for quota, cores in (("100000 100000", 1), ("50000 100000", 1), ("6400000 100000", None)):
        limit.write_text(quota)
        assert usable_cores(tmp_path) == (cores or usable_cores(tmp_path / "none"))
    limit.write_text("max 100000")
    assert usable_cores(tmp_path) == usable_cores(tmp_path / "none")


def test_the_ports_of_all_media_workers_must_exist() -> None:
    assert settings(media_port=65_534, media_workers=2).udp_port == 65_534
    with pytest.raises(ValidationError, match="PEERMEET_MEDIA_PORT"):
        settings(media_port=65_534, media_workers=3)


def test_the_database_is_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    assert settings(data=tmp_path).database == f"sqlite+aiosqlite:///{tmp_path}/peermeet.db"
    assert settings(database_url="postgresql+asyncpg://x/y").database.startswith("postgresql")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PEERMEET_PORT", "70000"),
        ("PEERMEET_ANNOUNCE_IP", '["not an address"]'),
        ("PEERMEET_MEDIA_BIND", "eth0"),
        ("PEERMEET_PUBLIC_URL", "circle.example"),
        ("PEERMEET_LOG_LEVEL", "loud"),
        ("PEERMEET_TURN_URLS", '["stun:relay.example"]'),
        ("PEERMEET_TURN_URLS", '["turn:relay.example:70000"]'),
        ("PEERMEET_TURN_URLS", '["turn:relay.example?transport=sctp"]'),
        ("PEERMEET_TURN_URLS", '["turn:a", "turn:b", "turn:c", "turn:d", "turn:e"]'),
        ("PEERMEET_TURN_SECRET", "short"),
        ("PEERMEET_TURN_SECRET", "twenty-four letters and\na line"),
    ],
)
def test_a_bad_value_is_named(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["admin", "link", "--role", "participant"]) == 2
    told = capsys.readouterr().err
    assert name in told
    assert "SECRET" not in name or value not in told


def test_an_unknown_key_in_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("peermeet.env").write_text("PEERMEET_PROT=8000\n")
    assert cli.main(["admin", "link", "--role", "participant"]) == 2
    assert "PEERMEET_PROT" in capsys.readouterr().err


def test_an_admin_gets_a_fresh_link_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEERMEET_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PEERMEET_PUBLIC_URL", "https://circle.example")
    links = set()
    for _ in range(2):
        assert cli.main(["admin", "link", "--role", "facilitator"]) == 0
        links.add(capsys.readouterr().out.split()[1])
    assert len(links) == 2
    assert all(link.startswith("https://circle.example/join#") for link in links)
    assert (tmp_path / "data/secret.key").stat().st_mode & 0o077 == 0
