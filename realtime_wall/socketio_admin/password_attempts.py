"""How many passwords may somebody try? To look at one takes long, and is done for strangers."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

MOST, SECONDS = 5, 60.0
ADDRESSES = 1000  # that are remembered


class PasswordAttempts:
    """Of each address, in this process; who is let in has made none."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began: dict[str, list[float]] = {}

    def begin(self, address: str) -> bool:
        """Whether there may be one more now. Those that are not yet judged count."""
        since = self._clock() - SECONDS
        recent = [one for one in self._began.pop(address, ()) if one > since]
        if is_one_more := len(recent) < MOST:
            recent.append(self._clock())
        self._began[address] = recent
        while len(self._began) > ADDRESSES:  # who has not tried for longest
            del self._began[next(iter(self._began))]
        return is_one_more

    def succeeded(self, address: str) -> None:
        self._began.pop(address, None)


attempts = PasswordAttempts()
