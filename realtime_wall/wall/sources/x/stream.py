"""Posts from X's filtered stream, by tweepy, kept alive by us.

Left alone, tweepy dials without any delay when a connection is closed after its 200, goes on for
ever after a 401, and dies of one malformed line. So each dial here is one run of tweepy's client
that ends at the first failure; what follows is decided by :mod:`reconnect_backoff`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gevent
import requests
import tweepy
from gevent.event import Event

from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.post import BadPost
from realtime_wall.wall.sources.lines import LineReader
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.source import Emit, SourceGaveUp
from realtime_wall.wall.sources.x.http_adapter import BASE_URL, FIELDS, XAdapter, problem_in, reset_in
from realtime_wall.wall.sources.x.stream_rules import rules_for, set_rules
from realtime_wall.wall.sources.x.window_limit import WindowLimit
from realtime_wall.wall.sources.x.x_payload import from_x, read_line

logger = logging.getLogger(__name__)

TAG = "realtime_wall"
STALL = 25.0  # X sends a keep-alive every 20 seconds
# X takes a hundred requests that change rules in a quarter of an hour, and a change is two at most.
RULE_CHANGES, RULE_CHANGES_AT_ONCE, WINDOW = 50, 10, 15 * 60.0
RULES_TOGETHER = 1.0  # what is asked for within this time is one change
RULES_RETRY = 10.0
LASTING = 90.0  # a connection that kept alive for so long was of use, even if nobody posted

WHAT_TO_DO = {
    400: "check TRACK_KEYWORDS and TRACK_USERS",
    401: "the bearer token is wrong or was revoked; set BEARER_TOKEN in REALTIME_WALL['WALL'] "
    "or in the environment",
    403: "this app may not use the filtered stream; look at its project and access level in X's "
    "developer console",
}


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a dial ended. Without a status, the connection was lost."""

    reason: str
    status: int = 0
    answer: requests.Response | None = None
    useful: bool = False
    gave_up: SourceGaveUp | None = None


