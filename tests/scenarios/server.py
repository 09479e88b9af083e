"""The real server as an operator runs it: a process, a data folder, two ports, two links."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

START_S = 60.0
END_S = 30.0


class Server:
    """`peermeet serve` on ports of its own; the same data and ports after a restart."""

    def __init__(
        self,
        data: Path,
        module: str = "peermeet",
        workers: int = 1,
        lease_s: float = 10,
        address: str = "127.0.0.1",
        encrypted: bool = False,
        **settings: str,
    ) -> None:
        """data: its folder. module: what to run instead, with its counters. workers, lease_s: of
        its media. address: of this machine, at which others reach it. settings: others than the
        usual, by their name without PEERMEET_, in small letters."""
        self.data = data
        self._encrypted = encrypted
        self._settings = {f"PEERMEET_{name.upper()}": value for name, value in settings.items()}
        self.module = module
        self.media_workers = workers
        self.lease_s = lease_s
        self.port = free_port(workers)
        self._address = address
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{self.port}"
        self.facilitator = ""  # the tokens of the two invitations
        self.participant = ""
        self.secret = ""
        """Of the group, in base64url, in a server whose links have it."""
        self._process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> str:
        """What it wrote to standard error so far, over all starts."""
        return (self.data / "serve.log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def invitation(self, name: str) -> str:
        """The whole link of somebody; Fay's is the facilitator's."""
        token = self.facilitator if name == "Fay" else self.participant
        return f"{self.url}/join#{token}" + (f".{self.secret}" if self.secret else "")

    def start(self) -> None:
        """Start and return when it says that it is ready."""
        self.data.mkdir(exist_ok=True)
        with open(self.data / "serve.log", "a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, "serve"],
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        told = [self._process.stdout.readline() for _ in range(3)]
        assert told[2], self.log
        self.facilitator, self.participant = (line.strip().split("#")[1] for line in told[1:])
        deadline = time.monotonic() + START_S
        while not self.is_ready():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)  # nothing tells when another process is ready

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def workers(self) -> dict[int, int]:
        """The process ids of its media workers, by number; also of those that outlived it."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if "-m" in words and f"--socket\0{self.data}/" in "\0".join(words):
                socket = Path(words[words.index("--socket") + 1])
                found[int(socket.stem.removeprefix("media-"))] = int(process.name)
        return found

    def worker(self) -> int:
        """The process id of its first media worker."""
        return self.workers()[0]

    def kill9(self) -> float:
        """End the web process without a word, and leave its media workers; the moment of the kill,
        by `time.monotonic`."""
        return self._end(signal.SIGKILL)

    def stop(self) -> float:
        """Ask it to end, as before a restart, and wait until it has; the moment of asking, by
        `time.monotonic`."""
        return self._end(signal.SIGTERM)

    def interrupt(self) -> float:
        """Ctrl-C; the moment, by `time.monotonic`."""
        return self._end(signal.SIGINT)

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop()
        for pid in self.workers().values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while self.workers():
            assert time.monotonic() < deadline, "a media worker does not end"
            time.sleep(0.02)  # nothing tells when another's child has ended

    def link(self, role: str) -> str:
        """A fresh invitation, by the admin's command; role: facilitator or participant."""
        told = self.admin("link", "--role", role)
        assert told.returncode == 0, told.stderr
        return told.stdout.strip().split("#")[1]

    def admin(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `peermeet admin` says to these words."""
        return subprocess.run(
            [sys.executable, "-m", "peermeet", "admin", *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=START_S,
        )

    def _end(self, number: signal.Signals) -> float:
        at = time.monotonic()
        if self._process is not None:
            with self._process as process:
                process.send_signal(number)
                try:
                    code = process.wait(END_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
            self._process = None
            assert code in (0, -number), self.log
        return at

    def _environment(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("PEERMEET_")},
            "PEERMEET_DATA": str(self.data),
            "PEERMEET_PORT": str(self.port),
            "PEERMEET_MEDIA_WORKERS": str(self.media_workers),
            "PEERMEET_MEDIA_LEASE_S": str(self.lease_s),
            "PEERMEET_CONFIG": str(self.data / "none.env"),
            **({} if self._encrypted else {"PEERMEET_ENCRYPTION_OFF": "It is a test."}),
            **self._place(),
            **self._settings,
        }

    def _place(self) -> dict[str, str]:
        if self._address == "127.0.0.1":
            return {}
        return {
            "PEERMEET_HOST": self._address,
            "PEERMEET_PUBLIC_URL": self.url,
            "PEERMEET_MEDIA_BIND": self._address,
            # HTTP has the other number there, and media want TCP as well.
            "PEERMEET_MEDIA_PORT": str(free_port(self.media_workers)),
            "PEERMEET_ANNOUNCE_IP": json.dumps([self._address]),
        }


def free_port(workers: int = 1) -> int:
    """A number that is free for TCP and UDP alike, as the server uses one for both, with as many
    such ones after it as further media workers need."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as stream, ExitStack() as taken:
            port: int = stream.getsockname()[1]
            try:
                for number in range(workers):
                    datagrams = taken.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                    datagrams.bind(("", port + number))
                    if number:
                        taken.enter_context(socket.create_server(("", port + number)))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no free port")
