"""Visits that were cut off and may go on: what is kept of them, and for how long.

A visit is parked when its connection is lost, whatever the reason, and taken when the same client comes
back with the secret it was given. What nobody takes in time is over: ``on_finish``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic

import gevent
from gevent.event import Event

from realtime_wall.channels.position import Position
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.wire.timer_wheel import TimerWheel

# How long a visit that was given to another server waits for it to say that it has come.
GIVING = 10.0


class DetachedSession:
    """A visit whose connection is gone."""

    __slots__ = ("_lot", "answers", "channels", "cursor", "due", "owner", "secret", "session", "told")

    def __init__(
        self,
        lot: DetachedSessions,
        secret: str,
        owner: str,
        session: ClientSession,
        channels: tuple[str, ...],
        cursor: Position,
        told: Position,
        answers: SubscribeAcks,
    ) -> None:
        self._lot = lot
        self.due = 0
        self.secret = secret
        self.owner = owner
        self.session = session
        self.channels = channels
        self.cursor = cursor  # of the last message that was written to it
        self.answers = answers  # to its subscribes: has the client had them?
        self.told = told  # up to where all that it was to hear was written

    def tick(self, now: float) -> None:
        self._lot.leave(self)


class DetachedSessions:
    def __init__(self, timer_wheel: TimerWheel, seconds: float) -> None:
        self._timer_wheel = timer_wheel
        self._detached: dict[str, DetachedSession] = {}
        self._given: dict[
            str, DetachedSession
        ] = {}  # to other servers, which have not said yet that they have it
        # Whose visits are connected, and what ends such a connection, which parks the visit.
        self._present: dict[str, tuple[str, Callable[[], None]]] = {}
        self._taken = Event()  # one of those that were here is not any more
        self.seconds = seconds

    def arrive(self, secret: str, owner: str, cut_off: Callable[[], None]) -> None:
        """A visit is connected; without a secret it cannot be resumed."""
        if secret:
            self.has_come(secret)  # and came back, before the other server had said it
            self._present[secret] = owner, cut_off

    def forget(self, secret: str) -> None:
        """A visit ended for good while it was connected."""
        self._present.pop(secret, None)

    def detach(self, detached: DetachedSession) -> None:
        self.forget(detached.secret)
        self.has_come(detached.secret)
        self._detached[detached.secret] = detached
        self._timer_wheel.schedule(detached, self.seconds)

    def visits(self) -> Collection[DetachedSession]:
        """Those that are parked now."""
        return list(self._detached.values())

    def take(self, secret: str, owner: str) -> DetachedSession | None:
        """The visit with this secret, if it is this visitor's.

        Its old connection may look alive: the client knows better that it is not.
        """
        present = self._present.get(secret)
        if present is not None and present[0] == owner:
            present[1]()
        detached = self._detached.get(secret)
        if detached is None or detached.owner != owner:
            return None
        del self._detached[secret]
        detached.due = 0
        self._taken.set()
        return detached

    def knows(self, secret: str) -> bool:
        """Whether the visit with this secret is here."""
        return secret in self._present or secret in self._detached

    def give(self, secret: str, owner: str) -> DetachedSession | None:
        """Take it for another server. It is over if that never says that it has come."""
        detached = self.take(secret, owner)
        if detached is not None:
            self._given[secret] = detached
            self._timer_wheel.schedule(detached, GIVING)
        return detached

    def has_come(self, secret: str) -> None:
        """A visit that was given away goes on at another server."""
        detached = self._given.pop(secret, None)
        if detached is not None:
            detached.due = 0
            self._taken.set()

    def leave(self, detached: DetachedSession) -> None:
        """It is over: nobody came back in time, or not to what could still be told."""
        self._detached.pop(detached.secret, None)
        self._given.pop(detached.secret, None)
        detached.due = 0
        self._taken.set()
        lifecycle.finish(detached.session)

    def wait_until_taken(self, visits: Collection[DetachedSession], seconds: float, hurry: Event) -> None:
        """Until all of these go on elsewhere, or are over."""
        deadline = monotonic() + seconds
        while not hurry.is_set() and any(map(self._has, visits)):
            self._taken.clear()
            left = deadline - monotonic()
            if left <= 0:
                return
            gevent.wait([self._taken, hurry], timeout=left, count=1)

    def _has(self, detached: DetachedSession) -> bool:
        return detached in (self._detached.get(detached.secret), self._given.get(detached.secret))

    def close(self) -> None:
        """The server ends: nobody can come back to a visit of this process."""
        for detached in [*self.visits(), *self._given.values()]:
            self.leave(detached)