class XStreamSource:
    name = "x"

    def __init__(
        self,
        token: str,
        keywords: Iterable[str] = (),
        users: Iterable[str | int] = (),
        *,
        tag: str = TAG,
        base_url: str = BASE_URL,
        stall: float = STALL,
        clock: Clock | None = None,
        backoff: ReconnectBackoff | None = None,
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        """The rules at X whose tag is ``tag``, or begins with it and a colon, are this stream's own."""
        self.skipped = 0
        self.rules: dict[str, list[str]] = {tag: rules_for(keywords, users)}
        self._token = token
        self._tag = tag
        self._on_connected = on_connected
        self._base_url = base_url
        self._stall = stall
        self._clock = clock or SystemClock()
        self._backoff = backoff or ReconnectBackoff()
        self._rules_are_set = False
        self._rule_changes = WindowLimit(RULE_CHANGES, RULE_CHANGES_AT_ONCE, WINDOW)
        self._stopping = Event()
        self._dialling: gevent.Greenlet[..., _Ending] | None = None
        self._changing: gevent.Greenlet[..., None] | None = None

    def run(self, emit: Emit) -> None:
        if not self._token:
            raise SourceGaveUp(f"there is no token for X: {WHAT_TO_DO[401]}")
        if wait := self._backoff.allowed_in(self._clock.elapsed()):
            self._clock.wait(self._stopping, wait)  # an earlier stream has dialled often
        while not self._stopping.is_set():
            # A greenlet of its own, so that stop() can end a read that waits for X.
            self._dialling = gevent.spawn(self._dial, emit)
            try:
                self._dialling.join()
            finally:
                self._dialling.kill()
            if self._stopping.is_set():
                return
            ending = self._dialling.get()
            wait = self._wait_after(ending)
            logger.info("%s; dialling X again in %.1f s", ending.reason, wait)
            self._clock.wait(self._stopping, wait)

    def ask_for(self, rules: Mapping[str, Sequence[str]]) -> None:
        """Other rules from now on, tag -> values; those at X are changed while the stream goes on."""
        wanted = {tag: list(values) for tag, values in rules.items()}
        if wanted == self.rules:
            return
        self.rules = wanted
        if self._rules_are_set:
            self._rules_are_set = False
            self._changing = gevent.spawn(self._change_rules)

    def stop(self) -> None:
        self._stopping.set()
        for greenlet in (self._dialling, self._changing):
            if greenlet is not None:
                greenlet.kill(block=False)

    def _dial(self, emit: Emit) -> _Ending:
        self._backoff.dialled(self._clock.elapsed())
        client = _Client(
            self._token, self._base_url, self._stall, partial(self._line, emit), self._on_connected
        )
        try:
            if not self._rules_are_set:
                self._set_rules(client)
            client.filter(**FIELDS)
        except tweepy.HTTPException as problem:
            return _refusal(problem.response)
        except SourceGaveUp as problem:
            return _Ending(str(problem), gave_up=problem)
        except requests.RequestException as problem:
            return _Ending(f"X's rules could not be read ({type(problem).__name__})")
        except Exception:
            # tweepy trusts that X's answer about rules looks as documented.
            logger.exception("X's rules could not be understood")
            return _Ending("X's rules could not be understood")
        return client.ending()

    def _set_rules(self, client: tweepy.StreamingClient) -> None:
        wanted = self.rules
        set_rules(client, wanted, lambda tag: tag == self._tag or tag.startswith(f"{self._tag}:"))
        self._rules_are_set = True
        if wanted is not self.rules:  # others were asked for meanwhile
            wanted, self.rules = self.rules, wanted
            self.ask_for(wanted)

    def _change_rules(self) -> None:
        wait = RULES_TOGETHER
        while True:
            wait = max(wait, self._rule_changes.allowed_in(self._clock.elapsed()))
            if self._clock.wait(self._stopping, wait) or self._rules_are_set:
                return  # a dial has set them meanwhile
            self._rule_changes.count(self._clock.elapsed())
            try:
                self._set_rules(_Client(self._token, self._base_url, self._stall, lambda line: False))
            except Exception as problem:
                logger.warning("X's rules could not be changed (%s)", problem)
                wait = RULES_RETRY
                if isinstance(problem, tweepy.TooManyRequests):
                    wait = max(wait, min(reset_in(problem.response, self._clock.now()), WINDOW))
            else:
                return  # another one sees to what was asked for meanwhile

    def _wait_after(self, ending: _Ending) -> float:
        if ending.gave_up:
            raise ending.gave_up
        if ending.status in WHAT_TO_DO:
            raise SourceGaveUp(f"{ending.reason}: {WHAT_TO_DO[ending.status]}")
        if ending.useful:
            self._backoff.succeeded()
        if not ending.status:
            return self._backoff.lost(self._clock.elapsed())
        # X answers 409 when its rules are gone; they are looked at again after any refusal.
        self._rules_are_set = False
        until = reset_in(ending.answer, self._clock.now()) if ending.answer is not None else 0.0
        return self._backoff.refused(ending.status, self._clock.elapsed(), until)

    def _line(self, emit: Emit, line: bytes) -> bool:
        """Whether the line was a post."""
        try:
            post = from_x(read_line(line))
        except BadPost as problem:
            self.skipped += 1
            # What the line says is not logged; X's own notices have the form of a bad post too.
            logger.warning("a line of %d bytes from X is skipped, %s", len(line), problem)
            return False
        except Exception:
            # A fault of ours; tweepy would end the stream for good, and the next line may be fine.
            self.skipped += 1
            logger.exception("a line of %d bytes from X is skipped", len(line))
            return False
        emit(post)
        return True


class _Client(tweepy.StreamingClient):  # type: ignore[misc]
    """One dial: it never dials again by itself, and remembers how it ended."""

    def __init__(
        self,
        token: str,
        base_url: str,
        stall: float,
        line: Callable[[bytes], bool],
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(token)
        self._line = line
        self._on_connected = on_connected
        self._adapter = _StreamAdapter(base_url, stall, self.disconnect)
        self.session.mount("https://", self._adapter)
        self._began = time.monotonic()
        self._posts = 0
        self._ending = _Ending("X closed the connection")

    def ending(self) -> _Ending:
        useful = self._posts > 0 or time.monotonic() - self._began >= LASTING
        return _Ending(self._ending.reason, self._ending.status, self._ending.answer, useful)

    def on_data(self, raw_data: bytes) -> None:
        self._posts += self._line(raw_data)

    def on_connect(self) -> None:
        logger.info("X's stream is connected")
        self._on_connected()

    def on_disconnect(self) -> None:
        logger.debug("X's stream is disconnected")

    def on_closed(self, response: requests.Response) -> None:
        """Nothing: the end of the lines has been noted; tweepy would log an error."""

    def on_connection_error(self) -> None:
        self._ending = _Ending("the connection to X failed, broke or stalled")
        self.disconnect()

    def on_request_error(self, status_code: int) -> None:
        assert self._adapter.answer is not None
        self._ending = _refusal(self._adapter.answer)
        self.disconnect()

    def on_exception(self, exception: Exception) -> None:
        logger.error("reading X's stream failed", exc_info=exception)
        self._ending = _Ending(f"reading X's stream raised {type(exception).__name__}")


class _StreamAdapter(XAdapter):
    """tweepy's way of reading lines is built in, too: these are of limited length."""

    def __init__(self, base_url: str, stall: float, ended: Callable[[], None]) -> None:
        super().__init__(base_url, stall)
        self.answer: requests.Response | None = None
        self._ended = ended

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        self.answer = super().send(request, *args, **options)
        self.answer.iter_lines = partial(self._lines, self.answer)  # type: ignore[method-assign]
        return self.answer

    def _lines(self, answer: requests.Response, chunk_size: int) -> Iterator[bytes]:
        reader = LineReader()
        last = time.monotonic()
        # A chunked answer is given chunk by chunk; of any other, the whole size is waited for.
        for data in answer.iter_content(16 * 1024 if getattr(answer.raw, "chunked", False) else 1):
            lines = reader.receive(data)
            if lines:
                last = time.monotonic()
            elif time.monotonic() - last > self._timeout:
                raise requests.ConnectionError(f"no line from X in {self._timeout} s")
            yield from lines
        self._ended()


def _refusal(answer: requests.Response) -> _Ending:
    return _Ending(problem_in(answer), answer.status_code, answer)
