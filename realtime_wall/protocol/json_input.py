"""What does a JSON text from a stranger say, if it is harmless?

``json_checks.py`` says what is not. The parser cannot be interrupted: so a large text is read in pieces
(``json_pieces.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from realtime_wall.protocol.json_checks import (
    FEW_FLOATS,
    BadJSON,
    NotJSON,
    ScanError,
    check_depth,
    check_surrogates,
    refusal_of,
    scan_few_floats,
    scanner_for,
    values_of,
)
from realtime_wall.protocol.json_pieces import LargeJSON

__all__ = ["LARGE", "BadJSON", "NotJSON", "load_json"]

# Of the worst JSON this takes 2 ms.
LARGE = 16 * 1024

_WHITESPACE = " \t\n\r"


def load_json(
    text: str, max_depth: int, max_values: int | None = None, turn: Callable[[], None] | None = None
) -> Any:
    """The value of a JSON text; ``max_depth`` is how many arrays and objects may be inside each other.

    ``max_values`` is how many values it may have: see :func:`values_of`. While more than ``LARGE`` characters
    are read, ``turn`` is called about every millisecond, if there is one; else all is read at once.
    """
    size = len(text)
    if turn is not None and size > LARGE:
        return LargeJSON(text, max_depth, max_values, turn).read()
    if max_values is not None and size > max_values and values_of(text) > max_values:
        raise BadJSON("too many values")
    start = 0
    if text[:1] in _WHITESPACE:
        start = size - len(text.lstrip(_WHITESPACE))
    try:
        value, end = (scan_few_floats if size <= FEW_FLOATS else scanner_for(text))(text, start)
    except ScanError as problem:
        raise refusal_of(problem) from None
    if end != size and text[end:].strip(_WHITESPACE):
        raise NotJSON(f"Extra data at character {end}")
    if size > max_depth:
        check_depth(text, max_depth)
    if "\\" in text:
        check_surrogates(text)
    return value
