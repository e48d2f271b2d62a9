"""What did a client miss that stopped at this position?

The log answers with every message of the channel, in order, or with HistoryLost. It never gives
a part of the answer. One rising number serves all channels, so that one cursor is enough for a
client of many; a jump in it is no gap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from typing import Any

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.errors import HistoryLost


class Log:
    """The last messages of every channel, bounded by number, bytes and age.

    ``now`` is a clock that only rises; ``time`` is what the message says about its date.
    """

    def __init__(
        self,
        epoch: str,
        *,
        history_size: int,
        history_bytes: int,
        history_age: float,
        history_channels: int,
    ) -> None:
        self.top = Position(epoch, 0)
        self._size = history_size
        self._bytes = history_bytes
        self._age = history_age
        self._channels_kept = history_channels
        # The channel longest silent comes first.
        self._channels: OrderedDict[str, _History] = OrderedDict()
        # All that is remembered of channels that were forgotten: what the last of them lost, and
        # the highest number one of them had, so that no channel ever uses a number twice.
        self._lost = 0
        self._number = 0

    def append(
        self,
        channel: str,
        data_json: str,
        *,
        event: str | None = None,
        event_id: str | None = None,
        exclude: str | None = None,
        arity: int = 1,
        now: float,
        time: float,
    ) -> Message:
        """Give a message its position and keep it for those who come back."""
        self.expire(now)
        history = self._channels.get(channel)
        if history is None:
            history = self._channels[channel] = _History(self._lost, self._number)
        else:
            self._channels.move_to_end(channel)
        self.top = Position(self.top.epoch, self.top.offset + 1)
        number = history.number + 1
        message = Message(channel, data_json, self.top, number, time, event, event_id, exclude, arity)
        history.add(message, now)
        history.drop(self._size, self._bytes, now - self._age)
        if not history:
            self._forget(channel)
        elif len(self._channels) > self._channels_kept:
            self._forget(next(iter(self._channels)))
        return message

    def since(self, channel: str, position: Position, now: float) -> list[Message]:
        """Everything on the channel after the position, oldest first."""
        if position.epoch != self.top.epoch or position.offset > self.top.offset:
            raise HistoryLost(channel, position)
        history = self._current(channel, now)
        if position.offset < (self._lost if history is None else history.lost):
            raise HistoryLost(channel, position)
        return [] if history is None else history.after(position.offset)

    def newest(self, channel: str, count: int, now: float) -> list[Message]:
        """Up to this many messages of the channel, oldest first."""
        history = self._current(channel, now)
        return [] if history is None else history.newest(count)

    def last_number(self, channel: str) -> int:
        """The number of the channel's last message; the next one has a higher one."""
        history = self._channels.get(channel)
        return self._number if history is None else history.number

    def expire(self, now: float) -> None:
        """Forget the channels whose last message has become too old."""
        oldest = now - self._age
        while self._channels:
            channel = next(iter(self._channels))
            if self._channels[channel].published >= oldest:
                return
            self._forget(channel)

    def _current(self, channel: str, now: float) -> _History | None:
        self.expire(now)
        history = self._channels.get(channel)
        if history is not None:
            history.drop(self._size, self._bytes, now - self._age)
        return history

    def _forget(self, channel: str) -> None:
        history = self._channels.pop(channel)
        self._lost = max(self._lost, history.last)
        self._number = max(self._number, history.number)


class _History:
    """What is kept of one channel, and from which position on that is complete."""

    __slots__ = ("_bytes", "_first", "_kept", "last", "lost", "number", "published")

    def __init__(self, lost: int, number: int) -> None:
        # The offset of the last message that was dropped, and of the last that was published.
        self.lost = self.last = lost
        self.number = number
        self.published = 0.0
        self._bytes = 0
        # (offset, when it was published, message), in a list, because an offset is looked up by
        # bisection. What is dropped leaves None until half the list is None: so dropping costs
        # the same however long the list is.
        self._kept: list[Any] = []
        self._first = 0

    def __len__(self) -> int:
        return len(self._kept) - self._first

    def add(self, message: Message, now: float) -> None:
        self.last = message.position.offset
        self.number = message.number
        self.published = now
        self._bytes += message.size
        self._kept.append((self.last, now, message))

    def drop(self, size: int, room: int, oldest: float) -> None:
        """Keep at most ``size`` messages, in ``room`` bytes, none from before ``oldest``."""
        kept = self._kept
        while self and (len(self) > size or self._bytes > room or kept[self._first][1] < oldest):
            self.lost, _, message = kept[self._first]
            self._bytes -= message.size
            kept[self._first] = None
            self._first += 1
        if self._first * 2 > len(kept):
            del kept[: self._first]
            self._first = 0

    def after(self, offset: int) -> list[Message]:
        # A shorter tuple comes before the longer ones that begin like it.
        start = bisect_left(self._kept, (offset + 1,), lo=self._first)
        return [message for _, _, message in self._kept[start:]]

    def newest(self, count: int) -> list[Message]:
        start = max(self._first, len(self._kept) - count)
        return [message for _, _, message in self._kept[start:]]
