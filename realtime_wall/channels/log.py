"""What did a client miss that stopped at this position?

The log answers with every message of the channel, in order, or with HistoryLost. It never gives
a part of the answer. One rising number serves all channels, so that one cursor is enough for a
client of many; a jump in it is no gap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from realtime_wall.channels.history import ChannelImage, History
from realtime_wall.channels.message import Binary, Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule
from realtime_wall.errors import HistoryLost

_EMPTY: OrderedDict[str, History] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Image:
    """What a log remembers of no channel in particular."""

    top: Position
    lost: int
    number: int
    began: float | None = None  # when its epoch did, in seconds since 1970; None when nobody knows


class Log:
    """The last messages of every channel, bounded by number, bytes and age.

    ``now`` is a clock that only rises; ``time`` is the date of the message.
    """

    def __init__(self, epoch: str, rule_of: Callable[[str], Rule], *, history_channels: int) -> None:
        self.top = Position(epoch, 0)
        self.began = 0.0  # when the epoch did, in seconds since 1970
        self.on_forgotten: Callable[[str], None] = lambda channel: None
        self._rule_of = rule_of
        self._channels_kept = history_channels
        self.channel_count = 0
        # By how long they are kept; in each, the channel longest silent comes first.
        self._by_age: dict[float, OrderedDict[str, History]] = {}
        # All that is remembered of channels that were forgotten: what the last of them lost, and
        # the highest number one of them had, so that no channel ever uses a number twice.
        self._lost = 0
        self._number = 0

    def next_message(
        self,
        channel: str,
        data_json: str,
        *,
        event: str | None = None,
        event_id: str | None = None,
        exclude: str | None = None,
        arity: int = 1,
        retracts: int | None = None,
        binary: Binary | None = None,
        now: float,
        time: float,
    ) -> Message:
        """What a message is with its position, when it is the next that is kept; nothing is changed."""
        self.expire(now)
        history = self._find(channel)
        number = (self._number if history is None else history.number) + 1
        position = Position(self.top.epoch, self.top.offset + 1)
        return Message(
            channel, data_json, position, number, time, event, event_id, exclude, arity, retracts, binary
        )

    def add(self, message: Message, now: float) -> None:
        """Keep a message that has its position: the next one, here or in a log that is the same as this."""
        self.expire(now)
        rule = self._rule_of(message.channel)
        self._keep(message, self._history(message.channel, rule), rule, now)

    def _history(self, channel: str, rule: Rule) -> History:
        """The channel's, which is about to be the one with the newest message."""
        shelf = self._by_age.get(rule.history_age)
        if shelf is None:
            shelf = self._by_age[rule.history_age] = OrderedDict()
        history = shelf.get(channel)
        if history is None:
            history = shelf[channel] = History(self._lost, self._number)
            self.channel_count += 1
        else:
            shelf.move_to_end(channel)
        return history

    def _keep(self, message: Message, history: History, rule: Rule, now: float) -> None:
        self.top = message.position
        history.add(message, now)
        history.drop(rule, now)
        if not history:
            self._forget(self._by_age[rule.history_age], message.channel)
        elif self.channel_count > self._channels_kept:
            self._forget_longest_silent()

    def since(self, channel: str, position: Position, now: float) -> list[Message]:
        """Everything on the channel after the position, oldest first."""
        if position.epoch != self.top.epoch or position.offset > self.top.offset:
            raise HistoryLost(channel, position)
        history = self._current(channel, now)
        if position.offset < (self._lost if history is None else history.lost):
            raise HistoryLost(channel, position)
        return [] if history is None else history.after(position.offset)

    def kept_since(self, channel: str, offset: int, now: float) -> tuple[list[Message], int | None]:
        """What is kept after the offset, and up to which one something was lost; None when nothing was."""
        history = self._current(channel, now)
        lost = self._lost if history is None else history.lost
        messages = [] if history is None else history.after(max(offset, lost))
        return messages, lost if offset < lost else None

    def position_of(self, channel: str, event_id: str, now: float) -> Position | None:
        """That of the first kept message with this event id."""
        history = self._current(channel, now)
        found = None if history is None else history.find(lambda one: one.event_id == event_id)
        return None if found is None else found.position

    def since_time(self, channel: str, time: float, now: float) -> list[Message]:
        """Everything from this second on, as far as it is kept."""
        history = self._current(channel, now)
        return [] if history is None else [one for one in history.after(0) if int(one.time) >= int(time)]

    def find(self, channel: str, offset: int | None, event_id: str | None, now: float) -> Message | None:
        """A message by its offset or its event id; None when it is not kept."""
        history = self._current(channel, now)
        if history is None:
            return None
        return history.find(
            lambda one: one.position.offset == offset if event_id is None else one.event_id == event_id
        )

    def retract(self, channel: str, offset: int, now: float) -> Message | None:
        """Take a message out; it is given back, None when it is not kept.

        Its number and its position stay used. What is left is as complete as it was.
        """
        found = self.find(channel, offset, None, now)
        history = self._find(channel)
        if found is not None and history is not None:
            history.take_out(found)
        return found

    def delete(self, channel: str) -> bool:
        """Forget a channel, with what those who come back to it have missed; False when there is none."""
        shelf = self._by_age.get(self._rule_of(channel).history_age, _EMPTY)
        if channel not in shelf:
            return False
        self._forget(shelf, channel)
        return True

    def newest(self, channel: str, count: int, now: float) -> list[Message]:
        """Up to this many messages of the channel, oldest first."""
        history = self._current(channel, now)
        return [] if history is None else history.newest(count)

    def kept(self, channel: str, now: float) -> int:
        """How many messages of the channel are kept."""
        history = self._current(channel, now)
        return 0 if history is None else len(history)

    def published(self, channel: str) -> int:
        """How many messages the channel has had, as long as any of them is kept."""
        history = self._find(channel)
        return 0 if history is None else history.published_count

    def totals(self) -> tuple[int, int]:
        """How many messages the channels have had of which something is kept, and how many are stored."""
        histories = [history for shelf in self._by_age.values() for history in shelf.values()]
        return sum(one.published_count for one in histories), sum(map(len, histories))

    def channels(self) -> Iterator[str]:
        """The names of the channels of which something is kept."""
        for shelf in self._by_age.values():
            yield from shelf

    def renew(self, epoch: str, began: float) -> None:
        """Begin a new epoch: what is kept stays to be read, and no position of before is known."""
        self.top, self.began = Position(epoch, self.top.offset), began
        for shelf in self._by_age.values():
            for history in shelf.values():
                history.renew(epoch)

    # A copy of it, in another process

    def image(self, now: float) -> Iterator[ChannelImage | Image]:
        """What a copy has to know: all channels, the one longest silent first, and then the log's own."""
        self.expire(now)
        histories = [
            (channel, history) for shelf in self._by_age.values() for channel, history in shelf.items()
        ]
        for channel, history in sorted(histories, key=lambda one: one[1].last):
            yield history.image(channel)
        yield self.own_image()

    def own_image(self) -> Image:
        return Image(self.top, self._lost, self._number, self.began)

    def channel_image(self, channel: str) -> ChannelImage | None:
        """What a copy has to know of one channel; None when nothing is kept of it."""
        history = self._find(channel)
        return None if history is None else history.image(channel)

    def restore(
        self, image: Iterable[ChannelImage | Image], age_of: Callable[[Message], float], now: float
    ) -> None:
        """Become a copy. ``age_of`` returns how many seconds ago a message was published."""
        self._by_age.clear()
        self.channel_count = self._lost = self._number = 0
        for one in image:
            if isinstance(one, ChannelImage):
                self.restore_channel(one, age_of, now)
            else:
                self.restore_own(one)

    def restore_own(self, image: Image) -> None:
        self.top = image.top
        self.began = self.began if image.began is None else image.began
        self._lost, self._number = max(self._lost, image.lost), max(self._number, image.number)

    def restore_channel(self, image: ChannelImage, age_of: Callable[[Message], float], now: float) -> None:
        """Have of a channel what its image has; one that is known stays in its place among the others."""
        rule = self._rule_of(image.channel)
        shelf = self._by_age.setdefault(rule.history_age, OrderedDict())
        history = History(image.lost, image.number)
        history.restore(image, age_of, now)
        history.drop(rule, now)
        self.channel_count += image.channel not in shelf
        shelf[image.channel] = history
        if not history:  # too old by now
            self._forget(shelf, image.channel)

    def expire(self, now: float) -> None:
        """Forget the channels whose last message has become too old."""
        for age, shelf in self._by_age.items():
            while shelf:
                channel = next(iter(shelf))
                if shelf[channel].last_time >= now - age:
                    break
                self._forget(shelf, channel)

    def _find(self, channel: str) -> History | None:
        return self._by_age.get(self._rule_of(channel).history_age, _EMPTY).get(channel)

    def _current(self, channel: str, now: float) -> History | None:
        self.expire(now)
        history = self._find(channel)
        if history is not None:
            history.drop(self._rule_of(channel), now)
        return history

    def _forget_longest_silent(self) -> None:
        shelves = [shelf for shelf in self._by_age.values() if shelf]
        silent = min(shelves, key=lambda shelf: next(iter(shelf.values())).last)
        self._forget(silent, next(iter(silent)))

    def _forget(self, shelf: OrderedDict[str, History], channel: str) -> None:
        history = shelf.pop(channel)
        self.channel_count -= 1
        self._lost = max(self._lost, history.last)
        self._number = max(self._number, history.number)
        self.on_forgotten(channel)
