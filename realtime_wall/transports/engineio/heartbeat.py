"""Does the client of a session still answer? It is pinged, and given up when no pong comes in time."""

from __future__ import annotations

from enum import Enum, auto


class Beat(Enum):
    WAIT = auto()
    PING = auto()
    TIMED_OUT = auto()


class EngineHeartbeat:
    """Times go in, and what is to be done comes out."""

    __slots__ = ("_due", "_is_pinged")

    def __init__(self, due: float) -> None:
        self._due = due  # when the next ping is, or the last one was
        self._is_pinged = False

    def beat(self, now: float, timeout: float, is_busy: bool) -> Beat:
        """What has come due. ``is_busy``: the client is not read from, so that its silence proves nothing."""
        if not self._is_pinged:
            if now < self._due:
                return Beat.WAIT
            self._is_pinged = True
            return Beat.PING
        if is_busy:
            # The pong may be behind what we do not read: its time begins when we do.
            self._due = now
        return Beat.WAIT if now < self._due + timeout else Beat.TIMED_OUT

    def seconds_left(self, now: float, timeout: float) -> float:
        """Until something comes due."""
        return max(self._due + (timeout if self._is_pinged else 0.0) - now, 0.0)

    def is_missed(self, now: float, timeout: float) -> bool:
        """To the moment, whether or not anybody has looked: no ping was answered for too long."""
        return now >= self._due + timeout

    def ponged(self, interval: float) -> None:
        """A pong that nobody asked for proves nothing."""
        if self._is_pinged:
            self._is_pinged = False
            self._due += interval
