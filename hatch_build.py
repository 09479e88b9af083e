"""Compiles the forwarding loop when the package is built; without a compiler it goes without.

The worker then forwards in plain Python and says so in its log.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MEDIA = Path(__file__).parent / "src/peermeet/media"
SOURCES = ("fanout.c", "twcc.c", "ingest.c")
SYSTEM = """
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
"""
OPTIONS = ("-O2", "-Wall", "-Wextra", "-Werror", "-fstack-protector-strong", "-ffp-contract=off")
"""The last one has a sum come out as in Python, where a processor could do it at one go."""


def compile_loop(folder: Path, *options: str) -> Path:
    """Make `peermeet.media._fanout` in this folder. Raises whatever the compiler does."""
    from cffi import FFI

    builder = FFI()
    header = (MEDIA / "fanout.h").read_text()
    builder.cdef(header)
    source = "\n".join([SYSTEM, header, *((MEDIA / name).read_text() for name in SOURCES)])
    builder.set_source(
        "_fanout", source, extra_compile_args=[*OPTIONS, *options], extra_link_args=[*options]
    )
    with tempfile.TemporaryDirectory() as work:
        made = Path(builder.compile(tmpdir=work))
        target = folder / made.name
        target.unlink(missing_ok=True)
        target.write_bytes(made.read_bytes())
    return target


class CustomBuildHook(BuildHookInterface[BuilderConfig]):
    """Called by hatchling for wheels and editable installations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile in place and have the result packed."""
        try:
            made = compile_loop(MEDIA)
        # No compiler, no headers of Python, no cffi: each tool raises an error of its own.
        except Exception as fault:
            sys.stderr.write(f"The forwarding loop is not compiled: {type(fault).__name__}\n")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(str(made.relative_to(Path(__file__).parent)))
