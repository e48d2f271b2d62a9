"""The handshake of the plain WebSocket, and the health page."""

from __future__ import annotations

import logging
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from realtime_wall import config
from realtime_wall.auth import authorize_hook, origins, return_ticket
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition
from realtime_wall.node import node as nodes
from realtime_wall.node.introspection import health as health_of_node
from realtime_wall.node.node import Node
from realtime_wall.protocol.plain import commands_in_address
from realtime_wall.server.http import hand_over
from realtime_wall.server.http.hand_over import HandOver
from realtime_wall.sockets.dispatch import visitor_context
from realtime_wall.transports.websocket.plain_opening import open_websocket
from realtime_wall.views import visitor_limits
from realtime_wall.views.channels import subscribe

log = logging.getLogger(__name__)

MAX_SESSION_ID = 64


def websocket(request: HttpRequest) -> HttpResponse:
    """``ws/``, the plain WebSocket: ``?since=`` and ``?session=`` resume what was for all."""
    found = opening(request)
    if isinstance(found, HttpResponse):
        return found
    node, offer = found
    try:
        since = Position.parse(request.GET["since"]) if request.GET.get("since") else None
    except InvalidPosition as bad:
        return _text(400, str(bad))
    was = request.GET.get("session", "")[:MAX_SESSION_ID] or None
    on = commands_in_address(request.GET.getlist("on"))
    has_context = visitor_context.remember(request)
    offer.request = request
    flags = return_ticket.CONTEXT if has_context else ""
    match = request.resolver_match
    if match is None or match.func not in (websocket, websocket_or_channels):
        flags += return_ticket.LATER  # somebody's decorator is around it
    return offer.accept(
        partial(open_websocket, node, request, since, was, framing=offer.framing, ticket_flags=flags, on=on)
    )


def opening(request: HttpRequest) -> tuple[Node, HandOver] | HttpResponse:
    """The server and the offer of a handshake that may go on; the answer to one that may not."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    node, offer = nodes.current(), hand_over.of(request)
    if node is None:
        return _text(426, "this address needs the live server: start it with 'manage.py rungevent'")
    if offer is None:
        return _text(426, "this address speaks WebSocket (RFC 6455)")
    if node.stopping:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    problem = origins.problem_with(request, node.config)
    if problem is not None:
        log.info("refused a WebSocket: %s", problem)
        return _text(403, problem)
    refused = authorize_hook.refusal(request, node.config)
    if refused is None and not offer.is_rehearsal:
        refused = visitor_limits.refusal(node, request)
    return refused or (node, offer)


def websocket_or_channels(request: HttpRequest) -> HttpResponse:
    """``ws`` without its slash; with channels as an argument it is where push stream's clients look."""
    return subscribe.websocket(request) if "channels" in request.GET else websocket(request)


def health(request: HttpRequest) -> HttpResponse:
    """``health/``: 200 while the server takes connections, 503 while it stops or when it is none."""
    status, state = health_of_node.state()
    response = JsonResponse(state, status=status, headers={"Cache-Control": "no-store"})
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and origins.problem_with(request, config.current()) is None:
        # Our client asks it from there, before it takes another way than a WebSocket.
        response["Access-Control-Allow-Origin"] = origin
    return response


def _text(status: int, text: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
