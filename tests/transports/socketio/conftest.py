"""Clients of Socket.IO without a network."""

import pytest

from realtime_wall import signals
from realtime_wall.transports.engineio.session import sessions
from tests.fakes import no_receivers, running_node
from tests.transports.socketio.client import Visitor


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(namespaces=["/", "/admin"], json_depth=8, outbox_size=1_000_000) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")
        assert node.pool.wait_until_idle(10)


@pytest.fixture
def visitor(node):
    return Visitor(node).connect()


@pytest.fixture
def happened():
    happened = []
    for name in ("socket_connected", "socket_disconnected", "socket_finished"):
        signal = getattr(signals, name)
        signal.connect(lambda sender, name=name, **_: happened.append(name.partition("_")[2]), weak=False)
    return happened
