"""How do a test client's bytes travel that polls: over HTTP, an answer for whatever comes together?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from realtime_wall.protocol.engineio import encode_base64
from realtime_wall.testing.carriers import Endpoint, HandshakeRefused
from realtime_wall.testing.network import cut

SEPARATOR = "\x1e"


class LongPollCarrier:
    """Listens to channels; each request says what the last answer has said."""

    def __init__(self, address: Endpoint, poll_path: str) -> None:
        self.closed: tuple[int | None, str] | None = None
        self._connection: Any = None
        # Where the log is now: what is published before the first long poll waits is not missed.
        now = replace(address, path=poll_path)
        _, response = now.request("GET", now.target())
        self._address = replace(
            address, query={key: address.query[key] for key in address.query if key != "since"}
        )
        self._place = response.headers.get("ETag", "")
        self._first = response.read().decode()

    def read(self) -> Iterator[str | bytes]:
        if self._first:
            yield self._first
        while self.closed is None:
            try:
                address = replace(self._address, open=self._open)
                _, response = address.request("GET", address.target(), If_None_Match=self._place)
                text = response.read().decode()
            except (OSError, ValueError, HandshakeRefused) as problem:
                self.closed = self.closed or (None, str(problem))
                return
            self._place = response.headers.get("ETag", self._place)
            if text:
                yield text

    def _open(self) -> Any:
        self._connection = self._address.open()
        return self._connection

    def send(self, data: str | bytes) -> None:
        raise TypeError("this client only listens")

    def close(self) -> None:
        self.closed = self.closed or (None, "closed by the client")
        if self._connection is not None:
            cut(self._connection)

    drop = close


class EnginePollingCarrier:
    """Engine.IO's packets by GET and POST; a packet of bytes goes as base64."""

    def __init__(self, address: Endpoint) -> None:
        self.closed: tuple[int | None, str] | None = None
        self._connection: Any = None
        self._address = address

    def read(self) -> Iterator[str | bytes]:
        while self.closed is None:
            try:
                address = replace(self._address, open=self._open)
                _, response = address.request("GET", address.target())
                packets = response.read().decode().split(SEPARATOR)
            except (OSError, ValueError, HandshakeRefused) as problem:
                status = problem.status if isinstance(problem, HandshakeRefused) else None
                self.closed = self.closed or (status, str(problem))
                return
            yield from packets

    def opened(self, sid: str) -> None:
        """From now on this is said with each request."""
        self._address = replace(self._address, query={**self._address.query, "sid": sid})

    def _open(self) -> Any:
        self._connection = self._address.open()
        return self._connection

    def send(self, data: str | bytes) -> None:
        body = data if isinstance(data, str) else encode_base64(data)
        connection, response = self._address.request(
            "POST", self._address.target(), body.encode(), Content_Type="text/plain"
        )
        response.read()
        connection.close()

    def close(self) -> None:
        self.send("1")
        self.drop()

    def drop(self) -> None:
        self.closed = self.closed or (None, "closed by the client")
        if self._connection is not None:
            cut(self._connection)
