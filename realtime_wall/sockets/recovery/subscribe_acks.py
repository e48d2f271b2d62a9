"""Does a Socket.IO client that comes back know in which channels it is?

What acknowledges a subscribe with a cursor is no event and moves no offset. Were it lost with the connection,
the session would be resumed in a channel of which the client does not know what it missed. So the offset that
follows the acks says how many there were, and a client that comes back with an older one starts afresh: then
it subscribes from its own cursors.
"""

from __future__ import annotations

from typing import Any

from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition


class SubscribeAcks:
    """The acks of the subscribes of one connection, and what they brought.

    They are counted on from those in the offset that the client came with: it is not to be given that again.
    """

    __slots__ = ("_count", "_last", "_written")

    def __init__(self, offset: str | None = None) -> None:
        self._count = int((offset or "").partition(".")[2] or 0)
        self._written = self._count  # and all that they brought
        self._last: Position | None = None  # where the log ended at the last of them

    @classmethod
    def from_json(cls, body: list[Any]) -> SubscribeAcks:
        """KeyError, TypeError or ValueError for what is none."""
        acks = cls()
        count, written, last = body
        acks._count, acks._written = int(count), int(written)
        acks._last = None if last is None else Position.parse(last)
        return acks

    def to_json(self) -> list[Any]:
        return [self._count, self._written, None if self._last is None else str(self._last)]

    @property
    def are_any(self) -> bool:
        return self._last is not None

    @property
    def are_pending(self) -> bool:
        """Whether there are some after which no offset was sent."""
        return self._written < self._count

    def add(self, top: Position) -> None:
        self._count += 1
        self._last = top

    def written(self) -> None:
        """All of them, and what they brought."""
        self._written = self._count

    def offset(self, cursor: Position) -> str:
        """What the client keeps with an event of its own: those of channels are the same for everybody."""
        return f"{cursor}.{self._written}" if self._written else str(cursor)

    def are_known_to(self, offset: str | None) -> bool:
        """Whether a client with this offset has had them all."""
        if self._last is None:
            return True
        position, _, count = (offset or "").partition(".")
        if count == str(self._count):
            return True
        try:
            return Position.parse(position).offset > self._last.offset
        except InvalidPosition:
            return False
