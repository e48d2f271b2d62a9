"""python-socketio's client, which is written apart from the official one."""

import pytest

from tests.live import wait_for

socketio = pytest.importorskip("socketio")

# Its handlers take the arguments one by one: an offset behind them would be one too many.
NO_RESUME = "?resume=0"


class PythonClient:
    def __init__(self, server, transports, query=NO_RESUME, **options):
        self.heard = []
        self.client = socketio.Client(reconnection_delay=0.02, reconnection_delay_max=0.1)
        self.client.on("*", lambda name, *args: self.heard.append((name, *args)))
        self.client.on("question", lambda number: number + 1)
        self.errors = []
        self.client.on("connect_error", self.errors.append)
        self.client.connect(f"http://{server.host}/{query}", transports=transports, **options)

    def close(self):
        self.client.disconnect()
        self.client.shutdown()


@pytest.fixture(params=[["websocket"], ["polling"], ["polling", "websocket"]], ids="+".join)
def transports(request):
    return request.param


@pytest.fixture
def connect(server, transports):
    opened = []

    def connect(**options):
        opened.append(PythonClient(server, transports, **options))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def test_it_connects_with_auth_and_is_on_the_best_transport(connect, transports):
    client = connect(auth={"greet": "hello"})

    wait_for(lambda: client.heard == [("greeting", "hello")], "its greeting")
    assert client.client.transport() == transports[-1]


def test_events_bytes_and_acknowledgements_go_both_ways(connect):
    client = connect()

    assert client.client.call("echo", ("a", {"n": b"\0\1"}), timeout=10) == ("a", {"n": b"\0\1"})
    assert client.client.call("give", "zero", timeout=10) == 0
    client.client.emit("back", (1, b"bytes", [2]))
    wait_for(lambda: client.heard == [("back", 1, b"bytes", [2])], "the event")
    assert client.client.call("call", ("question", 41), timeout=10) == 42


def test_it_hears_a_channel_and_broadcasts(connect):
    client, other = connect(), connect()

    answer = client.client.call("subscribe", "python", timeout=10)
    other.client.call("publish", ("python", [1, 2]), timeout=10)
    other.client.call("others", "all", timeout=10)

    wait_for(lambda: client.heard == [("news", 1), ("news", 2), ("news", "all")], "the news")
    assert answer["channel"] == "python"


def test_it_is_refused_with_the_data_of_the_refusal(server, transports):
    client = PythonClient(server, transports, wait=False, auth={"refuse": {"code": 7}})

    wait_for(lambda: client.errors, "the refusal")
    client.close()

    assert client.errors[0] == {"message": "refused", "data": {"code": 7}}


def test_it_comes_back_after_its_connection_was_cut(connect, control):
    client = connect()
    before = client.client.get_sid()

    control.ask("cut", before)

    wait_for(lambda: client.client.connected and client.client.get_sid() not in (None, before), "its return")
    assert client.client.call("echo", 1, timeout=10) == 1


def test_without_the_query_every_event_has_the_offset_behind_its_arguments(connect):
    client = connect(query="")
    client.client.emit("back", "it")

    wait_for(lambda: any(name == "back" for name, *_ in client.heard), "the event")
    assert [len(args) for name, *args in client.heard if name == "back"] == [2]
