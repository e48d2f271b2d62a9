"""The server is killed and comes back, again and again, while a stock client listens to what is published.

The log is in memory, so what was published before a kill cannot be told after it. The client has to know:
within a connection nothing is missing, doubled or out of order, and a new connection that leaves something
out says that it is not the old one's continuation.
"""

import os
import signal
import threading

import gevent
import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import from_mapping
from realtime_wall.control import unix_client
from realtime_wall.errors import NoServer, PublishFailed
from tests.conformance.clients import HERE, conformance_server
from tests.live import wait_for

pytestmark = pytest.mark.node

KILLS = 20 if os.environ.get("REALTIME_WALL_PROVE") else 2
PACE = 0.02  # fifty messages a second
HEARD_BETWEEN = 25  # of a connection, before the next kill


class Publisher:
    """Publishes 0, 1, 2, ... from another process; a number that no server took is tried again."""

    def __init__(self, server):
        self.published = []
        self.unconfirmed = []
        self._config = from_mapping({"RUNTIME_DIR": server.directory.name})
        self._stop = threading.Event()
        self._greenlet = gevent.spawn(self._run)

    def _run(self):
        number = 0
        while not self._stop.wait(PACE):
            try:
                unix_client.perform(
                    Publish(channel="kills", data_json=str(number), event="news", counted=False), self._config
                )
                self.published.append(number)
            except NoServer:
                continue
            except PublishFailed:  # killed before it answered
                self.unconfirmed.append(number)
            number += 1

    def stop(self):
        self._stop.set()
        self._greenlet.get(timeout=20)


@pytest.fixture
def servers_project(monkeypatch):
    """The bus is found by a project's settings: publish as a process of the server's project would."""
    monkeypatch.setattr(
        runtime_dir, "_project", lambda: os.path.realpath(HERE / "project/visits_settings.py")
    )


@pytest.mark.timeout(60 + 10 * KILLS)
def test_each_message_is_heard_once_or_a_gap_is_announced(node, npm, servers_project):
    server = conformance_server()
    with server:
        client = node.open(server, transports=["websocket"], auth={"join": ["kills"]})
        client.wait("connect")
        publisher = Publisher(server)
        server.command[1] = str(server.port)
        for kill in range(1, KILLS + 1):
            hear_more(client)
            server.stop(signal.SIGKILL)
            client.wait("disconnect", kill)
            server.log.write_text("")
            server.start()
            client.wait("connect", kill + 1)
        hear_more(client)
        publisher.stop()
        wait_for(lambda: publisher.published[-1] in client.heard("news"), "the last message")

    assert len(client.all("connect")) == KILLS + 1
    assert gaps_that_nobody_announced(client.happened) == []
    heard = client.heard("news")
    assert heard == sorted(set(heard))
    assert set(heard) <= {*publisher.published, *publisher.unconfirmed}
    # A kill costs what was published until the client was back, and no more.
    assert len(heard) > len(publisher.published) / 2


def hear_more(client):
    before = len(client.heard("news"))
    wait_for(lambda: len(client.heard("news")) >= before + HEARD_BETWEEN, "messages")


def gaps_that_nobody_announced(happened):
    """(last heard, next heard) where something is missing, doubled or late within what claims to be whole."""
    last, begins = None, True
    found = []
    for what, value in happened:
        if what == "connect":
            begins = not value["recovered"]
        elif what == "event" and value[0] == "news":
            if not begins and value[1] != last + 1:
                found.append((last, value[1]))
            last, begins = value[1], False
    return found


def test_what_is_looked_for_would_be_found():
    connect = ("connect", {"recovered": False})
    again = ("connect", {"recovered": True})

    def news(*numbers):
        return [("event", ["news", number]) for number in numbers]

    assert gaps_that_nobody_announced([connect, *news(1, 2), connect, *news(5, 6)]) == []
    assert gaps_that_nobody_announced([connect, *news(1, 2), again, *news(4)]) == [(2, 4)]
    assert gaps_that_nobody_announced([connect, *news(1, 1)]) == [(1, 1)]
