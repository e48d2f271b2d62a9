"""What does a click on Socket.IO's admin page do: emit, join, leave, disconnect?

As there, it is for a whole namespace, for those of it on a channel, or for one socket; on all servers.
"""

from __future__ import annotations

import logging
from typing import Any

from realtime_wall import broadcast_emit, cluster
from realtime_wall.errors import InvalidChannel, NoSocket, RealtimeWallError

log = logging.getLogger(__name__)

NAMES = ("emit", "join", "leave", "_disconnect")


def perform(viewer: str, name: str, args: list[Any]) -> None:
    """One that makes no sense is logged: the page waits for no answer."""
    try:
        _perform(name, args)
    except (RealtimeWallError, TypeError, ValueError) as problem:
        log.info("%s: %s %.200r: %s", viewer, name, args, problem)
    else:
        log.info("%s: %s %.200r", viewer, name, args)


def _perform(name: str, args: list[Any]) -> None:
    if name == "emit":
        namespace, whom, event, *rest = args
        _emit(_text(namespace), _text(whom or ""), _text(event), rest)
        return
    namespace, what, whom = (*args, None)[:3]
    found = _sockets(_text(namespace), _text(whom or ""))
    if not found:
        raise NoSocket("there is no such socket")
    for session_id in found:
        try:
            if name == "_disconnect":
                cluster.disconnect(session_id)
            else:
                move = cluster.subscribe if name == "join" else cluster.unsubscribe
                move(_text(what), session_id=session_id)
        except NoSocket:
            continue  # it has gone meanwhile


def _emit(namespace: str, whom: str, event: str, args: list[Any]) -> None:
    if whom:
        try:
            cluster.emit(whom, event, *args)
            return
        except NoSocket:  # then it is a channel's name
            pass
    broadcast_emit(event, *args, channel=whom or None, namespace=namespace)


def _sockets(namespace: str, whom: str) -> list[str]:
    """The ids of those in a namespace: of all, of those on a channel, or of the one whose id it is."""
    try:
        found = cluster.sockets(whom or None)
    except InvalidChannel:
        found = []
    if whom and not found:
        return [whom]
    return [one.session_id for one in found if one.namespace == namespace]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("an argument that is no text")
    return value
