"""In the middle of something that takes long: a turn for everybody else on the event loop, now and then."""

from __future__ import annotations

from time import monotonic

import gevent


class TimeSlice:
    def __init__(self, every: float) -> None:
        """``every`` so many seconds."""
        self._every = every
        self._due = monotonic() + every

    def take(self) -> None:
        """Breathe, when the last time was long enough ago."""
        if monotonic() > self._due:
            # A timer, not sleep(0): gevent would run us again before it looks at any socket.
            gevent.sleep(0.000_001)
            self._due = monotonic() + self._every
