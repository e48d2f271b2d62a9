"""Has a client sent more than it may, and for how long is it to be left unread?

No clock here: the time is given.
"""

from __future__ import annotations

from functools import lru_cache


class Rate:
    """So many at once, ``burst``, and ``per_second`` from then on; 0 is no limit."""

    __slots__ = ("burst", "price", "tolerance")

    def __init__(self, per_second: float, burst: float) -> None:
        self.burst = burst
        self.price = 1 / per_second if per_second else 0.0
        self.tolerance = burst * self.price  # the seconds in which an empty bucket fills


# All connections share theirs: the memory of an idle one counts.
rate = lru_cache(100)(Rate)


class TokenBucket:
    __slots__ = ("_full_at", "_rate", "_started")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._full_at = 0.0
        self._started = 0.0

    def take(self, count: float, now: float) -> float:
        """Take that many, be they there or not; in how many seconds they all are, below 0 when they were."""
        rate, full_at = self._rate, self._full_at
        if full_at <= now:
            full_at = self._started = now
        full_at += count * rate.price
        self._full_at = full_at
        return full_at - now - rate.tolerance

    def is_exhausted(self, now: float, patience: float) -> bool:
        """Whether waiting is of no use: it was emptied twice at once, or has not been full for too long."""
        tolerance = self._rate.tolerance
        if self._full_at - now <= tolerance:
            return False
        return self._full_at - now > 2 * tolerance or now - self._started > tolerance + patience

    def is_full(self, now: float) -> bool:
        return self._full_at <= now
