"""Redis is gone: when is it tried again, and what is logged about it?

A line when it begins and a line when it is over, however often it is tried.
"""

from __future__ import annotations

import logging
from time import monotonic

from realtime_wall.wire.backoff import Backoff

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 0.1, 5.0
# While somebody waits for it.
LONGEST_WAITED_FOR = 0.5
JITTER = 0.5, 1.0  # not all servers at once


class Outage:
    def __init__(self, activity: str, longest: float = LONGEST) -> None:
        self._activity = activity
        self._began = 0.0
        self._backoff = Backoff(SHORTEST, longest, jitter=JITTER)
        self.reason = ""

    def __bool__(self) -> bool:
        return self._backoff.failures > 0

    def lasts(self, reason: BaseException | str) -> float:
        """It begins, or goes on; for how many seconds to wait before it is tried again."""
        self.reason = str(reason)[:200] or type(reason).__name__
        if not self:
            self._began = monotonic()
            log.warning("%s: %s; trying again", self._activity, self.reason)
        return self._backoff.failed()

    def over(self) -> None:
        if self:
            log.warning("%s: well again after %.1f s", self._activity, monotonic() - self._began)
        self._backoff.succeeded()
        self.reason = ""
