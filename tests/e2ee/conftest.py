"""The vectors, and the people in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from peermeet.robots.secrecy import Self
from peermeet.robots.spelling import from_b64
from tests.e2ee.make_vectors import FILE

Vectors = dict[str, Any]


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    read: Vectors = json.loads(FILE.read_text())
    return read


def _private(jwk: dict[str, str]) -> ec.EllipticCurvePrivateKey:
    number = from_b64(jwk["d"])
    assert number is not None
    return ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())


@pytest.fixture
def people(vectors: Vectors) -> dict[str, Self]:
    return {
        name: Self(_private(told["hand_jwk"]), _private(told["device_jwk"]))
        for name, told in vectors["people"].items()
    }
