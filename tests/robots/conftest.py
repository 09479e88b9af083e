"""A whole server of its own for the tests of this folder."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from peermeet.robots.line import Link


@dataclass(frozen=True)
class Server:
    """A running `peermeet serve`, and its two invitations as people see them."""

    facilitator: str
    participant: str
    pid: int

    @property
    def for_fay(self) -> Link:
        return Link.parse(self.facilitator)

    @property
    def for_others(self) -> Link:
        return Link.parse(self.participant)

    def kill_media_worker(self) -> None:
        """End its child process, which carries the media, without a word."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            if b"peermeet.media.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                return
        raise AssertionError("no media worker")


def free_port() -> int:
    """A number that is free for TCP and UDP alike, as the server uses one for both."""
    for _ in range(20):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port: int = taken.getsockname()[1]
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                datagrams.bind(("", port))
            except OSError:
                continue
        return port
    raise AssertionError("no free port")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Started for one test, stopped after it."""
    environment = {
        **os.environ,
        "PEERMEET_DATA": str(tmp_path / "data"),
        "PEERMEET_PORT": str(free_port()),
        "PEERMEET_CONFIG": str(tmp_path / "none.env"),
    }
    with (
        open(tmp_path / "serve.log", "w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "peermeet", "serve"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            told = [process.stdout.readline() for _ in range(3)]
            assert told[2], (tmp_path / "serve.log").read_text()
            yield Server(told[1].split()[-1], told[2].split()[-1], process.pid)
        finally:
            process.terminate()
            process.wait(15)
