"""Visits that were cut off and may go on: what is kept of them, and for how long.

A visit is parked when its connection is lost, whatever the reason, and taken when the same client comes
back with the secret it was given. What nobody takes in time is over: ``on_finish``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic
from typing import Protocol

import gevent
from gevent.event import Event

from realtime_wall.channels.position import Position
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.recovery.subscribe_acks import Answers
from realtime_wall.sockets.socket import Socket

# How long a visit that was given to another server waits for it to say that it has come.
GIVING = 10.0


class Clockwork(Protocol):
    def schedule(self, what: Parked, delay: float) -> None: ...


class Parked:
    """A visit whose connection is gone."""

    __slots__ = ("_lot", "answers", "channels", "cursor", "due", "owner", "secret", "socket", "told")

    def __init__(
        self,
        lot: ParkingLot,
        secret: str,
        owner: str,
        socket: Socket,
        channels: tuple[str, ...],
        cursor: Position,
        told: Position,
        answers: Answers,
    ) -> None:
        self._lot = lot
        self.due = 0
        self.secret = secret
        self.owner = owner
        self.socket = socket
        self.channels = channels
        self.cursor = cursor  # of the last message that was written to it
        self.answers = answers  # to its subscribes: has the client had them?
        self.told = told  # up to where all that it was to hear was written

    def tick(self, now: float) -> None:
        self._lot.leave(self)


class ParkingLot:
    def __init__(self, clockwork: Clockwork, seconds: float) -> None:
        self._clockwork = clockwork
        self._parked: dict[str, Parked] = {}
        self._given: dict[str, Parked] = {}  # to other servers, which have not said yet that they have it
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

    def park(self, parked: Parked) -> None:
        self.forget(parked.secret)
        self.has_come(parked.secret)
        self._parked[parked.secret] = parked
        self._clockwork.schedule(parked, self.seconds)

    def visits(self) -> Collection[Parked]:
        """Those that are parked now."""
        return list(self._parked.values())

    def take(self, secret: str, owner: str) -> Parked | None:
        """The visit with this secret, if it is this visitor's.

        Its old connection may look alive: the client knows better that it is not.
        """
        present = self._present.get(secret)
        if present is not None and present[0] == owner:
            present[1]()
        parked = self._parked.get(secret)
        if parked is None or parked.owner != owner:
            return None
        del self._parked[secret]
        parked.due = 0
        self._taken.set()
        return parked

    def knows(self, secret: str) -> bool:
        """Whether the visit with this secret is here."""
        return secret in self._present or secret in self._parked

    def give(self, secret: str, owner: str) -> Parked | None:
        """Take it for another server. It is over if that never says that it has come."""
        parked = self.take(secret, owner)
        if parked is not None:
            self._given[secret] = parked
            self._clockwork.schedule(parked, GIVING)
        return parked

    def has_come(self, secret: str) -> None:
        """A visit that was given away goes on at another server."""
        parked = self._given.pop(secret, None)
        if parked is not None:
            parked.due = 0
            self._taken.set()

    def leave(self, parked: Parked) -> None:
        """It is over: nobody came back in time, or not to what could still be told."""
        self._parked.pop(parked.secret, None)
        self._given.pop(parked.secret, None)
        parked.due = 0
        self._taken.set()
        lifecycle.finish(parked.socket)

    def wait_until_taken(self, visits: Collection[Parked], seconds: float, hurry: Event) -> None:
        """Until all of these go on elsewhere, or are over."""
        deadline = monotonic() + seconds
        while not hurry.is_set() and any(map(self._has, visits)):
            self._taken.clear()
            left = deadline - monotonic()
            if left <= 0:
                return
            gevent.wait([self._taken, hurry], timeout=left, count=1)

    def _has(self, parked: Parked) -> bool:
        return parked in (self._parked.get(parked.secret), self._given.get(parked.secret))

    def close(self) -> None:
        """The server ends: nobody can come back to a visit of this process."""
        for parked in [*self.visits(), *self._given.values()]:
            self.leave(parked)
