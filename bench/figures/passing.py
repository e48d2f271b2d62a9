"""What it costs that a request came to another server than its session's, and was passed on."""

from __future__ import annotations

import json

from bench.figures.figure import ROUNDS, ratio
from bench.server import Ours
from tests.live import Conversation

REQUESTS = 500


def passing():
    """CPU of both servers for a POST of a polling client, on a new connection and on a kept one."""
    found = {name: [] for name in ("first", "first passed", "later", "later passed")}
    with Ours() as owner, Ours(beside=owner) as other:
        hello = owner.get("/socket.io/?EIO=4&transport=polling")
        sid = json.loads(hello[1:])["sid"]
        _on_one_connection(owner, _post(sid, "40"), 1)  # who does not connect is sent away
        post = _post(sid, "3")
        for _ in range(ROUNDS):
            for server, passed in ((owner, ""), (other, " passed")):
                found["first" + passed].append(_cost((owner, other), _on_new_connections, server, post))
                found["later" + passed].append(_cost((owner, other), _on_one_connection, server, post))
    return [
        ratio(
            "CPU of a connection and its request, passed on", 2, "us", found["first passed"], found["first"]
        ),
        ratio("CPU of a later request on it", 1.05, "us", found["later passed"], found["later"]),
    ]


def _post(sid, packet):
    head = f"POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{head}Content-Type: text/plain\r\nContent-Length: {len(packet)}\r\n\r\n{packet}".encode()


def _cost(servers, work, *args):
    """Microseconds of both for each request."""
    before = sum(one.cpu() for one in servers)
    work(*args)
    return (sum(one.cpu() for one in servers) - before) / REQUESTS * 1e6


def _on_new_connections(server, post):
    for _ in range(REQUESTS):
        with Conversation(server.connect()) as conversation:
            conversation.send(post)
            assert conversation.reply().body == b"ok"


def _on_one_connection(server, post, count=REQUESTS):
    with Conversation(server.connect()) as conversation:
        for _ in range(count):
            conversation.send(post)
            assert conversation.reply().body == b"ok"


FIGURES = [passing]
