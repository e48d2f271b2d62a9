"""A connection of which some bytes were read already: how are they read again, before what follows?"""

from __future__ import annotations

import io
from typing import Any


class ReadAhead(io.RawIOBase):
    """First these bytes, then what the connection brings."""

    def __init__(self, arrived: bytes, rest: io.RawIOBase) -> None:
        self.arrived = memoryview(arrived)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self.arrived:
            return self._rest.readinto(buffer)
        size = min(len(buffer), len(self.arrived))
        buffer[:size] = self.arrived[:size]
        self.arrived = self.arrived[size:]
        return size

    def close(self) -> None:
        self._rest.close()
        super().close()


def reader(connection: Any, arrived: bytes) -> io.BufferedReader:
    return io.BufferedReader(ReadAhead(arrived, connection.makefile("rb", buffering=0)))


def unused(stream: Any) -> bytes:
    """What was read of a connection and nobody has used; it stays where it is.

    The connection must not block: with nothing left, the stream asks for more.
    """
    buffered: bytes = stream.peek(1)
    raw = stream.raw
    return buffered + bytes(raw.arrived) if isinstance(raw, ReadAhead) else buffered
