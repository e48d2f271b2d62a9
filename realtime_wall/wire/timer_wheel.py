"""When each connection wants to be looked at again.

Thousands of connections each have deadlines: the next ping, its pong, the end of a closing handshake.
A timer for each would cost memory and heap operations for events that are nearly always postponed, so
they share one timer and are kept in buckets of a tenth of a second.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from math import ceil
from time import monotonic
from typing import Any, Protocol

from gevent import get_hub

log = logging.getLogger(__name__)

# Buckets a second: fine enough for heartbeats of a second, coarse enough to cost nothing.
PER_SECOND = 10


class Timed(Protocol):
    """Something with deadlines. ``due`` belongs to the wheel."""

    due: int

    def tick(self, now: float) -> float | None:
        """Do what is due; in how many seconds to come back, or None for never."""


class TimerWheel:
    def __init__(self) -> None:
        self._buckets: dict[int, list[Timed]] = defaultdict(list)
        self._timer: Any = None
        self._done = int(monotonic() * PER_SECOND)

    def start(self) -> None:
        self._timer = get_hub().loop.timer(1 / PER_SECOND, 1 / PER_SECOND)
        self._timer.start(self._turn)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        self._buckets.clear()

    def schedule(self, what: Timed, delay: float) -> None:
        """Call ``what.tick`` in so many seconds, up to a tenth later; an earlier appointment is forgotten."""
        due = max(ceil((monotonic() + delay) * PER_SECOND), self._done + 1)
        what.due = due
        self._buckets[due].append(what)

    def _turn(self) -> None:
        self.turn(monotonic())

    def turn(self, now: float) -> None:
        """Tick everything that is due; an earlier appointment that was replaced does not count."""
        while self._done < int(now * PER_SECOND):
            self._done += 1
            for what in self._buckets.pop(self._done, ()):
                if what.due != self._done:
                    continue
                try:
                    delay = what.tick(now)
                except Exception:
                    log.exception("a connection's deadline could not be handled")
                    continue
                if delay is not None:
                    self.schedule(what, delay)
