"""Does a Socket.IO client that comes back know in which channels it is?

What a subscribe with a cursor is answered by, a gap perhaps, is no event and moves no offset. Were the
answer lost with the connection, the visit would go on in a channel of which the client has not been told
what it missed. So the offset that follows the answers says how many there were, and a client that comes
back with an older one starts afresh: then it subscribes from its own cursors.
"""

from __future__ import annotations

from typing import Any

from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition


class SubscribeAcks:
    """The answers to the subscribes of one connection, and what they brought."""

    __slots__ = ("_count", "_last", "_told")

    def __init__(self) -> None:
        self._count = 0
        self._told = 0  # with all that they brought
        self._last: Position | None = None  # where the log ended at the last of them

    @classmethod
    def from_json(cls, body: list[Any]) -> SubscribeAcks:
        """KeyError, TypeError or ValueError for what is none."""
        answers = cls()
        count, told, last = body
        answers._count, answers._told = int(count), int(told)
        answers._last = None if last is None else Position.parse(last)
        return answers

    def to_json(self) -> list[Any]:
        return [self._count, self._told, None if self._last is None else str(self._last)]

    @property
    def are_new(self) -> bool:
        """Whether there are some after which no offset was sent."""
        return self._told < self._count

    def add(self, top: Position) -> None:
        self._count += 1
        self._last = top

    def told(self) -> None:
        """All of it was written."""
        self._told = self._count

    def offset(self, cursor: Position) -> str:
        """What the client keeps with an event of its own: those of channels are the same for everybody."""
        return f"{cursor}.{self._told}" if self._told else str(cursor)

    def are_known_to(self, offset: str) -> bool:
        """Whether a client with this offset has had them all."""
        if self._last is None:
            return True
        position, _, count = offset.partition(".")
        if count == str(self._count):
            return True
        try:
            return Position.parse(position).offset > self._last.offset
        except InvalidPosition:
            return False


def without_answers(offset: str) -> str:
    return offset.partition(".")[0]
