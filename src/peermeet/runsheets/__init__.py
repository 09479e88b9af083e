"""The run sheets that PeerMeet comes with: files beside this one, read once.

The core reads no files; this is where they come from. Their words are ours. Readings that belong
to others are empty places in them, for a group to fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from peermeet.core.runsheet import RunSheet, parse

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
