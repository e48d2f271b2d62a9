"""Is this JSON from a stranger harmless, and what does it say?

Python's parser is lenient where other JSON readers are not, and its user may be surprised:
NaN and Infinity, numbers that become infinite, halves of surrogate pairs, nesting without end.
All of that is refused here, at little more than the cost of ``json.loads``.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn


class BadJSON(ValueError):
    """JSON that is refused; ``reason`` says why in a few words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotJSON(BadJSON):
    """Text that is no JSON at all."""


def load_json(text: str, max_depth: int) -> Any:
    """The value of a JSON text; ``max_depth`` is how many arrays and objects may be inside each other."""
    data = text.encode("utf-8", "replace")
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
    _check_shape(data, max_depth)
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


def _check_shape(data: bytes, max_depth: int) -> None:
    """Look at valid JSON for half a surrogate pair and for depth, in steps that all run in C."""
    # Each level takes two characters, half a pair six.
    has_escapes = b"\\" in data
    if len(data) <= 2 * max_depth and not has_escapes:
        return
    if has_escapes:
        # An escaped backslash is one character of a string; not none, which would join its neighbours.
        data = data.replace(b"\\\\", b"-")
        if _surrogate(data) and _surrogate(_drop_surrogate_pairs(b"", data)):
            raise BadJSON("half of a surrogate pair")
        data = data.replace(b'\\"', b"")
    if _is_deeper(data, max_depth):
        raise BadJSON("nested too deeply")


_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))
_SAME_BRACKETS = bytes.maketrans(b"{}", b"[]")


def _is_deeper(data: bytes, max_depth: int) -> bool:
    # Two quotes with no bracket between them change nothing about what is inside a string. Those
    # that are left stand around brackets that are.
    brackets = data.translate(_SAME_BRACKETS, _NO_BRACKETS_OR_QUOTES).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(max_depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
