"""What goes on in this server: its channels, who is on them, and what was published.

The shapes are those of nginx push stream's statistics.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.wildcards import is_wildcard
from realtime_wall.node.introspection.socket_counts import socket_counts
from realtime_wall.node.node import Node
from realtime_wall.sockets.registry import connected_sockets

ALL = "ALL"
# Of more channels only the number is given: to write a list of them would hold up everybody else.
LISTED = 10_000

Figures = dict[str, Any]


def is_known(figures: Figures) -> bool:
    """Whether anybody is on the channel, or anything of it is kept."""
    return bool(figures["published_messages"] or figures["subscribers"])


def of_channel(node: Node, channel: str) -> Figures:
    return {
        "channel": channel,
        "published_messages": node.broker.published(channel),
        "stored_messages": node.broker.kept(channel),
        "subscribers": node.subscriptions.count(channel),
    }


def of_selection(node: Node, selection: str) -> Figures:
    """Of what is asked for: a channel, all that begin so (``news*``), ``ALL``, or a summary."""
    if not selection:
        return summary(node)
    if selection == ALL or selection.endswith("*"):
        return of_prefix(node, "" if selection == ALL else selection[:-1])
    if "/" in selection:  # no name has one
        return of_several(node, [of_channel(node, channel) for channel in selection.split("/")])
    return of_channel(node, selection)


def of_several(node: Node, infos: Sequence[Figures]) -> Figures:
    return {
        **_now(node),
        "channels": len(infos),
        "wildcard_channels": len(_wildcards(node)),
        "uptime": _uptime(node),
        "infos": list(infos),
    }


def of_prefix(node: Node, prefix: str) -> Figures:
    """Of all channels whose names begin with it; an empty one is that of all."""
    names = sorted(name for name in channels(node) if name.startswith(prefix))
    figures = of_several(node, [of_channel(node, name) for name in names[:LISTED]])
    return {**figures, "channels": len(names)}


def summary(node: Node) -> Figures:
    """The part of this server, for :func:`of_all`."""
    node.broker.expire()
    published, stored = node.broker.totals()
    logged = set(node.broker.channels()) - {EVERYONE}
    unlogged = _subscribed(node) - logged
    on_channels = subscribers(node)
    uptime = _uptime(node)
    return {
        **_now(node),
        "channels": len(logged) + len(unlogged),
        "wildcard_channels": len(_wildcards(node)),
        "published_messages": published,
        "stored_messages": stored,
        "messages_in_trash": 0,
        "channels_in_delete": 0,
        "channels_in_trash": 0,
        "subscribers": on_channels,
        "uptime": uptime,
        "by_worker": [{"pid": str(os.getpid()), "subscribers": on_channels, "uptime": uptime}],
        # Ours
        "sockets": len(connected_sockets),
        "listeners": len(node.listeners),
        "published": node.broker.top.offset,
        "dropped": node.dropped,
        "refused": node.refused,
        "returned_by_ticket": node.tickets.taken,
        "tickets_not_taken": node.tickets.not_taken,
        # For those who add it up: the log is the same on all servers, who is subscribed is not.
        "logged": len(logged),
        "unlogged": list(islice(unlogged, LISTED)),
    }


def subscribers(node: Node) -> int:
    """On all channels here, each counted for each channel."""
    return sum(map(node.subscriptions.count, _subscribed(node)))


def of_server(node: Node) -> Figures:
    """What the server is, for those who ask which there are."""
    return {
        "address": node.address,
        "hostname": socket.gethostname(),
        "pid": os.getpid(),
        "uptime": _uptime(node),
        "sockets": len(connected_sockets),
        "listeners": len(node.listeners),
        **socket_counts(),
    }


def of_all(servers: Sequence[Figures]) -> Figures:
    """The statistics of one thing by several servers, as one.

    Who is there is added up. What is logged is on all of them, a moment sooner or later.
    """
    if len(servers) == 1 and servers[0].keys() == _OF_CHANNEL:
        return servers[0]  # what there is of most channels, most of the time
    total: Figures = {}
    for figures in servers:
        for key, value in figures.items():
            if key in _LISTS:
                total.setdefault(key, []).extend(value)
            elif key in _ADDED:
                total[key] = total.get(key, 0) + value
            elif isinstance(value, int):
                total[key] = max(total.get(key, value), value)
            else:
                total.setdefault(key, value)
    if "infos" in total:
        by_channel: dict[str, list[Figures]] = {}
        for info in total["infos"]:
            by_channel.setdefault(info["channel"], []).append(info)
        # All servers have the channels that were asked for in their order, else their own by name.
        is_asked_for = len({tuple(one["channel"] for one in figures["infos"]) for figures in servers}) == 1
        names = by_channel if is_asked_for else sorted(by_channel)
        total["infos"] = [of_all(by_channel[name]) for name in names]
        total["channels"] = max(total["channels"], len(by_channel))
    if "logged" in total:
        total["channels"] = total.pop("logged") + len(set(total.pop("unlogged")))
    return total


_OF_CHANNEL = {"channel", "published_messages", "stored_messages", "subscribers"}
_LISTS = ("by_worker", "infos", "unlogged")
_ADDED = (
    *("subscribers", "sockets", "listeners", "dropped", "refused"),
    *("returned_by_ticket", "tickets_not_taken"),
)


def channels(node: Node) -> set[str]:
    return ({*node.broker.channels()} - {EVERYONE}) | _subscribed(node)


def _subscribed(node: Node) -> set[str]:
    """The channels that somebody is on; who is there by a wildcard is on each."""
    return {name for name in node.subscriptions.channels() if not is_wildcard(name)} - {EVERYONE}


def _wildcards(node: Node) -> list[str]:
    return list(filter(is_wildcard, node.subscriptions.channels()))


def _now(node: Node) -> Figures:
    return {"hostname": socket.gethostname(), "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())}


def _uptime(node: Node) -> int:
    return int(time.time() - node.broker.began)
