"""`peermeet serve` with one address more: /counters tells what the media worker counted.

Its workers put nobody out for sending what was not negotiated, or an attack would be over soon.
"""

import sys
from functools import partial

from fastapi import FastAPI

from peermeet import app, cli
from peermeet.config import Settings
from peermeet.media import pool
from peermeet.media.link import MediaLink

PATIENT_PER_S = 100_000


def build(settings: Settings) -> FastAPI:
    whole = app.build(settings)

    @whole.get("/counters")
    async def counters() -> dict[str, int]:
        stats: dict[str, int] = await whole.state.media.stats()
        return stats

    return whole


if __name__ == "__main__":
    vars(cli)["build"] = build
    vars(pool)["MediaLink"] = partial(MediaLink, packets_per_s=PATIENT_PER_S)
    sys.exit(cli.main(["serve"]))
