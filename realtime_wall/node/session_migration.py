"""A client that was cut off here comes back to another server, or the other way round: its visit moves.

Who has a client's secret and not its visit asks the others, the one first that the secret comes from. The one
that has the visit cuts off what is left of its connection, lets its receivers finish, and gives it away; it
forgets the visit when the other server says that it has come. If nobody says so, the visit ends where it was.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import gevent
from django.http import HttpRequest
from gevent.event import Event

from realtime_wall.brokers.node_id import owner_of
from realtime_wall.node.node import Node
from realtime_wall.sockets.recovery import session_state
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession

log = logging.getLogger(__name__)

# What servers ask each other, and nobody else can.
GIVE, HAS_COME = "GiveVisit", "VisitHasCome"
# How long a client's return may wait for another server.
PATIENCE = 1.0
# How long receivers may take to finish with a connection that is gone, before its visit goes on without them.
FINISHING = 0.7


def register(node: Node) -> None:
    """Let others ask this server."""
    node.answers[GIVE] = partial(_give, node)
    node.answers[HAS_COME] = partial(_has_come, node)


def is_elsewhere(node: Node, secret: str) -> bool:
    """Whether the visit with this secret may be at another server."""
    return bool(owner_of(secret)) and not node.detached_sessions.knows(secret) and len(node.servers()) > 1


def fetch(node: Node, secret: str, owner: str, request: HttpRequest) -> DetachedSession | None:
    """The visit with this secret, from whichever server has it. Waits, but not for long."""
    others = [one for one in node.servers() if one != node.address]
    home = owner_of(secret)
    for asked in ([home] if home in others else [], [one for one in others if one != home]):
        answers = node.ask_servers(asked, {"verb": GIVE, "secret": secret, "owner": owner}, PATIENCE)
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
        log.warning("what server %s gave is no visit: %r", server, problem)
        return None
    gevent.spawn(node.ask_servers, [server], {"verb": HAS_COME, "secret": secret}, PATIENCE)
    return detached


# What others ask


def _give(node: Node, request: dict[str, Any]) -> dict[str, Any] | None:
    detached = node.detached_sessions.give(str(request["secret"]), str(request["owner"]))
    if detached is None:
        return None
    _let_receivers_finish(detached)
    return session_state.to_json(detached, node.config.message_size)


def _let_receivers_finish(detached: DetachedSession) -> None:
    if detached.session.inbox.jobs is not None:
        finished = Event()
        detached.session.inbox.put(finished.set)
        finished.wait(FINISHING)


def _has_come(node: Node, request: dict[str, Any]) -> None:
    node.detached_sessions.has_come(str(request["secret"]))
