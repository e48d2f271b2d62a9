"""Whose turn is it, when clients want more than can be done at once?

The event loop calls whoever has something to read, one after the other, before anything else has its turn: a
hundred clients that send as much as they can would keep it for a hundred times as long as one. So what
clients cause (reading, receivers, requests) has one slice of each iteration, which all of it shares. Whoever
comes when it is over stands in line and goes on in the next, first come, first served; deliveries and timers
are in between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any

import gevent
from gevent import get_hub

from realtime_wall.wire.time_slice import SOON

# Seconds: those who only listen wait for one such slice and no longer.
SHARED_SLICE = 0.001
# What clients send to thousands is delivered in between, many messages at once: the fewer, the more it costs.
# So they have as much more as the others have had, up to this.
MOST_MORE = 0.002


class Turns:
    """Those of one thread's event loop.

    There is one line, and nobody in it is woken in vain: of a hundred who each tried again in each iteration,
    all but one or two would be.
    """

    def __init__(self, seconds: float = SHARED_SLICE) -> None:
        self._seconds = seconds
        self._iteration = -1
        self._due = 0.0
        self._ended = 0.0  # when the last slice was over, and some had to wait: in CPU time of ours
        # Who stands in it, a greenlet for instance, and what to call when its turn has come.
        self._line: OrderedDict[Any, Callable[[], object]] = OrderedDict()
        self._timer: Any = None

    def is_now(self) -> bool:
        """Whether whoever has something to do is to do it at once."""
        return not self._line and not self._is_over()

    def wait(self) -> None:
        """In a greenlet: go on when its turn has come."""
        if self.is_now():
            return
        me = gevent.getcurrent()
        self.stand_in_line(me, me.switch)
        try:
            get_hub().switch()
        except BaseException:  # somebody's time limit, or end
            self.leave(me)
            raise

    def is_in_line(self, who: object) -> bool:
        return who in self._line

    def stand_in_line(self, who: object, go_on: Callable[[], object]) -> None:
        self._line[who] = go_on
        if self._timer is None:
            self._ended = thread_time()
            self._timer = get_hub().loop.timer(SOON)
            self._timer.start(self._serve)

    def leave(self, who: object) -> None:
        self._line.pop(who, None)

    def _is_over(self) -> bool:
        """Whether the slice of this iteration is; in each, one at least has a turn."""
        loop: Any = get_hub().loop
        if self._iteration != loop.iteration:
            self._iteration = loop.iteration
            now = monotonic()
            others = thread_time() - self._ended if self._line else 0.0
            self._due = now + self._seconds + min(others, MOST_MORE)
            return False
        return monotonic() > self._due

    def _serve(self) -> None:
        try:
            while self._line and not self._is_over():
                _, go_on = self._line.popitem(last=False)
                go_on()
        finally:
            self._timer.stop()
            if self._line:
                self._ended = thread_time()
                self._timer.start(self._serve)
            else:
                self._timer.close()
                self._timer = None
