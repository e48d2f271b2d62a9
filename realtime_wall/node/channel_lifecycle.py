"""When does a channel begin and end, and who has joined and left it?

It is published on the channel that ``EVENTS_CHANNEL`` names, when one is named. And a channel whose rule has
an ``IDLE_TIME`` is forgotten when for so long nobody was on it and nothing was published.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from realtime_wall.brokers.replica import Replica
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import Rules
from realtime_wall.channels.wildcards import is_wildcard
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.protocol.json_output import encode_json

# How often we look for what has become too old.
LOOK_EVERY = 1.0

# Publishes on a channel, later: its name, the data as JSON, an event. Never waits.
PublishLater = Callable[[str, str, str], None]


class ChannelLifecycle:
    def __init__(
        self,
        events_channel: str,
        rules: Rules,
        broker: Replica,
        subscriptions: Subscriptions,
        publish_later: PublishLater,
    ) -> None:
        self.due = 0
        # Where neither is asked for, nothing of this is done.
        self.is_watched = bool(events_channel) or rules.have_idle_times
        self._events_channel = events_channel
        self._rules = rules
        self._broker = broker
        self._subscriptions = subscriptions
        self._publish_later = publish_later
        self._known: set[str] = set()
        self._forgotten: list[str] = []
        # By their idle time; in each, the channel longest unused comes first, with when that began.
        self._unused: dict[float, OrderedDict[str, float]] = {}

    # What happens to a channel

    def published(self, message: Message, is_ours: bool) -> None:
        channel = message.channel
        if channel == self._events_channel and not is_ours:
            self._published_elsewhere(message)
        elif self._is_ours(channel):
            if is_ours:
                self._begin(channel)
            self._use(channel)

    def joined(self, channel: str) -> None:
        if self._is_ours(channel):
            self._begin(channel)
            self._notify("client_subscribed", channel)

    def left(self, channel: str) -> None:
        if self._is_ours(channel):
            self._notify("client_unsubscribed", channel)
            self._use(channel)
            self._end_if_gone(channel)

    def forgotten(self, channel: str) -> None:
        """The log has forgotten it, in the middle of something: what it means is seen to later."""
        if self._events_channel:
            self._forgotten.append(channel)

    def _published_elsewhere(self, message: Message) -> None:
        """Another server has published it; nobody does so twice."""
        if message.event in ("channel_created", "channel_destroyed"):
            channel = json.loads(message.data_json)["channel"]
            (self._known.add if message.event == "channel_created" else self._known.discard)(channel)

    # As the timer wheel's

    def tick(self, now: float) -> float:
        for idle_time, channels in self._unused.items():
            while channels and next(iter(channels.values())) <= now - idle_time:
                channel, _ = channels.popitem(last=False)
                if not self._subscriptions.count(channel):  # else it is used until they leave
                    self._broker.delete(channel)
        self._broker.expire()
        forgotten, self._forgotten = self._forgotten, []
        for channel in forgotten:
            self._end_if_gone(channel)
        return LOOK_EVERY

    # How it is known

    def _is_ours(self, channel: str) -> bool:
        if not self.is_watched or is_wildcard(channel):
            return False
        return channel not in (EVERYONE, self._events_channel)

    def _begin(self, channel: str) -> None:
        if self._events_channel and channel not in self._known:
            self._known.add(channel)
            self._notify("channel_created", channel)

    def _end_if_gone(self, channel: str) -> None:
        if self._subscriptions.count(channel) or self._broker.published(channel):
            return
        if channel in self._known:
            self._known.discard(channel)
            self._notify("channel_destroyed", channel)

    def _use(self, channel: str) -> None:
        idle_time = self._rules.of(channel).idle_time
        if idle_time is not None:
            channels = self._unused.setdefault(idle_time, OrderedDict())
            channels[channel] = monotonic()
            channels.move_to_end(channel)

    def _notify(self, event: str, channel: str) -> None:
        if self._events_channel:
            self._publish_later(self._events_channel, encode_json({"type": event, "channel": channel}), event)
