"""Each figure: a number of ours against a control in the same run, round by round, interleaved."""

from __future__ import annotations

import contextlib
import functools
import json
import statistics
import time
from dataclasses import dataclass

from bench.server import Bare, GeventSocketIO, NodeSocketIO, Ours
from bench.site.bench_app.views import json_document
from bench.swarm import Swarm

ROUNDS = 7
CLIENTS = 2000
# A published string of this length makes a frame of 300 bytes, about.
BODY = 225
MEBIBYTE = 1024 * 1024


@dataclass
class Figure:
    name: str
    target: str
    measured: str
    met: bool


def _ratio(name, limit, unit, ours, control):
    """The median of the rounds' ratios."""
    ratios = [a / b for a, b in zip(ours, control, strict=True)]
    median = statistics.median(ratios)
    detail = f"{median:.2f} x ({statistics.median(ours):.4g} against {statistics.median(control):.4g} {unit})"
    return Figure(name, f"at most {limit} x", detail, median <= limit)


def delivery():
    """CPU per delivery to 2,000 plain WebSockets, against a bare send loop over as many sockets."""
    count = 10
    with Ours() as ours, Bare() as bare, Swarm() as our_clients, Swarm() as bare_clients:
        our_clients.listen(ours.port, CLIENTS, "/ws/?channel=bench")
        bare_clients.listen_bare(bare.port, CLIENTS)
        ours.get(f"/publish/?channel=bench&count=1&size={BODY}")
        frame = our_clients.settle() // CLIENTS
        ours_cpu, bare_cpu = [], []
        for _ in range(ROUNDS):
            our_clients.begin("expect", CLIENTS * count * frame)
            before = ours.cpu()
            ours.get(f"/publish/?channel=bench&count={count}&size={BODY}")
            ours_cpu.append((ours.cpu() - before) / count / CLIENTS * 1e6)
            our_clients.end()
            bare_clients.begin("expect", CLIENTS * count * frame)
            before = bare.cpu()
            bare.send(count, frame)
            bare_cpu.append((bare.cpu() - before) / count / CLIENTS * 1e6)
            bare_clients.end()
    return _ratio(f"CPU per delivery, {CLIENTS} sockets, {frame} bytes", 1.25, "us", ours_cpu, bare_cpu)


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
    return _ratio("CPU per handshake with a connect receiver", 1.2, "us", sockets, views)


def stall_text():
    """How long one 1 MiB text message holds the event loop."""
    return _stall("loop stall, 1 MiB of plain text", "x" * (MEBIBYTE - 100), None)


def stall_json():
    """The same for JSON, against json.loads of it in the same process."""
    return _stall("loop stall, 1 MiB of JSON", json.dumps(json_document(MEBIBYTE - 4096)), 1.5)


def _stall(name, text, limit):
    stalls, loads = [], []
    with Ours() as ours, Swarm() as clients:
        ours.get("/stall/")
        for _ in range(ROUNDS):
            loads.append(ours.json(f"/loads/?size={MEBIBYTE - 4096}")["seconds"] * 1000)
            ours.get("/stall/")
            clients.message(ours.port, text)
            stalls.append(ours.json("/stall/")["seconds"] * 1000)
    if limit is not None:
        return _ratio(name, limit, "ms", stalls, loads)
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
    return _ratio("p99 of 950 clients beside 50 that never read", 1.25, "ms", troubled, quiet)


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


def socketio_delivery():
    """CPU per delivery to 2,000 Socket.IO clients, against the bare loop and both other servers."""
    count, spent = 5, {}
    servers = {"ours": Ours, "python-socketio": GeventSocketIO, "node": NodeSocketIO}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(server()) for name, server in servers.items()}
        swarms = {name: stack.enter_context(Swarm()) for name in [*servers, "bare"]}
        bare = stack.enter_context(Bare())
        frames = {}
        for name, server in running.items():
            swarms[name].listen_socketio(server.port, CLIENTS)
            server.get(f"/publish/?channel=*&count=1&size={BODY}")
            frames[name] = swarms[name].settle() // CLIENTS
        swarms["bare"].listen_bare(bare.port, CLIENTS)
        for _ in range(ROUNDS):
            for name, server in running.items():
                publish = functools.partial(server.get, f"/publish/?channel=*&count=1&size={BODY}")
                cpu = sum(_spent(server, swarms[name], CLIENTS * frames[name], publish) for _ in range(count))
                spent.setdefault(name, []).append(cpu / count / CLIENTS * 1e6)
            send = functools.partial(bare.send, 1, frames["ours"])
            cpu = sum(_spent(bare, swarms["bare"], CLIENTS * frames["ours"], send) for _ in range(count))
            spent.setdefault("bare", []).append(cpu / count / CLIENTS * 1e6)
    name = f"Socket.IO: CPU per delivery, {frames['ours']} bytes"
    return [
        _ratio(f"{name}, to the bare loop", 1.3, "us", spent["ours"], spent["bare"]),
        _ratio(f"{name}, to python-socketio", 0.25, "us", spent["ours"], spent["python-socketio"]),
        _ratio(f"{name}, to Socket.IO on Node", 0.7, "us", spent["ours"], spent["node"]),
    ]


def _spent(server, clients, size, act):
    """CPU seconds until the clients have read so much."""
    clients.begin("expect", size)
    before = server.cpu()
    act()
    clients.end()
    return server.cpu() - before


def socketio_memory():
    """User-space memory of an idle Socket.IO client on a WebSocket, with session and user available."""
    samples = []
    with Ours() as ours, Swarm() as clients:
        clients.listen_socketio(ours.port, 200, ours.cookie)
        for _ in range(5):
            before = ours.memory()
            clients.listen_socketio(ours.port, 1000, ours.cookie)
            samples.append((ours.memory() - before) / 1000 / 1024)
    kilobytes = statistics.median(samples)
    return Figure("Socket.IO: memory per idle client", "at most 7 KB", f"{kilobytes:.2f} KB", kilobytes <= 7)


def socketio_events():
    """CPU of an event with an acknowledgement, against python-socketio."""
    clients, events = 100, 100
    ours_cpu, peers_cpu = [], []
    with Ours() as ours, GeventSocketIO() as peer, Swarm() as swarm:
        for index in range(4):
            for server, spent in ((ours, ours_cpu), (peer, peers_cpu)):
                before = server.cpu()
                swarm.ask_socketio(server.port, clients, events)
                if index:
                    spent.append((server.cpu() - before) / clients / events * 1e6)
    return _ratio("Socket.IO: CPU per event with ack", 0.5, "us", ours_cpu, peers_cpu)


FIGURES = [
    delivery,
    memory,
    handshake,
    stall_text,
    stall_json,
    slow_readers,
    shell,
    socketio_delivery,
    socketio_memory,
    socketio_events,
]
