"""Who is on a channel, in this process?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from realtime_wall.channels.message import OUTSIDE_OF
from realtime_wall.channels.names import BETWEEN_SERVERS
from realtime_wall.node.fan_out.fast_lane import Lane
from realtime_wall.node.fan_out.subscriber import Codec, Subscriber

# Of a message that is on its way: where in which lane those end who are to hear it.
Places = tuple[tuple[Lane, int], ...]


class Subscriptions:
    def __init__(self) -> None:
        # Most channels have one subscriber. While nothing is on its way to it, it is all there is.
        self._channels: dict[str, Subscriber | Audience] = {}

    @property
    def channel_count(self) -> int:
        return len(self._channels)

    def add(self, channel: str, subscriber: Subscriber) -> bool:
        """True when it was not on the channel before."""
        there = self._channels.get(channel)
        if there is None:
            self._channels[channel] = subscriber
            return True
        if there is subscriber:
            return False
        return self._opened(channel, there).add(subscriber)

    def remove(self, channel: str, subscriber: Subscriber) -> bool:
        """True when it was on the channel."""
        there = self._channels.get(channel)
        if isinstance(there, Audience):
            removed = there.remove(subscriber)
            self._close(channel, there)
            return removed
        if there is not subscriber:
            return False
        del self._channels[channel]
        return True

    def audience(self, channel: str) -> Audience | None:
        """For a message that is on its way to everybody who is there now; None when that is nobody."""
        there = self._channels.get(channel)
        return None if there is None else self._opened(channel, there)

    def is_served(self, channel: str) -> bool:
        """Whether a message is on its way to those who are there."""
        there = self._channels.get(channel)
        return isinstance(there, Audience) and there.is_served

    def snapshot(self, channel: str) -> tuple[Subscriber, ...]:
        there = self._channels.get(channel)
        if there is None:
            return ()
        return tuple(there) if isinstance(there, Audience) else (there,)

    def count(self, channel: str) -> int:
        there = self._channels.get(channel)
        if there is None:
            return 0
        return len(there) if isinstance(there, Audience) else 1

    def has_listener(self, channel: str, exclude: str | None) -> bool:
        """Whether somebody is on it whom a message does not leave out."""
        there = self._channels.get(channel)
        if exclude is None or there is None:
            return there is not None
        if isinstance(there, Audience):
            return there.has_listener(exclude)
        return not there.is_known_as(exclude)

    def channels(self) -> Iterable[str]:
        """The names of the channels that somebody is on; not of those between servers."""
        return [name for name in self._channels if not name.startswith(BETWEEN_SERVERS)]

    def _opened(self, channel: str, there: Subscriber | Audience) -> Audience:
        if isinstance(there, Audience):
            return there
        audience = self._channels[channel] = Audience(self, channel)
        audience.add(there)
        return audience

    def _close(self, channel: str, audience: Audience) -> None:
        """Keep no more of it than is needed."""
        if self._channels.get(channel) is not audience:
            return
        if not audience:
            del self._channels[channel]
        elif len(audience) == 1 and not audience.is_served:
            (self._channels[channel],) = audience
            audience.remove(*audience)


class Audience:
    """Those who are on a channel, in a lane for each kind of client (``fast_lane.py``)."""

    __slots__ = ("_channel", "_lanes", "_on_their_way", "_subscriptions")

    def __init__(self, subscriptions: Subscriptions, channel: str) -> None:
        self._subscriptions = subscriptions
        self._channel = channel
        self._lanes: dict[Codec | None, Lane] = {}
        self._on_their_way = 0

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __iter__(self) -> Iterator[Subscriber]:
        for lane in self._lanes.values():
            yield from lane

    def add(self, member: Subscriber) -> bool:
        if any(member in lane for lane in self._lanes.values()):
            return False
        lane = self._lanes.get(member.codec)
        if lane is None:
            lane = self._lanes[member.codec] = Lane(member.codec, member.session is not None)
        lane.add(member)
        return True

    def remove(self, member: Subscriber) -> bool:
        for lane in self._lanes.values():
            if member in lane:
                lane.remove(member)
                if not self._on_their_way:
                    self._close_ranks(lane)
                return True
        return False

    def has_listener(self, exclude: str) -> bool:
        if exclude[:1] == OUTSIDE_OF:  # those in a lane have the same bytes: they are in one namespace
            lanes = self._lanes.values()
            return any(not next(iter(lane)).is_known_as(exclude) for lane in lanes if len(lane))
        return any(not member.is_known_as(exclude) for member in self)

    # Messages on their way

    @property
    def is_served(self) -> bool:
        return self._on_their_way > 0

    def queued(self) -> Places:
        """A message is on its way to those who are here now, until it was ``delivered``."""
        self._on_their_way += 1
        return tuple((lane, lane.end) for lane in self._lanes.values())

    def delivered(self) -> None:
        self._on_their_way -= 1
        if not self._on_their_way:
            for lane in list(self._lanes.values()):
                strangers, lane.strangers = lane.strangers, []
                for member in strangers:
                    if self.remove(member):
                        self.add(member)
                self._close_ranks(lane)
            self._subscriptions._close(self._channel, self)

    def _close_ranks(self, lane: Lane) -> None:
        lane.close_ranks()
        if not lane:
            self._lanes.pop(lane.codec, None)
