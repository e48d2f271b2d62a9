"""Which earlier session does a Socket.IO client resume that connects to a namespace?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.errors import InvalidPosition
from realtime_wall.node import session_migration
from realtime_wall.node.node import Node
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession
from realtime_wall.sockets.recovery.subscribe_acks import without_acks

# A client whose handlers cannot bear the offset as one more argument asks for "?resume=0".
NO_RESUME = "0"


@dataclass(frozen=True, slots=True)
class Resumption:
    """A session that is resumed, and from where on its client has to be sent what it missed."""

    detached: DetachedSession
    since: Position


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """What a client gives that comes back: which session is its own, and how much of it it has."""

    secret: str
    offset: str


def resume_request(node: Node, request: HttpRequest, auth: Any) -> ResumeRequest | None:
    if not may_resume(node, request) or not isinstance(auth, dict):
        return None
    secret, offset = auth.get("pid"), auth.get("offset")
    return ResumeRequest(secret, offset) if isinstance(secret, str) and isinstance(offset, str) else None


def may_resume(node: Node, request: HttpRequest) -> bool:
    return bool(node.detached_sessions.seconds) and request.GET.get("resume") != NO_RESUME


def resume(node: Node, namespace: str, owner: str, wanted: ResumeRequest) -> Resumption | None:
    """The session that this client was cut off from, if all that it missed can still be sent."""
    return _resumption(node, namespace, node.detached_sessions.take(wanted.secret, owner), wanted.offset)


def resume_from_elsewhere(
    node: Node, namespace: str, owner: str, wanted: ResumeRequest, request: HttpRequest
) -> Resumption | None:
    """The same, from whichever server has it. This takes time, which there is not on the event loop."""
    detached = session_migration.fetch(node, wanted.secret, owner, request)
    since = None if detached is None else _since(detached, wanted.offset)
    if since is not None:
        node.come_up_to(Since(position=since))
    return _resumption(node, namespace, detached, wanted.offset)


def _resumption(
    node: Node, namespace: str, detached: DetachedSession | None, offset: str
) -> Resumption | None:
    if detached is None:
        return None
    since = _since(detached, offset)
    is_same = detached.session.namespace == namespace and detached.acks.are_known_to(offset)
    if since is None or not is_same or not node.can_resume((EVERYONE, *detached.channels), since):
        node.detached_sessions.expire(detached)
        return None
    return Resumption(detached, since)


def _since(detached: DetachedSession, offset: str) -> Position | None:
    if without_acks(offset) == str(detached.cursor):
        # It had all that was written to it. In a quiet channel that may be long ago, and what was
        # kept since may be gone; but there was nothing for it.
        return detached.complete
    try:
        return Position.parse(offset)
    except InvalidPosition:
        return None
