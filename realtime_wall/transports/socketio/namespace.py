"""A Socket.IO client in one namespace: a socket's transport, and a subscriber.

It is welcomed when the connect receivers have agreed; what they send and what is published meanwhile
follows then. One that was cut off and comes back goes on with its session
(``sockets/recovery/detached_sessions.py``): it is told what it missed on all its channels, in the order of
the log. For that its client keeps an offset, the last text argument of any event, so every event has one.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import gevent
from django.http import HttpRequest

from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap
from realtime_wall.errors import InvalidMessage
from realtime_wall.node.fan_out import Encoded
from realtime_wall.node.node import Node
from realtime_wall.protocol import socketio
from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.socketio import Packet
from realtime_wall.sockets import subscribe_commands
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.interfaces import CatchUp
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession
from realtime_wall.sockets.recovery.subscribe_acks import Answers
from realtime_wall.transports.engineio.session import Session
from realtime_wall.transports.socketio.handshake import Earlier, PendingHandshake, may_return
from realtime_wall.transports.socketio.namespace_codec import SEPARATOR, frames_of, packets_of
from realtime_wall.wire.connection import DROPPED, QUEUED, Written

# From here on, a close tells the client to stay away.
STAY_AWAY = range(3500, 4000)
POLICY_VIOLATION = 1008
# An event of ours that gives a client an offset to come back with, when no other does.
GAP_EVENT = "realtime_wall:gap"
OFFSET_EVENT = "realtime_wall:offset"
# No event of a user's can have this name: plain clients know the word.
EXPELLED_EVENT = "unsubscribed"
# Between the welcome and what connect receivers send. A program that waits for the one before it listens
# for the other (``await connected; socket.on(...)``) never hears what came in the same segment.
BREATH = 0.02


def _number(event_id: Any) -> int:
    """A client drops the connection at any other id; django-realtime's users write "13+" for 13."""
    digits = str(event_id).removesuffix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidMessage(f"{event_id!r} is not the id of an event")
    return int(digits)


def _later(told: Position, cursor: Position) -> Position:
    """Where it stands: a message that others are still given may have been written to this one."""
    return cursor if cursor.epoch == told.epoch and cursor.offset > told.offset else told


class Client(Protocol):
    """Who is in this namespace, and perhaps in others."""

    session: Session
    request: HttpRequest

    def leave(self, name: str) -> None: ...


