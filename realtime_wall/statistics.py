"""What goes on in this server: its channels, who is on them, and what was published."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any

from realtime_wall.node import Node


def is_known(here: Node, channel: str) -> bool:
    """Whether anybody is on it, or anything of it is kept."""
    return bool(here.broker.published(channel) or here.subscriptions.count(channel))


def of_channel(here: Node, channel: str) -> dict[str, Any]:
    return {
        "channel": channel,
        "published_messages": here.broker.published(channel),
        "stored_messages": here.broker.kept(channel),
        "subscribers": here.subscriptions.count(channel),
    }


def of_several(here: Node, infos: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "hostname": socket.gethostname(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
        "channels": len(infos),
        "wildcard_channels": 0,
        "uptime": int(time.time() - here.broker.began),
        "infos": list(infos),
    }
