"""The long way: a million inputs for each target.

`python -m tests.fuzz` tries all targets, two at a time, and writes the table of docs/fuzzing.md
if all had their million; `python -m tests.fuzz NAME…` tries some. A tenth of the inputs are
atheris's, which looks for those that reach new code. The others are made from what it found, and
run as the server does, without the instruments that cost several times what they look at.

PEERMEET_FUZZ_RUNS and PEERMEET_FUZZ_SECONDS bound each target. What is found stays in
`tests/fuzz/found/`: mend it, then keep the input (`kept/`). Exit status 1 if anything was found.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MILLION = 1_000_000
RUNS = int(os.environ.get("PEERMEET_FUZZ_RUNS", MILLION))
SECONDS = int(os.environ.get("PEERMEET_FUZZ_SECONDS", 3600))
GUIDED = 10
"""One input of so many is atheris's."""
AT_ONCE = 2
PAGE = Path(__file__).parents[2] / "docs/fuzzing.md"
FOUND = Path(__file__).parent / "found"
BEGIN, END = "<!-- the last run begins -->\n", "<!-- the last run ends -->\n"


class Tally:
    """What became of the inputs of one target in one process."""

    def __init__(self, name: str, runs: int, seconds: float) -> None:
        from tests.fuzz import engine

        self._engine, self._target = engine, engine.TARGETS[name]
        self._most, self._until = runs, time.monotonic() + seconds
        self.runs = self.failed = 0
        self.worst_ms = 0.0
        self.found: dict[str, str] = {}

    def take(self, data: bytes) -> bool:
        """Try one; whether more are wanted."""
        self.runs += 1
        try:
            self.worst_ms = max(self.worst_ms, self._engine.took_ms(self._target, data))
        except Exception as fault:
            self.failed += 1
            self._keep(data, self._engine.finding(fault))
        return self.runs < self._most and time.monotonic() < self._until

    def _keep(self, data: bytes, what: str) -> None:
        if what not in self.found:
            digest = hashlib.sha256(data).hexdigest()[:12]
            self.found[what] = f"{self._target.name}-{digest}".replace(" ", "-")
            FOUND.mkdir(exist_ok=True)
            (FOUND / self.found[what]).write_bytes(data)

    def tell(self) -> None:
        """As one line of JSON. failed: how many inputs; found: one of each kind."""
        told = {"runs": self.runs, "failed": self.failed, "found": self.found}
        print(json.dumps(told | {"worst_ms": round(self.worst_ms, 2)}), flush=True)


def guided(name: str, folder: Path) -> None:
    """Let atheris look for inputs, which it leaves in the folder. Ends this process."""
    import atheris

    with atheris.instrument_imports(include=["peermeet", "aioice.stun"]):
        from tests.fuzz import engine

    # Instrumented code is slow; how long an input takes is for `plain` to say.
    engine.LIMIT_MS *= 10
    tally = Tally(name, max(1, RUNS // GUIDED), SECONDS / 4)

    def take(data: bytes) -> None:
        if not tally.take(data):
            tally.tell()
            os._exit(0)

    target = engine.TARGETS[name]
    for number, data in enumerate(engine.kept(target)):
        (folder / str(number)).write_bytes(data)
    quoted = (word.hex(" ").replace(" ", "\\x") for word in target.words)
    words = folder.with_suffix(".dict")
    words.write_text("".join(f'"\\x{word}"\n' for word in quoted))
    # The collector's work is nobody's input.
    gc.freeze()
    atheris.Setup(["fuzz", str(folder), f"-max_len={target.longest}", f"-dict={words}"], take)
    atheris.Fuzz()


def plain(name: str, folder: Path, runs: int) -> None:
    """Try what is made of the inputs in the folder, and those first."""
    from tests.fuzz import engine

    known = [path.read_bytes() for path in sorted(folder.iterdir())]
    tally = Tally(name, runs, SECONDS)
    gc.freeze()
    for data in known:
        tally.take(data)
    for data in engine.mutants(engine.TARGETS[name], 2, known):
        if not tally.take(data):
            break
    tally.tell()


def run(name: str) -> dict[str, Any]:
    """Try one target, in processes of its own; its figures."""
    began = time.monotonic()
    figures: dict[str, Any] = {"target": name, "runs": 0, "failed": 0, "found": {}}
    with tempfile.TemporaryDirectory(prefix="pm-fuzz-") as above:
        folder = Path(above) / "inputs"
        folder.mkdir()
        itself = [sys.executable, "-m", "tests.fuzz"]
        for way in ("--guided", "--plain"):
            process = subprocess.run(
                [*itself, way, name, str(folder), str(RUNS - figures["runs"])],
                capture_output=True,
                check=False,
            )
            try:
                told = json.loads(process.stdout.splitlines()[-1])
            except (IndexError, ValueError):
                said = process.stderr[-2000:].decode(errors="replace")
                told = {"runs": 0, "failed": 1, "found": {said: "it ended early"}, "worst_ms": 0.0}
            figures["runs"] += told["runs"]
            figures["failed"] += told["failed"]
            figures["worst_ms"] = told["worst_ms"]
            figures["found"] |= told["found"]
    figures["seconds"] = round(time.monotonic() - began)
    print(json.dumps(figures), flush=True)
    return figures


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as they stand in docs/fuzzing.md."""
    lines = ["| target | inputs | uncaught | slowest, ms | took, s |", "|---|---|---|---|---|"]
    for row in rows:
        figures = (f"{row['runs']:,}", row["failed"], row["worst_ms"], row["seconds"])
        lines.append(f"| {row['target']} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> int:
    """Try these targets, or all; the exit status."""
    from tests.fuzz import engine

    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(run, names or engine.TARGETS))
    print(table(rows))
    if not names and all(row["runs"] >= MILLION for row in rows):
        before, _, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        today = f"{datetime.now(UTC):%d %B %Y}".lstrip("0")
        PAGE.write_text(f"{before}{BEGIN}\nOn {today}:\n\n{table(rows)}\n{END}{after}")
    return int(any(row["found"] or not row["runs"] for row in rows))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--guided", name, folder, _]:
            guided(name, Path(folder))
        case ["--plain", name, folder, runs]:
            plain(name, Path(folder), int(runs))
        case names:
            sys.exit(main(names))
