"""Does this handshake return a client by its ticket? Then its connection is handed over at once.

No middleware, no session and no database: what the head says is enough. Whenever anything does not fit, the
request goes on as any other handshake.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote, unquote_plus

from django.conf import settings
from django.http import HttpRequest, parse_cookie

from realtime_wall.auth import visitor_address
from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.auth.return_ticket import CONTEXT
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition
from realtime_wall.node.node import Node
from realtime_wall.protocol.plain import Command, commands_in_address
from realtime_wall.server.http import websocket_handshake
from realtime_wall.server.http.early_handshake import EarlyHandshake
from realtime_wall.server.http.hand_over import META_KEY, HandOver, Opener
from realtime_wall.sockets.request import keep, kept_meta
from realtime_wall.transports.websocket.plain_opening import return_websocket

log = logging.getLogger(__name__)

# In the query of whoever may have one.
_MARK = "ticket="
_LONGEST_ID = 64
_LONGEST_REASON = 100


class SiteServer(Protocol):
    """The server, as far as a request that it has read is to go through its application."""

    application: Any
    stopping: bool

    def get_environ(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Returning:
    request_line: str
    address: str
    head: bytes
    opener: Opener


class TicketReturns:
    def __init__(self, node: Node, site: SiteServer) -> None:
        self._node = node
        self._site = site

    def find(self, handshake: EarlyHandshake) -> Returning | None:
        """None for a handshake that has to be asked everything."""
        node, meta = self._node, handshake.environ
        query = _query_of(meta["QUERY_STRING"]) if _MARK in meta["QUERY_STRING"] else None
        if query is None or node.stopping or self._site.stopping:
            return None
        address, earlier_id, key = meta[visitor_address.META_KEY], query.session, _session_key_of(meta)
        meta["wsgi.url_scheme"] = self._site.get_environ()["wsgi.url_scheme"]
        ticket = node.tickets.check(query.ticket, meta, address, earlier_id, key)
        if ticket is None or node.visitors.refuse_client(address, key):
            return None
        node.tickets.take(earlier_id)
        framing, more = websocket_handshake.framing(meta, node.config)
        make = partial(self._make, address)
        head = _head([*websocket_handshake.accepted(meta["HTTP_SEC_WEBSOCKET_KEY"]), *more])
        meta["QUERY_STRING"] = query.others  # it is kept, and may be long
        request = LazyRequest(kept_meta(meta), key, make, CONTEXT in ticket.flags)
        opener = partial(
            return_websocket, node, request, ticket, query.since, earlier_id, query.on, framing=framing
        )
        return Returning(handshake.request_line, address, head, opener)

    def _make(self, address: str, request: LazyRequest) -> HttpRequest | str:
        """Send it through the site, as a handshake that is not handed over."""
        offer = HandOver([], is_rehearsal=True)
        environ = {
            **self._site.get_environ(),
            **request.META,
            "wsgi.input": io.BytesIO(),
            "wsgi.input_terminated": True,
            META_KEY: offer,
            visitor_address.META_KEY: address,
        }
        try:
            # What middleware sets up besides the request the view has kept with it.
            status, text = Context().run(_run, self._site.application, environ)
        except Exception:
            log.exception("the site could not be asked about a client that has returned by a ticket")
            return "failed"
        if status.startswith("101") and offer.request is not None:
            return keep(offer.request)
        reason = text.strip().partition("\n")[0][:_LONGEST_REASON]
        return reason if reason and reason.isprintable() and not reason.startswith("<") else status


def _run(application: Any, environ: dict[str, Any]) -> tuple[str, str]:
    statuses: list[str] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        statuses.append(status)
        return lambda data: None

    result: Iterable[bytes] = application(environ, start_response)
    try:
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return statuses[-1], body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class _Query:
    since: Position | None
    session: str  # the id that the client had
    ticket: str
    on: tuple[Command, ...]  # subscribes to where it stood on its channels
    others: str  # without these


def _query_of(query: str) -> _Query | None:
    """Each once, but ``on``; None for what no client of ours says."""
    found: dict[str, str] = {}
    on, others = [], []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "on":
            on.append(unquote_plus(value))
            continue
        if name != "ticket":  # which is spent
            others.append(part)
        if name in ("since", "session", "ticket"):
            if name in found:
                return None
            found[name] = unquote(value)
    session, ticket = found.get("session", ""), found.get("ticket", "")
    if not ticket or not 0 < len(session) <= _LONGEST_ID:
        return None
    try:
        since = Position.parse(found["since"]) if found.get("since") else None
    except InvalidPosition:
        return None
    return _Query(since, session, ticket, commands_in_address(on), "&".join(others))


def _session_key_of(meta: dict[str, Any]) -> str | None:
    """As Django's session takes it from the cookie."""
    cookie = meta.get("HTTP_COOKIE", "")
    if settings.SESSION_COOKIE_NAME not in cookie:
        return None
    text = cookie.encode("latin-1").decode(errors="replace")
    key = parse_cookie(text).get(settings.SESSION_COOKIE_NAME)
    return key if key and len(key) >= 8 else None


def _head(headers: list[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode()
