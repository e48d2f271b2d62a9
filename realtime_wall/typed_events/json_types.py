"""Does a JSON value fit a Python type, and what is it then; and back?

Types are those that JSON can hold: str, int, float, bool, None, lists, dicts by text, tuples, Literal, Enum,
dataclasses, and as texts date, datetime, time, Decimal and UUID. ``Any`` and ``object`` fit everything.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from realtime_wall.errors import InvalidMessage

# What travels as a text: how it is read.
TEXTS: dict[type, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
}
PLAIN = (str, int, float, bool, type(None))
LISTS, MAPPINGS = (list, Sequence), (dict, Mapping)


class Mismatch(InvalidMessage):
    """A value that is not of the type that was declared; ``path`` says where."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        self.path = path
        super().__init__(f"{path} should be {expected}, and is {type(found).__name__}")


def fields_of(cls: type) -> dict[str, tuple[Any, bool]]:
    """A dataclass's fields: their types, and whether they may be left out."""
    return _fields_of(cast(Any, cls))


@cache
def _fields_of(cls: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(cls, include_extras=False)
    missing = dataclasses.MISSING
    return {
        field.name: (
            hints[field.name],
            field.default is not missing or field.default_factory is not missing,
        )
        for field in dataclasses.fields(cls)
        if field.init
    }


def name_of(kind: Any) -> str:
    """As people write it."""
    return getattr(kind, "__name__", str(kind).replace("typing.", "")) if not get_args(kind) else str(kind)


def problem_with(kind: Any) -> str | None:
    """Why a type cannot be declared; None when it can."""
    if kind in PLAIN or kind is None or kind in TEXTS or kind in (Any, object):
        return None
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return None
    if origin in (Union, types.UnionType):
        return next(filter(None, map(problem_with, arguments)), None)
    if origin in LISTS:
        return problem_with(arguments[0])
    if origin is tuple:
        return next(filter(None, (problem_with(one) for one in arguments if one is not ...)), None)
    if origin in MAPPINGS:
        return problem_with(arguments[1]) if arguments[0] is str else f"{kind} has keys that are no str"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return None
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        found = ((name, problem_with(one)) for name, (one, _) in fields_of(kind).items())
        return next((f"{kind.__name__}.{name}: {problem}" for name, problem in found if problem), None)
    return f"JSON has no {name_of(kind)}"


def read(kind: Any, value: Any, path: str) -> Any:
    """What a JSON value is as this type; Mismatch when it is none."""
    return _convert(kind, value, path, is_json=True)


def check(kind: Any, value: Any, path: str) -> None:
    """Mismatch unless a value of Python's is of this type."""
    _convert(kind, value, path, is_json=False)


def _convert(kind: Any, value: Any, path: str, is_json: bool) -> Any:
    if kind in (Any, object):
        return value
    if kind in PLAIN or kind is None:
        return _plain(type(None) if kind is None else kind, value, path)
    if kind in TEXTS:
        return _text(kind, value, path, is_json)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _convert(arguments[0], value, path, is_json)
    if origin is Literal:
        if not any(value == one and type(value) is type(one) for one in arguments):
            raise Mismatch(path, f"one of {', '.join(map(repr, arguments))}", value)
        return value
    if origin in (Union, types.UnionType):
        return _union(arguments, value, path, is_json)
    if origin in LISTS or origin is tuple:
        return _items(kind, value, path, is_json)
    if origin in MAPPINGS:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise Mismatch(path, "an object", value)
        return {key: _convert(arguments[1], one, f"{path}.{key}", is_json) for key, one in value.items()}
    if issubclass(kind, Enum):
        return _enum(kind, value, path, is_json)
    return _dataclass(kind, value, path, is_json)


def _plain(kind: type, value: Any, path: str) -> Any:
    # True is an int of Python's, and none of JSON's; 1 is as good a float as 1.0.
    fits = type(value) in (int, float) if kind is float else type(value) is kind
    if not fits and not (kind is str and isinstance(value, str)):
        raise Mismatch(path, name_of(kind).replace("NoneType", "None"), value)
    return value


def _text(kind: type, value: Any, path: str, is_json: bool) -> Any:
    if not is_json:
        if not isinstance(value, kind):
            raise Mismatch(path, kind.__name__, value)
        return value
    if isinstance(value, str) and len(value) <= 100:
        try:
            return TEXTS[kind](value)
        except (ValueError, InvalidOperation):
            pass
    raise Mismatch(path, f"a {kind.__name__} as a text", value)


def _union(kinds: tuple[Any, ...], value: Any, path: str, is_json: bool) -> Any:
    problems = []
    for kind in kinds:
        try:
            return _convert(kind, value, path, is_json)
        except Mismatch as problem:
            problems.append(problem)
    # Of several, the one that got furthest says most.
    deepest = max(problems, key=lambda problem: len(problem.path))
    if deepest.path != path:
        raise deepest
    raise Mismatch(path, " or ".join(name_of(kind).replace("NoneType", "None") for kind in kinds), value)


def _items(kind: Any, value: Any, path: str, is_json: bool) -> Any:
    arguments = get_args(kind)
    if not isinstance(value, list | tuple):
        raise Mismatch(path, "a list", value)
    if get_origin(kind) is not tuple:
        return [_convert(arguments[0], one, f"{path}[{at}]", is_json) for at, one in enumerate(value)]
    kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
    if len(kinds) != len(value):
        raise Mismatch(path, f"a list of {len(kinds)}", value)
    return tuple(
        _convert(one, item, f"{path}[{at}]", is_json)
        for at, (one, item) in enumerate(zip(kinds, value, strict=True))
    )


def _enum(kind: type[Enum], value: Any, path: str, is_json: bool) -> Any:
    if isinstance(value, kind):
        return value
    if is_json:
        for member in kind:
            if member.value == value and type(member.value) is type(value):
                return member
    raise Mismatch(path, f"one of {', '.join(repr(member.value) for member in kind)}", value)


def _dataclass(kind: type, value: Any, path: str, is_json: bool) -> Any:
    fields = fields_of(kind)
    if not is_json:
        if not isinstance(value, kind):
            raise Mismatch(path, kind.__name__, value)
        for name, (one, _) in fields.items():
            check(one, getattr(value, name), f"{path}.{name}")
        return value
    if not isinstance(value, dict):
        raise Mismatch(path, "an object", value)
    found = {}
    for name, (one, may_be_missing) in fields.items():
        if name in value:
            found[name] = read(one, value[name], f"{path}.{name}")
        elif not may_be_missing:
            raise Mismatch(f"{path}.{name}", "there", None)
    unknown = value.keys() - fields.keys()
    if unknown:
        raise Mismatch(f"{path}.{min(unknown)[:40]}", "left out: it was not declared", value[min(unknown)])
    return kind(**found)


def to_json(value: Any) -> Any:
    """A dataclass as dicts, an Enum as its value; texts are written as Django does."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return value
