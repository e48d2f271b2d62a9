"""What a server does for its own clients, when it is asked: by the type of the request."""

import gevent
import pytest

from realtime_wall.brokers.command_json import PUBLIC_KINDS
from realtime_wall.brokers.commands import Ask, Command, Count, Disconnect, Route, SendTo
from realtime_wall.brokers.results import Answers, Receipt
from realtime_wall.errors import MessageTooBig, NoSocket
from tests.fakes import RecordingTransport, no_receivers, running_node


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(message_size=100) as node:
        yield node


def test_every_request_that_a_server_may_get_has_a_handler(node):
    to_servers = [
        kind
        for kind in PUBLIC_KINDS.values()
        if kind.route not in (Route.SEQUENCED, Route.LINK, Route.FOLLOW)
    ]

    assert to_servers
    assert set(to_servers) <= node.handlers._by_type.keys()


def test_every_kind_of_command_has_a_route_and_adds_up_its_results():
    commands = [kind for kind in PUBLIC_KINDS.values() if issubclass(kind, Command)]

    assert {kind.route for kind in commands} == {
        *(Route.SEQUENCED, Route.OWNER, Route.EVERY_SERVER, Route.LINK)
    }
    assert all(kind.add_up is not Command.add_up for kind in commands)


def test_who_is_not_here_is_no_socket(node):
    with pytest.raises(NoSocket, match="There is no socket with the session ID: gone"):
        node.handlers.perform(SendTo(session_id="gone", data_json="1"))
    with pytest.raises(NoSocket, match="There is no socket with the session ID: gone"):
        node.handlers.perform(Disconnect(session_id="gone", code=1000, reason=""))


def test_how_many_are_on_a_channel_is_counted(node):
    client = RecordingTransport(node)
    client.socket.subscribe("room")

    assert node.handlers.perform(Count(channel="room")) == Receipt(1, 1)
    assert node.handlers.perform(Count(channel="room", exclude=client.socket.id)) == Receipt(1, 0)
    assert node.handlers.perform(Count(channel="room", exclude="somebody else")) == Receipt(1, 1)


def test_what_is_asked_of_clients_has_the_size_of_a_message(node):
    RecordingTransport(node).socket.subscribe("room")

    with pytest.raises(MessageTooBig):
        node.perform(Ask(channel="room", event="where", data_json='"' + "x" * 100 + '"'))


def test_a_server_asks_itself_with_objects(node, monkeypatch):
    """Its own request is not written down, and neither is its own answer."""

    def fail(*_):
        raise AssertionError("JSON is for what leaves the process")

    for name in ("rpc.to_json", "rpc.result_to_json", "rpc.result_from_json", "rpc.from_json"):
        monkeypatch.setattr(f"realtime_wall.brokers.{name}", fail)
    client = RecordingTransport(node)
    client.socket.subscribe("room")

    assert node.perform(SendTo(session_id=client.socket.id, data_json="1")) == Receipt(1, 1)
    assert node.perform(Count(channel="room")) == Receipt(1, 1)
    asking = gevent.spawn(node.perform, Ask(channel="room", event="where", data_json="1", timeout=0.01))
    assert asking.get(timeout=10) == Answers({}, (client.socket.id,))
