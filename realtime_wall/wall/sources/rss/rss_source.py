"""Entries of feeds, RSS or Atom, which are asked for again and again.

A feed that has not changed answers with nothing (ETag, Last-Modified). One that is away, or asks for
patience (429, 503, Retry-After), is asked ever more rarely. What leaves a feed has only grown old: it stays
on the wall.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import gevent
import requests
from gevent.event import Event

from realtime_wall.api import Backoff, run_in_threadpool
from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import BadPost, Post
from realtime_wall.wall.public_requests import reason_of, session
from realtime_wall.wall.sources.rss.rss_payload import NAME, FeedContent, read_feed
from realtime_wall.wall.sources.source import Emit, SourceGaveUp

logger = logging.getLogger(__name__)

EVERY = 300.0
FIRST_RETRY, LONGEST_RETRY = 60.0, 3600.0
DAY = 86_400.0  # what a feed may ask for at most
LARGEST = 2 * 1024 * 1024
PATIENCE = 20.0  # for a part of an answer
LONGEST_ANSWER = 60.0  # for all of it
MOST_FEEDS = 20
GONE = {
    401: "it wants a password, and feeds are asked without one",
    403: "it does not let us read",
    410: "it says that it has ended",
}


class Away(Exception):
    """Not now; ``wait`` is what it asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        self.reason, self.wait = reason, wait
        super().__init__(reason)


@dataclass(slots=True)
class PolledFeed:
    """What we know of one feed."""

    url: str
    backoff: Backoff
    validators: dict[str, str] = field(default_factory=dict)  # headers of the next request
    known: dict[str, Post] = field(default_factory=dict)  # what it had last


class RssSource:
    name = NAME

    def __init__(
        self,
        urls: Iterable[str],
        *,
        every: float = EVERY,
        private_hosts: Sequence[str] = (),
        clock: Clock | None = None,
    ) -> None:
        self.urls = list(dict.fromkeys(urls))[:MOST_FEEDS]
        self.skipped = 0
        self._every = every
        self._private_hosts = private_hosts
        self._clock = clock or SystemClock()
        self._stopping = Event()
        self._gone: list[str] = []

    def run(self, emit: Emit) -> None:
        if not self.urls:
            raise SourceGaveUp("no feed is named: set RSS_URLS, or the addresses of this source")
        greenlets = [gevent.spawn(self._follow, url, emit) for url in self.urls]
        try:
            gevent.joinall(greenlets)
        finally:
            gevent.killall(greenlets, block=False)
        if self._gone and not self._stopping.is_set():
            raise SourceGaveUp("; ".join(self._gone))

    def stop(self) -> None:
        self._stopping.set()

    def _follow(self, url: str, emit: Emit) -> None:
        feed = PolledFeed(url, Backoff(FIRST_RETRY, LONGEST_RETRY, jitter=(1.0, 1.1)))
        while not self._stopping.is_set():
            try:
                wait = self._poll(feed, emit)
                if feed.backoff.failures:
                    logger.info("%s can be read again", url)
                feed.backoff.succeeded()
            except SourceGaveUp as problem:
                logger.error("%s is not asked any more: %s", url, problem)
                self._gone.append(f"{url}: {problem}")
                return
            except Exception as problem:
                wait = self._failed(feed, problem)
            self._clock.wait(self._stopping, wait)

    def _failed(self, feed: PolledFeed, problem: Exception) -> float:
        is_known = isinstance(problem, (Away, BadPost))
        if not feed.backoff.failures:
            logger.warning("%s cannot be read: %s", feed.url, problem, exc_info=None if is_known else problem)
        return max(feed.backoff.failed(), min(getattr(problem, "wait", 0.0), DAY))

    def _poll(self, feed: PolledFeed, emit: Emit) -> float:
        """The seconds until the next one."""
        try:
            with gevent.Timeout(LONGEST_ANSWER, Away("it took too long")):
                answer, body = self._ask(feed)
        except requests.RequestException as problem:
            raise Away(reason_of(problem)) from problem
        rest = max_age(answer.headers)
        if answer.status_code != 304:
            now = datetime.fromtimestamp(self._clock.now(), UTC)
            # In a thread: this computes for a while.
            found = run_in_threadpool(partial(read_feed, body, feed.url, now))
            rest = max(rest, found.rest)
            self._emit_all(feed, found, emit)
            # Only now: a feed that could not be read is not one that we have.
            feed.validators = validators_of(answer.headers)
        return max(self._every, rest)

    def _emit_all(self, feed: PolledFeed, found: FeedContent, emit: Emit) -> None:
        """The oldest first; what we had before only if it was edited."""
        self.skipped += found.skipped
        known, feed.known = feed.known, {post.id: post for post in found.posts}
        for post in sorted(feed.known.values(), key=lambda post: post.created_at):
            before = known.get(post.id)
            if before is not None:
                # Without a date nothing has changed but the time at which we read it.
                post = replace(post, version=max(post.version, before.version), created_at=before.created_at)
                if post != before:
                    post = replace(post, version=max(post.version, int(self._clock.now())))
                feed.known[post.id] = post
            if post != before:
                emit(post)

    def _ask(self, feed: PolledFeed) -> tuple[requests.Response, bytes]:
        with (
            session(self._private_hosts) as asking,
            asking.get(feed.url, headers=feed.validators, timeout=PATIENCE, stream=True) as answer,
        ):
            status, body = answer.status_code, b""
            if status in GONE:
                raise SourceGaveUp(GONE[status])
            if status not in (200, 304):
                raise Away(f"it answered {status}", retry_after(answer.headers, self._clock.now()))
            for piece in answer.iter_content(64 * 1024):
                body += piece
                if len(body) > LARGEST:
                    raise Away(f"it has more than {LARGEST} bytes")
            return answer, body


def validators_of(headers: Mapping[str, str]) -> dict[str, str]:
    given = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": headers.get("Last-Modified")}
    return {name: value for name, value in given.items() if value and len(value) <= 500}


def max_age(headers: Mapping[str, str]) -> float:
    for part in headers.get("Cache-Control", "").split(","):
        name, _, seconds = part.strip().partition("=")
        if name.lower() == "max-age" and seconds.isdecimal() and len(seconds) < 9:
            return min(float(seconds), DAY)
    return 0.0


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds, or a date."""
    given = headers.get("Retry-After", "")
    if given.isdecimal():
        return float(given[:9])
    try:
        return max(parsedate_to_datetime(given).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
