"""A site as it is reached from outside: one request at a time, a stream, a WebSocket.

Each goes over a connection of its own, and nothing is followed, repeated or mended: what is in between
shall be seen as it is.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame
from websockets.protocol import State
from websockets.typing import Origin
from websockets.uri import parse_uri

NETWORK = (OSError, http.client.HTTPException)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # by names in small letters
    body: bytes = b""

    @property
    def explanation(self) -> str:
        return self.headers.get("x-nginx-pushstream-explain", "")

    def json(self) -> dict[str, Any]:
        """Empty when it is none."""
        with contextlib.suppress(ValueError):
            found = json.loads(self.body)
            return found if isinstance(found, dict) else {}
        return {}


@dataclass
class Site:
    url: str  # ends with a slash
    token: str
    extra: dict[str, str] = field(default_factory=dict)
    is_verified: bool = True
    timeout: float = 10.0

    def __post_init__(self) -> None:
        self.parts = urlsplit(self.url)
        self.is_tls = self.parts.scheme == "https"
        self.host = self.parts.hostname or ""
        self.port = self.parts.port or (443 if self.is_tls else 80)
        self.origin = f"{self.parts.scheme}://{self.parts.netloc}"

    def dial(self, *protocols: str) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), self.timeout)
        if not self.is_tls:
            return connection
        context = ssl.create_default_context()
        if not self.is_verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(list(protocols) or ["http/1.1"])
        return context.wrap_socket(connection, server_hostname=self.host)

    def path(self, path: str, token: bool = True) -> str:
        """Below the site's address; what begins with a slash is of the whole host."""
        where = path if path.startswith("/") else (self.parts.path or "/") + path
        if not token:
            return where
        return f"{where}{'&' if '?' in where else '?'}token={quote(self.token)}"

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
    ) -> tuple[http.client.HTTPResponse, socket.socket]:
        wire = self.dial()
        wire.settimeout(timeout or self.timeout)
        connection = http.client.HTTPConnection(self.parts.netloc)
        connection.sock = wire
        try:
            connection.request(method, path, body, {"Connection": "close", **self.extra, **(headers or {})})
            return connection.getresponse(), wire
        except BaseException:
            wire.close()
            raise

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        token: bool = True,
    ) -> Answer:
        response, wire = self.send(method, self.path(path, token), headers, body)
        with wire, response:
            return Answer(response.status, _small(response), response.read())

    def publish(self, channel: str, text: str) -> Answer:
        headers = {"Content-Type": "text/plain", "Authorization": f"Bearer {self.token}"}
        return self.ask(f"events/pub/{channel}", "POST", headers, text.encode())

    @contextlib.contextmanager
    def stream(
        self, path: str, headers: dict[str, str] | None = None, timeout: float | None = None
    ) -> Iterator[OpenStream]:
        response, wire = self.send("GET", self.path(path), headers, timeout=timeout)
        with wire, response:
            yield OpenStream(response, wire)

    @contextlib.contextmanager
    def websocket(self, path: str = "ws/") -> Iterator[OpenWebSocket]:
        with self.dial() as wire:
            yield OpenWebSocket(self, wire, path)


def _small(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


class OpenStream:
    """An answer that does not end."""

    def __init__(self, response: http.client.HTTPResponse, wire: socket.socket) -> None:
        self.answer = Answer(response.status, _small(response))
        self._response = response
        self._wire = wire
        self.text = b""
        self.is_over = False

    def wait_for(self, what: bytes, seconds: float) -> bool:
        """Whether it comes, in time."""
        deadline = time.monotonic() + seconds
        while what not in self.text and not self.is_over:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._wire.settimeout(left)
            try:
                data = self._response.read1(65536)
            except TimeoutError:
                return False
            except NETWORK:
                data = b""
            self.is_over = not data
            self.text += data
        return what in self.text


class OpenWebSocket:
    """From the handshake on; ``refused`` is the answer to one that is not accepted."""

    def __init__(self, site: Site, wire: socket.socket, path: str) -> None:
        self._wire = wire
        address = f"ws{'s' if site.is_tls else ''}://{site.parts.netloc}{site.path(path, token=False)}"
        self._protocol = ClientProtocol(parse_uri(address), origin=Origin(site.origin))
        request = self._protocol.connect()
        for name, value in site.extra.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()
        self.frames: list[Frame] = []
        self.refused: Answer | None = None
        self.problem = ""
        self.is_over = False
        self._read_head(site.timeout)

    def _read_head(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._protocol.handshake_exc is None and self._protocol.state is State.CONNECTING:
            self._read(deadline)
            if self.is_over:
                break
        problem = self._protocol.handshake_exc
        if isinstance(problem, InvalidStatus):
            found = problem.response
            headers = {name.lower(): value for name, value in found.headers.raw_items()}
            self.refused = Answer(found.status_code, headers, bytes(found.body or b""))
        elif problem is not None:
            self.problem = str(problem)
        elif self._protocol.state is not State.OPEN and not self.frames:
            self.problem = "the connection was closed without an answer"

    def _read(self, deadline: float) -> None:
        self._wire.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self._wire.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            data = b""
        if data:
            self._protocol.receive_data(data)
        else:
            self.is_over = True
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self.frames.append(event)
        if not self.is_over:
            self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                with contextlib.suppress(OSError):
                    self._wire.sendall(data)

    def send_json(self, **message: Any) -> None:
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    def wait_for(self, what: bytes, seconds: float) -> bool:
        """Whether a text with this in it comes, in time."""
        deadline = time.monotonic() + seconds
        while not any(what in frame.data for frame in self.frames):
            if self.is_over or not self._is_heard(deadline):
                return False
        return True

    def wait_for_frame(self, seconds: float) -> bool:
        """Whether anything comes, in time: a ping will do."""
        count, deadline = len(self.frames), time.monotonic() + seconds
        while len(self.frames) == count:
            if self.is_over or not self._is_heard(deadline):
                return False
        return True

    def _is_heard(self, deadline: float) -> bool:
        if deadline <= time.monotonic():
            return False
        try:
            self._read(deadline)
        except TimeoutError:
            return False
        return True
