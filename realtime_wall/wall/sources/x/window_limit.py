"""When may the next request follow, where X counts them in windows, as 50 dials in 15 minutes?

``burst`` may follow each other closely, and after them one each ``window / (most - burst)``, so that no
window ever sees more than ``most``. Without a burst, the first would wait as long as the fiftieth.
"""

from __future__ import annotations


class WindowLimit:
    """Given the time, never reads it; ``now`` is in seconds and never steps back."""

    def __init__(self, most: int, burst: int, window: float) -> None:
        self._burst = burst
        self._every = window / (most - burst)
        self._left = float(burst)
        self._counted_at: float | None = None

    def count(self, now: float) -> None:
        """One was made, allowed or not."""
        self._refill(now)
        self._left -= 1

    def allowed_in(self, now: float) -> float:
        """The seconds until another is allowed."""
        self._refill(now)
        return max(0.0, (1.0 - self._left) * self._every)

    def _refill(self, now: float) -> None:
        if self._counted_at is not None:
            self._left = min(float(self._burst), self._left + (now - self._counted_at) / self._every)
        self._counted_at = now
