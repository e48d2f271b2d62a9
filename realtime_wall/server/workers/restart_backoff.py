"""When is a worker that died started again?

At once the first time: whatever it was may never come back. One that dies again soon is waited for, longer
each time, so that code which cannot start does not take the machine from the workers that serve.
"""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST, MOST = 1.0, 30.0
# Seconds of service after which a death counts as the first one again.
CALM = 5.0
JITTER = 0.25  # either way: workers that died together do not start together


class RestartBackoff:
    def __init__(self, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._jitter = jitter
        self._wait = 0.0

    def died(self, served: float) -> float:
        """The seconds to wait after the death of a worker that served for so long."""
        if served >= CALM:
            self._wait = 0.0
        wait, self._wait = self._wait, min(max(FIRST, self._wait * 2), MOST)
        return min(max(FIRST, wait * self._jitter(1 - JITTER, 1 + JITTER)), MOST) if wait else 0.0
