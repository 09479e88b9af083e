"""Lines that lose packets: somebody who only has a voice, and a relay before a real browser."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from peermeet.media.process import own_address
from peermeet.robots.line import Link
from tests.scenarios.ears import PACKET_S, Guest
from tests.scenarios.server import Server

Address = tuple[str, int]

THROUGH_RELAY = """{
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const moved = sdp.replace(/^(a=candidate:\\S+ 1 udp \\d+) \\S+ (\\d+)/gim, (_, head, port) => {
      relayTo(Number(port));
      return `${head} ADDRESS PORT`;
    });
    return setRemoteDescription.call(this, { type, sdp: moved });
  };
}"""


class Relay:
    """Stands between one browser and the server, and loses a share of what passes, both ways."""

    def __init__(self) -> None:
        self.loss = 0.0
        self._address = own_address("0.0.0.0")
        self._server: Address | None = None
        self._random = random.Random(4)
        self._front = self._open(self._from_client)
        self._backs: dict[Address, socket.socket] = {}

    @property
    def script(self) -> str:
        """For a page: go through here, whatever the answer says. It needs `aim` as `relayTo`."""
        port = str(self._front.getsockname()[1])
        return THROUGH_RELAY.replace("ADDRESS", self._address).replace("PORT", port)

    def aim(self, port: float) -> None:
        """Where the server's answer would have led."""
        self._server = self._address, int(port)

    def close(self) -> None:
        for each in (self._front, *self._backs.values()):
            asyncio.get_running_loop().remove_reader(each)
            each.close()

    def _open(self, readable: Callable[[], None]) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((self._address, 0))
        asyncio.get_running_loop().add_reader(made, readable)
        return made

    def _from_client(self) -> None:
        data, client = self._front.recvfrom(2048)
        if client not in self._backs:
            self._backs[client] = self._open(lambda: self._from_server(client))
        if self._server is not None and self._random.random() >= self.loss:
            self._backs[client].sendto(data, self._server)

    def _from_server(self, client: Address) -> None:
        data = self._backs[client].recv(2048)
        if self._random.random() >= self.loss:
            self._front.sendto(data, client)


@pytest_asyncio.fixture(loop_scope="session")
async def relay() -> AsyncIterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


class Voice:
    """Somebody who speaks without end; `loses` every third packet when told to."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.loses = False
        self._task = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        number = 0
        while True:
            number += 1
            self.guest.speak(lost=self.loses and number % 3 == 0)
            await asyncio.sleep(PACKET_S)

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.guest.leave()


Voices = Callable[[str], Awaitable[Voice]]


@pytest_asyncio.fixture(loop_scope="session")
async def voice(server: Server) -> AsyncIterator[Voices]:
    """`await voice("Mira")` sits down and begins to send."""
    come: list[Voice] = []

    async def sit(name: str) -> Voice:
        link = Link.parse(server.invitation("Ana"))
        come.append(Voice(await Guest.sit(link, name, 0)))
        return come[-1]

    yield sit
    for each in come:
        await each.end()
