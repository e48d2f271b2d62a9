"""How does a Socket.IO client write its packets, and wants ours: as JSON, or as MessagePack?"""

from __future__ import annotations

from typing import Protocol

from realtime_wall.config import Config
from realtime_wall.protocol import socketio
from realtime_wall.protocol.attachments import Turn
from realtime_wall.protocol.socketio import Decoder, Event, Packet
from realtime_wall.sockets.arguments import Arguments

Message = str | bytes


class PacketDecoder(Protocol):
    """The receiving half of one connection."""

    @property
    def is_waiting(self) -> bool:
        """Is a packet incomplete, and the client expected to send its attachments?"""

    def event(self, text: str) -> Event | None:
        """What nearly all texts are: an event in the main namespace. None: it is for ``receive_text``."""

    def receive_text(self, text: str, turn: Turn = None) -> Packet | None: ...
    def receive_binary(self, data: bytes, turn: Turn = None) -> Packet | None: ...


class PacketFormat(Protocol):
    """What is sent: the messages of Engine.IO that a packet makes."""

    def __hash__(self) -> int: ...  # each is there once

    def decoder(self, config: Config) -> PacketDecoder: ...
    def connect(self, namespace: str, sid: str, pid: str | None) -> Message: ...
    def connect_error(self, namespace: str, data_json: str) -> Message: ...
    def disconnect(self, namespace: str) -> Message: ...

    def event(
        self,
        namespace: str,
        name: str,
        arguments: Arguments,
        id: int | None = None,
        offset: str | None = None,
    ) -> list[Message]: ...

    def ack(self, namespace: str, id: int, arguments: Arguments) -> list[Message]: ...


class JSONFormat:
    """Text, and a message of bytes behind it for each attachment."""

    def decoder(self, config: Config) -> PacketDecoder:
        return Decoder(config.message_attachments, config.message_size, config.json_depth, config.json_values)

    def connect(self, namespace: str, sid: str, pid: str | None) -> Message:
        return socketio.connect_text(namespace, sid, pid)

    def connect_error(self, namespace: str, data_json: str) -> Message:
        return socketio.connect_error_text(namespace, data_json)

    def disconnect(self, namespace: str) -> Message:
        return socketio.disconnect_text(namespace)

    def event(
        self,
        namespace: str,
        name: str,
        arguments: Arguments,
        id: int | None = None,
        offset: str | None = None,
    ) -> list[Message]:
        parts, binary = arguments.parts, arguments.binary
        if binary is None:
            return [socketio.event_text(namespace, name, parts, id, offset)]
        return socketio.binary_event_texts(namespace, name, parts, binary.attachments, id, offset)

    def ack(self, namespace: str, id: int, arguments: Arguments) -> list[Message]:
        if arguments.binary is None:
            return [socketio.ack_text(namespace, id, arguments.parts)]
        return socketio.binary_ack_texts(namespace, id, arguments.parts, arguments.binary.attachments)


JSON: PacketFormat = JSONFormat()
