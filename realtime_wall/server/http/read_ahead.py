"""A connection of which some bytes were read already: how are they read again, before what follows?

And the other way round: how is read what came too late?
"""

from __future__ import annotations

import contextlib
import io
import socket
from typing import Any

import gevent

from realtime_wall.server.http.request_body import DISCARD

# Seconds for a client that was answered before it had sent everything, to notice.
LINGER = 2.0


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


def has_more(stream: Any) -> bool:
    """Whether some of what was read before has not come into its buffer yet."""
    return isinstance(stream.raw, ReadAhead) and bool(stream.raw.arrived)


def unused(stream: Any) -> bytes:
    """What was read of a connection and nobody has used; it stays where it is.

    The connection must not block: with nothing left, the stream asks for more.
    """
    buffered: bytes = stream.peek(1)
    return buffered + bytes(stream.raw.arrived) if has_more(stream) else buffered


def take_in_the_rest(connection: Any) -> None:
    """Of what a client still sends, for a while.

    A close with bytes unread resets the connection, and our answer may be lost with it.
    """
    with contextlib.suppress(OSError), gevent.Timeout(LINGER, False):  # type: ignore[arg-type]
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(DISCARD):
            pass
