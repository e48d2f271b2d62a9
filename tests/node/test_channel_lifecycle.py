"""What the events channel tells, and when an idle channel is forgotten."""

import json
from time import monotonic

import pytest

from realtime_wall import api
from realtime_wall.auth import channel_permissions
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, Since
from realtime_wall.errors import HistoryLost
from realtime_wall.transports.one_way.formats import LINES
from realtime_wall.transports.one_way.listener import Listener
from tests.fakes import RecordingTransport, RecordingWire, a_request, running_node


@pytest.fixture
def node():
    with running_node(events_channel="life", channels={"short": {"HISTORY_SIZE": 0}}) as node:
        yield node


def told(node):
    assert node._events.wait_until_idle(10)
    found = []
    for message in node.broker.newest("life", 99):
        data = json.loads(message.data_json)
        assert message.event == data["type"]
        found.append((data["type"].removeprefix("channel_").removeprefix("client_"), data["channel"]))
    return found


def test_a_channel_begins_with_its_first_message_or_its_first_subscriber(node):
    api.publish("news", 1)
    api.publish("news", 2)
    RecordingTransport(node).socket.subscribe("room")

    assert told(node) == [("created", "news"), ("created", "room"), ("subscribed", "room")]


def test_who_comes_and_goes_is_told_once(node):
    wire = RecordingWire()
    Listener(node, wire, LINES, chunked=False, session_key=None).begin(b"", {"a": 0, "b": 0}, NOTHING)
    wire.abort("gone")
    client = RecordingTransport(node)
    client.socket.subscribe("a")
    client.socket.subscribe("a")
    client.socket.unsubscribe("a")
    client.leave()

    on_a = [what for what, channel in told(node) if channel == "a"]
    assert on_a == ["created", "subscribed", "unsubscribed", "destroyed"] * 2
    assert {channel for _, channel in told(node)} == {"a", "b"}


def test_a_channel_ends_when_it_is_deleted_or_its_messages_are_forgotten(node):
    RecordingTransport(node).socket.subscribe("news")
    api.publish("news", 1)
    api.publish("short", 1)
    node._life.tick(monotonic())
    api.publish("room", 1)
    node.broker.delete("news")  # somebody is still there
    node.broker.delete("room")
    node._life.tick(monotonic())

    assert told(node) == [
        *(("created", "news"), ("subscribed", "news")),
        *(("created", "short"), ("destroyed", "short"), ("created", "room"), ("destroyed", "room")),
    ]


def test_who_listens_to_the_events_channel_hears_of_itself_once_and_not_of_that_channel(node):
    wire = RecordingWire()
    since = Since(position=node.broker.top)
    Listener(node, wire, LINES, chunked=False, session_key=None).begin(b"", {"life": 0, "a": 0}, since)
    assert node._events.wait_until_idle(10)
    api.broadcast_channel("wait for the deliveries", "a")

    items = [json.loads(line) for line in wire.written.decode().splitlines()]
    assert [one["event"] for one in items[:-1]] == ["channel_created", "client_subscribed"]


def test_without_an_events_channel_nothing_is_told():
    with running_node() as node:
        RecordingTransport(node).socket.subscribe("room")
        api.publish("room", 1)

        assert node.broker.top.offset == 1


@pytest.mark.parametrize(
    ("channels", "may_read"),
    [({}, False), ({"*": {"READ": True}}, False), ({"life": {"READ": True, "WRITE": True}}, True)],
)
def test_only_a_rule_of_its_own_opens_it_and_none_for_writing(channels, may_read):
    with running_node(events_channel="life", channels=channels) as node:
        rule = node.rules.of("life")

        assert channel_permissions.may_read(rule, a_request(), "life") is may_read
        assert not channel_permissions.may_write(rule, a_request(), "life")


# Idle channels


def test_a_channel_that_nobody_uses_is_forgotten_after_its_idle_time():
    with running_node(channels={"room": {"IDLE_TIME": 10}}) as node:
        start = api.publish("room", 1)
        api.publish("news", 1)
        client = RecordingTransport(node)
        client.socket.subscribe("room")

        node._life.tick(monotonic() + 11)
        assert node.broker.kept("room") == 1  # somebody is there
        client.socket.unsubscribe("room")
        node._life.tick(monotonic() + 9)
        assert node.broker.kept("room") == 1
        node._life.tick(monotonic() + 11)
        assert (node.broker.kept("room"), node.broker.kept("news")) == (0, 1)
        with pytest.raises(HistoryLost):
            node.broker.since("room", Position(start.epoch, 0))


def test_a_message_makes_the_idle_time_begin_anew():
    with running_node(channels={"*": {"IDLE_TIME": 10}}) as node:
        api.publish("a", 1)
        api.publish("b", 1)
        middle = monotonic()
        node._life._unused[10] = type(node._life._unused[10])(a=middle - 9, b=middle - 9)
        api.publish("a", 2)

        node._life.tick(middle + 5)

        assert (node.broker.kept("a"), node.broker.kept("b")) == (2, 0)
