"""The inside of a connected client: what its transport, its server and its receivers share.

User code has the handle, :class:`~realtime_wall.sockets.socket.Socket`. Whoever of us is given a handle gets
here by :func:`session_of`, and in no other way.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, cast

from django.http import HttpRequest

from realtime_wall import signals
from realtime_wall.auth import channel_permissions
from realtime_wall.auth.return_ticket import Ticket
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.node_id import shown
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.channels.wildcards import check_subscribable
from realtime_wall.errors import TooManyChannels
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.dispatch import receivers
from realtime_wall.sockets.dispatch.inbox import Inbox
from realtime_wall.sockets.interfaces import Node, Transport
from realtime_wall.sockets.pending_acks import PendingAcks, Reply
from realtime_wall.sockets.socket import Session, Socket
from realtime_wall.wire.connection import DROPPED, Written


class ClientSession:
    __slots__ = (
        "_context",
        "_pending_acks",
        "auth",
        "channels",
        "connected_at",
        "inbox",
        "is_disconnected",
        "is_refused",
        "namespace",
        "node",
        "recovered",
        "request",
        "requested",
        "socket",
        "ticket",
        "transport",
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
        self.node = node
        self.transport = transport
        self.request = request
        self.namespace = namespace
        self.auth = auth
        self.socket = Socket(self, Session(session_id))
        self.connected_at = int(time.time())
        self.recovered = False
        self.inbox = Inbox(node.pool, transport, request)
        self.is_refused = False  # by a connect receiver: what the client already sent is not heard
        self.is_disconnected = False  # what the client sent before is still heard
        self.channels: tuple[str, ...] = ()
        # The channels that the client itself asked for, with what it gave to be let in.
        self.requested: dict[str, str | None] | None = None
        # By which it has returned, until the site was asked about it again.
        self.ticket: Ticket | None = None
        self._context: dict[str, Any] | None = None
        self._pending_acks: PendingAcks | None = None  # most are never asked anything

    @property
    def id(self) -> str:
        return self.socket.session.session_id

    @property
    def log_id(self) -> str:
        return shown(self.id)

    @property
    def context(self) -> dict[str, Any]:
        if self._context is None:
            self._context = {}
        return self._context

    def take_over(self, earlier: ClientSession) -> None:
        """Be the session that was detached: its id, its context and what user code kept."""
        self.socket.session = earlier.socket.session
        self._context = earlier._context
        self.requested = earlier.requested
        self.inbox = earlier.inbox
        self.inbox.continue_for(self.transport, self.request)
        self.recovered = True

    # To its client

    def send_event(self, name: str | None, arguments: Arguments) -> Written:
        """Send an event; without a name it is a message."""
        return self.transport.send_event(name, arguments, None)

    def send_volatile(self, name: str | None, arguments: Arguments) -> Written:
        """The same, but not to a client that is behind with reading."""
        if self.transport.is_behind:
            return DROPPED
        return self.transport.send_event(name, arguments, None)

    def ask(self, name: str, arguments: Arguments, reply: Reply) -> None:
        """Send an event whose acknowledgement somebody waits for."""
        if self.is_disconnected:
            reply.give_up()
            return
        if self._pending_acks is None:
            self._pending_acks = PendingAcks()
        self.transport.send_event(name, arguments, self._pending_acks.add(reply))

    def acknowledged(self, reply_id: Any, args: list[Any]) -> None:
        """By the client."""
        if self._pending_acks is not None:
            self._pending_acks.acknowledged(reply_id, args)

    def disconnected(self) -> None:
        """The connection is lost: nobody will acknowledge what was sent over it."""
        self.is_disconnected = True
        if self._pending_acks is not None:
            self._pending_acks.give_up()

    # To others

    def publish(
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
        return self.node.perform(command)

    # Channels

    def subscribe(
        self, channel: str, since: Position | None = None, command_id: Any = None, look_back: int = 0
    ) -> bool:
        """Join a channel, from a position if given; False when it is in it or a receiver refused."""
        check_subscribable(channel, self.node.rules, self.channels)
        self.node.come_up_to(Since.had(since))
        if channel in self.channels or self.is_disconnected or self.is_refused:
            return False
        if len(self.channels) >= self.node.channels_per_connection:
            raise TooManyChannels(self.node.channels_per_connection)
        if not self._is_admitted(channel):
            return False
        catch_up = self.node.subscribe(self.transport, {channel: look_back}, Since.had(since))
        self.transport.send_caught_up(channel, since, catch_up, command_id)
        return True

    def subscribe_for_client(
        self, channel: str, since: Position | None, token: str | None, command_id: Any, look_back: int = 0
    ) -> bool:
        """Join a channel because the client wants to; False when it may not, or a receiver refused."""
        was_on_it = self.ticket is not None and token is None and channel in self.ticket.channels
        if not was_on_it and not channel_permissions.may_read(
            self.node.rules.of(channel), self.request, channel, token
        ):
            return False
        if not self.subscribe(channel, since, command_id, look_back):
            return False
        self.requested = {**(self.requested or {}), channel: token}
        return True

    def catch_up_again(self, channel: str, since: Position, command_id: Any) -> None:
        """Send what followed a position on a channel that it is in."""
        self.node.come_up_to(Since.had(since))
        if self.is_disconnected:
            return
        self.node.unsubscribe(self.transport, channel)  # what is on its way is in the log, too
        catch_up = self.node.subscribe(self.transport, {channel: 0}, Since.had(since))
        self.transport.send_caught_up(channel, since, catch_up, command_id)

    def readmit(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the channels of a detached session it may still hear; delivery is the caller's."""
        return tuple(name for name in channels if self.may_still_read(name) and self._is_admitted(name))

    def _is_admitted(self, channel: str) -> bool:
        """Ask the receivers; afterwards the channel is among :attr:`channels`, or it is not."""
        self.channels = (*self.channels, channel)
        outcome = receivers.run(signals.socket_subscribed, self.socket, channel=channel)
        refused = outcome.refused is not None or any(value is False for value in outcome.values)
        # A receiver may have waited, and the client may have gone or left the channel meanwhile.
        refused = refused or self.is_disconnected or channel not in self.channels
        if refused or outcome.failed:
            self._leave(channel)
            return False
        return True

    def may_still_read(self, channel: str) -> bool:
        """Where user code subscribed it, user code decides."""
        if self.requested is None or channel not in self.requested:
            return True
        token = self.requested[channel]
        return channel_permissions.may_read(self.node.rules.of(channel), self.request, channel, token)

    def unsubscribe(self, channel: str) -> bool:
        """Leave a channel; False when it was not in it."""
        if channel not in self.channels:
            return False
        self.node.unsubscribe(self.transport, channel)
        receivers.run(signals.socket_unsubscribed, self.socket, channel=channel)
        self._leave(channel)
        return True

    def expel(self, channel: str) -> None:
        """Take it out of a channel, at once, and notify its client; its receivers run in their turn."""
        if channel not in self.channels:
            return
        self.node.unsubscribe(self.transport, channel)
        self._leave(channel)
        self.transport.send_expelled(channel)
        self.inbox.put(partial(receivers.run, signals.socket_unsubscribed, self.socket, channel=channel))

    def _leave(self, channel: str) -> None:
        self.channels = tuple(name for name in self.channels if name != channel)
        if self.requested:
            self.requested.pop(channel, None)


def session_of(socket: Socket) -> ClientSession:
    """The inside of a handle."""
    return cast(ClientSession, socket._session)
