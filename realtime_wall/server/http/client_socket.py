"""When does a connection go on that has waited for its client?

The event loop calls everybody whose client has sent something, or has hung up, in one go. A thousand slow
request heads, or a hundred connections that end together, would each do their work at once, and all others
wait for the last. So each only wakes up, and goes on when its turn has come.
"""

from __future__ import annotations

from typing import Any

import gevent.socket

from realtime_wall.wire.connection import Wire


class ClientSocket(gevent.socket.socket):
    __slots__ = ()

    def _wait(self, *args: Any) -> None:
        """As gevent's, which each of the calls that wait goes through."""
        super()._wait(*args)  # type: ignore[misc]
        Wire.turns.wait()


def accept(listener: Any) -> tuple[ClientSocket, Any] | None:
    """Who waits at a listening socket that does not block, and the address; None when somebody was faster."""
    try:
        fd, address = listener._accept()
    except BlockingIOError:
        return None
    return ClientSocket(listener.family, listener.type, listener.proto, fileno=fd), address
