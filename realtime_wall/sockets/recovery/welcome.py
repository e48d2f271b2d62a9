"""A client comes back without an offset, or with one of before its welcome: what has it heard since?

Nothing. The official client keeps an offset with an event only, and still has it in its next session. So the
server keeps where the client was welcomed, and which offset it had then.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition


@dataclass(frozen=True, slots=True)
class Welcome:
    position: Position  # from here on it was to hear everything
    offset: str | None = None  # what it had then; None for what is no offset of ours

    def is_all_it_has(self, offset: str | None) -> bool:
        """Whether it may have heard nothing since."""
        return offset is None or offset == self.offset

    def is_certain(self, offset: str | None) -> bool:
        """Another server may have been ahead of this one: its last message came here after the welcome."""
        had = None if offset is None else Position.parse(offset)
        return had is None or had.epoch != self.position.epoch or had.offset <= self.position.offset


def offset_or_none(offset: object) -> str | None:
    """None for what no server has given a client."""
    try:
        Position.parse(offset)
    except InvalidPosition:
        return None
    return str(offset)
