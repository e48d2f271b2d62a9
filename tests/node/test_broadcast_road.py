"""The road of a broadcast: from ``api.broadcast()`` in a view of a lone server to ``send()`` to a client.

Traced with two plain WebSockets over real pairs of sockets, in the fast lane as nearly all clients are, and
with the link that a server has. The road is what is on the stack where the message is handed to the fan-out,
and where its bytes are handed to the kernel. Other files are asked on the way, and return: to encode,
to number, to log, to count. They are named, too, so that they do not become more unnoticed.
"""

from __future__ import annotations

import ast
import inspect
import socket
import sys
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest

from realtime_wall import api
from realtime_wall.config import Config
from realtime_wall.node.fan_out.fan_out import FanOut
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.server.link_factory import make_link
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from realtime_wall.wire.connection import Wire
from tests.fakes import a_request

PACKAGE = Path(api.__file__).parent
MOST = 8

ROAD = [
    "api.py",
    "node/node.py",
    "node/publisher.py",
    "brokers/router.py",
    "brokers/local/hub.py",
    "brokers/member.py",
    "node/fan_out/fan_out.py",
    "node/fan_out/fast_lane.py",
]
ASKED = {
    "to encode": [
        "node/fan_out/subscriber.py",
        "transports/websocket/plain_codec.py",
        "sockets/arguments.py",
        "protocol/json_output.py",
        "protocol/plain.py",
        "protocol/websocket/frame_writer.py",
    ],
    "for a place in the order": ["brokers/entry.py", "brokers/sequencer.py", "brokers/waiting.py"],
    "to log": ["channels/log.py", "channels/history.py", "channels/rules.py", "brokers/replica.py"],
    "about the message": ["brokers/commands.py", "channels/message.py", "channels/position.py"],
    "who listens": ["node/fan_out/subscriptions.py", "node/watchers.py", "presence/tracker.py"],
    "for the receipt": ["brokers/rpc.py"],
    "for the event loop's turn": ["wire/time_slice.py"],
}


class Trace:
    """What is entered, in order, and the frames at the two ends of the road."""

    def __init__(self):
        self.entered = []
        self.road = []  # code objects

    def __call__(self, frame, event, called):
        if event == "call":
            self._enter(frame.f_code)
            if frame.f_code is FanOut.push.__code__:
                self._add_stack(frame)
        elif event == "c_call" and called.__name__ == "send":
            self._add_stack(frame)

    def _enter(self, code):
        name = place(code)
        if name is not None and name not in self.entered:
            self.entered.append(name)

    def _add_stack(self, frame):
        stack = []
        while frame is not None:
            if place(frame.f_code) is not None:
                stack.append(frame.f_code)
            frame = frame.f_back
        self.road.extend(code for code in reversed(stack) if code not in self.road)


def place(code):
    path = Path(code.co_filename)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


@pytest.fixture
def lone_server(tmp_path):
    tmp_path.chmod(0o700)
    config = Config(runtime_dir=str(tmp_path))
    node = Node(config, partial(make_link, config, None))
    queries.register(node)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def clients(lone_server):
    """The other ends of connections to plain WebSockets."""
    pairs = [socket.socketpair() for _ in range(2)]
    wires = []
    for ours, theirs in pairs:
        wire = Wire(ours.detach(), family=socket.AF_UNIX, outbox_limit=2**20, send_buffer=2**16)
        wires.append(wire)
        WebSocket(lone_server, wire, a_request(), None).begin(b"", None)
        assert lone_server.pool.wait_until_idle(10)
        theirs.settimeout(10)
        assert b"welcome" in theirs.recv(65536)
    api.broadcast("who is asked for it is ready from now on")
    for _, theirs in pairs:
        assert b"ready" in theirs.recv(65536)
    yield [theirs for _, theirs in pairs]
    for (_, theirs), wire in zip(pairs, wires, strict=True):
        theirs.close()
        wire.abort("the test is over")
    assert lone_server.pool.wait_until_idle(10)


@pytest.fixture
def trace(clients, monkeypatch):
    """Of one broadcast, in the greenlet that publishes and in the one that delivers."""
    trace, deliver = Trace(), FanOut._deliver

    def traced(self, batch):
        sys.setprofile(trace)
        try:
            deliver(self, batch)
        finally:
            sys.setprofile(None)

    monkeypatch.setattr(FanOut, "_deliver", traced)
    sys.setprofile(trace)
    try:
        receipt = api.broadcast("hello")
    finally:
        sys.setprofile(None)
    assert receipt.sockets == 2
    assert all(b'"hello"' in client.recv(65536) for client in clients)
    return trace


def test_a_broadcast_passes_at_most_eight_files(trace):
    files = list(dict.fromkeys(map(place, trace.road)))

    assert files == ROAD
    assert len(files) <= MOST


def test_what_is_asked_on_the_way_is_known(trace):
    asked = {name for names in ASKED.values() for name in names}

    assert set(trace.entered) - {*ROAD} == asked


def test_no_function_on_the_road_only_forwards(trace):
    forwarding = [code.co_qualname for code in trace.road if only_forwards(code)]

    assert not forwarding


def only_forwards(code):
    """Whether it is one call with what it was given, and nothing else."""
    (function,) = ast.parse(dedent(inspect.getsource(code))).body
    assert isinstance(function, ast.FunctionDef)
    body = [
        one
        for one in function.body
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    if (
        len(body) != 1
        or not isinstance(body[0], ast.Return | ast.Expr)
        or not isinstance(body[0].value, ast.Call)
    ):
        return False
    call = body[0].value
    given = [ast.unparse(one) for one in (*call.args, *(keyword.value for keyword in call.keywords))]
    return given == [one.arg for one in function.args.args if one.arg != "self"]


def test_a_function_that_only_forwards_is_seen():
    def forward(one, two):
        """It carries nothing."""
        return print(one, two)

    def adds(one, two):
        return print(one, two, "more")

    assert only_forwards(forward.__code__)
    assert not only_forwards(adds.__code__)
