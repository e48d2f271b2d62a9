"""The log of a server that is alone: in its own memory, gone with it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Binary, Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules


class MemoryBroker:
    def __init__(self, rules: Rules, history_channels: int) -> None:
        # A new epoch for each start: positions of an earlier one are never mistaken for ours.
        epoch = secrets.token_urlsafe(6).replace("-", "_")
        self.began = time.time()
        self._log = Log(epoch, rules.of, history_channels=history_channels)

    def on_forgotten(self, callback: Callable[[str], None]) -> None:
        """Call it with each channel of which nothing is kept any more; it must not touch the log."""
        self._log.on_forgotten = callback

    def expire(self) -> None:
        """Forget what has become too old."""
        self._log.expire(time.monotonic())

    @property
    def top(self) -> Position:
        return self._log.top

    def append(
        self,
        channel: str,
        data_json: str,
        *,
        event: str | None,
        event_id: str | None,
        exclude: str | None,
        arity: int,
        retracts: int | None = None,
        binary: Binary | None = None,
    ) -> Message:
        return self._log.append(
            channel,
            data_json,
            event=event,
            event_id=event_id,
            exclude=exclude,
            arity=arity,
            retracts=retracts,
            binary=binary,
            now=time.monotonic(),
            time=time.time(),
        )

    def kept(self, channel: str) -> int:
        """How many messages of a channel are kept."""
        return self._log.kept(channel, time.monotonic())

    def newest(self, channel: str, count: int) -> list[Message]:
        """Up to this many messages of a channel, oldest first."""
        return self._log.newest(channel, count, time.monotonic())

    def since_event(self, channel: str, event_id: str) -> list[Message]:
        """Everything on a channel after a message with this event id, or HistoryLost."""
        return self._log.since_event(channel, event_id, time.monotonic())

    def since_time(self, channel: str, when: float) -> list[Message]:
        """Everything on a channel from this second on, as far as it is kept."""
        return self._log.since_time(channel, when, time.monotonic())

    def retract(self, channel: str, offset: int | None, event_id: str | None) -> Message | None:
        """Take a message out of the log, by its offset or its event id; None when it is not kept."""
        return self._log.retract(channel, offset, event_id, time.monotonic())

    def delete(self, channel: str) -> bool:
        """Forget a channel; False when nothing is kept of it."""
        return self._log.delete(channel)

    def published(self, channel: str) -> int:
        """How many messages a channel has had, as long as any of them is kept."""
        return self._log.published(channel)

    def totals(self) -> tuple[int, int]:
        """How many messages have been published on the channels that are kept, and how many are stored."""
        return self._log.totals()

    def channels(self) -> Iterator[str]:
        """The names of the channels of which something is kept."""
        return self._log.channels()

    def since(self, channel: str, position: Position) -> list[Message]:
        """Everything on a channel after a position, or HistoryLost."""
        return self._log.since(channel, position, time.monotonic())
