"""A Socket.IO client in one namespace: a session's transport, and a subscriber.

It is welcomed when the connect receivers have agreed; what they send and what is published meanwhile
follows then. Its states are in ``namespace_state.py``, and what is published reaches it by
``namespace_subscriber.py``. One that was cut off and comes back resumes its session: it is sent what it
missed on all its channels, in the order of the log (``recovery.py``).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import gevent
from django.http import HttpRequest

from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp
from realtime_wall.errors import InvalidMessage
from realtime_wall.node.node import Node
from realtime_wall.protocol import socketio
from realtime_wall.protocol.engineio import MESSAGE, BadPacket
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.plain import RETRACTED
from realtime_wall.protocol.socketio import Packet
from realtime_wall.sockets import subscribe_commands
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.recovery.welcome import Welcome, offset_or_none
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.handshake import Resumption, may_resume
from realtime_wall.transports.socketio.namespace_state import GONE, LIVE, CatchingUp, Joining
from realtime_wall.transports.socketio.namespace_subscriber import NamespaceSubscriber
from realtime_wall.transports.socketio.packet_format import JSON, PacketFormat
from realtime_wall.transports.socketio.recovery import Recovery
from realtime_wall.wire.connection import DROPPED, QUEUED, Written

# Codes after which a client stays away.
STAY_AWAY = range(3500, 4000)
POLICY_VIOLATION = 1008
EXPELLED_EVENT = "unsubscribed"
# Names of the server's own events: no event of a user's can have them.
OWN_EVENTS = frozenset({EXPELLED_EVENT, RETRACTED, socketio.GAP_EVENT, socketio.OFFSET_EVENT})
# Between the welcome and what connect receivers send. A program that waits for the one before it listens
# for the other (``await connected; socket.on(...)``) never hears what came in the same segment.
WELCOME_PAUSE = 0.02


def _number(event_id: Any) -> int:
    """A client drops the connection at any other id; django-realtime's users write "13+" for 13."""
    digits = str(event_id).removesuffix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidMessage(f"{event_id!r} is not the id of an event")
    return int(digits)


def _later(complete: Position, cursor: Position) -> Position:
    """Where it stands: a message that others are still given may have been written to this one."""
    is_behind = cursor.epoch == complete.epoch and cursor.offset > complete.offset
    return cursor if is_behind else complete


def _message_of(refusal: Any) -> str:
    """What the client has as ``error.message``; the rest of a refusal is its ``error.data``."""
    message = refusal.get("message") if isinstance(refusal, dict) else refusal
    return message if isinstance(message, str) else "refused"


class ConnectedClient(Protocol):
    """Who is in this namespace, and perhaps in others."""

    session: EngineSession
    format: PacketFormat
    request: HttpRequest

    def leave(self, name: str) -> None: ...


