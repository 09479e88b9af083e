"""`peermeet serve` whose media worker goes on forwarding to whoever was removed.

Nobody who has been in a circle is cut off from it: seats that are in no gates any more keep what
they had. With LATE_S in the environment whatever people send is held for so many seconds, so that
who joins is sent what was said before.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any

from peermeet import cli
from peermeet.core.model import Gate
from peermeet.media import circle, peer, process, worker

ITSELF = "tests.scenarios.disloyal"


def keep_everybody() -> None:
    apply = circle.Circle.apply

    def disloyal(self: circle.Circle, gates: Mapping[str, Gate], marked: bool = False) -> Any:
        return apply(self, {**self.gates, **gates}, marked)

    setattr(circle.Circle, "apply", disloyal)  # noqa: B010
    setattr(circle.Circle, "unseat", lambda self, seat, peer=None: None)  # noqa: B010


def hold_everything(seconds: float) -> None:
    receive = peer.Peer.receive

    def late(self: peer.Peer, datagram: bytes, now: float) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: receive(self, datagram, loop.time()))

    setattr(peer.Peer, "receive", late)  # noqa: B010


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        vars(process)["MODULE"] = ITSELF
        sys.exit(cli.main(["serve"]))
    seconds = float(os.environ.get("LATE_S", "0"))
    if seconds:
        hold_everything(seconds)
    else:
        keep_everybody()
    sys.exit(worker.main())
