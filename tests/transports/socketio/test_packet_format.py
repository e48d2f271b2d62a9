"""The first packet of a client says how it writes, and so it is written to."""

import msgpack
import pytest
from django.test import override_settings

from realtime_wall import api, signals
from realtime_wall.protocol.json_input import LARGE
from realtime_wall.protocol.msgpack import socketio_msgpack
from realtime_wall.wire.connection import Wire
from tests.fakes import running_node
from tests.live import wait_for
from tests.transports.socketio.client import BINARY, Visitor, connect

CONNECT = msgpack.packb({"type": 0, "nsp": "/"})


@pytest.fixture
def packing_node():
    with running_node(socketio_msgpack=True, json_depth=8) as node:
        yield node


def packets(visitor):
    return [msgpack.unpackb(payload) for opcode, payload in visitor.wire.frames() if opcode == BINARY]


def begin(node):
    visitor = Visitor(node)
    visitor.say(CONNECT)
    visitor.settle()
    return visitor


def test_what_is_broadcast_is_packed_once_and_who_writes_json_hears_it_too(packing_node, monkeypatch):
    visitors = [begin(packing_node) for _ in range(3)]
    plain = Visitor(packing_node).connect()
    packed, pack = [], socketio_msgpack.event_packet
    monkeypatch.setattr(socketio_msgpack, "event_packet", lambda *args: (packed.append(1), pack(*args))[1])

    assert api.broadcast_emit("file", {"of": [b"one"]}, 2).sockets == 4

    for visitor in visitors:
        welcome, event = packets(visitor)
        assert welcome["type"] == 0
        assert welcome["data"]["pid"]
        assert event["data"][:-1] == ["file", {"of": [b"one"]}, 2]
    assert packed == [1]
    assert plain.told()[-2].startswith('51-["file",{"of":[{"_placeholder"')


def test_a_large_packet_is_read_in_turns_and_what_follows_waits_for_it(packing_node, monkeypatch):
    heard, turns, wait = [], [], Wire.turns.wait
    connect(signals.socket_client_event, lambda *_, event, **__: heard.append(event.args))
    visitor = begin(packing_node)
    monkeypatch.setattr(Wire.turns, "wait", lambda: (turns.append(1), wait()))
    many = [{"n": number} for number in range(LARGE)]

    for args in ([many], ["small"]):
        visitor.say(msgpack.packb({"type": 2, "nsp": "/", "data": ["a", *args]}))
    assert visitor.wire.paused
    wait_for(lambda: len(heard) == 2)

    assert heard == [[many], ["small"]]
    assert len(turns) > 50


def test_text_from_one_who_began_with_messagepack_ends_it(packing_node):
    visitor = begin(packing_node)

    visitor.say('2["a"]')

    assert not visitor.session.is_open


def test_where_the_setting_is_off_bytes_come_as_attachments_only(node):
    visitor = Visitor(node)

    visitor.say(CONNECT)

    assert not visitor.session.is_open


def test_the_setting_needs_its_package(monkeypatch):
    from realtime_wall import checks

    with override_settings(REALTIME_WALL={"SOCKETIO_MSGPACK": True}):
        assert checks.check_settings() == []
        monkeypatch.setattr(checks, "find_spec", lambda name: None)
        (error,) = checks.check_settings()
    assert (error.id, "realtime-wall[msgpack]" in error.hint) == ("realtime_wall.E015", True)
