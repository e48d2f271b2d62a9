"""From where is a channel to be told to somebody who comes, or comes back?

Clients say it in several ways. A cursor is exact; the others are what nginx push stream's clients
know: the id of an event, the second of a message and its tag, or a number of messages to look back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


NOTHING = Since()


class History(Protocol):
    """What is asked of a broker."""

    began: float  # since 1970

    @property
    def top(self) -> Position: ...
    def kept_since(self, channel: str, offset: int) -> tuple[list[Message], int | None]: ...
    def position_of(self, channel: str, event_id: str) -> Position | None: ...
    def since_time(self, channel: str, when: float) -> list[Message]: ...
    def newest(self, channel: str, count: int) -> list[Message]: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Of channels something was lost, up to a position. What came after it is told.

    The reader stands there when the last of the channels was told of, and ``before`` until then: were it cut
    off in between, it would never hear of the others. None is where it stood when it came.
    """

    channels: Sequence[str]
    position: Position
    before: Position | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """What somebody who comes to several channels is told first.

    A gap has its place among the messages: who was told of a later one is never told of it again.
    """

    told: list[Message | Gap]  # in the order of their positions
    # Where the reader stands before the first of them; None as long as that is where it stood when it came.
    position: Position | None

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.told if isinstance(one, Message)]

    def fits(self, size: int) -> bool:
        """Whether it is no gap and no more than so many bytes: then it may leave in one piece."""
        messages = self.messages
        return len(messages) == len(self.told) and sum(one.size for one in messages) <= size


def start(history: History, channels: Mapping[str, int], since: Since) -> Start:
    """What is to be told of channels first; with each comes of how many messages a new client is told."""
    event = _position_of(history, channels, since)
    messages: list[Message] = []
    lost: dict[int, list[str]] = {}  # up to where, and of which channels
    for channel, backtrack in channels.items():
        missed, lost_until = _missed(history, channel, since, event, backtrack)
        messages += missed
        if lost_until is not None:
            lost.setdefault(lost_until, []).append(channel)
    messages.sort(key=_offset)
    if not lost:
        return Start([*messages], _before(messages[0].position) if messages else history.top)
    return _with_gaps(messages, lost, history.top.epoch, since.position)


def _with_gaps(
    messages: Sequence[Message], lost: Mapping[int, list[str]], epoch: str, before: Position | None
) -> Start:
    told: list[Message | Gap] = []
    left = sorted(lost.items(), reverse=True)
    for message in messages:
        while left and left[-1][0] < message.position.offset:
            offset, channels = left.pop()
            told.append(Gap(channels, Position(epoch, offset), told[-1].position if told else before))
        told.append(message)
    for offset, channels in reversed(left):
        told.append(Gap(channels, Position(epoch, offset), told[-1].position if told else before))
    return Start(told, None if isinstance(told[0], Gap) else _before(told[0].position))


def _position_of(history: History, channels: Iterable[str], since: Since) -> Position | None:
    """Where an event is of which only the id is known: on the first of the channels that had it."""
    if since.event_id is None:
        return None
    found = (history.position_of(channel, since.event_id) for channel in channels)
    return min(filter(None, found), key=lambda position: position.offset, default=None)


# The messages of a channel, the oldest first, and up to which offset something before them was lost.
_Missed = tuple[list[Message], int | None]


def _missed(history: History, channel: str, since: Since, event: Position | None, backtrack: int) -> _Missed:
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


def _since(history: History, channel: str, position: Position) -> _Missed:
    top = history.top
    if position.epoch != top.epoch or position.offset > top.offset:
        return [], top.offset  # nobody can say which of the messages it has had
    return history.kept_since(channel, position.offset)


def _since_time(history: History, channel: str, when: float, tag: int | None) -> _Missed:
    if tag is not None and when < int(history.began):  # it is the tag of another log
        messages, lost_until = history.kept_since(channel, 0)
        return messages, lost_until or 0
    if tag is None or tag > history.top.offset:
        return history.since_time(channel, when), None
    return _since(history, channel, Position(history.top.epoch, tag))


def _offset(message: Message) -> int:
    return message.position.offset


def _before(position: Position) -> Position:
    return Position(position.epoch, position.offset - 1)
