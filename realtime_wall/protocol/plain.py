"""What does a client of the plain WebSocket want, and how is it answered?

The protocol is one JSON object for each text message. ``parse`` reads the client's side; the
``..._text`` functions write ours. They are given data that is JSON text already, because a
message is encoded once, however many clients it goes to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from realtime_wall.protocol.json_input import BadJSON, NotJSON, load_json
from realtime_wall.protocol.socketio import GAP_EVENT, OFFSET_EVENT, RESERVED_EVENTS

Id = int | str | None

MAX_EVENT_NAME = 128
MAX_BATCH = 100
# The longest cursor has 51: an epoch of 32, a colon, 18 digits.
_MAX_SINCE = 64
_MAX_ID_TEXT = 128
_MAX_ID_NUMBER = 2**63

# What tells that a message is taken back.
RETRACTED = "retracted"
# Names with a meaning of their own: here, and to Socket.IO's clients, which drop the connection
# when an event carries one of theirs.
RESERVED = frozenset(
    {"ack", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "gap", "error", "welcome", "message"}
    | {RETRACTED, OFFSET_EVENT, GAP_EVENT}
    | RESERVED_EVENTS
)


@dataclass(frozen=True, slots=True)
class EventCommand:
    name: str
    data: Any
    id: Id


@dataclass(frozen=True, slots=True)
class MessageCommand:
    data: Any


@dataclass(frozen=True, slots=True)
class Subscribe:
    channel: str
    since: str | None
    id: Id
    token: str | None = None
    where: Any = None  # which of its messages; None for all
    delta: bool = False  # whether each as the difference from the one before


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    channel: str
    id: Id


@dataclass(frozen=True, slots=True)
class Ack:
    """The client's answer to a call of ours."""

    id: int | str
    data: Any


@dataclass(frozen=True, slots=True)
class BadCommand:
    """A JSON object that cannot be obeyed; it is answered by an error."""

    code: str
    message: str
    id: Id = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Several commands in one text; each is answered as if it came alone."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A client that has heard nothing for a while asks whether it is still heard."""

    id: int | str


Command = Heartbeat | Batch | EventCommand | MessageCommand | Subscribe | Unsubscribe | Ack | BadCommand

_starts_like_an_object = re.compile(r"[ \t\r\n]*\{").match


def parse(
    text: str, max_depth: int, max_values: int | None = None, turn: Callable[[], None] | None = None
) -> Command:
    """What one text message asks for; text that is no JSON object is a message."""
    if not _starts_like_an_object(text):
        return MessageCommand(text)
    try:
        fields = load_json(text, max_depth, max_values, turn)
    except NotJSON:
        return MessageCommand(text)
    except BadJSON as problem:
        return BadCommand("bad_json", problem.reason)
    if "commands" in fields and "type" not in fields:
        return _batch(fields["commands"])
    return _command(fields)


def _batch(commands: Any) -> Command:
    if not isinstance(commands, list) or not 0 < len(commands) <= MAX_BATCH:
        return BadCommand("bad_batch", f"commands has to be an array of 1 to {MAX_BATCH} objects")
    if not all(isinstance(fields, dict) for fields in commands):
        return BadCommand("bad_batch", "each of commands has to be an object")
    return Batch(tuple(map(_command, commands)))


def commands_in_address(values: Sequence[str]) -> tuple[Command, ...]:
    """What ``on=CHANNEL@CURSOR``, once for each channel, asks for; the name is the id of the answer."""
    if len(values) > MAX_BATCH:
        return (BadCommand("bad_batch", f"on is given for up to {MAX_BATCH} channels"),)
    return tuple(map(_command_in_address, values))


def _command_in_address(value: str) -> Command:
    channel, at, since = value.rpartition("@")
    if not at:
        return BadCommand("bad_since", "on has to be CHANNEL@CURSOR, or CHANNEL@")
    if len(channel) > _MAX_ID_TEXT:
        return BadCommand("bad_channel", "on names a channel that is too long")
    return _channel_command("subscribe", {"channel": channel, "since": since or None}, channel)


def _command(fields: dict[str, Any]) -> Command:
    id = fields.get("id")
    if not _is_id(id):
        return BadCommand("bad_id", "id has to be a short text or a whole number")
    kind: Any = fields.get("type")
    if kind == "message":
        return MessageCommand(fields.get("message"))
    if kind == "subscribe" or kind == "unsubscribe":
        return _channel_command(kind, fields, id)
    if kind == "ack":
        if id is None:
            return BadCommand("bad_id", "ack has to say what it answers")
        return Ack(id, fields.get("message"))
    if kind == "heartbeat" and id is not None and "message" not in fields:
        return Heartbeat(id)
    problem = event_name_problem(kind)
    if problem:
        return BadCommand("bad_type", f"type {problem}", id)
    return EventCommand(kind, fields.get("message"), id)


