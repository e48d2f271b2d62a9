"""Which messages of a channel does a reader want? Those whose object has the fields that it names.

``{"team": "red", "lang": ["de", "fr"], "lon": {"from": -10, "to": 20}}`` wants all of it: one value, one of
several, or a number in a range. A channel's rule names by ``TAGS`` what may be asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from realtime_wall.channels.message import Message
from realtime_wall.channels.rules import Rule
from realtime_wall.errors import RealtimeWallError

T = TypeVar("T")

MAX_FIELDS = 8
MAX_VALUES = 32
MAX_TEXT = 128
_RANGE = re.compile(r"(-?\d{1,15}(?:\.\d{1,15})?)\.\.(-?\d{1,15}(?:\.\d{1,15})?)").fullmatch


class BadWhere(RealtimeWallError):
    """A wish for some of the messages that makes no sense, or that the channel's rule does not know."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    values: frozenset[str]  # as texts; none for a range
    low: float = 0.0
    high: float = 0.0

    def holds(self, value: Any) -> bool:
        if self.values:
            return _text(value) in self.values
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high


# All of it has to hold.
Where = frozenset[Condition]


def wants(where: Where, message: Message) -> bool:
    """Whether a reader wants a message; that one is taken back, everybody is told."""
    if message.retracts is not None:
        return True
    fields = _fields_of(message.data_json)
    return fields is not None and all(one.holds(fields.get(one.field)) for one in where)


def wanted(where: Where | None, items: Iterable[T]) -> list[T]:
    """What is left of messages and gaps."""
    return [one for one in items if where is None or not isinstance(one, Message) or wants(where, one)]


def from_json(value: Any, rule: Rule) -> Where:
    if not isinstance(value, dict):
        raise BadWhere("where has to be an object of fields")
    return _checked((_condition(field, wanted) for field, wanted in value.items()), rule)


def from_texts(texts: Iterable[str], rule: Rule) -> Where:
    """As an address has it: ``team:red``, ``lang:de,fr``, ``lon:-10..20``."""
    return _checked((_condition_of_text(text) for text in texts), rule)


def _checked(conditions: Iterable[Condition], rule: Rule) -> Where:
    found = frozenset(conditions)
    if not found or len(found) > MAX_FIELDS:
        raise BadWhere(f"where has 1 to {MAX_FIELDS} fields")
    for one in found:
        if one.field not in rule.tags:
            raise BadWhere(f"{one.field[:40]!r} is not among the TAGS of the channel")
    return found


def _condition(field: str, wanted: Any) -> Condition:
    if isinstance(wanted, dict) and wanted.keys() == {"from", "to"}:
        ends = (wanted["from"], wanted["to"])
        if all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends):
            return Condition(field, frozenset(), float(ends[0]), float(ends[1]))
    values = wanted if isinstance(wanted, list) else [wanted]
    if not 0 < len(values) <= MAX_VALUES or any(isinstance(one, (list, dict)) for one in values):
        raise BadWhere(f"{field[:40]!r} is a value, up to {MAX_VALUES} of them, or a range from and to")
    return Condition(field, frozenset(map(_text, values)))


def _condition_of_text(text: str) -> Condition:
    field, _, wanted = text.partition(":")
    if found := _RANGE(wanted):
        return Condition(field, frozenset(), float(found[1]), float(found[2]))
    return _condition(field, wanted.split(","))


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else json.dumps(value, default=str)


@lru_cache(16)  # a message is looked at by several kinds of readers, one after the other
def _fields_of(data_json: str) -> dict[str, Any] | None:
    fields = json.loads(data_json) if data_json.startswith("{") else None
    return fields if isinstance(fields, dict) else None
