"""A session of Engine.IO without a network, over polling and on a WebSocket."""

import pytest

from realtime_wall.transports.engineio.session import EngineSession, sessions
from tests.fakes import RecordingWire, running_node
from tests.transports.engineio.client import Listener


@pytest.fixture
def node():
    with running_node(ping_interval=25, ping_timeout=20, outbox_size=1000) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.fixture
def client():
    return Listener()


@pytest.fixture
def polling(node, client):
    """A session over polling whose client knows its id."""
    session = EngineSession(node, "")
    session.begin(client)
    session.poll()
    return session


@pytest.fixture
def wire():
    return RecordingWire()


@pytest.fixture
def framed(node, client, wire):
    session = EngineSession(node, "", wire)
    session.begin(client)
    wire.written = b""
    return session
