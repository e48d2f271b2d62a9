"""A broadcast is deflated once for all WebSockets that agreed on it, whatever is spoken over them."""

import json
import zlib

import pytest
from django.test import RequestFactory

from realtime_wall import api, connected_sockets
from realtime_wall.channels.resume import Since
from realtime_wall.protocol.websocket import deflate
from realtime_wall.protocol.websocket.deflate import PLAIN, deflate_framing
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.socketio_client import SocketIOClient
from realtime_wall.transports.websocket.channel_websocket import open_channels
from realtime_wall.transports.websocket.plain_opening import open_websocket
from tests.fakes import RecordingWire, a_request, masked, no_receivers, running_node
from tests.live import wait_for

DEFLATED = deflate_framing(15, 500)
SMALL_WINDOW = deflate_framing(9, 500)
RSV1 = 0x40
LONG = "the same again, " * 50


@pytest.fixture
def node():
    with no_receivers(), running_node() as node:
        yield node


@pytest.fixture
def deflations(monkeypatch):
    """The windows of all that was deflated."""
    made, make = [], zlib.compressobj

    def count(level, method, wbits):
        made.append(-wbits)
        return make(level, method, wbits)

    monkeypatch.setattr(deflate.zlib, "compressobj", count)
    return made


def last_text(wire):
    """What the last frame says, and whether it was deflated."""
    data, is_deflated = wire.written, False
    while data:
        size, start = (int.from_bytes(data[2:4], "big"), 4) if data[1] == 126 else (data[1], 2)
        is_deflated = bool(data[0] & RSV1)
        payload, data = data[start : start + size], data[start + size :]
    if is_deflated:
        payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
    return payload.decode(), is_deflated


def plain(node, framing, since=None):
    wire = RecordingWire()
    open_websocket(node, a_request(), since, None, wire, b"", framing=framing)
    assert node.pool.wait_until_idle(10)
    return wire


def listener(node, framing):
    wire = RecordingWire()
    open_channels(node, {"news": 0}, Since(), None, None, wire, b"", framing=framing)
    return wire


def socketio(node, framing, upgrade=False):
    wire = RecordingWire()
    session = EngineSession(node, "", None if upgrade else wire, framing=framing)
    session.begin(SocketIOClient(node, session, RequestFactory().get("/socket.io/")))
    if upgrade:
        session.offer(wire, masked(1, "2probe") + masked(1, "5"), framing=framing)
    wire.owner.received(masked(1, "40"))
    assert node.pool.wait_until_idle(10)
    return wire


def test_a_broadcast_is_deflated_once_for_each_window(node, deflations):
    deflated = [plain(node, DEFLATED) for _ in range(5)]
    small, as_it_is = plain(node, SMALL_WINDOW), plain(node, PLAIN)

    api.broadcast({"text": LONG})

    assert sorted(deflations) == [9, 15]
    assert {wire.written[-100:] for wire in deflated} == {deflated[0].written[-100:]}
    for wire in (*deflated, small, as_it_is):
        text, is_deflated = last_text(wire)
        assert json.loads(text)["message"] == {"text": LONG}
        assert is_deflated == (wire is not as_it_is)


def test_so_it_is_for_the_listeners_of_channels(node, deflations):
    wires = [listener(node, DEFLATED) for _ in range(5)]

    api.publish("news", LONG)
    wait_for(lambda: wires[-1].written)

    assert deflations == [15]
    assert all(LONG in text and is_deflated for text, is_deflated in map(last_text, wires))


@pytest.mark.parametrize("upgrade", [False, True])
def test_so_it_is_for_clients_of_socketio_upgraded_ones_too(node, deflations, upgrade):
    wires = [socketio(node, DEFLATED, upgrade) for _ in range(5)]
    as_it_is = socketio(node, PLAIN)

    api.broadcast_emit("news", LONG)

    # The events of clients that may come back end with the same offset.
    assert deflations == [15]
    assert all(LONG in text and is_deflated for text, is_deflated in map(last_text, wires))
    assert last_text(as_it_is)[1] is False


def test_a_small_broadcast_is_sent_as_it_is(node, deflations):
    wire = plain(node, DEFLATED)

    api.broadcast("small")

    assert (deflations, last_text(wire)[1]) == ([], False)


def test_what_is_sent_to_one_client_is_deflated_too(node, deflations):
    wires = [plain(node, DEFLATED), socketio(node, DEFLATED)]
    for socket in connected_sockets:
        socket.emit("news", LONG)

    assert deflations == [15, 15]
    assert all(LONG in text and is_deflated for text, is_deflated in map(last_text, wires))


def test_what_a_client_missed_is_not_so_that_many_may_come_back_at_once(node, deflations):
    start = node.broker.top
    plain(node, PLAIN)
    api.broadcast(LONG)

    text, is_deflated = last_text(plain(node, DEFLATED, since=start))

    assert json.loads(text)["message"] == LONG
    assert (deflations, is_deflated) == ([], False)


def test_a_deflated_event_is_heard(node):
    wire = plain(node, DEFLATED)
    squeezed = zlib.compress(b'{"type":"heartbeat","id":7}', wbits=-15)

    wire.owner.received(masked(1 | RSV1, squeezed))

    answer = json.loads(last_text(wire)[0])
    assert (answer["type"], answer["id"]) == ("ack", 7)


@pytest.mark.threat("S11")
def test_a_bomb_closes_the_connection_with_1009(node):
    wire = plain(node, DEFLATED)

    wire.owner.received(masked(1 | RSV1, zlib.compress(bytes(20 * 1024**2), wbits=-15)))

    assert wire.close().code == 1009


def test_what_a_message_is_when_inflated_counts_for_the_byte_rate():
    with no_receivers(), running_node(byte_rate=1000, byte_burst=200_000) as node:
        wire = plain(node, DEFLATED)
        for _ in range(3):
            assert not wire.paused
            wire.owner.received(masked(1 | RSV1, zlib.compress(b"x" * 90_000, wbits=-15)))
            wait_for(lambda: wire.owner._late is None)
        wire.owner.received(masked(9))

        assert wire.paused


@pytest.mark.threat("S11")
def test_a_deflated_message_that_nobody_agreed_on_closes_with_1002(node):
    wire = plain(node, PLAIN)

    wire.owner.received(masked(1 | RSV1, zlib.compress(b"text", wbits=-15)))

    assert wire.close().code == 1002
