"""A circle with a media worker, for every test of this folder that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.media.kit import SHUT, Bare, Media


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[Media]:
    """Ana, Ben and Cleo have seats; all gates are closed."""
    media = Media(tmp_path)
    await media.link.start()
    media.gate(ana=SHUT, ben=SHUT, cleo=SHUT)
    yield media
    await media.end()


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Bare]:
    """A worker process and the other end of its link."""
    bare = Bare(tmp_path)
    await bare.start()
    yield bare
    bare.writer.close()
    if bare.process.returncode is None:
        bare.process.terminate()
    await bare.ended()
