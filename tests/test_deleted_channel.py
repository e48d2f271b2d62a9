"""Who is on a channel that is deleted is told, and leaves it, on every way of listening."""

import json

import pytest

from realtime_wall import api
from realtime_wall.brokers.commands import Delete
from realtime_wall.channels.resume import NOTHING
from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.transports.one_way.formats import EVENTS
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.transports.one_way.long_polling import Body, LongPoll
from realtime_wall.transports.websocket.channel_websocket import open_channels
from tests.fakes import RecordingWire, running_node

TEXT = 1
RULES = {"doomed": {"FOOTER_TEMPLATE": "the end", "MESSAGE_TEMPLATE": "~text~"}}


@pytest.fixture
def node():
    with running_node(channels=RULES) as node:
        yield node


def delete(node, channel="doomed"):
    return node.perform(Delete(channel=channel, notice="Good night"))


def on_a_websocket(node, *channels):
    wire = RecordingWire()
    open_channels(node, dict.fromkeys(channels, 0), NOTHING, None, None, wire, b"")
    return wire


def test_a_websocket_is_told_and_ends_with_the_footer(node):
    wire = on_a_websocket(node, "doomed")
    delete(node)

    told, footer = [payload for opcode, payload in wire.frames() if opcode == TEXT]
    assert {"id": -2, "channel": "doomed", "text": "Good night"}.items() <= json.loads(told).items()
    assert footer == b"the end"
    assert wire.close() == Close(1000, "its last channel was deleted")


def test_a_websocket_with_another_channel_stays_on_that(node):
    wire = on_a_websocket(node, "doomed", "attic")
    delete(node)
    api.publish("doomed", "unheard")
    api.publish("attic", "heard")
    api.broadcast_channel("wait for the deliveries", "attic")

    assert [one["text"] for one in wire.texts()] == ["Good night", "heard", "wait for the deliveries"]
    assert wire.close() is None


def test_an_eventsource_is_told_and_ends_with_the_footer(node):
    wire = RecordingWire()
    Listener(node, wire, EVENTS, chunked=False, session_key=None).begin(b"", {"doomed": 0}, NOTHING)
    delete(node)

    told, _, rest = wire.written.decode().partition("data: ")[2].partition("\n\n")
    assert (json.loads(told)["id"], rest.strip(), wire.is_open) == (-2, ": the end", False)


def test_a_long_poll_is_answered(node):
    wire = RecordingWire()
    LongPoll(node, wire, [], Body(node), None).begin(("doomed", "attic"), node.broker.top)
    delete(node)

    head, _, body = wire.written.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["text"] == "Good night"
    assert not wire.is_open
    assert not node.subscriptions.count("attic")
