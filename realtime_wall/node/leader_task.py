"""What does one server of all do every so often, such as publish what waits in a table?

Whoever has the task's lease is its leader, and looks, in a greenlet of its own; when it ends, another server
goes on. What cannot be done, as without a database, is said once, and tried again.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar, Self

import gevent
from django.db import DatabaseError
from gevent.event import Event

from realtime_wall import signals
from realtime_wall.brokers.lease import Lease, lease
from realtime_wall.config import current
from realtime_wall.control import isolation
from realtime_wall.errors import RealtimeWallError
from realtime_wall.node.node import Node

# Seconds, until the next try.
AFTER_A_PROBLEM = 2.0
# Seconds that what is under way has when its server ends.
LAST_TURN = 1.0


class LeaderTask:
    """Subclasses have a ``name``, which is the lease's, and ``look``; ``run_on_leader`` starts them."""

    name: ClassVar[str]
    every: ClassVar[float] = 1.0  # seconds
    running: ClassVar[dict[Node, Self]]  # in this process

    def __init_subclass__(cls) -> None:
        cls.running = {}

    def __init__(self, node: Node, lease: Lease) -> None:
        self._node = node
        self._lease = lease
        self._work = Event()
        self._is_stopping = False
        self._problem = ""  # what it waits for
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def look(self) -> float | None:
        """Do what is to be done, while ``is_leading``; the seconds until the next look, if not ``every``."""
        raise NotImplementedError

    def close(self) -> None:
        """End what ``look`` has begun and left running."""

    @property
    def is_leading(self) -> bool:
        return self._lease.is_held and not self._is_stopping

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def wake(self) -> None:
        """Look now, if this is its server; the leader on another one looks by itself."""
        if self._node.is_in_this_thread:
            self._work.set()

    def stop(self) -> None:
        """What it has begun is finished; the rest is for the next server."""
        self._is_stopping = True
        self._work.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=LAST_TURN)
            self._greenlet.kill()
        self.close()
        self._lease.release()

    def _run(self) -> None:
        pause = self.every
        while not self._is_stopping:
            self._work.wait(pause)
            self._work.clear()
            pause = self._turn()

    def _turn(self) -> float:
        """In how many seconds the next one is."""
        try:
            if not self._lease.take():
                return self.every
            pause = self.look()
        except Exception as problem:
            self._report(problem)
            return AFTER_A_PROBLEM
        self._report(None)
        return self.every if pause is None else pause

    def _report(self, problem: Exception | None) -> None:
        """Once, however long it lasts: a table that is not migrated yet is missing at each look."""
        logger = logging.getLogger(type(self).__module__)
        text = f"{type(problem).__name__}: {problem}" if problem else ""
        if problem and text != self._problem:
            is_known = isinstance(problem, (DatabaseError, RealtimeWallError))
            logger.warning("%s waits: %s", self.name, problem, exc_info=None if is_known else problem)
        elif self._problem and not problem:
            logger.warning("%s goes on", self.name)
        self._problem = text


def run_on_leader(kind: type[LeaderTask]) -> None:
    """Start one with each server that starts in this process, and stop it with it."""

    def start(node: Node, **_: Any) -> None:
        if node not in kind.running:
            kind.running[node] = task = kind(node, lease(isolation.shared_config(current()), kind.name))
            task.start()

    def stop(node: Node, **_: Any) -> None:
        if task := kind.running.pop(node, None):
            task.stop()

    name = f"realtime_wall.task.{kind.name}"
    signals.server_started.connect(start, weak=False, dispatch_uid=name)
    signals.server_stopping.connect(stop, weak=False, dispatch_uid=name)
