"""Bars as an SVG that reads well on white and on black, in a browser and on a printed page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 220, 80, 28, 56

STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#222}.title{font-weight:600}"
    ".ours{fill:#0b6e4f}.other{fill:#8a94a0}"
    "line{stroke:#8a94a0;stroke-opacity:.35}.scale{font-size:12px}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e8e8}.ours{fill:#3fd19b}}"
)


def bars(title: str, rows: Sequence[tuple[str, float, bool]]) -> str:
    """On a logarithmic scale, as hundreds of times lie between them. A row: name, value, is it ours?"""
    low = 10 ** math.floor(math.log10(min(value for _, value, _ in rows)))
    high = max(value for _, value, _ in rows)
    room = WIDTH - LEFT - RIGHT

    def place(value: float) -> float:
        return LEFT + room * math.log(value / low) / math.log(high / low)

    bottom = TOP + ROW * len(rows)
    parts = [f'<text class="title" x="16" y="24">{escape(title)} (logarithmic)</text>']
    for step in range(round(math.log10(low)), math.floor(math.log10(high)) + 1):
        x = place(10.0**step)
        parts.append(f'<line x1="{x:.0f}" y1="{TOP - 6}" x2="{x:.0f}" y2="{bottom}"/>')
        parts.append(
            f'<text class="scale" x="{x:.0f}" y="{TOP - 10}" text-anchor="middle">{10.0**step:g}</text>'
        )
    for index, (name, value, is_ours) in enumerate(rows):
        y, end, kind, height = TOP + ROW * index, place(value), "ours" if is_ours else "other", ROW - 9
        parts.append(f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<rect class="{kind}" x="{LEFT}" y="{y + 4}" width="{end - LEFT:.0f}" height="{height}" rx="2"/>'
        )
        parts.append(f'<text x="{end + 8:.0f}" y="{y + 18}">{value:.3g}</text>')
    said = "; ".join(f"{name} {value:.3g}" for name, value, _ in rows)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 12}" role="img">',
            f"<title>{escape(title)}</title><desc>{escape(said)}</desc>",
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )
