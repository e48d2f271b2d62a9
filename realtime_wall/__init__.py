"""Realtime for ordinary Django.

The public names are handed out when they are first asked for, so that importing the package costs
nothing and never comes before Django is set up.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime_wall.api import broadcast as broadcast
    from realtime_wall.api import broadcast_call as broadcast_call
    from realtime_wall.api import broadcast_channel as broadcast_channel
    from realtime_wall.api import broadcast_emit as broadcast_emit
    from realtime_wall.api import channel_token as channel_token
    from realtime_wall.api import connected_sockets as connected_sockets
    from realtime_wall.api import cursor as cursor
    from realtime_wall.api import publish as publish
    from realtime_wall.api import retract as retract
    from realtime_wall.api import send as send
    from realtime_wall.brokers.results import Spooled as Spooled
    from realtime_wall.errors import InvalidMessage as InvalidMessage
    from realtime_wall.errors import NoServer as NoServer
    from realtime_wall.errors import NoSocket as NoSocket
    from realtime_wall.errors import Refuse as Refuse
    from realtime_wall.model_changes import broadcast_changes as broadcast_changes
    from realtime_wall.views.raw_endpoint import raw_websocket as raw_websocket

_HOMES = {
    "realtime_wall.api": (
        "broadcast",
        "broadcast_call",
        "broadcast_channel",
        "broadcast_emit",
        "channel_token",
        "connected_sockets",
        "cursor",
        "publish",
        "retract",
        "send",
    ),
    "realtime_wall.brokers.results": ("Spooled",),
    "realtime_wall.errors": ("InvalidMessage", "NoServer", "NoSocket", "Refuse"),
    "realtime_wall.model_changes": ("broadcast_changes",),
    "realtime_wall.views.raw_endpoint": ("raw_websocket",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
