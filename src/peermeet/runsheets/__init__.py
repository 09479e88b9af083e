"""The run sheets that PeerMeet comes with: files beside this one, read once.

The core reads no files; this is where they come from. Their words are ours. Readings that belong
to others are empty places in them, for a group to fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from peermeet.core.runsheet import FILE_BYTES, RunSheet, parse

ORDER = (
    "sharing-circle",
    "check-in",
    "check-in-and-discussion",
    "open-sharing",
    "topic-meeting",
    "speaker-meeting",
    "tools",
    "repair",
    "pairs",
    "grounding",
)
"""The ids, in the order in which to offer them; `grounding` is an insert."""


@cache
def shipped() -> Mapping[str, RunSheet]:
    """Every shipped run sheet by its id."""
    return MappingProxyType({id: parse(text_of(id), id) for id in ORDER})


def text_of(id: str) -> str:
    """The file of a shipped run sheet, with its comments. Raises KeyError if there is none."""
    if id not in ORDER:
        raise KeyError(id)
    return (files(__name__) / f"{id}.toml").read_text("utf-8")


def read(where: str) -> str:
    """A file, or a shipped sheet by its id if there is no such file.

    No more of it than a run sheet can be. Raises OSError, UnicodeDecodeError.
    """
    if where in ORDER and not Path(where).exists():
        return text_of(where)
    with open(where, encoding="utf-8", newline="") as file:
        return file.read(FILE_BYTES + 1)
