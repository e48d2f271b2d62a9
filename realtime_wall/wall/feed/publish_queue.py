"""What was stored is published: in order, many posts at once, later where it cannot be done now.

To give a post its place may take a round trip to another process, or Redis may be away. So posts wait here,
and whoever stores them does not. While nothing can be published they are kept, and published as soon as that
can be done, with everything newer behind them. This goes on when the feed that they came from has ended, as
long as its server lives. A post that was taken although nobody confirmed it is not published twice.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any, Protocol

import gevent
from gevent.event import Event

from realtime_wall import api, cluster
from realtime_wall.api import Backoff, OutgoingMessage
from realtime_wall.errors import PublishFailed

logger = logging.getLogger(__name__)

WAITING = 10_000  # posts, while none can be published; half an hour of a busy conference
AT_ONCE = 25  # on their way together; to enter them takes the event loop a few milliseconds
SLICE = 0.001  # how long whoever publishes may keep the event loop
FIRST_RETRY, LONGEST_RETRY = 0.1, 0.5
STOP_TIMEOUT = 1.0


class Publisher(Protocol):
    def publish(self, channel: str, data: Any, event: str, event_id: str | None) -> None: ...
    def retract(self, channel: str, event_id: str) -> None: ...


def publisher() -> Publisher:
    """In a server its queue; any other process publishes by itself, and learns what went wrong."""
    return _queues.get(cluster.this_server(), DIRECT)


class DirectPublisher:
    def publish(self, channel: str, data: Any, event: str, event_id: str | None) -> None:
        api.publish(channel, data, event, event_id)

    def retract(self, channel: str, event_id: str) -> None:
        api.retract(channel, event_id)


DIRECT = DirectPublisher()


@dataclass(frozen=True, slots=True)
class LogRetraction:
    """It has its place among the messages: behind what it takes out of the log."""

    channel: str
    event_id: str


class PublishQueue:
    """Of one server."""

    def __init__(
        self,
        publish_many: Callable[[Sequence[OutgoingMessage]], object],
        retract: Callable[[str, str], object] = api.retract,
    ) -> None:
        self._publish_many = publish_many
        self._retract = retract
        self._waiting: deque[OutgoingMessage | LogRetraction] = deque()
        self._room = Event()
        self._outage: Outage | None = None
        self._backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        self._time_slice = api.time_slice(SLICE)
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def publish(self, channel: str, data: Any, event: str, event_id: str | None) -> None:
        """Soon; whoever has much to publish waits here, except where that may take long."""
        self._put(OutgoingMessage(channel, data, event, event_id))

    def retract(self, channel: str, event_id: str) -> None:
        """The same."""
        self._put(LogRetraction(channel, event_id))

    def _put(self, message: OutgoingMessage | LogRetraction) -> None:
        if self._outage is not None and len(self._waiting) >= WAITING:
            self._outage.leave_out()
            return
        self._waiting.append(message)
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._publish_all)
        while self._outage is None and len(self._waiting) > 2 * AT_ONCE:
            self._room.clear()
            self._room.wait()
        self._time_slice.yield_if_due()

    @property
    def is_behind(self) -> bool:
        return self._outage is not None and bool(self._waiting)

    def stop(self) -> None:
        """Publish what can be published at once."""
        self._stopping.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=STOP_TIMEOUT)
            self._greenlet.kill()
        if self._waiting:
            logger.error("%d posts are stored, and were not published", len(self._waiting))

    def _publish_all(self) -> None:
        while self._waiting:
            problem = self._publish_next()
            self._room.set()
            if problem is None:
                continue
            if self._outage is None:
                self._outage = Outage(problem)
            if self._stopping.wait(self._backoff.failed()):
                return
        self._greenlet = None
        self._backoff.succeeded()
        outage, self._outage = self._outage, None
        if outage is not None:
            outage.over()

    def _publish_next(self) -> PublishFailed | None:
        """Why it could not be done."""
        first = self._waiting[0]
        if isinstance(first, LogRetraction):
            return self._take_out(first)
        # Who tries whether it can be done again need not try it with many.
        some = islice(self._waiting, 1 if self._outage else AT_ONCE)
        return self._publish_portion(_messages_before_a_retraction(some))

    def _take_out(self, retraction: LogRetraction) -> PublishFailed | None:
        try:
            self._retract(retraction.channel, retraction.event_id)
        except PublishFailed as failed:
            return failed
        except Exception:
            logger.exception("a post that was taken back is still in the log")
        self._waiting.popleft()
        return None

    def _publish_portion(self, portion: Sequence[OutgoingMessage]) -> PublishFailed | None:
        """In order; why the first that is left, and what follows it, was not published."""
        problem, is_refused = None, False
        try:
            self._publish_many(portion)
        except PublishFailed as failed:
            problem = failed
        except Exception:
            # It is in the database, where a page that reloads finds it; the next one can do better.
            logger.exception("a post was stored but not published")
            is_refused = True
        for message in portion:
            if message.position is None:
                break
            self._waiting.popleft()
            if self._outage is not None:
                self._outage.published += 1
        if is_refused:
            self._waiting.popleft()
        return problem


def _messages_before_a_retraction(
    waiting: Iterable[OutgoingMessage | LogRetraction],
) -> list[OutgoingMessage]:
    found = []
    for one in waiting:
        if isinstance(one, LogRetraction):
            break
        found.append(one)
    return found


class Outage:
    """For how long nothing could be published, and what that has meant."""

    def __init__(self, problem: PublishFailed) -> None:
        self.published = 0
        self._left_out = 0
        self._began = monotonic()
        logger.warning("posts cannot be published, and are kept until they can: %s", problem)

    def leave_out(self) -> None:
        if not self._left_out:
            logger.error("%d posts wait to be published; newer ones come with a reload only", WAITING)
        self._left_out += 1

    def over(self) -> None:
        seconds, counts = monotonic() - self._began, (self.published, self._left_out)
        logger.warning("publishing goes on after %.1f s: %d posts followed, %d did not", seconds, *counts)


def is_behind() -> bool:
    """Whether this server has posts that it could not publish yet: other messages would overtake them."""
    return any(isinstance(queue, PublishQueue) and queue.is_behind for queue in _queues.values())


_queues: dict[str | None, Publisher] = {}  # by server; a process has one


def start(server: str) -> None:
    _queues[server] = PublishQueue(api.publish_many)


def stop(server: str) -> None:
    queue = _queues.pop(server, None)
    if isinstance(queue, PublishQueue):
        queue.stop()
