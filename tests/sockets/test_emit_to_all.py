import gevent
import pytest

from realtime_wall import api
from realtime_wall.errors import InvalidMessage
from realtime_wall.sockets import emit_to_all as module
from tests.fakes import RecordingTransport, running_node


@pytest.fixture
def clients():
    with running_node() as node:
        yield [RecordingTransport(node) for _ in range(3)]


def sockets_of(clients):
    return [client.socket for client in clients]


def test_the_chosen_are_sent_it_and_nobody_else(clients):
    assert api.emit_to(sockets_of(clients[:2]), "news", {"n": 1}) == 2

    assert [len(client.sent) for client in clients] == [1, 1, 0]


def test_who_is_gone_or_fails_is_no_trouble_for_the_next(clients, caplog):
    clients[0].session.disconnected()
    clients[1].send_event = None  # it cannot be called

    assert api.emit_to(sockets_of(clients), "news", 1) == 1
    assert [len(client.sent) for client in clients] == [0, 0, 1]
    assert caplog.text.count("could not be sent to") == 1


def test_what_no_client_could_read_is_refused_before_anybody_is_sent_it(clients):
    with pytest.raises(InvalidMessage):
        api.emit_to(sockets_of(clients), "news", float("nan"))
    assert not any(client.sent for client in clients)


def test_many_leave_the_event_loop_its_turns(clients, monkeypatch):
    monkeypatch.setattr(module, "SLICE", -1.0)
    sending = gevent.spawn(api.emit_to, sockets_of(clients) * 20, "news", 1)
    gevent.sleep(0)
    gevent.sleep(0)

    assert sum(len(client.sent) for client in clients) < 60
    assert sending.get(timeout=10) == 60
