"""The highest position that this process knows: a Redis that knows less has lost something."""

from __future__ import annotations

from realtime_wall.channels.position import Position


class HighWaterMark:
    def __init__(self) -> None:
        self.position = Position("", 0)

    def is_at(self, position: Position) -> None:
        """Redis has told it."""
        if position.epoch != self.position.epoch or position.offset > self.position.offset:
            self.position = position
