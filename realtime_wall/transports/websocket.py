"""The plain WebSocket: JSON objects in text frames, from the handshake to the close.

The protocol is described in docs/reference/plain-websocket.rst; its parsing and writing is in
``protocol/``. Here the frames meet the wire, the clock and the socket.
"""

from __future__ import annotations

import logging
from functools import partial
from time import monotonic
from typing import Any

from django.http import HttpRequest

from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidChannel, InvalidPosition
from realtime_wall.fan_out import Encoded
from realtime_wall.node import Node
from realtime_wall.protocol import plain
from realtime_wall.protocol.frames import (
    Binary,
    Close,
    FrameReader,
    Ping,
    Pong,
    Text,
    Violation,
    close_frame,
    ping_frame,
    pong_frame,
    text_frame,
)
from realtime_wall.sockets import visit
from realtime_wall.sockets.backlog import PORTION, Backlog
from realtime_wall.sockets.request import keep
from realtime_wall.sockets.socket import CatchUp, Socket, TooManyChannels
from realtime_wall.wire.connection import DROPPED, Wire, Written

log = logging.getLogger(__name__)

UNSUPPORTED_DATA = 1003
INTERNAL_ERROR = 1011


def encode_messages(messages: list[Message]) -> bytes:
    """The frames of some messages, for every plain WebSocket alike."""
    return b"".join(text_frame(_message_text(message).encode()) for message in messages)


def _message_text(message: Message) -> str:
    channel = None if message.channel == EVERYONE else message.channel
    return plain.message_text(message.event or "message", message.data_json, channel, str(message.position))


