"""The listening socket: who may still come in, who is inside, and how everybody leaves."""

from __future__ import annotations

import contextlib
import resource
import socket
from time import monotonic
from typing import Any

from gevent.event import Event
from gevent.pywsgi import WSGIServer

from realtime_wall.config import Config
from realtime_wall.server.handler import Handler
from realtime_wall.server.request_head import plain_response
from realtime_wall.wire.connection import Wire

# Descriptors left for databases, files and the bus when the number of connections is not set.
RESERVED_DESCRIPTORS = 50
FULL = plain_response(503, "this server has no room for another connection", "Retry-After: 5")


class Listener(WSGIServer):
    """pywsgi's server with a limit on connections, handed-over ones included."""

    handler_class = Handler
    reuse_addr = 1

    def __init__(self, listener: socket.socket, application: Any, config: Config) -> None:
        super().__init__(listener, application, log=None)
        self.config = config
        self.max_connections = config.max_connections or _free_descriptors()
        self.stopping = False
        self.http_connections = 0
        self.idle: set[Handler] = set()  # keep-alive connections between two requests

    def do_handle(self, connection: Any, address: Any) -> None:
        if self.http_connections + Wire.open_count >= self.max_connections:
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.setblocking(False)
                connection.send(FULL)
            return
        self.http_connections += 1
        super().do_handle(connection, address)

    def do_close(self, connection: Any, *args: Any) -> None:
        self.http_connections -= 1
        super().do_close(connection, *args)

    def stop_listening(self) -> None:
        """Accept nobody any more; answer what was asked, and end the connections that wait for nothing."""
        self.stopping = True
        self.close()
        for handler in list(self.idle):
            with contextlib.suppress(OSError):
                handler.socket.shutdown(socket.SHUT_RD)

    def drain(self, seconds: float, hurry: Event) -> bool:
        """Wait until every connection has ended, or until ``hurry`` is set; False when some had not."""
        deadline = monotonic() + seconds
        while self.http_connections + Wire.open_count > 0:
            if monotonic() > deadline or hurry.wait(0.02):
                return False
        return True


def _free_descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - RESERVED_DESCRIPTORS, RESERVED_DESCRIPTORS)
