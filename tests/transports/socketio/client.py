"""A Socket.IO client on a WebSocket, as the tests of this folder play it."""

import json

from django.test import RequestFactory

from realtime_wall.channels.message import Binary
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.socketio_client import SocketIOClient
from tests.fakes import RecordingWire, masked

TEXT, BINARY = 1, 2
BINARY_ONE = Binary('{"_placeholder":true,"num":0}', (b"one",))
OFFSET_EVENT = "realtime_wall:offset"


class Visitor:
    """A client on a WebSocket: what it says is given to the transport, what it is told is looked at."""

    def __init__(self, node, owner="", path="/socket.io/"):
        self.node = node
        self.wire = RecordingWire()
        self.session = EngineSession(node, owner, self.wire)
        self.client = SocketIOClient(node, self.session, RequestFactory().get(path))
        self.brought = None  # its offset of before
        self.session.begin(self.client)
        self.wire.written = b""

    def say(self, *texts):
        for text in texts:
            opcode, payload = (BINARY, text) if isinstance(text, bytes) else (TEXT, f"4{text}")
            self.wire.owner.received(masked(opcode, payload))

    def ask(self, *texts):
        """What it was told on saying something."""
        before = len(self.told())
        self.say(*texts)
        self.settle()
        return self.told()[before:]

    def settle(self):
        assert self.node.pool.wait_until_idle(10)

    def told(self):
        found = []
        for opcode, payload in self.wire.frames():
            if opcode == BINARY:
                found.append(payload)
            elif opcode == TEXT and OFFSET_EVENT.encode() not in payload:
                found.append(payload.decode().removeprefix("4"))
        return found

    def connect(self, namespace="", **auth):
        data = json.dumps(auth) if auth else ""
        self.brought = auth.get("offset")
        (answer, *self.greeted) = self.ask(f"0{namespace}{data}")
        self.answer = json.loads(answer[answer.index("{") :])
        return self

    @property
    def socket(self):
        return connected_sockets.get(self.answer["sid"])

    @property
    def offset(self):
        """What the official client would keep: the last text at the end of an event; None before that."""
        events = [payload for opcode, payload in self.wire.frames() if payload.startswith(b"42")]
        return json.loads(events[-1][2:].lstrip(b"0123456789"))[-1] if events else self.brought

    def events(self):
        """The events it was sent, without their offsets."""
        told = [json.loads(one[1:]) for one in self.told() if one.startswith("2[")]
        return [event[:-1] for event in told]

    def come_back(self, owner=""):
        again = Visitor(self.node, owner)
        return again.connect(pid=self.answer["pid"], offset=self.offset)


def connect(signal, function):
    signal.connect(function, weak=False)
