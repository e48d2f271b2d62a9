"""What travels between the processes of a cluster in one order: proposals on the way there, entries back.

A proposal is what somebody wants done. When it has its place in the order it is an entry, and every server
does the same with it. Both are JSON objects with short keys, for they are written and read once for each
message.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from itertools import count
from typing import Any

from realtime_wall.brokers.commands import Publish, SequencedCommand
from realtime_wall.channels.message import Binary, Message
from realtime_wall.channels.position import Position

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that is to have a place in the order.

    ``key`` is its own: proposed again with the same key it changes nothing. ``origin`` is the
    address of who proposes it; when it is ``counted``, each server reports to the origin whom it has reached.
    ``trace`` is a ``traceparent`` of W3C Trace Context, where there are traces.
    """

    command: SequencedCommand
    key: str
    origin: str
    counted: bool = False
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A channel is no more; ``position`` is that of the last message before."""

    channel: str
    notice: str
    position: Position


@dataclass(frozen=True, slots=True)
class Entry:
    item: Message | Deleted
    key: str
    origin: str
    counted: bool = False
    trace: str | None = None  # of its proposal


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What became of a proposal: where it is in the order, and whether that is new.

    It is not new when its key was known. There is no position when there was nothing to be done: no such
    channel, no message that could be taken back.
    """

    position: Position | None
    is_new: bool = True


def proposal(command: SequencedCommand, origin: str, counted: bool = False) -> Proposal:
    own = command.idempotency_key
    # A user's is meant for its channel; no address begins with what theirs begins with.
    key = f"{origin}:{next(_numbers)}" if own is None else f"={command.channel}={own}"
    return Proposal(command, key, origin, counted, trace_parent())


def trace_parent() -> str | None:
    """Of what goes on in this greenlet: of nothing, unless ``realtime_wall.tracing`` is installed."""
    return None


def has_own_key(proposal: Proposal) -> bool:
    """Whether its key is a user's, who may propose it again much later."""
    return proposal.command.idempotency_key is not None


# As JSON


def body_of(command: Publish) -> dict[str, Any]:
    """The parts of a message that its publisher knows; what the order adds is not among them."""
    body: dict[str, Any] = {"c": command.channel, "d": command.data_json}
    if command.event is not None:
        body["e"] = command.event
    if command.event_id is not None:
        body["i"] = command.event_id
    if command.exclude is not None:
        body["x"] = command.exclude
    if command.arity != 1:
        body["a"] = command.arity
    if command.volatile:
        body["v"] = 1
    if command.binary is not None:
        body["b"] = _binary_to_json(command.binary)
    return body


def message_of(
    body: dict[str, Any], position: Position, number: int, time: float, retracts: int | None = None
) -> Message:
    """The message of a body that has its place now. KeyError or TypeError for what is none."""
    binary = body.get("b")
    return Message(
        body["c"],
        body["d"],
        position,
        number,
        time,
        body.get("e"),
        body.get("i"),
        body.get("x"),
        body.get("a", 1),
        retracts,
        None if binary is None else _binary_from_json(binary),
        bool(body.get("v")),
    )


def message_to_json(message: Message) -> dict[str, Any]:
    """A message with its place; the epoch is sent once for all."""
    body: dict[str, Any] = {
        "c": message.channel,
        "d": message.data_json,
        "o": message.position.offset,
        "n": message.number,
        "t": message.time,
    }
    optional = {"e": message.event, "i": message.event_id, "x": message.exclude, "r": message.retracts}
    body.update({key: value for key, value in optional.items() if value is not None})
    if message.arity != 1:
        body["a"] = message.arity
    if message.is_volatile:
        body["v"] = 1
    if message.binary is not None:
        body["b"] = _binary_to_json(message.binary)
    return body


def message_from_json(body: dict[str, Any], epoch: str) -> Message:
    return message_of(body, Position(epoch, body["o"]), body["n"], body["t"], body.get("r"))


def entry_to_json(entry: Entry) -> dict[str, Any]:
    if isinstance(entry.item, Message):
        body = message_to_json(entry.item)
    else:
        deleted = entry.item
        body = {"gone": deleted.channel, "notice": deleted.notice, "o": deleted.position.offset}
    body["k"], body["from"] = entry.key, entry.origin
    if entry.counted:
        body["count"] = 1
    if entry.trace is not None:
        body["tp"] = entry.trace
    return body


def entry_from_json(body: dict[str, Any], epoch: str) -> Entry:
    """KeyError or TypeError for what is none."""
    item: Message | Deleted
    if "gone" in body:
        item = Deleted(body["gone"], body["notice"], Position(epoch, body["o"]))
    else:
        item = message_from_json(body, epoch)
    return Entry(item, body["k"], body["from"], bool(body.get("count")), body.get("tp"))


def _binary_to_json(binary: Binary) -> str:
    return json.dumps([binary.json, *(b64encode(attachment).decode() for attachment in binary.attachments)])


def _binary_from_json(text: str) -> Binary:
    json_text, *attachments = json.loads(text)
    return Binary(json_text, tuple(map(b64decode, attachments)))
