"""How do a test client's bytes travel? On a WebSocket, or in one answer without an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Protocol
from urllib.parse import urlencode

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from realtime_wall.testing.network import cut

READ_SIZE = 64 * 1024


class HandshakeRefused(Exception):
    """The answer to a handshake that did not begin a connection."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(f"{status} {text}".strip())


@dataclass
class Endpoint:
    """Where a client connects, and what its requests carry."""

    open: Callable[[], Any]  # a new connection to the server
    host: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def target(self, **query: str) -> str:
        query = {**self.query, **query}
        return f"{self.path}?{urlencode(query)}" if query else self.path

    def request(
        self, method: str, target: str, body: bytes | None = None, **headers: str
    ) -> tuple[Any, HTTPResponse]:
        """A connection, and the answer on it, of which the head was read."""
        connection = self.open()
        http = HTTPConnection(self.host)
        http.sock = connection
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        http.request(method, target, body, {**self.headers, **named})
        response = http.getresponse()
        if response.status not in (200, 304):
            text = response.read().decode(errors="replace").strip()
            raise HandshakeRefused(response.status, text or (response.reason or ""))
        return connection, response


class ClientCarrier(Protocol):
    """Texts and bytes to and from a server. All wait as gevent does."""

    closed: tuple[int | None, str] | None  # its code and reason, once it is

    def read(self) -> Iterator[str | bytes]:
        """What comes, until the connection ends."""

    def send(self, data: str | bytes) -> None: ...
    def close(self) -> None:
        """End it in order."""

    def drop(self) -> None:
        """Be gone without a word."""


class ClientWebSocket:
    def __init__(self, address: Endpoint) -> None:
        self.closed: tuple[int | None, str] | None = None
        uri = parse_uri(f"ws://{address.host}{address.target()}")
        self._protocol = ClientProtocol(uri)
        self._connection = address.open()
        request = self._protocol.connect()
        request.headers.update(address.headers)
        self._protocol.send_request(request)
        while self._protocol.state is State.CONNECTING:
            if not self._exchange() and self._protocol.handshake_exc is None:
                raise HandshakeRefused(0, "the server ended the connection")
        problem = self._protocol.handshake_exc
        if isinstance(problem, InvalidStatus):
            response = problem.response
            raise HandshakeRefused(
                response.status_code, (response.body or b"").decode(errors="replace").strip()
            )
        if problem is not None:
            raise problem

    def read(self) -> Iterator[str | bytes]:
        while self.closed is None:
            for frame in self._protocol.events_received():
                opcode = getattr(frame, "opcode", None)  # the first one is the answer to the handshake
                if opcode is Opcode.TEXT:
                    yield frame.data.decode()  # type: ignore[union-attr]
                elif opcode is Opcode.BINARY:
                    yield bytes(frame.data)  # type: ignore[union-attr]
            if self._protocol.state is State.CLOSED or not self._exchange():
                code = self._protocol.close_code
                self.closed = (code or CloseCode.ABNORMAL_CLOSURE, self._protocol.close_reason or "")

    def send(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self._protocol.send_text(data.encode())
        else:
            self._protocol.send_binary(data)
        self._flush()

    def close(self) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()

    def drop(self) -> None:
        cut(self._connection)

    def _exchange(self) -> bool:
        """Send what is to be sent, wait for what comes; False at the end."""
        self._flush()
        try:
            data = self._connection.recv(READ_SIZE)
        except OSError:
            data = b""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()
        return bool(data)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            try:
                if data:
                    self._connection.sendall(data)
                else:
                    self._connection.close()
            except OSError:
                return  # the other end is gone, as reading will show


class StreamCarrier:
    """One answer that goes on; what is read are its parts, each up to an end."""

    def __init__(self, address: Endpoint, end: bytes) -> None:
        self.closed: tuple[int | None, str] | None = None
        self._end = end
        self._connection, self._response = address.request("GET", address.target())

    def read(self) -> Iterator[str | bytes]:
        rest = b""
        while data := self._read():
            *parts, rest = (rest + data).split(self._end)
            yield from (part.decode() for part in parts)
        self._response.close()
        self.closed = (None, "the answer has ended")

    def _read(self) -> bytes:
        try:
            return self._response.read1(READ_SIZE)
        except (OSError, ValueError):
            return b""

    def send(self, data: str | bytes) -> None:
        raise TypeError("this client only listens")

    def close(self) -> None:
        cut(self._connection)

    drop = close