def _channel_command(kind: str, fields: dict[str, Any], id: Id) -> Command:
    channel = fields.get("channel")
    if not isinstance(channel, str):
        return BadCommand("bad_channel", "channel has to be a text", id)
    if kind == "unsubscribe":
        return Unsubscribe(channel, id)
    since = fields.get("since")
    if since is not None and not (isinstance(since, str) and len(since) <= _MAX_SINCE):
        return BadCommand("bad_since", "since has to be a cursor that the server gave", id)
    token = fields.get("token")
    if token is not None and not isinstance(token, str):
        return BadCommand("bad_token", "token has to be a text", id)
    delta = fields.get("delta", False)
    if not isinstance(delta, bool):
        return BadCommand("bad_delta", "delta has to be true or false", id)
    return Subscribe(channel, since, id, token, fields.get("where"), delta)


def _is_id(id: object) -> bool:
    if isinstance(id, str):
        return len(id) <= _MAX_ID_TEXT
    if isinstance(id, int):
        return not isinstance(id, bool) and -_MAX_ID_NUMBER <= id < _MAX_ID_NUMBER
    return id is None


def event_name_problem(name: object, reserved: frozenset[str] = RESERVED) -> str | None:
    """Why this cannot be the name of an event, in either direction; None when it can."""
    if not isinstance(name, str):
        return "has to be a text"
    if not name:
        return "is empty"
    if len(name) > MAX_EVENT_NAME:
        return f"is longer than {MAX_EVENT_NAME} characters"
    if not name.isprintable():
        return "has characters that cannot be printed"
    if name in reserved:
        return f"{name} is reserved"
    return None


_encode_text = json.JSONEncoder(ensure_ascii=False).encode
_encode_string: Callable[[str], str] = json.encoder.encode_basestring


def _json(value: object) -> str:
    """Most are texts, or whole numbers: the encoder takes up to ten times as long to find out."""
    kind = type(value)
    if kind is str:
        return _encode_string(cast("str", value))
    if value is True:
        return "true"
    return repr(value) if kind is int else _encode_text(value)


def message_text(
    type: str, data_json: str, channel: str | None = None, cursor: str | None = None, id: Id = None
) -> str:
    """With an ``id`` the client is asked to answer by an ack."""
    return f'{{"type":{_json(type)},"message":{data_json}{_optional(channel=channel, cursor=cursor, id=id)}}}'


def delta_text(type: str, patch_json: str, base: str, channel: str, cursor: str) -> str:
    """A message as what is different (RFC 7396) from the one whose cursor is ``base``."""
    return (
        f'{{"type":{_json(type)},"delta":{patch_json},"base":{_json(base)},"channel":{_json(channel)},'
        f'"cursor":{_json(cursor)}}}'
    )


def ack_text(id: int | str, data_json: str) -> str:
    return f'{{"type":"ack","id":{_json(id)},"message":{data_json}}}'


def subscribed_text(channel: str, cursor: str, id: Id = None, recovered: bool | None = None) -> str:
    """``recovered`` is left out (None) when the client did not ask for what it missed."""
    return (
        f'{{"type":"subscribed","channel":{_json(channel)},"cursor":{_json(cursor)}'
        f"{_optional(id=id, recovered=recovered)}}}"
    )


def unsubscribed_text(channel: str, id: Id = None) -> str:
    return f'{{"type":"unsubscribed","channel":{_json(channel)}{_optional(id=id)}}}'


def gap_text(channel: str | None, cursor: str, id: Id = None) -> str:
    """What the client missed cannot be told; from ``cursor`` on it hears everything.

    Without a channel it is about what was broadcast to everyone.
    """
    return f'{{"type":"gap"{_optional(channel=channel, cursor=cursor, id=id)}}}'


def error_text(code: str, message: str, id: Id = None) -> str:
    return f'{{"type":"error","code":{_json(code)},"message":{_json(message)}{_optional(id=id)}}}'


def welcome_text(session_id: str, cursor: str, ping_interval: float, ticket: str | None = None) -> str:
    return (
        f'{{"type":"welcome","message":{{"session":{_json(session_id)},"ping":{ping_interval!r}'
        f'{_optional(ticket=ticket)}}},"cursor":{_json(cursor)}}}'
    )


def _optional(**fields: str | int | bool | None) -> str:
    return "".join(f',"{name}":{_json(value)}' for name, value in fields.items() if value is not None)
