"""What Redis costs us, against bare redis-py: one script with INCR and XADD, and a loop around XREAD."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

from bench.figures.figure import ratio
from bench.server import ROOT
from tests.redis_server import RedisServer

MESSAGES = 2000
SECONDS = 5  # of each round at a pace
ROUNDS = 7


def redis():
    """CPU per message of publishers and of a receiving server, and how long a message is on its way."""
    with RedisServer("--appendonly", "no") as server:
        outside = _publishing(server, "our-outsider", "bare-publisher")
        inside = _publishing(server, "our-server", "bare-server")
        # A tenth of what one publisher can do at most.
        rate = statistics.median(one["rate"] for one in inside["bare"]) / 10
        ours, bare = [], []
        for number in range(ROUNDS):
            bare.append(_receiving(server, "bare", number, rate))
            ours.append(_receiving(server, "our", number, rate))
    at = f"at {rate:.0f} messages a second"
    return [
        _compare("Redis: CPU per message, a publisher that is no server", 2, "cpu", **outside),
        _compare("Redis: CPU per message, a server that publishes and reads", 2, "cpu", **inside),
        _compare(f"Redis: CPU per message, a server that receives, {at}", 2, "cpu", ours, bare),
        _compare(f"Redis: from publishing to the entry, p50, {at}", 2, "p50", ours, bare),
        _compare(f"Redis: from publishing to the entry, p99, {at}", 3, "p99", ours, bare),
    ]


def _compare(name, limit, what, ours, bare):
    return ratio(name, limit, "us", [one[what] for one in ours], [one[what] for one in bare])


def _publishing(server, ours, bare):
    found = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        found["bare"].append(_result(_part(server, bare, f"{bare}{number}", 0)))
        found["ours"].append(_result(_part(server, ours, f"{ours}{number}", 0)))
    return found


def _receiving(server, whose, number, rate):
    """What it took a receiver in a process of its own to read what another one publishes at a pace."""
    prefix = f"{whose}-receiver{number}"
    count = max(100, int(rate * SECONDS))
    receiver = _part(server, f"{whose}-receiver", prefix, 0, count)
    assert receiver.stdout.readline() == "ready\n"
    _result(_part(server, f"{whose}-server", prefix, rate, count))
    return _result(receiver)


def _part(server, who, prefix, rate, count=MESSAGES):
    command = [sys.executable, "-m", "bench.redis_parts", who, server.url, prefix, str(count), str(rate)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def _result(part):
    with part:
        return json.loads(part.stdout.read())


FIGURES = [redis]
