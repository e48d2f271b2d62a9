"""How many sessions may poll from one address at once?

A session on a WebSocket costs its client a connection. One that polls costs it a request, and us its memory
until a ping is not answered: one visitor alone could open any number.
"""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class PollingQuota:
    """Those of this process, by address."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._full: set[str] = set()  # addresses that the log has already

    def take(self, address: str, limit: int) -> bool:
        """One more; False when there are as many as may be. 0 is no limit; an empty address has none."""
        if not address:
            return True
        count = self._counts.get(address, 0)
        if limit and count >= limit:
            if address not in self._full:
                self._full.add(address)
                log.warning("%s has %s sessions that poll (POLLING_SESSIONS): no more", address, count)
            return False
        self._counts[address] = count + 1
        return True

    def give_back(self, address: str) -> None:
        left = self._counts.pop(address, 0) - 1
        if left > 0:
            self._counts[address] = left
        else:
            self._full.discard(address)


quota = PollingQuota()
