"""What is kept of one channel, and from which position on that is complete."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule


@dataclass(frozen=True, slots=True)
class ChannelImage:
    """What a log keeps of a channel."""

    channel: str
    lost: int  # the offset of the last message that was dropped
    last: int  # and of the last that was published
    number: int
    published: int  # how many
    messages: list[Message]  # oldest first


class History:
    __slots__ = ("_bytes", "_first", "_kept", "last", "last_time", "lost", "number", "published_count")

    def __init__(self, lost: int, number: int) -> None:
        # The offset of the last message that was dropped, and of the last that was published.
        self.lost = self.last = lost
        self.number = number
        self.published_count = 0
        self.last_time = 0.0
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
        self.published_count += message.retracts is None
        self.last_time = now
        self._bytes += message.size
        self._kept.append((self.last, now, message))

    def renew(self, epoch: str) -> None:
        self._kept[:] = [
            one and (one[0], one[1], replace(one[2], position=Position(epoch, one[0]))) for one in self._kept
        ]

    def image(self, channel: str) -> ChannelImage:
        messages = [message for _, _, message in self._kept[self._first :]]
        return ChannelImage(channel, self.lost, self.last, self.number, self.published_count, messages)

    def restore(self, image: ChannelImage, age_of: Callable[[Message], float], now: float) -> None:
        for message in image.messages:
            self.add(message, now - age_of(message))
        self.last, self.number, self.published_count = image.last, image.number, image.published

    def drop(self, rule: Rule, now: float) -> None:
        kept, first, oldest = self._kept, self._first, now - rule.history_age
        while first < len(kept) and (
            len(kept) - first > rule.history_size
            or self._bytes > rule.history_bytes
            or kept[first][1] < oldest
        ):
            self.lost, _, message = kept[first]
            self._bytes -= message.size
            kept[first] = None
            first += 1
        if first * 2 > len(kept):
            del kept[:first]
            first = 0
        self._first = first

    def after(self, offset: int) -> list[Message]:
        kept = [message for _, _, message in self._kept[self._index_after(offset) :]]
        return [one for one in kept if one.retracts is None or one.retracts <= offset]

    def newest(self, count: int) -> list[Message]:
        messages = [one for _, _, one in self._kept[self._first :] if one.retracts is None]
        return messages[max(0, len(messages) - count) :]

    def find(self, is_meant: Callable[[Message], bool]) -> Message | None:
        messages = (one for _, _, one in self._kept[self._first :] if one.retracts is None)
        return next(filter(is_meant, messages), None)

    def take_out(self, message: Message) -> None:
        index = self._index_after(message.position.offset - 1)
        assert self._kept[index][2] is message
        del self._kept[index]
        self._bytes -= message.size

    def _index_after(self, offset: int) -> int:
        # A shorter tuple comes before the longer ones that begin like it.
        return bisect_left(self._kept, (offset + 1,), lo=self._first)
