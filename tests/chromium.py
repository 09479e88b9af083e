"""Debian's Chromium, or what Ubuntu and others call it, and how it is started for tests."""

from __future__ import annotations

import os
import shutil

import pytest

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def require() -> str:
    """The program; without one the test is skipped aloud, and fails where CI runs it."""
    if PROGRAM is not None:
        return PROGRAM
    missing = "Chromium is not installed: NO page was looked at in a real browser"
    if os.environ.get("PEERMEET_CI"):
        pytest.fail(missing)
    pytest.skip(missing)
