"""How long may work that never waits keep the event loop before everybody else has a turn?

Delivering to thousands, making a long page: each looks now and then whether its time is up, and then yields
once. What clients cause has turns instead (``turns.py``).
"""

from __future__ import annotations

from time import monotonic

import gevent

# Seconds: short enough that nobody's page is seen to wait, long enough that the turns cost nothing.
SLICE = 0.003
# A timer, not sleep(0): gevent would run us again before it looks at any socket.
SOON = 0.000_001


class TimeSlice:
    __slots__ = ("_due", "_seconds")

    def __init__(self, seconds: float = SLICE) -> None:
        self._seconds = seconds
        self._due = monotonic() + seconds

    def restart(self) -> None:
        """The event loop has just had its turn."""
        self._due = monotonic() + self._seconds

    def yield_if_due(self) -> None:
        if monotonic() > self._due:
            gevent.sleep(SOON)
            self._due = monotonic() + self._seconds
