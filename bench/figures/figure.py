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


def ratio(name, limit, unit, ours, control):
    """The median of the rounds' ratios: each round has measured both, one after the other."""
    ratios = [a / b for a, b in zip(ours, control, strict=True)]
    median = statistics.median(ratios)
    detail = f"{median:.2f} x ({statistics.median(ours):.4g} against {statistics.median(control):.4g} {unit})"
    return Figure(name, f"at most {limit} x", detail, median <= limit)
