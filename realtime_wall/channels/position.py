"""Up to where has a client heard everything? A position, written ``epoch:offset``, says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from realtime_wall.errors import InvalidPosition

# Eighteen digits outlast a message every nanosecond for thirty years, and fit 64 bits. What may follow
# them is for the Socket.IO server that wrote it (sockets/recovery/subscribe_acks.py): as a cursor it is as
# good without.
_written = re.compile(r"([A-Za-z0-9_-]{1,32}):([0-9]{1,18})(?:\.[0-9]{1,9})?").fullmatch


@dataclass(frozen=True, slots=True)
class Position:
    """One moment of one log. Offsets of different epochs have nothing to do with each other."""

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: object) -> Position:
        match = _written(text) if isinstance(text, str) else None
        if match is None:
            raise InvalidPosition(text)
        epoch, offset = match.groups()
        return cls(epoch, int(offset))
