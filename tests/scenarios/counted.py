"""`peermeet serve` with one address more: /counters tells what the media worker counted."""

import sys

from fastapi import FastAPI

from peermeet import app, cli
from peermeet.config import Settings


def build(settings: Settings) -> FastAPI:
    whole = app.build(settings)

    @whole.get("/counters")
    async def counters() -> dict[str, int]:
        stats: dict[str, int] = await whole.state.media.stats()
        return stats

    return whole


if __name__ == "__main__":
    vars(cli)["build"] = build
    sys.exit(cli.main(["serve"]))
