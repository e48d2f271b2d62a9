"""A user who leaves: how long until the last of many sockets knows, and what the database is asked."""

from __future__ import annotations

import statistics
import time

from bench.figures.figure import Figure
from bench.server import Ours
from bench.swarm import Swarm

SOCKETS = 1000


def logout():
    """Logout of one session with 1,000 sockets, half of them Socket.IO's, to the last byte."""
    seconds, queries = [], {}
    with Ours() as ours:
        for count in (2, SOCKETS, SOCKETS, SOCKETS):
            cookie = ours.get("/login/").decode()
            with Swarm() as clients:
                clients.listen(ours.port, count // 2, "/ws/?user=1", cookie)
                clients.listen_socketio(ours.port, count // 2, cookie)
                clients.begin("first_bytes", count)
                started = time.monotonic()
                queries[count] = int(ours.get("/logout/", cookie))
                if count == SOCKETS:
                    seconds.append(clients.end() - started)
                else:
                    clients.end()
    slowest = max(seconds)
    median = statistics.median(seconds)
    return [
        Figure(
            f"logout of {SOCKETS} sockets, to the last byte",
            "at most 1 s",
            f"{median:.3f} s, {slowest:.3f} at most",
            slowest <= 1,
        ),
        Figure(
            f"queries of a logout, of {SOCKETS} sockets and of 2",
            "as many",
            f"{queries[SOCKETS]} and {queries[2]}",
            queries[SOCKETS] == queries[2],
        ),
    ]


FIGURES = [logout]
