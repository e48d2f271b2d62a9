"""Socket.IO: the namespaces of one client, each with a socket of its own.

``protocol/socketio.py`` reads and writes the packets, ``engineio.py`` carries them. A broadcast is
encoded once for each namespace and kind of transport, however many clients it goes to.
"""

from __future__ import annotations

import logging
from functools import cache, partial
from typing import Any

from django.http import HttpRequest

from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidMessage, InvalidPosition
from realtime_wall.fan_out import Codec, Encoded
from realtime_wall.json_text import encode_json
from realtime_wall.node import Node
from realtime_wall.protocol import socketio
from realtime_wall.protocol.engineio import BadPacket, PacketType, encode_text
from realtime_wall.protocol.frames import text_frame
from realtime_wall.protocol.socketio import Decoder, Packet
from realtime_wall.sockets import commands, visit
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.backlog import PORTION, Backlog
from realtime_wall.sockets.parking import Parked
from realtime_wall.sockets.socket import CatchUp, Socket
from realtime_wall.transports.engineio import Session
from realtime_wall.wire.connection import Written

log = logging.getLogger(__name__)

# Between two packets in what a polling client is sent; JSON never has it unescaped.
SEPARATOR = b"\x1e"
# From here on, a close tells the client to stay away.
STAY_AWAY = range(3500, 4000)
POLICY_VIOLATION = 1008
# An event of ours that gives a new client an offset to come back with, before anything else does.
OFFSET_EVENT = "realtime_wall:offset"


@cache
def frames_of(namespace: str, with_offset: bool) -> Codec:
    """Messages for the clients of a namespace that are on a WebSocket."""

    def encode(messages: list[Message]) -> bytes:
        texts = (_packet(namespace, message, with_offset) for message in messages)
        return b"".join(text_frame(text.encode()) for text in texts)

    return encode


@cache
def packets_of(namespace: str, with_offset: bool) -> Codec:
    """Messages for those that poll."""

    def encode(messages: list[Message]) -> bytes:
        return SEPARATOR.join(_packet(namespace, message, with_offset).encode() for message in messages)

    return encode


def _packet(namespace: str, message: Message, with_offset: bool) -> str:
    arguments = Arguments(message.data_json, message.arity)
    offset = str(message.position) if with_offset else None
    text = socketio.event_text(namespace, message.event or "message", arguments.parts, offset=offset)
    return encode_text(PacketType.MESSAGE, text)


