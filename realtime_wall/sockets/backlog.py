"""What a client missed, told as fast as it reads.

A log may hold far more than an outbox takes. A client that was cut off because it had missed too much
would come back and have missed the same again. So what was missed leaves in portions, the next one when
the last has left; what is published meanwhile waits behind it, and that is limited as an outbox is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from realtime_wall.channels.message import Message
from realtime_wall.wire.connection import DROPPED, QUEUED, Written

# Large enough to keep a connection busy, small enough to be encoded quickly.
PORTION = 64 * 1024


class Road(Protocol):
    """What leads to the client: a wire, or what a polling client is answered."""

    @property
    def is_open(self) -> bool: ...
    @property
    def outbox_size(self) -> int: ...
    def when_drained(self, callback: Callable[[], None]) -> None: ...
    def abort(self, reason: str) -> None: ...


class Backlog:
    __slots__ = ("_limit", "_live", "_live_size", "_missed", "_wanted", "_road", "_write")

    def __init__(
        self,
        road: Road,
        write: Callable[[list[Message]], object],
        is_wanted: Callable[[str], bool],
        limit: int,
    ) -> None:
        self._road = road
        self._write = write
        self._wanted = is_wanted  # whether the client is still on a channel
        self._limit = limit
        self._missed: deque[Message] = deque()
        self._live: deque[Message] = deque()
        self._live_size = 0

    @property
    def is_waiting(self) -> bool:
        return bool(self._missed or self._live)

    def tell(self, channel: str, missed: list[Message]) -> None:
        """Write what was missed on a channel, and forget what waited for an earlier stay on it."""
        self._missed = deque(one for one in self._missed if one.channel != channel)
        self._live = deque(one for one in self._live if one.channel != channel)
        self._live_size = sum(one.size for one in self._live)
        self._missed.extend(missed)
        self._go_on()

    def add(self, messages: list[Message]) -> Written:
        """Let live messages wait behind what was missed."""
        self._live.extend(messages)
        self._live_size += sum(one.size for one in messages)
        if self._live_size <= self._limit:
            return QUEUED
        self._road.abort("reads too slowly")
        return DROPPED

    def _go_on(self) -> None:
        while self.is_waiting and self._road.is_open and not self._road.outbox_size:
            self._write(self._portion())
        if not self._road.is_open:
            self._missed.clear()
            self._live.clear()
        elif self.is_waiting:
            self._road.when_drained(self._go_on)

    def _portion(self) -> list[Message]:
        portion: list[Message] = []
        size = 0
        while self.is_waiting and size < PORTION:
            if self._missed:
                message = self._missed.popleft()
            else:
                message = self._live.popleft()
                self._live_size -= message.size
            if self._wanted(message.channel):
                portion.append(message)
                size += message.size
        return portion
