"""How long may work that never waits keep the event loop before everybody else has a turn?

Delivering to thousands, running receivers, making a long page: each looks now and then whether its time is
up, and then yields once. What many do at once, such as reading from their clients, shares one slice.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any

import gevent
from gevent import get_hub

# Seconds: short enough that nobody's page is seen to wait, long enough that the turns cost nothing.
SLICE = 0.003
# A timer, not sleep(0): gevent would run us again before it looks at any socket.
SOON = 0.000_001
# What many share is done for whoever sends: those who only listen wait for two such slices and no longer.
SHARED_SLICE = 0.0015


class TimeSlice:
    __slots__ = ("_due", "_seconds")

    def __init__(self, seconds: float = SLICE) -> None:
        self._seconds = seconds
        self._due = monotonic() + seconds

    def restart(self) -> None:
        """The event loop has just had its turn."""
        self._due = monotonic() + self._seconds

    def yield_if_due(self) -> None:
        if monotonic() > self._due:
            gevent.sleep(SOON)
            self._due = monotonic() + self._seconds


class SharedTimeSlice:
    """One slice of each iteration of the event loop, for all who share it.

    Whoever comes when it is over stands in line. Of a hundred who each tried again in each iteration, all
    but one or two would be woken in vain.
    """

    __slots__ = ("_due", "_iteration", "_line", "_seconds", "_timer")

    def __init__(self, seconds: float = SHARED_SLICE) -> None:
        self._seconds = seconds
        self._iteration = -1
        self._due = 0.0
        self._line: deque[Any] = deque()  # of greenlets
        self._timer: Any = None

    def is_over(self) -> bool:
        """Whether the rest of the work has to wait for the next iteration."""
        loop: Any = get_hub().loop
        if self._iteration != loop.iteration:
            self._iteration = loop.iteration
            self._due = monotonic() + self._seconds
            return False
        return monotonic() > self._due

    def yield_if_over(self) -> None:
        if not self._line and not self.is_over():
            return
        me, hub = gevent.getcurrent(), gevent.get_hub()
        self._line.append(me)
        if self._timer is None:
            self._timer = hub.loop.timer(SOON)
            self._timer.start(self._go_on)
        try:
            hub.switch()
        except BaseException:  # somebody's time limit, or end
            if me in self._line:
                self._line.remove(me)
            raise

    def _go_on(self) -> None:
        """Whose turn it is; at least one's in each iteration."""
        self.is_over()
        while self._line:
            self._line.popleft().switch()
            if self.is_over():
                break
        self._timer.stop()
        if self._line:
            self._timer.start(self._go_on)
        else:
            self._timer.close()
            self._timer = None
