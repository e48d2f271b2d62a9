"""How is a WebSocket handshake answered whose head was read before there was a handler?

The site is asked as it is about any request, and pywsgi writes the answer; only what it would read there is
nothing to read for. An answer that is no 101 ends the connection.
"""

from __future__ import annotations

import contextlib
import io
import socket
from typing import Any

from realtime_wall.server.http import websocket_handshake
from realtime_wall.server.http.client_socket import as_client_socket
from realtime_wall.server.http.early_handshake import EarlyHandshake
from realtime_wall.server.http.handler import ConnectionServer, Handler
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.not_for_forks import not_for_forks

# Of what a client has sent behind its handshake: it would not see our answer if that stayed unread.
UNREAD = 16 * 1024


class HandshakeHandler(Handler):
    serves_once = True
    _was_all = True
    socket: Any = None  # at the end

    def __init__(self, connection: Any, address: Any, server: ConnectionServer) -> None:
        """``connection`` may be the C socket itself: most are handed over, and need no more."""
        super().__init__(connection, address, server, io.BufferedReader(io.BytesIO()))
        not_for_forks(self)

    def fileno(self) -> int:
        return -1 if self.socket is None else self.socket.fileno()

    def answer(self, handshake: EarlyHandshake) -> None:
        self.requestline = handshake.request_line
        self.command, self.path, self.request_version = self.requestline.split(" ")
        self.content_length, self.close_connection = None, False
        environ = self.environ = self.server.get_environ()
        environ.update(handshake.environ)
        self._set_body(environ)
        self.application = self.server.application
        try:
            self.handle_one_response()
        finally:
            self._end()

    def run_application(self) -> None:
        Wire.turns.wait(is_long=True)
        self._ask_with_offer(websocket_handshake.accepted(self.environ["HTTP_SEC_WEBSOCKET_KEY"]))

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if not status.startswith("101"):
            self.socket = as_client_socket(self.socket)  # what is written has to wait for its client
        return super().start_response(status, headers, exc_info)

    def _end(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(OSError), contextlib.closing(self.socket):
                getattr(self.socket, "_sock", self.socket).recv(UNREAD, socket.MSG_DONTWAIT)
        self.__dict__.clear()  # whatever is in it refers to the rest
