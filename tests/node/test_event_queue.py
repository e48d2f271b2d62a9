"""The events of channels, where the order of the messages is another server's."""

import json
from contextlib import ExitStack, contextmanager
from functools import partial
from time import monotonic

import gevent
import pytest

from realtime_wall import api
from realtime_wall.brokers.commands import Delete
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.channels.resume import NOTHING
from realtime_wall.config import Config
from realtime_wall.errors import PublishFailed
from realtime_wall.node import event_queue
from realtime_wall.node.event_queue import EventQueue
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.server.link_factory import make_link
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.one_way.formats import LINES
from realtime_wall.transports.one_way.listener import Listener
from tests.fakes import RecordingTransport, RecordingWire, no_receivers
from tests.live import wait_for
from tests.redis_server import RedisServer

# Long before a hub, or Redis, is given up.
AT_ONCE = 1.0


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@contextmanager
def running_servers(config, count=2):
    """The last one is the one of this process."""
    with ExitStack() as stack:
        nodes = []
        for _ in range(count):
            node = Node(config, partial(make_link, config, None))
            queries.register(node)
            node.start()
            stack.callback(node.stop)
            nodes.append(node)
        wait_for(lambda: all(len(node.servers()) == count for node in nodes))
        yield nodes
        for socket in connected_sockets:
            connected_sockets.remove(socket)


@pytest.fixture(params=["one machine", pytest.param("redis", marks=pytest.mark.redis)])
def servers(request, tmp_path):
    tmp_path.chmod(0o700)
    options = {"runtime_dir": str(tmp_path), "events_channel": "life"}
    if request.param == "redis":
        options.update(broker=request.getfixturevalue("redis").url, broker_prefix=new_epoch())
    with no_receivers(), running_servers(Config(**options)) as nodes:
        yield nodes


def events(node):
    messages = node.broker.newest("life", 99)
    return [(message.event, json.loads(message.data_json)["channel"]) for message in messages]


def test_the_first_message_of_a_channel_is_published_at_once_by_a_server_that_is_not_the_hub(servers):
    began = monotonic()
    for number in range(5):
        api.publish(f"room{number}", number)

    assert monotonic() - began < AT_ONCE
    expected = [("channel_created", f"room{number}") for number in range(5)]
    wait_for(lambda: all(events(node) == expected for node in servers), "the events")


def test_clients_of_each_server_that_come_and_go_are_published_in_order(servers):
    for number, node in enumerate(servers):
        wire = RecordingWire()
        Listener(node, wire, LINES, chunked=False, session_key=None).begin(b"", {f"room{number}": 0}, NOTHING)
        # A connection that is lost is noticed on the event loop, where nobody can wait.
        gevent.get_hub().loop.run_callback(wire.abort, "gone")

    def of(channel):
        return [[name for name, one in events(node) if one == channel] for node in servers]

    order = ["channel_created", "client_subscribed", "client_unsubscribed", "channel_destroyed"]
    for number, _ in enumerate(servers):
        wait_for(lambda number=number: of(f"room{number}") == [order, order], f"events of room{number}")


def test_a_socket_that_leaves_a_deleted_channel_does_so_while_messages_are_delivered(servers):
    """The fan-out has it leave, and the reader of the link waits for the fan-out."""
    client = RecordingTransport(servers[-1])
    client.socket.subscribe("room")
    api.publish("room", 1)
    wait_for(lambda: client.heard, "the message")

    began = monotonic()
    servers[-1].perform(Delete(channel="room"))

    assert monotonic() - began < AT_ONCE
    assert client.socket.channels == ()
    wait_for(lambda: ("client_unsubscribed", "room") in events(servers[0]), "the event")


class Link:
    """One that is down for a while."""

    address = "a_server"

    def __init__(self, failures=0):
        self.failures = failures
        self.published = []

    def sequence(self, proposal):
        if self.failures:
            self.failures -= 1
            raise PublishFailed("it is away")
        self.published.append(proposal.command.channel)


@pytest.fixture
def queue_to(monkeypatch):
    monkeypatch.setattr(event_queue, "FIRST_RETRY", 0.001)
    queues = []

    def start(link):
        queue = EventQueue(link)
        queue.start()
        queues.append(queue)
        return queue

    yield start
    for queue in queues:
        queue.stop()


def test_what_cannot_be_published_is_tried_again_in_order_and_logged_once(queue_to, caplog):
    link = Link(failures=5)
    queue = queue_to(link)
    for channel in "abc":
        queue.put(channel, "1", "event")

    assert queue.wait_until_idle(10)
    assert link.published == ["a", "b", "c"]
    assert caplog.text.count("it is away") == 1


def test_what_no_link_takes_holds_up_nothing_else(queue_to, caplog):
    link = Link()
    queue = queue_to(link)
    sequence = link.sequence
    link.sequence = lambda proposal: 1 / 0 if proposal.command.channel == "a" else sequence(proposal)
    for channel in "ab":
        queue.put(channel, "1", "event")

    assert queue.wait_until_idle(10)
    assert link.published == ["b"]
    assert "ZeroDivisionError" in caplog.text


def test_of_too_many_the_newest_are_dropped_and_counted(monkeypatch, caplog):
    monkeypatch.setattr(event_queue, "LIMIT", 2)
    queue = EventQueue(Link())
    for channel in "abcd":
        queue.put(channel, "1", "event")

    assert queue.dropped == 2
    assert caplog.text.count("are dropped") == 1
