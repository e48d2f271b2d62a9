"""In which bytes does a message reach plain WebSockets? All of one kind share them.

A kind is a framing, and what a client wants of its channels: all of it, some of it (``where``), or each
message as the difference from the one before (``delta``, a JSON Merge Patch of RFC 7396).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from realtime_wall.channels.message import Message
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.where import Where, wants
from realtime_wall.node.fan_out.subscriber import Codec
from realtime_wall.protocol import merge_patch, plain
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing

# Channels of which the last message is kept to compare the next one with.
REMEMBERED = 1000
# How many pieces of what was missed are kept as they were encoded, and up to which size.
MISSED, LARGEST_MISSED = 8, 64 * 1024
# Smaller than so many of a hundred a difference has to be, to be worth its taking apart.
WORTH = 80


# All of them are in it.
NAMESPACE = "/"


@dataclass(frozen=True, slots=True)
class SubscribeOptions:
    """What a client wants of a channel."""

    where: Where | None = None
    delta: bool = False


ALL = SubscribeOptions()
# By channel; of channels without one a client is told everything.
ChannelOptions = frozenset[tuple[str, SubscribeOptions]]


@cache
def frames_of(framing: Framing) -> Codec:
    """Messages for every plain WebSocket of one framing that wants all of them."""

    def encode(messages: list[Message]) -> bytes:
        return b"".join(
            framing.text(_message_text(message).encode()) for message in messages if message.is_for(NAMESPACE)
        )

    return encode


# What was encoded for who has missed something, by the messages' ids; with the messages, or others would get
# the ids.
_missed: dict[tuple[int, ...], tuple[tuple[Message, ...], bytes]] = {}


def encode_missed(messages: list[Message]) -> bytes:
    """What a client, or a whole crowd, has missed. To deflate that would take too long for many at once."""
    key = tuple(map(id, messages))
    found = _missed.get(key)
    if found is not None:
        return found[1]
    data = frames_of(PLAIN)(messages)
    if len(data) <= LARGEST_MISSED:
        if len(_missed) >= MISSED:
            _missed.clear()
        _missed[key] = (tuple(messages), data)
    return data


def codec_for(framing: Framing, options: ChannelOptions) -> Codec:
    return _frames_by_options(framing, options) if options else frames_of(framing)


def missed_codec_for(options: ChannelOptions) -> Codec:
    """What was missed is told whole."""
    return codec_for(
        PLAIN, frozenset((name, SubscribeOptions(chosen.where)) for name, chosen in options if chosen.where)
    )


@lru_cache(1000)
def _frames_by_options(framing: Framing, options: ChannelOptions) -> Codec:
    by_channel = dict(options)
    deltas = _Deltas()

    def encode(messages: list[Message]) -> bytes:
        frames = []
        for message in filter(_is_for_plain, messages):
            chosen = by_channel.get(message.channel)
            if chosen is None:
                frames.append(framing.text(_message_text(message).encode()))
            elif chosen.where is None or wants(chosen.where, message):
                text = deltas.text(message) if chosen.delta else _message_text(message)
                frames.append(framing.text(text.encode()))
        return b"".join(frames)

    return encode


class _Deltas:
    """Messages as differences from the one before, which each reader has had."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[Message, Any]] = OrderedDict()

    def text(self, message: Message) -> str:
        whole = _message_text(message)
        if message.retracts is not None or message.is_volatile or message.exclude is not None:
            self._last.pop(message.channel, None)  # some have not had it
            return whole
        value = json.loads(message.data_json)
        before = self._last.get(message.channel)
        self._last[message.channel] = (message, value)
        self._last.move_to_end(message.channel)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        if before is None or not _is_next(before[0], message):
            return whole
        try:
            patch = encode_json(merge_patch.diff(before[1], value))
        except merge_patch.NotPatchable:
            return whole
        text = plain.delta_text(
            message.event or "message", patch, str(before[0].position), message.channel, str(message.position)
        )
        return text if len(text) * 100 < len(whole) * WORTH else whole


def _is_for_plain(message: Message) -> bool:
    return message.is_for(NAMESPACE)


def _is_next(before: Message, message: Message) -> bool:
    return before.number == message.number - 1 and before.position.epoch == message.position.epoch


def _message_text(message: Message) -> str:
    channel = None if message.channel == EVERYONE else message.channel
    # What is not in the log moves no cursor.
    cursor = None if message.is_volatile else str(message.position)
    return plain.message_text(message.event or "message", message.data_json, channel, cursor)
