"""What a client missed, sent as fast as it reads.

A log may hold far more than an outbox takes. A client that was cut off because it had missed too much
would come back and have missed the same again. So what was missed leaves in portions, the next one when
the last has left; what is published meanwhile waits behind it, and that is limited as an outbox is. Live
messages of a channel that can do without some of them wait here, too, when the client is behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap
from realtime_wall.channels.rules import Rules
from realtime_wall.sockets.delivery.overflow_queue import OverflowQueue
from realtime_wall.wire.connection import DROPPED, QUEUED, Written

# Large enough to keep a connection busy, small enough to be encoded quickly.
PORTION = 64 * 1024


class Connection(Protocol):
    """A wire, or an Engine.IO session, whose client may poll."""

    @property
    def is_open(self) -> bool: ...
    @property
    def outbox_size(self) -> int: ...
    def when_drained(self, callback: Callable[[], None]) -> None: ...
    def abort(self, reason: str) -> None: ...


class Backlog:
    __slots__ = ("_connection", "_emptied", "_is_wanted", "_live", "_missed", "_write", "_write_gap")

    def __init__(
        self,
        connection: Connection,
        write: Callable[[list[Message]], object],
        write_gap: Callable[[Gap], object],
        is_wanted: Callable[[str], bool],
        rules: Rules,
        limit: int,
        emptied: Callable[[], object] = lambda: None,
    ) -> None:
        self._connection = connection
        self._emptied = emptied  # called when the last of it was written
        self._write = write
        self._write_gap = write_gap
        self._is_wanted = is_wanted  # whether the client is still on a channel
        self._missed: deque[Message | Gap] = deque()
        self._live = OverflowQueue(rules, limit)

    @property
    def is_waiting(self) -> bool:
        return bool(self._missed or self._live)

    def send(self, items: Iterable[Message | Gap]) -> None:
        """Write what was missed on channels that nothing waits for yet."""
        self._missed.extend(items)
        self._go_on()

    def resend(self, channel: str, items: Iterable[Message | Gap]) -> None:
        """Write what was missed on a channel, and forget what waited for an earlier stay on it."""
        for index, item in enumerate(self._missed):
            if isinstance(item, Gap):
                self._missed[index] = replace(
                    item, channels=[name for name in item.channels if name != channel]
                )
        self._missed = deque(one for one in self._missed if isinstance(one, Gap) or one.channel != channel)
        self._live.leave_out(channel)
        self.send(items)

    def add(self, messages: list[Message]) -> Written:
        """Let live messages wait behind what was missed, or what the client has not read."""
        was_waiting = self.is_waiting
        if not self._live.add(messages):
            self._connection.abort("reads too slowly")
            return DROPPED
        if not was_waiting:
            self._go_on()
        return QUEUED

    def _go_on(self) -> None:
        while self.is_waiting and self._connection.is_open and not self._connection.outbox_size:
            first = self._missed[0] if self._missed else None
            if isinstance(first, Gap):
                self._missed.popleft()
                self._write_gap_of(first)
            elif portion := self._portion():
                self._write_what_is_left_out(portion[0].position)
                self._write(portion)
        if not self._connection.is_open:
            self._missed.clear()
            self._live.clear()
        elif self.is_waiting:
            self._connection.when_drained(self._go_on)
        else:
            self._emptied()

    def _write_what_is_left_out(self, first: Position) -> None:
        gaps, self._live.gaps = sorted(self._live.gaps), set()
        self._write_gap_of(Gap(gaps, Position(first.epoch, first.offset - 1)))

    def _write_gap_of(self, gap: Gap) -> None:
        channels = list(filter(self._is_wanted, gap.channels))
        if channels:
            self._write_gap(replace(gap, channels=channels))

    def _portion(self) -> list[Message]:
        """Messages up to the next gap."""
        portion: list[Message] = []
        size = 0
        while size < PORTION and (message := self._next_message()):
            if self._is_wanted(message.channel):
                portion.append(message)
                size += message.size
        return portion

    def _next_message(self) -> Message | None:
        if not self._missed:
            return self._live.take() if self._live else None
        first = self._missed[0]
        if isinstance(first, Gap):
            return None
        self._missed.popleft()
        return first
