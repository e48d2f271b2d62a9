"""What the server itself publishes about its channels, from places that must not wait.

A channel begins, or a client has gone: this is noticed in a callback of the event loop or of the link between
the servers, which must not wait for the place that a message gets (``brokers/waiting.py``). So it is queued,
and a greenlet publishes it, in order, again and again while the link is down.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import Proposal, proposal
from realtime_wall.brokers.link import Link
from realtime_wall.errors import PublishFailed
from realtime_wall.wire.backoff import Backoff

log = logging.getLogger(__name__)

# What waits while the link is down; what is beyond it is dropped, and counted.
LIMIT = 10_000
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
# How long a server that ends waits for what it still has to publish.
AT_THE_END = 1.0


class EventQueue:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Proposal] = deque()
        self._work, self._idle = Event(), Event()
        self._idle.set()
        self._backoff = Backoff(FIRST_RETRY, LONGEST_RETRY, jitter=(0.5, 1.0))
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self.dropped = 0

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._idle.wait(AT_THE_END)
            self._greenlet.kill()

    def put(self, channel: str, data_json: str, event: str) -> None:
        """Never waits."""
        if len(self._waiting) >= LIMIT:
            self.dropped += 1
            if self.dropped == 1:
                log.error("%d events of channels wait already: the next ones are dropped", LIMIT)
            return
        command = Publish(channel=channel, data_json=data_json, event=event, counted=False)
        self._waiting.append(proposal(command, self._link.address))
        self._idle.clear()
        self._work.set()

    def wait_until_idle(self, seconds: float) -> bool:
        return self._idle.wait(seconds)

    # The greenlet

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            while self._waiting:
                if self._publish(self._waiting[0]):
                    self._waiting.popleft()
            self._idle.set()

    def _publish(self, proposed: Proposal) -> bool:
        """Whether it need not be tried again: it was published, or never can be."""
        try:
            self._link.sequence(proposed)
        except PublishFailed as problem:
            if not self._backoff.failures:
                log.warning("events of channels wait: %s", problem)
            gevent.sleep(self._backoff.failed())
            return False
        except Exception:
            log.exception("an event of a channel could not be published")
        self._backoff.succeeded()
        return True
