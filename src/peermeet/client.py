"""The built client: the hashes of its files, here and as a running server gives them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from peermeet.api.pages import PAGES

FOLDER = Path(__file__).parent / "web"
"""What `make web` makes, and `peermeet serve` serves: index.html and assets/."""

MAX_FILES = 64
MAX_FILE_BYTES = 8 << 20
MAX_S = 60.0
_CHUNK_BYTES = 64 << 10
_WAIT_S = 10.0

Hashes = Mapping[str, str]
"""Name of a file, such as "assets/index-Cy-3xSmp.js", to its SHA-256 in hexadecimal."""


class Unchecked(Exception):
    """Nothing can be said of a server's client; the sentence says why."""


def hashes(folder: Path) -> Hashes:
    """Of every file that is served, by name in the order of its bytes; empty without a build."""
    if not (folder / "index.html").is_file():
        return {}
    files = [folder / "index.html", *(p for p in folder.glob("assets/**/*") if p.is_file())]
    found = {p.relative_to(folder).as_posix(): sha256(p.read_bytes()).hexdigest() for p in files}
    return dict(sorted(found.items()))


def told(found: Hashes) -> list[str]:
    """The lines that `sha256sum` prints for these files, and its line for those lines."""
    lines = [f"{digest}  {name}" for name, digest in found.items()]
    whole = sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    return [*lines, f"{whole}  -"]


def compare(address: str, here: Hashes) -> list[str]:
    """How the client of the server at this address differs from the one here, a line a file.

    address: http or https; of a whole invitation only the origin is used, and nothing else sent.
    All pages of the client are fetched, and every asset that they name or that is here: if these
    are the same, no other file can be loaded by them. Raises `Unchecked`.
    """
    try:
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".removesuffix(":")
    except ValueError:
        raise Unchecked("An address looks like https://circle.example.org.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unchecked("An address looks like https://circle.example.org.")
    if ":" in parts.hostname:
        origin = origin.replace(parts.hostname, f"[{parts.hostname}]")
    until = time.monotonic() + MAX_S
    differences = []
    assets = {name for name in here if name != "index.html"}
    for page in PAGES:
        content = _fetch(origin + page, until)
        if content is None:
            differences.append(f"index.html is missing there at {page}")
        elif sha256(content).hexdigest() != here["index.html"]:
            differences.append(f"index.html differs at {page}")
            named = re.findall(rb"assets/[A-Za-z0-9_./-]{1,128}", content)
            assets |= {name.decode() for name in named}
    if len(assets) > MAX_FILES:
        raise Unchecked(f"The pages there name more than {MAX_FILES} files.")
    for name in sorted(assets):
        content = _fetch(f"{origin}/{name}", until)
        if content is None:
            differences.append(f"{name} is missing there")
        elif name not in here:
            differences.append(f"{name} is not here")
        elif sha256(content).hexdigest() != here[name]:
            differences.append(f"{name} differs")
    return differences


class _Stay(HTTPRedirectHandler):
    """A server that sends us elsewhere has not given its client."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_Stay)


def _fetch(url: str, until: float) -> bytes | None:
    """The content at this address; None if there is none. Raises `Unchecked`."""
    content = bytearray()
    try:
        wanted = Request(url, headers={"accept-encoding": "identity"})
        response: HTTPResponse
        with _OPENER.open(wanted, timeout=_WAIT_S) as response:
            while piece := response.read1(_CHUNK_BYTES):
                content += piece
                if len(content) > MAX_FILE_BYTES:
                    raise Unchecked(f"{url} has more than {MAX_FILE_BYTES >> 20} MB.")
                if time.monotonic() > until:
                    raise Unchecked(f"The server took more than {MAX_S:.0f} seconds.")
    except HTTPError as error:
        error.close()
        if error.code == 404:
            return None
        raise Unchecked(f"{url} answers with {error.code}.") from None
    except (OSError, HTTPException) as error:
        raise Unchecked(f"{url} cannot be read: {type(error).__name__}.") from None
    return bytes(content)
