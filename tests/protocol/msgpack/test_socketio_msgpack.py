"""Packets of Socket.IO as MessagePack, both ways."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.msgpack import socketio_msgpack
from realtime_wall.protocol.msgpack.socketio_msgpack import MessagePackDecoder
from realtime_wall.protocol.socketio import Packet, PacketType

PLACE = '{"_placeholder":true,"num":0}'


def decode(value, **limits):
    data = value if isinstance(value, bytes) else msgpack.packb(value)
    return MessagePackDecoder(**limits).receive_binary(data)


def test_packets_of_each_type():
    assert decode({"type": 0, "nsp": "/", "data": {"a": 1}}) == Packet(
        PacketType.CONNECT, "/", None, {"a": 1}
    )
    assert decode({"type": 0, "nsp": "/a?b=c"}) == Packet(PacketType.CONNECT, "/a", None, None)
    assert decode({"type": 1, "nsp": "/a"}) == Packet(PacketType.DISCONNECT, "/a", None, None)
    event = {"type": 2, "nsp": "/", "id": 7, "data": ["say", b"x"], "options": {"compress": True}}
    assert decode(event) == Packet(PacketType.EVENT, "/", 7, ["say", b"x"])
    assert decode({"type": 3, "nsp": "/", "id": 0, "data": []}) == Packet(PacketType.ACK, "/", 0, [])
    # What a client has not set is undefined in its map.
    undefined = b"\x84\xa4type\x00\xa3nsp\xa1/\xa4data\xd4\x00\x00\xa2id\xd4\x00\x00"
    assert decode(undefined) == Packet(PacketType.CONNECT, "/", None, None)


@pytest.mark.threat("S47")
@pytest.mark.parametrize(
    "value",
    [
        *(b"\xc1", [], 5, None, {}),
        *({"type": number, "nsp": "/", "data": ["a"]} for number in (None, True, 2.0, -1, 4, 5, 6, "2")),
        *({"type": 2, "nsp": namespace, "data": ["a"]} for namespace in (None, 1, "", "a", "/" * 130, "/\0")),
        *({"type": 2, "nsp": "/", "data": data} for data in (None, {}, "a", [], [None], [True], ["connect"])),
        *({"type": 3, "nsp": "/", "id": id, "data": []} for id in (-1, True, 1.0, "1", 10**15)),
        *({"type": 0, "nsp": "/", "data": data} for data in ([], "a", 1)),
        {"type": 1, "nsp": "/", "data": {}},
    ],
)
def test_what_is_no_packet_is_refused(value):
    with pytest.raises(BadPacket):
        decode(value)


def test_limits():
    event = {"type": 2, "nsp": "/", "data": ["a", [[]]]}
    assert decode(event, max_depth=3, max_bytes=30, max_values=18)
    for limit in ({"max_depth": 2}, {"max_bytes": 20}, {"max_values": 15}):
        with pytest.raises(BadPacket):
            decode(event, **limit)
    with pytest.raises(BadPacket, match="text"):
        MessagePackDecoder().receive_text("0")


def test_what_is_not_there_is_left_out():
    """The stock parser throws at null."""
    unpacked = msgpack.unpackb(socketio_msgpack.event_packet("/", "say", ["1", "[2]"]))
    assert unpacked == {"type": 2, "nsp": "/", "data": ["say", 1, [2]]}
    assert msgpack.unpackb(socketio_msgpack.disconnect_packet("/a")) == {"type": 1, "nsp": "/a"}
    connect = msgpack.unpackb(socketio_msgpack.connect_packet("/", "s1"))
    assert connect == {"type": 0, "nsp": "/", "data": {"sid": "s1"}}
    error = msgpack.unpackb(socketio_msgpack.connect_error_packet("/", '{"message":"no"}'))
    assert error == {"type": 4, "nsp": "/", "data": {"message": "no"}}


def test_bytes_are_where_they_belong_and_an_offset_is_the_last_argument():
    data = socketio_msgpack.event_packet("/", "file", ['{"of":' + PLACE + "}"], [b"x"], 3, "e:1")
    assert msgpack.unpackb(data) == {"type": 2, "nsp": "/", "data": ["file", {"of": b"x"}, "e:1"], "id": 3}
    data = socketio_msgpack.ack_packet("/", 0, [PLACE], [b"x"])
    assert msgpack.unpackb(data) == {"type": 3, "nsp": "/", "data": [b"x"], "id": 0}


def test_what_messagepack_cannot_say_is_what_javascript_would_have_of_it():
    data = msgpack.unpackb(socketio_msgpack.event_packet("/", "n", [str(2**70), r'"\ud800"']))["data"]
    assert data == ["n", float(2**70), "?"]


@given(st.text(min_size=1), st.lists(st.integers() | st.text()), st.integers(0, 10**15 - 1))
def test_what_we_write_is_read_as_it_was(name, args, id):
    import json

    packed = socketio_msgpack.ack_packet(
        "/", id, [json.dumps(one, ensure_ascii=False) for one in [name, *args]]
    )
    back = decode(packed).data
    assert [float(one) if isinstance(one, int) else one for one in back] == [
        float(one) if isinstance(one, int) else one for one in [name, *args]
    ]