class Client:
    """One Socket.IO client: what its packets mean."""

    __slots__ = ("_decoder", "_namespaces", "_node", "request", "session")

    def __init__(self, node: Node, session: Session, request: HttpRequest) -> None:
        config = node.config
        self.session = session
        self.request = request
        self._node = node
        self._decoder = Decoder(config.message_attachments, config.message_size, config.json_depth)
        self._namespaces: dict[str, Namespace] = {}

    def message(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            packet = self._decoder.receive_binary(data)
        else:
            packet = self._decoder.receive_text(data)
        if packet is None:
            return
        if packet.type is socketio.PacketType.CONNECT:
            self._connect(packet)
            return
        namespace = self._namespaces.get(packet.namespace)
        if namespace is None:
            raise BadPacket("a packet for a namespace that it is not connected to")
        namespace.received(packet)

    def _connect(self, packet: Packet) -> None:
        name = packet.namespace
        if name in self._namespaces:
            raise BadPacket("connected twice to a namespace")
        if name not in self._node.config.namespaces:
            error = socketio.connect_error_text(name[:64], encode_json({"message": "Invalid namespace"}))
            self.session.send(error)
            return
        namespace = self._namespaces[name] = Namespace(self._node, self, name, packet.data)
        namespace.begin()

    def leave(self, name: str) -> None:
        self._namespaces.pop(name, None)

    # As the session's client

    def gone(self, reason: str) -> None:
        while self._namespaces:
            _, namespace = self._namespaces.popitem()
            namespace.gone(may_return=True)

    def is_busy(self) -> bool:
        return any(namespace.socket.inbox.paused for namespace in self._namespaces.values())

    def is_welcome(self) -> bool:
        return bool(self._namespaces)


class Namespace:
    """A client in one namespace: a socket's transport, and a subscriber."""

    __slots__ = ("_backlog", "_client", "_cursor", "_earlier", "_name", "_node", "_secret", "socket")

    def __init__(self, node: Node, client: Client, name: str, auth: Any) -> None:
        self._node = node
        self._client = client
        self._name = name
        self._backlog: Backlog | None = None
        self._cursor = node.broker.top  # of the last message that was written to it
        # What the client may come back with; the official one calls it pid.
        self._secret = node.new_session_id() if node.parking.seconds else ""
        self.socket = Socket(node, self, client.request, node.new_session_id(), name, auth)
        self._earlier = self._find_earlier(auth)

    def begin(self) -> None:
        visit.begin(self.socket)

    # Going on with an earlier visit

    def _find_earlier(self, auth: Any) -> Parked | None:
        """The visit that this client was cut off from, if all that it missed can still be told."""
        if not self._secret or not isinstance(auth, dict):
            return None
        secret, offset = auth.get("pid"), auth.get("offset")
        if not isinstance(secret, str) or not isinstance(offset, str):
            return None
        parked = self._node.parking.take(secret, self._client.session.owner)
        if parked is None:
            return None
        try:
            since = Position.parse(offset)
        except InvalidPosition:
            since = None
        same = parked.socket.namespace == self._name
        if since is None or not same or not self._node.can_tell((EVERYONE, *parked.channels), since):
            self._node.parking.leave(parked)
            return None
        self._secret, self._cursor = secret, since
        self.socket.go_on_as(parked.socket)
        return parked

    def _resume(self, earlier: Parked) -> None:
        """Hear every channel again, and tell what was missed on all of them in the order of the log."""
        channels = (EVERYONE, *self.socket.rejoin(earlier.channels))
        since = self._cursor
        catch_ups = [self._node.subscribe(self, channel, since) for channel in channels]
        if any(catch_up.missed is None for catch_up in catch_ups):
            # The log was cut while receivers were asked: another secret tells the client so.
            self._secret = self._node.new_session_id()
        missed = [message for catch_up in catch_ups for message in catch_up.missed or ()]
        missed.sort(key=lambda message: message.position.offset)
        self._welcome()
        self._tell(EVERYONE, missed)

    def _welcome(self) -> None:
        self._node.parking.arrive(self._secret, partial(self.abort, "the client came back"))
        secret = self._secret or None
        self._client.session.send(socketio.connect_text(self._name, self.socket.id, secret))
        if secret:
            offset = str(self._cursor)
            self._client.session.send(socketio.event_text(self._name, OFFSET_EVENT, [], offset=offset))

    def _tell(self, channel: str, missed: list[Message]) -> None:
        """Write what was missed, as fast as the client reads."""
        frames = self._client.session.frames
        if frames is None or (self._backlog is None and sum(one.size for one in missed) <= PORTION):
            self._write(missed)
            return
        if self._backlog is None:
            limit = self._node.config.outbox_size
            self._backlog = Backlog(frames.wire, self._write, self._is_on, limit)
        self._backlog.tell(channel, missed)

    def _write(self, messages: list[Message]) -> None:
        if messages:
            self._deliver(Encoded(messages))

    def _is_on(self, channel: str) -> bool:
        return channel == EVERYONE or channel in self.socket.channels

    # What the client says

    def received(self, packet: Packet) -> None:
        socket = self.socket
        match packet.type:
            case socketio.PacketType.EVENT:
                self._event(packet)
            case socketio.PacketType.ACK:
                socket.answered(packet.id, packet.data)
            case socketio.PacketType.DISCONNECT:
                self._end()
            case _:
                raise BadPacket("a packet that only a server sends")

    def _event(self, packet: Packet) -> None:
        name, *args = packet.data
        name = str(name)
        if name in ("subscribe", "unsubscribe"):
            self.socket.inbox.put(partial(self._command, name, args, packet.id))
        elif name == "message":
            visit.message(self.socket, args[0] if len(args) == 1 else args, packet.id)
        else:
            visit.event(self.socket, name, args, packet.id)

    def _command(self, name: str, args: list[Any], command_id: int | None) -> None:
        channel, since = (*args, None, None)[:2]
        if name == "subscribe":
            problem = commands.subscribe(self.socket, channel, since, command_id)
        else:
            problem = commands.unsubscribe(self.socket, channel)
            if problem is None:
                self._answer(command_id, {"channel": channel})
        if problem is not None:
            self._answer(command_id, {"error": problem.code, "message": problem.message})

    def _answer(self, command_id: int | None, value: Any) -> None:
        if command_id is not None:
            self.send_ack(command_id, Arguments(encode_json(value)))

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        return self._deliver(encoded)

    def _deliver(self, encoded: Encoded) -> Written:
        self._cursor = encoded.messages[-1].position
        session = self._client.session
        if session.frames is not None:
            return session.frames.write(encoded[frames_of(self._name, bool(self._secret))])
        packets = encoded[packets_of(self._name, bool(self._secret))]
        return session.send_all(packets.decode().split(SEPARATOR.decode()))

    def is_known_as(self, session_id: str) -> bool:
        return session_id == self.socket.id

    # As the socket's transport

    def accept(self) -> None:
        earlier, self._earlier = self._earlier, None
        if earlier is not None:
            self._resume(earlier)
            return
        self._cursor = self._node.subscribe(self, EVERYONE, None).cursor
        self._welcome()

    def refuse(self, reason: str, data: Any) -> None:
        error = {"message": data if isinstance(data, str) else "refused"}
        if data is not None and not isinstance(data, str):
            error["data"] = data
        try:
            text = encode_json(error)
        except InvalidMessage:  # the log has it already
            text = encode_json({"message": reason})
        self._client.session.send(socketio.connect_error_text(self._name, text))
        self._end()

    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        event = name or "message"
        # The client keeps a text at the end of any event as its offset: let it be one.
        offset = str(self._cursor) if self._secret else None
        if not arguments.attachments:
            text = socketio.event_text(self._name, event, arguments.parts, reply_id, offset)
            return self._client.session.send(text)
        texts = socketio.binary_event_texts(
            self._name, event, arguments.parts, arguments.attachments, reply_id, offset
        )
        return [self._client.session.send(text) for text in texts][-1]

    def send_ack(self, event_id: Any, arguments: Arguments) -> None:
        send = self._client.session.send
        if not arguments.attachments:
            send(socketio.ack_text(self._name, event_id, arguments.parts))
            return
        for text in socketio.binary_ack_texts(self._name, event_id, arguments.parts, arguments.attachments):
            send(text)

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None:
        """The command's ack says where the client stands; what it missed follows."""
        answer: dict[str, Any] = {"channel": channel, "cursor": str(catch_up.cursor)}
        if since is not None:
            answer["recovered"] = catch_up.missed is not None
        self._answer(command_id, answer)
        self._tell(channel, catch_up.missed or [])

    def close(self, code: int, reason: str) -> None:
        """With a code that means it, the client is told to stay away; otherwise it comes back."""
        if code not in STAY_AWAY and code != POLICY_VIOLATION:
            self._client.session.close(code, reason)
            return
        self._client.session.send(socketio.disconnect_text(self._name))
        self._end()

    def abort(self, reason: str) -> None:
        self._client.session.end(reason)

    def pause(self) -> None:
        if self._client.session.frames is not None:
            self._client.session.frames.pause()

    def resume(self) -> None:
        if self._client.session.frames is not None:
            self._client.session.frames.resume()

    def _end(self) -> None:
        """This namespace is over; the connection may have others."""
        self._client.leave(self._name)
        self.gone(may_return=False)

    def gone(self, may_return: bool) -> None:
        socket, lot = self.socket, self._node.parking
        for channel in (EVERYONE, *socket.channels):
            self._node.unsubscribe(self, channel)
        may_return = may_return and bool(self._secret) and not socket.is_refused
        if may_return:
            lot.park(self._secret, self._client.session.owner, socket)
        else:
            lot.forget(self._secret)
        visit.end(socket, may_return)
