"""When may a stream of X be dialled again? X's table, and its limit of connections.

==========================  ==============================================================
what happened               wait
==========================  ==============================================================
the connection was lost     none, then 0.25 s more each time, up to 16 s
an HTTP error               5 s, doubling up to 320 s
420 or 429                  60 s, doubling up to 15 minutes, and until x-rate-limit-reset
==========================  ==============================================================

A connection that was answered with 200 and then closed has been lost too: only one that was of some
use takes the waits back to their beginning. X counts 50 dials in 15 minutes: ten may follow each
other closely, after them there is one every 22.5 s, so that no 15 minutes ever see a 51st.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from realtime_wall.api import Backoff
from realtime_wall.wall.sources.x.window_limit import WindowLimit

WINDOW = 15 * 60.0
BURST = 10
MOST = 50

NETWORK_STEP, NETWORK_MOST = 0.25, 16.0
HTTP_FIRST, HTTP_MOST = 5.0, 320.0
RATE_FIRST, RATE_MOST = 60.0, WINDOW
JITTER = 0.1  # added, never taken away: the table and the limit are the least that X asks for


class ReconnectBackoff:
    """Given the time, never reads it; ``now`` is in seconds and never steps back."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._dials = WindowLimit(MOST, BURST, WINDOW)
        self._network = Backoff(0.0, NETWORK_MOST, grow=lambda wait: wait + NETWORK_STEP)
        self._http = Backoff(HTTP_FIRST, HTTP_MOST)
        self._rate = Backoff(RATE_FIRST, RATE_MOST)

    def dialled(self, now: float) -> None:
        self._dials.count(now)

    def allowed_in(self, now: float) -> float:
        """The seconds until X's limit of connections allows another dial."""
        return self._dials.allowed_in(now)

    def succeeded(self) -> None:
        """The connection was of some use."""
        for backoff in (self._network, self._http, self._rate):
            backoff.succeeded()

    def lost(self, now: float) -> float:
        """The seconds to wait after a connection that failed, closed or stalled."""
        return self._at_least(self._network.failed(), now)

    def refused(self, status: int, now: float, reset_in: float = 0.0) -> float:
        """The seconds to wait after an HTTP error; ``reset_in`` is what X says about its rate limit."""
        if status in (420, 429):
            # X's windows are 15 minutes long: a header that asks for more is broken.
            return self._at_least(max(self._rate.failed(), min(reset_in, WINDOW)), now)
        return self._at_least(self._http.failed(), now)

    def _at_least(self, wait: float, now: float) -> float:
        return max(wait, self.allowed_in(now)) * (1.0 + JITTER * self._jitter())
