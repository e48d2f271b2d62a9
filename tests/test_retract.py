"""A message that is taken back leaves the log, and is told to whoever may have it on a screen."""

import json

import pytest

import realtime_wall
from realtime_wall.channels.names import MAX_EVENT_ID
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, Since
from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.transports.one_way.formats import EVENTS, LINES
from realtime_wall.transports.one_way.listener import Listener
from tests.fakes import RecordingTransport, RecordingWire, running_node


@pytest.fixture
def node():
    with running_node(history_size=3) as node:
        yield node


def listen(node, format=LINES, since=NOTHING):
    wire = RecordingWire()
    Listener(node, wire, format, chunked=False, session_key=None).begin(b"", {"room": 0}, since)
    return wire


def items(wire):
    return [json.loads(line) for line in wire.written.decode().splitlines()]


def test_who_is_there_is_told(node):
    client, stream, events = RecordingTransport(node), listen(node), listen(node, EVENTS)
    client.socket.subscribe("room")
    position = realtime_wall.publish("room", "oops", event_id="seven")

    receipt = realtime_wall.retract("room", position)

    said = {"id": 1, "position": str(position), "event_id": "seven"}
    assert receipt.sockets == 3
    assert [one.event for one in client.heard] == [None, "retracted"]
    assert client.data_heard == ["oops", said]
    assert [(one["id"], one["text"]) for one in items(stream)] == [(1, "oops"), (-5, said)]
    assert "event: retracted\ndata: {" in events.written.decode()


@pytest.mark.parametrize("name", [lambda position: position, str, lambda position: "seven"])
def test_who_comes_later_sees_neither_and_who_had_it_is_told(node, name):
    before = node.broker.top
    position = realtime_wall.publish("room", "oops", event_id="seven")
    realtime_wall.publish("room", "fine")

    realtime_wall.retract("room", name(position))

    new, had = listen(node, since=Since(position=before)), listen(node, since=Since(position=position))
    assert [one["text"] for one in items(new)] == ["fine"]
    assert [one["id"] for one in items(had)] == [2, -5]
    assert [one.data_json for one in node.broker.newest("room", 9)] == ['"fine"']


def test_a_retraction_is_not_counted_as_published(node):
    position = realtime_wall.publish("room", "oops")
    realtime_wall.retract("room", position)

    assert node.broker.published("room") == 1


def test_what_has_left_the_log_is_told_to_all(node):
    position = realtime_wall.publish("room", "oops")
    for _ in range(3):
        realtime_wall.publish("room", "more")
    stream = listen(node)

    receipt = realtime_wall.retract("room", position)

    assert receipt.sockets == 1
    assert items(stream)[-1]["text"] == {"id": None, "position": str(position), "event_id": None}


def test_a_message_of_the_future_is_none(node):
    stream, top = listen(node), node.broker.top

    receipt = realtime_wall.retract("room", Position(top.epoch, top.offset + 1))

    assert (receipt.position, receipt.sockets) == (None, 0)
    assert (items(stream), node.broker.top) == ([], top)


def test_names_are_checked(node):
    with pytest.raises(InvalidChannel):
        realtime_wall.retract("a/b", "seven")
    for which in ("", "a\nb", "x" * (MAX_EVENT_ID + 1)):
        with pytest.raises(InvalidMessage, match="event id"):
            realtime_wall.retract("room", which)
        with pytest.raises(InvalidMessage, match="event id"):
            realtime_wall.publish("room", "x", event_id=which)


def test_nobody_else_can_say_that_something_is_taken_back(node):
    with pytest.raises(InvalidMessage, match="reserved"):
        realtime_wall.publish("room", {"position": "a:1"}, event="retracted")
