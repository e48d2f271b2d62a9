"""A Socket.IO client at the door of a namespace: what waits there, and whose earlier visit goes on."""

from __future__ import annotations

from collections.abc import Callable
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
from realtime_wall.sockets.recovery.subscribe_acks import without_answers

# A client whose handlers cannot bear the offset as one more argument asks for "?resume=0".
NO_RESUME = "0"


class PendingHandshake:
    """What has to wait until the connect receivers have agreed."""

    __slots__ = ("earlier", "sends", "starts")

    def __init__(self, earlier: DetachedSession | None) -> None:
        self.earlier = earlier  # the visit that is to go on
        self.starts: dict[str, Position] = {}  # from where on its channels are to be told
        self.sends: list[Callable[[], object]] = []


@dataclass(frozen=True, slots=True)
class Earlier:
    """A visit that goes on, and from where on its client has to be told what it missed."""

    detached: DetachedSession
    since: Position


@dataclass(frozen=True, slots=True)
class Return:
    """What a client says that comes back: which visit is its own, and how far it was told."""

    secret: str
    offset: str


def return_of(node: Node, request: HttpRequest, auth: Any) -> Return | None:
    """What this client says of a visit that it was cut off from, if it may go on with one."""
    if not may_return(node, request) or not isinstance(auth, dict):
        return None
    secret, offset = auth.get("pid"), auth.get("offset")
    return Return(secret, offset) if isinstance(secret, str) and isinstance(offset, str) else None


def may_return(node: Node, request: HttpRequest) -> bool:
    return bool(node.detached_sessions.seconds) and request.GET.get("resume") != NO_RESUME


def find_earlier(node: Node, namespace: str, owner: str, back: Return) -> Earlier | None:
    """The visit that this client was cut off from, if all that it missed can still be told."""
    return _told_the_rest(node, namespace, node.detached_sessions.take(back.secret, owner), back.offset)


def fetch_earlier(
    node: Node, namespace: str, owner: str, back: Return, request: HttpRequest
) -> Earlier | None:
    """The same, from whichever server has it. This takes time, which there is not on the event loop."""
    detached = session_migration.fetch(node, back.secret, owner, request)
    since = None if detached is None else _since(detached, back.offset)
    if since is not None:
        node.come_up_to(Since(position=since))
    return _told_the_rest(node, namespace, detached, back.offset)


def _told_the_rest(
    node: Node, namespace: str, detached: DetachedSession | None, offset: str
) -> Earlier | None:
    if detached is None:
        return None
    since = _since(detached, offset)
    is_same = detached.session.namespace == namespace and detached.answers.are_known_to(offset)
    if since is None or not is_same or not node.can_tell((EVERYONE, *detached.channels), since):
        node.detached_sessions.leave(detached)
        return None
    return Earlier(detached, since)


def _since(detached: DetachedSession, offset: str) -> Position | None:
    if without_answers(offset) == str(detached.cursor):
        # It had all that was written to it. In a quiet channel that may be long ago, and what was
        # kept since may be gone; but there was nothing for it.
        return detached.told
    try:
        return Position.parse(offset)
    except InvalidPosition:
        return None
