"""Stock clients in front of two servers, where each new connection comes to the other one."""

import contextlib
import re
import signal

import pytest

from tests.conformance.clients import conformance_server
from tests.conformance.test_python_client import PythonClient
from tests.live import wait_for
from tests.never_sticky import NeverSticky
from tests.redis_server import RedisServer

MESSAGES = 60
# A client that is cut off in the middle of an upgrade notices by its heartbeat only.
QUICK = {"PING_INTERVAL": 1, "PING_TIMEOUT": 1}


@pytest.fixture(scope="module", params=["one machine", pytest.param("two machines", marks=pytest.mark.redis)])
def servers(request):
    """Two that share a runtime directory, or nothing but Redis."""
    with contextlib.ExitStack() as running:
        settings = dict(QUICK)
        if request.param == "two machines":
            settings["BROKER"] = running.enter_context(RedisServer()).url
        one = running.enter_context(conformance_server(**settings))
        if request.param == "one machine":
            settings["RUNTIME_DIR"] = one.directory.name
        two = running.enter_context(conformance_server(**settings))
        yield one, two
        for server in (one, two):
            assert "Traceback" not in server.output


@pytest.fixture
def road(servers):
    with NeverSticky(*servers) as road:
        yield road


def sessions_in(server):
    """Those whose requests a server has answered."""
    return set(re.findall(r"[?&]sid=(\S{15})", server.output))


@pytest.mark.node
def test_the_official_client_loses_and_doubles_nothing(node, road, servers, transports):
    client = node.open(road, port=road.port, transports=transports)
    client.wait("connect")
    client.emit("stream", MESSAGES)
    for number in range(MESSAGES):
        client.emit("up", number)

    assert client.wait_heard("down", MESSAGES - 1) == list(range(MESSAGES))
    wait_for(lambda: client.ask("context")[0]["up"][-1:] == [MESSAGES - 1], "what it said")

    assert client.ask("context")[0]["up"] == list(range(MESSAGES))
    assert client.transport == transports[-1]
    if transports != ["websocket"]:
        assert min(road.connections.values()) > 0
    assert client.all("disconnect") == client.all("connect_error") == []
    client.tell("disconnect")
    # Whoever had the session has answered all its requests.
    assert not sessions_in(servers[0]) & sessions_in(servers[1])


def is_connected(client):
    return [what for what, _ in client.happened if what in ("connect", "disconnect")][-1:] == ["connect"]


def cut_off(client, road):
    """Afterwards it has noticed. A polling client has no connection now and then: it is tried again."""
    wait_for(lambda: is_connected(client), "a connection")
    wait_for(lambda: road.cut() or not is_connected(client), "the cut")


def its_return(client):
    wait_for(lambda: is_connected(client), f"its return ({client.happened})")
    return client.all("connect")[-1]


@pytest.mark.node
def test_a_client_that_is_cut_off_again_and_again_stays_the_same(node, road, servers, transports):
    """Each time it comes back to another server than before, or to one that passes it on."""
    client = node.open(road, port=road.port, transports=transports, auth={"join": ["recovery"]}, timeout=2000)
    before = client.wait("connect")
    said = []

    def publish(value):
        with servers[0].client() as control:
            control.ask("publish", ["recovery", [value]])
        said.append(value)

    for number in range(6):
        publish(number)
        cut_off(client, road)
        publish(f"{number} missed")
        assert its_return(client) == {"id": before["id"], "recovered": True}
    publish("end")

    assert client.wait_heard("news", "end") == said
    assert client.ask("context")[0]["connects"] >= 7
    assert client.ask("channels") == [["recovery"]]
    client.tell("disconnect")


@pytest.mark.node
def test_a_polling_client_whose_server_is_killed_comes_back_to_another(node, npm):
    with (
        conformance_server() as one,
        conformance_server(RUNTIME_DIR=one.directory.name) as two,
        NeverSticky(one, two) as road,
    ):
        client = node.open(road, port=road.port, transports=["polling"])
        client.wait("connect")
        assert client.ask("echo", 1) == [1]
        owner, other = (one, two) if sessions_in(one) else (two, one)

        owner.stop(signal.SIGKILL)
        client.wait("connect", 2)

        assert client.ask("echo", 2) == [2]
        assert sessions_in(other)
        client.tell("disconnect")


class TestPython:
    @pytest.fixture
    def client(self, road, transports):
        client = PythonClient(road, transports)
        yield client
        client.close()

    def test_its_client_does_not_either(self, client, road, transports):
        heard = client.heard
        client.client.emit("stream", MESSAGES)
        for number in range(MESSAGES):
            client.client.emit("up", number)

        wait_for(lambda: ("down", MESSAGES - 1) in heard, "the stream")
        assert [args[0] for name, *args in heard if name == "down"] == list(range(MESSAGES))
        last = MESSAGES - 1
        wait_for(lambda: client.client.call("context", timeout=10)["up"][-1:] == [last], "what it said")
        assert client.client.call("context", timeout=10)["up"] == list(range(MESSAGES))
        assert client.client.transport() == transports[-1]
        assert client.errors == []
