"""How do the words of the visitors of all servers reach the one that has the stream of X, and its posts them?

On a channel between servers, which no client can name. The one with the stream asks now and then; each
server says what its visitors listen to, and again when that changes. What X sends for them is put there once,
and each server gives it to those of its visitors who listen. A server that nobody asks says nothing.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable
from itertools import zip_longest
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import proposal
from realtime_wall.channels.names import BETWEEN_SERVERS
from realtime_wall.channels.position import Position
from realtime_wall.errors import PublishFailed
from realtime_wall.node.fan_out import Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.wall import options
from realtime_wall.wall.live_search import search_subscriptions
from realtime_wall.wall.live_search.search_subscriptions import TERM_SIZE, WAITING, Listeners, Message
from realtime_wall.wall.live_search.term_matcher import fold
from realtime_wall.wire.connection import QUEUED, Written

logger = logging.getLogger(__name__)

CHANNEL = f"{BETWEEN_SERVERS}wall.visitors"
ASK_EVERY = 10.0
ASKED_FOR = 3 * ASK_EVERY  # so long a question is answered by what changes, too
SAY_EVERY = 0.25  # at most, when many come and go at once
LOOK_EVERY = 1.0  # for servers that have ended
RETRY_EVERY = 0.5
TOGETHER = 20  # posts in a message


class SearchCluster(ListensOnly):
    """Of one server; it has the stream between ``lead`` and ``retire``."""

    is_behind = False  # a subscriber that is told what is volatile

    def __init__(
        self, node: Node, listeners: Listeners, most: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self.on_terms: Callable[[], None] = lambda: None  # called when they may be others than before
        self._node = node
        self._listeners = listeners
        self._most = most  # terms that it makes sense to say
        self._clock = clock
        self._asked_until = 0.0
        self._has_changed = False
        self._say_at = 0.0
        self._leads = False
        self._ask_at = 0.0
        self._by_server: dict[str, list[str]] = {}
        self._posts: deque[Message] = deque(maxlen=WAITING)
        self._work = Event()
        self._is_failing = False
        self._speaker: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._listeners.on_terms = self._changed
        self._node.subscriptions.add(CHANNEL, self)
        self._speaker = gevent.spawn(self._speak)

    def stop(self) -> None:
        self._node.subscriptions.remove(CHANNEL, self)
        self._listeners.on_terms = lambda: None
        if self._speaker is not None:
            self._speaker.kill()

    # As the one with the stream

    def lead(self) -> None:
        self._leads, self._ask_at = True, 0.0
        self._work.set()

    def retire(self) -> None:
        self._leads = False
        self._by_server.clear()

    @property
    def terms(self) -> list[str]:
        """What is listened to anywhere: of each server the first, then of each the second, and so on."""
        return united(self._by_server.values())

    def offer(self, post: Message) -> None:
        """Give it to the visitors of all servers. Never waits: of too many the oldest are left out."""
        self._posts.append(post)
        self._work.set()

    # What is said

    def _changed(self) -> None:
        self._has_changed = True
        self._work.set()

    def _speak(self) -> None:
        while True:
            self._work.wait(self._patience())
            self._work.clear()
            try:
                self._say_all()
            except PublishFailed as problem:
                if not self._is_failing:
                    logger.warning("visitors of other servers cannot be reached: %s", problem)
                self._is_failing = True
                gevent.sleep(RETRY_EVERY)
                self._work.set()
            except Exception:
                logger.exception("visitors of other servers could not be reached")

    def _patience(self) -> float | None:
        now = self._clock()
        if self._has_changed and now < self._asked_until:
            return max(0.0, self._say_at - now)
        return LOOK_EVERY if self._leads else None

    def _say_all(self) -> None:
        now = self._clock()
        if self._leads:
            self._forget_who_is_gone()
            if now >= self._ask_at:
                self._say("who", None)
                self._ask_at = now + ASK_EVERY
        if self._has_changed and self._say_at <= now < self._asked_until:
            self._has_changed, self._say_at = False, now + SAY_EVERY
            try:
                self._say("terms", self._listeners.terms[: self._most])
            except PublishFailed:
                self._has_changed = True
                raise
        while self._posts:
            self._say("posts", [self._posts.popleft() for _ in range(min(TOGETHER, len(self._posts)))])

    def _say(self, event: str, data: Any) -> None:
        text = encode_json({"from": self._node.address, "data": data})
        command = Publish(channel=CHANNEL, data_json=text, event=event, counted=False, volatile=True)
        # Not limited as what others publish is: it is of our own making.
        self._node.broker.link.sequence(proposal(command, self._node.address))
        self._is_failing = False

    def _forget_who_is_gone(self) -> None:
        gone = self._by_server.keys() - set(self._node.broker.link.servers())
        for address in gone:
            del self._by_server[address]
        if gone:
            self.on_terms()

    # What is heard

    def deliver(self, encoded: Encoded) -> Written:
        """From the fan-out, which must not wait."""
        for message in encoded.messages:
            try:
                value = json.loads(message.data_json)
                self._hear(message.event, str(value["from"]), value["data"])
            except (KeyError, TypeError, ValueError) as problem:
                logger.warning("something between the servers makes no sense (%r)", problem)
        return QUEUED

    def deleted(self, channel: str, farewell: str, position: Position) -> None:
        """There is nothing to delete."""

    def _hear(self, event: str | None, server: str, data: Any) -> None:
        if event == "who":
            self._asked_until = self._clock() + ASKED_FOR
            self._changed()
        elif event == "terms" and self._leads:
            terms = _checked(data, self._most)
            if terms != self._by_server.get(server, []):
                self._by_server[server] = terms
                self.on_terms()
        elif event == "posts" and len(self._listeners):
            for post in data:
                self._listeners.offer(post)


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


# The receivers of signals, behind those of the listeners

_audiences: dict[Node, SearchCluster] = {}


def start(node: Node, **_: Any) -> None:
    """Receiver of ``server_started``."""
    listeners = search_subscriptions.here()
    most = options.current().visitors_on_x
    if listeners is not None and most:
        _audiences[node] = audience = SearchCluster(node, listeners, most)
        audience.start()


def stop(node: Node, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    audience = _audiences.pop(node, None)
    if audience is not None:
        audience.stop()


def here() -> SearchCluster | None:
    """Of this server; a process has one."""
    return next(iter(_audiences.values()), None)
