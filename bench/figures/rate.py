"""100,000 deliveries a second: how late is the last of them, beside a loop that does nothing else?"""

from __future__ import annotations

import statistics

from bench.figures.figure import ratio
from bench.server import Bare, Ours
from bench.swarm import Swarm

CLIENTS, RATE = 10_000, 10
SECONDS, ROUNDS = 3, 5
# Bytes of a message besides its time: as many as ours has around it.
REST = 60


def rate():
    """p99 of the delays of 10,000 clients that hear ten messages a second, each from when it was due."""
    delays = {"ours": [], "loop": []}
    with Ours() as ours, Bare() as bare, Swarm() as clients, Swarm() as bare_clients:
        clients.listen(ours.port, CLIENTS, "/ws/?channel=bench")
        bare_clients.listen_bare(bare.port, CLIENTS)
        for index in range(ROUNDS + 1):
            count = RATE * SECONDS
            clients.begin("stamps", CLIENTS * count)
            ours.get(f"/pump/?channel=bench&rate={RATE}&count={count}")
            delays["ours"].append(_p99(clients.end()))
            bare_clients.begin("stamps", CLIENTS * count)
            bare.pump(RATE, count, REST)
            delays["loop"].append(_p99(bare_clients.end()))
            if not index:  # the first round warms up
                for samples in delays.values():
                    samples.clear()
    name = f"p99 at {CLIENTS * RATE:,} deliveries a second to {CLIENTS:,} clients"
    return ratio(name, 1.15, "ms", delays["ours"], delays["loop"], "a loop of send in C")


def _p99(delays):
    return statistics.quantiles(delays, n=100)[98] * 1000


FIGURES = [rate]
