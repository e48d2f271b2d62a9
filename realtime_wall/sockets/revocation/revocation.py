"""Who has to go: whose session or account is over, and who may not stay on a channel any more.

A socket that has to go is closed with a code that keeps its client away; one that was cut off already, and
might come back, cannot.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Protocol

from realtime_wall.auth import django_sessions
from realtime_wall.brokers.commands import LOGGED_OUT, Disconnect, DisconnectUser, RecheckPermissions
from realtime_wall.config import Config
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.recovery.detached_sessions import DetachedSessions
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.returns.tickets import Tickets
from realtime_wall.sockets.revocation.session_expiry import Sessions
from realtime_wall.sockets.socket import Socket
from realtime_wall.wire.time_slice import TimeSlice
from realtime_wall.wire.timer_wheel import TimerWheel

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears channels over HTTP, and sends nothing."""

    session_key: str | None

    def end(self, reason: str) -> None:
        """Let go of it. If it comes back, the rules are asked about whoever it is then."""


class Revocation:
    def __init__(
        self,
        config: Config,
        timer_wheel: TimerWheel,
        detached_sessions: DetachedSessions,
        listeners: set[Listener],
    ) -> None:
        self._detached_sessions = detached_sessions
        self._listeners = listeners
        self.sessions = Sessions(timer_wheel, self._keys, self._expired)
        self.tickets = Tickets(config, timer_wheel, self.sessions)

    def cut(self, command: DisconnectUser) -> int:
        """Close the sockets of a session or of a user; how many that were."""
        if command.session_key is not None:
            self.tickets.revoke_session(command.session_key)
            if command.spares_anonymous and not self.sessions.is_somebodys(command.session_key):
                return 0
            return self._close({command.session_key}, command.reason, command.code)
        self.tickets.revoke_user(command.user_id)
        users = self.sessions.users_of(self._keys())
        theirs = {key for key, user in users.items() if user == command.user_id}
        return self._close(theirs, command.reason, command.code)

    def disconnect(self, command: Disconnect) -> bool:
        """Close one socket, or end a detached session; False when there is no such."""
        self.tickets.revoke_return(command.session_id)
        for detached in self._detached_sessions.all():
            if detached.session.id == command.session_id:
                self._detached_sessions.expire(detached)
                return True
        socket = connected_sockets.get(command.session_id)
        if socket is not None:
            socket.disconnect(command.code, command.reason)
        return socket is not None

    def users(self, sockets: Iterable[Socket]) -> dict[str, str | None]:
        """Whose each socket is: the session of its handshake says it."""
        keys = {socket.id: django_sessions.session_key_of(socket.request) for socket in sockets}
        users = self.sessions.users_of({key for key in keys.values() if key is not None})
        return {session_id: users.get(key or "") for session_id, key in keys.items()}

    def _expired(self, session_keys: Collection[str]) -> None:
        count = self._close(session_keys, "the session has expired")
        log.info("%d sessions have expired, and %d sockets with them", len(session_keys), count)

    def _close(self, session_keys: Collection[str], reason: str, code: int = LOGGED_OUT) -> int:
        for detached in self._detached_sessions.all():
            if django_sessions.session_key_of(detached.session.request) in session_keys:
                self._detached_sessions.expire(detached)
        sockets = [
            one for one in connected_sockets if django_sessions.session_key_of(one.request) in session_keys
        ]
        for socket in sockets:
            socket.disconnect(code, reason)
        return len(sockets) + self._end_listeners(session_keys, reason)

    def _end_listeners(self, session_keys: Collection[str], reason: str) -> int:
        listeners = [one for one in self._listeners if one.session_key in session_keys]
        for listener in listeners:
            listener.end(reason)
        return len(listeners)

    def _keys(self) -> set[str]:
        """Of the sessions that sockets came with."""
        sockets = (
            *connected_sockets,
            *(detached.session.socket for detached in self._detached_sessions.all()),
        )
        keys = (django_sessions.session_key_of(socket.request) for socket in sockets)
        of_listeners = (listener.session_key for listener in self._listeners)
        return {key for key in (*keys, *of_listeners) if key is not None}

    def ask_again(self, command: RecheckPermissions) -> int:
        """Take sockets out of the channels that they may not hear any more; how many lost one.

        Each user costs some queries: others have their turns meanwhile.
        """
        self.tickets.revoke_user(command.user_id)
        users = self.sessions.users_of(self._keys())
        of_user: dict[str, list[Socket]] = defaultdict(list)
        for socket in connected_sockets:
            user_id = users.get(django_sessions.session_key_of(socket.request) or "")
            if user_id is not None and command.user_id in (None, user_id):
                of_user[user_id].append(socket)
        time_slice, left = TimeSlice(), 0
        for sockets in of_user.values():
            # What a request knows of its user is as old as the connection.
            django_sessions.renew_user([socket.request for socket in sockets])
            for socket in sockets:
                if socket in connected_sockets:  # or it has gone meanwhile, and is asked when it is back
                    left += self._leaves_some(socket)
                time_slice.yield_if_due()
            for socket in sockets:
                django_sessions.forget_user(socket.request)
        theirs = {key for key, user in users.items() if user is not None and command.user_id in (None, user)}
        return left + self._end_listeners(theirs, "what it may read has changed")

    def _leaves_some(self, socket: Socket) -> bool:
        forbidden = [channel for channel in socket.channels if not self._stays(socket, channel)]
        for channel in forbidden:
            session_of(socket).expel(channel)
        return bool(forbidden)

    def _stays(self, socket: Socket, channel: str) -> bool:
        try:
            return session_of(socket).may_still_read(channel)
        except Exception:
            log.exception("the rule of channel %r failed for %r: it leaves", channel, socket)
            return False
