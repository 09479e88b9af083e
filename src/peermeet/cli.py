"""The command line: peermeet serve | robots | runsheet | migrate | admin | schema | version."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import signal
import socket
import sys
from contextlib import suppress
from datetime import date, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import uvicorn
from pydantic import ValidationError

from peermeet import __version__, client, protocol, relay
from peermeet.api import desk
from peermeet.app import build, keep_media, new_link, say_goodbye, turn_config
from peermeet.config import Settings
from peermeet.core.model import CAPACITY
from peermeet.core.runsheet import SheetErrors, parse
from peermeet.identity import read_code
from peermeet.robots.options import MAX_ROBOTS
from peermeet.robots.options import add_arguments as add_robot_arguments
from peermeet.storage.engine import migrate
from peermeet.storage.tables import BLOCK_KEPT_DAYS

GOODBYE_S = 2.0
MAX_LINKS = 100

SHARED_LINK = (
    "Whoever has this link can come in and can pass it on. Blocking its code blocks everybody who"
    " came by it:\nfor people who need a link of their own there is --for-one."
)
KEYLESS = (
    "These links have no key: open the facilitator's, and take the links for the others from"
    " “Invite people” there."
)
NOT_BUILT = "The web client is not built. Run: make web"
RECIPE = (
    "The same, without PeerMeet, in the folder of the built client (src/peermeet/web):\n"
    "    export LC_ALL=C; sha256sum assets/* index.html | tee /dev/stderr | sha256sum"
)
LINKS_FOR_ONE = (
    "Give each to one person and note its code for yourself: the server does not know whose it is."
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(prog="peermeet", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="run the server and print two invitation links")
    serving.add_argument(
        "--robots",
        type=int,
        choices=range(MAX_ROBOTS),
        default=0,
        metavar="N",
        help="also fill the circle with N robots, one of whom leads until a person does (0)",
    )
    commands.add_parser("migrate", help="bring the database's tables up to date")
    commands.add_parser("schema", help="print the JSON Schema of the wire protocol")
    robots = commands.add_parser("robots", help="fill a circle with robots")
    add_robot_arguments(robots)
    _add_runsheet(commands)
    version = commands.add_parser("version", help="print the version, or what the client is")
    version.add_argument(
        "--client",
        action="store_true",
        help="print the SHA-256 of each file of the built client, and one of all",
    )
    version.add_argument(
        "--address",
        metavar="URL",
        help="with --client: compare with the files that a running server gives",
    )
    admin = commands.add_parser("admin", help="for whoever runs the server")
    tasks = admin.add_subparsers(dest="task", required=True)
    link = tasks.add_parser("link", help="print a fresh invitation link with its code")
    link.add_argument("--role", choices=("facilitator", "participant"), required=True)
    link.add_argument(
        "--for-one",
        type=int,
        choices=range(1, MAX_LINKS + 1),
        nargs="?",
        const=1,
        metavar="N",
        help="print N links (1), each for one person, so that one alone can be blocked",
    )
    block = tasks.add_parser("block", help="let nobody in by a link, or renew its block")
    block.add_argument("code", type=_code, metavar="CODE", help="of the link, such as K7Q2M")
    block.add_argument(
        "--review",
        type=_day,
        required=True,
        metavar="YYYY-MM-DD",
        help=f"when you will look at it again, at most {desk.MAX_REVIEW_DAYS} days from now; "
        f"the block ends {BLOCK_KEPT_DAYS} days after it unless renewed",
    )
    block.add_argument(
        "--appeal",
        type=_appeal,
        required=True,
        metavar="TEXT",
        help="what the person reads: how to have it looked at sooner",
    )
    tasks.add_parser("blocks", help="list the blocked links by the day of their review")
    unblock = tasks.add_parser("unblock", help="let people in by a link again")
    unblock.add_argument("code", type=_code, metavar="CODE")
    _add_turn_config(tasks)
    chosen = parser.parse_args(arguments)
    match chosen.command:
        case "schema":
            print(json.dumps(protocol.json_schema(), indent=1))
            return 0
        case "robots":
            from peermeet.robots.crowd import main as run_robots

            return run_robots(chosen)
        case "runsheet":
            return _runsheet(chosen)
        case "version" if chosen.client or chosen.address:
            return _client(chosen.address)
        case "version":
            print(__version__)
            return 0
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            prefix = "" if name.startswith("PEERMEET_") else "PEERMEET_"
            print(f"{prefix}{name}: {fault['msg']}", file=sys.stderr)
        return 2
    match chosen.command:
        case "serve":
            return serve(settings, chosen.robots)
        case "migrate":
            asyncio.run(migrate(settings.database))
            return 0
        case "admin" if chosen.task == "link":
            for _ in range(chosen.for_one or 1):
                fresh = new_link(settings, as_facilitator=chosen.role == "facilitator")
                print(fresh.code, fresh.url)
            print(LINKS_FOR_ONE if chosen.for_one else SHARED_LINK, file=sys.stderr)
            return 0
        case "admin" if chosen.task == "turn-config":
            return _turn_config(settings, chosen)
        case "admin":
            return _order(settings, chosen)
    raise AssertionError(chosen.command)


def _client(address: str | None) -> int:
    """Tell what the built client is, or whether another server gives the same one."""
    here = client.hashes(client.FOLDER)
    if not here:
        print(NOT_BUILT, file=sys.stderr)
        return 1
    for line in client.told(here):
        print(line)
    if address is None:
        print(RECIPE, file=sys.stderr)
        return 0
    try:
        differences = client.compare(address, here)
    except client.Unchecked as why:
        print(why, file=sys.stderr)
        return 1
    for line in differences:
        print(line, file=sys.stderr)
    if differences:
        print("The client there is NOT the one here.", file=sys.stderr)
        return 1
    print("The client there is the one here.", file=sys.stderr)
    return 0


def _add_turn_config(tasks: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    wanted = tasks.add_parser("turn-config", help="print the configuration of the TURN relay")
    wanted.add_argument(
        "--address",
        type=ip_address,
        action="append",
        default=[],
        help="of the machine that coturn runs on, when it is another; may be said again",
    )
    wanted.add_argument("--cert", metavar="FILE", help="certificate with its chain, for turns:")
    wanted.add_argument("--key", metavar="FILE", help="its private key")
    wanted.add_argument(
        "--relay-ports",
        type=_ports,
        default=relay.PORTS,
        metavar="FIRST-LAST",
        help="UDP ports it relays from ({}-{})".format(*relay.PORTS),
    )


def _turn_config(settings: Settings, chosen: argparse.Namespace) -> int:
    try:
        if (chosen.cert is None) is not (chosen.key is None):
            raise ValueError("--cert and --key belong together.")
        certificate = relay.Certificate(chosen.cert, chosen.key) if chosen.cert else None
        print(turn_config(settings, chosen.address, certificate, chosen.relay_ports), end="")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and 1024 <= int(first) <= int(last) <= 65535):
        raise argparse.ArgumentTypeError("ports look like 50000-50299")
    return int(first), int(last)


def _code(text: str) -> str:
    code = read_code(text)
    if code is None:
        raise argparse.ArgumentTypeError("a code has five letters and digits, such as K7Q2M")
    return code


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day looks like 2027-01-31") from None


def _appeal(text: str) -> str:
    if not 1 <= len(text.strip()) <= desk.MAX_APPEAL:
        raise argparse.ArgumentTypeError(f"1 to {desk.MAX_APPEAL} characters are needed")
    return text.strip()


def _order(settings: Settings, chosen: argparse.Namespace) -> int:
    """Have the running server block or unblock a link, or tell which are blocked."""
    order: desk.Order
    match chosen.task:
        case "block":
            order = desk.MakeBlock(chosen.code, chosen.review, chosen.appeal)
        case "unblock":
            order = desk.EndBlock(chosen.code)
        case _:
            order = desk.ListBlocks()
    try:
        told = desk.ask(settings.data, order)
    except OSError:
        print(
            f"No server answers in {settings.data}. Start it, then say this again.", file=sys.stderr
        )
        return 1
    if told.refusal is not None:
        print(told.refusal, file=sys.stderr)
        return 1
    match order:
        case desk.MakeBlock(code=code, review_on=review_on):
            print(f"{code} is blocked. Sent away: {told.sent_away}.")
            print(f"Look at it again on {review_on}; it ends by itself on {_ends_on(review_on)}.")
        case desk.EndBlock(code=code):
            print(f"{code} lets people in again.")
        case desk.ListBlocks():
            for block in told.blocks:
                print(f"{block.code} review {block.review_on} ends {_ends_on(block.review_on)}")
                print(f"      {block.appeal}")
            if not told.blocks:
                print("No link is blocked.")
    return 0


def _ends_on(review_on: date) -> date:
    """The first day on which a block that nobody renewed is gone."""
    return review_on + timedelta(days=BLOCK_KEPT_DAYS + 1)


def _add_runsheet(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sheets = commands.add_parser("runsheet", help="check and rehearse the plan of a meeting")
    tasks = sheets.add_subparsers(dest="task", required=True)
    tasks.add_parser("list", help="list the run sheets that come with PeerMeet")
    show = tasks.add_parser("show", help="print one of them, to begin your own with")
    check = tasks.add_parser("check", help="tell every mistake by its line, or what it needs")
    rehearse = tasks.add_parser("rehearse", help="tell minute by minute who would speak")
    for task in (show, check, rehearse):
        task.add_argument(
            "file", metavar="FILE", help="a file, or the name of one that comes along"
        )
    rehearse.add_argument(
        "--people",
        type=int,
        choices=range(2, CAPACITY + 1),
        default=9,
        metavar="N",
        help=f"how many take part, 2 to {CAPACITY} (9)",
    )
    rehearse.add_argument("--seed", type=int, default=0, help="another number, another meeting (0)")


def _runsheet(chosen: argparse.Namespace) -> int:
    from peermeet.runsheets import ORDER, read, rehearsal, shipped, summary

    if chosen.task == "list":
        for name in ORDER:
            print(f"{name:24}{shipped()[name].title}")
        return 0
    try:
        text = read(chosen.file)
        if chosen.task == "show":
            print(text, end="")
            return 0
        sheet = parse(text, Path(chosen.file).stem[:40])
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "This is no text."
        print(f"{chosen.file}: {why}", file=sys.stderr)
        return 2
    except SheetErrors as errors:
        for line, says in errors.mistakes:
            print(f"line {line}: {says}", file=sys.stderr)
        return 1
    if chosen.task == "check":
        lines = summary.told(sheet)
    else:
        lines = rehearsal.told(sheet, rehearsal.rehearse(sheet, chosen.people, chosen.seed))
    for told in lines:
        print(told)
    return 0


def serve(settings: Settings, robots: int = 0) -> int:
    """Serve until a signal; one server a data folder. robots: how many to seat beside."""
    # Only our own words get quieter or louder: a library's debug log would hold what people sent
    # and what the journal must forget.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("peermeet").setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.error").addFilter(_is_ours)
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.data.chmod(0o700)
    with open(settings.data / "server.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another server is using {settings.data}.", file=sys.stderr)
            return 1
        app = build(settings)
        server = _Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                server_header=False,
                ws_max_size=protocol.MAX_FRAME_BYTES,
                ws_max_queue=16,
                ws_per_message_deflate=False,
                ws_ping_interval=None,
                timeout_keep_alive=20,
                timeout_graceful_shutdown=5,
                h11_max_incomplete_event_size=16_384,
            ),
            settings,
            robots,
        )
        # Ctrl-C is no fault; uvicorn raises it once more when all is over.
        with suppress(KeyboardInterrupt):
            server.run()
    return 0 if server.started else 1


def _is_ours(record: logging.LogRecord) -> bool:
    """Not uvicorn's traceback for each text frame that is no UTF-8, nor for a media worker that
    cannot start.

    A client could fill the disk with the first; the frame ends its connection (1007) all the
    same. The second comes after the worker's own line, which says why.
    """
    text = str(record.msg)
    return not text.startswith("Invalid UTF-8") and "MediaFailed" not in text


def _robot_arguments(settings: Settings, robots: int) -> tuple[str, ...]:
    local = settings.model_copy(update={"public_url": f"http://{settings.host}:{settings.port}"})
    return (
        *("robots", new_link(local, as_facilitator=False).url),
        *("--count", str(robots), "--lead", new_link(local, as_facilitator=True).url),
        "--new-key",
    )


class _Server(uvicorn.Server):
    """uvicorn's server: prints two links when it is up, has a word for everybody before it goes,
    and may have robots beside it."""

    def __init__(self, config: uvicorn.Config, settings: Settings, robots: int) -> None:
        super().__init__(config)
        self._settings = settings
        self._count = robots
        self._robots: asyncio.subprocess.Process | None = None
        # Also when it fails to start: a service manager tries again.
        keep_media(config.app, goes_on=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM may be a restart, which nobody is to hear; Ctrl-C is the end."""
        if sig == signal.SIGINT:
            keep_media(self.config.app, goes_on=False)
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        print("PeerMeet is at", self._settings.url)
        encrypted = self._settings.encryption_off is None
        # Robots make a key, and print the links that have it.
        if not (encrypted and self._count):
            for whose, leads in (("Facilitator: ", True), ("Participants:", False)):
                link = new_link(self._settings, as_facilitator=leads)
                print(whose, link.code, link.url, flush=True)
            if encrypted:
                print(KEYLESS, flush=True)
        if self._count:
            arguments = _robot_arguments(self._settings, self._count)
            self._robots = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "peermeet", *arguments
            )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._robots is not None and self._robots.returncode is None:
            self._robots.terminate()
            await self._robots.wait()
        say_goodbye(self.config.app)
        if self.server_state.tasks:
            # uvicorn is about to close every line at once: let the last words go out first.
            await asyncio.wait(set(self.server_state.tasks), timeout=GOODBYE_S)
        await super().shutdown(sockets)
