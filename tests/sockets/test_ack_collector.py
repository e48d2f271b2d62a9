import gevent
import pytest

from realtime_wall.sockets import ack_collector
from realtime_wall.sockets.arguments import Arguments
from tests.fakes import RecordingTransport, running_node


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def test_asking_many_leaves_the_event_loop_its_turns(node, monkeypatch):
    monkeypatch.setattr(ack_collector, "SLICE", 0)
    clients = [RecordingTransport(node) for _ in range(50)]
    asking = gevent.spawn(
        ack_collector.ask, [client.session for client in clients], "where", Arguments("1"), 0.1
    )
    gevent.sleep(0)
    gevent.sleep(0)

    assert sum(bool(client.sent) for client in clients) < 50
    assert len(asking.get(timeout=10).silent) == 50


def test_who_is_gone_when_its_turn_comes_is_silent_and_not_waited_for(node):
    there, gone = RecordingTransport(node), RecordingTransport(node)
    gone.session.is_disconnected = True
    asking = gevent.spawn(ack_collector.ask, [gone.session, there.session], "where", Arguments("1"), 20)
    gevent.sleep(0)

    there.session.acknowledged(1, ["here"])

    answers = asking.get(timeout=10)
    assert answers.answers == {there.socket.id: "here"}
    assert answers.silent == (gone.socket.id,)
    assert gone.sent == []


def test_a_client_that_answers_twice_is_heard_once(node):
    client, other = RecordingTransport(node), RecordingTransport(node)
    asking = gevent.spawn(ack_collector.ask, [client.session, other.session], "where", Arguments("1"), 0.2)
    gevent.sleep(0)

    client.session.acknowledged(1, ["first"])
    client.session.acknowledged(1, ["second"])

    answers = asking.get(timeout=10)
    assert (answers.answers, answers.silent) == ({client.socket.id: "first"}, (other.socket.id,))
