"""The curve of cost over circle size, drawn from bench/latest.json: docs/pictures/cost.svg."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import page

PICTURE: Final = page.HERE.parent / "docs/pictures/cost.svg"
SIZES: Final = (4, 8, 12, 16)
PEERS: Final[Mapping[str, tuple[float, ...]]] = {
    "mediasoup": (22.2, 11.8, 8.8, 7.6),
    "Galène": (44.4, 15.7, 12.9, 12.4),
    "Janus": (33.7, 22.1, 16.9, 16.9),
    "aiortc, forwarding": (46.1, 28.1, 24.0, 20.7),
}
"""Microseconds per packet under the same load; the page tells the conditions."""
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 56, 24, 150, 48
TOP_US = 50.0


def draw(ours: Sequence[float]) -> str:
    """The picture; ours: microseconds per packet, by SIZES."""

    def x(people: float) -> float:
        return LEFT + (people - 4) / 12 * (WIDTH - LEFT - RIGHT)

    def y(us: float) -> float:
        return HEIGHT - BOTTOM - min(us, TOP_US) / TOP_US * (HEIGHT - TOP - BOTTOM)

    def curve(name: str, values: Sequence[float], style: str, label_y: float) -> list[str]:
        points = " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in zip(SIZES, values, strict=True))
        return [
            f'<polyline class="{style}" points="{points}"/>',
            f'<text class="{style}" x="{x(16) + 8:.1f}" y="{label_y:.1f}">{name}</text>',
        ]

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Microseconds of CPU per forwarded packet, by people in the circle</title>",
        "<style>text{font:13px sans-serif;fill:#555}line{stroke:#ddd}polyline{fill:none;"
        "stroke:#999;stroke-width:1.5}.us{stroke:#0a6b62;stroke-width:3}"
        "text.us,text.peer{stroke:none}text.us{fill:#0a6b62;font-weight:bold}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for us in range(0, int(TOP_US) + 1, 10):
        parts.append(f'<line x1="{LEFT}" x2="{x(16):.1f}" y1="{y(us):.1f}" y2="{y(us):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(us) + 4:.1f}" text-anchor="end">{us}</text>')
    for people in SIZES:
        parts.append(
            f'<text x="{x(people):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{people}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="16">µs of CPU per packet</text>')
    parts.append(f'<text x="{x(10):.1f}" y="{HEIGHT - 8}" text-anchor="middle">people</text>')
    curves = [(name, values, "peer") for name, values in PEERS.items()]
    curves.append(("PeerMeet", tuple(ours), "us"))
    # Names stand at the ends of their curves, one below the other where those meet.
    lowest = float(HEIGHT)
    for name, values, style in sorted(curves, key=lambda each: each[1][-1]):
        lowest = min(y(values[-1]) + 4, lowest - 15)
        parts += curve(name, values, style, lowest)
    return "\n".join([*parts, "</svg>", ""])


def main(path: Path = PICTURE) -> None:
    """Draw the last run."""
    figures = json.loads(page.LATEST.read_text())
    path.write_text(draw([figures[f"real_us_per_packet_n{people}"] for people in SIZES]))


if __name__ == "__main__":
    main()
