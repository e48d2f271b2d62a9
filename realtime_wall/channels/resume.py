"""What has somebody missed who comes to a channel, or comes back?

Clients ask in several ways. A cursor is exact; the others are what nginx push stream's clients
know: the id of an event, the second of a message and its tag, or a number of messages to look back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position


@dataclass(frozen=True, slots=True)
class Since:
    """What a client had last; all of it empty for one that is new."""

    position: Position | None = None
    event_id: str | None = None
    time: float | None = None  # in whole seconds since 1970
    tag: int | None = None  # a message's place: its offset

    def __bool__(self) -> bool:
        return self != NOTHING

    @classmethod
    def had(cls, position: Position | None) -> Since:
        return NOTHING if position is None else cls(position)


NOTHING = Since()


class ReadableHistory(Protocol):
    """What is asked of a broker."""

    @property
    def top(self) -> Position: ...
    @property
    def log_began(self) -> float: ...  # when its epoch did, in seconds since 1970
    def kept_since(self, channel: str, offset: int) -> tuple[list[Message], int | None]: ...
    def position_of(self, channel: str, event_id: str) -> Position | None: ...
    def since_time(self, channel: str, when: float) -> list[Message]: ...
    def newest(self, channel: str, count: int) -> list[Message]: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Of channels something was lost, up to a position. What came after it follows.

    The reader stands there when it has had the last of the channels, and at ``before`` until then: were it
    cut off in between, it would never hear of the others. None is where it stood when it came.
    """

    channels: Sequence[str]
    position: Position
    before: Position | None = None


# What a reader is sent, in the order of the log. A gap stands where something was lost, behind what came
# before: who has had a later message has had the gap, too, and is never sent it again.
Items = list[Message | Gap]


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What somebody who comes to channels, or comes back, is sent before live messages."""

    items: Items
    # Where the reader stands before the first message: at the end of the log when there is none, and behind
    # a gap when that comes first.
    cursor: Position

    @property
    def gap(self) -> Gap | None:
        """The first item, if that is a gap."""
        first = self.items[0] if self.items else None
        return first if isinstance(first, Gap) else None

    @property
    def has_gap(self) -> bool:
        return any(isinstance(item, Gap) for item in self.items)


def messages_of(items: Items) -> list[Message]:
    return [item for item in items if isinstance(item, Message)]


def fits(items: Items, size: int) -> bool:
    """Whether they may leave in one piece: no gap is among them, and they are no more than so many bytes."""
    messages = messages_of(items)
    return len(messages) == len(items) and sum(message.size for message in messages) <= size


def catch_up(
    history: ReadableHistory,
    channels: Mapping[str, int],
    since: Since,
    is_for_reader: Callable[[Message], bool] = lambda message: True,
) -> CatchUp:
    """What follows ``since`` on channels; with each comes how many messages a new client is sent."""
    if since is NOTHING and not any(channels.values()):
        return CatchUp([], history.top)
    event = _position_of(history, channels, since)
    messages: list[Message] = []
    lost: dict[int, list[str]] = {}  # up to where, and of which channels
    for channel, backtrack in channels.items():
        missed, lost_until = _missed(history, channel, since, event, backtrack)
        messages += filter(is_for_reader, missed)
        if lost_until is not None:
            lost.setdefault(lost_until, []).append(channel)
    messages.sort(key=_offset)
    top = history.top
    if not lost:
        return CatchUp([*messages], _before(messages[0].position) if messages else top)
    items = _with_gaps(messages, lost, top, since.position)
    first = items[0]
    return CatchUp(items, first.position if isinstance(first, Gap) else _before(first.position))


def merge(several: Iterable[CatchUp]) -> Items:
    """The items of channels that were caught up from different positions, in the order of the log."""
    return sorted((item for one in several for item in one.items), key=_offset)


def _with_gaps(
    messages: Sequence[Message], lost: Mapping[int, list[str]], top: Position, before: Position | None
) -> Items:
    items: Items = []
    left = sorted(lost.items(), reverse=True)
    for message in messages:
        while left and left[-1][0] < message.position.offset:
            offset, channels = left.pop()
            items.append(Gap(channels, Position(top.epoch, offset), items[-1].position if items else before))
        items.append(message)
    if left:  # nothing follows: behind them the reader has everything
        channels = [channel for _, some in reversed(left) for channel in some]
        items.append(Gap(channels, top, items[-1].position if items else before))
    return items


def _position_of(history: ReadableHistory, channels: Iterable[str], since: Since) -> Position | None:
    """Of an event of which only the id is known: on the first of the channels that had it."""
    if since.event_id is None:
        return None
    found = (history.position_of(channel, since.event_id) for channel in channels)
    return min(filter(None, found), key=lambda position: position.offset, default=None)


# The messages of a channel, the oldest first, and up to which offset something before them was lost.
_Missed = tuple[list[Message], int | None]


def _missed(
    history: ReadableHistory, channel: str, since: Since, event: Position | None, backtrack: int
) -> _Missed:
    """A cursor wins over looking back: a browser that returns by itself repeats the address, and with it
    the number it began with.
    """
    if since.position is not None:
        return _since(history, channel, since.position)
    if backtrack:
        return history.newest(channel, backtrack), None
    if since.event_id is not None:
        if event is None:
            return [], history.top.offset
        return _since(history, channel, history.position_of(channel, since.event_id) or event)
    if since.time is not None:
        return _since_time(history, channel, since.time, since.tag)
    return [], None


def _since(history: ReadableHistory, channel: str, position: Position) -> _Missed:
    top = history.top
    if position.epoch != top.epoch or position.offset > top.offset:
        return [], top.offset  # nobody can say which of the messages it has had
    return history.kept_since(channel, position.offset)


def _since_time(history: ReadableHistory, channel: str, when: float, tag: int | None) -> _Missed:
    if tag is not None and when < int(history.log_began):  # it is the tag of another log
        messages, lost_until = history.kept_since(channel, 0)
        return messages, lost_until or 0
    if tag is None or tag > history.top.offset:
        return history.since_time(channel, when), None
    return _since(history, channel, Position(history.top.epoch, tag))


def _offset(item: Message | Gap) -> int:
    return item.position.offset


def _before(position: Position) -> Position:
    return Position(position.epoch, position.offset - 1)
