"""What does this server do for its own clients, when it or another one asks?"""

from __future__ import annotations

import logging
from functools import partial

from realtime_wall.brokers.commands import (
    Ask,
    Count,
    Disconnect,
    DisconnectUser,
    Move,
    RecheckPermissions,
    SendTo,
)
from realtime_wall.brokers.results import Answers, Receipt
from realtime_wall.brokers.rpc import Handlers
from realtime_wall.errors import NoSocket, TooManyChannels
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.node.publisher import Publisher
from realtime_wall.sockets import ack_collector
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession, session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.revocation.revocation import Revocation
from realtime_wall.wire.connection import DROPPED, QUEUED

log = logging.getLogger(__name__)


class LocalCommands:
    def __init__(self, publisher: Publisher, subscriptions: Subscriptions, revocation: Revocation) -> None:
        self._publisher = publisher
        self._subscriptions = subscriptions
        self._revocation = revocation

    def register(self, handlers: Handlers) -> None:
        handlers.add(SendTo, self._send)
        handlers.add(Ask, self._ask)
        handlers.add(Count, self._count)
        handlers.add(Disconnect, self._disconnect)
        handlers.add(DisconnectUser, self._disconnect_user)
        handlers.add(RecheckPermissions, self._recheck_permissions)
        handlers.add(Move, self._move)

    def _send(self, command: SendTo) -> Receipt:
        socket = connected_sockets.get(command.session_id)
        if socket is None:
            raise no_socket(command.session_id)
        self._publisher.check_size(command.data_json)
        arguments = Arguments(command.data_json, command.arity, command.binary)
        written = session_of(socket).send_event(command.event, arguments)
        return Receipt(
            processes=1,
            sockets=int(written is not DROPPED),
            queued=int(written is QUEUED),
            dropped=int(written is DROPPED),
        )

    def _ask(self, command: Ask) -> Answers:
        self._publisher.check_size(command.data_json)
        sessions = self._sessions_on(command.channel)
        if not sessions:
            raise NoSocket(f"There is nobody to ask on the channel: {command.channel}")
        arguments = Arguments(command.data_json, command.arity, command.binary)
        return ack_collector.ask(sessions, command.event, arguments, command.timeout)

    def _sessions_on(self, channel: str) -> list[ClientSession]:
        self._publisher.has_listener(channel)  # who is on it by a wildcard is put on it now
        return [one.session for one in self._subscriptions.snapshot(channel) if one.session is not None]

    def _count(self, command: Count) -> Receipt:
        if not self._publisher.has_listener(command.channel, command.exclude):
            return Receipt(processes=1)
        if command.exclude is not None:  # how many are meant takes a look at each of them
            return Receipt(processes=1, sockets=1)
        return Receipt(processes=1, sockets=self._subscriptions.count(command.channel))

    def _disconnect(self, command: Disconnect) -> Receipt:
        if not self._revocation.disconnect(command):
            raise no_socket(command.session_id)
        return Receipt(processes=1, sockets=1)

    def _disconnect_user(self, command: DisconnectUser) -> Receipt:
        return Receipt(processes=1, sockets=self._revocation.cut(command))

    def _recheck_permissions(self, command: RecheckPermissions) -> Receipt:
        return Receipt(processes=1, sockets=self._revocation.ask_again(command))

    def _move(self, command: Move) -> Receipt:
        """In their own turn: subscribing asks receivers, which may wait."""
        if command.on is not None:
            sessions = self._sessions_on(command.on)
        elif command.session_id is not None:
            found = connected_sockets.get(command.session_id)
            sessions = [] if found is None else [session_of(found)]
        else:
            whose = self._revocation.users(connected_sockets)
            sessions = [session_of(one) for one in connected_sockets if whose.get(one.id) == command.user_id]
        for session in sessions:
            session.inbox.put(partial(_leave if command.off else _join, session, command.channel))
        return Receipt(processes=1, sockets=len(sessions))


def _join(session: ClientSession, channel: str) -> None:
    try:
        session.subscribe(channel)
    except TooManyChannels as problem:
        log.warning("socket %s was not put on channel %r: %s", session.log_id, channel, problem)


def _leave(session: ClientSession, channel: str) -> None:
    session.unsubscribe(channel)


def no_socket(session_id: str) -> NoSocket:
    return NoSocket(f"There is no socket with the session ID: {session_id}")
