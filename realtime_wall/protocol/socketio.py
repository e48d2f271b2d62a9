"""Which Socket.IO packets do a client's messages make, and how are ours written?

The fifth revision of the protocol, inside the messages of Engine.IO. Text and bytes go in, and
packets come out that are complete: checked, and with their binary attachments in place. The
``..._text`` functions are given data that is JSON text already, because a message is encoded once,
however many clients it goes to; :func:`~realtime_wall.protocol.attachments.extract_binary` comes before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from realtime_wall.protocol.attachments import Turn, places_of
from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.json_checks import FEW_FLOATS, ScanError, scan_few_floats
from realtime_wall.protocol.json_input import BadJSON, load_json

# What the version of the protocol is called in its specification and by its clients.
VERSION = "5"

MAIN_NAMESPACE = "/"

MAX_NAMESPACE = 128
# Every whole number of 15 digits is exact in JavaScript; clients count their ids up from 0.
_MAX_DIGITS = 15
MAX_ID = 10**_MAX_DIGITS - 1

# Names of events that clients keep for themselves. One that receives a packet with such a name
# drops the connection, comes back, and drops it again.
RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)


# Events of the server's own: one that gives a client an offset when no other does, and one
# about a gap.
OFFSET_EVENT = "realtime_wall:offset"
GAP_EVENT = "realtime_wall:gap"


class PacketType(StrEnum):
    """Types as they travel; a complete packet of the two binary ones is an EVENT or an ACK."""

    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    CONNECT_ERROR = "4"
    BINARY_EVENT = "5"
    BINARY_ACK = "6"


# To ask the class for it takes as long as to compare ten of them.
CONNECT = PacketType.CONNECT


@dataclass(slots=True)
class Packet:
    """``data`` is None for a packet without any; an EVENT and an ACK have a list."""

    type: PacketType
    namespace: str
    id: int | None
    data: Any


# Name, arguments, and the id that its sender counts its acks by.
Event = tuple[str, list[Any], int | None]


@dataclass(slots=True)
class _Incomplete:
    """A packet and the places its attachments go to, in the order in which they come."""

    packet: Packet
    places: list[tuple[Any, Any]]
    bytes_left: int
    received: list[bytes] = field(default_factory=list)


_TYPES = {type.value: type for type in PacketType}
_WITH_ATTACHMENTS = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}
# What the JSON of each type begins with; no JSON at all is an empty text.
_OPENINGS = {
    PacketType.CONNECT: ("", "{"),
    PacketType.DISCONNECT: ("",),
    PacketType.EVENT: ("[",),
    PacketType.ACK: ("[",),
    PacketType.CONNECT_ERROR: ("{", '"'),
}

# type, attachments-, /namespace, id: the JSON begins where this ends.
_match_head = re.compile(r"([0-6])(?:([0-9]+)-)?(?:(/[^,]*),?)?([0-9]+)?").match
# The same of an event in the main namespace, up to the first bracket of its JSON.
_match_event = re.compile(rf"2([0-9]{{0,{_MAX_DIGITS}}})\[").match


class Decoder:
    """The receiving half of one connection; after a BadPacket the connection has to end.

    A packet with its attachments is ``max_bytes`` at most, a character counted as one: what the
    text has in UTF-8 was limited by the transport. How long a client may take to send attachments
    is for the owner to watch: :attr:`is_waiting`.
    """

    __slots__ = ("_incomplete", "_max_attachments", "_max_bytes", "_max_depth", "_max_values", "_short")

    def __init__(
        self,
        max_attachments: int = 10,
        max_bytes: int = 1024 * 1024,
        max_depth: int = 32,
        max_values: int | None = None,
    ) -> None:
        self._max_attachments = max_attachments
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._max_values = max_values
        # So long a text cannot have too many values or floats, nor be too deep: what opens has to close.
        self._short = min(FEW_FLOATS, 2 * max_depth, FEW_FLOATS if max_values is None else max_values)
        self._incomplete: _Incomplete | None = None

    @property
    def is_waiting(self) -> bool:
        """Is a packet incomplete, and the client expected to send its attachments?"""
        return self._incomplete is not None

    def event(self, text: str) -> Event | None:
        """What nearly all texts are: an event in the main namespace, complete.

        All others are for :meth:`receive_text`, which also says what is wrong with one that is none.
        """
        head = _match_event(text)
        if head is None or self._incomplete is not None or len(text) > self._max_bytes:
            return None
        try:
            if len(text) <= self._short and "\\" not in text:
                data, end = scan_few_floats(text, head.end() - 1)
                if end != len(text):
                    return None
            else:
                data = load_json(text[head.end() - 1 :], self._max_depth, self._max_values)
        except ScanError:
            return None
        if not data or type(data[0]) is not str or data[0] in RESERVED_EVENTS:
            return None
        digits = head[1]
        return data[0], data[1:], int(digits) if digits else None

    def receive_text(self, text: str, turn: Turn = None) -> Packet | None:
        """The packet this text is; None when its attachments are still to come.

        ``turn`` is called again and again while a large one is read.
        """
        if self._incomplete is not None:
            raise BadPacket("text where an attachment was expected")
        if len(text) > self._max_bytes:
            raise BadPacket(f"packet larger than {self._max_bytes} bytes")
        head = _match_head(text)
        if head is None:
            raise BadPacket("unknown Socket.IO packet type")
        digit, count, namespace, id = head.groups()
        wire_type = _TYPES[digit]
        type = _WITH_ATTACHMENTS.get(wire_type, wire_type)
        attachments = self._attachments(count, is_binary=type is not wire_type)
        packet = Packet(
            type,
            MAIN_NAMESPACE if namespace is None else check_namespace(namespace),
            None if id is None else _number(id),
            self._data(type, text[head.end() :], turn),
        )
        if not attachments:
            return packet
        places = places_of(packet.data, attachments, turn)
        self._incomplete = _Incomplete(packet, places, self._max_bytes - len(text))
        return None

    def receive_binary(self, data: bytes, turn: Turn = None) -> Packet | None:
        """The packet this attachment completes; None when more of them are still to come."""
        incomplete = self._incomplete
        if incomplete is None:
            raise BadPacket("binary data that no packet announced")
        incomplete.bytes_left -= len(data)
        if incomplete.bytes_left < 0:
            raise BadPacket(f"packet larger than {self._max_bytes} bytes")
        incomplete.received.append(data)
        if len(incomplete.received) < len(incomplete.places):
            return None
        self._incomplete = None
        for (container, key), attachment in zip(incomplete.places, incomplete.received, strict=True):
            container[key] = attachment
        return incomplete.packet

    def _attachments(self, count: str | None, is_binary: bool) -> int:
        if (count is not None) is not is_binary:
            raise BadPacket("attachments and packet type do not go together")
        if count is None:
            return 0
        attachments = _number(count)
        if not 0 < attachments <= self._max_attachments:
            raise BadPacket(f"attachments have to be 1 to {self._max_attachments}")
        return attachments

    def _data(self, type: PacketType, payload: str, turn: Turn) -> Any:
        opening = payload[:1]
        if opening not in _OPENINGS[type]:
            raise BadPacket(f"{type.name} with {'the wrong' if opening else 'no'} data")
        if not opening:
            return None
        try:
            data = load_json(payload, self._max_depth, self._max_values, turn)
        except BadJSON as problem:
            raise BadPacket(f"bad JSON: {problem.reason}") from None
        if type is PacketType.EVENT:
            check_event(data)
        return data


def check_namespace(written: str) -> str:
    """The name, without the query that clients of older revisions put behind it."""
    name = written.partition("?")[0]
    if len(name) > MAX_NAMESPACE:
        raise BadPacket(f"namespace longer than {MAX_NAMESPACE} characters")
    if not name.isprintable():
        raise BadPacket("namespace with characters that cannot be printed")
    return name


def _number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise BadPacket(f"number with more than {_MAX_DIGITS} digits")
    return int(digits)


def check_event(data: list[Any]) -> None:
    name = data[0] if data else None
    if type(name) is not str and (isinstance(name, bool) or not isinstance(name, (int, float))):
        raise BadPacket("event without a name")
    if name in RESERVED_EVENTS:
        raise BadPacket("event with a reserved name")


# Text as JSON, in C.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def event_text(
    namespace: str, name: str, args_json: Sequence[str], id: int | None = None, offset: str | None = None
) -> str:
    """With an ``id`` the client is asked for an ack.

    A client with a ``pid`` keeps the last argument of every event, if it is a text, as the offset
    that it will come back with. So such a client needs an ``offset`` in every event.
    """
    return f"2{_head(namespace, id)}{_event_json(name, args_json, offset)}"


def ack_text(namespace: str, id: int, args_json: Sequence[str]) -> str:
    if namespace == MAIN_NAMESPACE:
        return f"3{id}[{','.join(args_json)}]"
    return f"3{namespace},{id}[{','.join(args_json)}]"


def connect_text(namespace: str, sid: str, pid: str | None = None) -> str:
    """With a ``pid`` the client may come back and ask for what it missed."""
    answer = {"sid": sid} if pid is None else {"sid": sid, "pid": pid}
    return f"0{_head(namespace)}{_json(answer)}"


def connect_error_text(namespace: str, data_json: str) -> str:
    """``data_json`` is an object with a ``message`` and maybe ``data``.

    At anything but an object or a text, a client drops the whole connection.
    """
    return f"4{_head(namespace)}{data_json}"


def disconnect_text(namespace: str) -> str:
    """After this, the official client does not come back by itself."""
    return f"1{_head(namespace)}"


def binary_event_texts(
    namespace: str,
    name: str,
    args_json: Sequence[str],
    attachments: Sequence[bytes],
    id: int | None = None,
    offset: str | None = None,
) -> list[str | bytes]:
    """The messages of an event whose arguments went through ``extract_binary`` together."""
    first = f"5{len(attachments)}-{_head(namespace, id)}{_event_json(name, args_json, offset)}"
    return [first, *attachments]


def binary_ack_texts(
    namespace: str, id: int, args_json: Sequence[str], attachments: Sequence[bytes]
) -> list[str | bytes]:
    return [f"6{len(attachments)}-{_head(namespace, id)}[{','.join(args_json)}]", *attachments]


def _head(namespace: str, id: int | None = None) -> str:
    name = "" if namespace == MAIN_NAMESPACE else f"{namespace},"
    return name if id is None else f"{name}{id}"


def _event_json(name: str, args_json: Sequence[str], offset: str | None) -> str:
    parts = [_json(name), *args_json]
    if offset is not None:
        parts.append(_json(offset))
    return f"[{','.join(parts)}]"
