"""Which Socket.IO packets are in the MessagePack of a client, and how are ours written?

As ``socket.io-msgpack-parser`` of npm has it: a packet is one binary message, a map with ``type``, ``nsp``,
``data`` and ``id``. Bytes are where they belong, so there are no attachments. A message is given as JSON, and
written once, however many clients it goes to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgpack

from realtime_wall.protocol.attachments import Turn, places_of
from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.msgpack.msgpack_input import BadMessagePack, load_msgpack
from realtime_wall.protocol.socketio import MAX_ID, Packet, PacketType, check_event, check_namespace

_TYPES = {
    int(type.value): type
    for type in (PacketType.CONNECT, PacketType.DISCONNECT, PacketType.EVENT, PacketType.ACK)
}
# What the data of each type is; a client that has none to send may say so, or leave it out.
_DATA: dict[PacketType, tuple[type, ...]] = {
    PacketType.CONNECT: (dict, type(None)),
    PacketType.DISCONNECT: (type(None),),
    PacketType.EVENT: (list,),
    PacketType.ACK: (list,),
}


class MessagePackDecoder:
    """The receiving half of one connection; after a BadPacket the connection has to end."""

    __slots__ = ("_max_bytes", "_max_depth", "_max_values")

    is_waiting = False  # for attachments

    def __init__(
        self, max_bytes: int = 1024 * 1024, max_depth: int = 32, max_values: int | None = None
    ) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._max_values = max_values

    def event(self, text: str) -> None:
        """None is one."""

    def receive_text(self, text: str, turn: Turn = None) -> Packet | None:
        raise BadPacket("text from a client that began with MessagePack")

    def receive_binary(self, data: bytes, turn: Turn = None) -> Packet | None:
        """``turn`` is called again and again while a large one is read."""
        if len(data) > self._max_bytes:
            raise BadPacket(f"packet larger than {self._max_bytes} bytes")
        try:
            # The packet is a map itself, where JSON's begins with the array in it.
            value = load_msgpack(data, self._max_depth + 1, self._max_values, turn)
        except BadMessagePack as problem:
            raise BadPacket(f"bad MessagePack: {problem.reason}") from None
        if not isinstance(value, dict):
            raise BadPacket("MessagePack that is no packet")
        return _packet(value)


def _packet(value: dict[str, Any]) -> Packet:
    number, namespace, id = value.get("type"), value.get("nsp"), value.get("id")
    data: Any = value.get("data")
    packet_type = _TYPES.get(number) if type(number) is int else None
    if packet_type is None:
        raise BadPacket("unknown Socket.IO packet type")
    if not isinstance(namespace, str) or namespace[:1] != "/":
        raise BadPacket("no namespace")
    if id is not None and (type(id) is not int or not 0 <= id <= MAX_ID):
        raise BadPacket("an id that is no small whole number")
    if type(data) not in _DATA[packet_type]:
        raise BadPacket(f"{packet_type.name} with the wrong data")
    if packet_type is PacketType.EVENT:
        check_event(data)
    return Packet(packet_type, check_namespace(namespace), id, data)


def connect_packet(namespace: str, sid: str, pid: str | None = None) -> bytes:
    """With a ``pid`` the client may come back and ask for what it missed."""
    return _pack(PacketType.CONNECT, namespace, {"sid": sid} if pid is None else {"sid": sid, "pid": pid})


def connect_error_packet(namespace: str, data_json: str) -> bytes:
    return _pack(PacketType.CONNECT_ERROR, namespace, json.loads(data_json))


def disconnect_packet(namespace: str) -> bytes:
    return _pack(PacketType.DISCONNECT, namespace)


def event_packet(
    namespace: str,
    name: str,
    args_json: Sequence[str],
    attachments: Sequence[bytes] = (),
    id: int | None = None,
    offset: str | None = None,
) -> bytes:
    """As ``socketio.event_text``; attachments are put where their placeholders are."""
    data = [name, *_values(args_json, attachments)]
    if offset is not None:
        data.append(offset)
    return _pack(PacketType.EVENT, namespace, data, id)


def ack_packet(namespace: str, id: int, args_json: Sequence[str], attachments: Sequence[bytes] = ()) -> bytes:
    return _pack(PacketType.ACK, namespace, _values(args_json, attachments), id)


def _values(args_json: Sequence[str], attachments: Sequence[bytes]) -> list[Any]:
    values: list[Any] = json.loads(f"[{','.join(args_json)}]")
    if attachments:
        places = places_of(values, len(attachments))
        for (container, key), attachment in zip(places, attachments, strict=True):
            container[key] = attachment
    return values


def _pack(packet_type: PacketType, namespace: str, data: Any = None, id: int | None = None) -> bytes:
    """What is None is left out: at a null the stock client's parser throws."""
    packet: dict[str, Any] = {"type": int(packet_type.value), "nsp": namespace}
    if data is not None:
        packet["data"] = data
    if id is not None:
        packet["id"] = id
    # Numbers beyond 64 bits are what JavaScript makes of them; halves of surrogate pairs are no text.
    packed: bytes = msgpack.packb(packet, default=float, unicode_errors="replace")
    return packed
