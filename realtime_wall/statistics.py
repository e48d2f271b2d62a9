"""What goes on in this server: its channels, who is on them, and what was published.

The shapes are those of nginx push stream's statistics.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from realtime_wall.channels.names import EVERYONE
from realtime_wall.node import Node
from realtime_wall.sockets.registry import connected_sockets

ALL = "ALL"
# Of more channels only the number is told: to write a list of them would hold up everybody else.
LISTED = 10_000

Told = dict[str, Any]


def is_known(here: Node, channel: str) -> bool:
    """Whether anybody is on it, or anything of it is kept."""
    return bool(here.broker.published(channel) or here.subscriptions.count(channel))


def of_channel(here: Node, channel: str) -> Told:
    return {
        "channel": channel,
        "published_messages": here.broker.published(channel),
        "stored_messages": here.broker.kept(channel),
        "subscribers": here.subscriptions.count(channel),
    }


def of_several(here: Node, infos: Sequence[Told]) -> Told:
    return {
        **_now(here),
        "channels": len(infos),
        "wildcard_channels": 0,
        "uptime": _uptime(here),
        "infos": list(infos),
    }


def of_prefix(here: Node, prefix: str) -> Told:
    """Of all channels whose names begin with it; an empty one is that of all."""
    names = sorted(name for name in _channels(here) if name.startswith(prefix))
    told = of_several(here, [of_channel(here, name) for name in names[:LISTED]])
    return {**told, "channels": len(names)}


def summary(here: Node) -> Told:
    here.broker.expire()
    published, stored = here.broker.totals()
    channels = _channels(here)
    subscribers = sum(map(here.subscriptions.count, {*here.subscriptions.channels()} - {EVERYONE}))
    uptime = _uptime(here)
    return {
        **_now(here),
        "channels": len(channels),
        "wildcard_channels": 0,
        "published_messages": published,
        "stored_messages": stored,
        "messages_in_trash": 0,
        "channels_in_delete": 0,
        "channels_in_trash": 0,
        "subscribers": subscribers,
        "uptime": uptime,
        "by_worker": [{"pid": str(os.getpid()), "subscribers": subscribers, "uptime": uptime}],
        # Ours
        "sockets": len(connected_sockets),
        "listeners": len(here.listeners),
        "published": here.broker.top.offset,
        "dropped": here.dropped,
    }


def of_all(servers: Sequence[Told]) -> Told:
    """The statistics of one thing by several servers, as one.

    Who is there is added up. What is logged is on all of them, a moment sooner or later.
    """
    total: Told = {}
    for told in servers:
        for key, value in told.items():
            if key in _LISTS:
                total.setdefault(key, []).extend(value)
            elif key in _ADDED:
                total[key] = total.get(key, 0) + value
            elif isinstance(value, int):
                total[key] = max(total.get(key, value), value)
            else:
                total.setdefault(key, value)
    if "infos" in total:
        by_channel: dict[str, list[Told]] = {}
        for info in total["infos"]:
            by_channel.setdefault(info["channel"], []).append(info)
        total["infos"] = [of_all(infos) for infos in by_channel.values()]
    return total


_LISTS = ("by_worker", "infos")
_ADDED = ("subscribers", "sockets", "listeners", "dropped")


def as_text(told: Told) -> str:
    """For people: a line for each number, an empty one between channels."""
    parts = [_lines({key: value for key, value in told.items() if key not in ("infos", "by_worker")})]
    parts.extend(map(_lines, told.get("infos", ())))
    return "\r\n".join(parts)


def _lines(told: Told) -> str:
    return "".join(f"{_WORDS.get(key, key)}: {value}\r\n" for key, value in told.items())


_WORDS = {"subscribers": "active_subscribers"}


def _channels(here: Node) -> set[str]:
    return {*here.broker.channels(), *here.subscriptions.channels()} - {EVERYONE}


def _now(here: Node) -> Told:
    return {"hostname": socket.gethostname(), "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())}


def _uptime(here: Node) -> int:
    return int(time.time() - here.broker.began)
