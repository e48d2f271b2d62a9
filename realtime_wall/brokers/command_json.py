"""A command, or a question, as JSON: how processes send it to each other."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, cast, get_type_hints

from realtime_wall.brokers.commands import (
    MAX_DEPTH,
    Ask,
    Count,
    Delete,
    Disconnect,
    DisconnectUser,
    GetPosition,
    Move,
    Publish,
    RecheckPermissions,
    Request,
    Retract,
    SendTo,
)
from realtime_wall.brokers.questions import (
    Follow,
    GetChannelPage,
    GetHistory,
    GetMetrics,
    GetPresence,
    GetServers,
    GetSocketPage,
    GetSockets,
    GetStatistics,
)
from realtime_wall.channels.message import Binary
from realtime_wall.protocol.attachments import places_of
from realtime_wall.protocol.json_input import load_json

Kinds = Mapping[str, type[Request]]


def kinds_of(classes: Iterable[type[Request]]) -> dict[str, type[Request]]:
    """The classes by their verbs."""
    return {kind.__name__: kind for kind in classes}


# What any process of the site may send.
PUBLIC_KINDS: Kinds = kinds_of(
    (
        *(Publish, Retract, Delete, SendTo, Disconnect, DisconnectUser, RecheckPermissions, Count, Ask, Move),
        *(GetPosition, Follow, GetStatistics, GetMetrics, GetServers, GetSockets, GetPresence),
        *(GetSocketPage, GetChannelPage, GetHistory),
    )
)


def to_json(request: Request) -> dict[str, Any]:
    value = {"verb": type(request).__name__, **asdict(request)}
    binary: Binary | None = getattr(request, "binary", None)
    if binary is not None:
        attachments = [b64encode(attachment).decode() for attachment in binary.attachments]
        value["binary"] = json.dumps([binary.json, *attachments])
    return value


def from_json(value: object, kinds: Kinds = PUBLIC_KINDS, *, of_server: bool = False) -> Request:
    """What a decoded JSON value asks for; ValueError for anything that makes no sense."""
    if not isinstance(value, dict):
        raise ValueError("a command is a JSON object")
    fields = {key: item for key, item in value.items() if key != "verb"}
    kind = kinds.get(str(value.get("verb")))
    if kind is None:
        raise ValueError("an unknown command")
    if isinstance(fields.get("binary"), str):
        fields["binary"] = _binary(fields["binary"])
    types = _types(cast("Any", kind))
    if not all(isinstance(item, types.get(key, object)) for key, item in fields.items()):
        raise ValueError("a command with a field of the wrong type")
    try:
        request = kind(**fields)
    except TypeError as problem:
        raise ValueError(f"a command with the wrong fields: {problem}") from problem
    request.check(of_server=of_server)
    return request


@cache
def _types(kind: Any) -> dict[str, Any]:
    names = {field for field in kind.__dataclass_fields__ if field in kind.__slots__}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in names}


def _binary(text: str) -> Binary:
    value = load_json(text, MAX_DEPTH)
    if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
        raise ValueError("a command with a field of the wrong type")
    json_text, *encoded = value
    attachments = tuple(b64decode(attachment, validate=True) for attachment in encoded)
    places_of([load_json(json_text, MAX_DEPTH)], len(attachments))
    return Binary(json_text, attachments)
