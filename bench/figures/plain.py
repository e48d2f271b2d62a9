"""The plain WebSocket, the wire below it, and the verbs: against views."""

from __future__ import annotations

import json
import statistics
import time

from bench.figures.figure import ROUNDS, Figure, ratio
from bench.server import Ours
from bench.site.bench_app.views import json_document
from bench.swarm import Swarm

MEBIBYTE = 1024 * 1024


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
    return Figure("memory per idle socket", "at most 5 KB", f"{kilobytes:.2f} KB", kilobytes <= 5)


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
    return ratio("CPU per handshake with a connect receiver", 1.2, "us", sockets, views)


def stall_text():
    """How long one 1 MiB text message holds the event loop."""
    return _stall("loop stall, 1 MiB of plain text", ["x" * (MEBIBYTE - 100)])


def stall_json():
    """The same for JSON that is meant well."""
    document = json.dumps(json_document(MEBIBYTE - 4096))
    return _stall("loop stall, 1 MiB of JSON", [document])


def stall_worst_json():
    """The same for JSON that is made to hold up everybody: what is refused, and what just fits."""
    return _stall("loop stall, 1 MiB of the worst JSON", list(_worst_json()))


def _worst_json():
    size = MEBIBYTE - 100
    units = (
        "[" * 30 + "]" * 30,
        "[],[[[[[]]]]]",
        "[]",
        "{}",
        '{"a":1}',
        "1",
        '"a"',
        "0.12345678901234567",
        "9" * 4000,
    )
    for unit in (f"{unit}," for unit in units):
        yield '{"type":"a","id":1,"message":[' + (unit * (size // len(unit)))[:-1] + "]}"
    for unit, values in ((unit, 248_000) for unit in ("[],", "1,", '{"a":1},', '"a",')):
        count = min(values // (1 if unit[0] in '1"' else 4), size // len(unit))
        yield ('{"type":"a","id":1,"message":[' + (unit * count)[:-1] + "]}").ljust(size)
    for text in (r"\n" * 249_000, r"\"" * 249_000, r"\ud83d\ude00" * (size // 12), "x" * size):
        yield ('{"type":"a","id":1,"message":"' + text + '"}').ljust(size)


def _stall(name, texts):
    stalls = []
    with Ours() as ours, Swarm() as clients:
        ours.get("/stall/")
        for _ in range(ROUNDS):
            longest = 0.0
            for text in texts:
                ours.get("/stall/")
                clients.message(ours.port, text)
                longest = max(longest, ours.json("/stall/")["seconds"] * 1000)
            stalls.append(longest)
    median = statistics.median(stalls)
    return Figure(name, "at most 5 ms", f"{median:.2f} ms", median <= 5)


def slow_readers():
    """p99 of 950 healthy clients while 50 others never read."""
    # With fewer messages the p99 is the slowest of them: noise.
    messages, size = 200, 20_000
    quiet, troubled = [], []
    with Ours() as ours, Swarm() as healthy, Swarm() as deaf:
        healthy.listen(ours.port, 950, "/ws/?channel=bench")
        for _ in range(ROUNDS):
            quiet.append(_p99(ours, healthy, messages, 950))
            deaf.listen(ours.port, 50, "/ws/?channel=bench", "", True)
            # Fill what the kernels keep for them, so that their outboxes are at work.
            healthy.begin("settle", 1.0)
            ours.get(f"/publish/?channel=bench&count=20&size={size}")
            healthy.end()
            troubled.append(_p99(ours, healthy, messages, 950))
            deaf.leave()
    return ratio("p99 of 950 clients beside 50 that never read", 1.25, "ms", troubled, quiet)


def _p99(ours, clients, messages, count):
    clients.begin("stamps", messages * count)
    for _ in range(messages):
        ours.get("/stamp/?channel=bench")
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


FIGURES = [memory, handshake, stall_text, stall_json, stall_worst_json, slow_readers, shell]
