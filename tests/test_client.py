"""The client is the same wherever it is built, and anybody can check which one a server gives."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from peermeet import __version__, cli, client
from peermeet.api.pages import add_pages

WEB = Path(__file__).parents[1] / "web"
WORKER = 'onmessage = ({ data }) => postMessage([data, "worker"]);\n'
STARTS = """
new Worker(new URL("./w.ts", import.meta.url), { type: "module" }).postMessage("hello");
"""
RECIPE = "export LC_ALL=C; sha256sum assets/* index.html | tee /dev/stderr | sha256sum"

Serve = Callable[[FastAPI], str]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A copy of the client of this clone, to change."""
    return Path(shutil.copytree(client.FOLDER, tmp_path / "built"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(app)` is the address of a server that runs it."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


def giving(folder: Path) -> FastAPI:
    """What gives this folder's client, as PeerMeet does."""
    app = FastAPI()
    add_pages(app, folder)
    return app


def build(folder: Path, source: str = "", **environment: str) -> client.Hashes:
    """Copy the client's source into a folder, build it there, and tell what came out."""
    shutil.copytree(WEB, folder / "web", ignore=shutil.ignore_patterns("node_modules"))
    (folder / "web/node_modules").symlink_to(WEB / "node_modules")
    if source:
        (folder / "web/src/w.ts").write_text(source)
        with (folder / "web/src/main.tsx").open("a") as main:
            main.write(STARTS)
    for path in (folder / "web/src").rglob("*"):
        os.utime(path, (0, len(folder.parts) * 10**8))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(
        ["npm", "run", "build", "--silent"],
        cwd=folder / "web",
        env=kept | environment,
        check=True,
        capture_output=True,
    )
    return client.hashes(folder / "src/peermeet/web")


def test_the_same_source_gives_the_same_bytes_in_another_folder_at_another_time(
    tmp_path: Path,
) -> None:
    """With a worker more than there are, so that this stays looked at."""
    here = build(tmp_path / "one", WORKER, TZ="UTC", LC_ALL="C")
    there = build(
        tmp_path / "two/and deeper",
        WORKER,
        TZ="Asia/Kathmandu",
        LC_ALL="tr_TR.UTF-8",
        NODE_ENV="development",
    )
    assert here == there
    assert any(name.startswith("assets/w-") and name.endswith(".js") for name in here)
    other = build(tmp_path / "three", WORKER.replace("worker", "walker"))
    assert other != here


def test_the_client_that_is_served_here_is_the_one_of_this_source(tmp_path: Path) -> None:
    assert build(tmp_path) == client.hashes(client.FOLDER), "run: make web"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_an_auditor_gets_the_same_lines_from_sha256sum_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["version", "--client"]) == 0
    told = capsys.readouterr()
    assert RECIPE in told.err
    recomputed = subprocess.run(
        ["sh", "-c", RECIPE], cwd=client.FOLDER, check=True, capture_output=True, text=True
    )
    assert told.out == recomputed.stderr + recomputed.stdout
    files = {line.split("  ")[1] for line in told.out.splitlines()}
    served = [p for p in client.FOLDER.rglob("*") if p.is_file()]
    assert files == {p.relative_to(client.FOLDER).as_posix() for p in served} | {"-"}


def test_a_client_that_is_not_built_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client, "FOLDER", tmp_path)
    assert cli.main(["version", "--client"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "not built" in told.err


def test_a_server_that_gives_this_client_is_told_from_one_that_does_not(
    built: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    address = serve(giving(built))
    # A whole invitation will do: what is behind its origin stays here.
    asked = ["version", "--client", "--address", f"{address}/join#link.secret"]
    assert cli.main(asked) == 0
    assert "is the one here" in capsys.readouterr().err

    script = next(built.glob("assets/index-*.js"))
    style = next(built.glob("assets/index-*.css"))
    index = built / "index.html"
    index.write_text(index.read_text().replace("</head>", '<script src="/assets/x.js"></script>'))
    script.write_text(script.read_text() + "fetch('/secret')")
    style.unlink()
    (built / "assets/x.js").write_text("steal()")
    assert cli.main(asked) == 1
    assert capsys.readouterr().err.splitlines() == [
        *(f"index.html differs at {page}" for page in ("/", "/join", "/left")),
        # By their names, in which there are hashes.
        *sorted((f"assets/{style.name} is missing there", f"assets/{script.name} differs")),
        "assets/x.js is not here",
        "The client there is NOT the one here.",
    ]


@pytest.mark.parametrize(
    "address", ["circle.example.org", "ftp://x", "http://", "http://[x", "x:y", "http://x:99999"]
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(client.Unchecked, match="looks like"):
        client.compare(address, client.hashes(client.FOLDER))


def test_a_server_without_end_or_without_an_answer_is_given_up(
    built: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = client.hashes(built)
    address = serve(giving(built))
    with monkeypatch.context() as patch:
        patch.setattr(client, "MAX_FILE_BYTES", 1000)
        with pytest.raises(client.Unchecked, match="more than"):
            client.compare(address, here)
    with monkeypatch.context() as patch:
        patch.setattr(client, "MAX_S", 0.0)
        with pytest.raises(client.Unchecked, match="seconds"):
            client.compare(address, here)
    (built / "index.html").write_text(" ".join(f"assets/{n}.js" for n in range(100)))
    with pytest.raises(client.Unchecked, match="name more than 64 files"):
        client.compare(address, here)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(client.Unchecked, match="cannot be read"):
        client.compare(f"http://127.0.0.1:{port}", here)


def test_a_server_that_gives_no_client_or_sends_us_elsewhere_is_told(
    built: Path, tmp_path: Path, serve: Serve
) -> None:
    here = client.hashes(built)
    with pytest.raises(client.Unchecked, match="503"):
        client.compare(serve(giving(tmp_path)), here)
    honest = serve(giving(built))
    other = FastAPI()
    other.add_api_route("/", lambda: RedirectResponse(honest))
    with pytest.raises(client.Unchecked, match="307"):
        client.compare(serve(other), here)


def test_an_auditor_reads_the_cryptography_in_one_sitting() -> None:
    """Under 600 lines, and nothing is imported from elsewhere."""
    files = [path.read_text() for path in sorted((WEB / "src" / "e2ee").iterdir())]
    assert sum(len(text.splitlines()) for text in files) < 600
    used = {name for text in files for name in re.findall(r'(?:from|import) "([^"]+)"', text)}
    assert used <= {"./frames.ts", "./keys.ts"}