class WebSocket:
    """One client on a plain WebSocket: a wire's owner, a socket's transport and a subscriber."""

    __slots__ = (
        "_backlog",
        "_closing",
        "_heard",
        "_node",
        "_pinged",
        "_reader",
        "_was",
        "_wire",
        "due",
        "socket",
    )

    def __init__(self, node: Node, wire: Wire, request: HttpRequest, was: str | None) -> None:
        config = node.config
        self.socket = Socket(node, self, request, node.new_session_id())
        self.due = 0
        self._node = node
        self._wire = wire
        self._was = was  # the id this client had before it lost its last connection
        self._reader = FrameReader(config.message_size, config.message_fragments)
        self._heard = monotonic()
        self._pinged = False
        self._closing = False
        self._backlog: Backlog | None = None

    def begin(self, arrived: bytes, since: Position | None) -> None:
        node = self._node
        # Before the first write: a client that is gone already is then told of, as any other.
        visit.begin(self.socket)
        self._wire.start(self)
        node.clockwork.schedule(self, node.config.ping_interval)
        catch_up = node.subscribe(self, EVERYONE, since)
        cursor = since if since is not None and catch_up.missed else catch_up.cursor
        welcome = plain.welcome_text(self.socket.id, str(cursor), node.config.ping_interval)
        self._tell(welcome, EVERYONE, catch_up.missed or [])
        if catch_up.missed is None:
            self._write_text(plain.gap_text(None, str(catch_up.cursor), None))
        if arrived:
            self.received(arrived)

    # As the wire's owner

    def received(self, data: bytes) -> None:
        self._heard = monotonic()
        answer: bytes | None = None
        for event in self._reader.receive(data):
            match event:
                case Text():
                    self._command(event.text)
                case Ping():
                    answer = event.data  # the latest of one read is enough: RFC 6455 5.5.3
                case Pong():
                    self._pinged = False
                case Binary():
                    self._end(UNSUPPORTED_DATA, "this endpoint reads text")
                case Close():
                    self._end(1000 if event.code == 1005 else event.code, "")
                    self._wire.finish("closed by the client")
                    return
                case Violation():
                    log.info("socket %s: %s (%s)", self.socket.log_id, event.reason, event.code)
                    self._end(event.code, event.reason)
                    self._wire.end_writing()  # its answer could not be read any more
        if answer is not None:
            self._write(pong_frame(answer))

    def lost(self, reason: str) -> None:
        log.debug("socket %s: %s", self.socket.log_id, reason)
        self._closing = True  # what else arrived together with the end is too late
        node = self._node
        for channel in (EVERYONE, *self.socket.channels):
            node.unsubscribe(self, channel)
        self.due = 0
        visit.end(self.socket)

    # What the client says

    def _command(self, text: str) -> None:
        if self._closing:
            return
        command = plain.parse(text, self._node.config.json_depth)
        socket = self.socket
        match command:
            case plain.EventCommand():
                args = [] if command.data is None else [command.data]
                visit.event(socket, command.name, args, command.id)
            case plain.MessageCommand():
                visit.message(socket, command.data)
            case plain.Subscribe():
                socket.inbox.put(partial(self._subscribe, command))
            case plain.Unsubscribe():
                socket.inbox.put(partial(self._unsubscribe, command))
            case plain.Ack():
                socket.answered(command.id, [command.data])
            case plain.BadCommand():
                log.info("socket %s: %s: %s", socket.log_id, command.code, command.message)
                self._write_text(plain.error_text(command.code, command.message, command.id))

    def _subscribe(self, command: plain.Subscribe) -> None:
        try:
            since = Position.parse(command.since) if command.since else None
            if self.socket.subscribe(command.channel, since, command.id):
                return
            already = command.channel in self.socket.channels
            code = "already_subscribed" if already else "refused"
            text = plain.error_text(
                code, f"channel {command.channel!r}: {code.replace('_', ' ')}", command.id
            )
        except InvalidPosition as problem:
            text = plain.error_text("bad_since", str(problem), command.id)
        except InvalidChannel as problem:
            text = plain.error_text("bad_channel", str(problem), command.id)
        except TooManyChannels as problem:
            text = plain.error_text("too_many_channels", str(problem), command.id)
        self._write_text(text)

    def _unsubscribe(self, command: plain.Unsubscribe) -> None:
        if self.socket.unsubscribe(command.channel):
            self._write_text(plain.unsubscribed_text(command.channel, command.id))
        else:
            self._write_text(plain.error_text("not_subscribed", "not subscribed to that channel", command.id))

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        return self._write(encoded[encode_messages])

    def is_known_as(self, session_id: str) -> bool:
        return session_id in (self.socket.id, self._was)

    # As the socket's transport

    def send_event(self, name: str | None, data_json: str, reply_id: int | None) -> Written:
        return self._write_text(plain.message_text(name or "message", data_json, id=reply_id))

    def send_ack(self, event_id: Any, data_json: str) -> None:
        self._write_text(plain.ack_text(event_id, data_json))

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None:
        """Tell the client where it stands, then what it missed."""
        if catch_up.missed is None:
            self._tell(plain.gap_text(channel, str(catch_up.cursor), command_id), channel, [])
            return
        # Each missed message brings a cursor of its own; until the first, the client stands where it was.
        cursor = since if catch_up.missed else catch_up.cursor
        recovered = None if since is None else True
        answer = plain.subscribed_text(channel, str(cursor), command_id, recovered)
        self._tell(answer, channel, catch_up.missed)

    def _tell(self, answer: str, channel: str, missed: list[Message]) -> None:
        """An answer and what was missed: in one write, when that is little."""
        frame = text_frame(answer.encode())
        if self._backlog is None and sum(message.size for message in missed) <= PORTION:
            self._write(frame + encode_messages(missed))
            return
        self._write(frame)
        if self._backlog is None:
            limit = self._node.config.outbox_size
            self._backlog = Backlog(self._wire, self._write_messages, self._is_on, limit)
        self._backlog.tell(channel, missed)

    def _write_messages(self, messages: list[Message]) -> None:
        self._write(encode_messages(messages))

    def _is_on(self, channel: str) -> bool:
        return channel == EVERYONE or channel in self.socket.channels

    def pause(self) -> None:
        self._wire.pause()

    def resume(self) -> None:
        self._wire.resume()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the client has ``close_timeout`` to answer it."""
        self._end(code, reason)

    def abort(self, reason: str) -> None:
        self._wire.abort(reason)

    def _end(self, code: int, reason: str) -> None:
        if self._closing:
            return
        self._wire.write(close_frame(code, reason))
        self._closing = True
        self._wire.resume()  # a paused wire would never see the client's answer
        self._node.clockwork.schedule(self, self._node.config.close_timeout)

    def _write_text(self, text: str) -> Written:
        return self._write(text_frame(text.encode()))

    def _write(self, data: bytes) -> Written:
        # RFC 6455 5.5.1: nothing follows a close frame.
        return DROPPED if self._closing else self._wire.write(data)

    # As the clockwork's

    def tick(self, now: float) -> float | None:
        """Ping a silent client; cut off one that is gone, that stopped reading, or that never closes."""
        config = self._node.config
        if not self._wire.is_open:
            return None
        if self._closing:
            self._wire.abort("did not answer the close")
            return None
        if self._wire.outbox_size and now - self._wire.progress > config.outbox_timeout:
            self._wire.abort("stopped reading")
            return None
        silent = now - self._heard
        if silent < config.ping_interval or self.socket.inbox.paused:
            self._pinged = False
            return max(config.ping_interval - silent, 1.0)
        if self._pinged:
            self._wire.abort("did not answer a ping")
            return None
        self._pinged = True
        self._wire.write(ping_frame())
        return config.ping_timeout


def open_websocket(
    node: Node, request: HttpRequest, since: Position | None, was: str | None, wire: Wire, arrived: bytes
) -> None:
    """Serve a connection that the HTTP server handed over."""
    with node.pool.lend():
        WebSocket(node, wire, keep(request), was).begin(arrived, since)
