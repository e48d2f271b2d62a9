"""This process's copy of the log: what every server enters in the same order, each at its own time.

Whoever comes back gets from it what was missed, without a question to anybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from time import monotonic

from gevent.event import Event

from realtime_wall.brokers.entry import Deleted, Entry
from realtime_wall.brokers.sequencer import keep, new_epoch
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules


class Replica:
    def __init__(self, rules: Rules, history_channels: int) -> None:
        self.log = Log(new_epoch(), rules.of, history_channels=history_channels)
        self.began = self.log.began = time.time()
        self._waiting: dict[int, Event] = {}

    # What is entered

    def restore(self, image: Iterator[ChannelImage | Image]) -> None:
        now = time.time()
        self.log.restore(image, lambda message: max(0.0, now - message.time), monotonic())
        self._wake()

    def renew(self) -> Log:
        """Begin a new epoch."""
        self.log.renew(new_epoch(), time.time())
        return self.log

    def take_over(self, restored: Iterator[ChannelImage | Image] | None = None) -> Log:
        """Be the log that gives places: with what an earlier one has left, or with a new epoch."""
        if restored is None:
            return self.renew()
        self.restore(restored)
        return self.log

    def enter(self, entry: Entry) -> None:
        """The same as the log did that gave the entry its place."""
        item = entry.item
        if isinstance(item, Deleted):
            self.log.delete(item.channel)
        elif not item.is_volatile and item.position.offset > self.log.top.offset:
            keep(self.log, item, monotonic())
            if self._waiting:
                self._wake()

    def wait_for(self, position: Position, seconds: float) -> None:
        """Let this process come up to a position that a client has seen elsewhere, if it does so in time."""
        if position.epoch != self.log.top.epoch or position.offset <= self.log.top.offset:
            return
        self._waiting.setdefault(position.offset, Event()).wait(seconds)

    def _wake(self) -> None:
        for offset in [offset for offset in self._waiting if offset <= self.log.top.offset]:
            self._waiting.pop(offset).set()

    def on_forgotten(self, callback: Callable[[str], None]) -> None:
        """Call it with each channel of which nothing is kept any more; it must not touch the log."""
        self.log.on_forgotten = callback

    def expire(self) -> None:
        """Forget what has become too old."""
        self.log.expire(monotonic())

    def delete(self, channel: str) -> bool:
        """Forget a channel here; False when nothing is kept of it."""
        return self.log.delete(channel)

    # What is asked

    @property
    def log_began(self) -> float:
        return self.log.began

    @property
    def top(self) -> Position:
        return self.log.top

    def kept(self, channel: str) -> int:
        """How many messages of a channel are kept."""
        return self.log.kept(channel, monotonic())

    def newest(self, channel: str, count: int) -> list[Message]:
        """Up to this many messages of a channel, oldest first."""
        return self.log.newest(channel, count, monotonic())

    def since(self, channel: str, position: Position) -> list[Message]:
        """Everything on a channel after a position, or HistoryLost."""
        return self.log.since(channel, position, monotonic())

    def kept_since(self, channel: str, offset: int) -> tuple[list[Message], int | None]:
        """What is kept of a channel after an offset, and up to which one something was lost."""
        return self.log.kept_since(channel, offset, monotonic())

    def position_of(self, channel: str, event_id: str) -> Position | None:
        """That of the first kept message of a channel with this event id."""
        return self.log.position_of(channel, event_id, monotonic())

    def since_time(self, channel: str, when: float) -> list[Message]:
        """Everything on a channel from this second on, as far as it is kept."""
        return self.log.since_time(channel, when, monotonic())

    def published(self, channel: str) -> int:
        """How many messages a channel has had, as long as any of them is kept."""
        return self.log.published(channel)

    def totals(self) -> tuple[int, int]:
        """How many messages have been published on the channels that are kept, and how many are stored."""
        return self.log.totals()

    @property
    def channel_count(self) -> int:
        """Of how many channels something is kept."""
        return self.log.channel_count

    def channels(self) -> Iterator[str]:
        """The names of the channels of which something is kept."""
        return self.log.channels()
