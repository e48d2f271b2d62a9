"""Which message is taken back, and what are those sent who may have it on their screens?

A message is named by its event id or by its position. Most often it is still in the log, and is taken out of
it. One that is not kept any more may be on a screen all the same, so its retraction is sent as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.errors import InvalidPosition

# Of a message of which only the event id is known: everybody may have had it.
UNKNOWN = 0

_json = json.JSONEncoder(ensure_ascii=False).encode


class RetractableHistory(Protocol):
    """What is asked of a log."""

    @property
    def top(self) -> Position: ...
    def find(self, channel: str, offset: int | None, event_id: str | None, now: float) -> Message | None: ...


@dataclass(frozen=True, slots=True)
class Retraction:
    offset: int  # of the message that is taken back
    data_json: str  # what clients are sent


def find(history: RetractableHistory, channel: str, which: str, now: float) -> Retraction | None:
    """What is to be taken out of the log, and told; None when there can be no such message."""
    message = history.find(channel, None, which, now)  # an event id may look like a position
    position = _position(which)
    if message is None and position is not None:
        if position.epoch != history.top.epoch:  # of an earlier log; pages may have outlived it
            return _retraction(UNKNOWN, None, which, None)
        if not 0 < position.offset <= history.top.offset:
            return None
        message = history.find(channel, position.offset, None, now)
        if message is None:
            return _retraction(position.offset, None, which, None)
    if message is None:
        return _retraction(UNKNOWN, None, None, which)
    at = message.position
    return _retraction(at.offset, message.number, str(at), message.event_id)


def _retraction(offset: int, number: int | None, position: str | None, event_id: str | None) -> Retraction:
    return Retraction(offset, _json({"id": number, "position": position, "event_id": event_id}))


def _position(text: str) -> Position | None:
    try:
        return Position.parse(text)
    except InvalidPosition:
        return None
