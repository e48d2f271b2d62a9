"""Which earlier session does a Socket.IO client resume that connects to a namespace?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.node import session_migration
from realtime_wall.node.node import Node
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession

# A client whose handlers cannot bear the offset as one more argument asks for "?resume=0".
NO_RESUME = "0"


@dataclass(frozen=True, slots=True)
class Resumption:
    """A session that is resumed, and from where on its client has to be sent what it missed."""

    detached: DetachedSession
    since: Position


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """What a client gives that comes back: which session is its own, and how much of it it has.

    It has no offset before the first event that it hears.
    """

    secret: str
    offset: str | None


def resume_request(node: Node, request: HttpRequest, auth: Any) -> ResumeRequest | None:
    if not may_resume(node, request) or not isinstance(auth, dict):
        return None
    secret, offset = auth.get("pid"), auth.get("offset")
    if not isinstance(secret, str) or not isinstance(offset, str | None):
        return None
    return ResumeRequest(secret, offset)


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
    since = None if detached is None else detached.since(wanted.offset)
    if since is not None:
        node.come_up_to(Since(position=since))
    return _resumption(node, namespace, detached, wanted.offset)


def _resumption(
    node: Node, namespace: str, detached: DetachedSession | None, offset: str | None
) -> Resumption | None:
    if detached is None:
        return None
    since = detached.since(offset)
    is_here = detached.session.namespace == namespace
    if since is None or not is_here or not node.can_resume((EVERYONE, *detached.channels), since):
        node.detached_sessions.expire(detached)
        return None
    return Resumption(detached, since)
