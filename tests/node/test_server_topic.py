import gevent
import pytest

from realtime_wall import cluster
from realtime_wall.channels.names import BETWEEN_SERVERS, check_channel
from realtime_wall.errors import InvalidChannel, NoServer
from tests.fakes import running_node
from tests.live import wait_for


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def test_what_a_server_sends_comes_to_every_server_with_its_address(node):
    first, second = [], []
    topic = cluster.topic("tides", lambda *args: first.append(args))
    cluster.topic("tides", lambda *args: second.append(args))

    topic.send("high", {"at": "8:50"})

    wait_for(lambda: first and second)
    assert first == second == [("high", {"at": "8:50"}, node.address)]
    assert topic.server == cluster.this_server() == node.address
    assert topic.servers() == (node.address,)


def test_nothing_is_kept_and_after_its_end_nothing_comes(node):
    heard = []
    topic = cluster.topic("tides", lambda *args: heard.append(args))
    topic.close()
    topic.send("high", None)
    gevent.sleep(0.01)

    assert heard == []
    assert not node.broker.kept(topic.channel)


def test_a_message_that_makes_no_sense_does_not_stop_the_next(node, caplog):
    heard = []

    def receive(event, data, server):
        heard.append(data["number"])

    topic = cluster.topic("tides", receive)
    topic.send("one", 5)
    topic.send("two", {"number": 2})

    wait_for(lambda: heard == [2])
    assert "makes no sense" in caplog.text


def test_no_client_can_name_it(node):
    topic = cluster.topic("tides", print)

    assert topic.channel.startswith(BETWEEN_SERVERS)
    with pytest.raises(InvalidChannel):
        check_channel(topic.channel)


def test_it_takes_a_server():
    assert cluster.this_server() is None
    with pytest.raises(NoServer):
        cluster.topic("tides", print)
    with pytest.raises(NoServer):
        cluster.watch("tweets", print)
