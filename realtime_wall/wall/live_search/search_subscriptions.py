"""What visitors search for: each socket may listen to a term, and is sent the posts that have it.

However many visitors there are, nothing more is asked of any network: their terms are looked for in
what is published on the main wall. Where the organiser allows it (``VISITORS_ON_X``), so many terms are
rules on the one stream of X as well; what those bring is for the visitors, and not on the wall.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event as Flag

from realtime_wall.answers import failure, success
from realtime_wall.channels.position import Position
from realtime_wall.events import Event
from realtime_wall.node.fan_out import Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.socket import Socket
from realtime_wall.wall.live_search.term_matcher import Matcher, fold
from realtime_wall.wall.models import MAIN, channel_of
from realtime_wall.wire.connection import DROPPED, QUEUED, Written
from realtime_wall.wire.time_slice import SLICE, TimeSlice

logger = logging.getLogger(__name__)

TERM_SIZE = 100
MOST_TERMS = 1_000  # different ones, at once
WAITING = 1_000  # posts that are not looked through yet; beyond, the oldest are left out
REMEMBERED = 2_000  # posts, so that what comes by the wall and for the visitors is sent once
# A page shows a post for ten seconds: more than this it would throw away.
AT_ONCE, A_SECOND = 10.0, 1.0
TOLD = ("tweet", "tweet_changed", "tweet_removed")

Message = dict[str, Any]


@dataclass(slots=True)
class _Visitor:
    term: str  # folded
    may: float = AT_ONCE  # be sent so many posts
    since: float = 0.0


class Listeners(ListensOnly):
    """Of one server process. A subscriber of the wall's channel, like any client."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.on_terms: Callable[[], None] = lambda: None  # called when they are others than before
        self._clock = clock
        self._visitors: dict[Socket, _Visitor] = {}
        self._by_term: dict[str, dict[Socket, None]] = {}
        self._words: dict[str, str] = {}  # as the first visitor wrote it
        self._matcher: Matcher[str] = Matcher()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: deque[tuple[str, Message, str]] = deque(maxlen=WAITING)
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
        """What is listened to, the longest listened to first."""
        return list(self._words.values())

    def __len__(self) -> int:
        return len(self._visitors)

    # What visitors ask for

    def listen(self, socket: Socket, wanted: object) -> dict[str, Any]:
        term = " ".join(wanted.split()) if isinstance(wanted, str) else ""
        if not term or len(term) > TERM_SIZE or not term.isprintable():
            return failure(f"a term is a word, a hashtag or a phrase of at most {TERM_SIZE} characters")
        folded = fold(term)
        if folded not in self._by_term and len(self._by_term) >= MOST_TERMS:
            return failure("too many different terms are listened to; try again later")
        if session_of(socket).is_disconnected:
            return failure("the connection is gone")
        earlier = self._visitors.get(socket)
        if earlier is None or earlier.term != folded:
            self._forget(socket)
            self._remember(socket, folded, term)
        return success(term=term)

    def leave(self, socket: Socket) -> dict[str, Any]:
        self._forget(socket)
        return success()

    def _remember(self, socket: Socket, folded: str, term: str) -> None:
        self._visitors[socket] = _Visitor(folded, since=self._clock())
        if folded not in self._by_term:
            self._by_term[folded] = {}
            self._words[folded] = term
            self._matcher.add(folded, term)
            self.on_terms()
        self._by_term[folded][socket] = None

    def _forget(self, socket: Socket) -> None:
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

    def deliver(self, encoded: Encoded) -> Written:
        """From the fan-out, which must not wait."""
        for message in encoded.messages:
            if message.event in TOLD and self._visitors:
                self._offer(message.event, json.loads(message.data_json), message.data_json)
        return QUEUED if self._visitors else DROPPED

    def deleted(self, channel: str, farewell: str, position: Position) -> None:
        """A wall's channel is there again with the next post."""

    def offer(self, post: Message, data_json: str | None = None) -> None:
        self._offer("tweet", post, data_json or json.dumps(post))

    def _offer(self, event: str, post: Message, data_json: str) -> None:
        self._waiting.append((event, post, data_json))
        self.idle.clear()
        self._arrived.set()

    def _send_all(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived.clear()
            time_slice = TimeSlice(SLICE)
            while self._waiting:
                event, post, data_json = self._waiting.popleft()
                for socket in self._meant(event, post):
                    self._send(socket, event, data_json)
                    time_slice.yield_if_due()
            self.idle.set()

    def _meant(self, event: str, post: Message) -> list[Socket]:
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

    def _send(self, socket: Socket, event: str, data_json: str) -> None:
        visitor, session = self._visitors.get(socket), session_of(socket)
        if (
            visitor is None
            or session.is_disconnected
            or (event == "tweet" and not self._may_be_sent_one(visitor))
        ):
            return
        try:
            session.send_volatile(event, Arguments(data_json))
        except Exception:  # one visitor's trouble is not the next one's
            logger.exception("a post could not be sent to %r", socket)

    def _may_be_sent_one(self, visitor: _Visitor) -> bool:
        now = self._clock()
        visitor.may = min(AT_ONCE, visitor.may + (now - visitor.since) * A_SECOND)
        visitor.since = now
        if visitor.may < 1:
            return False
        visitor.may -= 1
        return True


# The receivers of signals

_listeners: dict[Node, Listeners] = {}


def start(node: Node, **_: Any) -> None:
    """Receiver of ``server_started``."""
    _listeners[node] = listeners = Listeners()
    listeners.start()
    node.subscribe(listeners, channel_of(MAIN), None)


def stop(node: Node, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    listeners = _listeners.pop(node, None)
    if listeners is not None:
        node.unsubscribe(listeners, channel_of(MAIN))
        listeners.stop()


def listen(socket: Socket, event: Event, **_: Any) -> dict[str, Any] | None:
    listeners = here()
    return listeners.listen(socket, event.data) if listeners is not None else None


def leave(socket: Socket, event: Event | None = None, **_: Any) -> dict[str, Any] | None:
    """Of the event ``stop``, and of the end of the connection."""
    listeners = here()
    return listeners.leave(socket) if listeners is not None else None


def here() -> Listeners | None:
    """Of this server; a process has one."""
    return next(iter(_listeners.values()), None)
