"""A WebSocket that hears the channels of its address, as nginx push stream has them.

Each message is a JSON object in a text frame. What the client writes is published on all of its
channels, where their rules let it, and is refused by a close otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap, Since, fits, messages_of
from realtime_wall.channels.where import Where
from realtime_wall.channels.wildcards import is_among
from realtime_wall.node.fan_out.subscriber import Codec, Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.transports.one_way import formats
from realtime_wall.transports.websocket.websocket_connection import FramedConnection
from realtime_wall.wire.connection import Wire, Written

NORMAL = 1000
GOING_AWAY = 1001
UNSUPPORTED_DATA = 1003
POLICY_VIOLATION = 1008
# What a client has written and was not published yet; more, and it is not read from.
WAITING = 100

# Publishes a text on a channel, or returns why not.
Publish = Callable[[str, str], str | None]


class ChannelWebSocket(ListensOnly):
    __slots__ = (
        "_backlog",
        "_frames",
        "_node",
        "_publish",
        "_texts",
        "_where",
        "_writer",
        "channels",
        "due",
        "session_key",
    )

    def __init__(
        self,
        node: Node,
        wire: Wire,
        publish: Publish | None,
        session_key: str | None,
        framing: Framing = PLAIN,
        where: Where | None = None,
    ) -> None:
        self.due = 0
        self.channels: tuple[str, ...] = ()
        self.session_key = session_key
        self._node = node
        self._where = where
        self._publish = publish  # None where no rule lets this client write
        self._frames = FramedConnection(node, wire, self, framing)
        self._frames.account.belongs_to(session_key)
        self._backlog: Backlog | None = None
        self._texts: list[str] = []
        self._writer: gevent.Greenlet[..., None] | None = None

    def begin(self, arrived: bytes, channels: Mapping[str, int], since: Since) -> None:
        node = self._node
        node.come_up_to(since)
        self.channels = tuple(channels)
        node.listeners.add(self)
        self._frames.start()
        self._write_text(node.rules.of(self.channels[0]).header_template)
        found = node.subscribe(self, channels, since)
        if fits(found.items, PORTION):
            self._write(messages_of(found.items))
        else:
            self._backlog = self._new_backlog()
            self._backlog.send(found.items)
        if node.config.connection_age:
            node.timer_wheel.schedule(self, node.config.connection_age)
        if arrived:
            self._frames.received(arrived)

    # As the peer on the frames

    def text(self, text: str) -> None:
        if self._publish is None:
            self._frames.close(POLICY_VIOLATION, "nothing may be published here")
            return
        self._frames.account.note_event("message")
        self._texts.append(text)
        if len(self._texts) >= WAITING:
            self._frames.pause()
        if self._writer is None:
            self._writer = gevent.spawn(self._publish_all)

    def _publish_all(self) -> None:
        """In a greenlet: who publishes may have to wait."""
        assert self._publish is not None
        try:
            while self._texts:
                text = self._texts.pop(0)
                for channel in self.channels:
                    problem = self._publish(channel, text)
                    if problem is not None:
                        self._frames.close(POLICY_VIOLATION, problem)
                        self._texts.clear()
                        return
                if len(self._texts) < WAITING:
                    self._frames.resume()
        finally:
            self._writer = None

    def tick(self, now: float) -> None:
        self.end("has been connected for long enough")

    def binary(self, data: bytes) -> None:
        self._frames.close(UNSUPPORTED_DATA, "this endpoint reads text")

    def closed(self, reason: str) -> None:
        self.due = 0
        self._node.listeners.discard(self)
        for channel in self.channels:
            self._node.unsubscribe(self, channel)

    def is_busy(self) -> bool:
        return len(self._texts) >= WAITING

    @property
    def log_id(self) -> str:
        return f"on {self.channels[0]}"

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        if self._frames.wire.outbox_size and self._node.rules.may_leave_out(encoded.messages):
            self._backlog = self._backlog or self._new_backlog()
            return self._backlog.add(encoded.messages)
        return self._frames.write(encoded[self.codec])

    @property
    def codec(self) -> Codec:
        return formats.frames_of(self._node.rules, self._frames.framing, self._where)

    @property
    def wire(self) -> Wire:
        return self._frames.wire

    def is_ready(self, position: Position) -> bool:
        return self._frames.is_ready and (self._backlog is None or not self._backlog.is_waiting)

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        self._node.unsubscribe(self, channel)
        item = formats.deleted_item(channel, notice, position)
        self._frames.write(self._frames.framing.text(formats.text_of(item, self._node.rules).encode()))
        left = tuple(name for name in self.channels if name != channel)
        if left:
            self.channels = left
        else:
            self._write_text(self._node.rules.of(channel).footer_template)
            self._frames.close(NORMAL, "its last channel was deleted")

    def _new_backlog(self) -> Backlog:
        limit, rules = self._node.config.outbox_size, self._node.rules
        wire = self._frames.wire
        return Backlog(wire, self._write, self._write_gap, self._is_on, rules, limit)

    def _is_on(self, channel: str) -> bool:
        return is_among(channel, self.channels)

    def _write(self, messages: list[Message]) -> None:
        if messages:  # for this client alone, so that it is not deflated
            self._frames.write(formats.frames_of(self._node.rules, PLAIN, self._where)(messages))

    def _write_text(self, text: str | None) -> None:
        """The header, or the footer, of its first channel, if it has one."""
        if text:
            self._frames.write(self._frames.framing.text(text.encode()))

    def _write_gap(self, gap: Gap) -> None:
        for item in formats.gap_items(gap):
            self._frames.write(self._frames.framing.text(formats.text_of(item, self._node.rules).encode()))

    def end(self, reason: str) -> None:
        self._write_text(self._node.rules.of(self.channels[0]).footer_template)
        self._frames.close(GOING_AWAY, reason)


def open_channels(
    node: Node,
    channels: Mapping[str, int],
    since: Since,
    publish: Publish | None,
    session_key: str | None,
    wire: Wire,
    arrived: bytes,
    framing: Framing = PLAIN,
    where: Where | None = None,
) -> None:
    """Serve a connection that the HTTP server handed over."""
    ChannelWebSocket(node, wire, publish, session_key, framing, where).begin(arrived, channels, since)


def refuse(node: Node, reason: str, wire: Wire, arrived: bytes) -> None:
    """Give the reason by a close: a browser shows a page nothing of a refused handshake."""
    frames = FramedConnection(node, wire, Refused())
    frames.start()
    frames.close(POLICY_VIOLATION, reason)


class Refused:
    """A peer that is not heard."""

    log_id = "refused"

    def text(self, text: str) -> None: ...
    def binary(self, data: bytes) -> None: ...
    def closed(self, reason: str) -> None: ...
    def is_busy(self) -> bool:
        return False
