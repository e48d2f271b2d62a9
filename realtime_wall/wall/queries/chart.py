"""How busy was it, drawn as bars? From posts per minute to a chart that fits on a page.

It knows moments and numbers, no HTML: the template draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

MOST_BARS = 96
DAY = 1440
WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, DAY, 7 * DAY)  # minutes of one bar
HIGH = 100.0  # of the drawing
GAP = 0.15  # between two bars, as a part of one


@dataclass(frozen=True, slots=True)
class Bar:
    begins: datetime  # of the reader's time
    count: int
    x: float
    y: float
    width: float
    height: float
    is_peak: bool


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    minutes: int  # of one bar
    top: int  # what the upper edge stands for; half of it is a whole number too
    labels: tuple[datetime, ...]  # along the lower edge, at equal distances

    @property
    def wide(self) -> float:
        return float(len(self.bars))

    @property
    def half(self) -> int:
        return self.top // 2

    @property
    def peak(self) -> Bar | None:
        return next((bar for bar in self.bars if bar.is_peak), None)


def draw(minutes: Mapping[datetime, int], zone: tzinfo) -> Chart:
    """``minutes`` are those with a post, in order."""
    if not minutes:
        return Chart((), 1, 2, ())
    first, last = min(minutes), max(minutes)
    width = _width(first, last)
    begin = _floor(first.astimezone(zone), width)
    counts = [0] * (int((last - begin).total_seconds() // 60) // width + 1)
    for moment, number in minutes.items():
        counts[int((moment - begin).total_seconds() // 60) // width] += number
    top = _nice(max(counts))
    starts = [(begin + timedelta(minutes=width * place)).astimezone(zone) for place in range(len(counts) + 1)]
    peak = counts.index(max(counts))
    bars = tuple(
        Bar(
            begins=starts[place],
            count=number,
            x=round(place + GAP / 2, 3),
            y=round(HIGH - HIGH * number / top, 3),
            width=1 - GAP,
            height=round(HIGH * number / top, 3),
            is_peak=place == peak,
        )
        for place, number in enumerate(counts)
    )
    return Chart(bars, width, top, _labels(starts))


def _width(first: datetime, last: datetime) -> int:
    """The narrowest of the usual widths that makes no more than the most bars."""
    whole = int((last - first).total_seconds() // 60) + 1
    # One bar fewer than there may be: the first one begins before the first post.
    for width in WIDTHS:
        if whole <= width * (MOST_BARS - 1):
            return width
    return -(-whole // (WIDTHS[-1] * (MOST_BARS - 1))) * WIDTHS[-1]


def _floor(moment: datetime, width: int) -> datetime:
    """The last full ten minutes, or hour, or whatever a bar is wide, on the reader's clock."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (moment.hour * 60 + moment.minute) // min(width, DAY) * min(width, DAY)
    return midnight + timedelta(minutes=passed)


def _nice(highest: int) -> int:
    """The next number that is easy to read, and whose half is whole."""
    if highest <= 8:
        return max(2, highest + highest % 2)
    size = 1
    while True:
        for step in (10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80):
            if highest <= step * size:
                return step * size
        size *= 10


def _labels(starts: list[datetime]) -> tuple[datetime, ...]:
    """Five where there is room, at the edges of bars."""
    last = len(starts) - 1
    parts = next(parts for parts in (4, 3, 2, 1) if last % parts == 0 or last >= 24)
    return tuple(starts[round(last * place / parts)] for place in range(parts + 1))
