"""What does a client keep to come back with, and what is kept of it until then?

The client keeps a secret and an offset, the server the session (``sockets/recovery/detached_sessions.py``).
"""

from __future__ import annotations

from realtime_wall.channels.position import Position
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.recovery.detached_sessions import (
    AttachedConnection,
    DetachedSession,
    DetachedSessions,
)
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome


class Recovery:
    """``secret`` is empty when the client cannot come back as the same; the official one calls it pid."""

    __slots__ = ("_detached_sessions", "_owner", "_welcome", "acks", "secret")

    def __init__(
        self, detached_sessions: DetachedSessions, owner: str, secret: str, welcome: Welcome
    ) -> None:
        self.secret = secret
        self.acks = SubscribeAcks(welcome.offset)
        self._welcome = welcome
        self._detached_sessions = detached_sessions
        self._owner = owner

    def offset(self, cursor: Position) -> str | None:
        """What the client keeps, once all up to the cursor was written to it."""
        return self.acks.offset(cursor) if self.secret else None

    def attach(self, connection: AttachedConnection) -> None:
        """The client was welcomed; its connection is aborted when it comes back on another."""
        self._detached_sessions.attach(self.secret, self._owner, connection)

    def detach(
        self, session: ClientSession, channels: tuple[str, ...], cursor: Position, complete: Position
    ) -> None:
        """The connection is lost; the client may come back."""
        kept, acks = self._detached_sessions, self.acks
        kept.detach(
            DetachedSession(
                kept, self.secret, self._owner, session, channels, self._welcome, cursor, complete, acks
            )
        )

    def forget(self) -> None:
        """The session ended for good."""
        self._detached_sessions.forget(self.secret)
