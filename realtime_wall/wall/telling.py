"""What if a post is stored, and the servers cannot be told of it now, as Redis is away?

It is kept, and told as soon as that can be done, in order, with everything newer behind it. This goes on when
the feed that it came from has ended, as long as its server lives. A post that was taken although nobody
confirmed it is not entered twice: it is said again with the same key.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall import node as nodes
from realtime_wall import publish as publish_by_itself
from realtime_wall.brokers.command import Publish
from realtime_wall.brokers.entry import Draft, draft
from realtime_wall.errors import PublishFailed
from realtime_wall.json_text import encode_json
from realtime_wall.node import Node

logger = logging.getLogger(__name__)

WAITING = 10_000  # posts; half an hour of a busy conference
RETRY_EVERY = 0.5
STOP_TIMEOUT = 1.0


class Telling:
    """Of one server."""

    def __init__(self, address: str, enter: Callable[[Draft], object]) -> None:
        self._address = address
        self._enter = enter
        self._waiting: deque[Draft] = deque()
        self._left_out = 0
        self._began = 0.0
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def publish(self, channel: str, data: Any, event: str, event_id: str) -> None:
        command = Publish(
            channel=channel, data_json=encode_json(data), event=event, event_id=event_id, counted=False
        )
        one = draft(command, self._address)
        if self._waiting:
            self._keep(one)
            return
        try:
            self._enter(one)
        except PublishFailed as problem:
            logger.warning("posts cannot be published, and are kept until they can: %s", problem)
            self._keep(one)
        except gevent.GreenletExit:
            self._keep(one)  # the feed has ended while it waited
            raise

    def stop(self) -> None:
        """Tell what can be told at once."""
        self._stopping.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=STOP_TIMEOUT)
            self._greenlet.kill()
        if self._waiting:
            logger.error("%d posts are stored, and were not published", len(self._waiting))

    def _keep(self, one: Draft) -> None:
        if len(self._waiting) >= WAITING:
            if not self._left_out:
                logger.error("%d posts wait to be published; newer ones come with a reload only", WAITING)
            self._left_out += 1
            return
        self._waiting.append(one)
        if self._greenlet is None:
            self._began = monotonic()
            self._greenlet = gevent.spawn(self._tell_all)

    def _tell_all(self) -> None:
        told = 0
        while self._waiting:
            try:
                self._enter(self._waiting[0])
            except PublishFailed:
                if self._stopping.wait(RETRY_EVERY):
                    return
                continue
            except Exception:
                logger.exception("a post was stored but not published")
            told += 1
            self._waiting.popleft()
        self._greenlet = None
        left_out, self._left_out = self._left_out, 0
        seconds = monotonic() - self._began
        counts = told, left_out
        logger.warning("publishing goes on after %.1f s: %d posts followed, %d did not", seconds, *counts)


_running: dict[Any, Telling] = {}


def start(node: Node) -> None:
    _running[node] = Telling(node.address, node.publishing.enter)


def stop(node: Node) -> None:
    telling = _running.pop(node, None)
    if telling is not None:
        telling.stop()


def publish(channel: str, data: Any, event: str, event_id: str) -> None:
    """In a server it is told sooner or later; another process is told what went wrong."""
    telling = _running.get(nodes.current())
    if telling is not None:
        telling.publish(channel, data, event, event_id)
    else:
        publish_by_itself(channel, data, event=event, event_id=event_id)
