"""A client that was cut off here comes back to another server, or the other way round: its session moves.

Who has a client's secret and not its session asks the others, the one first that the secret comes from. The
one that has the session cuts off what is left of its connection, lets its receivers finish, and gives it
away; it forgets the session when the other server confirms that it has it. Without that the session ends
where it was.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import gevent
from django.http import HttpRequest
from gevent.event import Event

from realtime_wall.brokers.commands import Request
from realtime_wall.brokers.node_id import owner_of
from realtime_wall.node.node import Node
from realtime_wall.sockets.recovery import session_state
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession

log = logging.getLogger(__name__)

# How long a client's return may wait for another server.
PATIENCE = 1.0
# How long receivers may take to finish with a connection that is gone, before its session moves without them.
FINISHING = 0.7


# What servers ask each other, and nobody else can


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSession(Request):
    """The detached session with this secret, for the same owner; None when it is not there."""

    secret: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMoved(Request):
    """Whoever asked for the session has it now."""

    secret: str


def register(node: Node) -> None:
    """Let others ask this server."""
    node.handlers.add(GiveSession, partial(_give, node))
    node.handlers.add(SessionMoved, partial(_forget, node))


def is_elsewhere(node: Node, secret: str) -> bool:
    """Whether the session with this secret may be at another server."""
    return bool(owner_of(secret)) and not node.detached_sessions.knows(secret) and len(node.servers()) > 1


def fetch(node: Node, secret: str, owner: str, request: HttpRequest) -> DetachedSession | None:
    """The session with this secret, from whichever server has it. Waits, but not for long."""
    others = [server for server in node.servers() if server != node.address]
    home = owner_of(secret)
    for asked in ([home] if home in others else [], [server for server in others if server != home]):
        answers = node.ask_servers(asked, GiveSession(secret=secret, owner=owner), PATIENCE)
        for server, body in answers.items():
            if body is not None:
                return _received(node, server, body, secret, owner, request)
    return None


def _received(
    node: Node, server: str, body: Any, secret: str, owner: str, request: HttpRequest
) -> DetachedSession | None:
    try:
        detached = session_state.from_json(body, node.detached_sessions, node, secret, owner, request)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        log.warning("what server %s gave is no session: %r", server, problem)
        return None
    gevent.spawn(node.ask_servers, [server], SessionMoved(secret=secret), PATIENCE)
    return detached


# What others ask


def _give(node: Node, request: GiveSession) -> dict[str, Any] | None:
    detached = node.detached_sessions.migrate(request.secret, request.owner)
    if detached is None:
        return None
    _let_receivers_finish(detached)
    return session_state.to_json(detached, node.config.message_size)


def _let_receivers_finish(detached: DetachedSession) -> None:
    if detached.session.inbox.jobs is not None:
        finished = Event()
        detached.session.inbox.put(finished.set)
        finished.wait(FINISHING)


def _forget(node: Node, request: SessionMoved) -> None:
    node.detached_sessions.migrated(request.secret)
