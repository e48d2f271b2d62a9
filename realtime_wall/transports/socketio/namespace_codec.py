"""What is published, as the clients of a namespace are written to: encoded once for all of a kind."""

from __future__ import annotations

from functools import cache

from realtime_wall.channels.message import Message
from realtime_wall.node.fan_out.subscriber import Codec
from realtime_wall.protocol import socketio
from realtime_wall.protocol.deflate import Framing
from realtime_wall.protocol.engineio import EnginePacketType, encode_base64, encode_text
from realtime_wall.sockets.arguments import Arguments

# Between two packets in what a polling client is sent; JSON never has it unescaped.
SEPARATOR = b"\x1e"


@cache
def frames_of(namespace: str, with_offset: bool, framing: Framing) -> Codec:
    """Messages for the clients of a namespace that are on a WebSocket of one framing."""

    def encode(messages: list[Message]) -> bytes:
        return b"".join(
            framing.binary(part) if isinstance(part, bytes) else framing.text(part.encode())
            for message in messages
            if message.is_for(namespace)
            for part in _packets(namespace, message, with_offset)
        )

    return encode


@cache
def packets_of(namespace: str, with_offset: bool) -> Codec:
    """Messages for those that poll."""

    def encode(messages: list[Message]) -> bytes:
        return SEPARATOR.join(
            (encode_base64(part) if isinstance(part, bytes) else part).encode()
            for message in messages
            if message.is_for(namespace)
            for part in _packets(namespace, message, with_offset)
        )

    return encode


def _packets(namespace: str, message: Message, with_offset: bool) -> list[str | bytes]:
    """The packets of Engine.IO that a message makes: one, and one more for each attachment."""
    parts = Arguments(message.data_json, message.arity, message.binary).parts
    offset = str(message.position) if with_offset else None
    name = message.event or "message"
    if message.binary is None:
        return [
            encode_text(EnginePacketType.MESSAGE, socketio.event_text(namespace, name, parts, offset=offset))
        ]
    first, *attachments = socketio.binary_event_texts(
        namespace, name, parts, message.binary.attachments, offset=offset
    )
    return [encode_text(EnginePacketType.MESSAGE, str(first)), *attachments]
