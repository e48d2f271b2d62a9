"""Is a piece of JSON from a stranger harmless, and what does it say?

Python's parser is lenient where other JSON readers are not, and its user may be surprised:
NaN and Infinity, numbers that become infinite, halves of surrogate pairs, nesting without end.
All of that is refused here, at little more than the cost of ``json.loads``.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn


class BadJSON(ValueError):
    """JSON that is refused; ``reason`` says why in a few words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotJSON(BadJSON):
    """Text that is no JSON at all."""


# One value that begins at an index of a text, and where it ends.
Scan = Callable[[str, int], tuple[Any, int]]


# What a scanner raises.
ScanError = (StopIteration, RecursionError, ValueError)


def scan(text: str, start: int, scanner: Scan) -> tuple[Any, int]:
    """The value that begins there, and where it ends; how deep it is was not checked."""
    try:
        return scanner(text, start)
    except ScanError as problem:
        raise refusal_of(problem) from None


def at_rest(scanner: Scan) -> Scan:
    """The same, while the collector rests: at the end of the stack, where nesting leads, its calls fail.

    What a weak reference was to tidy up would stay for good. JSON has no cycles to find.
    """

    def scan_at_rest(text: str, start: int) -> tuple[Any, int]:
        is_on = gc.isenabled()
        gc.disable()
        try:
            return scanner(text, start)
        finally:
            if is_on:
                gc.enable()

    return scan_at_rest


def refusal_of(problem: Exception) -> BadJSON:
    """What a scanner raised, said in one way."""
    match problem:
        case BadJSON():
            return problem
        case StopIteration():
            return NotJSON(f"Expecting value at character {problem.value}")
        case json.JSONDecodeError():
            return NotJSON(f"{problem.msg} at character {problem.pos}")
        case RecursionError():
            return BadJSON("nested too deeply")
    # The only other one: int() limits how many digits it will read.
    return BadJSON("number with too many digits")


def check_depth(piece: str, max_depth: int) -> None:
    """Of one value that was read, or of all that is in it."""
    if piece.count("[") + piece.count("{") > max_depth and _is_deeper(piece, max_depth):
        raise BadJSON("nested too deeply")


def check_surrogates(piece: str) -> None:
    if "\\" not in piece or not _surrogate(piece):
        return
    plain = _without_escapes(piece)
    if _surrogate(plain) and _surrogate(_drop_surrogate_pairs("", plain)):
        raise BadJSON("half of a surrogate pair")


def values_of(piece: str) -> int:
    """How much there is to read: each comma and each escape is one, each array and each object three."""
    structure = _structure_of(piece)
    return structure.count(b",") + 3 * structure.count(b"[") + piece.count("\\")


def is_balanced(piece: str) -> bool:
    """Whether as many quotes and brackets close as open."""
    plain = _without_escapes(piece)
    if plain.count('"') & 1:
        return False
    structure = _structure_of(plain)
    return structure.count(b"[") == structure.count(b"]")


def _without_escapes(piece: str) -> str:
    """Each quote then begins or ends a string."""
    if "\\" not in piece:
        return piece
    # An escaped one is one character; not none, which would join its neighbours.
    return piece.replace("\\\\", "-").replace('\\"', "-")


_NO_STRUCTURE = bytes(set(range(256)) - set(b'[]{}",'))
_NO_BRACKETS = bytes({*_NO_STRUCTURE, *b","})
_SAME_BRACKETS = bytes.maketrans(b"{}", b"[]")


def _structure_of(piece: str, without: bytes = _NO_STRUCTURE) -> bytes:
    """Brackets, all of one kind, and commas, outside of strings; the piece begins outside of one."""
    data = _without_escapes(piece).encode(errors="replace").translate(_SAME_BRACKETS, without)
    # Two quotes with nothing between them change nothing about what is inside a string. Those that are left
    # stand around something.
    data = data.replace(b'""', b"")
    return b"".join(data.split(b'"')[::2]) if b'"' in data else data


def _refuse_constant(name: str) -> NoReturn:
    raise BadJSON(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number:  # infinity minus itself is not a number, and that counts as true
        raise BadJSON("number too large")
    return number


def _scanner(**hooks: Any) -> Scan:
    scanner: Scan = vars(json.JSONDecoder(**hooks))["scan_once"]
    return scanner


scan_few_floats = _scanner(parse_float=_finite, parse_constant=_refuse_constant)
_scan_any_floats = _scanner(parse_constant=_refuse_constant)

FEW_FLOATS = 100
FEW_LEVELS = 100  # far from the end of the stack
_has_large_exponent = re.compile(r"e\+?[0-9]{3}").search
_has_large_capital_exponent = re.compile(r"E\+?[0-9]{3}").search
_SAME_DIGITS = bytes.maketrans(b"123456789", b"000000000")
# With an exponent of two digits it takes 210 in a row, of which every twentieth of the text hits ten.
_EVERY, _MANY_DIGITS = 20, b"0" * 10


def scanner_for(text: str) -> Scan:
    """To look at each float in Python doubles what it costs to read it.

    So when there are many, we look first whether one could be infinite at all: that takes 309 digits, the
    exponent included.
    """
    scanner = scan_few_floats
    if len(text) > FEW_FLOATS and text.count(".") > FEW_FLOATS and not _may_be_infinite(text):
        scanner = _scan_any_floats
    return at_rest(scanner) if text.count("[") + text.count("{") > FEW_LEVELS else scanner


def _may_be_infinite(text: str) -> bool:
    return bool(
        _has_large_exponent(text)
        or ("E" in text and _has_large_capital_exponent(text))
        or _MANY_DIGITS in text[::_EVERY].encode("ascii", "replace").translate(_SAME_DIGITS)
    )


_surrogate = re.compile(r"\\u[dD][89a-fA-F]").search
_drop_surrogate_pairs = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..").sub


def _is_deeper(piece: str, max_depth: int) -> bool:
    """Whether valid JSON is nested more deeply; in steps that all run in C."""
    brackets = _structure_of(piece, _NO_BRACKETS)
    for _ in range(max_depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
