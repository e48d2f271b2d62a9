"""The plain WebSocket: JSON objects in text frames.

The protocol is described in docs/reference/plain-websocket.rst; its parsing and writing is in
``protocol/plain.py``, its frames are in ``websocket_connection.py``. Here they meet the session.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest

from realtime_wall import signals
from realtime_wall.auth.django_sessions import session_key_of
from realtime_wall.channels.message import OUTSIDE_OF, Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp, Gap, Items, Since, fits, messages_of
from realtime_wall.channels.where import BadWhere, from_json
from realtime_wall.channels.wildcards import is_among
from realtime_wall.node.fan_out.subscriber import Codec, Encoded
from realtime_wall.node.node import Node
from realtime_wall.protocol import plain
from realtime_wall.protocol.json_input import LARGE
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets import subscribe_commands
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.budgets.account import reading_large
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.subscribe_commands import Problem
from realtime_wall.transports.websocket import plain_codec
from realtime_wall.transports.websocket.plain_codec import ALL, SubscribeOptions
from realtime_wall.transports.websocket.websocket_connection import FramedConnection
from realtime_wall.wire.connection import Wire, Written

log = logging.getLogger(__name__)

UNSUPPORTED_DATA = 1003


class WebSocket:
    """One client on a plain WebSocket: a peer on frames, a session's transport and a subscriber."""

    __slots__ = (
        *("_backlog", "_encode_missed", "_frames", "_node", "_was", "_options", "_ticket_flags"),
        *("codec", "session"),
    )

    reserved_events = plain.RESERVED

    def __init__(
        self,
        node: Node,
        wire: Wire,
        request: HttpRequest,
        was: str | None,
        framing: Framing = PLAIN,
        ticket_flags: str = "",
    ) -> None:
        self.session = ClientSession(node, self, request, node.new_session_id())
        self._node = node
        self._ticket_flags = ticket_flags
        self._was = was  # the id this client had before it lost its last connection
        self._frames = FramedConnection(node, wire, self, framing)
        self.codec: Codec = plain_codec.frames_of(framing)
        self._encode_missed: Codec = plain_codec.encode_missed
        self._options: dict[str, SubscribeOptions] | None = None  # most want all of everything
        self._backlog: Backlog | None = None
        account = self.session.inbox.account = self._frames.account
        account.belongs_to(session_key_of(request))

    def begin(self, arrived: bytes, since: Position | None, on: Sequence[plain.Command] = ()) -> None:
        """``on`` subscribes to what its address names, as if these commands had come first."""
        node = self._node
        # No receiver has to be asked about them: their answers leave together with the welcome.
        is_together = bool(on) and not signals.socket_subscribed.receivers_for(self.session.socket)
        then = partial(self._subscribe_together, on) if is_together else None
        # Before the first write: of a client that is gone already receivers hear as of any other.
        lifecycle.begin(self.session, self._was, then)
        if self.session.ticket is None:
            node.revocation.sessions.arrived(self.session.request)
        else:
            node.recheck.add(self.session)
        self._frames.start()
        catch_up = node.subscribe(self, {EVERYONE: 0}, Since.had(since))
        # Until it has heard of a gap, it stands where it was.
        cursor = catch_up.cursor if catch_up.gap is None else since
        ping, ticket = node.config.ping_interval, self._new_ticket()
        welcome = plain.welcome_text(self.session.id, str(cursor), ping, ticket)
        self._answer(welcome, EVERYONE, catch_up.items)
        if is_together:
            self._frames.account.note_subscribes(len(on))
        else:
            self._frames.write_held()
            for command in on:
                self._obey(command)
        if arrived:
            self._frames.received(arrived)

    def _new_ticket(self) -> str | None:
        return self._node.tickets.issue_to(self.session, self._frames.wire.visitor, self._ticket_flags)

    # As the peer on the frames

    def text(self, text: str) -> None:
        config = self._node.config
        if len(text) > LARGE:
            with reading_large(self._frames.account) as turn:
                command = plain.parse(text, config.json_depth, config.json_values, turn)
        else:
            command = plain.parse(text, config.json_depth, config.json_values)
        if self._frames.closing:  # while a large text was read
            return
        for one in command.commands if isinstance(command, plain.Batch) else (command,):
            self._obey(one)

    def _obey(self, command: plain.Command) -> None:
        session = self.session
        match command:
            case plain.EventCommand():
                self._frames.account.note_event(command.name)
                args = [] if command.data is None else [command.data]
                lifecycle.event(session, command.name, args, command.id)
            case plain.MessageCommand():
                self._frames.account.note_event("message")
                lifecycle.message(session, command.data)
            case plain.Subscribe():
                self._frames.account.note_subscribes(1)
                session.inbox.put(partial(self._subscribe, command))
            case plain.Unsubscribe():
                self._frames.account.note_subscribes(1)
                session.inbox.put(partial(self._unsubscribe, command))
            case plain.Ack():
                session.acknowledged(command.id, [command.data])
            case plain.Heartbeat():  # not behind receivers: it is about the connection
                ticket = self._new_ticket()
                self._write_text(plain.ack_text(command.id, "null" if ticket is None else f'"{ticket}"'))
            case plain.BadCommand():
                log.info("socket %s: %s: %s", session.log_id, command.code, command.message)
                self._write_text(plain.error_text(command.code, command.message, command.id))

    def binary(self, data: bytes) -> None:
        self._frames.close(UNSUPPORTED_DATA, "this endpoint reads text")

    def closed(self, reason: str) -> None:
        for channel in (EVERYONE, *self.session.channels):
            self._node.unsubscribe(self, channel)
        lifecycle.end(self.session, earlier_id=self._was)

    def is_busy(self) -> bool:
        return self.session.inbox.paused

    @property
    def log_id(self) -> str:
        return self.session.log_id

    def _subscribe(self, command: plain.Subscribe) -> None:
        channel = command.channel
        before = (self._options or {}).get(channel)
        problem = self._read_options(command)
        if problem is None:
            # Who is told differences needs something that they are different from.
            look_back = 1 if command.delta and not command.since else 0
            problem = subscribe_commands.subscribe(
                self.session, channel, command.since, command.id, command.token, look_back
            )
            if channel not in self.session.channels or problem is not None:
                self._set_options(channel, before if channel in self.session.channels else None)
        if problem is not None:
            self._write_text(plain.error_text(problem.code, problem.message, command.id))

    def _subscribe_together(self, commands: Sequence[plain.Command]) -> None:
        """What is answered leaves with the welcome that is held."""
        for one in commands:
            if isinstance(one, plain.Subscribe):
                self._subscribe(one)
            else:
                self._obey(one)
        self._frames.write_held()

    def _read_options(self, command: plain.Subscribe) -> Problem | None:
        """Remember which messages its client wants of a channel, and how; a Problem when it may not."""
        if command.where is None and not command.delta and not self._options:
            return None
        rule = self._node.rules.of(command.channel)
        try:
            where = None if command.where is None else from_json(command.where, rule)
        except BadWhere as bad:
            return Problem("bad_where", str(bad))
        if command.delta and not rule.delta:
            return Problem("bad_delta", f"channel {command.channel!r} has no DELTA")
        self._set_options(command.channel, SubscribeOptions(where, command.delta))
        return None

    def _set_options(self, channel: str, chosen: SubscribeOptions | None) -> None:
        options = {name: one for name, one in (self._options or {}).items() if name != channel}
        if chosen is not None and chosen != ALL:
            options[channel] = chosen
        if options == (self._options or {}):
            return
        self._options = options
        key = frozenset(options.items())
        self.codec = plain_codec.codec_for(self._frames.framing, key)
        self._encode_missed = plain_codec.missed_codec_for(key)
        self._frames.wire.leave_lanes()  # from the next message on it is of another kind

    def _unsubscribe(self, command: plain.Unsubscribe) -> None:
        problem = subscribe_commands.unsubscribe(self.session, command.channel)
        if problem is None:
            self._set_options(command.channel, None)
            self._write_text(plain.unsubscribed_text(command.channel, command.id))
        else:
            self._write_text(plain.error_text(problem.code, problem.message, command.id))

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        if self._frames.wire.outbox_size and self._node.rules.may_leave_out(encoded.messages):
            self._backlog = self._backlog or self._new_backlog()
            return self._backlog.add(encoded.messages)
        return self._frames.write(encoded[self.codec])

    @property
    def wire(self) -> Wire:
        return self._frames.wire

    def is_ready(self, position: Position) -> bool:
        return self._frames.is_ready and (self._backlog is None or not self._backlog.is_waiting)

    def was_sent(self, position: Position) -> None:
        """Its client has a cursor with each message."""

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        self.session.expel(channel)

    def is_known_as(self, session_id: str) -> bool:
        if session_id[:1] == OUTSIDE_OF:
            return session_id[1:] != self.session.namespace
        return session_id in (self.session.id, self._was)

    def leave_lanes(self) -> None:
        self._frames.wire.leave_lanes()

    # As the session's transport

    def accept(self) -> None:
        """It was welcomed before its connect receivers ran."""

    def refuse(self, reason: str, data: Any) -> None:
        self.close(lifecycle.REFUSED, reason)

    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        return self._write_text(plain.message_text(name or "message", arguments.data_json, id=reply_id))

    def send_ack(self, event_id: Any, arguments: Arguments) -> None:
        frame = self._frames.framing.text(plain.ack_text(event_id, arguments.data_json).encode())
        # More answers follow: they leave together.
        (self._frames.write_soon if self.session.inbox.jobs else self._frames.write)(frame)

    def send_not_received(self, event_id: Any, name: str) -> None:
        self._write_text(plain.error_text("no_receiver", f"nothing receives the event {name!r}", event_id))

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None:
        """Answer where the client stands, then send what it missed."""
        gap, cursor = catch_up.gap, str(catch_up.cursor)
        if gap is not None:
            self._answer(plain.gap_text(channel, cursor, command_id), channel, catch_up.items[1:])
            return
        recovered = None if since is None else True
        answer = plain.subscribed_text(channel, cursor, command_id, recovered)
        self._answer(answer, channel, catch_up.items)

    def send_expelled(self, channel: str) -> None:
        self._write_text(plain.unsubscribed_text(channel))

    def _answer(self, answer: str, channel: str, missed: Items) -> None:
        """An answer and what was missed: in one write, when that is little. What is held waits for more."""
        frame = self._frames.framing.text(answer.encode())
        if self._backlog is None and fits(missed, PORTION):
            frame += self._encode_missed(messages_of(missed)) if missed else b""
            (self._frames.write if self._frames.is_ready else self._frames.write_soon)(frame)
            return
        self._frames.write(frame)
        if self._backlog is None:
            self._backlog = self._new_backlog()
        self._backlog.resend(channel, missed)

    def _new_backlog(self) -> Backlog:
        limit, rules = self._node.config.outbox_size, self._node.rules
        return Backlog(self._frames.wire, self._write_messages, self._write_gap, self._is_on, rules, limit)

    def _write_gap(self, gap: Gap) -> None:
        for channel in gap.channels:  # a plain client has a cursor for each
            name = None if channel == EVERYONE else channel
            self._write_text(plain.gap_text(name, str(gap.position), None))

    def _write_messages(self, messages: list[Message]) -> None:
        self._frames.write(self._encode_missed(messages))

    def _is_on(self, channel: str) -> bool:
        return channel == EVERYONE or is_among(channel, self.session.channels)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the client has ``close_timeout`` to answer it."""
        self._frames.close(code, reason)

    def abort(self, reason: str) -> None:
        self._frames.abort(reason)

    def pause(self) -> None:
        self._frames.pause()

    def resume(self) -> None:
        self._frames.resume()

    @property
    def kind(self) -> str:
        return "websocket"

    @property
    def is_behind(self) -> bool:
        return self._frames.wire.outbox_size > 0 or (self._backlog is not None and self._backlog.is_waiting)

    def _write_text(self, text: str) -> Written:
        return self._frames.write(self._frames.framing.text(text.encode()))
