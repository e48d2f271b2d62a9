"""Deflated messages: what a broadcast costs beside the same one as it is, and what an idle client does."""

from __future__ import annotations

import statistics

from bench.figures.figure import CLIENTS, Figure, ratio
from bench.server import Ours
from bench.swarm import Swarm

ROUNDS = 15
MESSAGES = 5
SIZE = 2000


def deflated():
    """CPU per delivery to 2,000 clients that agreed on permessage-deflate, against 2,000 that did not."""
    spent = {"deflated": [], "plain": []}
    with Ours(WEBSOCKET_COMPRESSION=True) as ours, Swarm() as deflated, Swarm() as plain:
        audiences = {"deflated": deflated, "plain": plain}
        sizes = {}
        for name, clients in audiences.items():
            clients.listen(ours.port, CLIENTS, f"/ws/?channel={name}", "", False, name == "deflated")
            _publish(ours, name, 1)
            sizes[name] = clients.settle() // CLIENTS
        for index in range(ROUNDS + 1):
            for name, clients in audiences.items():
                # With another cursor a deflated message may be a few bytes shorter.
                clients.begin("expect", CLIENTS * MESSAGES * (sizes[name] - 20))
                before = ours.cpu()
                _publish(ours, name, MESSAGES)
                cpu = ours.cpu() - before
                clients.end()
                clients.settle()
                if index:  # the first round warms up
                    spent[name].append(cpu / MESSAGES / CLIENTS * 1e6)
    what = "CPU per delivery, {deflated} instead of {plain} bytes".format(**sizes)
    return ratio(what, 1.15, "us", spent["deflated"], spent["plain"])


def _publish(ours, channel, count):
    ours.get(f"/publish/?channel={channel}&count={count}&size={SIZE}&words=")


def memory_deflated():
    """User-space memory of an idle client that agreed on permessage-deflate, against one that did not."""
    samples = {True: [], False: []}
    with Ours(WEBSOCKET_COMPRESSION=True) as ours, Swarm() as clients:
        for deflate in samples:  # what is allocated once
            clients.listen(ours.port, 200, "/ws/", ours.cookie, False, deflate)
        for _ in range(5):
            for deflate, found in samples.items():
                before = ours.memory()
                clients.listen(ours.port, 1000, "/ws/", ours.cookie, False, deflate)
                found.append((ours.memory() - before) / 1000 / 1024)
    deflated, plain = (statistics.median(found) for found in samples.values())
    detail = f"{deflated:.2f} KB against {plain:.2f}"
    return Figure("memory per idle deflated socket", "0.2 KB more", detail, deflated <= plain + 0.2)


FIGURES = [deflated, memory_deflated]
