"""A server for WebSockets, and a client that is connected to it."""

import pytest

from realtime_wall import signals
from tests.fakes import no_receivers, running_node
from tests.transports.websocket.client import Visitor


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(ping_interval=25, ping_timeout=20, json_depth=4, channels_per_connection=2) as node:
        yield node


@pytest.fixture
def visitor(node):
    visitor = Visitor(node).begin()
    visitor.settle()
    return visitor


@pytest.fixture
def told():
    """What the signals told, in order."""
    told = []

    def hear(name):
        def receiver(sender, request, **arguments):
            told.append((name.removeprefix("socket_"), *arguments.values()))

        return receiver

    for name in ("socket_connected", "socket_client_message", "socket_disconnected", "socket_finished"):
        getattr(signals, name).connect(hear(name), weak=False)
    return told
