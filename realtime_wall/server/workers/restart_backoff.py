"""When is a worker that died started again?

At once the first time: whatever it was may never come back. One that dies again soon is waited for, longer
each time, so that code which cannot start does not take the machine from the workers that serve.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from realtime_wall.wire.backoff import Backoff

FIRST, MOST = 1.0, 30.0
# Seconds of service after which a death counts as the first one again.
CALM = 5.0
JITTER = 0.25  # either way: workers that died together do not start together


class RestartBackoff:
    def __init__(self, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._backoff = Backoff(
            0.0,
            MOST,
            grow=lambda wait: max(FIRST, wait * 2),
            jitter=(1 - JITTER, 1 + JITTER),
            draw=jitter,
        )

    def died(self, served: float) -> float:
        """The seconds to wait after the death of a worker that served for so long."""
        if served >= CALM:
            self._backoff.succeeded()
        wait = self._backoff.failed()
        return min(max(FIRST, wait), MOST) if wait else 0.0
