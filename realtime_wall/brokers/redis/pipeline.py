"""What many greenlets send to Redis at once goes out on one connection, in order, as much as has gathered.

A connection that is lost leaves open what became of all that was sent on it. So it is sent again, with the
same keys, until the time is over that its caller waits. What is spooled is sent again for as long as this
process lives, and nothing newer goes before it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from redis.connection import ConnectionPool
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from realtime_wall.brokers.redis.bus_codec import (
    HighWaterMark,
    PendingScriptCall,
    epoch_argument,
    reason_of,
    will_pass,
)
from realtime_wall.brokers.redis.outage import LONGEST_WAITED_FOR, Outage
from realtime_wall.brokers.redis.script_connection import ScriptCall, ScriptConnection
from realtime_wall.brokers.waiting import check_may_wait
from realtime_wall.errors import PublishFailed

log = logging.getLogger(__name__)

AT_ONCE, AT_ONCE_BYTES = 200, 4 * 1024 * 1024
SPOOLED = 10_000


@dataclass(slots=True, eq=False)
class _Item:
    call: ScriptCall | PendingScriptCall
    deadline: float | None = None  # None: for ever
    is_once: bool = False  # not sent again when it may have arrived
    reply: AsyncResult[Any] | None = field(default_factory=AsyncResult)

    @property
    def size(self) -> int:
        return sum(len(text) for text in self.call.arguments if isinstance(text, str))

    @property
    def is_over(self) -> bool:
        return self.deadline is not None and monotonic() >= self.deadline


class Pipeline:
    def __init__(
        self, pool: ConnectionPool, key: str, high_water_mark: HighWaterMark, timeout: float, name: str
    ) -> None:
        self._pool, self._key, self._high_water_mark, self._timeout = pool, key, high_water_mark, timeout
        self._name = name
        self._outage = Outage(f"publishing to {name}", LONGEST_WAITED_FOR)
        self._waiting: deque[_Item] = deque()
        self._is_waiting, self._stopping, self._idle = Event(), Event(), Event()
        self._connection: ScriptConnection | None = None
        self._greenlet: gevent.Greenlet[..., Any] | None = None
        self.on_well: Callable[[], None] = lambda: None  # called when Redis is back
        self.spooled = 0

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self, timeout: float = 1.0) -> None:
        """Send what is still to be sent, if that can be done at once."""
        self._stopping.set()
        self._is_waiting.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout)
            self._greenlet.kill()
        if self.spooled:
            log.error("%s: %d spooled messages were not published", self._name, self.spooled)

    @property
    def is_behind(self) -> bool:
        """Whether what is sent now would wait behind something that is spooled, or for Redis to come back."""
        return bool(self.spooled or self._outage)

    def run(self, call: ScriptCall | PendingScriptCall) -> Any:
        """The reply. PublishFailed when it does not come in time, or is a refusal."""
        check_may_wait()
        item = _Item(call, monotonic() + self._timeout)
        self._put(item)
        assert item.reply is not None
        try:
            return item.reply.get(timeout=self._timeout)
        except gevent.Timeout:
            item.deadline = 0.0  # whatever comes is too late
            why = self._outage.reason or "no answer"
            raise PublishFailed(f"{self._name} did not confirm it in {self._timeout:g} s: {why}") from None

    def spool(self, call: PendingScriptCall) -> None:
        """Send it before anything newer, however long that takes."""
        if self.spooled >= SPOOLED:
            raise PublishFailed(f"{self._name} is gone, and {SPOOLED:,} messages are spooled already")
        self.spooled += 1
        self._put(_Item(call, reply=None))

    def send(self, call: ScriptCall) -> None:
        """Send it if that can be done; nobody waits."""
        self._put(_Item(call, monotonic() + self._timeout, is_once=True, reply=None))

    def _put(self, item: _Item) -> None:
        self._waiting.append(item)
        self._is_waiting.set()

    # The greenlet

    def _run(self) -> None:
        try:
            while self._wait():
                batch = self._take()
                if batch:
                    pause = self._send(batch)
                    if pause:
                        self._stopping.wait(pause)
                        if self._stopping.is_set():
                            return
        finally:
            self._hang_up()

    def _wait(self) -> bool:
        if not self._waiting:
            if self._stopping.is_set():
                return False
            self._is_waiting.clear()
            self._is_waiting.wait()
        return bool(self._waiting) or not self._stopping.is_set()

    def _take(self) -> list[_Item]:
        batch: list[_Item] = []
        size = 0
        while self._waiting and len(batch) < AT_ONCE and size < AT_ONCE_BYTES:
            item = self._waiting.popleft()
            if not item.is_over:
                batch.append(item)
                size += item.size
        return batch

    def _send(self, batch: list[_Item]) -> float:
        """Send it, and hand out the replies; for how long to wait before what is left is sent again."""
        is_sent = False
        try:
            connection = self._connect()
            first = epoch_argument(self._high_water_mark.position)
            is_sent = True
            replies = connection.run([_with_first(item.call, first) for item in batch])
        except (RedisError, OSError) as problem:
            self._hang_up()
            pause = self._outage.lasts(problem)
            if isinstance(problem, AuthenticationError):
                self._refuse(batch, problem)
            self._again([item for item in batch if not (item.is_once and is_sent)])
            return pause
        return self._hand_out(batch, replies)

    def _connect(self) -> ScriptConnection:
        if self._connection is None:
            connection = ScriptConnection(self._pool, self._key)
            try:
                connection.connect()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _hand_out(self, batch: list[_Item], replies: list[Any]) -> float:
        left: list[_Item] = []
        refused: ResponseError | None = None
        for item, reply in zip(batch, replies, strict=True):
            if not isinstance(reply, ResponseError):
                if item.reply is not None:
                    item.reply.set(reply)
                elif item.deadline is None:
                    self.spooled -= 1
                continue
            if will_pass(reply, is_patient=item.deadline is None):
                refused = reply
                left.append(item)
            elif item.reply is not None:
                item.reply.set_exception(PublishFailed(f"{self._name} refused it: {reason_of(reply)}"))
            elif item.deadline is None:
                self.spooled -= 1
                log.error("%s refused a spooled message: %s", self._name, reason_of(reply))
        if refused is None:
            if self._outage:
                self._outage.over()
                self.on_well()
            return 0.0
        self._hang_up()  # it may be a replica now
        self._again(left)
        return self._outage.lasts(reason_of(refused))

    def _again(self, items: list[_Item]) -> None:
        self._waiting.extendleft(reversed([item for item in items if not item.is_over]))

    def _refuse(self, batch: list[_Item], problem: Exception) -> None:
        for item in batch:
            if item.reply is not None:
                item.reply.set_exception(PublishFailed(f"{self._name} refused it: {problem}"))
                item.deadline = 0.0


def _with_first(call: ScriptCall | PendingScriptCall, first: str) -> ScriptCall:
    if isinstance(call, PendingScriptCall):
        return ScriptCall(call.script, (first, *call.arguments))
    return call
