"""Every parser takes every input: the kept ones, and some thousand made from them."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.fuzz.engine import TARGETS, finding, kept, mutants, took_ms

INPUTS = 4_000
AT_MOST_S = 1.3
"""For each target; a busy machine tries fewer, but never none."""


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_comes_in_gets_out_of_hand(name: str) -> None:
    target = TARGETS[name]
    found: dict[str, bytes] = {}
    until = time.monotonic() + AT_MOST_S
    tried = 0
    for data in itertools.chain(kept(target), itertools.islice(mutants(target, 1), INPUTS)):
        try:
            took_ms(target, data)
        except Exception as fault:
            found.setdefault(finding(fault), data)
        tried += 1
        if tried > 200 and time.monotonic() > until:
            break
    assert not found, {where: data[:4000].hex() for where, data in found.items()}


def test_a_target_notices_what_is_wrong() -> None:
    """The test of the tests: seeds reach what they are there for, and all names differ."""
    for target in TARGETS.values():
        assert len(set(target.seeds())) == len(target.seeds()) >= 3
    assert len({target.take for target in TARGETS.values()}) == len(TARGETS) >= 13
