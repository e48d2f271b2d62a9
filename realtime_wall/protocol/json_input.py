"""Is this JSON from a stranger harmless, and what does it say?

Python's parser is lenient where other JSON readers are not, and its user may be surprised:
NaN and Infinity, numbers that become infinite, halves of surrogate pairs, nesting without end.
All of that is refused here, at little more than the cost of ``json.loads``. And as that cannot be
interrupted, what would take it long is refused before (:mod:`realtime_wall.protocol.json_cost`).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from realtime_wall.protocol.json_cost import costs_more, outside_strings


class BadJSON(ValueError):
    """JSON that is refused; ``reason`` says why in a few words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotJSON(BadJSON):
    """Text that is no JSON at all."""


def load_json(text: str, max_depth: int, max_values: int | None = None) -> Any:
    """The value of a JSON text; ``max_depth`` is how many arrays and objects may be inside each other.

    ``max_values`` is what it may cost to read, in values: see :func:`costs_more`.
    """
    data = text.encode("utf-8", "replace")
    escapes = data.count(b"\\") if b"\\" in data else 0
    if max_values is not None and escapes > max_values:
        raise BadJSON("too many values")
    # Each quote now begins or ends a string. An escaped backslash is one character of one; not none, which
    # would join its neighbours.
    plain = data.replace(b"\\\\", b"-").replace(b'\\"', b"") if escapes else data
    if max_values is not None and costs_more(plain, escapes, max_values):
        raise BadJSON("too many values")
    try:
        value = _read(text, data)
    except BadJSON:
        raise
    except json.JSONDecodeError as problem:
        raise NotJSON(f"{problem.msg} at character {problem.pos}") from None
    except RecursionError:
        raise BadJSON("nested too deeply") from None
    except ValueError:
        # The only other one: int() limits how many digits it will read.
        raise BadJSON("number with too many digits") from None
    # A level has two characters.
    if escapes and _surrogate(plain) and _surrogate(_drop_surrogate_pairs(b"", plain)):
        raise BadJSON("half of a surrogate pair")
    if len(plain) > 2 * max_depth and _is_deeper(plain, max_depth):
        raise BadJSON("nested too deeply")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise BadJSON(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number:  # infinity minus itself is not a number, and that counts as true
        raise BadJSON("number too large")
    return number


_read_watching_floats = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant).decode
_read_any_floats = json.JSONDecoder(parse_constant=_refuse_constant).decode

_has_large_exponent = re.compile(rb"e\+?[0-9]{3}").search
_has_large_capital_exponent = re.compile(rb"E\+?[0-9]{3}").search
_SAME_DIGITS = bytes.maketrans(b"123456789", b"000000000")
# With an exponent of two digits it takes 210 in a row, of which every twentieth of the text hits ten.
_EVERY, _MANY_DIGITS = 20, b"0" * 10
_FEW_FLOATS = 100


def _read(text: str, data: bytes) -> Any:
    """``json.loads`` without NaN and infinity.

    To look at each float in Python doubles what it costs to read it. So when there are many, we
    look first whether one could be infinite at all: that takes 309 digits, exponent included.
    """
    if text.count(".") > _FEW_FLOATS and not _may_be_infinite(data):
        return _read_any_floats(text)
    return _read_watching_floats(text)


def _may_be_infinite(data: bytes) -> bool:
    return bool(
        _has_large_exponent(data)
        or (b"E" in data and _has_large_capital_exponent(data))
        or _MANY_DIGITS in data[::_EVERY].translate(_SAME_DIGITS)
    )


_surrogate = re.compile(rb"\\u[dD][89a-fA-F]").search
_drop_surrogate_pairs = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..").sub


_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))
_SAME_BRACKETS = bytes.maketrans(b"{}", b"[]")


def _is_deeper(data: bytes, max_depth: int) -> bool:
    """Whether valid JSON, without its escapes, is nested more deeply; in steps that all run in C."""
    # Two quotes with no bracket between them change nothing about what is inside a string. Those
    # that are left stand around brackets that are.
    brackets = data.translate(_SAME_BRACKETS, _NO_BRACKETS_OR_QUOTES).replace(b'""', b"")
    brackets = outside_strings(brackets)
    for _ in range(max_depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