class Namespace(NamespaceSubscriber):
    __slots__ = ("_client",)

    reserved_events = socketio.RESERVED_EVENTS | OWN_EVENTS

    def __init__(
        self, node: Node, client: ConnectedClient, name: str, auth: Any, resumed: Resumption | None = None
    ) -> None:
        self._client = client
        engine = client.session
        if resumed is not None:
            earlier, cursor, secret = resumed.detached, resumed.since, resumed.detached.secret
        else:
            earlier, cursor = None, node.broker.top
            secret = node.new_session_id() if may_resume(node, client.request) else ""
        offset = offset_or_none(auth.get("offset") if isinstance(auth, dict) else None)
        recovery = Recovery(node.detached_sessions, engine.owner, secret, Welcome(cursor, offset))
        joining = Joining(earlier, {EVERYONE: cursor})
        super().__init__(node, engine, client.format, name, recovery, joining, cursor)
        self.session = ClientSession(node, self, client.request, node.new_session_id(), name, auth)
        if earlier is not None:
            self.session.take_over(earlier.session)
        self.session.inbox.account = engine.account

    def begin(self) -> None:
        lifecycle.begin(self.session)
        self._node.revocation.sessions.arrived(self.session.request)
        self._node.subscribe(self, {EVERYONE: 0})

    # The end of joining

    def accept(self) -> None:
        joining, session = self._state, self.session
        assert isinstance(joining, Joining)
        if joining.earlier is not None:
            session.readmit(tuple(name for name in joining.earlier.channels if name not in session.channels))
            if session.is_disconnected:  # while receivers were asked
                return
            joining.since.update(dict.fromkeys((EVERYONE, *joining.earlier.channels), self._cursor))
        missed = self._subscribe_since(joining)
        if missed is None:
            # The log was cut while receivers were asked, who took the session for one that is resumed.
            # Nobody can resume it: the client comes back as somebody new.
            self._recovery.secret = ""
            self.abort("what it missed is not kept any more")
            return
        self._become(CatchingUp(self._new_backlog()))
        self._recovery.attach(self)
        self._engine.send(self._format.connect(self._name, session.id, self._recovery.secret or None))
        self._write_missed(EVERYONE, missed)
        if joining.sends:
            gevent.sleep(WELCOME_PAUSE)
        for send in joining.sends:
            send()

    def refuse(self, reason: str, data: Any) -> None:
        error = {"message": _message_of(data)}
        if data is not None and not isinstance(data, str):
            error["data"] = data
        try:
            text = encode_json(error)
        except InvalidMessage:  # the log has it already
            text = encode_json({"message": reason})
        self._engine.send(self._format.connect_error(self._name, text))
        self._leave()

    # From the client

    def received(self, packet: Packet) -> None:
        match packet.type:
            case socketio.PacketType.EVENT:
                name, *args = packet.data
                self.event(str(name), args, packet.id)  # some clients number theirs
            case socketio.PacketType.ACK:
                self.session.acknowledged(packet.id, packet.data)
            case socketio.PacketType.DISCONNECT:
                self._leave()
            case _:
                raise BadPacket("a packet that only a server sends")

    def event(self, name: str, args: list[Any], id: int | None) -> None:
        account = self._engine.account
        if name in ("subscribe", "unsubscribe"):
            account.note_subscribes(1)
            self.session.inbox.put(partial(self._command, name, args, id))
            return
        account.note_event(name)
        if name == "message":
            lifecycle.message(self.session, *args, message_id=id)
        else:
            lifecycle.event(self.session, name, args, id)

    def _command(self, name: str, args: list[Any], command_id: int | None) -> None:
        channel, since, token = (*args, None, None, None)[:3]
        if name == "subscribe":
            problem = subscribe_commands.subscribe(self.session, channel, since, command_id, token)
        else:
            problem = subscribe_commands.unsubscribe(self.session, channel)
            if problem is None:
                self._reply(command_id, {"channel": channel})
        if problem is not None:
            self._reply(command_id, {"error": problem.code, "message": problem.message})

    def _reply(self, command_id: int | None, value: Any) -> None:
        if command_id is not None:
            self.send_ack(command_id, Arguments(encode_json(value)))

    # As the session's transport

    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        if isinstance(self._state, Joining):
            self._state.sends.append(partial(self.send_event, name, arguments, reply_id))
            return QUEUED
        if self._state is GONE:
            return DROPPED
        event = name or "message"
        # The client keeps a text at the end of any event as its offset: let it be one. Where an answer is
        # asked for, a function is at the end, the client's own; and nothing may stand before that.
        offset = self._offset() if reply_id is None else None
        return self._send_packet(event, arguments, reply_id, offset)

    def send_ack(self, event_id: Any, arguments: Arguments) -> None:
        number = event_id if type(event_id) is int and event_id >= 0 else _number(event_id)
        if self._state is GONE:
            return
        # When more answers follow, they leave together.
        soon, frames = bool(self.session.inbox.jobs) and arguments.binary is None, self._engine.frames
        if frames is not None and self._format is JSON and arguments.binary is None and arguments.arity == 1:
            # What is usual calls little on its way: to answer is a third of what an event costs.
            frames.send(MESSAGE + socketio.ack_text(self._name, number, (arguments.data_json,)), soon)
            return
        for one in self._format.ack(self._name, number, arguments):
            self._engine.send(one, soon)

    def send_not_received(self, event_id: Any, name: str) -> None:
        """It waits in vain, as at the servers of Node and Python; it may have set itself a time limit."""

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None:
        """The command's ack says where the client stands; what it missed follows."""
        if isinstance(self._state, Joining):
            self._state.since[channel] = since or catch_up.cursor
            return
        answer: dict[str, Any] = {"channel": channel, "cursor": str(catch_up.cursor)}
        if since is not None:
            answer["recovered"] = not catch_up.has_gap
            self._recovery.acks.add(self._node.broker.top)
        self._reply(command_id, answer)
        if catch_up.items:
            self._write_missed(channel, catch_up.items)
        elif since is not None and not self._has_backlog:
            self._caught_up()

    def send_expelled(self, channel: str) -> None:
        self.send_event(EXPELLED_EVENT, Arguments(encode_json({"channel": channel})), None)

    @property
    def kind(self) -> str:
        return "polling" if self._engine.frames is None else "websocket"

    def pause(self) -> None:
        self._engine.pause()

    def resume(self) -> None:
        self._engine.resume()

    # Ending

    def close(self, code: int, reason: str) -> None:
        """With a code that means it, the client stays away; otherwise it comes back."""
        if code not in STAY_AWAY and code != POLICY_VIOLATION:
            self._engine.close(code, reason)
            return
        self._engine.send(self._format.disconnect(self._name))
        self._leave()

    def abort(self, reason: str) -> None:
        self._engine.abort(reason)

    def _leave(self) -> None:
        """This namespace is over; the connection may have others."""
        self._client.leave(self._name)
        self.end(may_return=False)

    def end(self, may_return: bool) -> None:
        state, session = self._state, self.session
        if state is GONE:
            return
        # What has not been written yet is lost with the connection, though it was delivered.
        complete = _later(self._node.delivered_position(), self._cursor) if state is LIVE else self._cursor
        self._become(GONE)
        for channel in (EVERYONE, *session.channels):
            self._node.unsubscribe(self, channel)
        earlier = state.earlier if isinstance(state, Joining) else None
        # One that was never welcomed knows no secret to come back with.
        is_welcomed = not isinstance(state, Joining)
        knows_secret = bool(self._recovery.secret) and (is_welcomed or earlier is not None)
        may_return = may_return and knows_secret and not session.is_refused
        if may_return:
            channels = () if earlier is None else earlier.channels
            channels = tuple(dict.fromkeys((*channels, *session.channels)))
            self._recovery.detach(session, channels, self._cursor, complete)
        elif is_welcomed:
            self._recovery.forget()
        lifecycle.end(session, may_return)
