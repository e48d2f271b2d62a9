"""The plain WebSocket, the wire below it, and the verbs: against views."""

from __future__ import annotations

import statistics
import time

from bench.figures.figure import ROUNDS, Figure, ratio
from bench.server import Ours
from bench.swarm import Swarm

HEALTHY, DEAF = 950, 50
# Messages of a sample, and pairs of samples for each 50 that are deaf, who are cut off after half a minute.
STAMPS, PAIRS = 4, 30


def memory():
    """User-space memory of an idle connected socket whose request has a session and a user."""
    samples = []
    with Ours() as ours, Swarm() as clients:
        clients.listen(ours.port, 200, "/ws/", ours.cookie)  # what is allocated once
        for _ in range(5):
            before = ours.memory()
            clients.listen(ours.port, 1000, "/ws/", ours.cookie)
            samples.append((ours.memory() - before) / 1000 / 1024)
    kilobytes = statistics.median(samples)
    return Figure("memory per idle socket", "at most 3 KB", f"{kilobytes:.2f} KB", kilobytes <= 3)


def handshake():
    """CPU of a handshake whose connect receiver reads the user, against a view that does."""
    # Small rounds, many of them: what else the machine does then falls on both alike.
    count, rounds = 80, 30
    with Ours() as ours, Swarm() as clients:
        sockets, views = [], []
        for index in range(rounds + 1):
            before = ours.cpu()
            clients.handshakes(ours.port, count, "/ws/?user=1", ours.cookie)
            middle = ours.cpu()
            clients.requests(ours.port, count, "/user/", ours.cookie)
            after = ours.cpu()
            if index:  # the first round warms up
                sockets.append((middle - before) / count * 1e6)
                views.append((after - middle) / count * 1e6)
    return ratio("CPU per handshake with a connect receiver", 1.05, "us", sockets, views)


def slow_readers():
    """p99 of 950 healthy clients while 50 others never read, and of the same on a channel without them.

    The deaf stay connected. A pair of samples is a tenth of a second: what else the machine does falls on
    both, and of many pairs the median counts.
    """
    channels = ("bench", "quiet")
    delays = {channel: [] for channel in channels}
    with Ours() as ours, Swarm() as healthy, Swarm() as deaf:
        healthy.listen(ours.port, HEALTHY, "/ws/?channel=bench")
        assert healthy.join("quiet", '"subscribed"') == HEALTHY
        for _ in range(2 * ROUNDS):
            deaf.listen(ours.port, DEAF, "/ws/?channel=bench", "", True)
            # Fill what the kernels keep for them, so that their outboxes are at work.
            healthy.begin("settle", 1.0)
            ours.get("/publish/?channel=bench&count=20&size=20000")
            healthy.end()
            for pair in range(PAIRS):
                for channel in channels[:: 1 if pair % 2 else -1]:
                    delays[channel].append(_p99(ours, healthy, channel))
            deaf.leave()
    name = f"p99 of {HEALTHY} clients beside {DEAF} that never read"
    return ratio(name, 1.05, "ms", delays["bench"], delays["quiet"])


def _p99(ours, clients, channel):
    clients.begin("stamps", STAMPS * HEALTHY)
    for _ in range(STAMPS):
        ours.get(f"/stamp/?channel={channel}")
    return statistics.quantiles(clients.end(), n=100)[98] * 1000


def shell():
    """A broadcast from a shell, from the call to the client, beyond the same call in the server."""
    inside, outside = [], []
    code = (
        "import time; from realtime_wall import broadcast_channel as b\n"
        "b(time.monotonic(), 'bench')\n"
        "for _ in range(20): b(time.monotonic(), 'bench'); time.sleep(0.02)"
    )
    with Ours() as ours, Swarm() as clients:
        clients.listen(ours.port, 1, "/ws/?channel=bench")
        for _ in range(ROUNDS):
            clients.begin("stamps", 20)
            for _ in range(20):
                ours.get("/stamp/?channel=bench")
                time.sleep(0.02)
            inside.append(statistics.median(clients.end()) * 1000)
            clients.begin("stamps", 21)
            done = ours.manage("shell", "-v0", "-c", code)
            assert done.returncode == 0, done.stderr
            outside.append(statistics.median(clients.end()[1:]) * 1000)
    extra = statistics.median(a - b for a, b in zip(outside, inside, strict=True))
    detail = f"{extra:.2f} ms ({statistics.median(outside):.2f} against {statistics.median(inside):.2f})"
    return Figure("a shell's broadcast, beyond one in the server", "at most 20 ms", detail, extra <= 20)


FIGURES = [memory, handshake, slow_readers, shell]
