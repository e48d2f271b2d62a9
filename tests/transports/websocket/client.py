"""A client on a plain WebSocket, without a network."""

from realtime_wall.transports.websocket.plain_websocket import WebSocket
from tests.fakes import RecordingWire, a_request, text

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Visitor:
    """A client without a network: what it says is given to the transport, what it is told is looked at."""

    def __init__(self, node, since=None, was=None):
        self.node = node
        self.wire = RecordingWire()
        self.transport = WebSocket(node, self.wire, a_request(), was)
        self.since = since

    def begin(self, arrived=b""):
        self.transport.begin(arrived, self.since)
        return self

    @property
    def socket(self):
        return self.transport.session.socket

    @property
    def frames(self):
        """What keeps the deadlines of the connection."""
        return self.wire.owner

    def say(self, *values):
        self.wire.owner.received(b"".join(map(text, values)))

    def settle(self):
        assert self.node.pool.wait_until_idle(10)

    def ask(self, *values):
        """What was answered to some commands."""
        before = len(self.wire.texts())
        self.say(*values)
        self.settle()
        return self.wire.texts()[before:]


def connect(signal, function):
    signal.connect(function, weak=False)
