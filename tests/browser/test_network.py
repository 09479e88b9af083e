"""A new network under a page that stays: the way to the server changes, and nothing else."""

import asyncio
from typing import Any

import pytest

from tests.browser.conftest import Sit
from tests.browser.person import Person, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Counts connections from now on, and remembers the one that restarts.
LOOK = """() => {
  const Real = RTCPeerConnection;
  globalThis.made = globalThis.restarted = 0;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...how) { super(...how); globalThis.made++; }
  };
  const { restartIce } = Real.prototype;
  Real.prototype.restartIce = function () {
    globalThis.restarted++;
    globalThis.living = this;
    restartIce.call(this);
  };
}"""
STATE = """async () => {
  const all = await living.getStats();
  const transport = [...all.values()].find(({ type }) => type === 'transport');
  const pair = all.get(transport.selectedCandidatePairId);
  return {
    made, restarted,
    state: living.connectionState,
    signalling: living.signalingState,
    dtls: transport.dtlsState,
    certificate: all.get(transport.remoteCertificateId).fingerprint,
    sent: transport.packetsSent,
    chosen: all.get(pair.localCandidateId).usernameFragment,
    offered: living.localDescription.sdp.match(/a=ice-ufrag:(\\S+)/)[1],
  };
}"""


async def state(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = await person.page.evaluate(STATE)
    return found


async def restarts(person: Person, times: int) -> dict[str, Any]:
    """The browser says it is online; wait until the new way is in use, and look."""
    await person.page.evaluate("() => void dispatchEvent(new Event('online'))")

    async def is_on_it() -> bool:
        now = await state(person)
        return bool(now["restarted"] == times and now["chosen"] == now["offered"])

    await until(is_on_it, f"{person.name} uses the way that was found last")
    return await state(person)


async def test_a_page_with_another_network_keeps_its_connection_and_its_seat(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.start_round(first=ana)
    await ana.tap("I am ready")
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    seats, turn = [person.seat for person in (fay, ana, ben)], ana.view["turn"]["number"]
    for person in (ana, ben):
        await person.page.evaluate(LOOK)

    before = await restarts(ana, 1)
    await restarts(ben, 1)
    await asyncio.gather(fay.hears(ana), ben.hears(ana))
    after = await restarts(ana, 2)
    await asyncio.gather(fay.hears(ana), ben.hears(ana))

    assert after["chosen"] != before["chosen"]
    # One connection and one handshake: the same keys, of the same certificate, count on.
    assert (after["made"], after["dtls"], after["state"]) == (0, "connected", "connected")
    assert after["certificate"] == before["certificate"]
    assert after["sent"] > before["sent"] > 0
    assert after["signalling"] == "stable"
    assert [person.seat for person in (fay, ana, ben)] == seats
    assert (ana.view["turn"]["seat"], ana.view["turn"]["number"]) == (ana.seat, turn)
    assert "seat_away" not in fay.notices
