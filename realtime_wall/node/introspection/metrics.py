"""The figures of servers as monitoring systems read them: Prometheus's text format, version 0.0.4.

Each server answers with its own, and whichever is asked writes those of all, each under the server's address.
docs/reference/metrics.rst has the names.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from realtime_wall.node.introspection import statistics
from realtime_wall.node.node import Node
from realtime_wall.sockets.dispatch import receiver_figures
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.wire.connection import Wire

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "realtime_wall_"


@dataclass(frozen=True, slots=True)
class Metric:
    """A name that ends in ``_total`` is a counter's; any other is a gauge's."""

    name: str
    help: str
    value: Callable[[Node], float]

    @property
    def type(self) -> str:
        return "counter" if self.name.endswith("_total") else "gauge"


METRICS = (
    Metric("uptime_seconds", "Since when the server runs.", lambda node: time.time() - node.broker.began),
    Metric("sockets", "WebSocket and Socket.IO clients.", lambda node: len(connected_sockets)),
    Metric("listeners", "Clients that only listen, over HTTP.", lambda node: len(node.listeners)),
    Metric("connections", "Connections that the event loop watches.", lambda node: len(Wire.open_sockets)),
    Metric("subscriptions", "Clients on channels, each counted for each channel.", statistics.subscribers),
    Metric(
        "channels", "Channels with subscribers here.", lambda node: len(set(node.subscriptions.channels()))
    ),
    Metric(
        "detached_sessions", "Sessions that may be resumed.", lambda node: len(node.detached_sessions.all())
    ),
    Metric("receivers_running", "Sockets whose receiver runs.", lambda node: node.pool.busy),
    Metric("receivers_waiting", "Sockets that wait for a receiver.", lambda node: node.pool.waiting),
    Metric(
        "stored_messages",
        "Messages in the log; the same on each server.",
        lambda node: node.broker.totals()[1],
    ),
    Metric(
        "published_messages_total",
        "Messages since the log began; the same on each server.",
        lambda node: node.broker.top.offset,
    ),
    Metric(
        "deliveries_total", "Messages written to clients, each counted for each.", lambda node: node.delivered
    ),
    Metric(
        "deliveries_dropped_total", "Writes that found a client gone, or too slow.", lambda node: node.dropped
    ),
    Metric("requests_refused_total", "What clients asked for beyond a limit.", lambda node: node.refused),
    Metric(
        "returns_by_ticket_total",
        "Clients that came back without middleware.",
        lambda node: node.tickets.taken,
    ),
    Metric(
        "tickets_not_taken_total",
        "Tickets that did not fit: a handshake as any other.",
        lambda node: node.tickets.not_taken,
    ),
)
OF_RECEIVERS = {
    "receiver_calls_total": "How often a receiver has run.",
    "receiver_failures_total": "How often a receiver has raised.",
    "receiver_seconds_total": "For how long a receiver has run.",
    "receiver_connections_total": "Database connections that a receiver has opened.",
    "receiver_connections": "Those of them that are open.",
}


def of_node(node: Node) -> dict[str, Any]:
    """What this server answers."""
    node.broker.expire()
    return {
        "server": node.address,
        "hostname": socket.gethostname(),
        "pid": os.getpid(),
        "values": {metric.name: metric.value(node) for metric in METRICS},
        "receivers": {
            name: [one.calls, one.failures, one.seconds, one.connections, one.open_connections]
            for name, one in receiver_figures.figures.items()
        },
    }


def as_text(servers: Iterable[dict[str, Any]]) -> str:
    """A server of another version may have other figures: those that both know are written."""
    servers = sorted(servers, key=lambda one: str(one["server"]))
    lines = _family(
        "server_info", "gauge", "Which servers there are.", ((_labels(one, True), 1) for one in servers)
    )
    for metric in METRICS:
        samples = (
            (_labels(one), one["values"][metric.name]) for one in servers if metric.name in one["values"]
        )
        lines += _family(metric.name, metric.type, metric.help, samples)
    for number, (name, text) in enumerate(OF_RECEIVERS.items()):
        samples = (
            (f"{_labels(one)},{_label('receiver', receiver)}", figures[number])
            for one in servers
            for receiver, figures in sorted(one["receivers"].items())
            if number < len(figures)
        )
        lines += _family(name, "counter" if name.endswith("_total") else "gauge", text, samples)
    return "".join(f"{line}\n" for line in lines)


def _family(name: str, type: str, help: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    name = PREFIX + name
    written = [f"{name}{{{labels}}} {value:.15g}" for labels, value in samples]
    return [f"# HELP {name} {help}", f"# TYPE {name} {type}", *written]


def _labels(server: dict[str, Any], with_process: bool = False) -> str:
    label = _label("server", str(server["server"]))
    if not with_process:
        return label
    return ",".join((label, _label("hostname", str(server["hostname"])), _label("pid", str(server["pid"]))))


def _label(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{name}="{escaped}"'
