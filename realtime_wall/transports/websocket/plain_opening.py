"""How does a plain WebSocket begin? A view hands it over, or its client returns by a ticket.

Either way the address may say on which channels the client was, and from where it wants to hear each: then
the welcome, the answers and what was missed leave together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.http import HttpRequest

from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.auth.return_ticket import Ticket
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.node.node import Node
from realtime_wall.protocol.plain import Command
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets.request import keep
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from realtime_wall.wire.connection import Wire

# Its client comes back, without a ticket, and is answered as any other.
TRY_AGAIN = 1013


def open_websocket(
    node: Node,
    request: HttpRequest,
    since: Position | None,
    was: str | None,
    wire: Wire,
    arrived: bytes,
    framing: Framing = PLAIN,
    ticket_flags: str = "",
    on: Sequence[Command] = (),
) -> None:
    """Serve a connection that the HTTP server handed over."""
    node.come_up_to(Since.had(since))  # before it lends itself: others' receivers would wait, too
    with node.pool.lend():
        WebSocket(node, wire, keep(request), was, framing, ticket_flags).begin(arrived, since, on)


def return_websocket(
    node: Node,
    request: LazyRequest,
    ticket: Ticket,
    since: Position | None,
    was: str,
    on: Sequence[Command],
    wire: Wire,
    arrived: bytes,
    framing: Framing = PLAIN,
) -> None:
    """Serve one whose client has returned by its ticket."""
    node.come_up_to(Since.had(since))
    with node.pool.lend(has_turn=True):  # what it is told is to leave together
        websocket = WebSocket(node, wire, request, was, framing, ticket.flags)
        websocket.session.ticket = ticket
        request.read_user = node.returned_users.reader(websocket.session)
        request.on_refused = partial(websocket.close, TRY_AGAIN)
        websocket.begin(arrived, since, on)
