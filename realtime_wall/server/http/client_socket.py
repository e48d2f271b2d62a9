"""When does a connection go on that has waited for its client?

The event loop calls everybody whose client has sent something, or has hung up, in one go. A thousand slow
request heads, or a hundred connections that end together, would each do their work at once, and all others
wait for the last. So each only wakes up, and goes on when its turn has come.

And who sends a request head in ever more pieces is looked at less and less often: to wake up for a byte costs
as much as for a head. Honest heads come in a few.
"""

from __future__ import annotations

import _socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent.socket
from gevent import sleep

from realtime_wall.wire.connection import Wire

# Pieces of a head that are read as they come: of the largest one, on a slow line, about half.
FEW = 12
# Seconds in which the pieces after that are gathered: twice as many each time, up to the most.
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.064


def pause_after(pieces: int) -> float:
    """Seconds in which the next pieces of a head are gathered, after so many; 0 when it is read at once."""
    more = pieces - FEW
    return 0.0 if more <= 0 else min(FIRST_PAUSE * 2 ** min(more - 1, 6), LONGEST_PAUSE)


class ClientSocket(gevent.socket.socket):
    __slots__ = ("_pieces",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pieces: int | None = None  # of the request head that is being read

    @contextmanager
    def reading_head(self) -> Iterator[None]:
        """Around the reading of a head that did not come as a whole."""
        self._pieces = 0
        try:
            yield
        finally:
            self._pieces = None

    def _wait(self, *args: Any) -> None:
        """As gevent's, which each of the calls that wait goes through."""
        if self._pieces is not None:
            self._pieces += 1
            if (seconds := pause_after(self._pieces)) > 0:
                sleep(seconds)
        super()._wait(*args)  # type: ignore[misc]
        Wire.turns.wait()


def as_client_socket(connection: Any) -> ClientSocket:
    """It may be the C socket itself."""
    if isinstance(connection, ClientSocket):
        return connection
    kind, fd = (connection.family, connection.type, connection.proto), connection.detach()
    return ClientSocket(*kind, fileno=fd)


def accept(listener: Any) -> tuple[_socket.socket, Any] | None:
    """Who waits at a listening socket that does not block, and the address; None when somebody was faster."""
    try:
        fd, address = listener._accept()
    except BlockingIOError:
        return None
    return _socket.socket(listener.family, listener.type, listener.proto, fileno=fd), address
