"""Sessions whose connection is lost: what is kept of them, and for how long.

A session is detached when its connection is lost, whatever the reason, and resumed when the same client comes
back with the secret it was given. What nobody resumes in time expires: ``on_finish``.
"""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic
from typing import Protocol

import gevent
from gevent.event import Event

from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome
from realtime_wall.wire.timer_wheel import TimerWheel

# How long a session that was given to another server waits for the word that it was resumed there.
MIGRATION_TIMEOUT = 10.0


class AttachedConnection(Protocol):
    """What a session is connected by."""

    def abort(self, reason: str) -> None:
        """End it at once, which detaches its session."""


class DetachedSession:
    """A session whose connection is lost."""

    __slots__ = (
        "_kept_in",
        "acks",
        "channels",
        "complete",
        "cursor",
        "due",
        "owner",
        "secret",
        "session",
        "welcome",
    )

    def __init__(
        self,
        kept_in: DetachedSessions,
        secret: str,
        owner: str,
        session: ClientSession,
        channels: tuple[str, ...],
        welcome: Welcome,
        cursor: Position,
        complete: Position,
        acks: SubscribeAcks,
    ) -> None:
        self._kept_in = kept_in
        self.due = 0
        self.secret = secret
        self.owner = owner
        self.session = session
        self.channels = channels
        self.welcome = welcome
        self.cursor = cursor  # of the last message that was written to it
        self.acks = acks  # of its subscribes: has the client had them?
        self.complete = complete  # up to where all that it was to hear was written

    def since(self, offset: str | None) -> Position | None:
        """From where on its client, which has this offset, missed something; None when nobody can tell."""
        position: Position | None = self.welcome.position
        if not self.welcome.is_all_it_has(offset):
            position = _position(offset) if self.acks.are_known_to(offset) else None
        elif self.acks.are_any or not self.welcome.is_certain(offset):
            position = None
        # It may have had all that was written to it. In a quiet channel that may be long ago, and what was
        # kept since may be gone; but there was nothing for it.
        return self.complete if position == self.cursor else position

    def tick(self, now: float) -> None:
        self._kept_in.expire(self)


def _position(offset: str | None) -> Position | None:
    try:
        return Position.parse(offset)
    except InvalidPosition:
        return None


class DetachedSessions:
    def __init__(self, timer_wheel: TimerWheel, seconds: float) -> None:
        self._timer_wheel = timer_wheel
        self._detached: dict[str, DetachedSession] = {}
        # Given to other servers, which have not confirmed yet that they have them.
        self._migrating: dict[str, DetachedSession] = {}
        self._attached: dict[
            str, tuple[str, AttachedConnection]
        ] = {}  # whose sessions are connected, and by what
        self._taken = Event()  # one of those that were here is not any more
        self.seconds = seconds

    def attach(self, secret: str, owner: str, connection: AttachedConnection) -> None:
        """A session is connected; without a secret it cannot be resumed."""
        if secret:
            self.migrated(secret)  # and came back, before the other server had confirmed it
            self._attached[secret] = owner, connection

    def forget(self, secret: str) -> None:
        """A session ended for good while it was connected."""
        self._attached.pop(secret, None)

    def detach(self, detached: DetachedSession) -> None:
        self.forget(detached.secret)
        self.migrated(detached.secret)
        self._detached[detached.secret] = detached
        self._timer_wheel.schedule(detached, self.seconds)

    def all(self) -> Collection[DetachedSession]:
        return list(self._detached.values())

    def take(self, secret: str, owner: str) -> DetachedSession | None:
        """The session with this secret, if it is this visitor's, to be resumed.

        Its old connection may look alive: the client knows better that it is not.
        """
        attached = self._attached.get(secret)
        if attached is not None and attached[0] == owner:
            attached[1].abort("the client came back")
        detached = self._detached.get(secret)
        if detached is None or detached.owner != owner:
            return None
        del self._detached[secret]
        detached.due = 0
        self._taken.set()
        return detached

    def knows(self, secret: str) -> bool:
        """Whether the session with this secret is here."""
        return secret in self._attached or secret in self._detached

    def migrate(self, secret: str, owner: str) -> DetachedSession | None:
        """Take it for another server. It expires if that never confirms that it has it."""
        detached = self.take(secret, owner)
        if detached is not None:
            self._migrating[secret] = detached
            self._timer_wheel.schedule(detached, MIGRATION_TIMEOUT)
        return detached

    def migrated(self, secret: str) -> None:
        """A session that was given away was resumed at another server."""
        detached = self._migrating.pop(secret, None)
        if detached is not None:
            detached.due = 0
            self._taken.set()

    def expire(self, detached: DetachedSession) -> None:
        """Nobody resumed it in time, or not all that was missed is still kept."""
        self._detached.pop(detached.secret, None)
        self._migrating.pop(detached.secret, None)
        detached.due = 0
        self._taken.set()
        lifecycle.finish(detached.session)

    def wait_until_taken(self, sessions: Collection[DetachedSession], seconds: float, hurry: Event) -> None:
        """Until all of these are resumed elsewhere, or have expired."""
        deadline = monotonic() + seconds
        while not hurry.is_set() and any(map(self._has, sessions)):
            self._taken.clear()
            left = deadline - monotonic()
            if left <= 0:
                return
            gevent.wait([self._taken, hurry], timeout=left, count=1)

    def _has(self, detached: DetachedSession) -> bool:
        return detached in (self._detached.get(detached.secret), self._migrating.get(detached.secret))

    def close(self) -> None:
        """The server ends: nobody can resume a session of this process."""
        for detached in [*self.all(), *self._migrating.values()]:
            self.expire(detached)
