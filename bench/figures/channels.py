"""Channels over HTTP: EventSources, many channels, publishing by POST, a burst to readers of every kind."""

from __future__ import annotations

import statistics

from bench.figures.figure import ROUNDS, Figure, ratio
from bench.server import Ours
from bench.swarm import Swarm

# A published string of this length makes an event of 300 bytes, about.
BODY = 110
READERS = 1000
BURST = 1000
KINDS = {
    "EventSource": "/events/ev/bench",
    "stream": "/events/sub/bench",
    "channel WebSocket": "/events/ws/bench",
    "plain WebSocket": "/ws/?channel=bench",
}


def event_source_memory():
    """User-space memory of an idle EventSource."""
    samples = []
    with Ours() as ours, Swarm() as clients:
        clients.listen_http(ours.port, 200, "/events/ev/bench", ours.cookie)  # what is allocated once
        for _ in range(5):
            before = ours.memory()
            clients.listen_http(ours.port, 1000, "/events/ev/bench", ours.cookie)
            samples.append((ours.memory() - before) / 1000 / 1024)
    kilobytes = statistics.median(samples)
    return Figure(
        "EventSource: memory per idle client", "at most 5 KB", f"{kilobytes:.2f} KB", kilobytes <= 5
    )


def many_channels():
    """100,000 channels with a subscriber each over 2,000 sockets, against 2,000 sockets with one each."""
    sockets, each = 2000, 50
    with Ours() as few, Ours() as many, Swarm() as few_clients, Swarm() as many_clients:
        few_clients.listen_http(few.port, 10, "/events/ev/fixed{}")
        many_clients.listen_http(many.port, 10, "/events/ev/fixed{}")
        before = [one.memory() for one in (few, many)]
        many_clients.listen_http(
            many.port, sockets, "/events/ev/" + "/".join(f"ch{{}}.{n}" for n in range(each))
        )
        with Swarm() as others:
            others.listen_http(few.port, sockets, "/events/ev/one{}")
            grown = [one.memory() - size for one, size in zip((few, many), before, strict=True)]
        few_clients.settle()
        bytes_each = (grown[1] - grown[0]) / sockets / (each - 1)
        cost = {few: [], many: []}
        for _ in range(ROUNDS):
            for server, clients in ((few, few_clients), (many, many_clients)):
                clients.begin("count", 1000, '"id":')
                at = server.cpu()
                server.get(f"/publish/?channel=fixed0&count=1000&size={BODY}")
                cost[server].append((server.cpu() - at) / 1000 * 1e6)
                clients.end()
    detail = f"{bytes_each:.0f} bytes"
    return [
        Figure(
            "memory per channel with a subscriber, of 100,000", "at most 1 KB", detail, bytes_each <= 1024
        ),
        ratio("a publish among 100,000 channels, to one among 10", 1.15, "us", cost[many], cost[few]),
    ]


def publish_http():
    """CPU of a POST to pub/ by a token, keep-alive, against an empty CSRF-exempt view."""
    count, rounds = 200, 15
    with Ours() as ours, Swarm() as clients:
        token = ours.manage("shell", "-v0", "-c", TOKEN).stdout.strip()
        published, empty = [], []
        for index in range(rounds + 1):
            before = ours.cpu()
            clients.posts(ours.port, count, "/events/pub/bench", token)
            middle = ours.cpu()
            clients.posts(ours.port, count, "/empty/", token)
            after = ours.cpu()
            if index:  # the first round warms up
                published.append((middle - before) / count * 1e6)
                empty.append((after - middle) / count * 1e6)
    return ratio("publishing by POST, to an empty view", 1.3, "us", published, empty)


TOKEN = "from realtime_wall import channel_token as token; print(token('bench', write=True))"


def burst():
    """1,000 messages in one burst to 1,000 readers of each kind: all of it, to all of them."""
    return [_burst(kind, path) for kind, path in KINDS.items()] + [_burst_to_long_polls()]


def _burst(kind, path):
    with Ours() as ours, Swarm() as clients:
        listen = clients.listen if "WebSocket" in kind else clients.listen_http
        listen(ours.port, READERS, path)
        clients.begin("count", READERS * BURST, "burst-")
        ours.get(f"/burst/?channel=bench&count={BURST}")
        got, connected, _ = clients.end()
    whole = got == READERS * BURST and connected == READERS
    return Figure(f"a burst to 1,000 readers: {kind}", "all of it", f"{got:,}, {connected} connected", whole)


def _burst_to_long_polls():
    with Ours() as ours, Swarm() as clients:
        clients.begin("long_polls", ours.port, "/events/lp/bench", READERS, BURST)
        ours.get(f"/burst/?channel=bench&count={BURST}&wait={READERS}")
        got, answers = clients.end()
    whole = got == READERS * BURST
    return Figure(
        "a burst to 1,000 readers: long polls", "all of it", f"{got:,}, in {answers:,} answers", whole
    )


FIGURES = [event_source_memory, many_channels, publish_http, burst]
