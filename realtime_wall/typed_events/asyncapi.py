"""The declared events as an AsyncAPI 3 document, with their messages as JSON Schema."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from realtime_wall.typed_events.declared import Declared
from realtime_wall.typed_events.json_types import LISTS, MAPPINGS, fields_of

PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$"},
    UUID: {"type": "string", "format": "uuid"},
}


def asyncapi(events: Iterable[Declared], title: str, version: str) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for one in sorted(events, key=lambda one: one.name):
        messages[one.name] = _message(one, schemas)
        for action, wanted in (("receive", one.is_sent_by_client), ("send", one.is_sent_by_server)):
            if wanted:
                operations[f"{action}_{one.name}"] = {
                    "action": action,
                    "channel": {"$ref": "#/channels/site"},
                    "messages": [{"$ref": f"#/channels/site/messages/{one.name}"}],
                }
    references = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "channels": {"site": {"address": "ws/", "messages": references}},
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(one: Declared, schemas: dict[str, Any]) -> dict[str, Any]:
    """On the plain WebSocket: the event's name is the type, what is declared the message."""
    payload = {
        "type": "object",
        "required": ["type", "message"],
        "properties": {"type": {"const": one.name}, "message": schema_of(one.cls, schemas)},
    }
    found: dict[str, Any] = {"name": one.name, "contentType": "application/json", "payload": payload}
    if one.is_sent_by_client and one.answers:
        found["x-answer"] = schema_of(Union[tuple(one.answers)], schemas)  # noqa: UP007
    return found


def schema_of(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if kind in PLAIN:
        return dict(PLAIN[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(one, schemas) for one in arguments]}
    if origin in LISTS or (origin is tuple and arguments[-1] is ...):
        return {"type": "array", "items": schema_of(arguments[0], schemas)}
    if origin is tuple:
        items = [schema_of(one, schemas) for one in arguments]
        return {"type": "array", "items": items, "minItems": len(items), "maxItems": len(items)}
    if origin in MAPPINGS:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], schemas)}
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Enum)):
        return _named(kind, schemas)
    return {}


def _named(kind: type, schemas: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in schemas:
        schemas[name] = {}  # so that one that names itself ends
        if issubclass(kind, Enum):
            schemas[name] = {"enum": [member.value for member in kind]}
        else:
            fields = fields_of(kind)
            schemas[name] = {
                "type": "object",
                "additionalProperties": False,
                "required": [field for field, (_, may_be_missing) in fields.items() if not may_be_missing],
                "properties": {field: schema_of(one, schemas) for field, (one, _) in fields.items()},
            }
    return {"$ref": f"#/components/schemas/{name}"}
