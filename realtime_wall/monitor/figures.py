"""The figures of all servers as one: what is added up, what is the same on each, how long receivers run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

# Each server has the whole log.
THE_SAME = ("published_messages_total", "stored_messages")
SHOWN = {
    "sockets": "sockets",
    "listeners": "listeners",
    "detached_sessions": "may come back",
    "subscriptions": "subscriptions",
    "receivers_running": "receivers running",
    "receivers_waiting": "waiting for a receiver",
    "published_messages_total": "messages published",
    "stored_messages": "messages kept",
    "deliveries_total": "deliveries",
    "deliveries_dropped_total": "deliveries dropped",
    "requests_refused_total": "requests refused",
}


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    name: str
    calls: int
    failures: int
    mean: float  # milliseconds
    connections: int  # to the database, that it has opened
    open_connections: int


# What is drawn over time: a name, what it is called, and whether it is a counter.
SERIES = (
    ("sockets", "sockets", False),
    ("published_messages_total", "messages published each second", True),
    ("deliveries_total", "deliveries each second", True),
    ("deliveries_dropped_total", "deliveries dropped each second", True),
)


def totals_of(servers: Sequence[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Names, what they are called, and the figures."""
    return [
        (name, label, int((max if name in THE_SAME else sum)(one["values"].get(name, 0) for one in servers)))
        for name, label in SHOWN.items()
        if servers
    ]


def receivers_of(servers: Sequence[dict[str, Any]]) -> list[ReceiverLine]:
    """Those that take the most time first."""
    total: dict[str, list[float]] = {}
    for one in servers:
        for name, figures in one["receivers"].items():
            before = total.get(name, [0, 0, 0.0, 0, 0])
            total[name] = [mine + theirs for mine, theirs in zip_longest(before, figures, fillvalue=0)]
    lines = [
        ReceiverLine(name, int(calls), int(failures), 1000 * seconds / calls, int(opened), int(open_now))
        for name, (calls, failures, seconds, opened, open_now) in total.items()
        if calls
    ]
    return sorted(lines, key=lambda line: line.mean * line.calls, reverse=True)
