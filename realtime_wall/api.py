"""The public verbs. They work in every process of the machine, with no setting; of several, by Redis.

In a server they are done at once; anywhere else (a shell, cron, Celery, a thread, a fork, Django under
another server) they are sent to the running servers of this project.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, cast, overload

from django.db import transaction

from realtime_wall.auth.channel_token import channel_token
from realtime_wall.auth.visitor_address import visitor_address
from realtime_wall.brokers.commands import (
    MAX_TIMEOUT,
    Ask,
    Command,
    GetPosition,
    Publish,
    R,
    Retract,
    SendTo,
)
from realtime_wall.brokers.results import Answers, Receipt, Spooled
from realtime_wall.channels.idempotency import check_key
from realtime_wall.channels.message import OUTSIDE_OF
from realtime_wall.channels.names import EVERYONE, check_channel, check_event_id, check_event_name
from realtime_wall.channels.position import Position
from realtime_wall.config import current as config
from realtime_wall.control import control_client
from realtime_wall.errors import InvalidMessage, NoServer
from realtime_wall.node import node, outgoing
from realtime_wall.node.outgoing import OutgoingMessage
from realtime_wall.node.threadpool import run_in_threadpool
from realtime_wall.outbox import writer as outbox
from realtime_wall.sockets.arguments import encode_args
from realtime_wall.sockets.emit_to_all import emit_to_all
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.socket import Socket
from realtime_wall.typed_events import declared
from realtime_wall.typed_events.declared import Name
from realtime_wall.wire.backoff import Backoff
from realtime_wall.wire.time_slice import SLICE, TimeSlice

__all__ = [
    "Backoff",
    "OutgoingMessage",
    "broadcast",
    "broadcast_call",
    "broadcast_channel",
    "broadcast_emit",
    "channel_token",
    "connected_sockets",
    "cursor",
    "emit_to",
    "publish",
    "publish_many",
    "retract",
    "run_in_threadpool",
    "send",
    "time_slice",
    "visitor_address",
]


def broadcast(message: Any, *, namespace: str | None = None) -> Receipt:
    """Send a message to every WebSocket and Socket.IO client, or to those in a namespace.

    Raises NoSocket when there is none, NoServer (a NoSocket) when no server runs, and InvalidMessage for
    what no client could read; then nobody was sent anything.
    """
    return _publish_to(EVERYONE, None, (message,), namespace=namespace)


def broadcast_channel(message: Any, channel: str, *, namespace: str | None = None) -> Receipt:
    """Send a message to every client of a channel; raises as :func:`broadcast`.

    With a ``namespace`` it is for those on the channel who are in that one, and for no other listener.
    """
    return _publish_to(check_channel(channel), None, (message,), namespace=namespace)


def broadcast_emit(
    name: Name,
    *args: Any,
    channel: str | None = None,
    volatile: bool = False,
    namespace: str | None = None,
) -> Receipt:
    """Send an event to every client, or to those of a channel, or a namespace; raises as :func:`broadcast`.

    A ``volatile`` one is for the sockets that keep up: it is left out for whoever is behind with reading,
    and not logged, so that nobody gets it later.
    """
    name, args = declared.name_and_args(name, args)
    event = check_event_name(name)
    to = EVERYONE if channel is None else check_channel(channel)
    return _publish_to(to, event, args, volatile, namespace)


def broadcast_call(name: Name, *args: Any, channel: str | None = None, timeout: float = 5.0) -> Answers:
    """Ask every client, or those of a channel, and gather their acknowledgements.

    Waits until all have answered, ``timeout`` seconds at most; ``answers`` has theirs by session id,
    ``silent`` who gave none. Nothing is logged. Raises as :func:`broadcast`.
    """
    if not 0 < timeout <= MAX_TIMEOUT:
        raise ValueError(f"a timeout is more than 0 and at most {MAX_TIMEOUT:.0f} seconds")
    name, args = declared.name_and_args(name, args)
    data = encode_args(args)
    command = Ask(
        channel=EVERYONE if channel is None else check_channel(channel),
        event=check_event_name(name),
        data_json=data.data_json,
        arity=data.arity,
        binary=data.binary,
        timeout=float(timeout),
    )
    return perform(command)


def send(session_id: str, message: Any) -> Receipt:
    """Send a message to one client, by its ``socket.session.session_id``; NoSocket if it is gone."""
    data = encode_args((message,))
    return perform(SendTo(session_id=str(session_id), data_json=data.data_json, binary=data.binary))


@overload
def publish(
    channel: str,
    data: Any,
    event: str | None = None,
    event_id: str | None = None,
    *,
    idempotency_key: str | None = None,
    on_commit: Literal[False] = False,
    spool: Literal[False] = False,
) -> Position: ...


@overload
def publish(
    channel: str,
    data: Any,
    event: str | None = None,
    event_id: str | None = None,
    *,
    idempotency_key: str | None = None,
    on_commit: Literal[False] = False,
    spool: bool,
) -> Position | Spooled: ...


@overload
def publish(
    channel: str,
    data: Any,
    event: str | None = None,
    event_id: str | None = None,
    *,
    idempotency_key: str | None = None,
    on_commit: Literal[True] | str,
    spool: bool = False,
    durable: bool = False,
) -> None: ...


def publish(
    channel: str,
    data: Any,
    event: str | None = None,
    event_id: str | None = None,
    *,
    idempotency_key: str | None = None,
    on_commit: bool | str = False,
    spool: bool = False,
    durable: bool = False,
) -> Position | Spooled | None:
    """Put a message on a channel's log and deliver it; an empty room is fine.

    Returns its position once it is in the log, or raises: NoServer when no server runs, PublishFailed
    when one did not confirm. With the same ``idempotency_key`` on the same channel, within ten minutes, it
    publishes nothing more and returns the same position: so it can be tried again.

    With ``on_commit`` (True, or the alias of a database) it is published after the transaction, or never
    when that is rolled back. Then None is returned at once, and what goes wrong later is logged. With
    ``durable`` as well it is written to a table in that transaction (of the app ``realtime_wall.outbox``),
    from which one server publishes, in order: a crash behind the commit loses nothing.

    With ``spool``, what Redis does not take in time waits in the server, in order, and :class:`Spooled` is
    returned: it has no position yet. Outside of a server there is nothing to wait in, and it raises.
    """
    event, data = declared.event_and_data(event, data)
    arguments = encode_args((data,))
    command = Publish(
        channel=check_channel(channel),
        data_json=arguments.data_json,
        binary=arguments.binary,
        event=None if event is None else check_event_name(event),
        event_id=None if event_id is None else check_event_id(event_id),
        counted=False,
        idempotency_key=None if idempotency_key is None else check_key(idempotency_key),
    )
    if on_commit is False:
        if durable:
            raise ValueError("durable=True is for what follows a transaction: say on_commit=True as well")
        return _publish(command, spool)
    if durable:
        outbox.write(command, on_commit)
        return None
    using = None if on_commit is True else on_commit
    transaction.on_commit(lambda: _publish(command, spool), using=using, robust=True)
    return None


def _publish(command: Publish, spool: bool) -> Position | Spooled:
    server = node.current()
    if spool and server is not None:
        return server.publisher.publish_or_spool(command)
    return Position.parse(perform(command).position)


def publish_many(messages: Iterable[OutgoingMessage]) -> list[Position]:
    """Put many messages on their channels' logs, in this order; their positions.

    Raises what hindered the first that is not in the log; of those behind it, some may be. Called again
    with the same messages it goes on with those that are missing, and publishes none twice.
    """
    messages = list(messages)
    server = node.current()
    if server is None:
        outgoing.publish_from_outside(config(), messages)
    else:
        outgoing.publish_from_server(server, messages)
    return [cast(Position, message.position) for message in messages]


def time_slice(seconds: float = SLICE) -> TimeSlice:
    """For a loop that computes for long in a server: ``yield_if_due()`` lets others have their turn.

    That is once in so many ``seconds``; elsewhere nobody shares an event loop, and it does nothing.
    """
    return TimeSlice(float("inf") if node.current() is None else seconds)


def emit_to(sockets: Iterable[Socket], name: Name, *args: Any, volatile: bool = False) -> int:
    """Send an event to some sockets of this process, written once for all; to how many it was sent.

    Those whose client is gone are left out; so is, from a ``volatile`` one, who is behind with reading.
    """
    name, args = declared.name_and_args(name, args)
    return emit_to_all(sockets, check_event_name(name), encode_args(args), volatile)


def retract(channel: str, which: str | Position) -> Receipt:
    """Take a message out of a channel's log and off every screen, by its position or its event id.

    Who comes later sees neither the message nor that it was taken back; who had it gets the event
    "retracted". So does everybody when the message is not kept any more. The receipt says whom it reached;
    its position is None when no server can have had such a message.
    """
    return perform(Retract(channel=check_channel(channel), message_ref=check_event_id(str(which))))


def cursor() -> str:
    """The log's position now, to be rendered into a page before what it shows is read.

    A client that subscribes with it gets everything published since. Empty when no server runs.
    """
    try:
        return perform(GetPosition()).position or ""
    except NoServer:
        return ""


def _publish_to(
    channel: str,
    event: str | None,
    args: tuple[Any, ...],
    volatile: bool = False,
    namespace: str | None = None,
) -> Receipt:
    """To those who are there: NoSocket when nobody is."""
    if namespace is not None and namespace not in {"/", *config().namespaces}:
        raise InvalidMessage(f"namespace {namespace[:140]!r} is not among NAMESPACES")
    data = encode_args(args)
    command = Publish(
        channel=channel,
        data_json=data.data_json,
        arity=data.arity,
        binary=data.binary,
        event=event,
        exclude=None if namespace is None else f"{OUTSIDE_OF}{namespace}",
        wanted=True,
        volatile=volatile,
    )
    return perform(command)


def perform(command: Command[R]) -> R:
    """Let this server do it, or ask those that run."""
    server = node.current()
    if server is not None:
        return server.perform(command)
    return control_client.perform(command, config())
