"""The options of `peermeet robots`, apart from the robots: loading them takes a third of a second
that a server without robots need not spend at every start.
"""

from __future__ import annotations

import argparse
from pathlib import Path

MAX_ROBOTS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `peermeet robots`."""
    parser.add_argument("link", metavar="LINK", help="an invitation, https://HOST/join#LINK.SECRET")
    parser.add_argument(
        "--count",
        type=int,
        choices=range(1, MAX_ROBOTS + 1),
        default=5,
        metavar="N",
        help="how many robots, 1 to 16 (5)",
    )
    parser.add_argument("--seconds", type=_positive, help="leave after this time")
    parser.add_argument(
        "--turn-seconds",
        type=_positive,
        nargs=2,
        metavar=("LEAST", "MOST"),
        help="how long a robot speaks in its turn (4 12)",
    )
    parser.add_argument(
        "--lead",
        metavar="LINK",
        help="a facilitator's link: the first robot comes by it and leads until a person does",
    )
    parser.add_argument(
        "--new-key",
        action="store_true",
        help="with --lead: make a new key for the group, and print the links that have it;"
        " whoever has an older one cannot hear the circle any more",
    )
    parser.add_argument(
        "--cast",
        choices=("practice",),
        help="six robots who are hard to facilitate, instead of any number of ordinary ones;"
        " they go when nobody leads",
    )
    parser.add_argument("--seed", type=int, default=1, help="another number, other choices (1)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what they saw as JSON")


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError("a positive number of seconds")
    return number
