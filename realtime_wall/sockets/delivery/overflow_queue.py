"""Live messages that wait for a slow reader, and what is left out when they become too many.

A channel's rule says what it can do without (``OVERFLOW``): nothing, so that the reader is cut off to
return and resume; its oldest messages; everything ("resync"); all but the newest about each thing
("latest", by the field ``KEY``). Whatever was left out is announced as a gap, never skipped.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable

from realtime_wall.channels.message import Message
from realtime_wall.channels.rules import Rule, Rules


class OverflowQueue:
    __slots__ = ("_limit", "_messages", "_rules", "_size", "gaps")

    def __init__(self, rules: Rules, limit: int) -> None:
        self._rules = rules
        self._limit = limit
        # By offset, in its order.
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._size = 0
        self.gaps: set[str] = (
            set()
        )  # channels of which something was left out since the last message that was taken

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, messages: Iterable[Message]) -> bool:
        """False when they are more than may wait, and nothing can be left out."""
        for message in messages:
            if self._rules.of(message.channel).overflow == "latest":
                self._replace_earlier(message)
            self._messages[message.position.offset] = message
            self._size += message.size
        return self._size <= self._limit or self._make_room()

    def take(self) -> Message:
        _, message = self._messages.popitem(last=False)
        self._size -= message.size
        return message

    def leave_out(self, channel: str) -> None:
        """The client has left the channel."""
        for message in [one for one in self._messages.values() if one.channel == channel]:
            self._remove(message)
        self.gaps.discard(channel)

    def clear(self) -> None:
        self._messages.clear()
        self._size = 0
        self.gaps.clear()

    def _replace_earlier(self, message: Message) -> None:
        rule = self._rules.of(message.channel)
        about = _what_it_is_about(message, rule)
        if about is None:
            return
        for one in self._messages.values():
            if one.channel == message.channel and _what_it_is_about(one, rule) == about:
                self._drop(one)
                return

    def _make_room(self) -> bool:
        for message in list(self._messages.values()):
            if self._size <= self._limit:
                break
            overflow = self._rules.of(message.channel).overflow
            if overflow == "resync":
                for other in [one for one in self._messages.values() if one.channel == message.channel]:
                    self._drop(other)
            elif overflow != "disconnect":
                self._drop(message)
        return self._size <= self._limit

    def _drop(self, message: Message) -> None:
        if message.position.offset not in self._messages or message.retracts is not None:
            return  # what is taken back has to leave every screen
        self._remove(message)
        self.gaps.add(message.channel)

    def _remove(self, message: Message) -> None:
        del self._messages[message.position.offset]
        self._size -= message.size


def _what_it_is_about(message: Message, rule: Rule) -> object:
    if message.retracts is not None:
        return None
    data = json.loads(message.data_json)
    about = data.get(rule.key) if isinstance(data, dict) else None
    return about if isinstance(about, (str, int, float)) else None
