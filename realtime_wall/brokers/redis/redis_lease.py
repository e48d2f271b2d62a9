"""Something that is to be done once by all servers of several machines: who does it is written in Redis.

Its holder renews it twice a second. What Redis does not confirm in time is over, by the holder's own clock
and a moment before Redis lets anybody else have it: so two never hold it, whoever is killed, halted, or cut
off. A Redis that was away may have forgotten who held it: then the others wait until it must be over.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event
from redis.exceptions import RedisError, ResponseError

from realtime_wall.brokers.redis import redis_url
from realtime_wall.brokers.redis.outage import Outage
from realtime_wall.brokers.redis.script_connection import ScriptConnection
from realtime_wall.config import Config

# Seconds. With a look of the others every half second, they have it three after a kill at the latest.
LIFE = 2.0
RENEW_EVERY = 0.5
# An answer that does not come is asked for again, on another connection.
TIMEOUT = 0.5
# So much earlier it is over for us: our clock and that of Redis do not run at quite the same speed.
MARGIN = 0.2

# KEYS[1] the lease, ARGV[1] a token that nobody else has, ARGV[2] its life in milliseconds.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisLease:
    def __init__(self, config: Config, name: str) -> None:
        self.on_lost: Callable[[], object] = lambda: None
        self._key = f"{{{config.broker_prefix}}}:lease:{name}"
        self._token = secrets.token_urlsafe(16)
        self._pool = redis_url.pool(config.broker, TIMEOUT)
        self._connection: ScriptConnection | None = None
        self._outage = Outage(f"the lease {name!r} in {redis_url.shown(config.broker)}")
        self._until = 0.0  # by our own clock
        self._not_before = 0.0
        self._released = Event()
        self._renewing: gevent.Greenlet[..., Any] | None = None

    @property
    def is_held(self) -> bool:
        return monotonic() < self._until

    def take(self) -> bool:
        if self.is_held:
            return True
        if self._renew(TIMEOUT) and self.is_held:
            self._released.clear()
            self._renewing = gevent.spawn(self._keep)
        return self.is_held

    def release(self) -> None:
        self._released.set()
        if self._renewing is not None:
            self._renewing.join()  # or it would take it again
            self._renewing = None
        if self.is_held:
            self._until = 0.0
            self._ask(TIMEOUT, _RELEASE)
        self._hang_up()

    def _keep(self) -> None:
        while not self._released.wait(min(RENEW_EVERY, self._left)):
            # Also where Redis has forgotten it: nobody else takes it yet.
            if not self.is_held or self._renew(self._left) is False or not self.is_held:
                self._until = 0.0
                self.on_lost()
                return

    @property
    def _left(self) -> float:
        return max(0.0, self._until - monotonic())

    def _renew(self, seconds: float) -> bool | None:
        """Whether it is; None when Redis does not answer, or may not know."""
        began = monotonic()
        if began < self._not_before and not self.is_held:
            return None
        answer = self._ask(seconds, _TAKE, int(LIFE * 1000))
        if answer:
            self._until = began + LIFE - MARGIN
        return None if answer is None else bool(answer)

    def _ask(self, seconds: float, script: str, *arguments: Any) -> Any:
        """None when there is no answer within these seconds."""
        try:
            with gevent.Timeout(seconds, TimeoutError("it does not answer")):
                reply = self._run(script, *arguments)
        except (RedisError, OSError) as problem:
            self._hang_up()
            if not self._outage:
                self._not_before = monotonic() + LIFE
            self._outage.lasts(problem)
            return None
        self._outage.over()
        return reply

    def _run(self, script: str, *arguments: Any) -> Any:
        if self._connection is None:
            self._connection = ScriptConnection(self._pool, self._key)
            self._connection.connect()
        (reply,) = self._connection.send(("EVAL", script, 1, self._key, self._token, *arguments))
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
