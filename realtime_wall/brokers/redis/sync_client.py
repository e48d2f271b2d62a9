"""How does a process that is no server reach the servers through Redis?

It sends what it has to send and waits for the reply: in a shell, in cron, in a worker of Celery or gunicorn,
in any of their threads, and after a fork. It needs no gevent, and no server has to run.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, NoScriptError, RedisError, ResponseError

from realtime_wall.brokers.entry import Proposal, Sequenced
from realtime_wall.brokers.link import Envelope
from realtime_wall.brokers.questions import Follow
from realtime_wall.brokers.redis import redis_url, tail
from realtime_wall.brokers.redis import scripts as scripts
from realtime_wall.brokers.redis.bus_codec import (
    ENVELOPES,
    ENVELOPES_AGE,
    BusCodec,
    HighWaterMark,
    PendingScriptCall,
    epoch_argument,
    reason_of,
    will_pass,
)
from realtime_wall.brokers.redis.outage import LONGEST_WAITED_FOR, SHORTEST
from realtime_wall.brokers.redis.script_connection import LOST, ScriptCall
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from realtime_wall.errors import BrokerUnreachable, PublishFailed
from realtime_wall.protocol.json_output import encode_json

# Longer than the longest wait for envelopes at once.
SOCKET_TIMEOUT, LONGEST_BLOCK = 5.0, 2.0


class SyncClient:
    def __init__(self, config: Config, rules: Rules) -> None:
        self._codec = BusCodec(config.broker_prefix, rules, config.history_channels, config.broker_bus_size)
        self._name = redis_url.shown(config.broker)
        self._timeout = config.publish_timeout
        # It gives each thread a connection of its own, and a fork none of its parent's.
        self._redis = Redis(
            connection_pool=redis_url.pool(config.broker, min(SOCKET_TIMEOUT, config.publish_timeout))
        )
        self._waiting = Redis(connection_pool=redis_url.pool(config.broker, SOCKET_TIMEOUT))
        self._high_water_mark = HighWaterMark()
        self._spelled = 0, ""

    @property
    def address(self) -> str:
        """A fork has another one: its keys must not be those of its parent."""
        process, address = self._spelled
        if process != os.getpid():
            address = new_epoch()
            self._spelled = os.getpid(), address
        return address

    def sequence(self, proposal: Proposal) -> Sequenced:
        sequenced = self._codec.sequenced(self._run(self._codec.script_call(proposal)))
        if sequenced.position is not None:
            self._high_water_mark.is_at(sequenced.position)
        return sequenced

    def send(self, address: str, envelope: Envelope) -> None:
        sealed = self._codec.signatures.sealed(address, encode_json(envelope))
        arguments = address, ENVELOPES, ENVELOPES_AGE, sealed
        self._run(ScriptCall(scripts.SEND, arguments), most_tries=1)

    def servers(self) -> tuple[str, ...]:
        return tuple(sorted(server.decode() for server in self._ask(ScriptCall(scripts.BEAT, ("", 0, "")))))

    def top(self) -> Position | None:
        epoch, offset = self._ask(ScriptCall(scripts.TOP, ()))
        return None if epoch is None else Position(epoch.decode(), int(offset))

    def inbox(self) -> RedisInbox:
        """To be opened before something is sent that is answered by envelopes."""
        return RedisInbox(self._waiting, self._codec, self.address, self._name)

    def follow(self, question: Follow) -> Iterator[Message]:
        """What is published, the last so many first."""
        return tail.follow(self._waiting, self._codec, self._name, question)

    def close(self) -> None:
        for redis in (self._redis, self._waiting):
            redis.connection_pool.disconnect()

    def _ask(self, call: ScriptCall) -> Any:
        try:
            return self._run(call)
        except PublishFailed as problem:
            raise BrokerUnreachable(self._name, str(problem)) from problem

    def _run(self, call: ScriptCall | PendingScriptCall, most_tries: int | None = None) -> Any:
        """The reply. What may not have arrived is sent again, with the same key, while there is time."""
        deadline, pause = monotonic() + self._timeout, SHORTEST
        for tries in count(1):
            try:
                return self._run_once(call)
            except AuthenticationError as problem:
                raise PublishFailed(f"{self._name} refused it: {reason_of(problem)}") from problem
            except ResponseError as problem:
                reason: Exception = problem
                if not will_pass(problem, is_patient=False):
                    raise PublishFailed(f"{self._name} refused it: {reason_of(problem)}") from problem
            except LOST as problem:
                reason = problem
            if tries == most_tries or monotonic() + pause >= deadline:
                why = f"did not confirm it in {self._timeout:g} s: {reason_of(reason)}"
                raise PublishFailed(f"{self._name} {why}") from reason
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_WAITED_FOR)
        raise AssertionError("count() has no end")

    def _run_once(self, call: ScriptCall | PendingScriptCall) -> Any:
        first = (
            (epoch_argument(self._high_water_mark.position),) if isinstance(call, PendingScriptCall) else ()
        )
        arguments = (1, self._codec.key, *first, *call.arguments)
        try:
            return self._redis.evalsha(call.script.sha, *arguments)
        except NoScriptError:
            return self._redis.eval(call.script.text, *arguments)  # it knows it from now on


class RedisInbox:
    """The envelopes to this process, from now on. Of several threads each has one, and sees all of them."""

    def __init__(self, redis: Redis, codec: BusCodec, address: str, name: str) -> None:
        self._redis, self._key, self._name = redis, codec.inbox(address), name
        self._signatures, self._address = codec.signatures, address
        key = self._key
        newest = self._ask(lambda: redis.xrevrange(key, count=1))
        self._last: bytes = newest[0][0] if newest else b"0-0"

    def receive(self, timeout: float) -> list[Envelope]:
        """The next ones; none when none came in time."""
        block = max(1, int(min(timeout, LONGEST_BLOCK) * 1000))
        streams = self._ask(lambda: self._redis.xread({self._key: self._last}, count=500, block=block))
        envelopes: list[Envelope] = []
        for id_, fields in streams[0][1] if streams else ():
            self._last = id_
            try:
                envelopes.append(self._signatures.read_envelope(self._address, fields[b"n"]))
            except (ValueError, KeyError, RecursionError):
                continue
        return envelopes

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (RedisError, OSError) as problem:
            raise BrokerUnreachable(self._name, reason_of(problem)) from problem
