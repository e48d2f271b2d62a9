"""Who is blocking the event loop?

One function that computes, or waits without gevent knowing, stops every client of the process. A native
thread watches a counter that the loop advances; when it stands still, the thread logs where the main
thread is.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

from gevent import get_hub, monkey

log = logging.getLogger(__name__)

# Frames of the stack to log: enough to reach from the library that waits to the user's function.
FRAMES = 12


class Watchdog:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._beats = 0
        self._timer: Any = None
        self._stopped = False
        # The name of the thread in sys._current_frames: the native one, not the greenlet's.
        self._watched = monkey.get_original("_thread", "get_ident")()

    def start(self) -> None:
        self._timer = get_hub().loop.timer(self._seconds / 4, self._seconds / 4)
        self._timer.start(self._beat)
        monkey.get_original("_thread", "start_new_thread")(self._watch, ())

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()

    def _beat(self) -> None:
        self._beats += 1

    def _watch(self) -> None:
        sleep = monkey.get_original("time", "sleep")
        reported = seen = -1
        while True:
            sleep(self._seconds)
            if self._stopped:
                return
            if self._beats == seen and seen != reported:
                reported = seen
                log.warning("the event loop is blocked:\n%s", self._stack())
            seen = self._beats

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._watched)
        return "".join(traceback.format_stack(frame, FRAMES)) if frame is not None else "?"
