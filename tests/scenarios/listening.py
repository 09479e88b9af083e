"""`peermeet serve` that writes down whatever it can know of a circle.

The worst server that keeps to the protocol. Into the file that `LISTEN_TO` names go the packets
that its media worker has opened (RTP, without SRTP) and the texts that browsers send to it: each
as its length (4 bytes), what it is (1 letter: audio, video, repeated or text), and itself.

Packets are heard where plain Python takes them in (`Layer.take`), so none of the worker's compiled
parts can be had here. Whoever counts what was sent sees whether all of it came by.
"""

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket

from peermeet import cli
from peermeet.media import ingest, process, worker

ITSELF = "tests.scenarios.listening"
COMPILED = "peermeet.media._"


class _NothingCompiled:
    """Finds no compiled part of the media worker."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name.startswith(COMPILED):
            raise ModuleNotFoundError(name)


class _Notes:
    def __init__(self) -> None:
        self._file = open(os.environ["LISTEN_TO"], "ab", buffering=0)

    def write(self, what: bytes, data: bytes) -> None:
        # One call, so that two processes can share the file.
        self._file.write(struct.pack("!I", len(data)) + what + data)


def hear_packets(notes: _Notes) -> None:
    take = ingest.Layer.take

    def noted(self: ingest.Layer, plain: memoryview, size: int, *others: Any, **more: Any) -> Any:
        is_repeated = more.get("repairs", others[2:] == (True,))
        what = b"r" if is_repeated else b"v" if self.state.is_video else b"a"
        notes.write(what, bytes(plain[:size]))
        return take(self, plain, size, *others, **more)

    setattr(ingest.Layer, "take", noted)  # noqa: B010


def read_texts(notes: _Notes) -> None:
    receive = WebSocket.receive

    async def noted(self: WebSocket) -> Any:
        message = await receive(self)
        notes.write(b"t", (message.get("text") or "").encode())
        return message

    setattr(WebSocket, "receive", noted)  # noqa: B010


def noted(path: Path) -> Iterator[tuple[str, bytes]]:
    """What was written down so far: its letter, and itself."""
    data, at = path.read_bytes(), 0
    while at + 5 <= len(data):
        size, what = struct.unpack_from("!Ic", data, at)
        yield what.decode(), data[at + 5 : at + 5 + size]
        at += 5 + size


if __name__ == "__main__":
    sys.meta_path.insert(0, _NothingCompiled)
    for name in [name for name in sys.modules if name.startswith(COMPILED)]:
        del sys.modules[name]
    if sys.argv[1:2] == ["serve"]:
        read_texts(_Notes())
        vars(process)["MODULE"] = ITSELF
        sys.exit(cli.main(["serve"]))
    hear_packets(_Notes())
    sys.exit(worker.main())
