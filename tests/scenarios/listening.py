"""`peermeet serve` whose media worker writes down every packet that it has opened.

The worst server that keeps to the protocol: what it can know of a circle is in the file that
`LISTEN_TO` names, each packet as its length (4 bytes), the kind (1 byte: a or v), and the payload.
"""

import os
import struct
import sys
from typing import Any

from peermeet import cli
from peermeet.media import fanout, ingest, process, worker

ITSELF = "tests.scenarios.listening"


def listen(path: str) -> None:
    """From now on this worker writes down what arrives."""
    file = open(path, "ab", buffering=0)
    take = ingest.Layer.take

    def noted(self: ingest.Layer, *arguments: Any, **more: Any) -> ingest.MediaPacket | None:
        packet = take(self, *arguments, **more)
        if packet is not None and packet.payload:
            kind = b"a" if packet.descriptor is None else b"v"
            skip = 0 if packet.descriptor is None else packet.descriptor.payload_at
            text = packet.payload[skip:]
            first = b"\1" if packet.descriptor is None or packet.descriptor.start else b"\0"
            file.write(struct.pack("!I", len(text) + 2) + kind + first + text)
        return packet

    setattr(ingest.Layer, "take", noted)  # noqa: B010
    # The compiled loop would not come by here.
    vars(fanout)["CompiledFanOut"] = fanout.PlainFanOut


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        vars(process)["MODULE"] = ITSELF
        sys.exit(cli.main(["serve"]))
    listen(os.environ["LISTEN_TO"])
    sys.exit(worker.main())
