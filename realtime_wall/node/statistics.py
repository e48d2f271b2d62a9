"""What goes on in this server: its channels, who is on them, and what was published.

The shapes are those of nginx push stream's statistics.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from heapq import nsmallest
from itertools import islice
from typing import Any

from realtime_wall.brokers.commands import Sockets
from realtime_wall.brokers.router import PORTION
from realtime_wall.channels.names import EVERYONE
from realtime_wall.node.node import Node
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets

ALL = "ALL"
# Of more channels only the number is told: to write a list of them would hold up everybody else.
LISTED = 10_000

Told = dict[str, Any]


def is_known(told: Told) -> bool:
    """Whether anybody is on the channel, or anything of it is kept."""
    return bool(told["published_messages"] or told["subscribers"])


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
    """What this server has to say, for :func:`of_all`."""
    here.broker.expire()
    published, stored = here.broker.totals()
    logged = set(here.broker.channels()) - {EVERYONE}
    unlogged = set(here.subscriptions.channels()) - logged - {EVERYONE}
    subscribers = sum(map(here.subscriptions.count, {*here.subscriptions.channels()} - {EVERYONE}))
    uptime = _uptime(here)
    return {
        **_now(here),
        "channels": len(logged) + len(unlogged),
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
        # For those who add it up: the log is the same on all servers, who is subscribed is not.
        "logged": len(logged),
        "unlogged": list(islice(unlogged, LISTED)),
    }


def of_server(here: Node) -> Told:
    """What the server is, for those who ask which there are."""
    return {
        "address": here.address,
        "hostname": socket.gethostname(),
        "pid": os.getpid(),
        "uptime": _uptime(here),
        "sockets": len(connected_sockets),
        "listeners": len(here.listeners),
    }


def sockets(here: Node, question: Sockets) -> list[Told]:
    """The next of those who are connected here: each is told once, whoever comes and goes meanwhile."""
    found = [
        one
        for one in connected_sockets
        if one.id > question.after and (question.channel is None or question.channel in one.channels)
    ]
    portion = nsmallest(PORTION, found, key=lambda one: one.id)
    users = here.revocation.users(portion)
    return [
        {
            "session_id": one.id,
            "user_id": users[one.id],
            "channels": list(one.channels),
            "namespace": one.namespace,
            "server": here.address,
            "since": session_of(one).connected_at,
        }
        for one in portion
    ]


def of_all(servers: Sequence[Told]) -> Told:
    """The statistics of one thing by several servers, as one.

    Who is there is added up. What is logged is on all of them, a moment sooner or later.
    """
    if len(servers) == 1 and servers[0].keys() == _OF_CHANNEL:
        return servers[0]  # what there is to tell of most channels, most of the time
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
        # All servers tell of the channels that were asked for in their order, else of their own by name.
        is_asked_for = len({tuple(one["channel"] for one in told["infos"]) for told in servers}) == 1
        names = by_channel if is_asked_for else sorted(by_channel)
        total["infos"] = [of_all(by_channel[name]) for name in names]
        total["channels"] = max(total["channels"], len(by_channel))
    if "logged" in total:
        total["channels"] = total.pop("logged") + len(set(total.pop("unlogged")))
    return total


_OF_CHANNEL = {"channel", "published_messages", "stored_messages", "subscribers"}
_LISTS = ("by_worker", "infos", "unlogged")
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
