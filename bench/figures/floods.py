"""What do 200 bystanders notice of a flood, by one client and by ten, beside the same time without it?

``make bench ARGS=floods`` for all, ``ARGS="flood_pings"`` for one.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys

from bench.attackers import FLOODS
from bench.figures.figure import Figure
from bench.server import ROOT, Ours
from bench.swarm import Swarm
from realtime_wall.config import Config

BYSTANDERS, RATE, SECONDS, ROUNDS = 200, 20, 4, 3
SHARE, SLOWER = 0.98, 1.5
LIMITS = {name.upper(): getattr(Config(), name) for name in ("frame_rate", "event_rate", "cpu_rate")}


def _flood(name):
    def measure():
        figures = []
        # The site's own limits, which the bench's other figures do without.
        with Ours(**LIMITS) as ours, Swarm() as bystanders:
            _put_first(ours.process.pid, bystanders.pid)
            bystanders.listen(ours.port, BYSTANDERS, "/ws/?channel=bench")
            for clients in (1, 10):
                rounds = [_round(ours, bystanders, name, clients) for _ in range(ROUNDS)]
                figures.append(_figure(name, clients, rounds))
        return figures

    measure.__name__ = f"flood_{name}"
    return measure


def _put_first(*pids):
    """Where that is allowed: attackers, and what else runs here, would not share their processor."""
    for pid in pids:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, pid, -15)


def _round(ours, bystanders, name, clients):
    """Who got how much, and when: without the flood, and with it; and how the flood went."""
    control = _listen(ours, bystanders)
    arguments = [name, str(ours.port), str(clients), str(SECONDS + 1)]
    flood = subprocess.Popen(
        [sys.executable, "-m", "bench.attackers", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    flooded = _listen(ours, bystanders)
    return control, flooded, json.loads(flood.communicate()[0])


def _listen(ours, bystanders):
    """How many messages arrived, and the 99th percentile of their delays in ms."""
    expected = SECONDS * RATE * BYSTANDERS
    bystanders.begin("stamps_until_quiet", expected)
    ours.get(f"/pump/?channel=bench&rate={RATE}&count={SECONDS * RATE}")
    delays = bystanders.end()
    return len(delays), statistics.quantiles(delays or [9.0, 9.0], n=100)[98] * 1000


def _figure(name, clients, rounds):
    controls, floods, attacks = zip(*rounds, strict=True)
    share = sum(count for count, _ in floods) / sum(count for count, _ in controls)
    quiet, loud = (statistics.median(p99 for _, p99 in some) for some in (controls, floods))
    slower = statistics.median(b / a for (_, a), (_, b) in zip(controls, floods, strict=True))
    detail = f"{slower:.2f} x ({loud:.0f} against {quiet:.0f} ms), {share:.1%} arrived; {attacks[-1]}"
    title = f"p99 of {BYSTANDERS} beside {clients} that flood: {name}"
    return Figure(title, f"at most {SLOWER} x", detail, slower <= SLOWER and share >= SHARE)


FIGURES = [_flood(flood.__name__) for flood in FLOODS]
