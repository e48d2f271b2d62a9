"""A view that is a WebSocket of the project's own protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponse

from realtime_wall.sockets.dispatch import visitor_context
from realtime_wall.transports.websocket.raw_websocket import RawReceivers, RawSocket, open_raw_websocket
from realtime_wall.views.websocket import opening

OnFrame = Callable[[RawSocket, "str | bytes"], object]


def raw_websocket(
    on_frame: OnFrame,
    *,
    on_connect: Callable[[RawSocket], object] | None = None,
    on_disconnect: Callable[[RawSocket], object] | None = None,
) -> Callable[..., HttpResponse]:
    """A view for a URLconf, whose client speaks any protocol in text and binary frames.

    ``on_frame(socket, data)`` is called with each message that has arrived whole, a str or bytes, in order;
    ``on_connect(socket)`` before, where it may ``raise Refuse(reason)``; ``on_disconnect(socket)`` once, at
    the end. The handshake is an ordinary request: middleware, session, user; the origin is checked and
    AUTHORIZE is asked.
    """
    receivers = RawReceivers(on_frame, on_connect, on_disconnect)

    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        found = opening(request)
        if isinstance(found, HttpResponse):
            return found
        node, offer = found
        visitor_context.remember(request)
        return offer.accept(
            partial(open_raw_websocket, node, request, receivers, kwargs, framing=offer.framing)
        )

    update_wrapper(view, on_frame)
    return view
