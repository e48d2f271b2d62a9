"""What is published, as the clients of a namespace are written to: encoded once for all of a kind."""

from __future__ import annotations

from functools import cache

from realtime_wall.channels.message import Message
from realtime_wall.node.fan_out.subscriber import Codec
from realtime_wall.protocol.engineio import EnginePacketType, encode_base64, encode_text
from realtime_wall.protocol.websocket.deflate import Framing
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.transports.socketio.packet_format import PacketFormat

# Between two packets in what a polling client is sent; JSON never has it unescaped.
SEPARATOR = b"\x1e"


@cache
def frames_of(namespace: str, with_offset: bool, format: PacketFormat, framing: Framing) -> Codec:
    """Messages for the clients of a namespace and format that are on a WebSocket of one framing."""

    def encode(messages: list[Message]) -> bytes:
        return b"".join(
            framing.binary(part) if isinstance(part, bytes) else framing.text(part.encode())
            for message in messages
            if message.is_for(namespace)
            for part in _packets(namespace, message, with_offset, format)
        )

    return encode


@cache
def packets_of(namespace: str, with_offset: bool, format: PacketFormat) -> Codec:
    """Messages for those that poll."""

    def encode(messages: list[Message]) -> bytes:
        return SEPARATOR.join(
            (encode_base64(part) if isinstance(part, bytes) else part).encode()
            for message in messages
            if message.is_for(namespace)
            for part in _packets(namespace, message, with_offset, format)
        )

    return encode


def _packets(namespace: str, message: Message, with_offset: bool, format: PacketFormat) -> list[str | bytes]:
    """The packets of Engine.IO that a message makes: one, and in JSON one more for each attachment."""
    arguments = Arguments(message.data_json, message.arity, message.binary)
    offset = str(message.position) if with_offset else None
    made = format.event(namespace, message.event or "message", arguments, offset=offset)
    return [one if isinstance(one, bytes) else encode_text(EnginePacketType.MESSAGE, one) for one in made]
