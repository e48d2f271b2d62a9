"""Redis is gone: when is it tried again, and what is said about it?

Said once when it begins and once when it is over, however often it is tried.
"""

from __future__ import annotations

import logging
import random
from time import monotonic

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 0.1, 5.0
# While somebody waits for it.
LONGEST_WAITED_FOR = 0.5


class Outage:
    def __init__(self, what: str, longest: float = LONGEST) -> None:
        self._what, self._longest = what, longest
        self._began: float | None = None
        self._next = SHORTEST
        self.reason = ""

    def __bool__(self) -> bool:
        return self._began is not None

    def lasts(self, reason: BaseException | str) -> float:
        """It begins, or goes on; for how many seconds to wait before it is tried again."""
        self.reason = str(reason)[:200] or type(reason).__name__
        if self._began is None:
            self._began = monotonic()
            log.warning("%s: %s; trying again", self._what, self.reason)
        pause, self._next = self._next, min(self._next * 2, self._longest)
        # Not all servers at once.
        return pause * random.uniform(0.5, 1.0)

    def over(self) -> None:
        if self._began is not None:
            log.warning("%s: well again after %.1f s", self._what, monotonic() - self._began)
        self._began, self._next, self.reason = None, SHORTEST, ""
