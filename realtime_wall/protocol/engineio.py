"""Which Engine.IO packets are in a client's text or polling body, and how are ours written?

The fourth revision of the protocol. A packet is one character that says its type, and text; a
message of bytes is a WebSocket's binary message as it is, or, where only text can travel, a ``b``
and base64. A polling body holds several packets. Sizes are the transport's to limit, before it
gives a body to this module; how many packets a body holds is counted here, before it is split.
"""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

# What the query of a request says in EIO.
VERSION = "4"

# How many packets one polling body may hold, in both directions: python-engineio reads no more.
MAX_PACKETS = 16

# The text of the ping and the pong that try out a WebSocket before an upgrade.
PROBE = "probe"

_SEPARATOR = "\x1e"
_BINARY = "b"


class BadPacket(ValueError):
    """What a client sent is no packet, of Engine.IO or Socket.IO; it has to be cut off.

    ``reason`` says why, in a few words that hold nothing of what was sent.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TooManyPackets(BadPacket):
    """In one request; each may be one that is sound."""


class EnginePacketType(StrEnum):
    OPEN = "0"
    CLOSE = "1"
    PING = "2"
    PONG = "3"
    MESSAGE = "4"
    UPGRADE = "5"
    NOOP = "6"


@dataclass(slots=True)
class EnginePacket:
    """``data`` is empty where the packet has none, and bytes only in a message."""

    type: EnginePacketType
    data: str | bytes = ""


_TYPES = {type.value: type for type in EnginePacketType}
PING = EnginePacketType.PING.value
MESSAGE = EnginePacketType.MESSAGE.value  # what nearly all packets begin with


def decode_text(text: str) -> EnginePacket:
    """The packet in one text message of a WebSocket, or in one part of a polling body.

    A client that was told to (``forceBase64``) sends bytes as text on a WebSocket too.
    """
    kind = text[:1]
    type = _TYPES.get(kind)
    if type is not None:
        return EnginePacket(type, text[1:])
    if kind == _BINARY:
        return EnginePacket(EnginePacketType.MESSAGE, _decode_base64(text[1:]))
    raise BadPacket("unknown Engine.IO packet type")


def _decode_base64(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        raise BadPacket("binary data is not in base64") from None


def decode_payload(
    body: str | bytes,
    max_packets: int = MAX_PACKETS,
    in_turns: Callable[[list[str]], Iterable[str]] = iter,
) -> list[EnginePacket]:
    """The packets of one POST body, in order; all of them or none.

    ``in_turns`` gives them one by one, and others their turns in between.
    """
    separators = body.count(_SEPARATOR) if isinstance(body, str) else body.count(_SEPARATOR.encode())
    if separators >= max_packets:
        raise TooManyPackets(f"more than {max_packets} packets in one request")
    if isinstance(body, bytes):
        try:
            body = body.decode()
        except UnicodeDecodeError:
            raise BadPacket("the request body is not UTF-8") from None
    return [decode_text(text) for text in in_turns(body.split(_SEPARATOR))]


def encode_text(type: EnginePacketType, data: str = "") -> str:
    return f"{type}{data}"


def encode_base64(data: bytes) -> str:
    """A message of bytes as text."""
    return _BINARY + b64encode(data).decode()


def encode_payload(packets: Iterable[str | bytes]) -> str:
    """The body that answers a poll: packets that are text already, and the bytes of binary messages.

    Messages hold JSON, which never has the separator as it is, only escaped.
    """
    return _SEPARATOR.join(
        [encode_base64(packet) if isinstance(packet, bytes) else packet for packet in packets]
    )


def open_text(
    sid: str, upgrades: Sequence[str], ping_interval: float, ping_timeout: float, max_payload: int
) -> str:
    """The packet that begins a session; times are seconds here and milliseconds in it."""
    return encode_text(
        EnginePacketType.OPEN,
        _json(
            {
                "sid": sid,
                "upgrades": list(upgrades),
                "pingInterval": round(ping_interval * 1000),
                "pingTimeout": round(ping_timeout * 1000),
                "maxPayload": max_payload,
            }
        ),
    )


class ErrorCode(IntEnum):
    """Why a request is refused; clients look at the number."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_VERSION = 5


_MESSAGES = {
    ErrorCode.UNKNOWN_TRANSPORT: "Transport unknown",
    ErrorCode.UNKNOWN_SID: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_VERSION: "Unsupported protocol version",
}


def error_json(code: ErrorCode, message: str | None = None) -> str:
    """The body of a refusal, in the words clients know unless a message says it better."""
    return _json({"code": code.value, "message": message or _MESSAGES[code]})


_json = json.JSONEncoder(separators=(",", ":")).encode
