"""The handle that user code has for a connected client."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest
from gevent.event import AsyncResult

from realtime_wall import signals
from realtime_wall.auth import channel_permissions
from realtime_wall.brokers.commands import Publish, Receipt
from realtime_wall.brokers.node_id import shown
from realtime_wall.channels.names import EVERYONE, check_channel, check_event_name
from realtime_wall.channels.position import Position
from realtime_wall.errors import TooManyChannels
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.arguments import Arguments, encode_args
from realtime_wall.sockets.dispatch import receivers
from realtime_wall.sockets.dispatch.inbox import Inbox
from realtime_wall.sockets.interfaces import Node, Transport
from realtime_wall.sockets.pending_acks import PendingAcks, Reply
from realtime_wall.wire.connection import DROPPED, Written


class Session(dict[str, Any]):
    """A client's visit: its id, and a dict for user code that lives as long as the connection."""

    __slots__ = ("session_id",)

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self.session_id = session_id


class Socket:
    __slots__ = (
        "__weakref__",
        "_auth",
        "_channels",
        "_context",
        "_node",
        "_questions",
        "_transport",
        "asked",
        "inbox",
        "is_gone",
        "is_refused",
        "namespace",
        "recovered",
        "request",
        "session",
        "since",
    )

    def __init__(
        self,
        node: Node,
        transport: Transport,
        request: HttpRequest,
        session_id: str,
        namespace: str = "/",
        auth: Any = None,
    ) -> None:
        self.session = Session(session_id)
        self.request = request
        self.namespace = namespace  # of Socket.IO; others have the main one
        self._auth = auth
        self.since = int(time.time())  # when it was connected
        self.recovered = False  # whether it goes on with an earlier visit
        self.inbox = Inbox(node.pool, transport)
        self.is_refused = False  # by a connect receiver: what the client already sent is not heard
        self.is_gone = False  # the connection is; what the client sent before is still heard
        self._node = node
        self._transport = transport
        self._context: dict[str, Any] | None = None
        self._channels: tuple[str, ...] = ()
        # The channels that the client itself asked for, with what it gave to be let in.
        self.asked: dict[str, str | None] | None = None
        self._questions: PendingAcks | None = None  # most are never asked anything

    @property
    def id(self) -> str:
        return self.session.session_id

    @property
    def auth(self) -> Any:
        """What a Socket.IO client gave to be let in; an empty dict when it gave nothing."""
        return {} if self._auth is None else self._auth

    @property
    def log_id(self) -> str:
        return shown(self.session.session_id)

    @property
    def user(self) -> Any:
        return getattr(self.request, "user", None)

    @property
    def context(self) -> dict[str, Any]:
        """A dict that lives as long as the connection."""
        if self._context is None:
            self._context = {}
        return self._context

    @property
    def channels(self) -> tuple[str, ...]:
        return self._channels

    def __repr__(self) -> str:
        return f"<Socket {self.log_id}>"

    # At its door

    def go_on_as(self, earlier: Socket) -> None:
        """Be the socket of a visit that was cut off: its id, its context and what user code kept."""
        self.session = earlier.session
        self._context = earlier._context
        self.asked = earlier.asked
        self.inbox = earlier.inbox
        self.inbox.go_on_for(self._transport)
        self.recovered = True

    def rejoin(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the channels of an earlier visit it may still hear; delivery is the caller's."""
        return tuple(name for name in channels if self.may_stay(name) and self._is_admitted(name))

    def accept(self) -> None:
        self._transport.accept()

    def refuse(self, reason: str, data: Any) -> None:
        self._transport.refuse(reason, data)

    # To this client

    def send(self, text: object) -> None:
        """Send a text message; what is no string becomes its string."""
        self.send_json(None, encode_json(text if isinstance(text, str) else str(text)))

    def send_json(self, name: str | None, data_json: str, *, volatile: bool = False) -> Written:
        """Send an event, or a message, whose data is JSON already."""
        if volatile and self._transport.is_behind:
            return DROPPED
        return self.send_arguments(name, Arguments(data_json))

    def send_arguments(self, name: str | None, arguments: Arguments) -> Written:
        return self._transport.send_event(name, arguments, None)

    def emit(
        self, name: str, *args: Any, callback: Callable[..., Any] | None = None, volatile: bool = False
    ) -> None:
        """Send an event. ``callback(*args)`` is called with the client's acknowledgement, if one comes.

        A ``volatile`` event is left out when the client is behind with reading.
        """
        arguments = encode_args(args)
        check_event_name(name)
        if volatile and self._transport.is_behind:
            return
        if callback is None:
            self._transport.send_event(name, arguments, None)
        else:
            # A receiver like any other: in its turn.
            reply = Reply(lambda answer: self.inbox.put(partial(callback, *answer)), lambda: None)
            self.ask(name, arguments, reply)

    def call(self, name: str, *args: Any, timeout: float = 10.0) -> Any:
        """Send an event and wait for its acknowledgement: ``timeout`` seconds, or until the client is gone.

        Then there is a TimeoutError.
        """
        arguments = encode_args(args)
        result: AsyncResult[Any] = AsyncResult()
        gone = TimeoutError(f"{name!r} was not acknowledged: the client is gone")
        # At once: behind the inbox an answer would wait for the receiver that waits for it.
        reply = Reply(
            lambda answer: result.set(answer[0] if len(answer) == 1 else tuple(answer)),
            lambda: result.set_exception(gone),
        )
        self.ask(check_event_name(name), arguments, reply)
        if not result.wait(timeout) and not result.ready():
            raise TimeoutError(f"{name!r} was not acknowledged within {timeout} s")
        return result.get()

    def ask(self, name: str, arguments: Arguments, reply: Reply) -> None:
        """Send an event whose acknowledgement somebody waits for."""
        if self.is_gone:
            reply.give_up()
            return
        if self._questions is None:
            self._questions = PendingAcks()
        self._transport.send_event(name, arguments, self._questions.add(reply))

    def answered(self, reply_id: Any, args: list[Any]) -> None:
        """The client acknowledged."""
        if self._questions is not None:
            self._questions.answered(reply_id, args)

    def give_up_asking(self) -> None:
        """The connection is gone."""
        if self._questions is not None:
            self._questions.give_up()

    def ack(self, event_id: Any, *args: Any) -> None:
        """Acknowledge the event with this id; :meth:`Event.ack` knows its own."""
        self._transport.send_ack(event_id, encode_args(args))

    def disconnect(self, code: int = 3503, reason: str = "disconnected by the server") -> None:
        """End the connection. Codes from 3500 to 3999 tell our client to stay away."""
        self._transport.close(code, reason)

    def cut_off(self, reason: str) -> None:
        """End the connection at once, without the closing handshake that :meth:`disconnect` begins."""
        self._transport.abort(reason)

    # To others

    def broadcast(self, message: Any) -> Receipt:
        """Send a message to every other socket."""
        return self._publish(EVERYONE, None, encode_args((message,)), self.id)

    def broadcast_send(self, text: object) -> Receipt:
        return self.broadcast(text if isinstance(text, str) else str(text))

    def broadcast_emit(
        self, name: str, *args: Any, include_self: bool = False, volatile: bool = False
    ) -> Receipt:
        """Send an event to every other socket, or to this one too."""
        check_event_name(name)
        exclude = None if include_self else self.id
        return self._publish(EVERYONE, name, encode_args(args), exclude, volatile)

    def broadcast_channel(self, message: Any, channel: str | None = None) -> Receipt:
        """Send a message to all others in a channel; None means in all of this socket's channels."""
        return self._to_channels(message, channel, self.id)

    def send_and_broadcast(self, message: Any) -> Receipt:
        """Send a message to every socket, this one included."""
        return self._publish(EVERYONE, None, encode_args((message,)), None)

    def send_and_broadcast_channel(self, message: Any, channel: str | None = None) -> Receipt:
        return self._to_channels(message, channel, None)

    def _to_channels(self, message: Any, channel: str | None, exclude: str | None) -> Receipt:
        arguments = encode_args((message,))
        names = self._channels if channel is None else (check_channel(channel),)
        receipts = (self._publish(name, None, arguments, exclude) for name in names)
        return sum(receipts, Receipt())

    def _publish(
        self,
        channel: str,
        event: str | None,
        arguments: Arguments,
        exclude: str | None,
        volatile: bool = False,
    ) -> Receipt:
        command = Publish(
            channel=channel,
            data_json=arguments.data_json,
            arity=arguments.arity,
            event=event,
            exclude=exclude,
            volatile=volatile,
            binary=arguments.binary,
        )
        return self._node.perform(command)

    # Channels

    def subscribe(self, channel: str, since: Position | None = None, command_id: Any = None) -> bool:
        """Join a channel, from a position if given; False when it is in it or a receiver refused.

        ``on_subscribe`` receivers run first, with the channel already among :attr:`channels`; one that
        returns False refuses, and nothing of the channel was sent.
        """
        check_channel(channel)
        if channel in self._channels or self.is_gone or self.is_refused:
            return False
        if len(self._channels) >= self._node.channels_per_connection:
            raise TooManyChannels(self._node.channels_per_connection)
        if not self._is_admitted(channel):
            return False
        catch_up = self._node.subscribe(self._transport, channel, since)
        self._transport.send_caught_up(channel, since, catch_up, command_id)
        return True

    def _is_admitted(self, channel: str) -> bool:
        """Ask the receivers; afterwards the channel is among :attr:`channels`, or it is not."""
        self._channels = (*self._channels, channel)
        outcome = receivers.run(signals.socket_subscribed, self, channel=channel)
        refused = outcome.refused is not None or any(value is False for value in outcome.values)
        # A receiver may have waited, and the client may have gone or left the channel meanwhile.
        refused = refused or self.is_gone or channel not in self._channels
        if refused or outcome.failed:
            self._leave(channel)
            return False
        return True

    def ask_for(self, channel: str, since: Position | None, token: str | None, command_id: Any) -> bool:
        """Join a channel because the client wants to; False when it may not, or a receiver refused."""
        if not channel_permissions.may_read(self._node.rules.of(channel), self.request, channel, token):
            return False
        if not self.subscribe(channel, since, command_id):
            return False
        self.asked = {**(self.asked or {}), channel: token}
        return True

    def tell_again(self, channel: str, since: Position, command_id: Any) -> None:
        """Tell a channel that it is in from a position on."""
        if self.is_gone:
            return
        self._node.unsubscribe(self._transport, channel)  # what is on its way is in the log, too
        catch_up = self._node.subscribe(self._transport, channel, since)
        self._transport.send_caught_up(channel, since, catch_up, command_id)

    def may_stay(self, channel: str) -> bool:
        """Whether it may still read a channel; where user code subscribed it, user code decides."""
        if self.asked is None or channel not in self.asked:
            return True
        token = self.asked[channel]
        return channel_permissions.may_read(self._node.rules.of(channel), self.request, channel, token)

    def closed_because(self, channel: str) -> str | None:
        """Why nobody can join the channel now: "full" or "no_channel"."""
        return self._node.closed_because(channel)

    def unsubscribe(self, channel: str) -> bool:
        """Leave a channel; False when it was not in it."""
        if channel not in self._channels:
            return False
        self._node.unsubscribe(self._transport, channel)
        receivers.run(signals.socket_unsubscribed, self, channel=channel)
        self._leave(channel)
        return True

    def expel(self, channel: str) -> None:
        """Make it leave a channel, at once, and tell its client; its receivers are told in their turn."""
        if channel not in self._channels:
            return
        self._node.unsubscribe(self._transport, channel)
        self._leave(channel)
        self._transport.send_expelled(channel)
        self.inbox.put(partial(receivers.run, signals.socket_unsubscribed, self, channel=channel))

    def _leave(self, channel: str) -> None:
        self._channels = tuple(name for name in self._channels if name != channel)
        if self.asked:
            self.asked.pop(channel, None)
