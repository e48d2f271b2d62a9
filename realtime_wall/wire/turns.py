"""Whose turn is it, when clients want more than can be done at once?

The event loop calls whoever has something to read, one after the other, before anything else has its turn: a
hundred clients that send as much as they can would keep it for a hundred times as long as one. So what
clients cause (reading, receivers, requests) has one slice of each iteration, which all of it shares. Whoever
comes when it is over stands in line and goes on in the next, first come, first served; deliveries and timers
come before it.
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
SHARED_SLICE = 0.0005
# What clients send to thousands is delivered in between, many messages at once: the fewer, the more it costs.
# So they have as much more as the others have had, up to this.
MOST_MORE = 0.002
# Of a slice: who has begun nothing that takes long by then does so in the next.
EARLY = 0.25
# Of a watcher: behind all others of its iteration.
LAST = -2


class Turns:
    """Those of one thread's event loop.

    There is one line, and nobody in it is woken in vain: of a hundred who each tried again in each iteration,
    all but one or two would be.
    """

    def __init__(self, seconds: float = SHARED_SLICE) -> None:
        self._seconds = seconds
        self._iteration = -1
        self._begun = self._due = 0.0  # of the slice of that iteration
        self._ended = 0.0  # when the last slice was over, and some had to wait: in CPU time of ours
        # Who stands in it, what to call when its turn has come, and whether that takes long.
        self._line: OrderedDict[Any, tuple[Callable[[], object], bool]] = OrderedDict()
        self._timer: Any = None

    def is_now(self, is_long: bool = False, is_first: bool = False) -> bool:
        """Whether whoever has something to do is to do it at once; in each iteration, one at least.

        What takes as long as a slice, or longer, is begun early in one: nobody waits for both. Who comes now
        stands behind those in the line, if not at the head of it.
        """
        if self._line and not is_first:
            return False
        loop: Any = get_hub().loop
        now = monotonic()
        if self._iteration == loop.iteration:
            return now <= (self._begun + self._seconds * EARLY if is_long else self._due)
        self._iteration = loop.iteration
        others = min(thread_time() - self._ended, MOST_MORE) if self._line else 0.0
        self._begun, self._due = now, now + self._seconds + others
        return True

    def wait(self, is_long: bool = False) -> None:
        """In a greenlet: go on when its turn has come."""
        if self.is_now(is_long):
            return
        me = gevent.getcurrent()
        self.stand_in_line(me, me.switch, is_long)
        try:
            get_hub().switch()
        except BaseException:  # somebody's time limit, or end
            self.leave(me)
            raise

    def is_in_line(self, who: object) -> bool:
        return who in self._line

    def stand_in_line(self, who: object, go_on: Callable[[], object], is_long: bool = False) -> None:
        self._line[who] = go_on, is_long
        if self._timer is None:
            self._ended = thread_time()
            self._timer = get_hub().loop.timer(SOON, priority=LAST)
            self._timer.start(self._serve_last)

    def leave(self, who: object) -> None:
        self._line.pop(who, None)

    def _serve_last(self) -> None:
        """After whoever has woken by now: what is delivered has waited while the last were served."""
        get_hub().loop.run_callback(self._serve)

    def _serve(self) -> None:
        try:
            while self._line:
                who, (go_on, is_long) = next(iter(self._line.items()))
                if not self.is_now(is_long, is_first=True):
                    break
                del self._line[who]
                go_on()
        finally:
            self._timer.stop()
            if self._line:
                self._ended = thread_time()
                self._timer.start(self._serve_last)
            else:
                self._timer.close()
                self._timer = None
