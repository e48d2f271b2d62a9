"""Who listens to channels over HTTP and sends nothing: an EventSource, or an endless response.

The connection was handed over by the HTTP server. A listener is no socket: it has no receivers, and is
not among ``connected_sockets``. What it misses while it is away it is sent when it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap, Since, fits, messages_of
from realtime_wall.channels.rules import Rule
from realtime_wall.channels.where import Where
from realtime_wall.channels.wildcards import is_among
from realtime_wall.node.fan_out.subscriber import Codec, Encoded, ListensOnly
from realtime_wall.node.node import Node
from realtime_wall.protocol.http_stream import LAST_CHUNK, chunk
from realtime_wall.sockets.budgets.user_connection import UserConnection
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.transports.one_way import formats, padding
from realtime_wall.transports.one_way.formats import Format
from realtime_wall.transports.one_way.padding import Padding
from realtime_wall.wire.connection import Wire, Written


class Listener(ListensOnly):
    codec: Codec
    wire: Wire

    __slots__ = (
        "_backlog",
        "_born",
        "_chunked",
        "_format",
        "_least_opening",
        "_node",
        "_of_user",
        "channels",
        "codec",
        "due",
        "session_key",
        "wire",
    )

    def __init__(
        self,
        node: Node,
        wire: Wire,
        format: Format,
        *,
        chunked: bool,
        session_key: str | None,
        padding: Padding = padding.NONE,
        where: Where | None = None,
    ) -> None:
        self.due = 0
        self.channels: tuple[str, ...] = ()
        self.session_key = session_key  # of Django: when it ends, so does this
        self._of_user = UserConnection(node.visitors)
        self._node = node
        self.wire = wire
        self._format = format
        self._chunked = chunked
        self.codec = formats.codec_of(format, node.rules, chunked, padding.message, where)
        self._least_opening = padding.opening
        self._backlog: Backlog | None = None
        self._born = monotonic()

    def begin(self, head: bytes, channels: Mapping[str, int], since: Since) -> None:
        """Send the head and what was missed; from then on what is published."""
        node = self._node
        node.come_up_to(since)
        self.wire.start(self)
        self._of_user.belongs_to(self.session_key)
        self.channels = tuple(channels)
        node.listeners.add(self)
        found = node.subscribe(self, channels, since)
        opening = formats.padded(self._format, self._format.begin(self._rule), self._least_opening)
        if found.gap is None:
            opening += self._format.place(found.cursor)
        opened = head + self._framed(opening)
        if fits(found.items, PORTION):
            self.wire.write(opened + self.codec(messages_of(found.items)))
        else:
            self.wire.write(opened)
            self._backlog = self._new_backlog()
            self._backlog.send(found.items)
        config = node.config
        node.timer_wheel.schedule(
            self, min(config.ping_interval, config.connection_age or config.ping_interval)
        )

    @property
    def _rule(self) -> Rule:
        return self._node.rules.of(self.channels[0])

    def _framed(self, text: str) -> bytes:
        return chunk(text.encode()) if self._chunked else text.encode()

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        if self.wire.outbox_size and self._node.rules.may_leave_out(encoded.messages):
            self._backlog = self._backlog or self._new_backlog()
            return self._backlog.add(encoded.messages)
        return self.wire.write(encoded[self.codec])

    def is_ready(self, position: Position) -> bool:
        return self._backlog is None or not self._backlog.is_waiting

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        self._node.unsubscribe(self, channel)
        item = formats.deleted_item(channel, notice, position)
        self.wire.write(self._framed(formats.write(self._format, self._node.rules, item)))
        left = tuple(name for name in self.channels if name != channel)
        if left:
            self.channels = left
        else:
            self.end("its last channel was deleted")

    def _new_backlog(self) -> Backlog:
        limit, rules = self._node.config.outbox_size, self._node.rules
        return Backlog(self.wire, self._write, self._write_gap, self._is_on, rules, limit)

    def _is_on(self, channel: str) -> bool:
        return is_among(channel, self.channels)

    def _write(self, messages: list[Message]) -> None:
        self.wire.write(self.codec(messages))

    def _write_gap(self, gap: Gap) -> None:
        items = formats.gap_items(gap)
        self.wire.write(
            self._framed("".join(formats.write(self._format, self._node.rules, item) for item in items))
        )

    # As the wire's owner

    def received(self, data: bytes) -> None:
        """Whatever it sends, nobody listens."""

    def lost(self, reason: str) -> None:
        self.due = 0
        self._of_user.close()
        self._node.listeners.discard(self)
        for channel in self.channels:
            self._node.unsubscribe(self, channel)

    # As the timer wheel's

    def tick(self, now: float) -> float | None:
        config, wire = self._node.config, self.wire
        if not wire.is_open:
            return None
        self._of_user.find_user()
        if wire.outbox_size and now - wire.progress > config.outbox_timeout:
            wire.abort("stopped reading")
            return None
        left = config.connection_age - (now - self._born) if config.connection_age else config.ping_interval
        if left <= 0:
            self.end("has been connected for long enough")
            return None
        if not wire.outbox_size and (self._backlog is None or not self._backlog.is_waiting):
            # Where it stands moves on, though nothing was published: that spares it a gap later.
            wire.write(self._framed(self._format.ping(self._rule, self._node.delivered_position())))
        return min(left, config.ping_interval)

    # Ending

    def end(self, reason: str) -> None:
        """Let the answer come to its end: the client may come back."""
        footer = self._framed(self._format.end(self._rule))
        self.wire.write(footer + (LAST_CHUNK if self._chunked else b""))
        self.wire.finish(reason)
