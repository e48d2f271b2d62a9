"""How do the terms of the visitors of all servers reach the one that has the stream of X, and its posts them?

On a topic between the servers. The leader, which has the stream, asks now and then, and when a server says
that it has joined; each server sends the terms of its visitors, and again when they change. What X sends for
them is sent there once, and each server forwards it to those of its visitors who search for it. A server that
nobody asks sends nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from itertools import zip_longest
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall import cluster
from realtime_wall.api import Backoff
from realtime_wall.errors import PublishFailed
from realtime_wall.wall import options
from realtime_wall.wall.live_search import search_subscriptions
from realtime_wall.wall.live_search.search_subscriptions import (
    TERM_SIZE,
    WAITING,
    Message,
    SearchSubscriptions,
)
from realtime_wall.wall.live_search.term_matcher import fold

logger = logging.getLogger(__name__)

TOPIC = "wall.visitors"
ASK_EVERY = 10.0
ASKED_FOR = 3 * ASK_EVERY  # so long a question is answered by what changes, too
SEND_EVERY = 0.25  # at most, when many come and go at once
LOOK_EVERY = 1.0  # for servers that have ended
FIRST_RETRY, LONGEST_RETRY = 0.1, 0.5
TOGETHER = 20  # posts in a message


class SearchCluster:
    """Of one server; it has the stream between ``lead`` and ``retire``."""

    def __init__(
        self, searches: SearchSubscriptions, most: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self.on_terms: Callable[[], None] = lambda: None  # called when they may be others than before
        self._searches = searches
        self._most = most  # terms that it makes sense to send
        self._clock = clock
        self._has_to_join = True
        self._asked_until = 0.0
        self._has_changed = False
        self._send_at = 0.0
        self._is_leader = False
        self._ask_at = 0.0
        self._by_server: dict[str, list[str]] = {}
        self._posts: deque[Message] = deque(maxlen=WAITING)
        self._work = Event()
        self._backoff = Backoff(FIRST_RETRY, LONGEST_RETRY)
        self._topic: cluster.ServerTopic | None = None
        self._sender: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._searches.on_terms = self._changed
        self._topic = cluster.topic(TOPIC, self._receive)
        self._work.set()
        self._sender = gevent.spawn(self._send_all, self._topic)

    def stop(self) -> None:
        if self._topic is not None:
            self._topic.close()
        self._searches.on_terms = lambda: None
        if self._sender is not None:
            self._sender.kill()

    # As the leader

    def lead(self) -> None:
        self._is_leader, self._ask_at = True, 0.0
        self._work.set()

    def retire(self) -> None:
        self._is_leader = False
        self._by_server.clear()

    @property
    def terms(self) -> list[str]:
        """What is searched for anywhere: of each server the first, then of each the second, and so on."""
        return united(self._by_server.values())

    def offer(self, post: Message) -> None:
        """Give it to the visitors of all servers. Never waits: of too many the oldest are left out."""
        self._posts.append(post)
        self._work.set()

    # What is sent

    def _changed(self) -> None:
        self._has_changed = True
        self._work.set()

    def _send_all(self, topic: cluster.ServerTopic) -> None:
        while True:
            self._work.wait(self._patience())
            self._work.clear()
            try:
                self._send_due(topic)
            except PublishFailed as problem:
                if not self._backoff.failures:
                    logger.warning("visitors of other servers cannot be reached: %s", problem)
                gevent.sleep(self._backoff.failed())
                self._work.set()
            except Exception:
                logger.exception("visitors of other servers could not be reached")

    def _patience(self) -> float | None:
        now = self._clock()
        if self._has_changed and now < self._asked_until:
            return max(0.0, self._send_at - now)
        return LOOK_EVERY if self._is_leader else None

    def _send_due(self, topic: cluster.ServerTopic) -> None:
        now = self._clock()
        if self._has_to_join:
            self._send(topic, "joined", None)
            self._has_to_join = False
        if self._is_leader:
            self._forget_who_is_gone(topic)
            if now >= self._ask_at:
                self._send(topic, "who", None)
                self._ask_at = now + ASK_EVERY
        if self._has_changed and self._send_at <= now < self._asked_until:
            self._has_changed, self._send_at = False, now + SEND_EVERY
            try:
                self._send(topic, "terms", self._searches.terms[: self._most])
            except PublishFailed:
                self._has_changed = True
                raise
        while self._posts:
            self._send(
                topic, "posts", [self._posts.popleft() for _ in range(min(TOGETHER, len(self._posts)))]
            )

    def _send(self, topic: cluster.ServerTopic, event: str, data: Any) -> None:
        topic.send(event, data)
        self._backoff.succeeded()

    def _forget_who_is_gone(self, topic: cluster.ServerTopic) -> None:
        gone = self._by_server.keys() - set(topic.servers())
        for address in gone:
            del self._by_server[address]
        if gone:
            self.on_terms()

    def _receive(self, event: str | None, data: Any, server: str) -> None:
        if event == "who":
            self._asked_until = self._clock() + ASKED_FOR
            self._changed()
        elif event == "joined" and self._is_leader:
            self._ask_at = 0.0  # it has missed the last question, and the next one may be far
            self._work.set()
        elif event == "terms" and self._is_leader:
            terms = _checked(data, self._most)
            if terms != self._by_server.get(server, []):
                self._by_server[server] = terms
                self.on_terms()
        elif event == "posts" and len(self._searches):
            for post in data:
                self._searches.offer(post)


def _checked(data: Any, most: int) -> list[str]:
    if not isinstance(data, list) or not all(isinstance(one, str) and len(one) <= TERM_SIZE for one in data):
        raise ValueError("these are no terms")
    return data[:most]


def united(lists: Iterable[list[str]]) -> list[str]:
    """Of each the first, then of each the second, and so on; what is the same but for its spelling once."""
    found: dict[str, str] = {}
    for row in zip_longest(*lists):
        for term in row:
            if term is not None:
                found.setdefault(fold(term), term)
    return list(found.values())


# The receivers of signals, behind those of the subscriptions

_running: dict[Any, SearchCluster] = {}


def start(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``."""
    searches = search_subscriptions.current()
    most = options.current().visitors_on_x
    if searches is not None and most:
        _running[node] = search_cluster = SearchCluster(searches, most)
        search_cluster.start()


def stop(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    search_cluster = _running.pop(node, None)
    if search_cluster is not None:
        search_cluster.stop()


def current() -> SearchCluster | None:
    """Of this server; a process has one."""
    return next(iter(_running.values()), None)
