"""The public verbs. They work in every process of the machine, with no setting.

In a server they are done at once; anywhere else (a shell, cron, Celery, a thread, a fork, Django under
another server) they are sent to the running servers of this project.
"""

from __future__ import annotations

from typing import Any

from realtime_wall import node
from realtime_wall.brokers import bus_client
from realtime_wall.brokers.command import Command, Publish, Receipt, SendTo, Where
from realtime_wall.channels.names import EVERYONE, check_channel, check_event_name
from realtime_wall.channels.position import Position
from realtime_wall.config import current as config
from realtime_wall.errors import NoServer
from realtime_wall.json_text import encode_json
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.socket import encode_args

__all__ = [
    "broadcast",
    "broadcast_channel",
    "broadcast_emit",
    "connected_sockets",
    "cursor",
    "publish",
    "send",
]


def broadcast(message: Any) -> Receipt:
    """Send a message to every WebSocket and Socket.IO client.

    Raises NoSocket when there is none, NoServer (a NoSocket) when no server runs, and InvalidMessage for
    what no client could read; then nobody was sent anything.
    """
    return _perform(Publish(channel=EVERYONE, data_json=encode_json(message), wanted=True))


def broadcast_channel(message: Any, channel: str) -> Receipt:
    """Send a message to every client of a channel; raises as :func:`broadcast`."""
    return _perform(Publish(channel=check_channel(channel), data_json=encode_json(message), wanted=True))


def broadcast_emit(name: str, *args: Any, channel: str | None = None) -> Receipt:
    """Send an event to every client, or to those of a channel; raises as :func:`broadcast`."""
    where = EVERYONE if channel is None else check_channel(channel)
    event = check_event_name(name)
    return _perform(Publish(channel=where, data_json=encode_args(args), event=event, wanted=True))


def send(session_id: str, message: Any) -> Receipt:
    """Send a message to one client, by its ``socket.session.session_id``; NoSocket if it is gone."""
    return _perform(SendTo(session_id=str(session_id), data_json=encode_json(message)))


def publish(channel: str, data: Any, event: str | None = None, event_id: str | None = None) -> Position:
    """Put a message on a channel's log and deliver it; an empty room is fine.

    Returns its position once it is in the log, or raises: NoServer when no server runs, PublishFailed
    when one did not confirm.
    """
    command = Publish(
        channel=check_channel(channel),
        data_json=encode_json(data),
        event=None if event is None else check_event_name(event),
        event_id=event_id,
        counted=False,
    )
    return Position.parse(_perform(command).position)


def cursor() -> str:
    """The log's position now, to be rendered into a page before what it shows is read.

    A client that subscribes with it gets everything published since. Empty when no server runs.
    """
    try:
        return _perform(Where()).position or ""
    except NoServer:
        return ""


def _perform(command: Command) -> Receipt:
    here = node.current()
    if here is not None:
        return here.perform(command)
    return bus_client.perform(command, config())
