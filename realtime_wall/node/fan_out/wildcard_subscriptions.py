"""Who is on which channels by a wildcard, in this process?

A wildcard's subscribers are put on each channel that it means, when they come and when such a channel
begins. So a message has one audience, and costs those who use no wildcards nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from realtime_wall.channels.rules import Rules
from realtime_wall.channels.wildcards import is_wildcard, means
from realtime_wall.node.fan_out.subscriber import Subscriber
from realtime_wall.node.fan_out.subscriptions import Subscriptions

# How often channels of which nothing is kept any more are let go.
LOOK_EVERY = 60.0


class WildcardSubscriptions:
    def __init__(
        self, subscriptions: Subscriptions, rules: Rules, logged: Callable[[], Iterable[str]]
    ) -> None:
        self.due = 0
        self.in_use = False  # asked for each message
        self._subscriptions = subscriptions
        self._rules = rules
        self._logged = logged
        self._members: dict[str, set[Subscriber]] = {}
        # Channels that have been looked at, with the wildcards that mean them.
        self._channels: dict[str, list[str]] = {}
        # Which of the members are on a channel by its name as well.
        self._by_name: set[tuple[Subscriber, str]] = set()

    def expanded(self, names: Mapping[str, int]) -> Mapping[str, int]:
        """With each wildcard the channels that it means and of which something is kept; what is said of it
        holds for them, unless it is said by name.
        """
        wildcards = list(filter(is_wildcard, names))
        if not wildcards:
            return names
        meant: dict[str, int] = {}
        for wildcard in wildcards:
            meant |= dict.fromkeys(self._meant_among(self._logged(), wildcard), names[wildcard])
        return {**meant, **names}

    def add(self, wildcard: str, subscriber: Subscriber) -> None:
        logged, heard = self._logged(), self._subscriptions.channels()
        for channel in {*self._meant_among(logged, wildcard), *self._meant_among(heard, wildcard)}:
            was_on_it = self._is_member(channel, subscriber)
            if not self._subscriptions.add(channel, subscriber) and not was_on_it:
                self._by_name.add((subscriber, channel))
            self._wildcards_of(channel, wildcard)
        self._members.setdefault(wildcard, set()).add(subscriber)
        self.in_use = True

    def _meant_among(self, channels: Iterable[str], wildcard: str) -> list[str]:
        """Of very many only how they begin is looked at: one client's wildcard is not to stop all others."""
        start = wildcard[:-1]
        alike = [channel for channel in channels if channel.startswith(start)]
        return [one for one in alike if not is_wildcard(one) and means(wildcard, one, self._rules)]

    def remove(self, wildcard: str, subscriber: Subscriber) -> None:
        members = self._members[wildcard]
        members.discard(subscriber)
        if not members:
            del self._members[wildcard]
        for channel, wildcards in self._channels.items():
            if wildcard in wildcards:
                self._take_off(channel, subscriber)
                if not members:
                    wildcards.remove(wildcard)
        if not any(subscriber in others for others in self._members.values()):
            self._by_name = {one for one in self._by_name if one[0] is not subscriber}
        self.in_use = bool(self._members)
        if not self.in_use:
            self._channels.clear()

    def begin(self, channel: str) -> None:
        """Something is about to be delivered on a channel: let those hear it who are meant to."""
        if channel not in self._channels:
            for wildcard in self._wildcards_of(channel):
                for subscriber in self._members[wildcard]:
                    self._subscriptions.add(channel, subscriber)

    def joined_by_name(self, channel: str, subscriber: Subscriber) -> None:
        if any(subscriber in members for members in self._members.values()):
            self._by_name.add((subscriber, channel))

    def stays_on(self, channel: str, subscriber: Subscriber) -> bool:
        """Whether one that leaves a channel by its name stays on it by a wildcard."""
        self._by_name.discard((subscriber, channel))
        return self._is_member(channel, subscriber)

    def _wildcards_of(self, channel: str, besides: str | None = None) -> list[str]:
        """Those that mean a channel, and one that is about to be among them."""
        found = self._channels.get(channel)
        if found is None:
            found = [one for one in self._members if means(one, channel, self._rules)]
            self._channels[channel] = found
        if besides is not None and besides not in found:
            found.append(besides)
        return found

    def _is_member(self, channel: str, subscriber: Subscriber) -> bool:
        return any(subscriber in self._members.get(one, ()) for one in self._channels.get(channel, ()))

    def _take_off(self, channel: str, subscriber: Subscriber) -> None:
        if (subscriber, channel) not in self._by_name and not self._is_member(channel, subscriber):
            self._subscriptions.remove(channel, subscriber)

    # As the timer wheel's

    def tick(self, now: float) -> float:
        logged = set(self._logged()) if self._channels else set()
        for channel in [one for one in self._channels if one not in logged]:
            if not self._subscriptions.is_served(channel):
                for wildcard in self._channels.pop(channel):
                    for subscriber in self._members.get(wildcard, ()):
                        self._take_off(channel, subscriber)
        return LOOK_EVERY
