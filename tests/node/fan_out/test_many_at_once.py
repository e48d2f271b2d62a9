"""Real connections of more clients than one system call serves: each hears all, in order, once."""

import re
import socket
from contextlib import ExitStack

import pytest

from realtime_wall import api
from realtime_wall.node.fan_out.fan_out import FanOut
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.send_ring import BATCH, SendRing
from tests.fakes import a_request, no_receivers, running_node
from tests.live import wait_for

# By the ring yet; several are more than a socket takes.
LARGE = "x" * 60_000


class Client:
    """A plain WebSocket by a real socket pair."""

    def __init__(self, node):
        ours, self.socket = socket.socketpair()
        self.wire = Wire(ours.detach(), family=socket.AF_UNIX, outbox_limit=2**24, send_buffer=2**16)
        WebSocket(node, self.wire, a_request(), None).begin(b"", None)
        self.bytes = b""

    def heard_up_to(self, last):
        """The numbers of all messages that came, until one is the last."""
        while b'"%d ' % last not in self.bytes:
            data = self.socket.recv(2**20)
            assert data, "it was cut off"
            self.bytes += data
        return [int(number) for number in re.findall(rb'"message":"(\d+) ', self.bytes)]


@pytest.fixture(params=[True, False], ids=["by a ring", "one by one"])
def node(request):
    with no_receivers(), running_node(io_uring=request.param) as node:
        yield node


def test_the_slow_the_gone_and_everybody_else(node):
    with ExitStack() as stack:
        clients = [Client(node) for _ in range(2 * BATCH + 5)]
        for client in clients:
            stack.enter_context(client.socket)
        slow, gone, *others = clients
        gone.socket.close()
        for number in range(1, 31):
            api.broadcast(f"{number} {LARGE if number in range(5, 13) else ''}")
        assert slow.wire.outbox_size > 0
        late = Client(node)
        stack.enter_context(late.socket)
        api.broadcast("31 ")

        assert all(client.heard_up_to(31) == [*range(1, 32)] for client in others[::16])
        assert late.heard_up_to(31) == [31]
        assert slow.heard_up_to(31) == [*range(1, 32)]
        wait_for(lambda: not gone.wire.is_open)


def test_a_kernel_that_forbids_it_or_stops_is_done_without(monkeypatch, caplog):
    def forbidden(self):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(SendRing, "__init__", forbidden)
    fan_out = FanOut(with_ring=True)
    fan_out.start()
    fan_out.stop()
    assert not [one for one in caplog.records if one.levelname == "WARNING"]

    class Broken:
        is_open = True

        def send(self, data, descriptors, first, end):
            self.is_open = False
            return [(place, -1) for place in range(first, end)]

        def close(self):
            pass

    with no_receivers(), running_node() as node, ExitStack() as stack:
        clients = [Client(node) for _ in range(BATCH)]
        for client in clients:
            stack.enter_context(client.socket)
        api.broadcast("1 ")
        node._fan_out._ring = Broken()
        api.broadcast("2 ")
        api.broadcast("3 ")

        assert node._fan_out._ring is None
        assert all(client.heard_up_to(3) == [1, 2, 3] for client in clients[::8])
    (warning,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert "one by one" in warning.getMessage()
