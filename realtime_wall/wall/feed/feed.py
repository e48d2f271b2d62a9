"""From the sources to the screens: takes posts, drops duplicates, stores them, publishes them.

An edit replaces the post, a deletion takes it off the screens, whichever of them comes first.

::

    source --+
    source --+-> queue -> batch -> store (in a thread) -> publish on the wall's channel
    source --+

One greenlet for each source fills the queue and waits while it is full; one greenlet empties it.
A post is published once, after it was stored. While the database is away the batch is kept and
tried again: nothing is dropped, and the event loop never waits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from time import monotonic

import gevent
from django.db import connections
from gevent.event import Event
from gevent.queue import Empty, JoinableQueue
from gevent.threadpool import ThreadPool

from realtime_wall.api import Backoff, time_slice
from realtime_wall.wall.feed.announce import AuthorFilter, announce, announce_outage
from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.feed.publish_queue import Publisher
from realtime_wall.wall.feed.publish_queue import publisher as current_publisher
from realtime_wall.wall.feed.recent_ids import RecentIds
from realtime_wall.wall.feed.store import DatabaseStore, Rejection, Store, Stored
from realtime_wall.wall.models import channel_of
from realtime_wall.wall.post import BadPost, Item, Mark, Post, Removal
from realtime_wall.wall.sources.restart_loop import keep_running
from realtime_wall.wall.sources.source import Source

logger = logging.getLogger(__name__)

WAITING = 10_000  # posts, some 20 MB: three minutes of a busy conference while the database is away
BACKLOG = 1_000  # and so many while it is there: what lies in memory is walked by the garbage collector
BATCH = 200  # posts in one transaction
# The least time for a full batch: 2,500 posts a second, ten times of what X sends at most. What is left
# belongs to the pages.
PACE = 0.080
SLICE = 0.001  # how long it may keep the event loop
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
STOP_TIMEOUT = 3.0


class Feed:
    def __init__(
        self,
        slug: str,
        sources: Sequence[Source],
        *,
        banned: Iterable[str] = (),
        publisher: Publisher | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        waiting: int = WAITING,
    ) -> None:
        self.channel = channel_of(slug)
        self._slug = slug
        self._sources = list(sources)
        self._is_allowed = AuthorFilter(banned)
        self._publisher = publisher or current_publisher()
        self._store = store or DatabaseStore(slug)
        self._clock = clock or SystemClock()
        self._queue: JoinableQueue[Item] = JoinableQueue()
        self._capacity = waiting
        self._database_is_away = False
        self._failing: set[str] = set()  # names of sources, until anything comes again
        self._room = Event()
        self._recent = RecentIds()
        self._stopping = Event()
        self._time_slice = time_slice(SLICE)
        self._never = Event()  # what nothing but time ends
        self._supervisors: dict[Source, gevent.Greenlet[..., None]] = {}
        self._writer = ThreadPool(1)  # one thread, with a database connection of its own
        self._drain: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._drain = gevent.spawn(self._empty_queue)
        for source in self._sources:
            self.add(source)

    def add(self, source: Source) -> None:
        """Run it, and take what it emits from now on."""
        self._supervisors[source] = gevent.spawn(
            keep_running, source, self._receive, self._stopping, self._clock, partial(self._note, source.name)
        )

    def remove(self, source: Source) -> None:
        """End one source; what it has emitted is stored and published."""
        supervisor = self._supervisors.pop(source)
        source.stop()
        supervisor.join(timeout=STOP_TIMEOUT / 3)
        supervisor.kill()

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """End the sources, store and publish what they have emitted, and end."""
        self._stopping.set()
        for source in self._supervisors:
            source.stop()
        supervisors = list(self._supervisors.values())
        gevent.joinall(supervisors, timeout=timeout / 3)
        gevent.killall(supervisors, block=False)
        if self._drain is None:
            return
        if not self._queue.join(timeout * 2 / 3):
            logger.error("the feed of %s stopped with posts that could not be stored", self.channel)
        self._drain.kill()
        gevent.spawn(self._end_writer)  # which may be waiting for the database still

    def _end_writer(self) -> None:
        self._writer.apply(connections.close_all)
        self._writer.kill()

    def _note(self, source: str, problem: str) -> None:
        """For the admin and the moderators; when the database is away, the log has to do."""
        self._follow_outage(self._failing | {source} if problem else self._failing)
        self._writer.spawn(self._store.note, source, problem)

    def _follow_outage(self, failing: set[str]) -> None:
        """All of them fail; or something has come. A source that is only tried again is not well yet."""
        names = {source.name for source in self._supervisors}
        was_down, is_down = names <= self._failing, names <= failing
        self._failing = failing
        if was_down != is_down:
            announce_outage(self._slug, is_down, self._publisher)

    def _receive(self, item: Item) -> None:
        """From a source; it waits while there is no room."""
        if self._failing:
            self._follow_outage(set())
        while self._queue.qsize() >= self._limit:
            self._room.clear()
            self._room.wait()
        self._queue.put(item)
        self._time_slice.yield_if_due()

    @property
    def _limit(self) -> int:
        return self._capacity if self._database_is_away else min(self._capacity, BACKLOG)

    def _empty_queue(self) -> None:
        while True:
            batch = self._next_batch()
            began = monotonic()
            self._handle_or_halve(batch)
            for _ in batch:
                self._queue.task_done()
            if len(batch) == BATCH and not self._stopping.is_set():
                gevent.sleep(max(began + PACE - monotonic(), 0.000_001))

    def _next_batch(self) -> list[Item]:
        """Waits for an item; with it comes what else is there already."""
        batch = [self._queue.get()]
        try:
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        except Empty:
            pass
        self._room.set()
        return batch

    def _handle_or_halve(self, batch: list[Item]) -> None:
        """Whatever goes wrong with one item, at whatever step, it costs no other."""
        try:
            self._handle(batch)
        except Exception as problem:
            if len(batch) == 1:
                self._report_rejections([self._reject(batch[0], problem)])
                return
            middle = len(batch) // 2
            self._handle_or_halve(batch[:middle])
            self._handle_or_halve(batch[middle:])

    def _handle(self, batch: list[Item]) -> None:
        for item in batch:
            if not isinstance(item, Post | Removal | Mark):
                raise BadPost(f"a {type(item).__name__} is no post")
        left = [item for item in self._recent.unseen(batch) if self._is_allowed(item)]
        backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        while left:
            # In a thread: the database may make it wait, the event loop must not.
            stored = self._writer.apply(self._store.add, (left,))
            self._database_is_away = stored.problem is not None
            self._room.set()
            self._report(stored, backoff.failures)
            left = stored.left
            if left:
                self._clock.wait(self._never, backoff.failed())
        self._recent.add(batch)

    def _report(self, stored: Stored, failures: int) -> None:
        if stored.problem and not failures:
            logger.error("the database is unavailable, %s waits for it: %s", self.channel, stored.problem)
        elif failures and not stored.problem:
            logger.warning("the database is back after %d attempts, %s goes on", failures, self.channel)
        self._report_rejections(stored.rejected)
        announce(self._slug, stored, self._publisher)

    def _reject(self, item: Item, problem: Exception) -> Rejection:
        try:
            rejection: Rejection = self._writer.apply(self._store.reject, (item, problem))
        except Exception as second:
            return Rejection(item, f"{problem!r}; nor could that be noted: {second!r}", kept=False)
        return rejection

    def _report_rejections(self, rejections: Iterable[Rejection]) -> None:
        for rejection in rejections:
            note = "put aside as a RejectedPost" if rejection.kept else "lost"
            logger.error("post %s is %s: %s", _name(rejection.post), note, rejection.reason)


def _name(item: object) -> str:
    return f"{getattr(item, 'source', '?')}:{getattr(item, 'id', '')}"[:100]
