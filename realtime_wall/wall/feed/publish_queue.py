"""What was stored is told to the servers: in order, many posts at once, later where it cannot be done now.

To give a post its place may take a round trip to another process, or Redis may be away. So posts wait here,
and whoever stores them does not. While nobody can be told they are kept, and told as soon as that can be
done, with everything newer behind them. This goes on when the feed that they came from has ended, as long as
its server lives. A post that was taken although nobody confirmed it is not entered twice: it is said again
with the same key.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall import publish as publish_by_itself
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import Proposal, proposal
from realtime_wall.errors import PublishFailed
from realtime_wall.node import node as nodes
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_output import encode_json

logger = logging.getLogger(__name__)

WAITING = 10_000  # posts, while nobody can be told; half an hour of a busy conference
AT_ONCE = 25  # on their way together; to enter them takes the event loop a few milliseconds
RETRY_EVERY = 0.5
STOP_TIMEOUT = 1.0


class PublishQueue:
    """Of one server."""

    def __init__(
        self, address: str, enter: Callable[[Sequence[Proposal]], Sequence[Exception | None]]
    ) -> None:
        self._address = address
        self._enter = enter
        self._waiting: deque[Proposal] = deque()
        self._room = Event()
        self._trouble: Trouble | None = None  # while nobody can be told
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def publish(self, channel: str, data: Any, event: str, event_id: str) -> None:
        """It is told soon; whoever has much to tell waits here, except where that may take long."""
        command = Publish(
            channel=channel, data_json=encode_json(data), event=event, event_id=event_id, counted=False
        )
        if self._trouble is not None and len(self._waiting) >= WAITING:
            self._trouble.leave_out()
            return
        self._waiting.append(proposal(command, self._address))
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._tell_all)
        while self._trouble is None and len(self._waiting) > 2 * AT_ONCE:
            self._room.clear()
            self._room.wait()

    def stop(self) -> None:
        """Tell what can be told at once."""
        self._stopping.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=STOP_TIMEOUT)
            self._greenlet.kill()
        if self._waiting:
            logger.error("%d posts are stored, and were not published", len(self._waiting))

    def _tell_all(self) -> None:
        while self._waiting:
            # Who tries whether it can be done again need not try it with many.
            portion = list(islice(self._waiting, 1 if self._trouble else AT_ONCE))
            problem = self._tell(portion)
            if problem is None:
                continue
            if self._trouble is None:
                self._trouble = Trouble(problem)
            self._room.set()
            if self._stopping.wait(RETRY_EVERY):
                return
        self._greenlet = None
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            trouble.over()

    def _tell(self, portion: Sequence[Proposal]) -> PublishFailed | None:
        """In order; why the first that is left, and what follows it, was not told."""
        for outcome in self._enter(portion):
            if isinstance(outcome, PublishFailed):
                return outcome
            if outcome is not None:
                logger.error("a post was stored but not published", exc_info=outcome)
            elif self._trouble is not None:
                self._trouble.told += 1
            self._waiting.popleft()
        self._room.set()
        return None


class Trouble:
    """For how long nobody could be told, and what that has meant."""

    def __init__(self, problem: PublishFailed) -> None:
        self.told = 0
        self._left_out = 0
        self._began = monotonic()
        logger.warning("posts cannot be published, and are kept until they can: %s", problem)

    def leave_out(self) -> None:
        if not self._left_out:
            logger.error("%d posts wait to be published; newer ones come with a reload only", WAITING)
        self._left_out += 1

    def over(self) -> None:
        seconds, counts = monotonic() - self._began, (self.told, self._left_out)
        logger.warning("publishing goes on after %.1f s: %d posts followed, %d did not", seconds, *counts)


_running: dict[Any, PublishQueue] = {}


def start(node: Node) -> None:
    _running[node] = PublishQueue(node.address, node.publisher.enter)


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
