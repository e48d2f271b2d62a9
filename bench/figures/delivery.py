"""A message to many: what a delivery costs beyond a loop of ``send`` over as many sockets, in one run."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from bench.figures.figure import CLIENTS, ratio
from bench.server import Bare, Ours
from bench.swarm import Swarm

ROUNDS = 15
MESSAGES = 5
# What is written to a client for one message.
SIZE = 300
# So many messages before: from then on a position always has as many digits.
BEFORE = 1000


@dataclass(frozen=True)
class Kind:
    """A way to connect: by which verb of a swarm, with what behind port and count, and what to publish."""

    name: str
    listen: str
    arguments: tuple[str, ...]
    channel: str
    target: float


KINDS = (
    Kind("plain WebSocket", "listen", ("/ws/?channel=bench",), "bench", 1.1),
    Kind("Socket.IO", "listen_socketio", (), "*", 1.12),
    Kind("EventSource", "listen_http", ("/events/ev/bench",), "bench", 1.1),
)


class Audience:
    """The clients of a kind, and their server."""

    def __init__(self, kind, server, clients):
        self.kind, self.server, self.clients = kind, server, clients
        server.get(f"/burst/?channel=before&count={BEFORE}")
        getattr(clients, kind.listen)(server.port, CLIENTS, *kind.arguments)
        server.get(f"/publish/?channel={kind.channel}&count=1&size=1")
        self.text_size = SIZE - clients.settle() // CLIENTS + 1

    def publish(self, count):
        """CPU seconds of a request that publishes so many messages, and of all their deliveries."""
        self.clients.begin("expect", CLIENTS * count * SIZE)
        before = self.server.cpu()
        self.server.get(f"/publish/?channel={self.kind.channel}&count={count}&size={self.text_size}")
        cpu = self.server.cpu() - before
        self.clients.end()
        return cpu


def delivery():
    """CPU per delivery to 2,000 clients of a kind, against a loop of ``send`` over as many sockets."""
    spent = {name: [] for name in (*(kind.name for kind in KINDS), "loop")}
    with contextlib.ExitStack() as stack:
        running = [_listening(kind, stack) for kind in KINDS]
        bare, bare_clients = stack.enter_context(Bare()), stack.enter_context(Swarm())
        bare_clients.listen_bare(bare.port, CLIENTS)
        for index in range(ROUNDS + 1):
            for audience in running:
                spent[audience.kind.name].append(audience.publish(MESSAGES) - audience.publish(0))
            spent["loop"].append(_sent(bare, bare_clients, MESSAGES) - _sent(bare, bare_clients, 0))
            if not index:  # the first round warms up
                for samples in spent.values():
                    samples.clear()
    each = {name: [cpu / MESSAGES / CLIENTS * 1e6 for cpu in samples] for name, samples in spent.items()}
    return [
        ratio(
            f"CPU per delivery, {CLIENTS} clients, {SIZE} bytes: {kind.name}",
            kind.target,
            "us",
            each[kind.name],
            each["loop"],
            bare.loop,
        )
        for kind in KINDS
    ]


def _listening(kind, stack):
    return Audience(kind, stack.enter_context(Ours()), stack.enter_context(Swarm()))


def _sent(bare, clients, count):
    clients.begin("expect", CLIENTS * count * SIZE)
    before = bare.cpu()
    bare.send(count, SIZE)
    cpu = bare.cpu() - before
    clients.end()
    return cpu


FIGURES = [delivery]
