"""How does what is published reach a client in a namespace: live, or as something that it missed?

For the client to come back, each event that it is sent ends with an offset (``recovery.py``): the last text
argument of any event is what the official client keeps.
"""

from __future__ import annotations

from realtime_wall.channels.message import OUTSIDE_OF, Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp, Gap, Items, Since, fits, merge, messages_of
from realtime_wall.channels.wildcards import is_among
from realtime_wall.node.fan_out.subscriber import Encoded
from realtime_wall.node.node import Node
from realtime_wall.protocol import socketio
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.namespace_codec import SEPARATOR, frames_of, packets_of
from realtime_wall.transports.socketio.namespace_state import (
    GONE,
    LIVE,
    CatchingUp,
    Joining,
    NamespaceState,
    following,
)
from realtime_wall.transports.socketio.packet_format import PacketFormat
from realtime_wall.transports.socketio.recovery import Recovery
from realtime_wall.wire.connection import DROPPED, QUEUED, Wire, Written


class NamespaceSubscriber:
    __slots__ = (
        "_engine",
        "_format",
        "_framing",
        "_name",
        "_node",
        "_recovery",
        "_state",
        "_written_up_to",
        "codec",
        "session",
    )

    session: ClientSession

    def __init__(
        self,
        node: Node,
        engine: EngineSession,
        format: PacketFormat,
        name: str,
        recovery: Recovery,
        joining: Joining,
        cursor: Position,
    ) -> None:
        self._node = node
        self._engine = engine
        self._format = format
        self._name = name
        self._recovery = recovery
        self._state: NamespaceState = joining
        self._written_up_to = cursor  # of the last message that was written to it, but for the fast lane
        self._use(PLAIN if engine.frames is None else engine.frames.framing)

    def _become(self, state: NamespaceState) -> None:
        self.leave_lanes()
        self._state = following(self._state, state)

    def _use(self, framing: Framing) -> None:
        """A client that polls may be on a WebSocket later."""
        self._framing = framing
        self.codec = frames_of(self._name, bool(self._recovery.secret), self._format, framing)

    # Live

    def deliver(self, encoded: Encoded) -> Written:
        # This runs once for each delivery: what is usual comes first, and calls nothing on its way.
        frames, position = self._engine.frames, encoded.messages[-1].position
        if (
            self._state is not LIVE
            or frames is None
            or frames.wire.outbox_size
            or position.offset <= self._written_up_to.offset
        ):
            return self._deliver_otherwise(encoded)
        self._written_up_to = position
        if frames.framing is not self._framing:
            self._use(frames.framing)
        return frames.write(encoded[self.codec])

    def _deliver_otherwise(self, encoded: Encoded) -> Written:
        if isinstance(self._state, Joining):
            return DROPPED if encoded.messages[-1].is_volatile else QUEUED  # in the log
        if isinstance(self._state, CatchingUp):
            return self._state.backlog.add(encoded.messages)
        if self._engine.outbox_size and self._node.rules.may_leave_out(encoded.messages):
            return self._backlog().add(encoded.messages)
        return self._write_encoded(encoded, self._engine.framing)

    def _write_encoded(self, encoded: Encoded, framing: Framing) -> Written:
        if self._state is GONE:
            return DROPPED
        last = encoded.messages[-1]
        offset, known = last.position.offset, self._cursor.offset
        if offset > known:
            self._written_up_to = last.position
        elif last.is_volatile and offset < known:
            return DROPPED  # its offset is older than the client's
        engine, name, with_offset = self._engine, self._name, bool(self._recovery.secret)
        if engine.frames is not None:
            return engine.frames.write(encoded[frames_of(name, with_offset, self._format, framing)])
        packets = encoded[packets_of(name, with_offset, self._format)]
        return engine.send_packets(packets.decode().split(SEPARATOR.decode()))

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        self.session.expel(channel)

    def is_known_as(self, session_id: str) -> bool:
        if session_id[:1] == OUTSIDE_OF:
            return session_id[1:] != self._name
        return session_id == self.session.id

    @property
    def is_behind(self) -> bool:
        return self._has_backlog or self._engine.outbox_size > 0

    # In the fast lane

    @property
    def wire(self) -> Wire | None:
        frames = self._engine.frames
        return None if frames is None else frames.wire

    def is_ready(self, position: Position) -> bool:
        frames = self._engine.frames
        is_up_to_date = self._state is LIVE and self._written_up_to == position
        return is_up_to_date and frames is not None and frames.is_ready

    def was_sent(self, position: Position) -> None:
        if position.offset > self._written_up_to.offset:
            self._written_up_to = position

    @property
    def _cursor(self) -> Position:
        """Of the last message that was written to it."""
        without_asking: list[Position] = [] if self.wire is None else self.wire.sent_up_to(self)
        return max([self._written_up_to, *without_asking], key=lambda position: position.offset)

    def leave_lanes(self) -> None:
        if self.wire is not None:
            self.wire.leave_lanes()

    # What it missed, and what it does not read

    def _subscribe_since(self, joining: Joining) -> Items | None:
        """Subscribe to every channel from where it is to be delivered; what it missed, in order.

        None when something that it missed is not kept any more, and it is to resume an earlier session.
        """
        top = self._node.broker.top
        if joining.earlier is None and all(since == top for since in joining.since.values()):
            return []
        for since in joining.since.values():
            self._node.come_up_to(Since(position=since))
        found: list[CatchUp] = []
        for channel, since in joining.since.items():
            if not self._is_on(channel):
                continue
            self._node.unsubscribe(self, channel)  # what is on its way is in the log, too
            found.append(self._node.subscribe(self, {channel: 0}, Since(position=since)))
            if found[-1].has_gap and joining.earlier is not None:
                return None
        missed = merge(found)
        if missed and joining.earlier is None:
            # A client that is cut off between the welcome and the last of them starts afresh.
            self._recovery.acks.add(top)
        return missed

    def _write_missed(self, channel: str, missed: Items) -> None:
        """As fast as the client reads."""
        if self._state is GONE:
            return
        self.leave_lanes()
        if self._has_backlog or not fits(missed, PORTION):
            self._backlog().resend(channel, missed)
        else:
            self._write(messages_of(missed))
            self._caught_up()

    def _backlog(self) -> Backlog:
        if not isinstance(self._state, CatchingUp):
            self._become(CatchingUp(self._new_backlog()))
            assert isinstance(self._state, CatchingUp)
        return self._state.backlog

    def _new_backlog(self) -> Backlog:
        limit, rules = self._node.config.outbox_size, self._node.rules
        return Backlog(self._engine, self._write, self._send_gap, self._is_on, rules, limit, self._caught_up)

    @property
    def _has_backlog(self) -> bool:
        return isinstance(self._state, CatchingUp) and self._state.backlog.is_waiting

    def _caught_up(self) -> None:
        """All that it missed was written, and what waited behind that."""
        if self._state is GONE:
            return
        if self._recovery.acks.are_pending:
            self._recovery.acks.written()
            self._send_offset()
        if isinstance(self._state, CatchingUp):
            self._become(LIVE)

    def _write(self, messages: list[Message]) -> None:
        if not messages:
            return
        self._write_encoded(Encoded(messages), PLAIN)  # for this client alone
        is_older = messages[-1].position.offset < self._cursor.offset
        if is_older and not self._has_backlog and not self._recovery.acks.are_pending:
            self._send_offset()  # they were older than what the client had, and so is now its offset

    def _is_on(self, channel: str) -> bool:
        return channel == EVERYONE or is_among(channel, self.session.channels)

    # Where the client stands

    def _offset(self) -> str | None:
        return self._recovery.offset(self._cursor)

    def _send_offset(self) -> None:
        if self._recovery.secret and self._state is not GONE:
            self._send_packet(socketio.OFFSET_EVENT, Arguments("null", 0), offset=self._offset())

    def _send_packet(
        self, name: str, arguments: Arguments, id: int | None = None, offset: str | None = None
    ) -> Written:
        made = self._format.event(self._name, name, arguments, id, offset)
        return [self._engine.send(one) for one in made][-1]

    def _send_gap(self, gap: Gap) -> None:
        """The client's offset moves on with the last: cut off before, it has to hear of the others."""
        if self._state is GONE:
            return
        for channel in gap.channels:
            name = None if channel == EVERYONE else channel
            arguments = Arguments(encode_json({"channel": name, "cursor": str(gap.position)}))
            at = gap.position if channel == gap.channels[-1] else self._cursor
            offset = str(at) if self._recovery.secret else None
            self._send_packet(socketio.GAP_EVENT, arguments, offset=offset)
