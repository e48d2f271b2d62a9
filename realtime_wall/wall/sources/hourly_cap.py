"""Lets a source give so many posts in an hour, then gives it a rest until the hour is over.

At X every post costs money: a source that has given its share is ended, not only left unread, and
what was posted while it rested is not asked for. Every hour begins where clocks have it begin.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock
from realtime_wall.wall.post import Item, Post
from realtime_wall.wall.sources.source import Emit, Source

logger = logging.getLogger(__name__)

HOUR = 3600


class CappedSource:
    def __init__(
        self, name: str, make: Callable[[bool], Source], cap: int, clock: Clock, *, given: int = 0
    ) -> None:
        """``make(go_on)`` is to go on where the posts end, or to begin with what comes.

        ``given`` are so many in the present hour already, before a restart.
        """
        self.name = name
        self._make = make
        self._cap = cap
        self._clock = clock
        self._given = given
        self._hour = self._now()
        self._stopping = Event()
        self._source: Source | None = None

    def run(self, emit: Emit) -> None:
        go_on = True
        while not self._stopping.is_set():
            if not self._is_spent():
                self._source = source = self._make(go_on)
                source.run(partial(self._emit, emit, source))
            if not self._is_spent():
                return
            go_on = False
            rest = (self._hour + 1) * HOUR - self._clock.now()
            logger.warning("%s has given its %d posts of this hour; it rests", self.name, self._cap)
            self._clock.wait(self._stopping, rest)

    def stop(self) -> None:
        self._stopping.set()
        if self._source is not None:
            self._source.stop()

    def _emit(self, emit: Emit, source: Source, item: Item) -> None:
        if isinstance(item, Post):
            self._is_spent()
            self._given += 1
        emit(item)  # what comes while it is being ended was paid for, too
        if self._is_spent():
            source.stop()

    def _is_spent(self) -> bool:
        if self._hour != self._now():
            self._hour, self._given = self._now(), 0
        return self._given >= self._cap

    def _now(self) -> int:
        return int(self._clock.now() // HOUR)
