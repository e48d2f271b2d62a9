"""What of a detached session goes along when its client comes back to another server?

Its id, its channels and how far all was written; and what user code kept in its session and its context, each
where it comes out of JSON as it went in.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.http import HttpRequest

from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.interfaces import Node
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession, DetachedSessions
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome, offset_or_none
from realtime_wall.wire.connection import DROPPED, Written

log = logging.getLogger(__name__)


def to_json(detached: DetachedSession, limit: int) -> dict[str, Any]:
    """``limit`` is for the session and the context, in bytes."""
    session = detached.session
    return {
        "id": session.id,
        "namespace": session.namespace,
        "channels": list(detached.channels),
        "requested": session.requested or {},
        "welcome": [str(detached.welcome.position), detached.welcome.offset],
        "cursor": str(detached.cursor),
        "complete": str(detached.complete),
        "acks": detached.acks.to_json(),
        "session": _kept(session, "session", dict(session.socket.session), limit),
        "context": _kept(session, "context", session.context, limit),
    }


def from_json(
    body: dict[str, Any],
    kept_in: DetachedSessions,
    node: Node,
    secret: str,
    owner: str,
    request: HttpRequest,
) -> DetachedSession:
    """The session, as if it had been detached here; KeyError, TypeError or ValueError for what is none."""
    session = ClientSession(node, Absent(), request, str(body["id"]), str(body["namespace"]))
    session.socket.session.update(body["session"])
    session.context.update(body["context"])
    session.requested = dict(body["requested"])
    channels = tuple(str(channel) for channel in body["channels"])
    position, offset = body["welcome"]
    welcome = Welcome(Position.parse(position), offset_or_none(offset))
    cursor, complete = Position.parse(str(body["cursor"])), Position.parse(str(body["complete"]))
    acks = SubscribeAcks.from_json(body["acks"])
    return DetachedSession(kept_in, secret, owner, session, channels, welcome, cursor, complete, acks)


def _kept(session: ClientSession, name: str, value: dict[str, Any], limit: int) -> dict[str, Any]:
    try:
        text = json.dumps(value, allow_nan=False)
        copy: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        copy, text = {}, ""
    if copy == value and len(text) <= limit:
        return copy
    log.info("session %s is resumed at another server without its %s: that is no JSON", session.log_id, name)
    return {}


class Absent:
    """The transport of a client that is not here."""

    is_behind = False
    kind = ""
    reserved_events: frozenset[str] = frozenset()

    def accept(self) -> None: ...
    def refuse(self, reason: str, data: Any) -> None: ...
    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        return DROPPED

    def send_ack(self, event_id: Any, arguments: Arguments) -> None: ...
    def send_not_received(self, event_id: Any, name: str) -> None: ...
    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None: ...
    def send_expelled(self, channel: str) -> None: ...
    def close(self, code: int, reason: str) -> None: ...
    def abort(self, reason: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def leave_lanes(self) -> None: ...
