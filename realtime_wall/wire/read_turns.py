"""Who is read from next, when more has arrived than can be handled at once?

The event loop calls every wire that has something to read, one after the other, before anything else has its
turn: ten clients that send as much as they can would keep it for ten times as long as one. So reading has a
slice of each iteration. Whoever comes when it is over stands in line, and is read from in the next, first
come, first served; others' messages, timers and receivers are in between.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Protocol

from gevent import get_hub

from realtime_wall.wire.time_slice import SOON, SharedTimeSlice


class Reader(Protocol):
    def read(self) -> None:
        """Read what there is, once, and handle it."""


class ReadTurns:
    """Those of one thread's event loop."""

    def __init__(self) -> None:
        self._time_slice = SharedTimeSlice()
        self._waiting: OrderedDict[Reader, None] = OrderedDict()
        self._timer: Any = None

    def is_now(self) -> bool:
        """Whether somebody whose socket can be read from is to do it at once."""
        return not self._waiting and not self._time_slice.is_over()

    def wait(self) -> None:
        """In a greenlet that handles what it has read: let the others have their turn when it is due."""
        self._time_slice.yield_if_over()

    def is_in_line(self, reader: Reader) -> bool:
        return reader in self._waiting

    def stand_in_line(self, reader: Reader) -> None:
        self._waiting[reader] = None
        if self._timer is None:
            self._timer = get_hub().loop.timer(SOON)
            self._timer.start(self._serve)

    def leave(self, reader: Reader) -> None:
        self._waiting.pop(reader, None)

    def _serve(self) -> None:
        try:
            while self._waiting and not self._time_slice.is_over():
                reader, _ = self._waiting.popitem(last=False)
                reader.read()
        finally:
            self._timer.stop()
            if self._waiting:
                self._timer.start(self._serve)
            else:
                self._timer.close()
                self._timer = None
