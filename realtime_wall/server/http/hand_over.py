"""How a view takes a connection away from the HTTP server.

The handler puts an offer into the request's ``META``: a :class:`HandOver` when a valid WebSocket
handshake arrives, a :class:`Stream` with every other GET. The request then goes through Django like any
other. A view that agrees returns ``offer.accept(opener)``; any other response is an ordinary one. When the
response was closed, the opener is given the wire: of a WebSocket after the 101 and all that middleware
added to it was written; of a stream before anything was, with the headers that are to be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from realtime_wall.config import Config
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets.budgets.visitors import Visitor
from realtime_wall.wire.connection import Wire

META_KEY = "realtime_wall.hand_over"
STREAM_KEY = "realtime_wall.stream"

# Given the wire and the bytes that had already arrived behind the handshake.
Opener = Callable[[Wire, bytes], None]
# Given the wire and the response's headers, among them what middleware added.
StreamOpener = Callable[[Wire, list[tuple[str, str]]], None]


class HandOver:
    __slots__ = ("framing", "head", "headers", "is_rehearsal", "opener", "request")

    def __init__(
        self, headers: list[tuple[str, str]], framing: Framing = PLAIN, is_rehearsal: bool = False
    ) -> None:
        self.headers = headers
        self.framing = framing  # what the 101 promises, for the opener to keep
        self.head = b""  # the 101, which leaves with the first frames
        # Of a client that has returned by a ticket: the site is asked only now, and nothing is handed over.
        self.is_rehearsal = is_rehearsal
        self.request: HttpRequest | None = None  # that the plain WebSocket's view has agreed to
        self.opener: Opener | None = None

    def accept(self, opener: Opener) -> HttpResponse:
        """The response to return from the view."""
        self.opener = opener
        response = HttpResponse(status=101)
        del response.headers["Content-Type"]
        return response


class Stream:
    """An answer that goes on, or begins later, without a greenlet that waits for it."""

    __slots__ = ("headers", "opener", "version")

    def __init__(self, version: str) -> None:
        self.version = version  # of HTTP, as the request says
        self.headers: list[tuple[str, str]] = []
        self.opener: StreamOpener | None = None

    def accept(self, opener: StreamOpener) -> HttpResponse:
        """The response to return from the view; it may be given headers."""
        self.opener = opener
        response = HttpResponse()
        del response.headers["Content-Type"]
        return response


def take_wire(connection: Any, config: Config, visitor: Visitor | None, head: bytes = b"") -> Wire:
    """The connection, which is the HTTP server's no more; ``head`` leaves with what is first."""
    family = connection.family
    wire = Wire(
        connection.detach(), family=family, outbox_limit=config.outbox_size, send_buffer=config.send_buffer
    )
    wire.head = head
    wire.visitor = visitor
    if visitor is not None:
        visitor.connections += 1
    return wire


def of(request: HttpRequest) -> HandOver | None:
    """The hand-over that this request offers, if it is a WebSocket handshake under ``rungevent``."""
    found = request.META.get(META_KEY)
    return found if isinstance(found, HandOver) else None


def stream_of(request: HttpRequest) -> Stream | None:
    """The stream that this request offers, if it is a GET under ``rungevent``."""
    found = request.META.get(STREAM_KEY)
    return found if isinstance(found, Stream) else None
