"""What of a client's bytes has to wait, while a large text of its is read?

To read one takes many turns of the event loop. A greenlet does it, and what came behind follows in its order.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import gevent

from realtime_wall.protocol.websocket.frames import FrameEvent
from realtime_wall.wire.connection import Wire

log = logging.getLogger(__name__)


class LateEvents:
    """Those of one connection, until ``over`` is called, with whether one of them could not be handled."""

    __slots__ = ("_events",)

    def __init__(
        self, first: FrameEvent, handle: Callable[[FrameEvent], None], over: Callable[[bool], None]
    ) -> None:
        self._events = deque((first,))
        gevent.spawn(self._run, handle, over)

    def append(self, event: FrameEvent) -> None:
        self._events.append(event)

    def clear(self) -> None:
        self._events.clear()

    def _run(self, handle: Callable[[FrameEvent], None], over: Callable[[bool], None]) -> None:
        is_broken = False
        try:
            while self._events:
                handle(self._events.popleft())
                Wire.turns.wait()
        except Exception:
            log.exception("a client's message could not be handled; it was cut off")
            is_broken = True
        over(is_broken)
