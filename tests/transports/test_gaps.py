"""Every way to listen is sent the same after a gap: up to where something was lost, and what is kept."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall import api
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.transports.engineio.session import sessions
from realtime_wall.transports.one_way.formats import EVENTS, LINES
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.transports.one_way.long_polling import Body, LongPoll
from realtime_wall.transports.websocket.channel_websocket import open_channels
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from tests.fakes import RecordingWire, a_request, no_receivers, running_node, text
from tests.transports.socketio.client import Visitor

KEPT = 3
GAP = -4


@pytest.fixture(scope="module")
def node():
    with no_receivers(), running_node(history_size=KEPT) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")
        assert node.pool.wait_until_idle(10)


def of_items(items):
    return [f"gap {one['cursor']}" if one["id"] == GAP else one["text"] for one in items]


def by_events(node, channel, since):
    wire = RecordingWire()
    listener = Listener(node, wire, EVENTS, chunked=False, session_key=None)
    listener.begin(b"", {channel: 0}, Since(position=since))
    lines = wire.written.decode().splitlines()
    return of_items(json.loads(line[6:]) for line in lines if line.startswith("data: "))


def by_lines(node, channel, since):
    wire = RecordingWire()
    listener = Listener(node, wire, LINES, chunked=False, session_key=None)
    listener.begin(b"", {channel: 0}, Since(position=since))
    return of_items(map(json.loads, wire.written.decode().splitlines()))


def by_long_poll(node, channel, since):
    wire = RecordingWire()
    LongPoll(node, wire, [], Body(node), None).begin((channel,), since)
    _, _, body = wire.written.decode().partition("\r\n\r\n")
    return of_items(map(json.loads, body.splitlines()))


def by_channel_websocket(node, channel, since):
    wire = RecordingWire()
    open_channels(node, {channel: 0}, Since(position=since), None, None, wire, b"")
    return of_items(wire.texts())


def by_plain_websocket(node, channel, since):
    wire = RecordingWire()
    WebSocket(node, wire, a_request(), None).begin(b"", None)
    wire.owner.received(text({"type": "subscribe", "channel": channel, "since": str(since), "id": 1}))
    assert node.pool.wait_until_idle(10)
    _, *answers = wire.texts()
    return [
        f"gap {one['cursor']}" if one["type"] == "gap" else one["message"]
        for one in answers
        if one["type"] != "subscribed"
    ]


def by_socketio(node, channel, since):
    visitor = Visitor(node).connect()
    visitor.ask(f'21["subscribe","{channel}","{since}"]')
    return [
        f"gap {arguments[0]['cursor']}" if name == "realtime_wall:gap" else arguments[0]
        for name, *arguments in visitor.events()
    ]


WAYS = [by_events, by_lines, by_long_poll, by_channel_websocket, by_plain_websocket, by_socketio]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=30, deadline=None)
@given(before=st.lists(st.booleans(), max_size=8), share=st.floats(0, 1), epoch=st.booleans())
def test_a_gap_stands_where_something_was_lost_and_what_is_kept_follows(way, node, before, share, epoch):
    channel, first = f"room {node.broker.top.offset}", node.broker.top.offset
    published = []
    for is_ours in before:
        position = api.publish(channel if is_ours else "elsewhere", len(published))
        published += [position] if is_ours else []
    top = node.broker.top
    since = Position(top.epoch if epoch else "earlier", first + round(share * (top.offset - first)))

    heard = way(node, channel, since)

    missed = [number for number, position in enumerate(published) if position.offset > since.offset]
    kept = list(range(len(published)))[-KEPT:]
    if not epoch:
        assert heard == [f"gap {top}"]
    elif lost := [number for number in missed if number not in kept]:
        assert heard == [f"gap {published[lost[-1]]}", *kept]
    else:
        assert heard == missed
