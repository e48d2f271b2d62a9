"""What waits for a socket's receivers, and who runs them.

Jobs of one socket run one after the other, in order; jobs of different sockets run side by side, up to
the size of the pool. A greenlet exists only while there is something to do. A socket whose inbox is
full is not read from until its receivers have caught up: its client's kernel makes it wait.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

import gevent

from realtime_wall.sockets.receivers import release_database

log = logging.getLogger(__name__)

Job = Callable[[], object]


class Source(Protocol):
    """Where jobs come from, and what can be told to wait."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Inbox:
    """The jobs of one socket."""

    __slots__ = ("_pool", "_source", "jobs", "paused")

    def __init__(self, pool: Pool, source: Source) -> None:
        self._pool = pool
        self._source = source
        self.jobs: deque[Job] | None = None  # None while idle: most sockets are
        self.paused = False

    def put(self, job: Job) -> None:
        if self.jobs is None:
            self.jobs = deque((job,))
            self._pool.ready(self)
            return
        self.jobs.append(job)
        if len(self.jobs) >= self._pool.inbox_size and not self.paused:
            self.paused = True
            self._source.pause()

    def run(self) -> None:
        """Run what waits until nothing does."""
        while self.jobs:
            job = self.jobs.popleft()
            try:
                job()
            except BaseException:
                log.exception("a socket's job failed")
            finally:
                release_database()
            if self.paused and len(self.jobs) <= self._pool.inbox_size // 2:
                self.paused = False
                self._source.resume()
        self.jobs = None


class Pool:
    """At most ``size`` sockets have a receiver running; the others wait for their turn."""

    def __init__(self, size: int, inbox_size: int) -> None:
        self.size = size
        self.inbox_size = inbox_size
        self._waiting: deque[Inbox] = deque()
        self.busy = 0

    def ready(self, inbox: Inbox) -> None:
        self._waiting.append(inbox)
        if self.busy < self.size:
            self.busy += 1
            gevent.spawn(self._work)

    def _work(self) -> None:
        try:
            while self._waiting:
                self._waiting.popleft().run()
        finally:
            self.busy -= 1
