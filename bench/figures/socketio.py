"""Socket.IO: ours, its own server on Node, python-socketio on gevent, and a bare loop of ``send``.

Each measurement gives a list of numbers for each server, one a round; the rounds are interleaved. The
figures are ratios of them, and the table of peers (``bench/peers_table.py``) shows them all.
"""

from __future__ import annotations

import contextlib
import functools
import statistics

from bench.figures.figure import BODY, CLIENTS, Figure, ratio
from bench.server import Bare, GeventSocketIO, NodeSocketIO, Ours
from bench.swarm import Swarm

PEERS = {"ours": Ours, "python-socketio": GeventSocketIO, "node": NodeSocketIO}


def delivery_cpu():
    """CPU microseconds of a delivery, and the size of our frame."""
    # Three servers and a loop, one after the other: many rounds, or the machine's moods decide.
    count, rounds, spent = 5, 25, {}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(server()) for name, server in PEERS.items()}
        swarms = {name: stack.enter_context(Swarm()) for name in [*PEERS, "bare"]}
        bare = stack.enter_context(Bare())
        frames = {}
        for name, server in running.items():
            swarms[name].listen_socketio(server.port, CLIENTS)
            server.get(f"/publish/?channel=*&count=1&size={BODY}")
            frames[name] = swarms[name].settle() // CLIENTS
        swarms["bare"].listen_bare(bare.port, CLIENTS)
        for _ in range(rounds):
            for name, server in running.items():
                publish = functools.partial(server.get, f"/publish/?channel=*&count=1&size={BODY}")
                nothing = functools.partial(server.get, f"/publish/?channel=*&count=0&size={BODY}")
                cpu = _beyond(server, swarms[name], CLIENTS * frames[name], publish, nothing, count)
                spent.setdefault(name, []).append(cpu / count / CLIENTS * 1e6)
            send = functools.partial(bare.send, 1, frames["ours"])
            nothing = functools.partial(bare.send, 0, frames["ours"])
            cpu = _beyond(bare, swarms["bare"], CLIENTS * frames["ours"], send, nothing, count)
            spent.setdefault("bare", []).append(cpu / count / CLIENTS * 1e6)
    return spent, frames["ours"]


def _beyond(server, clients, size, act, nothing, count):
    """CPU seconds of so many acts, without those of the requests that ask for them."""
    acts = sum(_spent(server, clients, size, act) for _ in range(count))
    return acts - sum(_spent(server, clients, 0, nothing) for _ in range(count))


def _spent(server, clients, size, act):
    """CPU seconds until the clients have read so much."""
    clients.begin("expect", size)
    before = server.cpu()
    act()
    clients.end()
    return server.cpu() - before


def memory_kilobytes(servers=PEERS, rounds=5):
    """User-space memory of an idle client on a WebSocket; of ours, with session and user available."""
    taken = {name: [] for name in servers}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(server()) for name, server in servers.items()}
        for name, server in running.items():
            clients = stack.enter_context(Swarm())
            clients.listen_socketio(server.port, 200, server.cookie)  # what is allocated once
            for _ in range(rounds):
                before = server.memory()
                clients.listen_socketio(server.port, 1000, server.cookie)
                taken[name].append((server.memory() - before) / 1000 / 1024)
    return taken


def handshake_cpu(servers=PEERS, rounds=30):
    """CPU microseconds of a handshake over the WebSocket transport; "view" is an ordinary Django view.

    Ours has a connect receiver that reads the user, and so does the view; the peers know no user.
    """
    # Small rounds, many of them: what else the machine does then falls on all alike.
    count, spent = 80, {name: [] for name in [*servers, "view"]}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(server()) for name, server in servers.items()}
        clients = stack.enter_context(Swarm())
        for index in range(rounds + 1):
            for name, server in running.items():
                before = server.cpu()
                clients.handshakes_socketio(server.port, count, server.cookie)
                cpu = server.cpu() - before
                if index:  # the first round warms up
                    spent[name].append(cpu / count * 1e6)
            ours = running["ours"]
            before = ours.cpu()
            clients.requests(ours.port, count, "/user/", ours.cookie)
            if index:
                spent["view"].append((ours.cpu() - before) / count * 1e6)
    return spent


def events_cpu(servers=PEERS, rounds=4):
    """CPU microseconds of an event that is acknowledged."""
    clients, events = 100, 100
    spent = {name: [] for name in servers}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(server()) for name, server in servers.items()}
        swarm = stack.enter_context(Swarm())
        for index in range(rounds):
            for name, server in running.items():
                swarm.connect_askers(server.port, clients)
                before = server.cpu()
                swarm.ask(events)
                cpu = server.cpu() - before
                swarm.dismiss_askers()
                if index:
                    spent[name].append(cpu / clients / events * 1e6)
    return spent


def socketio_delivery():
    """CPU per delivery to 2,000 Socket.IO clients, against both other servers."""
    spent, size = delivery_cpu()
    name = f"Socket.IO: CPU per delivery, {size} bytes"
    return [
        ratio(f"{name}, to python-socketio", 0.25, "us", spent["ours"], spent["python-socketio"]),
        ratio(f"{name}, to Socket.IO on Node", 0.7, "us", spent["ours"], spent["node"]),
    ]


def socketio_memory():
    """User-space memory of an idle Socket.IO client on a WebSocket, with session and user available."""
    kilobytes = statistics.median(memory_kilobytes({"ours": Ours})["ours"])
    return Figure("Socket.IO: memory per idle client", "at most 5 KB", f"{kilobytes:.2f} KB", kilobytes <= 5)


def socketio_handshake():
    """CPU of a handshake over the WebSocket transport, against a view that reads the user."""
    spent = handshake_cpu({"ours": Ours})
    return ratio("Socket.IO: CPU per handshake", 1.3, "us", spent["ours"], spent["view"])


def socketio_events():
    """CPU of an event with an acknowledgement, against python-socketio."""
    spent = events_cpu({name: PEERS[name] for name in ("ours", "python-socketio")})
    return ratio("Socket.IO: CPU per event with ack", 0.5, "us", spent["ours"], spent["python-socketio"])


def budgets():
    """The same event with all budgets, none of which is ever empty, against a server that counts nothing.

    Several of each: two processes of the same program differ by as much as is looked for.
    """
    pairs = 4
    wide = dict.fromkeys(("FRAME_RATE", "EVENT_RATE", "SUBSCRIBE_RATE", "CPU_RATE", "BYTE_RATE"), 1e9)
    wide |= {"EVENT_RATES": {"add": 1e8}, "FRAME_BURST": 10**9, "TRUSTED_PROXIES": []}
    kinds = {
        (name, number): functools.partial(Ours, budgets=name == "paid", **wide)
        for number in range(pairs)
        for name in ("paid", "free")
    }
    spent = events_cpu(kinds, rounds=6)
    paid, free = ([us for number in range(pairs) for us in spent[name, number]] for name in ("paid", "free"))
    return ratio("CPU per event with ack, with budgets", 1.03, "us", paid, free)


FIGURES = [socketio_delivery, socketio_memory, socketio_handshake, socketio_events, budgets]
