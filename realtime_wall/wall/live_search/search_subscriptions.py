"""What visitors search for: each socket may subscribe to a term, and is sent the posts that have it.

However many visitors there are, nothing more is asked of any network: their terms are looked for in
what is published on the main wall. Where the organiser allows it (``VISITORS_ON_X``), so many terms are
rules on the one stream of X as well; what those bring is for the visitors, and not on the wall.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event as Flag

from realtime_wall import cluster
from realtime_wall.answers import failure, success
from realtime_wall.api import emit_to
from realtime_wall.events import Event, Published
from realtime_wall.wall.live_search.term_matcher import Matcher, fold
from realtime_wall.wall.models import MAIN, channel_of

logger = logging.getLogger(__name__)

TERM_SIZE = 100
MOST_TERMS = 1_000  # different ones, at once
WAITING = 1_000  # posts that are not looked through yet; beyond, the oldest are left out
REMEMBERED = 2_000  # posts, so that what comes by the wall and for the visitors is sent once
# A page shows a post for ten seconds: more than this it would throw away.
AT_ONCE, A_SECOND = 10.0, 1.0
FORWARDED = ("tweet", "tweet_changed", "tweet_removed")

Message = dict[str, Any]


@dataclass(slots=True)
class _Visitor:
    term: str  # folded
    allowance: float = AT_ONCE  # of posts
    since: float = 0.0


class SearchSubscriptions:
    """Of one server process, which sees what is published on the wall's channel, wherever that is."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.on_terms: Callable[[], None] = lambda: None  # called when they are others than before
        self._clock = clock
        self._visitors: dict[Any, _Visitor] = {}
        self._by_term: dict[str, dict[Any, None]] = {}
        self._words: dict[str, str] = {}  # as the first visitor wrote it
        self._matcher: Matcher[str] = Matcher()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: deque[tuple[str, Message]] = deque(maxlen=WAITING)
        self._arrived = Flag()
        self.idle = Flag()  # set while nothing waits to be sent
        self.idle.set()
        self._sender: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._sender = gevent.spawn(self._send_all)

    def stop(self) -> None:
        if self._sender is not None:
            self._sender.kill()

    @property
    def terms(self) -> list[str]:
        """What is searched for, the longest searched for first."""
        return list(self._words.values())

    def __len__(self) -> int:
        return len(self._visitors)

    # What visitors ask for

    def subscribe(self, socket: Any, wanted: object) -> dict[str, Any]:
        term = " ".join(wanted.split()) if isinstance(wanted, str) else ""
        if not term or len(term) > TERM_SIZE or not term.isprintable():
            return failure(f"a term is a word, a hashtag or a phrase of at most {TERM_SIZE} characters")
        folded = fold(term)
        if folded not in self._by_term and len(self._by_term) >= MOST_TERMS:
            return failure("there are too many different terms; try again later")
        earlier = self._visitors.get(socket)
        if earlier is None or earlier.term != folded:
            self._forget(socket)
            self._remember(socket, folded, term)
        return success(term=term)

    def unsubscribe(self, socket: Any) -> dict[str, Any]:
        self._forget(socket)
        return success()

    def _remember(self, socket: Any, folded: str, term: str) -> None:
        self._visitors[socket] = _Visitor(folded, since=self._clock())
        if folded not in self._by_term:
            self._by_term[folded] = {}
            self._words[folded] = term
            self._matcher.add(folded, term)
            self.on_terms()
        self._by_term[folded][socket] = None

    def _forget(self, socket: Any) -> None:
        visitor = self._visitors.pop(socket, None)
        if visitor is None:
            return
        sockets = self._by_term[visitor.term]
        del sockets[socket]
        if not sockets:
            del self._by_term[visitor.term], self._words[visitor.term]
            self._matcher.remove(visitor.term)
            self.on_terms()

    # What they are sent

    def published(self, message: Published) -> None:
        """On the wall's channel; called between the log and the deliveries, it must not wait."""
        if message.event in FORWARDED and self._visitors:
            self._offer(message.event, message.data)

    def offer(self, post: Message) -> None:
        self._offer("tweet", post)

    def _offer(self, event: str, post: Message) -> None:
        self._waiting.append((event, post))
        self.idle.clear()
        self._arrived.set()

    def _send_all(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                event, post = self._waiting.popleft()
                subscribers = self._subscribers_of(event, post)
                if event == "tweet":
                    subscribers = [one for one in subscribers if self._takes_allowance(one)]
                emit_to(subscribers, event, post, volatile=True)
            self.idle.set()

    def _subscribers_of(self, event: str, post: Message) -> list[Any]:
        if event == "tweet_removed":
            return list(self._visitors)  # who was sent it is not remembered; the others do not mind
        try:
            key = f"{post['source']}:{post['id']}"
            if event == "tweet" and key in self._seen:
                return []
            self._seen[key] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            text, entities = post["text"], post["entities"]
            hashtags = [text[one["start"] : one["end"]] for one in entities if one["kind"] == "hashtag"]
            terms = self._matcher.matches(text, hashtags)
        except (KeyError, TypeError) as problem:
            logger.warning("something on the wall's channel is no post (%r)", problem)
            return []
        return [socket for term in terms for socket in self._by_term.get(term, ())]

    def _takes_allowance(self, socket: Any) -> bool:
        visitor, now = self._visitors[socket], self._clock()
        visitor.allowance = min(AT_ONCE, visitor.allowance + (now - visitor.since) * A_SECOND)
        visitor.since = now
        if visitor.allowance < 1:
            return False
        visitor.allowance -= 1
        return True


# The receivers of signals

_running: dict[Any, tuple[SearchSubscriptions, Callable[[], None]]] = {}


def start(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``."""
    searches = SearchSubscriptions()
    searches.start()
    _running[node] = searches, cluster.watch(channel_of(MAIN), searches.published)


def stop(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    if node in _running:
        searches, stop_watching = _running.pop(node)
        stop_watching()
        searches.stop()


def listen(socket: Any, event: Event, **_: Any) -> dict[str, Any] | None:
    """Of a client's event ``listen``."""
    searches = current()
    return searches.subscribe(socket, event.data) if searches is not None else None


def leave(socket: Any, event: Event | None = None, **_: Any) -> dict[str, Any] | None:
    """Of a client's event ``stop``, and of the end of its connection."""
    searches = current()
    return searches.unsubscribe(socket) if searches is not None else None


def current() -> SearchSubscriptions | None:
    """Of this server; a process has one."""
    return next((searches for searches, _ in _running.values()), None)
