"""What a meeting leaves behind: nothing of anybody."""

import asyncio
import secrets
import tempfile
from pathlib import Path

import pytest

from tests.scenarios.client import LIMIT_S, Client, Refused
from tests.scenarios.server import Server


async def test_names_links_and_addresses_are_nowhere_in_data_and_logs() -> None:
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        server = Server(Path(folder))
        (server.data / "none.env").write_text("PEERMEET_LOG_LEVEL=debug\n")
        server.start()
        name = f"Canary{secrets.token_hex(6)}"
        fay = Client(server.url, server.facilitator, name + "F")
        ana = Client(server.url, server.participant, name + "A")
        secret = [name, server.facilitator, server.participant]
        try:
            await fay.join()
            await ana.join()
            await ana.meet()
            assert ana.peer is not None
            sdp = ana.peer.localDescription.sdp + ana.peer.remoteDescription.sdp
            secret += [
                line.split(":", 1)[1].strip()
                for line in sdp.splitlines()
                if line.startswith(("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"))
            ]
            secret += [fay.resume, ana.resume]
            await fay.do("start_phase", mode="round", first=ana.seat)
            await ana.speak()
            await ana.post(f'{{"kind": "{name}", "ref": "x"}}')
            await ana.until(lambda: ana.faults)
            with pytest.raises(Refused):
                await ana.do("end_circle")
            # The worst moment to look: a crash in the middle, with the journal still there.
            server.kill9()
            during = everything(server.data)
            server.start()
            await fay.join()
            await fay.do("end_circle")
            async with asyncio.timeout(LIMIT_S):
                while b"turn_started" in everything(server.data):  # noqa: ASYNC110
                    # The journal goes a moment after the last goodbye, while the server runs on.
                    await asyncio.sleep(0)
        finally:
            await ana.drop()
            await fay.drop()
            server.end()
        after = everything(server.data)
        assert b"turn_started" in during, "the journal was there to be looked at"
        for word in set(secret):
            assert word.encode() not in during, "a person was found in what the server keeps"
            assert word.encode() not in after


def everything(folder: Path) -> bytes:
    """Every byte of every file, the log included."""
    return b"\n".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())
