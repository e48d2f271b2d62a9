"""A Socket.IO client at the door of a namespace: what waits there, and whose earlier visit goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition
from realtime_wall.node import Node
from realtime_wall.sockets.parking import Parked
from realtime_wall.transports.answers import without_answers


class Door:
    """What has to wait until the connect receivers have agreed."""

    __slots__ = ("earlier", "sends", "starts")

    def __init__(self, earlier: Parked | None) -> None:
        self.earlier = earlier  # the visit that is to go on
        self.starts: dict[str, Position] = {}  # from where on its channels are to be told
        self.sends: list[Callable[[], object]] = []


@dataclass(frozen=True, slots=True)
class Earlier:
    """A visit that goes on, and from where on its client has to be told what it missed."""

    parked: Parked
    since: Position


def find_earlier(node: Node, namespace: str, owner: str, auth: Any) -> Earlier | None:
    """The visit that this client was cut off from, if all that it missed can still be told."""
    if not isinstance(auth, dict):
        return None
    secret, offset = auth.get("pid"), auth.get("offset")
    if not isinstance(secret, str) or not isinstance(offset, str):
        return None
    parked = node.parking.take(secret, owner)
    if parked is None:
        return None
    since = _since(parked, offset)
    is_same = parked.socket.namespace == namespace and parked.answers.are_known_to(offset)
    if since is None or not is_same or not node.can_tell((EVERYONE, *parked.channels), since):
        node.parking.leave(parked)
        return None
    return Earlier(parked, since)


def _since(parked: Parked, offset: str) -> Position | None:
    if without_answers(offset) == str(parked.cursor):
        # It had all that was written to it. In a quiet channel that may be long ago, and what was
        # kept since may be gone; but there was nothing for it.
        return parked.told
    try:
        return Position.parse(offset)
    except InvalidPosition:
        return None
