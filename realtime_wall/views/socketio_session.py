"""``socket.io/``: the requests of Engine.IO, answered as its protocol says."""

from __future__ import annotations

import logging
from functools import partial
from hashlib import sha256
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.auth import origins, visitor_address
from realtime_wall.auth.authorize_hook import refusal
from realtime_wall.node import node as nodes
from realtime_wall.node.node import Node
from realtime_wall.protocol.engineio import VERSION, BadPacket, ErrorCode, TooManyPackets, error_json
from realtime_wall.protocol.websocket.deflate import Framing
from realtime_wall.server.http import hand_over
from realtime_wall.sockets.dispatch import visitor_context
from realtime_wall.sockets.dispatch.receivers import release_database
from realtime_wall.sockets.request import keep
from realtime_wall.transports.engineio.message_handler import MessageHandler
from realtime_wall.transports.engineio.polling import Conflict, TooMuch
from realtime_wall.transports.engineio.polling_quota import quota
from realtime_wall.transports.engineio.session import EngineSession, sessions
from realtime_wall.transports.socketio.socketio_client import SocketIOClient
from realtime_wall.views import visitor_limits
from realtime_wall.wire.connection import Wire

log = logging.getLogger(__name__)

TRANSPORTS = ("polling", "websocket")
NO_SERVER = "this address needs the live server: start it with 'manage.py rungevent'\n"
TOO_MANY_SESSIONS = "too many clients of this address poll at once"
OTHER_VERSION = (
    f"Unsupported protocol version: the client speaks Engine.IO {{}}, this server {VERSION} "
    "(Socket.IO 5, which clients 3 and 4 speak)"
)


class MakeHandler(Protocol):
    """What speaks inside a new session's messages."""

    def __call__(self, node: Node, session: EngineSession, request: HttpRequest) -> MessageHandler: ...


# A request that changes something carries the session's secret id and passed the origin check.
@csrf_exempt
def socketio(request: HttpRequest) -> HttpResponse:
    return serve(request, SocketIOClient)


def serve(request: HttpRequest, make_handler: MakeHandler) -> HttpResponse:
    """Engine.IO, for Socket.IO or whatever else is to be spoken inside it."""
    node = nodes.current()
    if node is None:
        return HttpResponse(NO_SERVER, status=426)
    problem = origins.problem_with(request, node.config)
    if problem is not None:
        log.info("refused a Socket.IO client: %s", problem)
        return _error(ErrorCode.FORBIDDEN, problem, status=403)
    Wire.turns.wait()  # middleware has taken as long as what follows
    if request.method == "OPTIONS":
        return _with_cors(request, HttpResponse(status=204))
    return _with_cors(request, _answer(node, request, make_handler))


def _answer(node: Node, request: HttpRequest, make_handler: MakeHandler) -> HttpResponse:
    query = request.GET
    if any(len(query.getlist(name)) > 1 for name in ("EIO", "transport", "sid")):
        return _error(ErrorCode.BAD_REQUEST)
    if query.get("EIO") != VERSION:
        return _error(ErrorCode.UNSUPPORTED_VERSION, OTHER_VERSION.format(query.get("EIO", "none")[:8]))
    transport = query.get("transport")
    if transport not in TRANSPORTS:
        return _error(ErrorCode.UNKNOWN_TRANSPORT)
    offer = hand_over.of(request)
    if (transport == "websocket") != (offer is not None):
        return _error(ErrorCode.BAD_REQUEST)
    if "sid" not in query:
        return _handshake(node, request, offer, make_handler)
    session = sessions.get(query["sid"])
    if session is None or not session.is_alive() or session.owner != _owner(request):
        return _error(ErrorCode.UNKNOWN_SID)
    if offer is not None:
        return offer.accept(partial(session.offer, framing=offer.framing))
    if session.frames is not None:
        return _error(ErrorCode.BAD_REQUEST)
    return _poll(session) if request.method == "GET" else _post(node, session, request)


def _handshake(
    node: Node, request: HttpRequest, offer: hand_over.HandOver | None, make_handler: MakeHandler
) -> HttpResponse:
    if request.method != "GET":
        return _error(ErrorCode.BAD_HANDSHAKE_METHOD)
    if node.stopping:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    refused = refusal(request, node.config) or visitor_limits.refusal(node, request, is_session=offer is None)
    if refused is not None:
        return refused
    visitor_context.remember(request)
    if offer is not None:
        return offer.accept(partial(_open, node, request, make_handler, framing=offer.framing))
    address = request.META.get(visitor_address.META_KEY, "")
    if not quota.take(address, node.config.polling_sessions):
        node.visitors.refused += 1
        return _error(ErrorCode.BAD_REQUEST, TOO_MANY_SESSIONS, status=429)
    session = EngineSession(node, _owner(request), address=address)
    session.begin(make_handler(node, session, keep(request)))
    return _text(session.poll())


def _open(
    node: Node,
    request: HttpRequest,
    make_handler: MakeHandler,
    wire: Wire,
    arrived: bytes,
    framing: Framing,
) -> None:
    """Begin a session on a connection that the HTTP server handed over."""
    with node.pool.lend():
        session = EngineSession(node, _owner(request), wire, framing=framing)
        session.begin(make_handler(node, session, keep(request)), arrived)


def _poll(session: EngineSession) -> HttpResponse:
    release_database()  # of the middleware's: this request may wait for long
    try:
        return _text(session.poll())
    except Conflict:
        return _error(ErrorCode.BAD_REQUEST)


def _post(node: Node, session: EngineSession, request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _error(ErrorCode.BAD_REQUEST)
    if request.content_type not in ("", "text/plain"):
        return _error(ErrorCode.BAD_REQUEST, "the packets of a POST are text/plain")
    if int(request.META.get("CONTENT_LENGTH") or 0) > node.config.message_size:
        session.end("posted too much")
        return HttpResponse(status=413)
    body = request.read(node.config.message_size + 1)
    if len(body) > node.config.message_size:
        session.end("posted too much")
        return HttpResponse(status=413)
    try:
        session.post(body)
    except (TooManyPackets, TooMuch) as problem:
        node.visitors.refused += 1
        log.warning("session %s: %s", session.log_id, problem.reason)
        return _error(ErrorCode.BAD_REQUEST, problem.reason)
    except (BadPacket, Conflict):
        return _error(ErrorCode.BAD_REQUEST)
    return _text("ok")


def _owner(request: HttpRequest) -> str:
    """Whose session it is: the Django session's cookie, without a look into the database.

    Its hash will do, and may be sent to other servers.
    """
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return cookie and sha256(cookie.encode(errors="surrogateescape")).hexdigest()


def _text(payload: str) -> HttpResponse:
    return HttpResponse(
        payload, content_type="text/plain; charset=UTF-8", headers={"Cache-Control": "no-store"}
    )


def _error(code: ErrorCode, message: str | None = None, status: int = 400) -> HttpResponse:
    return HttpResponse(error_json(code, message), status=status, content_type="application/json")


def _with_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """An origin that passed the check may read the answer, with its cookies."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and response.status_code != 101:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Vary"] = "Origin"
    return response
