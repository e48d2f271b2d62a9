"""One stream of X for all who want posts from it: X lets an app have one.

Each wall has a share. The rules of all shares are set together, each with the tag
``realtime_wall:WALL``, or ``realtime_wall:WALL+OTHER`` where two walls want the same (X takes a rule
once), and a post goes to those whose names are in the tags it comes with. After a hole in the stream
each share searches for what it missed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import gevent
import tweepy
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import Item, Post
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import Emit, SourceGaveUp, SourceRequest
from realtime_wall.wall.sources.x.recent_search import QUERY_SIZE, Search
from realtime_wall.wall.sources.x.stream import TAG, XStreamSource
from realtime_wall.wall.sources.x.stream_rules import rules_for

logger = logging.getLogger(__name__)

# X's search knows a post some seconds after the stream has sent it; where it fails it is tried again.
SEARCH_AFTER = (15.0, 30.0, 60.0, 120.0, 300.0)
# A share without a wall: what visitors search for. No slug has a dot.
VISITORS = ".visitors"


class SharedStream:
    """The stream runs while somebody with a share in it asks for something."""

    def __init__(self, make: Callable[[Callable[[], None]], XStreamSource]) -> None:
        self.dials = 0
        self._make = make
        self._shares: dict[str, XShare] = {}
        self._source: XStreamSource | None = None

    def join(self, share: XShare) -> None:
        self._shares[share.wall] = share
        self.adjust()

    def leave(self, share: XShare) -> None:
        if self._shares.get(share.wall) is share:
            del self._shares[share.wall]
            self.adjust()

    def adjust(self) -> None:
        """The stream to what the shares ask for."""
        rules = self._rules()
        if not rules:
            if self._source is not None:
                self._source.stop()
                self._source = None
        elif self._source is not None:
            self._source.ask_for(rules)
        else:
            self._source = self._make(self._connected)
            self._source.ask_for(rules)
            gevent.spawn(self._run, self._source)

    def _rules(self) -> dict[str, list[str]]:
        """Each value once, with a tag that names who wants it."""
        wanted: dict[str, list[str]] = {}
        for name in sorted(self._shares):
            for value in self._shares[name].rules:
                wanted.setdefault(value, []).append(name)
        rules: dict[str, list[str]] = {}
        for value, names in wanted.items():
            rules.setdefault(f"{TAG}:{'+'.join(names)}", []).append(value)
        return rules

    def _run(self, source: XStreamSource) -> None:
        problem: Exception | None = None
        try:
            source.run(self._route)
        except Exception as error:  # told to the shares, whose supervisors log it
            problem = error
        if source is self._source:
            self._source = None
            for share in list(self._shares.values()):
                share.ended(problem)

    def _route(self, item: Item) -> None:
        tags = item.tags if isinstance(item, Post) else ()
        names = {name for tag in tags if tag.startswith(f"{TAG}:") for name in tag[len(TAG) + 1 :].split("+")}
        # What carries no tag of ours was asked for by somebody else's rule, which may be the same as ours.
        wanted = names & self._shares.keys() or self._shares.keys() - {VISITORS}
        for name in sorted(wanted):
            if share := self._shares.get(name):
                share.take(item)

    def _connected(self) -> None:
        self.dials += 1
        for share in self._shares.values():
            share.connected()


class XShare:
    name = "x"

    def __init__(
        self,
        stream: SharedStream,
        wall: str,
        rules: Sequence[str],
        search: Search | None = None,
        *,
        cursor: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.wall = wall
        self.rules = list(rules)
        self._stream = stream
        self._search = search
        self._newest = cursor
        self._known_from = ""  # the first post after the hole that is being filled
        self._holes = 0
        self._clock = clock or SystemClock()
        self._emit: Emit = lambda item: None
        self._problem: Exception | None = None
        self._ended = Event()
        self._stopping = Event()
        self._filling: gevent.Greenlet[..., None] | None = None

    def run(self, emit: Emit) -> None:
        if self._stopping.is_set():
            return
        self._emit, self._problem = emit, None
        self._ended.clear()
        self._stream.join(self)
        try:
            self._ended.wait()
        finally:
            self._stream.leave(self)
            if self._filling is not None:
                self._filling.kill(block=False)
        if self._problem is not None and not self._stopping.is_set():
            raise self._problem

    def stop(self) -> None:
        self._stopping.set()
        self._ended.set()

    def ended(self, problem: Exception | None) -> None:
        self._problem = problem
        self._ended.set()

    def ask_for(self, rules: Sequence[str]) -> None:
        self.rules = list(rules)
        self._stream.adjust()

    def take(self, item: Item) -> None:
        if isinstance(item, Post):
            self._newest = max(self._newest, item.cursor, key=_number)
            self._known_from = self._known_from or item.cursor
            # Until a hole is filled, whoever takes over has to begin before it.
            item = replace(item, cursor="" if self._filling else self._newest)
        self._emit(item)

    def connected(self) -> None:
        """Again, or for the first time since the server before this one ended."""
        self._known_from = ""
        self._holes += 1
        if self._search is not None and self._newest and self._filling is None:
            self._filling = gevent.spawn(self._fill, self._search, self._newest)

    def _fill(self, search: Search, since: str) -> None:
        search.go_on_after(since)
        try:
            failures = 0
            while failures < len(SEARCH_AFTER):
                holes = self._holes
                if self._clock.wait(self._ended, SEARCH_AFTER[failures]):
                    return
                if not self._found(search):
                    failures += 1
                elif holes == self._holes:
                    return
                search.go_on_after(since)  # also when there is another hole by now
            logger.error("what %s missed of X since post %s is not on the wall", self.wall, since)
        finally:
            self._filling = None

    def _found(self, search: Search) -> bool:
        try:
            for post in search.new(self._known_from):
                self._newest = max(self._newest, post.cursor, key=_number)
                self._emit(replace(post, cursor=""))
        except (tweepy.TweepyException, OSError, SourceGaveUp, ValueError) as problem:
            logger.warning("what %s missed of X could not be searched for (%s)", self.wall, problem)
            return False
        return True


def _number(cursor: str) -> int:
    return int(cursor) if cursor.isdecimal() else 0


_streams: dict[str, SharedStream] = {}


def stream_of(token: str) -> SharedStream:
    """The one stream that an app has."""
    if token not in _streams:
        backoff = ReconnectBackoff()  # X counts the dials of all streams, those that have ended too
        _streams[token] = SharedStream(
            lambda connected: XStreamSource(token, tag=TAG, on_connected=connected, backoff=backoff)
        )
    return _streams[token]


def share_of(request: SourceRequest) -> XShare:
    """A wall's share in the stream of the token that the settings have."""
    token = request.options.bearer_token
    search = Search(token, rules_for(request.keywords, request.users, QUERY_SIZE), since=request.cursor)
    rules = rules_for(request.keywords, request.users)
    return XShare(stream_of(token), request.wall, rules, search, cursor=request.cursor)
