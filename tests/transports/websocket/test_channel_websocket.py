import json

import gevent
import pytest

from realtime_wall.brokers.commands import Delete, Publish
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, Since
from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.transports.websocket.channel_websocket import (
    WAITING,
    ChannelWebSocket,
    open_channels,
    refuse,
)
from tests.fakes import RecordingWire, masked, running_node, text
from tests.live import wait_for


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def publish(node, channel, *values):
    commands = [Publish(channel=channel, data_json=json.dumps(one)) for one in values]
    return [node.perform(command).position for command in commands]


def connect(node, *channels, since=NOTHING, publish=None, arrived=b""):
    wire = RecordingWire()
    open_channels(node, dict.fromkeys(channels, 0), since, publish, None, wire, arrived)
    return wire


def test_it_hears_its_channels_as_json(node):
    wire = connect(node, "a", "b")
    publish(node, "a", 1)
    publish(node, "b", 2)

    assert [(one["channel"], one["text"]) for one in wire.texts()] == [("a", 1), ("b", 2)]


def test_it_begins_with_the_header_and_ends_with_the_footer():
    rule = {"HEADER_TEMPLATE": "hello", "FOOTER_TEMPLATE": "bye", "MESSAGE_TEMPLATE": "~text~"}
    with running_node(channels={"a": rule}) as node:
        deleted, aged, both = connect(node, "a"), connect(node, "a"), connect(node, "a", "b")
        publish(node, "a", 1)
        aged.owner.peer.tick(0.0)
        node.perform(Delete(channel="a", notice="no more"))

        told = {wire: [payload for _, payload in wire.frames()] for wire in (deleted, aged, both)}
    assert told[deleted][:2] == [b"hello", b"1"]
    assert b"no more" in told[deleted][2]
    assert told[deleted][3] == b"bye"
    assert told[aged][:3] == [b"hello", b"1", b"bye"]
    assert len(told[both]) == 3  # it goes on


def test_it_goes_on_from_a_cursor_or_is_told_of_a_gap(node):
    first, _ = publish(node, "a", 1, 2)

    assert [
        one["text"] for one in connect(node, "a", since=Since(position=Position.parse(first))).texts()
    ] == [2]
    lost = connect(node, "a", since=Since(position=Position("other", 1))).texts()
    assert [(one["id"], one["channel"]) for one in lost] == [(-4, "a")]


def test_what_it_writes_goes_to_all_its_channels_in_order(node):
    written = []
    wire = connect(node, "a", "b", publish=lambda *args: written.append(args), arrived=text("one"))
    wire.owner.received(text("two"))
    wait_for(lambda: len(written) == 4)

    assert written == [("a", "one"), ("b", "one"), ("a", "two"), ("b", "two")]


def test_who_may_not_write_is_closed(node):
    wire = connect(node, "a")
    wire.owner.received(text("one"))

    assert wire.close() == Close(1008, "nothing may be published here")


def test_what_cannot_be_published_is_told(node):
    wire = connect(node, "a", publish=lambda channel, text: "too large")
    wire.owner.received(text("one"))
    wait_for(lambda: wire.close() is not None)

    assert wire.close() == Close(1008, "too large")


def test_one_who_writes_faster_than_is_published_is_not_read_from(node):
    may_go_on = gevent.event.Event()
    wire = connect(node, "a", publish=lambda *_: may_go_on.wait() and None)
    for _ in range(WAITING + 5):
        wire.owner.received(text("one"))
    assert wire.paused

    may_go_on.set()
    wait_for(lambda: not wire.paused)


def test_binary_is_refused(node):
    wire = connect(node, "a")
    wire.owner.received(masked(2, b"x"))

    assert wire.close().code == 1003


def test_when_it_leaves_nothing_of_it_stays(node):
    wire = connect(node, "a")
    assert len(node.listeners) == 1
    wire.abort("gone")

    assert (node.listeners, node.subscriptions.count("a")) == (set(), 0)


def test_what_has_lasted_long_enough_has_to_come_back():
    with running_node(connection_age=60) as node:
        wire = connect(node, "a")
        (listener,) = node.listeners
        assert isinstance(listener, ChannelWebSocket) and listener.due > 0
        listener.tick(0.0)

    assert wire.close() == Close(1001, "has been connected for long enough")


def test_a_refusal_is_told_by_a_close(node):
    wire = RecordingWire()
    refuse(node, "no", wire, b"")

    assert wire.close() == Close(1008, "no")
