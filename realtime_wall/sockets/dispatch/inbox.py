"""What waits for a socket's receivers, and who runs them.

Jobs of one socket run one after the other, in order; jobs of different sockets run side by side, up to
the size of the pool. Idle sockets have no greenlet: a few that have nothing to do rest, for all of them. A
socket whose inbox is full is not read from until its receivers have caught up: its client's kernel makes it
wait.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

import gevent
from django.http import HttpRequest
from gevent.event import Event

from realtime_wall.sockets.budgets.account import Account
from realtime_wall.sockets.dispatch import visitor_context
from realtime_wall.sockets.dispatch.receivers import release_database
from realtime_wall.wire.connection import Wire

log = logging.getLogger(__name__)

# How many greenlets are kept for the next job: to make one takes longer than most jobs do.
RESTING = 8

# Seconds that one job counts for: a single one that computes for long makes nobody a flooder.
LONGEST = 1.0

Job = Callable[[], object]


class Source(Protocol):
    """Where jobs come from, and what can be made to wait."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Inbox:
    """The jobs of one socket; their visitor is whoever's handshake the request was."""

    __slots__ = ("_pool", "_source", "abandoned_at", "account", "jobs", "paused", "request")

    def __init__(self, pool: Pool, source: Source, request: HttpRequest | None = None) -> None:
        self._pool = pool
        self._source = source
        self.request = request
        self.jobs: list[Job] | None = None  # None while idle: most sockets are
        self.paused = False
        self.account: Account | None = None  # that the time of its jobs is noted in
        self.abandoned_at: float | None = None  # since when its client is gone

    def put(self, job: Job) -> None:
        if self.jobs is None:
            self.jobs = [job]  # few ever wait: a deque has room for 64
            self._pool.ready(self)
            return
        self.jobs.append(job)
        if len(self.jobs) >= self._pool.inbox_size and not self.paused:
            self.paused = True
            self._source.pause()

    def continue_for(self, source: Source, request: HttpRequest | None = None) -> None:
        """The client came back: what it sends now comes after what it sent before."""
        self._source = source
        self.request = request
        self.abandoned_at = None
        if self.paused:
            source.pause()

    def run_next(self) -> bool:
        """Run the job whose turn it is; False when that was the last."""
        assert self.jobs
        job = self.jobs.pop(0)
        loop = self._pool.loop
        begun, turn = monotonic(), loop.iteration
        self._pool.running[self] = (gevent.getcurrent(), begun)
        try:
            if self.request is None:
                job()
            else:
                visitor_context.run_job(self.request, job)
        except BaseException:
            log.exception("a socket's job failed")
        try:
            release_database()
        except BaseException:
            log.exception("a socket's job failed")
        del self._pool.running[self]
        if self.account is not None and loop.iteration == turn:  # what has waited took others no time
            seconds = monotonic() - begun
            self.account.seconds += seconds if seconds < LONGEST else LONGEST
        if self.paused and len(self.jobs) <= self._pool.inbox_size // 2:
            self.paused = False
            self._source.resume()
        if not self.jobs:
            self.jobs = None
        return self.jobs is not None


class Pool:
    """At most ``size`` sockets have a receiver running; the others wait for their turn."""

    def __init__(self, size: int, inbox_size: int) -> None:
        self.size = size
        self.inbox_size = inbox_size
        self.loop: Any = gevent.get_hub().loop
        self._waiting: deque[Inbox] = deque()
        self._resting: list[Any] = []  # greenlets that wait for work
        self._is_closed = False
        self._is_starting = False
        self._lent: deque[Inbox] | None = None  # what got ready while a greenlet is lent
        self._idle = Event()
        self.busy = 0
        self.running: dict[Inbox, tuple[Any, float]] = {}  # in which greenlet, and since when

    @property
    def waiting(self) -> int:
        """How many sockets wait for a place."""
        return len(self._waiting)

    def ready(self, inbox: Inbox) -> None:
        if self._lent is not None:
            self._lent.append(inbox)
            return
        self._waiting.append(inbox)
        if not self._is_starting:  # it has another one follow when there is more to do
            self._start_one()

    def _start_one(self) -> None:
        if self.busy >= self.size:
            return
        self._is_starting = True
        self.busy += 1
        if self._resting:
            self.loop.run_callback(self._resting.pop().switch)
        else:
            gevent.spawn(self._work_and_rest)

    @contextmanager
    def lend(self, has_turn: bool = False) -> Iterator[None]:
        """Let the calling greenlet, which has nothing else to do, work on what gets ready inside.

        A handshake's greenlet has set up what Django keeps for a greenlet: to spawn another one for the
        connect receivers would do that again. It works for nobody else, since it may keep something of this
        visitor's (a tenant, on its connection). The block itself must not give the event loop a turn. Where
        that takes little time, the first job goes on in the turn that the greenlet has.
        """
        if self.busy >= self.size:
            yield
            return
        own: deque[Inbox] = deque()
        self._lent = own
        try:
            yield
        finally:
            self._lent = None
        if own:
            self.busy += 1
            self._work(own, has_turn)

    def wait_until_idle(self, seconds: float) -> bool:
        """Let what waits be run, for this long at most; False when something still does."""
        deadline = monotonic() + seconds
        while self.busy and (left := deadline - monotonic()) > 0:
            self._idle.clear()
            self._idle.wait(left)
        return not self.busy

    def close(self) -> None:
        """Let the greenlets go that rest."""
        self._is_closed = True
        for one in self._resting:
            gevent.get_hub().loop.run_callback(one.switch)
        self._resting = []

    def _work_and_rest(self) -> None:
        me, hub = gevent.getcurrent(), gevent.get_hub()
        loop: Any = hub.loop
        while not self._is_closed:
            turn = loop.iteration
            self._is_starting = False
            self._work(self._waiting)
            # What has waited may have left something behind in its greenlet, such as a Timeout or somebody
            # who wants to kill it. That must not hit another socket's receiver.
            if loop.iteration != turn or len(self._resting) >= RESTING:
                return
            self._resting.append(me)
            try:
                hub.switch()
            except BaseException:
                log.exception("a greenlet that rested was disturbed")
                if me in self._resting:
                    self._resting.remove(me)
                else:  # it had been given work
                    gevent.spawn(self._work_and_rest)
                return

    def _work(self, waiting: deque[Inbox], has_turn: bool = False) -> None:
        try:
            while waiting:
                if not has_turn and not Wire.turns.is_now():
                    Wire.turns.wait()
                    if not waiting:  # others have worked on it meanwhile
                        break
                has_turn = False
                inbox = waiting.popleft()
                if self._waiting and not self._is_starting:  # this one may have to wait
                    self._start_one()
                # A language or time zone that a receiver activates is nobody else's.
                if visitor_context.run(inbox.request, inbox.run_next):
                    # Last in line: one that never ends keeps no slot, nor the greenlet of its handshake.
                    (self._waiting or waiting).append(inbox)
        finally:
            self.busy -= 1
            if self._waiting and not self._is_starting:  # a greenlet that was lent leaves them to us
                self._start_one()
            if not self.busy:
                self._idle.set()
