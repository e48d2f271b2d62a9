"""Posts from X's recent search: asked for again and again, or once to fill a hole in the stream.

Each poll asks for what came after the last post that was seen, so that none is paid for twice. X's
recent search goes back seven days.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import requests
import tweepy
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import BadPost, Post
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import Emit, SourceGaveUp
from realtime_wall.wall.sources.x.http_adapter import BASE_URL, FIELDS, XAdapter, problem_in, reset_in
from realtime_wall.wall.sources.x.stream_rules import rules_for
from realtime_wall.wall.sources.x.x_payload import from_x, read_line

logger = logging.getLogger(__name__)

QUERY_SIZE = 512  # X's limit, in characters; a rule of the stream has twice as many
EVERY = 30.0  # X allows a search every two seconds
FIRST = 10  # the least that X gives: each post is paid for
PAGE = 100  # the most
PAGES = 5  # so many posts of a hole are worth their price

WHAT_TO_DO = {
    401: "the bearer token is wrong or was revoked; set BEARER_TOKEN in REALTIME_WALL['WALL'] "
    "or in the environment",
    403: "this app may not search; look at its project and access level in X's developer console",
}


class Search:
    """What matches a few queries, since some post."""

    def __init__(
        self, token: str, queries: Iterable[str], *, since: str = "", base_url: str = BASE_URL
    ) -> None:
        self.skipped = 0
        self._queries = list(queries)
        self._since = dict.fromkeys(self._queries, since)
        self._client = tweepy.Client(token, return_type=requests.Response)
        self._client.session.mount("https://", XAdapter(base_url))

    def go_on_after(self, since: str) -> None:
        self._since = dict.fromkeys(self._queries, since)

    def new(self, until: str = "") -> Iterator[Post]:
        """Oldest first for each query; a query whose answer was taken is asked for later ones next.

        X begins with the newest: ``until`` is a post from which on they are known.
        """
        for query in self._queries:
            newest, posts = self._read(query, until)
            yield from reversed(posts)
            self._since[query] = newest

    def _read(self, query: str, until: str) -> tuple[str, list[Post]]:
        since = self._since[query]
        posts: list[Post] = []
        newest, token = since, None
        for _ in range(PAGES if since else 1):
            answer = self._ask(query, since, until, token)
            posts += self._posts(answer)
            newest = max([newest, *(post.cursor for post in posts)], key=_number)
            meta = answer.get("meta")
            token = meta.get("next_token") if isinstance(meta, dict) else None
            if not isinstance(token, str):
                return newest, posts
        if since:
            logger.warning(
                "there are more posts than %d since the last one, these are left out", PAGE * PAGES
            )
        return newest, posts

    def _ask(self, query: str, since: str, until: str, token: str | None) -> dict[str, Any]:
        parameters: dict[str, Any] = {"max_results": PAGE if since else FIRST, **FIELDS}
        if since:
            parameters["since_id"] = since
        if until:
            parameters["until_id"] = until
        if token:
            parameters["next_token"] = token
        try:
            answer = self._client.search_recent_tweets(query, **parameters)
        except tweepy.BadRequest as problem:
            if not since:
                raise SourceGaveUp(f"{problem_in(problem.response)}: check what is tracked") from problem
            # Older than the seven days that are searched.
            return self._ask(query, "", until, None)
        found = read_line(answer.content)
        return found if isinstance(found, dict) else {}

    def _posts(self, answer: dict[str, Any]) -> list[Post]:
        found = []
        data = answer.get("data")
        for tweet in data if isinstance(data, list) else ():
            try:
                found.append(from_x({"data": tweet, "includes": answer.get("includes")}))
            except BadPost as problem:
                self.skipped += 1
                logger.warning("a post that X found is skipped, %s", problem)
        return found


class XSearchSource:
    name = "x"  # the same posts, with the same ids, as the stream's

    def __init__(
        self,
        token: str,
        keywords: Iterable[str] = (),
        users: Iterable[str | int] = (),
        *,
        since: str = "",
        every: float = EVERY,
        base_url: str = BASE_URL,
        clock: Clock | None = None,
        backoff: ReconnectBackoff | None = None,
    ) -> None:
        self._token = token
        self._search = Search(token, rules_for(keywords, users, QUERY_SIZE), since=since, base_url=base_url)
        self._every = every
        self._clock = clock or SystemClock()
        self._backoff = backoff or ReconnectBackoff()
        self._stopping = Event()

    @property
    def skipped(self) -> int:
        return self._search.skipped

    def run(self, emit: Emit) -> None:
        if not self._token:
            raise SourceGaveUp(f"there is no token for X: {WHAT_TO_DO[401]}")
        while not self._stopping.is_set():
            self._clock.wait(self._stopping, self._poll(emit))

    def stop(self) -> None:
        self._stopping.set()

    def _poll(self, emit: Emit) -> float:
        """The seconds until the next one."""
        try:
            for post in self._search.new():
                emit(post)
        except tweepy.HTTPException as problem:
            return self._refused(problem.response)
        except (requests.RequestException, BadPost) as problem:
            logger.info("X could not be searched (%s)", type(problem).__name__)
            return max(self._backoff.lost(self._clock.elapsed()), 1.0)
        self._backoff.succeeded()
        return self._every

    def _refused(self, answer: requests.Response) -> float:
        sentence = problem_in(answer)
        if answer.status_code in WHAT_TO_DO:
            raise SourceGaveUp(f"{sentence}: {WHAT_TO_DO[answer.status_code]}")
        wait = self._backoff.refused(
            answer.status_code, self._clock.elapsed(), reset_in(answer, self._clock.now())
        )
        logger.info("%s; searching again in %.1f s", sentence, wait)
        return wait


def _number(cursor: str) -> int:
    return int(cursor) if cursor.isdecimal() else 0
