"""The texts that a WebSocket server sends: a client that only reads.

It is websockets' protocol on a gevent socket: their own client lets threads wait for each other, and
breaks under gevent when it is closed while messages are unread.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from realtime_wall.wall.public_addresses import connect

LARGEST = 1024 * 1024
PIECE = 64 * 1024


class WebSocketRefused(Exception):
    """The server answered with something else than a WebSocket."""

    def __init__(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        super().__init__(f"the server answered {status}" + (f" ({body[:200]})" if body else ""))


class WebSocketReader:
    def __init__(
        self,
        url: str,
        *,
        stall: float,
        subprotocols: Sequence[str] = (),
        private_hosts: Sequence[str] | None = None,
    ) -> None:
        """Connect, or raise OSError, WebSocketRefused or a websockets exception.

        With ``private_hosts`` it connects to these and to public addresses only, else PrivateAddress.
        """
        uri = parse_uri(url)
        # No extension is offered, so that nothing a stranger sends can grow.
        self._protocol = ClientProtocol(
            uri, subprotocols=[Subprotocol(name) for name in subprotocols] or None, max_size=LARGEST
        )
        if private_hosts is None:
            self._socket = socket.create_connection((uri.host, uri.port), timeout=stall)
        else:
            self._socket = connect(uri.host, uri.port, stall, private_hosts)
        try:
            if uri.secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=uri.host)
            self._protocol.send_request(self._protocol.connect())
            while self._protocol.state is State.CONNECTING:
                self._exchange()
            if problem := self._protocol.handshake_exc:
                raise _refused(problem) if isinstance(problem, InvalidStatus) else problem
        except BaseException:
            self._socket.close()
            raise

    def __iter__(self) -> Iterator[str]:
        """Each text until the server closes; TimeoutError when nothing at all comes for too long."""
        parts: list[bytes] = []
        while True:
            for event in self._protocol.events_received():
                if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.CONT):
                    continue
                parts.append(bytes(event.data))
                if event.fin:
                    yield b"".join(parts).decode(errors="replace")
                    parts = []
            if self._protocol.state is not State.OPEN:
                return
            self._exchange()

    def ping(self) -> None:
        self._protocol.send_ping(b"")
        self._flush()

    def close(self) -> None:
        self._socket.close()

    def _exchange(self) -> None:
        self._flush()
        data = self._socket.recv(PIECE)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)


def _refused(problem: InvalidStatus) -> WebSocketRefused:
    answer = problem.response
    body = bytes(answer.body or b"").decode(errors="replace")
    return WebSocketRefused(answer.status_code, body, dict(answer.headers.raw_items()))


Broken = (OSError, WebSocketException, EOFError)
