"""All servers of the site: which there are, who is connected to them, and who is where.

As the other public verbs, these work in a server, in a shell and in any other process of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from realtime_wall import api
from realtime_wall.brokers import lease as leases
from realtime_wall.brokers import router
from realtime_wall.brokers.commands import (
    Disconnect,
    DisconnectUser,
    GetPresence,
    GetStatistics,
    Question,
    Receipt,
    Servers,
    Sockets,
    check_close,
)
from realtime_wall.brokers.lease import Lease
from realtime_wall.channels.names import check_channel
from realtime_wall.config import current as config
from realtime_wall.control import control_client
from realtime_wall.errors import NoServer
from realtime_wall.events import Published
from realtime_wall.node import node, queries
from realtime_wall.node.server_topic import Receive, ServerTopic
from realtime_wall.node.statistics import of_all
from realtime_wall.node.watchers import published_of
from realtime_wall.presence.table import Person

__all__ = [
    "ConnectedSocket",
    "Lease",
    "Server",
    "ServerTopic",
    "disconnect",
    "disconnect_user",
    "lease",
    "presence",
    "servers",
    "sockets",
    "statistics",
    "this_server",
    "topic",
    "watch",
]

BY_SERVER = "disconnected by the server"


@dataclass(frozen=True, slots=True)
class Server:
    """A server process; its address begins the ids of the sockets that have begun there."""

    address: str
    hostname: str
    pid: int
    uptime: int  # seconds
    sockets: int
    listeners: int


@dataclass(frozen=True, slots=True)
class ConnectedSocket:
    """A WebSocket or Socket.IO client, as it was when it was asked about."""

    session_id: str
    user_id: str | None  # of who has signed in: the primary key as a text
    channels: tuple[str, ...]
    namespace: str
    server: str  # its address
    since: int  # seconds since 1970


def servers() -> list[Server]:
    """The servers that run and have answered. NoServer when there is none, and not inside of one."""
    return sorted((Server(**told) for told in _ask(Servers())), key=lambda one: one.address)


def sockets(channel: str | None = None) -> list[ConnectedSocket]:
    """Who is connected to any server, or on a channel; those who come or go meanwhile may be missing."""
    question = Sockets(channel=None if channel is None else check_channel(channel))
    return [
        ConnectedSocket(
            told["session_id"],
            told["user_id"],
            tuple(told["channels"]),
            told["namespace"],
            told["server"],
            told["since"],
        )
        for portion in _ask(question)
        for told in portion
    ]


def disconnect(session_id: str, code: int = 3503, reason: str = BY_SERVER) -> Receipt:
    """Close a socket, on whatever server it is; NoSocket if it is gone.

    Codes from 3500 to 3999 tell our client to stay away.
    """
    check_close(code, reason)
    return api.perform(Disconnect(session_id=str(session_id), code=code, reason=reason))


def disconnect_user(user: Any, code: int = 3503, reason: str = BY_SERVER) -> Receipt:
    """Close all sockets of a user, or of a user's primary key; the receipt counts them."""
    check_close(code, reason)
    return api.perform(DisconnectUser(user_id=str(getattr(user, "pk", user)), code=code, reason=reason))


def presence(channel: str) -> list[Person]:
    """The persons on a channel whose rule has PRESENCE, who came first at the front."""
    people: list[Person] = next(_ask(GetPresence(channel=check_channel(channel))))
    return people


def statistics(what: str = "") -> dict[str, Any]:
    """As ``events/stats/`` tells it: a summary, or of a channel, of ``news*``, of ``ALL``."""
    here = node.current()
    if here is not None:
        return queries.everywhere(here, what)
    return of_all(list(control_client.answers_to(GetStatistics(what=what), config())))


def this_server() -> str | None:
    """The address of the server that this code runs in; None elsewhere, also in its threads and forks."""
    here = node.current()
    return None if here is None else here.address


def lease(name: str) -> Lease:
    """For what only one of all servers is to do: whoever ``take()``s it does, until it ends or lets go."""
    return leases.lease(config(), name)


def watch(pattern: str, function: Callable[[Published], object]) -> Callable[[], None]:
    """Call a function in this server with what anybody publishes on channels that fit the pattern.

    It must not wait, and does not see what is volatile. What is returned ends it. NoServer outside of one.
    """
    return _here().watchers.add(pattern, lambda message: function(published_of(message)))


def topic(name: str, receive: Receive) -> ServerTopic:
    """A way to speak with the other servers; ``receive(event, data, server)`` must not wait.

    Nothing is kept, and no client can listen. NoServer outside of a server.
    """
    return ServerTopic(_here(), name, receive)


def _here() -> node.Node:
    found = node.current()
    if found is None:
        raise NoServer("this process")
    return found


def _ask(question: Question) -> Iterator[Any]:
    here = node.current()
    if here is None:
        return control_client.answers_to(question, config())
    if isinstance(question, GetPresence):
        return iter([here.presence.people(question.channel, router.TIMEOUT)])
    return router.answers(here.broker, question)
