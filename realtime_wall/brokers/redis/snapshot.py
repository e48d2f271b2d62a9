"""What does a server have to know that comes to Redis, or comes back to it too late?

The channels are read in portions, while others go on publishing. What was entered meanwhile is read from the
bus and applied to the channels that were read before it, so that the image is that of one moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from realtime_wall.brokers.entry import Deleted, Entry
from realtime_wall.brokers.redis import scripts as scripts
from realtime_wall.brokers.redis.bus_codec import BusCodec, MalformedEntry, fields_of
from realtime_wall.brokers.redis.script_connection import ScriptConnection
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules

# So much is read at once: Redis and we do something else in between.
PORTION_BYTES = 1024 * 1024
PORTION_CHANNELS = 500
PORTION_ENTRIES = 200
TOO_SMALL = "the bus does not keep what was entered meanwhile: is BROKER_BUS_SIZE too small?"


@dataclass(frozen=True, slots=True)
class BusState:
    """Where everything stands, at one moment."""

    position: Position
    count: int  # of entries on the bus
    lost: int
    number: int
    time: float
    first_id: str  # of the oldest entry on the bus
    last_id: str  # of the newest, or of the one that was asked for
    last_head: bytes  # how it begins; empty when it is not there
    is_more: bool  # to be tidied up

    @property
    def id(self) -> str:
        return f"{self.position.offset}-{self.count}"


@dataclass(frozen=True, slots=True)
class Loaded:
    state: BusState
    image: list[ChannelImage | Image]


class EpochChanged(Exception):
    """Something else has begun while it was read."""


def look(connection: ScriptConnection, codec: BusCodec, known: Position, last_id: str = "") -> BusState:
    """Where everything stands. A Redis with older data than is known begins a new epoch by this."""
    epoch, top, count, lost, number, time, first, last, head, more = connection.ask(
        scripts.LOOK, *codec.look(known, last_id)
    )
    return BusState(
        Position(epoch.decode(), int(top)),
        int(count),
        int(lost),
        int(number),
        float(time),
        first.decode(),
        last.decode(),
        head,
        bool(more),
    )


def load(
    connection: ScriptConnection,
    codec: BusCodec,
    rules: Rules,
    history_channels: int,
    known: Position,
) -> Loaded:
    """EpochChanged when it has to be tried again."""
    while (before := look(connection, codec, known)).is_more:
        pass
    epoch = before.position.epoch
    channels = {image.channel: image for image in _channels(connection, codec, epoch)}
    while (after := look(connection, codec, before.position)).is_more:
        pass
    if after.position.epoch != epoch:
        raise EpochChanged("another epoch has begun")
    log = Log(epoch, rules.of, history_channels=history_channels)
    now = monotonic()
    ordered = sorted(channels.values(), key=lambda image: image.last)
    of_all = Image(before.position, after.lost, after.number)
    log.restore([*ordered, of_all], lambda message: max(0.0, after.time - message.time), now)
    for entry in _entries(connection, codec, before, after):
        _apply(log, entry, channels, now)
    *kept, rest = log.image(now)
    assert isinstance(rest, Image)
    return Loaded(after, [*kept, Image(after.position, rest.lost, rest.number)])


def _channels(connection: ScriptConnection, codec: BusCodec, epoch: str) -> Iterator[ChannelImage]:
    """All of them. Who gets a message meanwhile moves to the end, and is met there."""
    seen: set[bytes] = set()
    last = b"-1"
    while found := connection.ask(scripts.CHANNELS, last, PORTION_CHANNELS):
        last = found[-1]
        names = [name for name in found[::2] if name not in seen]
        seen.update(names)
        while names:
            images = connection.ask(scripts.IMAGE, PORTION_BYTES, *names)
            for name, image in zip(names, images, strict=False):
                if image[0] is not None:  # else it was forgotten since
                    yield _channel(codec, name.decode(), image, epoch)
            del names[: len(images)]


def _channel(codec: BusCodec, name: str, image: list[Any], epoch: str) -> ChannelImage:
    lost, last, number, published, _, texts = image
    messages = []
    for text in texts:
        with contextlib.suppress(MalformedEntry):  # counted where it has come by the bus
            entry = codec.kept_entry(text, epoch)
            if isinstance(entry.item, Message) and entry.item.channel == name:
                messages.append(entry.item)
    return ChannelImage(name, int(lost), int(last), int(number), int(published), messages)


def _entries(
    connection: ScriptConnection, codec: BusCodec, before: BusState, after: BusState
) -> Iterator[Entry]:
    """What was entered between."""
    last, counted, malformed = before.id, before.count, 0
    while found := _page(connection, codec, last, after.id):
        for id_, flat in found:
            last = id_.decode()
            try:
                _, entry = codec.entry_of(fields_of(flat)[b"e"])
            except (MalformedEntry, KeyError):
                malformed += 1
                continue
            missing = int(last.partition("-")[2]) - counted - 1
            if not 0 <= missing <= malformed:
                raise EpochChanged(TOO_SMALL)
            counted += missing + 1
            if entry is not None:
                yield entry
    if counted + malformed < after.count:
        raise EpochChanged(TOO_SMALL)


def _page(connection: ScriptConnection, codec: BusCodec, last: str, until: str) -> list[Any]:
    (found,) = connection.send(("XRANGE", codec.bus, f"({last}", until, "COUNT", PORTION_ENTRIES))
    return found if isinstance(found, list) else []


def _apply(log: Log, entry: Entry, channels: dict[str, ChannelImage], now: float) -> None:
    item = entry.item
    if isinstance(item, Deleted):
        image = channels.get(item.channel)
        if image is None or image.last <= item.position.offset:  # else it has begun anew, and was read then
            log.delete(item.channel)
            channels.pop(item.channel, None)
    elif not item.is_volatile and not _has_been_read(item, channels):
        if item.retracts is not None:
            log.retract(item.channel, item.retracts, now)
        log.add(item, now)


def _has_been_read(message: Message, channels: dict[str, ChannelImage]) -> bool:
    image = channels.get(message.channel)
    return image is not None and message.position.offset <= image.last
