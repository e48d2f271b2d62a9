"""What of the site does Socket.IO's admin page want to be told, and in which shape?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from realtime_wall import cluster
from realtime_wall.api import visitor_address
from realtime_wall.cluster import ConnectedSocket, Server

FEATURES = ("EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
Figures = dict[str, Any]


def features(may_change: bool, shows_all_events: bool) -> list[str]:
    return [
        *(FEATURES if may_change else ()),
        "AGGREGATED_EVENTS",
        *(("ALL_EVENTS",) if shows_all_events else ()),
    ]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(one: ConnectedSocket) -> Figures:
    """A socket of any server."""
    data = {"user": one.user_id, "server": one.server}
    return _line(one.session_id, one.namespace, one.transport, one.channels, one.address, one.since, data, "")


def line_of_socket(socket: Any) -> Figures:
    """One of this server that has just come."""
    meta = socket.request.META
    polls = socket.request.GET.get("transport") == "polling"
    return _line(
        socket.id,
        socket.namespace,
        "polling" if polls else "websocket",
        socket.channels,
        visitor_address(socket.request),
        datetime.now(UTC).timestamp(),
        {"server": cluster.this_server()},
        meta.get("HTTP_USER_AGENT", ""),
    )


def _line(
    session_id: str,
    namespace: str,
    transport: str,
    channels: Iterable[str],
    address: str,
    since: float,
    data: Figures,
    user_agent: str,
) -> Figures:
    """No cookie, no token and no query: they are for the server alone."""
    return {
        "id": session_id,
        "clientId": session_id,
        "transport": transport,
        "nsp": namespace,
        "data": data,
        "handshake": {
            "address": address,
            "headers": {"user-agent": user_agent} if user_agent else {},
            "query": {},
            "issued": int(since * 1000),
            "secure": False,
            "xdomain": False,
        },
        "rooms": [session_id, *channels],
    }


class ServerStats:
    """The figures of all servers, and what has happened since they were looked at before."""

    def __init__(self) -> None:
        self._deliveries: dict[str, int] = {}

    def look(self) -> list[Figures]:
        deliveries = {
            one["server"]: int(one["values"].get("deliveries_total", 0)) for one in cluster.metrics()
        }
        found = [self._of(server, deliveries.get(server.address, 0)) for server in cluster.servers()]
        self._deliveries = deliveries
        return found

    def _of(self, server: Server, deliveries: int) -> Figures:
        since = deliveries - self._deliveries.get(server.address, deliveries)
        sent = {"timestamp": int(datetime.now(UTC).timestamp()) * 1000, "type": "packetsOut", "count": since}
        return {
            "serverId": server.address,
            "hostname": server.hostname,
            "pid": server.pid,
            "uptime": server.uptime,
            "clientsCount": server.sockets,
            "pollingClientsCount": server.polling,
            "aggregatedEvents": [sent] if since > 0 else [],
            "namespaces": [
                {"name": name, "socketsCount": count} for name, count in sorted(server.namespaces.items())
            ],
        }