class Namespace:
    __slots__ = (
        "_answers",
        "_backlog",
        "_client",
        "_codec",
        "_cursor",
        "_pending",
        "_is_telling",
        "_name",
        "_node",
        "_secret",
        "_engine",
        "session",
    )

    def __init__(
        self, node: Node, client: Client, name: str, auth: Any, found: Earlier | None = None
    ) -> None:
        self._node = node
        self._client = client
        self._engine = client.session
        self._name = name
        self._backlog: Backlog | None = None
        self._is_telling = False  # what it missed
        self._cursor = node.broker.top  # of the last message that was written to it
        self._answers = Answers()
        # What the client may come back with; the official one calls it pid.
        self._secret = node.new_session_id() if may_return(node, client.request) else ""
        self.session = ClientSession(node, self, client.request, node.new_session_id(), name, auth)
        if found is not None:
            self._secret, self._cursor = found.detached.secret, found.since
            self.session.take_over(found.detached.session)
        self._codec = frames_of(name, bool(self._secret))
        self._pending: PendingHandshake | None = PendingHandshake(None if found is None else found.detached)

    def begin(self) -> None:
        assert self._pending is not None
        lifecycle.begin(self.session)
        self._node.revocation.sessions.arrived(self.session.request)
        self._pending.starts[EVERYONE] = self._cursor
        self._node.subscribe(self, EVERYONE, None)

    # At the door

    def accept(self) -> None:
        pending, session = self._pending, self.session
        assert pending is not None
        if pending.earlier is not None:
            session.readmit(tuple(name for name in pending.earlier.channels if name not in session.channels))
            if session.is_disconnected:  # while receivers were asked
                return
            pending.starts.update(dict.fromkeys((EVERYONE, *pending.earlier.channels), self._cursor))
        missed = self._catch_up(pending)
        if missed is None:
            # The log was cut while receivers were asked, who took the visit for one that goes on. Nobody
            # can go on with it: the client comes back as somebody new.
            self._secret = ""
            self.abort("what it missed cannot be told any more")
            return
        self._pending, self._is_telling = None, True  # its connection may be lost in the middle of this
        self._node.detached_sessions.arrive(self._secret, self._engine.owner, self._replaced)
        self._welcome()
        self._tell(EVERYONE, missed)
        self._is_telling = False
        if pending.sends:
            gevent.sleep(BREATH)
        for send in pending.sends:
            send()

    def _catch_up(self, pending: PendingHandshake) -> list[Message] | None:
        """Hear every channel from where it has to be told; what is to be told of them now.

        None when that is not all that a client missed who goes on with an earlier visit.
        """
        if pending.earlier is None and self._cursor == self._node.broker.top:
            return []
        missed: list[Message] = []
        for channel, since in pending.starts.items():
            if not self._is_on(channel):
                continue
            self._node.unsubscribe(self, channel)  # what is on its way is in the log, too
            catch_up = self._node.subscribe(self, channel, since)
            if catch_up.missed is None and pending.earlier is not None:
                return None
            missed.extend(catch_up.missed or ())
        missed.sort(key=lambda message: message.position.offset)
        return missed

    def _welcome(self) -> None:
        secret = self._secret or None
        self._engine.send(socketio.connect_text(self._name, self.session.id, secret))
        self._send_offset()

    def _send_offset(self) -> None:
        if self._secret:
            text = socketio.event_text(self._name, OFFSET_EVENT, [], offset=self._offset())
            self._engine.send(text)

    def _offset(self) -> str:
        return self._answers.offset(self._cursor)

    def _replaced(self) -> None:
        """The client came back on another connection."""
        self.abort("the client came back")

    def _tell(self, channel: str, missed: list[Message]) -> None:
        """Write what was missed, as fast as the client reads."""
        if self._backlog is None and sum(one.size for one in missed) <= PORTION:
            self._write(missed)
            return
        if self._backlog is None:
            self._backlog = self._new_backlog()
        self._backlog.tell(channel, missed)

    def _new_backlog(self) -> Backlog:
        limit, rules = self._node.config.outbox_size, self._node.rules
        return Backlog(self._engine, self._write, self._tell_gap, self._is_on, rules, limit)

    def _tell_gap(self, gap: Gap) -> None:
        """The client's offset moves on with the last: cut off before, it has to hear of the others."""
        for channel in gap.channels:
            name = None if channel == EVERYONE else channel
            arguments = Arguments(encode_json({"channel": name, "cursor": str(gap.position)}))
            at = gap.position if channel == gap.channels[-1] else self._cursor
            offset = str(at) if self._secret else None
            text = socketio.event_text(self._name, GAP_EVENT, arguments.parts, offset=offset)
            self._engine.send(text)

    def _write(self, messages: list[Message]) -> None:
        if not messages:
            return
        self._deliver(Encoded(messages))
        older = messages[-1].position.offset < self._cursor.offset
        if (older or self._answers.are_new) and not self._is_behind:
            # They were older than what the client had, and so is now its offset; or they end an answer.
            self._answers.told()
            self._send_offset()

    @property
    def _is_behind(self) -> bool:
        return self._backlog is not None and self._backlog.is_waiting

    def _is_on(self, channel: str) -> bool:
        return channel == EVERYONE or channel in self.session.channels

    # What the client says

    def received(self, packet: Packet) -> None:
        session = self.session
        match packet.type:
            case socketio.PacketType.EVENT:
                self._event(packet)
            case socketio.PacketType.ACK:
                session.acknowledged(packet.id, packet.data)
            case socketio.PacketType.DISCONNECT:
                self._end()
            case _:
                raise BadPacket("a packet that only a server sends")

    def _event(self, packet: Packet) -> None:
        name, *args = packet.data
        name = str(name)
        if name in ("subscribe", "unsubscribe"):
            self.session.inbox.put(partial(self._command, name, args, packet.id))
        elif name == "message":
            lifecycle.message(self.session, *args, message_id=packet.id)
        else:
            lifecycle.event(self.session, name, args, packet.id)

    def _command(self, name: str, args: list[Any], command_id: int | None) -> None:
        channel, since, token = (*args, None, None, None)[:3]
        if name == "subscribe":
            problem = subscribe_commands.subscribe(self.session, channel, since, command_id, token)
        else:
            problem = subscribe_commands.unsubscribe(self.session, channel)
            if problem is None:
                self._answer(command_id, {"channel": channel})
        if problem is not None:
            self._answer(command_id, {"error": problem.code, "message": problem.message})

    def _answer(self, command_id: int | None, value: Any) -> None:
        if command_id is not None:
            self.send_ack(command_id, Arguments(encode_json(value)))

    # As a subscriber

    def deliver(self, encoded: Encoded) -> Written:
        # This runs once for each delivery: what is usual comes first, and calls nothing on its way.
        frames, position = self._engine.frames, encoded.messages[-1].position
        if (
            frames is None
            or frames.wire.outbox_size
            or self._pending is not None
            or self._backlog is not None
            or position.offset <= self._cursor.offset
        ):
            return self._deliver_otherwise(encoded)
        self._cursor = position
        return frames.write(encoded[self._codec])

    def _deliver_otherwise(self, encoded: Encoded) -> Written:
        if self._pending is not None:
            return DROPPED if encoded.messages[-1].is_volatile else QUEUED  # in the log
        if self._backlog is not None and self._backlog.is_waiting:
            return self._backlog.add(encoded.messages)
        if self._engine.outbox_size and self._node.rules.may_leave_out(encoded.messages):
            self._backlog = self._backlog or self._new_backlog()
            return self._backlog.add(encoded.messages)
        return self._deliver(encoded)

    def _deliver(self, encoded: Encoded) -> Written:
        last = encoded.messages[-1]
        offset, known = last.position.offset, self._cursor.offset
        if offset > known:
            self._cursor = last.position
        elif last.is_volatile and offset < known:
            return DROPPED  # its offset is older than the client's
        engine = self._engine
        if engine.frames is not None:
            return engine.frames.write(encoded[self._codec])
        packets = encoded[packets_of(self._name, bool(self._secret))]
        return engine.send_all(packets.decode().split(SEPARATOR.decode()))

    def deleted(self, channel: str, farewell: str, position: Position) -> None:
        self.session.expel(channel)

    def is_known_as(self, session_id: str) -> bool:
        return session_id == self.session.id

    # As the session's transport

    def refuse(self, reason: str, data: Any) -> None:
        error = {"message": data if isinstance(data, str) else "refused"}
        if data is not None and not isinstance(data, str):
            error["data"] = data
        try:
            text = encode_json(error)
        except InvalidMessage:  # the log has it already
            text = encode_json({"message": reason})
        self._engine.send(socketio.connect_error_text(self._name, text))
        self._end()

    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        if self._pending is not None:
            self._pending.sends.append(partial(self.send_event, name, arguments, reply_id))
            return QUEUED
        event = name or "message"
        # The client keeps a text at the end of any event as its offset: let it be one.
        offset = self._offset() if self._secret else None
        if arguments.binary is None:
            text = socketio.event_text(self._name, event, arguments.parts, reply_id, offset)
            return self._engine.send(text)
        texts = socketio.binary_event_texts(
            self._name, event, arguments.parts, arguments.binary.attachments, reply_id, offset
        )
        return [self._engine.send(text) for text in texts][-1]

    def send_ack(self, event_id: Any, arguments: Arguments) -> None:
        send, number = self._engine.send, _number(event_id)
        if arguments.binary is None:
            # When more answers follow, they leave together.
            soon = bool(self.session.inbox.jobs)
            send(socketio.ack_text(self._name, number, arguments.parts), soon)
            return
        for text in socketio.binary_ack_texts(
            self._name, number, arguments.parts, arguments.binary.attachments
        ):
            send(text)

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None:
        """The command's ack says where the client stands; what it missed follows."""
        if self._pending is not None:
            known = since is not None and catch_up.missed is not None
            self._pending.starts[channel] = since if since is not None and known else catch_up.cursor
            return
        cursor = since if catch_up.missed else catch_up.cursor
        answer: dict[str, Any] = {"channel": channel, "cursor": str(cursor)}
        if since is not None:
            answer["recovered"] = catch_up.missed is not None
            self._answers.add(catch_up.cursor)
        self._answer(command_id, answer)
        if catch_up.missed:
            self._tell(channel, catch_up.missed)
        elif since is not None and not self._is_behind:
            self._answers.told()
            self._send_offset()

    def send_expelled(self, channel: str) -> None:
        self.send_event(EXPELLED_EVENT, Arguments(encode_json({"channel": channel})), None)

    def close(self, code: int, reason: str) -> None:
        """With a code that means it, the client is told to stay away; otherwise it comes back."""
        if code not in STAY_AWAY and code != POLICY_VIOLATION:
            self._engine.close(code, reason)
            return
        self._engine.send(socketio.disconnect_text(self._name))
        self._end()

    def abort(self, reason: str) -> None:
        self._engine.abort(reason)

    @property
    def is_behind(self) -> bool:
        return self._is_behind or self._engine.outbox_size > 0

    def pause(self) -> None:
        self._engine.pause()

    def resume(self) -> None:
        self._engine.resume()

    def _end(self) -> None:
        """This namespace is over; the connection may have others."""
        self._client.leave(self._name)
        self.gone(may_return=False)

    def gone(self, may_return: bool) -> None:
        session, lot, pending = self.session, self._node.detached_sessions, self._pending
        # What has not been written yet is lost with the connection, though it was delivered.
        is_owed = pending is not None or self._is_telling or self._is_behind
        told = self._cursor if is_owed else _later(self._node.told(), self._cursor)
        for channel in (EVERYONE, *session.channels):
            self._node.unsubscribe(self, channel)
        # One that was never welcomed knows no secret to come back with.
        known = pending is None or pending.earlier is not None
        may_return = may_return and bool(self._secret) and known and not session.is_refused
        if may_return:
            earlier = pending.earlier.channels if pending is not None and pending.earlier is not None else ()
            channels = tuple(dict.fromkeys((*earlier, *session.channels)))
            owner, cursor = self._engine.owner, self._cursor
            lot.detach(
                DetachedSession(lot, self._secret, owner, session, channels, cursor, told, self._answers)
            )
        elif pending is None:
            lot.forget(self._secret)
        lifecycle.end(session, may_return)
