"""The server of the scenarios, with its invitations as people see them."""

import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from peermeet.robots.line import Link
from tests.scenarios.server import Server as Running


@dataclass(frozen=True)
class Server:
    """A running `peermeet serve`; facilitator, participant: whole links."""

    running: Running

    @property
    def facilitator(self) -> str:
        return f"{self.running.url}/join#{self.running.facilitator}"

    @property
    def participant(self) -> str:
        return f"{self.running.url}/join#{self.running.participant}"

    @property
    def for_fay(self) -> Link:
        return Link.parse(self.facilitator)

    @property
    def for_others(self) -> Link:
        return Link.parse(self.participant)

    def kill_media_worker(self) -> None:
        """End the process that carries the media, without a word."""
        os.kill(self.running.worker(), signal.SIGKILL)


@pytest.fixture
def server() -> Iterator[Server]:
    """Started for one test, stopped after it."""
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:  # short: it holds a Unix socket
        running = Running(Path(folder))
        try:
            running.start()
            yield Server(running)
        finally:
            running.end()
