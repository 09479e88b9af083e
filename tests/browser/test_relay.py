"""Somebody whose network lets nothing through but the relay takes part all the same."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peermeet.media.process import own_address
from tests.browser.conftest import Invite
from tests.browser.person import until
from tests.relay.coturn import ports, running
from tests.scenarios.server import Server, free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# A closed network as the page sees it: no candidate of one's own leads anywhere.
RELAY_ONLY = """{
  const Real = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(wishes) {
      super({ ...wishes, iceTransportPolicy: 'relay' });
      globalThis.connection = this;
    }
  };
}"""
WAY = """async () => {
  const reports = await connection.getStats();
  const { selectedCandidatePairId } = [...reports.values()].find(it => it.type === 'transport');
  const { localCandidateId, bytesReceived } = reports.get(selectedCandidatePairId);
  const { candidateType, relayProtocol } = reports.get(localCandidateId);
  return { candidateType, relayProtocol, bytesReceived };
}"""

BREAK = """() => {
  globalThis.before = connection;
  connection.close();
  dispatchEvent(new Event('offline'));
  dispatchEvent(new Event('online'));
}"""
IS_BACK = "() => connection !== before && connection.connectionState === 'connected'"


@pytest.fixture(params=["udp", "tcp"])
def transport(request: pytest.FixtureRequest) -> str:
    """How the browser speaks to the relay."""
    return str(request.param)


@pytest.fixture
def server(transport: str) -> Iterator[Server]:
    """A server, and beside it coturn on the file that the admin's command prints."""
    own, port = own_address("0.0.0.0"), free_port()
    with tempfile.TemporaryDirectory(prefix="tn-") as folder:
        data = Path(folder)
        server = Server(data, turn_urls=f'["turn:{own}:{port}?transport={transport}"]')
        printed = server.admin("turn-config", *ports())
        assert printed.returncode == 0, printed.stderr
        with running(data, printed.stdout, (own, port)):
            try:
                server.start()
                yield server
            finally:
                server.end()


async def test_a_person_behind_a_closed_network_hears_the_holder_and_is_heard(
    invite: Invite, transport: str
) -> None:
    fay, ana = await invite("Fay"), await invite("Ana")
    await ana.context.add_init_script(RELAY_ONLY)
    await fay.join(camera=True)
    await ana.join(camera=True)
    await fay.start_round(first=fay)
    await fay.tap("I am ready")
    await ana.sees("Fay is speaking")
    await ana.hears(fay)
    await ana.sees_picture_of(fay)
    way: dict[str, Any] = await ana.page.evaluate(WAY)
    assert (way["candidateType"], way["relayProtocol"]) == ("relay", transport)

    # Her own turn goes out by the same way.
    await fay.tap("I am done")
    await ana.tap("I am ready")
    await fay.hears(ana)

    # Line and connection break; the next one finds its way as well.
    await ana.page.evaluate(BREAK)

    async def is_back() -> bool:
        return bool(await ana.page.evaluate(IS_BACK))

    await until(is_back, "Ana has a new connection")
    await fay.hears(ana)
