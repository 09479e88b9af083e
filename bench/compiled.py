"""The C parts of the measurements, built where they are needed with the machine's own gcc."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def program(name: str) -> Path:
    """Build NAME.c. Raises CalledProcessError or FileNotFoundError (no gcc)."""
    return _build(name, name)


def library(name: str) -> Path:
    """Build NAME.c as a shared library. Raises as `program` does."""
    return _build(name, f"{name}.so", "-shared", "-fPIC")


def _build(name: str, product: str, *flags: str) -> Path:
    binary = HERE / "bin" / product
    binary.parent.mkdir(exist_ok=True)
    # Others may be running the old one: put the new one in its place at once.
    fresh = binary.with_suffix(f".{os.getpid()}")
    command = ["gcc", "-O2", "-Wall", "-Wextra", *flags]
    subprocess.run([*command, "-o", str(fresh), str(HERE / f"{name}.c")], check=True)
    return fresh.replace(binary)
