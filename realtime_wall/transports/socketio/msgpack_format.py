"""How are packets written to a client that has ``socket.io-msgpack-parser``?"""

from __future__ import annotations

from realtime_wall.config import Config
from realtime_wall.protocol.msgpack import socketio_msgpack
from realtime_wall.protocol.msgpack.socketio_msgpack import MessagePackDecoder
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.transports.socketio.packet_format import Message, PacketDecoder, PacketFormat


class MessagePackFormat:
    """One message of bytes for each packet."""

    def decoder(self, config: Config) -> PacketDecoder:
        return MessagePackDecoder(config.message_size, config.json_depth, config.json_values)

    def connect(self, namespace: str, sid: str, pid: str | None) -> Message:
        return socketio_msgpack.connect_packet(namespace, sid, pid)

    def connect_error(self, namespace: str, data_json: str) -> Message:
        return socketio_msgpack.connect_error_packet(namespace, data_json)

    def disconnect(self, namespace: str) -> Message:
        return socketio_msgpack.disconnect_packet(namespace)

    def event(
        self,
        namespace: str,
        name: str,
        arguments: Arguments,
        id: int | None = None,
        offset: str | None = None,
    ) -> list[Message]:
        attachments = _attachments(arguments)
        return [socketio_msgpack.event_packet(namespace, name, arguments.parts, attachments, id, offset)]

    def ack(self, namespace: str, id: int, arguments: Arguments) -> list[Message]:
        return [socketio_msgpack.ack_packet(namespace, id, arguments.parts, _attachments(arguments))]


def _attachments(arguments: Arguments) -> tuple[bytes, ...]:
    return () if arguments.binary is None else arguments.binary.attachments


MESSAGE_PACK: PacketFormat = MessagePackFormat()
