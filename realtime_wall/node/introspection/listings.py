"""What there is on this server, some at a time: sockets, channels, and what was published on one.

A list of all would hold up everybody else. What comes next is said by the last of what came before, so that
whoever comes and goes meanwhile shifts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Any

from realtime_wall.auth.visitor_address import source_of
from realtime_wall.brokers.questions import GetChannelPage, GetHistory, GetSocketPage, GetSockets
from realtime_wall.brokers.router import PORTION
from realtime_wall.control.message_dict import message_dict
from realtime_wall.node.introspection import statistics
from realtime_wall.node.introspection.socket_counts import in_slices
from realtime_wall.node.introspection.statistics import Figures
from realtime_wall.node.node import Node
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.socket import Socket


def sockets(node: Node, question: GetSockets) -> list[Figures]:
    """The next of those who are connected here: each is listed once, whoever comes and goes meanwhile."""
    found = _on(question.channel, connected_sockets)
    return _next_sockets(node, found, question.after, PORTION)


def socket_page(node: Node, question: GetSocketPage) -> list[Figures]:
    found = _on(question.channel, connected_sockets)
    if question.user_id is not None:
        found = list(found)
        users = node.revocation.users(found)
        found = [client for client in found if users[client.id] == question.user_id]
    return _next_sockets(node, found, question.after, question.limit)


def channel_page(node: Node, question: GetChannelPage) -> list[Figures]:
    """The next names that begin so; none of another server's is left out between the first and the last."""
    names = (
        name
        for name in statistics.channels(node)
        if name > question.after and name.startswith(question.prefix)
    )
    return [statistics.of_channel(node, name) for name in nsmallest(question.limit, names)]


def history(node: Node, question: GetHistory) -> list[dict[str, Any]]:
    """The newest last."""
    return [message_dict(message) for message in node.broker.newest(question.channel, question.last)]


def _on(channel: str | None, clients: Iterable[Socket]) -> Iterable[Socket]:
    return clients if channel is None else (client for client in clients if channel in client.channels)


def _next_sockets(node: Node, clients: Iterable[Socket], after: str, limit: int) -> list[Figures]:
    later = (client for client in in_slices(clients) if client.id > after)
    portion = nsmallest(limit, later, key=lambda client: client.id)
    users = node.revocation.users(portion)
    return [
        {
            "session_id": client.id,
            "user_id": users[client.id],
            "channels": list(client.channels),
            "namespace": client.namespace,
            "server": node.address,
            "since": session_of(client).connected_at,
            "address": source_of(client.request.META, node.config.trusted_proxies),
            "is_behind": bool(session_of(client).transport.is_behind),
            "transport": session_of(client).transport.kind,
        }
        for client in portion
    ]
