"""Posts with a hashtag, from a Mastodon server: by polling, and with a token by its stream as well.

The stream is fast; polling finds what fell into its holes, follows edits, and asks about posts that
are no longer there. Without a token polling does alone: many servers let everybody read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import gevent
import requests
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import BadPost, Mark, Post, Removal
from realtime_wall.wall.public_requests import is_private, reason_of, session
from realtime_wall.wall.sources.lines import LineReader
from realtime_wall.wall.sources.mastodon_payload import from_mastodon
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import Emit, SourceGaveUp
from realtime_wall.wall.sources.x.x_payload import read_line

logger = logging.getLogger(__name__)

EVERY = 15.0  # a server takes 300 requests in five minutes
PAGE = 40  # the most that Mastodon gives
PAGES = 25  # of a hole
ASKED_ABOUT = 10  # posts that are gone, in one poll
PATIENCE = 20.0
STALL = 60.0  # Mastodon's stream says something every 15 seconds
LARGEST = 8 * 1024 * 1024

_TAG = re.compile(r"#?(\w+)")

WHAT_TO_DO = {
    401: "this server lets only its users read: set MASTODON_TOKEN",
    403: "this server does not let us read; set MASTODON_TOKEN, or ask another server",
    404: "there is no Mastodon server at MASTODON_URL",
    422: "this server lets only its users read: set MASTODON_TOKEN",
}


class MastodonSource:
    name = "mastodon"

    def __init__(
        self,
        url: str,
        keywords: Iterable[str],
        *,
        token: str = "",
        since: str = "",
        every: float = EVERY,
        stall: float = STALL,
        clock: Clock | None = None,
        backoff: ReconnectBackoff | None = None,
        private_hosts: Sequence[str] | None = None,
    ) -> None:
        """``private_hosts`` are those that an address may be at which is not of the settings."""
        self.tags = list(
            dict.fromkeys(match[1].casefold() for word in keywords if (match := _TAG.fullmatch(word)))
        )
        self.skipped = 0
        self._url = url.rstrip("/")
        self._token = token
        self._since = since
        self._every = every
        self._stall = stall
        self._clock = clock or SystemClock()
        self._backoff = backoff or ReconnectBackoff()
        self._private_hosts = private_hosts
        self._stopping = Event()
        self._known: dict[str, set[str]] = {}  # tag -> ids on the last page
        self._streams: list[gevent.Greenlet[..., None]] = []

    def run(self, emit: Emit) -> None:
        if not self._url or not self.tags:
            raise SourceGaveUp(
                "Mastodon is asked for hashtags at MASTODON_URL: set it, and one keyword at least"
            )
        self._streams = [gevent.spawn(self._stream, tag, emit) for tag in self.tags if self._token]
        try:
            while not self._stopping.is_set():
                self._clock.wait(self._stopping, self._poll(emit))
        finally:
            gevent.killall(self._streams, block=False)

    def stop(self) -> None:
        self._stopping.set()
        gevent.killall(self._streams, block=False)

    # Polling

    def _poll(self, emit: Emit) -> float:
        """The seconds until the next one."""
        since = newest = self._since
        try:
            for tag in self.tags:
                newest = max(newest, self._read(tag, since, emit), key=_number)
        except requests.HTTPError as problem:
            return self._refused(problem.response)
        except requests.ConnectionError as problem:
            if is_private(problem):
                raise SourceGaveUp(reason_of(problem)) from problem
            return self._lost(problem)
        except (requests.RequestException, BadPost) as problem:
            return self._lost(problem)
        self._backoff.succeeded()
        self._since = newest
        if newest != since:
            # Only now: what one hashtag had does not tell how far the others were read.
            emit(Mark(source=self.name, cursor=self._since))
        return self._every

    def _lost(self, problem: Exception) -> float:
        logger.info("%s could not be read (%s)", self._url, type(problem).__name__)
        return max(self._backoff.lost(self._clock.elapsed()), 1.0)

    def _read(self, tag: str, since: str, emit: Emit) -> str:
        """The id of the newest."""
        newest = self._page(tag)
        found = {post.id: post for post in self._posts(newest)}
        oldest = min(map(int, found), default=0)
        posts = list(found.values())
        if since and oldest > int(since) and len(newest) == PAGE:
            posts += self._between(tag, since, oldest)
        newest_id = ""
        for post in sorted(posts, key=lambda post: int(post.id)):
            newest_id = max(newest_id, post.id, key=_number)
            emit(post)
        reach = oldest if len(newest) == PAGE else 0  # a page that is not full has everything
        gone = {post_id for post_id in self._known.get(tag, set()) if int(post_id) >= reach} - found.keys()
        for post_id in sorted(gone)[:ASKED_ABOUT]:
            if self._is_gone(post_id):
                emit(Removal(id=post_id, source=self.name))
        self._known[tag] = set(found)
        return newest_id

    def _between(self, tag: str, since: str, until: int) -> Iterator[Post]:
        """What came since the last poll and is no longer on the newest page."""
        for _ in range(PAGES):
            page = list(self._posts(self._page(tag, since)))
            yield from (post for post in page if int(post.id) < until)
            newest = max((int(post.id) for post in page), default=until)
            if newest >= until:
                return
            since = str(newest)
        logger.warning("%s has more posts with #%s than we read at once, some are left out", self._url, tag)

    def _page(self, tag: str, min_id: str = "") -> list[Any]:
        query = {"limit": str(PAGE)} | ({"min_id": min_id} if min_id else {})
        found = read_line(self._get(f"/api/v1/timelines/tag/{quote(tag)}", query))
        if not isinstance(found, list):
            raise BadPost("it is no list of posts")
        return found

    def _posts(self, statuses: list[Any]) -> Iterator[Post]:
        return (post for status in statuses if (post := self._post(status)))

    def _post(self, status: object) -> Post | None:
        try:
            return from_mastodon(status, now=datetime.fromtimestamp(self._clock.now(), UTC))
        except BadPost as problem:
            logger.warning("a post from %s is skipped, %s", self._url, problem)
        except Exception:
            # A fault of ours; the stream would end by it for good, and every poll that has this post.
            logger.exception("a post from %s is skipped", self._url)
        self.skipped += 1
        return None

    def _is_gone(self, post_id: str) -> bool:
        try:
            self._get(f"/api/v1/statuses/{post_id}", {})
        except requests.HTTPError as problem:
            return problem.response.status_code in (404, 410)
        return False

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        with (
            self._session() as asking,
            asking.get(
                self._url + path, params=query, headers=self._headers(), timeout=PATIENCE, stream=True
            ) as answer,
        ):
            answer.raise_for_status()
            body = b""
            for piece in answer.iter_content(64 * 1024):
                body += piece
                if len(body) > LARGEST:
                    raise BadPost(f"the answer has more than {LARGEST} bytes")
            return body

    def _session(self) -> requests.Session:
        return requests.Session() if self._private_hosts is None else session(self._private_hosts)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _refused(self, answer: requests.Response) -> float:
        status = answer.status_code
        if status in WHAT_TO_DO:
            raise SourceGaveUp(f"{self._url} answered {status}: {WHAT_TO_DO[status]}")
        wait = self._backoff.refused(status, self._clock.elapsed(), self._reset_in(answer))
        logger.info("%s answered %d; asking again in %.1f s", self._url, status, wait)
        return wait

    def _reset_in(self, answer: requests.Response) -> float:
        try:
            until = datetime.fromisoformat(answer.headers.get("X-RateLimit-Reset", ""))
            return until.timestamp() - self._clock.now()
        except (ValueError, OverflowError):
            return 0.0

    # The stream

    def _stream(self, tag: str, emit: Emit) -> None:
        """One hashtag's, as long as the source runs; polling goes on whatever becomes of it."""
        backoff = ReconnectBackoff()
        while not self._stopping.is_set():
            try:
                useful = self._listen(tag, emit)
            except requests.HTTPError as problem:
                status = problem.response.status_code
                if self._stopping.is_set():
                    return  # the answer to a request that was under way
                if status in WHAT_TO_DO:
                    logger.error("%s refuses its stream (%d): #%s is polled only", self._url, status, tag)
                    return
                wait = backoff.refused(status, self._clock.elapsed(), self._reset_in(problem.response))
            except requests.RequestException as problem:
                logger.info("the stream of #%s is lost (%s)", tag, type(problem).__name__)
                wait = max(backoff.lost(self._clock.elapsed()), 0.25)
            else:
                if useful:
                    backoff.succeeded()
                wait = max(backoff.lost(self._clock.elapsed()), 0.25)
            self._clock.wait(self._stopping, wait)

    def _listen(self, tag: str, emit: Emit) -> bool:
        """Whether anything came."""
        query = {"tag": tag}
        url = f"{self._url}/api/v1/streaming/hashtag"
        useful = False
        with (
            self._session() as asking,
            asking.get(
                url, params=query, headers=self._headers(), timeout=self._stall, stream=True
            ) as answer,
        ):
            answer.raise_for_status()
            reader, kind, data = LineReader(), "", b""
            for piece in answer.iter_content(16 * 1024 if getattr(answer.raw, "chunked", False) else 1):
                for line in reader.receive(piece):
                    useful = True
                    if line.startswith(b"event:"):
                        kind = line[6:].strip().decode(errors="replace")
                    elif line.startswith(b"data:"):
                        data += line[5:].strip()
                    elif not line:
                        if data:
                            self._event(kind, data, emit)
                        kind, data = "", b""
        return useful

    def _event(self, kind: str, data: bytes, emit: Emit) -> None:
        if kind in ("update", "status.update"):
            try:
                status = read_line(data)
            except BadPost as problem:
                self.skipped += 1
                logger.warning("an event of %d bytes from %s is skipped, %s", len(data), self._url, problem)
            else:
                if post := self._post(status):
                    emit(post)
        elif kind == "delete" and data.isdigit() and len(data) <= 32:
            emit(Removal(id=data.decode(), source=self.name))


def _number(post_id: str) -> int:
    return int(post_id) if post_id.isdecimal() else 0
