"""The shipped file with a certificate speaks TLS, and nothing older than 1.2."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from peermeet.relay import Certificate, coturn_file, credential, read_url
from tests.relay.coturn import SECRET, WORKERS, ip_addresses, next_ports, running
from tests.relay.turn import Turn
from tests.scenarios.server import free_port


def certificate(folder: Path) -> Certificate:
    """Of relay.example, by itself, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
    now = dt.datetime.now(dt.UTC)
    chain = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("relay.example")]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(chain.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificate(str(folder / "chain.pem"), str(folder / "key.pem"))


def test_a_relay_with_a_certificate_is_reached_over_tls(tmp_path: Path) -> None:
    clear, secure, files = free_port(), free_port(), certificate(tmp_path)
    urls = (f"turn:relay.example:{clear}", f"turns:relay.example:{secure}?transport=tcp")
    file = coturn_file(
        [read_url(url) for url in urls],
        SECRET,
        workers=ip_addresses(*WORKERS),
        addresses=ip_addresses("127.0.0.1"),
        certificate=files,
        ports=next_ports(),
    )
    who = credential(SECRET, "ana", int(time.time()) + 300)
    trusting = ssl.create_default_context(cafile=files.chain)
    old = ssl.create_default_context(cafile=files.chain)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with running(tmp_path, file, ("127.0.0.1", clear)):
        with Turn(("127.0.0.1", secure), *who, tls=trusting) as ana:
            ana.allocate()
            ana.permit(WORKERS[0])
        # It does not refuse in words.
        with pytest.raises(OSError), Turn(("127.0.0.1", secure), *who, tls=old, limit_s=3) as ana:
            ana.allocate()
