"""Posts of Bluesky, from Jetstream: everything that is posted there, of which we keep what is asked for.

Jetstream numbers its events, and sends them again from any number on: so a cut, a restart and a take-over
lose nothing. It needs no account.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import gevent
import requests
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.live_search.term_matcher import Matcher
from realtime_wall.wall.options import JETSTREAM
from realtime_wall.wall.post import BadPost, Mark, Removal
from realtime_wall.wall.public_addresses import PrivateAddress
from realtime_wall.wall.sources.bluesky_payload import from_bluesky, hashtags_of, id_of
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import Emit, SourceGaveUp
from realtime_wall.wall.sources.web_socket import Broken, WebSocketReader, WebSocketRefused
from realtime_wall.wall.sources.x.x_payload import read_line

logger = logging.getLogger(__name__)

PROFILES = "https://public.api.bsky.app"
POSTS = "app.bsky.feed.post"
PROTOCOL = "xrpc.v1.json"
EVENT = "network.bsky.jetstream.subscribeEvents#"
STALL = 30.0  # somebody posts something every moment
MARK_EVERY = 500  # events: how much is read again after a restart when nothing matches
PATIENCE = 5.0
MOST_PROFILES = 5_000


class BlueskySource:
    name = "bluesky"

    def __init__(
        self,
        keywords: Iterable[str],
        users: Iterable[str | int] = (),
        *,
        cursor: str = "",
        url: str = JETSTREAM,
        profiles_url: str = PROFILES,
        stall: float = STALL,
        clock: Clock | None = None,
        backoff: ReconnectBackoff | None = None,
        private_hosts: Sequence[str] | None = None,
    ) -> None:
        """``private_hosts`` are those that an address may be at which is not of the settings."""
        self.skipped = 0
        self._matcher: Matcher[str] = Matcher()
        for word in keywords:
            self._matcher.add(word, word)
        self._users = {str(user) for user in users if str(user).startswith("did:")}
        self._cursor = int(cursor) if cursor.isdecimal() else 0
        self._url = url.rstrip("/")
        self._profiles_url = profiles_url.rstrip("/")
        self._profiles: dict[str, dict[str, Any]] = {}
        self._private_hosts = private_hosts
        self._stall = stall
        self._clock = clock or SystemClock()
        self._backoff = backoff or ReconnectBackoff()
        self._stopping = Event()
        self._reading: gevent.Greenlet[..., float] | None = None

    def run(self, emit: Emit) -> None:
        if not len(self._matcher) and not self._users:
            raise SourceGaveUp("Bluesky is asked for nothing: set TRACK_KEYWORDS")
        while not self._stopping.is_set():
            # A greenlet of its own, so that stop() can end a read that waits.
            self._reading = gevent.spawn(self._dial, emit)
            try:
                self._reading.join()
            finally:
                self._reading.kill()
            if self._stopping.is_set():
                return
            self._clock.wait(self._stopping, self._reading.get())

    def stop(self) -> None:
        self._stopping.set()
        if self._reading is not None:
            self._reading.kill(block=False)

    def _dial(self, emit: Emit) -> float:
        """One connection; the seconds to wait until the next."""
        self._backoff.dialled(self._clock.elapsed())
        began = self._cursor
        try:
            self._read(emit)
            reason = "Jetstream closed the connection"
        except WebSocketRefused as problem:
            return self._refused(problem)
        except PrivateAddress as problem:
            raise SourceGaveUp(str(problem)) from problem
        except Broken as problem:
            reason = f"the connection to Jetstream failed, broke or stalled ({type(problem).__name__})"
        if self._cursor > began:
            self._backoff.succeeded()
        wait = self._backoff.lost(self._clock.elapsed())
        logger.info("%s; dialling again in %.1f s", reason, wait)
        return wait

    def _refused(self, problem: WebSocketRefused) -> float:
        if problem.status == 400 and self._cursor:
            logger.error("Jetstream no longer has what followed %d; it is read from now on", self._cursor)
            self._cursor = 0
        elif problem.status in (400, 401, 403, 404):
            raise SourceGaveUp(f"{self._url}: {problem}")
        wait = self._backoff.refused(problem.status, self._clock.elapsed())
        logger.info("Jetstream: %s; dialling again in %.1f s", problem, wait)
        return wait

    def _read(self, emit: Emit) -> None:
        query: list[tuple[str, str | int]] = [("collections", POSTS), ("kinds", "commit")]
        if self._cursor:
            # The event itself comes again: it may be the one that we were cut off in.
            query.append(("cursor", self._cursor))
        url = f"{self._url}/xrpc/network.bsky.jetstream.subscribeEvents?{urlencode(query)}"
        reader = WebSocketReader(
            url, stall=self._stall, subprotocols=[PROTOCOL], private_hosts=self._private_hosts
        )
        try:
            logger.info("Jetstream is connected")
            for number, text in enumerate(reader, 1):
                self._message(text, emit)
                if number % MARK_EVERY == 0 and self._cursor:
                    emit(Mark(source=self.name, cursor=str(self._cursor)))
        finally:
            reader.close()

    def _message(self, text: str, emit: Emit) -> None:
        try:
            message = read_line(text)
            payload = message.get("payload") if isinstance(message, dict) else None
            if not isinstance(payload, dict):
                raise BadPost(f"it is no message: {_short(message)}")
            kind = payload.get("$type")
            if kind == f"{EVENT}info":
                logger.warning("Jetstream says: %s", _short(payload))
            elif kind == f"{EVENT}commit":
                self._commit(payload, emit)
        except BadPost as problem:
            self._skip(len(text), problem)
        except Exception:
            # A fault of ours; the next event may be fine.
            self.skipped += 1
            logger.exception("an event of %d characters from Jetstream is skipped", len(text))

    def _skip(self, size: int, problem: BadPost) -> None:
        self.skipped += 1
        logger.warning("an event of %d characters from Jetstream is skipped, %s", size, problem)

    def _commit(self, event: dict[str, Any], emit: Emit) -> None:
        seq = event.get("seq")
        if type(seq) is not int or not 0 < seq < 2**63:
            raise BadPost("it has no number")
        if event.get("collection") == POSTS:
            self._about_post(event, seq, emit)
        self._cursor = max(self._cursor, seq)

    def _about_post(self, event: dict[str, Any], seq: int, emit: Emit) -> None:
        did, key, record = event.get("did"), event.get("rkey"), event.get("record")
        post_id = id_of(did, key)
        operation = event.get("operation")
        is_wanted = isinstance(record, dict) and self._is_wanted(str(did), record)
        if operation == "delete" or (operation == "update" and not is_wanted):
            # Whether it is on the wall is known to the wall.
            emit(Removal(id=post_id, source=self.name, cursor=str(seq)))
        elif operation in ("create", "update") and is_wanted and isinstance(record, dict):
            now = datetime.fromtimestamp(self._clock.now(), UTC)
            # An update may come without the creation; of two, the later one has the higher number.
            version = seq if operation == "update" else 0
            profile = self._profile(str(did))
            post = from_bluesky(str(did), str(key), record, profile=profile, now=now, version=version)
            emit(replace(post, cursor=str(seq)))

    def _is_wanted(self, did: str, record: dict[str, Any]) -> bool:
        text = record.get("text")
        return did in self._users or bool(
            self._matcher.matches(text if isinstance(text, str) else "", hashtags_of(record))
        )

    def _profile(self, did: str) -> dict[str, Any]:
        """Name and picture; without them the post is shown all the same."""
        if did in self._profiles:
            return self._profiles[did]
        url = f"{self._profiles_url}/xrpc/app.bsky.actor.getProfile"
        try:
            answer = requests.get(url, {"actor": did}, timeout=PATIENCE)
            answer.raise_for_status()
            found = read_line(answer.content)
        except (requests.RequestException, BadPost) as problem:
            logger.info("the profile of a writer could not be read (%s)", type(problem).__name__)
            return {}
        while len(self._profiles) >= MOST_PROFILES:
            del self._profiles[next(iter(self._profiles))]
        self._profiles[did] = found if isinstance(found, dict) else {}
        return self._profiles[did]


def _short(value: object) -> str:
    return repr(value)[:200]
