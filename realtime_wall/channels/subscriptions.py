"""Who is on a channel, in this process?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from realtime_wall.channels.names import BETWEEN_SERVERS

Subscriber = TypeVar("Subscriber")  # anything hashable


class Subscriptions(Generic[Subscriber]):
    """Channels and those who hear them, in the order in which they came.

    A snapshot is copied when somebody has come or gone since the last one, and is otherwise the
    very same tuple: a fan-out that is under way keeps its own, and can tell by ``is`` that
    nothing has changed.
    """

    def __init__(self) -> None:
        # Most channels have one subscriber: then its snapshot is all there is.
        self._channels: dict[str, tuple[Subscriber, ...] | _Several[Subscriber]] = {}

    def add(self, channel: str, subscriber: Subscriber) -> bool:
        """True when it was not on the channel before."""
        there = self._channels.get(channel)
        if there is None:
            self._channels[channel] = (subscriber,)
            return True
        if isinstance(there, tuple):
            if subscriber in there:
                return False
            there = self._channels[channel] = _Several(there)
        return there.add(subscriber)

    def remove(self, channel: str, subscriber: Subscriber) -> bool:
        """True when it was on the channel."""
        there = self._channels.get(channel)
        if isinstance(there, _Several):
            removed = there.remove(subscriber)
            if len(there) == 1:
                self._channels[channel] = there.snapshot()
            return removed
        if there is None or subscriber not in there:
            return False
        del self._channels[channel]
        return True

    def snapshot(self, channel: str) -> tuple[Subscriber, ...]:
        there = self._channels.get(channel, ())
        return there if isinstance(there, tuple) else there.snapshot()

    def count(self, channel: str) -> int:
        return len(self._channels.get(channel, ()))

    def channels(self) -> Iterable[str]:
        """The names of the channels that somebody is on; not of those between servers."""
        return [name for name in self._channels if not name.startswith(BETWEEN_SERVERS)]


class _Several(Generic[Subscriber]):
    """The subscribers of a channel that has more than one."""

    __slots__ = ("_members", "_snapshot")

    def __init__(self, members: tuple[Subscriber, ...]) -> None:
        # A dict for its order.
        self._members = dict.fromkeys(members)
        self._snapshot: tuple[Subscriber, ...] | None = members

    def __len__(self) -> int:
        return len(self._members)

    def add(self, subscriber: Subscriber) -> bool:
        if subscriber in self._members:
            return False
        self._members[subscriber] = None
        self._snapshot = None
        return True

    def remove(self, subscriber: Subscriber) -> bool:
        if subscriber not in self._members:
            return False
        del self._members[subscriber]
        self._snapshot = None
        return True

    def snapshot(self) -> tuple[Subscriber, ...]:
        if self._snapshot is None:
            self._snapshot = tuple(self._members)
        return self._snapshot
