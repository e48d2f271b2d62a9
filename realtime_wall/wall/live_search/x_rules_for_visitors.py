"""The visitors' share in the stream of X: rules for what they search for, as many as the organiser allows.

A term that many search for is one rule, for as long as somebody searches for it, on whichever server. The
posts go to those visitors; the wall does not show or store them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import gevent
from gevent.event import Event

from realtime_wall.wall.feed.announce import AuthorFilter
from realtime_wall.wall.feed.clock import Clock
from realtime_wall.wall.live_search.search_cluster import SearchCluster
from realtime_wall.wall.options import Options
from realtime_wall.wall.post import Item, Post
from realtime_wall.wall.sources.hourly_cap import CappedSource
from realtime_wall.wall.sources.restart_loop import keep_running
from realtime_wall.wall.sources.source import Source
from realtime_wall.wall.sources.x.shared_stream import VISITORS, SharedStream, XShare
from realtime_wall.wall.sources.x.stream_rules import rules_for

logger = logging.getLogger(__name__)


class XRulesForVisitors:
    def __init__(
        self,
        stream: SharedStream,
        search_cluster: SearchCluster,
        options: Options,
        clock: Clock,
        may_be_sent: Callable[[Post], bool] = lambda _: True,
    ) -> None:
        self._stream = stream
        self._search_cluster = search_cluster
        self._most = options.visitors_on_x
        self._is_allowed = AuthorFilter(options.banned_users)
        self._may_be_sent = may_be_sent
        self._clock = clock
        self._share: XShare | None = None
        self._stopping = Event()
        cap = options.posts_per_hour
        self._source: Source = CappedSource("x", lambda _: self._make(), cap, clock) if cap else self._make()
        self._running: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._search_cluster.on_terms = self._terms_changed
        self._search_cluster.lead()
        self._running = gevent.spawn(keep_running, self._source, self._offer, self._stopping, self._clock)

    def stop(self) -> None:
        self._search_cluster.retire()
        self._search_cluster.on_terms = lambda: None
        self._stopping.set()
        self._source.stop()
        if self._running is not None:
            self._running.join(timeout=1)
            self._running.kill()

    def _make(self) -> XShare:
        self._share = XShare(
            self._stream, VISITORS, self._rules(self._search_cluster.terms), clock=self._clock
        )
        return self._share

    def _rules(self, terms: Iterable[str]) -> list[str]:
        return rules_for(list(terms)[: self._most], [])

    def _terms_changed(self) -> None:
        if self._share is not None:
            self._share.ask_for(self._rules(self._search_cluster.terms))

    def _offer(self, item: Item) -> None:
        try:
            if isinstance(item, Post) and self._is_allowed(item) and self._may_be_sent(item):
                self._search_cluster.offer(item.as_message())
        except Exception:  # its own failure, not the stream's
            logger.exception("a post for the visitors could not be handled")
