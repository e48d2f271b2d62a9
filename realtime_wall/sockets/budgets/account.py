"""What one client has made us do, and which budgets pay for it: its own, its address's and its user's.

What it does is only added up here. It is settled in batches: for each single event the budgets would cost as
much as the event itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from realtime_wall.sockets.budgets.budget import (
    BYTES,
    EVENTS,
    FRAMES,
    SECONDS,
    SUBSCRIBES,
    Budget,
)
from realtime_wall.sockets.budgets.user_connection import UserConnection
from realtime_wall.wire import gc_pause
from realtime_wall.wire.connection import Wire

if TYPE_CHECKING:
    from realtime_wall.sockets.budgets.visitors import Visitor, Visitors

# Bytes after which it is settled, as it is after a batch of frames; seconds of ours; and those of whoever
# sends little.
LARGE_BATCH, LONG_BATCH, LATEST = 64 * 1024, 0.1, 5.0
# What a client that only listens says in that time, at the most: a pong, or who it is.
FEW, SMALL, SHORT = 2, 256, 0.01


class Account(UserConnection):
    """``bytes``, ``events`` and so on are what has been made of it since it was settled."""

    __slots__ = (
        "_address",
        "_named",
        "_own",
        "_settle_at",
        "bytes",
        "events",
        "frames",
        "seconds",
        "subscribes",
    )

    def __init__(self, visitors: Visitors, address: Visitor | None) -> None:
        super().__init__(visitors)
        self.frames = self.bytes = self.events = self.subscribes = 0
        self.seconds = 0.0
        self._named: dict[str, float] | None = None  # events that have a rate of their own
        self._own: Budget | None = None  # most clients listen
        self._address = address
        self._settle_at = 0.0

    def note_event(self, name: str) -> None:
        self.events += 1
        if (limited := self._visitors.event_batches.get(name)) is not None:
            key, batch = limited
            self._named = named = self._named or {}
            named[key] = count = named.get(key, 0) + 1
            if count >= batch:
                self._settle_at = 0.0

    def note_subscribes(self, count: int) -> None:
        """Of which so few are allowed, and each takes so long, that they are settled at once."""
        self.subscribes += count
        self._settle_at = 0.0

    def note_read(self, frames: int, size: int, now: float) -> bool:
        """What has arrived; whether it is time to settle."""
        self.frames += frames
        self.bytes += size
        return (
            self.frames >= self._visitors.batch
            or self.bytes >= LARGE_BATCH
            or self.seconds >= LONG_BATCH
            or now >= self._settle_at
        )

    def settle(self, now: float) -> float:
        """Let the budgets pay; for how many seconds nothing more should be read, 0 for none."""
        if self._own is None and not self._only_listens():
            self._own = Budget(self._visitors.rates)
        self.find_user()
        spent = self._take_spent()
        self._settle_at = now + LATEST
        return max((budget.take(spent, now) for budget in self._budgets()), default=0.0)

    def _only_listens(self) -> bool:
        """Of its own budget that would not be missed."""
        is_little = self.frames <= FEW and self.bytes <= SMALL and self.seconds <= SHORT
        return is_little and not (self.events or self.subscribes)

    def _take_spent(self) -> dict[str, float]:
        spent: dict[str, float] = {BYTES: self.bytes, FRAMES: self.frames}
        if self.events:
            spent[EVENTS] = self.events
        if self.subscribes:
            spent[SUBSCRIBES] = self.subscribes
        if self.seconds:
            spent[SECONDS] = self.seconds
        if self._named is not None:
            spent.update(self._named)
        self.frames = self.bytes = self.events = self.subscribes = 0
        self.seconds, self._named = 0.0, None
        return spent

    def exceeded(self, now: float, patience: float) -> str | None:
        """Which limit slowing down was of no use for."""
        return next(filter(None, (one.exhausted(now, patience) for one in self._budgets())), None)

    def _budgets(self) -> list[Budget]:
        shared = [visitor.budget for visitor in (self._address, self._user) if visitor is not None]
        return shared if self._own is None else [self._own, *shared]

    def close(self) -> None:
        """The client is gone."""
        if self.frames or self.seconds:
            self.settle(monotonic())
        self._address = None
        super().close()


@contextmanager
def reading_large(account: Account) -> Iterator[Callable[[], None]]:
    """Around the reading of a large message, of which there is one at a time; what to call in between."""
    with gc_pause.reading():
        yield PaidTurn(account)


class PaidTurn:
    """Called again and again while a large message is read: its client pays, and others may have a turn."""

    __slots__ = ("_account", "_began")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._began = monotonic()

    def __call__(self) -> None:
        self._account.seconds += monotonic() - self._began
        Wire.turns.wait()
        self._began = monotonic()
