"""What is published, as a shell sees it that reads the bus by itself: ``manage.py realtime tail``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError

from realtime_wall.brokers.questions import Follow
from realtime_wall.brokers.redis.bus_codec import BusCodec, MalformedEntry, reason_of
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import matcher
from realtime_wall.errors import BrokerUnreachable

AT_ONCE = 500
# How far back the last messages are looked for.
LOOKED_THROUGH = 20 * AT_ONCE
BLOCK = 2000  # milliseconds


def follow(redis: Any, codec: BusCodec, name: str, question: Follow) -> Iterator[Message]:
    """The last so many messages of channels that fit, and then what comes; without an end."""
    fits = matcher(question.pattern)
    try:
        newest = redis.xrevrange(codec.bus, count=1)
        last: bytes = newest[0][0] if newest else b"0-0"
        yield from reversed(list(_last(redis, codec, last, fits, question.last)))
        while True:
            streams = redis.xread({codec.bus: last}, count=AT_ONCE, block=BLOCK)
            for id_, fields in streams[0][1] if streams else ():
                last = id_
                yield from _message(codec, fields, fits)
    except (RedisError, OSError) as problem:
        raise BrokerUnreachable(name, reason_of(problem)) from problem


def _last(redis: Any, codec: BusCodec, until: bytes, fits: Any, wanted: int) -> Iterator[Message]:
    """Newest first."""
    end: str = until.decode()
    for _ in range(0, LOOKED_THROUGH if wanted else 0, AT_ONCE):
        page = redis.xrevrange(codec.bus, max=end, count=AT_ONCE)
        for _, fields in page:
            for message in _message(codec, fields, fits):
                yield message
                wanted -= 1
                if not wanted:
                    return
        if len(page) < AT_ONCE:
            return
        end = f"({page[-1][0].decode()}"


def _message(codec: BusCodec, fields: dict[bytes, bytes], fits: Any) -> Iterator[Message]:
    try:
        _, entry = codec.entry_of(fields[b"e"])
    except (MalformedEntry, KeyError):
        return
    item = None if entry is None else entry.item
    if isinstance(item, Message) and not item.is_volatile and item.channel != EVERYONE and fits(item.channel):
        yield item
