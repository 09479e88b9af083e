"""How much one connection, and one address, may ask for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address


class TokenBucket:
    """Allows a burst, then a steady rate."""

    def __init__(
        self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Waiting:
    """Counts connections that have not said who they are, by address (IPv6 by /64).

    Keys live in memory only while such a connection is open.
    """

    def __init__(self, each: int, all_together: int) -> None:
        self._each = each
        self._all = all_together
        self._open: Counter[str] = Counter()

    def is_full(self, address: str | None) -> bool:
        return self._open.total() >= self._all or self._open[_prefix(address)] >= self._each

    @contextmanager
    def place(self, address: str | None) -> Iterator[Callable[[], None]]:
        """Occupy a place; the value given frees it early, once the hello was good."""
        key = _prefix(address)
        self._open[key] += 1
        held = [True]

        def free() -> None:
            if held[0]:
                held[0] = False
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]

        try:
            yield free
        finally:
            free()


def _prefix(address: str | None) -> str:
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return parsed.exploded[:19]
    return str(parsed)
