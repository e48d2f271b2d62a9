"""How a view takes a connection away from the HTTP server.

The handler puts a :class:`HandOver` into the request's ``META`` when a valid WebSocket handshake
arrives. The request then goes through Django like any other. A view that agrees returns
``hand_over.accept(opener)``; any other response is an ordinary refusal. After the 101 and all that
middleware added to it has been written and the response was closed, the opener is given the wire.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from realtime_wall.wire.connection import Wire

META_KEY = "realtime_wall.hand_over"

# Given the wire and the bytes that had already arrived behind the handshake.
Opener = Callable[[Wire, bytes], None]


class HandOver:
    __slots__ = ("headers", "opener")

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.headers = headers
        self.opener: Opener | None = None

    def accept(self, opener: Opener) -> HttpResponse:
        """The response to return from the view."""
        self.opener = opener
        response = HttpResponse(status=101)
        del response.headers["Content-Type"]
        return response


def of(request: HttpRequest) -> HandOver | None:
    """The hand-over that this request offers, if it is a WebSocket handshake under ``rungevent``."""
    found = request.META.get(META_KEY)
    return found if isinstance(found, HandOver) else None
