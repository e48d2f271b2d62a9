"""One line of the table: what was measured, what was wanted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

ROUNDS = 7
CLIENTS = 2000
# A published string of this length makes a frame of 300 bytes, about.
BODY = 225


@dataclass
class Figure:
    name: str
    target: str
    measured: str
    met: bool


def ratio(name, limit, unit, ours, control, what="control"):
    """The median of the rounds' ratios, and their quartiles: each round has measured both."""
    ratios = [a / b for a, b in zip(ours, control, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4)
    both = f"{statistics.median(ours):.4g} against {statistics.median(control):.4g} {unit}"
    beside = "" if what == "control" else f" of {what}"
    detail = f"{median:.2f} x, {low:.2f} to {high:.2f} ({both}{beside})"
    return Figure(name, f"at most {limit} x", detail, median <= limit)
