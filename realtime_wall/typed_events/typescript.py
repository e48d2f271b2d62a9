"""The declared events as TypeScript: for pages whose scripts are checked.

``ClientEvents`` is what a page emits and how it is answered, ``ServerEvents`` what it hears: the types that
``Realtime.connect<ServerEvents, ClientEvents>()`` takes.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from realtime_wall.typed_events.declared import Declared
from realtime_wall.typed_events.json_types import LISTS, MAPPINGS, TEXTS, fields_of

HEAD = "// Written by 'manage.py realtime types'. Change the declarations in Python instead.\n"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", None: "null"}


def typescript(events: Iterable[Declared]) -> str:
    events = sorted(events, key=lambda one: one.name)
    named: dict[str, type] = {}
    received = [one for one in events if one.is_sent_by_client]
    sent = [one for one in events if one.is_sent_by_server]
    client = [
        f"  {json.dumps(one.name)}: {{ message: {_type(one.cls, named)}; answer: {_answer(one, named)} }};"
        for one in received
    ]
    server = [f"  {json.dumps(one.name)}: {_type(one.cls, named)};" for one in sent]
    parts = [
        *_interfaces(named),
        _interface("ClientEvents", client, "What a page emits, and what it is answered."),
        _interface("ServerEvents", server, "What a page hears."),
    ]
    return HEAD + "\n" + "\n".join(parts)


def _interfaces(named: dict[str, type]) -> Iterator[str]:
    """Those that are named, and those that they name."""
    done: dict[str, str] = {}
    while len(done) < len(named):
        for name, cls in list(named.items()):
            if name not in done:
                done[name] = _named(name, cls, named)
    yield from (done[name] for name in sorted(done))


def _named(name: str, cls: type, named: dict[str, type]) -> str:
    if issubclass(cls, Enum):
        values = " | ".join(json.dumps(member.value) for member in cls)
        return f"export type {name} = {values};\n"
    lines = [
        f"  {field}{'?' if may_be_missing else ''}: {_type(kind, named)};"
        for field, (kind, may_be_missing) in fields_of(cls).items()
    ]
    doc = cls.__doc__ or ""
    return _interface(name, lines, "" if doc.startswith(f"{cls.__name__}(") else doc.strip())


def _interface(name: str, lines: list[str], doc: str) -> str:
    comment = f"/** {' '.join(doc.replace('*/', '* /').split())} */\n" if doc else ""
    body = "".join(f"{line}\n" for line in ["", *lines]) if lines else ""
    return f"{comment}export interface {name} {{{body}}}\n"


def _answer(one: Declared, named: dict[str, type]) -> str:
    return " | ".join(dict.fromkeys(_type(kind, named) for kind in one.answers)) or "null"


def _type(kind: Any, named: dict[str, type]) -> str:
    if kind in PLAIN:
        return PLAIN[kind]
    if kind in TEXTS:
        return "string"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(json.dumps(one) for one in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_type(one, named) for one in arguments))
    if origin in LISTS or (origin is tuple and arguments[-1] is ...):
        return f"Array<{_type(arguments[0], named)}>"
    if origin is tuple:
        return f"[{', '.join(_type(one, named) for one in arguments)}]"
    if origin in MAPPINGS:
        return f"Record<string, {_type(arguments[1], named)}>"
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Enum)):
        named[kind.__name__] = kind
        return kind.__name__
    return "unknown"
