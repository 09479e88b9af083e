"""`peermeet serve` whose circles live SPEED times as fast: an hour's meeting in a minute."""

import sys

from fastapi import FastAPI

from peermeet import app, cli
from peermeet.config import Settings

SPEED = 60.0


def build(settings: Settings) -> FastAPI:
    return app.build(settings, speed=SPEED)


if __name__ == "__main__":
    vars(cli)["build"] = build
    sys.exit(cli.main(["serve"]))
