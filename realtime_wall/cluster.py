"""All servers of the site: which there are, who is connected to them, and who is where.

As the other public verbs, these work in a server, in a shell and in any other process of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from realtime_wall import api
from realtime_wall.brokers import lease as leases
from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Disconnect, DisconnectUser, Move, SendTo, check_close
from realtime_wall.brokers.lease import Lease
from realtime_wall.brokers.questions import (
    GetChannelPage,
    GetHistory,
    GetMetrics,
    GetPresence,
    GetServers,
    GetSocketPage,
    GetSockets,
    GetStatistics,
    Question,
)
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.names import check_channel, check_event_name
from realtime_wall.config import current as config
from realtime_wall.control import control_client, isolation
from realtime_wall.errors import NoServer, NoSocket
from realtime_wall.events import Published
from realtime_wall.node import node
from realtime_wall.node.introspection.statistics import of_all
from realtime_wall.node.leader_task import LeaderTask, run_on_leader
from realtime_wall.node.server_topic import Receive, ServerTopic
from realtime_wall.node.watchers import published_of
from realtime_wall.presence.table import Person
from realtime_wall.sockets.arguments import encode_args
from realtime_wall.typed_events import declared
from realtime_wall.typed_events.declared import Name

__all__ = [
    "ConnectedSocket",
    "LeaderTask",
    "Lease",
    "Server",
    "ServerTopic",
    "channel_page",
    "disconnect",
    "disconnect_user",
    "emit",
    "history",
    "lease",
    "metrics",
    "presence",
    "run_on_leader",
    "servers",
    "socket_page",
    "sockets",
    "statistics",
    "subscribe",
    "this_server",
    "topic",
    "unsubscribe",
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
    namespaces: dict[str, int] = field(
        default_factory=dict, compare=False
    )  # how many of the sockets are in each
    polling: int = 0  # of the sockets


@dataclass(frozen=True, slots=True)
class ConnectedSocket:
    """A WebSocket or Socket.IO client, as it was when it was asked about."""

    session_id: str
    user_id: str | None  # of who has signed in: the primary key as a text
    channels: tuple[str, ...]
    namespace: str
    server: str  # its address
    since: int  # seconds since 1970
    address: str = ""  # of the client; behind one of TRUSTED_PROXIES, as that says
    is_behind: bool = False  # whether something waits for it to be read
    transport: str = ""  # websocket or polling


def servers() -> list[Server]:
    """The servers that run and have answered. NoServer when there is none, and not inside of one."""
    found = (Server(**figures) for figures in _ask(GetServers()))
    return sorted(found, key=lambda server: server.address)


def sockets(channel: str | None = None) -> list[ConnectedSocket]:
    """Who is connected to any server, or on a channel; those who come or go meanwhile may be missing."""
    question = GetSockets(channel=None if channel is None else check_channel(channel))
    return [_socket(client) for portion in _ask(question) for client in portion]


def socket_page(
    after: str = "", limit: int = 50, channel: str | None = None, user: Any = None
) -> list[ConnectedSocket]:
    """The next sockets behind a session id, of all servers, by their ids: of a channel, or a user.

    However many are connected, no server lists more than ``limit``.
    """
    question = GetSocketPage(
        after=after,
        limit=limit,
        channel=None if channel is None else check_channel(channel),
        user_id=None if user is None else str(getattr(user, "pk", user)),
    )
    question.check()
    found = [_socket(client) for page in _ask(question) for client in page]
    return nsmallest(limit, found, key=lambda socket: socket.session_id)


def channel_page(after: str = "", limit: int = 50, prefix: str = "") -> list[dict[str, Any]]:
    """The statistics of the next channels behind a name, in the order of their names, that begin so."""
    question = GetChannelPage(after=after, limit=limit, prefix=prefix)
    question.check()
    by_name: dict[str, list[dict[str, Any]]] = {}
    for page in _ask(question):
        for figures in page:
            by_name.setdefault(figures["channel"], []).append(figures)
    return [of_all(by_name[name]) for name in nsmallest(limit, by_name)]


def history(channel: str, last: int = 20) -> list[dict[str, Any]]:
    """The last messages of a channel, the newest at the end, as ``manage.py realtime tail`` has them."""
    question = GetHistory(channel=check_channel(channel), last=last)
    question.check()
    found: list[dict[str, Any]] = next(_ask(question))
    return found


def metrics() -> list[dict[str, Any]]:
    """The figures of each server, and of its receivers, as docs/reference/metrics.rst has them."""
    return list(_ask(GetMetrics()))


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


def emit(session_id: str, name: Name, *args: Any) -> Receipt:
    """Send an event to one socket, on whatever server it is; NoSocket if it is gone."""
    name, args = declared.name_and_args(name, args)
    data = encode_args(args)
    command = SendTo(
        session_id=str(session_id),
        event=check_event_name(name),
        data_json=data.data_json,
        arity=data.arity,
        binary=data.binary,
    )
    return api.perform(command)


def subscribe(
    channel: str, *, session_id: str | None = None, user: Any = None, on: str | None = None
) -> Receipt:
    """Put sockets on a channel, on whatever servers they are: one, a user's, or all that are ``on`` another.

    As ``socket.subscribe()`` in each of them, in its turn. The receipt counts whom it was said to; NoSocket
    when that is nobody.
    """
    return _move(channel, False, session_id, user, on)


def unsubscribe(
    channel: str, *, session_id: str | None = None, user: Any = None, on: str | None = None
) -> Receipt:
    """Take sockets off a channel, as :func:`subscribe` puts them on it."""
    return _move(channel, True, session_id, user, on)


def _move(channel: str, off: bool, session_id: str | None, user: Any, on: str | None) -> Receipt:
    user_id = None if user is None else str(getattr(user, "pk", user))
    command = Move(channel=channel, off=off, session_id=session_id, user_id=user_id, on=on)
    command.check()
    receipt = api.perform(command)
    if not receipt.sockets:
        raise NoSocket(f"There are no such sockets to move: {session_id or user_id or on}")
    return receipt


def presence(channel: str) -> list[Person]:
    """The persons on a channel whose rule has PRESENCE, who came first at the front."""
    people: list[Person] = next(_ask(GetPresence(channel=check_channel(channel))))
    return people


def statistics(what: str = "") -> dict[str, Any]:
    """As ``events/stats/`` has it: a summary, or of a channel, of ``news*``, of ``ALL``."""
    return of_all(list(_ask(GetStatistics(selection=what))))


def this_server() -> str | None:
    """The address of the server that this code runs in; None elsewhere, also in its threads and forks."""
    server = node.current()
    return None if server is None else server.address


def lease(name: str) -> Lease:
    """For what only one of all servers is to do: who gets it by ``take()`` does, until it ends or lets go."""
    return leases.lease(isolation.shared_config(config()), name)


def watch(pattern: str, function: Callable[[Published], object]) -> Callable[[], None]:
    """Call a function in this server with what anybody publishes on channels that fit the pattern.

    It must not wait, and does not see what is volatile. What is returned ends it. NoServer outside of one.
    """
    return _server().watchers.add(pattern, lambda message: function(published_of(message)))


def topic(name: str, receive: Receive) -> ServerTopic:
    """A way to speak with the other servers; ``receive(event, data, server)`` must not wait.

    Nothing is kept, and no client can listen. NoServer outside of a server.
    """
    return ServerTopic(_server(), name, receive)


def _socket(client: dict[str, Any]) -> ConnectedSocket:
    channels = tuple(client["channels"])
    return ConnectedSocket(**{**client, "channels": channels})


def _server() -> node.Node:
    found = node.current()
    if found is None:
        raise NoServer("this process")
    return found


def _ask(question: Question) -> Iterator[Any]:
    server = node.current()
    if server is None:
        return control_client.answers_to(question, config())
    return router.answers(server.broker.calls, question)
