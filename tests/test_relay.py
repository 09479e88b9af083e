"""The file for coturn and the credentials for it, without coturn."""

from __future__ import annotations

import base64
import hashlib
import hmac
from ipaddress import ip_address
from pathlib import Path

import pytest

from peermeet import cli
from peermeet.relay import Certificate, RelayUrl, coturn_file, credential, read_url

OWN = ip_address("10.0.0.5")


def file(*urls: str, worker: str = "203.0.113.7", certificate: Certificate | None = None) -> str:
    return coturn_file(
        [read_url(url) for url in urls],
        "the-secret",
        workers=[ip_address(worker)],
        addresses=[OWN],
        certificate=certificate,
    )


def test_addresses_of_a_relay_are_taken_apart() -> None:
    assert read_url("turn:relay.example") == RelayUrl(False, "relay.example", 3478)
    assert read_url("turns:relay.example?transport=tcp") == RelayUrl(True, "relay.example", 5349)
    assert read_url("turn:[2001:db8::7]:443?transport=udp") == RelayUrl(False, "2001:db8::7", 443)
    for wrong in ("", "relay.example", "turn:", "turn://relay.example", "turn:a:0", "turn:a b"):
        with pytest.raises(ValueError, match="is not like"):
            read_url(wrong)


def test_a_credential_is_a_time_and_a_session_signed() -> None:
    username, password = credential("the-secret", "k3Yx", 1_790_000_300)
    assert username == "1790000300:k3Yx"
    mac = hmac.new(b"the-secret", username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(password) == mac


@pytest.mark.parametrize(
    ("urls", "worker", "says"),
    [
        ([], "203.0.113.7", "PEERMEET_TURN_URLS"),
        (["turn:a:1", "turn:a:2"], "203.0.113.7", "one port"),
        (["turns:a"], "203.0.113.7", "--cert"),
        (["turn:a"], "127.0.0.1", "PEERMEET_ANNOUNCE_IP"),
        (["turn:a"], "0.0.0.0", "PEERMEET_ANNOUNCE_IP"),
        (["turn:a"], "::1", "PEERMEET_ANNOUNCE_IP"),
    ],
)
def test_what_makes_no_relay_is_told_with_what_to_do(
    urls: list[str], worker: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        file(*urls, worker=worker)


def test_tls_is_there_with_a_certificate_and_explained_without() -> None:
    without = file("turn:relay.example").splitlines()
    assert "no-tls" in without and "#cert=/etc/coturn/fullchain.pem" in without
    certificate = Certificate("/etc/x/chain.pem", "/etc/x/key.pem")
    lines = file(
        "turn:relay.example", "turns:relay.example:443", certificate=certificate
    ).splitlines()
    assert {"tls-listening-port=443", "cert=/etc/x/chain.pem", "pkey=/etc/x/key.pem"} <= {*lines}
    assert "no-tls" not in lines


def test_the_command_makes_the_secret_once_and_keeps_it_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEERMEET_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PEERMEET_ANNOUNCE_IP", '["203.0.113.7", "2001:db8::7"]')
    assert cli.main(["admin", "turn-config"]) == 2
    assert "PEERMEET_TURN_URLS" in capsys.readouterr().err
    monkeypatch.setenv("PEERMEET_TURN_URLS", '["turn:relay.example"]')
    assert cli.main(["admin", "turn-config", "--cert", "/etc/x/chain.pem"]) == 2
    capsys.readouterr()
    printed = []
    for _ in range(2):
        assert cli.main(["admin", "turn-config", "--address", "10.0.0.9"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    secret = (tmp_path / "data/turn.key").read_text()
    lines = printed[0].splitlines()
    assert f"static-auth-secret={secret}" in lines
    assert (tmp_path / "data/turn.key").stat().st_mode & 0o077 == 0
    allowed = [line for line in lines if line.startswith(("allowed-peer-ip", "external-ip"))]
    # On another machine coturn would allow its own address too, if it were told of a NAT.
    assert allowed == ["allowed-peer-ip=203.0.113.7", "allowed-peer-ip=2001:db8::7"]
