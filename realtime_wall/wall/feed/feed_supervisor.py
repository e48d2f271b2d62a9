"""Feeds every wall of the site, in the one server that has the lease.

The others wait, and take over within three seconds when it ends. Who has lost the lease stops feeding at
once, and waits as they do. What is to be fed is looked up every few seconds, and at once when somebody saves
it in this server's admin; what did not change goes on undisturbed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event

from realtime_wall.api import run_in_threadpool
from realtime_wall.cluster import Lease
from realtime_wall.wall.feed import source_config
from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.feed.feed import Feed
from realtime_wall.wall.feed.publish_queue import Publisher
from realtime_wall.wall.feed.source_config import SourceConfig
from realtime_wall.wall.live_search import search_cluster
from realtime_wall.wall.models import MAIN
from realtime_wall.wall.moderation.admission import may_be_sent
from realtime_wall.wall.options import Options
from realtime_wall.wall.sources import kinds
from realtime_wall.wall.sources.hourly_cap import CappedSource
from realtime_wall.wall.sources.source import Source

if TYPE_CHECKING:  # tweepy is loaded where X is a source only
    from realtime_wall.wall.live_search.x_rules_for_visitors import XRulesForVisitors

logger = logging.getLogger(__name__)

TAKE_EVERY = 0.5  # a look at the lease; users are promised three seconds
LOOK_EVERY = 5.0  # at what is to be fed
AFTER_A_PROBLEM = 1.0


class FeedSupervisor:
    def __init__(
        self,
        options: Callable[[], Options],
        lease: Lease,
        *,
        publisher: Publisher | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.feeds: dict[str, Feed] = {}
        self._options = options
        self._lease = lease
        self._publisher = publisher
        self._clock = clock or SystemClock()
        self._sources: dict[tuple[str, SourceConfig], Source] = {}
        self._stopping = Event()
        self._changed = Event()
        self._unreadable = False
        self._keeper: gevent.Greenlet[..., None] | None = None
        self._ending: list[gevent.Greenlet[..., None]] = []
        self._x_for_visitors: XRulesForVisitors | None = None

    def start(self) -> None:
        self._keeper = gevent.spawn(self._keep)

    def stop(self) -> None:
        self._stopping.set()
        self._changed.set()
        if self._keeper is not None:
            self._keeper.join(timeout=1)
            self._keeper.kill()
        self._end_feeds()
        # Only now: what they had in hand is stored, and the next server sees it.
        self._lease.release()

    def look(self) -> None:
        """What is to be fed may have changed."""
        self._changed.set()

    def _keep(self) -> None:
        self._lease.on_lost = self._changed.set
        while self._wait_for_lease():
            self._feed_all()
            if not self._stopping.is_set():
                logger.warning("this server feeds the walls no longer: it has lost the lease")
                self._end_feeds()

    def _wait_for_lease(self) -> bool:
        """Whether it is ours; not when the server stops."""
        if not self._stopping.is_set() and not self._lease.take():
            logger.info("another server feeds the walls; this one waits")
            while not self._lease.take():
                if self._clock.wait(self._stopping, TAKE_EVERY):
                    return False
            logger.info("this server feeds the walls from now on")
        return not self._stopping.is_set()

    def _feed_all(self) -> None:
        while self._lease.is_held and not self._stopping.is_set():
            self._changed.clear()
            pause = LOOK_EVERY
            try:
                self._follow()
            except Exception as problem:
                self._report_unreadable(problem)
                pause = AFTER_A_PROBLEM
            if self._lease.is_held:  # else it was lost while we looked
                self._clock.wait(self._changed, pause)

    def _end_feeds(self) -> None:
        """What they have in hand is stored; it is the same to the next server if it gives that again."""
        if self._x_for_visitors is not None:
            self._x_for_visitors.stop()
            self._x_for_visitors = None
        self._sources.clear()
        self._ending += [gevent.spawn(feed.stop) for feed in self.feeds.values()]
        self.feeds.clear()
        gevent.joinall(self._ending)
        self._ending.clear()

    def _follow(self) -> None:
        options = self._options()
        wanted = run_in_threadpool(lambda: source_config.read_source_configs(options))
        self._unreadable = False
        now = {(slug, config) for slug, of_wall in wanted.items() for config in of_wall.values()}
        for slug, config in self._sources.keys() - now:
            self.feeds[slug].remove(self._sources.pop((slug, config)))
        for slug, config in sorted(now - self._sources.keys(), key=str):
            source = self._make(slug, config, options)
            if source is not None:
                self._sources[slug, config] = source
                self._feed(slug, options).add(source)
        for slug in self.feeds.keys() - wanted.keys():
            self.feeds.pop(slug).stop()
        self._follow_visitors(options, "x" in wanted.get(MAIN, ()))

    def _follow_visitors(self, options: Options, on_x: bool) -> None:
        visitors = search_cluster.current()
        if visitors is not None and on_x and options.visitors_on_x and self._x_for_visitors is None:
            from realtime_wall.wall.live_search.x_rules_for_visitors import XRulesForVisitors
            from realtime_wall.wall.sources.x.shared_stream import stream_of

            stream = stream_of(options.bearer_token)
            self._x_for_visitors = XRulesForVisitors(
                stream,
                visitors,
                options,
                self._clock,
                lambda post: run_in_threadpool(lambda: may_be_sent(post)),
            )
            self._x_for_visitors.start()
        elif self._x_for_visitors is not None and not on_x:
            self._x_for_visitors.stop()
            self._x_for_visitors = None

    def _feed(self, slug: str, options: Options) -> Feed:
        if slug not in self.feeds:
            feed = Feed(slug, [], banned=options.banned_users, publisher=self._publisher, clock=self._clock)
            feed.start()
            self.feeds[slug] = feed
        return self.feeds[slug]

    def _make(self, slug: str, config: SourceConfig, options: Options) -> Source | None:
        def make(go_on: bool = True) -> Source:
            cursor = run_in_threadpool(lambda: source_config.read_cursor(slug, config.kind)) if go_on else ""
            return kinds.make(config.kind, config.request(slug, cursor, options))

        try:
            if not config.cap:
                return make()
            name = kinds.name_of(config.kind)
            given = run_in_threadpool(lambda: source_config.given_this_hour(slug, name, self._clock.now()))
            return CappedSource(name, make, config.cap, self._clock, given=given)
        except (ValueError, ImportError) as problem:
            logger.error("the source %r of the wall %r cannot be made: %s", config.kind, slug, problem)
            return None

    def _report_unreadable(self, problem: Exception) -> None:
        if not self._unreadable:
            # Of a site that was never migrated, the server has said so at its start.
            level = logging.INFO if run_in_threadpool(source_config.tables_are_missing) else logging.ERROR
            logger.log(level, "what the walls are fed with cannot be read; it is tried again: %s", problem)
        self._unreadable = True
