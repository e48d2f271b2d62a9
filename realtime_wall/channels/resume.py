"""From where is a channel to be told to somebody who comes, or comes back?

Clients say it in several ways. A cursor is exact; the others are what nginx push stream's clients
know: the id of an event, the second of a message and its tag, or a number of messages to look back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.errors import HistoryLost


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
    def since(self, channel: str, position: Position) -> list[Message]: ...
    def since_event(self, channel: str, event_id: str) -> list[Message]: ...
    def since_time(self, channel: str, when: float) -> list[Message]: ...
    def newest(self, channel: str, count: int) -> list[Message]: ...


@dataclass(frozen=True, slots=True)
class Missed:
    messages: list[Message]  # oldest first
    is_complete: bool = True  # else something was lost before them


@dataclass(frozen=True, slots=True)
class Start:
    """What somebody who comes to several channels is told first."""

    start: Position  # where it stands before the first of the messages
    messages: list[Message]  # of all channels, in their order
    gaps: list[str]  # channels of which something was lost


def missed(history: History, channel: str, since: Since, backtrack: int) -> Missed:
    """What is to be told first.

    A cursor wins over looking back: a browser that returns by itself repeats the address, and with it
    the number it began with.
    """
    try:
        if since.position is not None:
            return Missed(history.since(channel, since.position))
        if backtrack:
            return Missed(history.newest(channel, backtrack))
        if since.event_id is not None:
            return Missed(history.since_event(channel, since.event_id))
        if since.time is not None:
            return _since_time(history, channel, since.time, since.tag)
    except HistoryLost:
        return Missed([], is_complete=False)
    return Missed([])


def _since_time(history: History, channel: str, when: float, tag: int | None) -> Missed:
    top = history.top
    if when < int(history.began):
        # Before this log began; the tag, if any, is another one's.
        return Missed(history.since_time(channel, when), is_complete=tag is None)
    if tag is None or tag > top.offset:
        return Missed(history.since_time(channel, when))
    return Missed(history.since(channel, Position(top.epoch, tag)))
