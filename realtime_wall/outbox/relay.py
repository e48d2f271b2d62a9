"""Publishes what is in the table, in order, and deletes it: one server of all, the leader of the moment.

A server that is killed between the two leaves a row that is published already. It is tried again with the
same idempotency key, so the log knows it, as long as the log has outlived that server: in Redis, in a
supervisor or another server of the machine, or on disk (``LOG_DIR``).
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import partial
from typing import Any, cast

import gevent
from django.db import DatabaseError
from gevent.event import Event

from realtime_wall.brokers.command_json import from_json
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.lease import Lease, lease
from realtime_wall.config import current
from realtime_wall.control import isolation
from realtime_wall.errors import InvalidChannel, InvalidMessage, RealtimeWallError
from realtime_wall.node.node import Node
from realtime_wall.node.threadpool import run_in_threadpool

logger = logging.getLogger(__name__)

LEASE = "outbox"
# Seconds: a message that another process has written waits no longer.
EVERY = 0.5
AFTER_A_PROBLEM = 2.0
PORTION = 100


class Relay:
    def __init__(self, node: Node, lease: Lease) -> None:
        self._node = node
        self._lease = lease
        self._work = Event()
        self._is_stopping = False
        self._problem = ""  # what it waits for
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def wake(self) -> None:
        if self._node.is_in_this_thread:  # else it looks by itself
            self._work.set()

    def stop(self) -> None:
        """What it has begun is finished; the rest is for the next server."""
        self._is_stopping = True
        self._work.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=1)
            self._greenlet.kill()
        self._lease.release()

    def _run(self) -> None:
        pause = EVERY
        while not self._is_stopping:
            self._work.wait(pause)
            self._work.clear()
            try:
                if self._lease.take():
                    self._publish_all()
                    self._report(None)
            except Exception as problem:
                self._report(problem)
            pause = AFTER_A_PROBLEM if self._problem else EVERY

    def _report(self, problem: Exception | None) -> None:
        """Once, however long it lasts: a table that is not migrated yet says so every two seconds."""
        text = f"{type(problem).__name__}: {problem}" if problem else ""
        if problem and text != self._problem:
            is_known = isinstance(problem, (DatabaseError, RealtimeWallError))
            logger.warning("the outbox waits: %s", problem, exc_info=None if is_known else problem)
        elif self._problem and not problem:
            logger.warning("the outbox goes on")
        self._problem = text

    def _publish_all(self) -> None:
        while not self._is_stopping and (rows := run_in_threadpool(waiting)):
            published: list[int] = []
            try:
                for row, text in rows:
                    if not self._lease.is_held:
                        break
                    if (problem := self._publish(row, text)) is None:
                        published.append(row)
                    else:
                        logger.error("message %s of the outbox cannot be published: %s", row, problem)
                        run_in_threadpool(partial(set_problem, row, problem))
            finally:
                run_in_threadpool(partial(delete, published))

    def _publish(self, row: int, text: str) -> str | None:
        """What is wrong with a message that can never be published. RealtimeWallError: not now."""
        try:
            command = cast("Publish", from_json(json.loads(text)))
            key = command.idempotency_key or f"realtime_wall.outbox {row}"
            self._node.perform(replace(command, idempotency_key=key))
        except (InvalidChannel, InvalidMessage, ValueError) as problem:
            return str(problem)
        return None


# In a thread


def waiting() -> list[tuple[int, str]]:
    from realtime_wall.outbox.models import OutboxMessage

    return list(OutboxMessage.objects.filter(problem="").values_list("id", "command")[:PORTION])


def delete(rows: list[int]) -> None:
    from realtime_wall.outbox.models import OutboxMessage

    OutboxMessage.objects.filter(id__in=rows).delete()


def set_problem(row: int, problem: str) -> None:
    from realtime_wall.outbox.models import OutboxMessage

    OutboxMessage.objects.filter(id=row).update(problem=problem)


# The receivers of signals

_running: dict[Node, Relay] = {}


def start(node: Node, **_: Any) -> None:
    """Receiver of ``server_started``."""
    if node not in _running:
        _running[node] = relay = Relay(node, lease(isolation.shared_config(current()), LEASE))
        relay.start()


def stop(node: Node, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    relay = _running.pop(node, None)
    if relay is not None:
        relay.stop()


def wake() -> None:
    """Look now, if this process has the relay; another one looks soon enough by itself."""
    for relay in _running.values():
        relay.wake()
