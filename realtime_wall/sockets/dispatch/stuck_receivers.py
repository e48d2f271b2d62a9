"""Which receivers do not return, and what becomes of their places?

A pool has so many places. Receivers that wait for ever (for a lock, for a peer without a time limit) take one
after the other, until none of anybody's can run. So each that has run for long is named in the log, with
where it waits. And while others wait for a place, one whose client has gone is ended, and gives its own back.
"""

from __future__ import annotations

import logging
import traceback
from time import monotonic
from typing import Any

from gevent import GreenletExit, get_hub

from realtime_wall.sockets.dispatch.inbox import Inbox, Pool

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
# Frames of the stack to log: enough to reach from the library that waits to the user's function.
FRAMES = 12


class Abandoned(GreenletExit):
    """Raised in a receiver that does not return, whose client has gone, while others wait for its place."""


class StuckReceivers:
    """Looked after once a second, on the timer wheel."""

    due = 0

    def __init__(self, pool: Pool, stuck_after: float, grace: float) -> None:
        self.count = 0  # of those that have run for long
        self._pool = pool
        self._stuck_after = stuck_after
        self._grace = grace
        self._named: dict[Inbox, float] = {}  # with when they began
        self._is_full = False

    def tick(self, now: float) -> float:
        running = self._pool.running
        stuck = {inbox: run for inbox, run in running.items() if now - run[1] > self._stuck_after}
        self.count = len(stuck)
        for inbox, (greenlet, began) in stuck.items():
            if self._named.get(inbox) != began:
                log.warning("a receiver has not returned for %.0f s:\n%s", now - began, _stack(greenlet))
        self._named = {inbox: run[1] for inbox, run in stuck.items()}
        self._note_whether_full()
        if self._grace and self._is_full:
            for inbox, run in running.items():
                if inbox.abandoned_at is not None and now - max(inbox.abandoned_at, run[1]) > self._grace:
                    # Not here: it may run on for a while before it gives the loop a turn.
                    get_hub().loop.run_callback(self._end, inbox, run)
        return LOOK_EVERY

    def _note_whether_full(self) -> None:
        was, self._is_full = self._is_full, self._pool.waiting > 0 and self._pool.busy >= self._pool.size
        if self._is_full and not was:
            log.warning(
                "all %d places for receivers are taken, and %d sockets wait for one",
                self._pool.size,
                self._pool.waiting,
            )

    def _end(self, inbox: Inbox, run: tuple[Any, float]) -> None:
        # Its client may have come back meanwhile, or it is another job's turn.
        if self._pool.running.get(inbox) is run and inbox.abandoned_at is not None:
            gone = monotonic() - inbox.abandoned_at
            run[0].throw(
                Abandoned(f"its client has been gone for {gone:.0f} s, and others wait for its place")
            )


def _stack(greenlet: Any) -> str:
    return "".join(traceback.format_stack(greenlet.gr_frame, FRAMES)) if greenlet.gr_frame else "?"
