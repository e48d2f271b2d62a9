"""How long to wait before the next attempt, after several in a row have failed?

Longer each time, up to a limit. What is said about it, and what counts as a failure, is its user's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable


def doubled(wait: float) -> float:
    return wait * 2


class Backoff:
    """Waits from ``first`` to ``longest`` seconds, each times a random number between those of ``jitter``."""

    def __init__(
        self,
        first: float,
        longest: float,
        *,
        grow: Callable[[float], float] = doubled,
        jitter: tuple[float, float] = (1.0, 1.0),
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.failures = 0  # in a row
        self._first, self._longest = first, longest
        self._grow, self._jitter, self._draw = grow, jitter, draw
        self._next = first

    def failed(self) -> float:
        """The seconds to wait."""
        self.failures += 1
        wait, self._next = self._next, min(self._grow(self._next), self._longest)
        return wait * self._draw(*self._jitter)

    def succeeded(self) -> None:
        """The next failure is a first one again."""
        self.failures = 0
        self._next = self._first
