"""Time as the sources and the feed see it, so that a test can make an hour pass in a moment."""

from __future__ import annotations

import time
from typing import Protocol

from gevent.event import Event


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, as calendars and X's headers count them."""

    def elapsed(self) -> float:
        """Seconds since some moment; never steps back."""

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait until the event is set, but no longer than this; whether it is set."""


class SystemClock:
    def now(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.monotonic()

    def wait(self, event: Event, seconds: float) -> bool:
        event.wait(max(seconds, 0))
        return event.is_set()
