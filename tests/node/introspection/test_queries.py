"""What a shell is told that follows channels, without the bus in between."""

import gevent
import pytest

from realtime_wall import api
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.questions import Follow
from realtime_wall.node.introspection.queries import WAITING, answers
from tests.fakes import running_node


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def follow(node, **question):
    told, heard = answers(node.watchers, node.broker, node.broker, Follow(**question)), []

    def read():
        for item in told:
            heard.append(item)

    greenlet = gevent.spawn(read)
    gevent.idle()
    return greenlet, heard


def test_nothing_is_told_twice_or_left_out_between_the_last_and_the_new(node):
    for number in range(5):
        api.publish(f"a{number % 2}", number)
    greenlet, heard = follow(node, pattern="a*", last=3)
    api.publish("b", "unheard")
    api.publish("a0", 5)
    gevent.idle()
    greenlet.kill()

    assert [item["data"] for item in heard] == [2, 3, 4, 5]


def test_who_reads_too_slowly_is_told_how_much_it_has_missed(node):
    greenlet, heard = follow(node, pattern="a")
    for number in range(WAITING + 3):
        node.perform(Publish(channel="a", data_json=str(number), counted=False))
    gevent.idle()
    greenlet.kill()

    assert heard[0] == {"missed": 3}
    assert [item["data"] for item in heard[1:]] == list(range(WAITING))


def test_who_has_left_is_watched_for_no_more(node):
    greenlet, _ = follow(node, pattern="a")
    assert node.watchers._watchers
    greenlet.kill()

    assert not node.watchers._watchers
