"""What is kept of a connection whose client has not sent a whole request head yet?

A socket, a watcher and the bytes so far: no greenlet, no handler, no timer of its own. Anybody may open
thousands of connections and say nothing, or a byte now and then; each costs a look at its socket, when its
turn has come. Only a head that is complete, or wrong, or late, is worth a handler, which answers it.
"""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from gevent import get_hub

from realtime_wall.server.http.client_socket import pause_after
from realtime_wall.server.http.request_head import MAX_REQUEST_LINE
from realtime_wall.wire.connection import READ, Wire

# Of a head. More is read by who knows its limits.
MOST = MAX_REQUEST_LINE
# The next are late a moment after the first: they are looked at together.
LATENESS = 0.05


class PendingHead:
    __slots__ = ("_heads", "_pause", "_pieces", "_watcher", "address", "arrived", "connection", "since")

    def __init__(self, heads: PendingHeads, connection: _socket.socket, address: Any) -> None:
        self._heads = heads
        # The C socket itself: most of what comes in a flood never needs more.
        self.connection: _socket.socket = connection
        self.address = address
        self.arrived = b""
        self.since = monotonic()  # when its time began: anew with its first bytes
        self._pieces = 0
        self._pause: Any = None  # of one that comes in many pieces: until it is looked at again
        self._watcher: Any = get_hub().loop.io(self.connection.fileno(), READ)
        self._watcher.start(self._readable)

    def _readable(self) -> None:
        if Wire.turns.is_now():
            self._read()
        else:
            self._watcher.stop()
            Wire.turns.stand_in_line(self, self._read)

    def _read(self) -> None:
        try:
            data = self.connection.recv(MOST + 1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._watcher.start(self._readable)
            return
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        if not self.arrived:
            self._heads.restart(self)
        self.arrived += data
        if is_to_be_answered(self.arrived):
            self._begin()
            return
        self._pieces += 1
        if (seconds := pause_after(self._pieces)) > 0:
            self._watcher.stop()
            self._pause = get_hub().loop.timer(seconds)
            self._pause.start(self._look_again)
        else:
            self._watcher.start(self._readable)

    def _look_again(self) -> None:
        self._end_pause()
        self._readable()

    def _end_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause.close()
            self._pause = None

    def end_in_turn(self) -> None:
        """It is late: who has said nothing is told nothing."""
        if not Wire.turns.is_in_line(self):  # with something to read
            Wire.turns.stand_in_line(self, self._begin if self.arrived else self._close)

    def _begin(self) -> None:
        self._heads.begin(self)

    def _close(self) -> None:
        self._heads.close(self)

    def stop(self) -> None:
        """Look at it no more."""
        self._end_pause()
        self._watcher.stop()
        self._watcher.close()
        Wire.turns.leave(self)


def is_to_be_answered(arrived: bytes) -> bool:
    """Whether these bytes are a whole head, or too much for a line of one."""
    return b"\n\r\n" in arrived or b"\n\n" in arrived or len(arrived) > MOST


class PendingHeads:
    """Those of one server."""

    def __init__(
        self,
        seconds: float,
        begin: Callable[[Any, Any, bytes, float], None],
        close: Callable[[Any, Any], None],
    ) -> None:
        self._seconds = seconds
        self._begin = begin  # to answer a connection: with its address, what has arrived, and until when
        self._close = close  # a connection that needs no answer
        self._heads: dict[PendingHead, None] = {}  # the one that is late first is first
        self._timer: Any = None

    def __iter__(self) -> Iterator[PendingHead]:
        return iter([*self._heads])

    def add(self, connection: _socket.socket, address: Any) -> None:
        self._heads[PendingHead(self, connection, address)] = None
        if self._timer is None:
            self._look_in(self._seconds)

    def silent(self) -> list[PendingHead]:
        """Those of which nothing has come."""
        return [head for head in self._heads if not head.arrived]

    def restart(self, head: PendingHead) -> None:
        """Its time begins anew."""
        head.since = monotonic()
        del self._heads[head]
        self._heads[head] = None

    def begin(self, head: PendingHead) -> None:
        self._forget(head)
        self._begin(head.connection, head.address, head.arrived, head.since + self._seconds)

    def close(self, head: PendingHead) -> None:
        self._forget(head)
        self._close(head.connection, head.address)

    def _forget(self, head: PendingHead) -> None:
        head.stop()
        del self._heads[head]

    # Who is late

    def _look_in(self, seconds: float) -> None:
        self._timer = get_hub().loop.timer(seconds)
        self._timer.start(self._end_late)

    def _end_late(self) -> None:
        self._timer.close()
        self._timer = None
        late = monotonic() - self._seconds
        for head in self:
            if head.since > late:
                break
            head.end_in_turn()
        first = next(iter(self._heads), None)
        if first is not None:
            self._look_in(max(first.since - late, LATENESS))
