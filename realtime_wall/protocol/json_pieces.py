"""How is a large JSON text read while everybody else is served, too?

Python's parser cannot be interrupted, but it can be given a piece at a time. So the arrays and objects that
are larger than a window are gone through here, and what fits into the window is the parser's: several of
their items at once, or one. Between two windows others have a turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import islice
from json import decoder
from typing import Any

from realtime_wall.protocol.json_checks import (
    BadJSON,
    NotJSON,
    check_depth,
    check_surrogates,
    is_balanced,
    scan,
    scanner_for,
    values_of,
)

# Of the worst JSON this takes half a millisecond. Smaller, and the turns cost more than the reading.
WINDOW = 4 * 1024

_WHITESPACE = " \t\n\r"
# A bracket, or a string with what is in it; at the end of a window there may be half of one.
_tokens = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL).finditer
_read_string: Callable[[str, int], tuple[str, int]] = vars(decoder)["scanstring"]
# Of a number that goes on behind the window so much may be taken for something else: the "e+" of 1e+5.
_BEHIND_A_NUMBER = 2
# How often the end of an item is looked for, from the end of the window on.
_ATTEMPTS = 4
# Each may be as deep as may be.
_FORGOTTEN_AT_ONCE = 250


class LargeJSON:
    """One text, and how far it has been read."""

    def __init__(self, text: str, max_depth: int, max_values: int | None, turn: Callable[[], None]) -> None:
        self._text = text
        self._max_depth = max_depth
        self._values_left = float("inf") if max_values is None else max_values
        self._turn = turn
        self._has_surrogates = "\\" in text and (r"\ud" in text or r"\uD" in text)
        self._start = 0  # of the window
        self._window = text[:WINDOW]
        self._scanner = scanner_for(self._window)
        self._single_until = 0  # up to here its items come one by one
        # Arrays and objects that begin in some window and do not end in it.
        self._large: set[int] = set()
        self._opened: list[list[Any] | dict[str, Any]] = []  # those that are larger than a window

    def read(self) -> Any:
        try:
            value, at = self._value(self._skip_space(0), self._max_depth)
        except RecursionError:
            raise BadJSON("nested too deeply") from None
        except BadJSON:
            self._forget()
            raise
        at = self._skip_space(at)
        self._move(at)
        if at < len(self._text):
            raise NotJSON(f"Extra data at character {at}")
        return value

    def _forget(self) -> None:
        """What was read before it was refused: to free a hundred thousand lists at once takes long, too."""
        for container in self._opened:
            while container:
                if isinstance(container, list):
                    del container[-_FORGOTTEN_AT_ONCE:]
                else:
                    for name in list(islice(container, _FORGOTTEN_AT_ONCE)):
                        del container[name]
                self._turn()

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        """The value that begins there and may be so deep, and where it ends."""
        found = self._small_value(at, depth)
        if found is not None:
            return found
        opening = self._text[at]
        if opening == '"':
            self._turn()
            return self._string(at)
        if opening not in "[{":
            return scan(self._text, at, self._scanner)  # more digits than anybody needs
        if not depth:
            raise BadJSON("nested too deeply")
        return (self._array if opening == "[" else self._object)(at + 1, depth - 1)

    def _small_value(self, at: int, depth: int) -> tuple[Any, int] | None:
        """None when it does not fit into a window."""
        while at not in self._large:
            begin = at - self._start
            try:
                value, end = scan(self._window, begin, self._scanner)
            except BadJSON:  # it may be all right, and cut off by the end of the window
                if begin:
                    self._move(at)
                    continue
                if self._is_last_window or not self._find_large(at):
                    raise
                return None
            if end + _BEHIND_A_NUMBER < len(self._window) or self._is_last_window:
                self._check(value, begin, end, depth)
                return value, self._start + end
            if not begin:
                return None
            self._move(at)
        return None

    def _check(self, value: object, begin: int, end: int, depth: int) -> None:
        kind = type(value)
        if kind is dict or kind is list:
            check_depth(self._window[begin:end], depth)
        elif kind is not str:
            return
        if self._has_surrogates:
            check_surrogates(self._window[begin:end])

    @property
    def _is_last_window(self) -> bool:
        return self._start + len(self._window) >= len(self._text)

    def _move(self, at: int) -> None:
        """The window begins at this value, and somebody else has a turn."""
        self._values_left -= values_of(self._window[: at - self._start])
        if self._values_left < 0:
            raise BadJSON("too many values")
        self._start = at
        self._window = self._text[at : at + WINDOW]
        self._scanner = scanner_for(self._window)
        self._turn()

    def _find_large(self, at: int) -> bool:
        """Whether the value at the beginning of the window is longer; all like it are noted."""
        if self._text[at] not in "[{":
            return True
        self._turn()
        opened: list[int] = []
        for token in _tokens(self._window):
            if token[0] in ("[", "{"):
                opened.append(at + token.start())
            elif token[0] in ("]", "}"):
                opened.pop()
                if not opened:
                    return False
        self._large.update(opened)
        return True

    # What is larger than a window

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = _read_string(self._text, at + 1)
            if self._has_surrogates:
                value.encode()
        except json.JSONDecodeError as problem:
            raise NotJSON(f"{problem.msg} at character {problem.pos}") from None
        except UnicodeEncodeError:
            raise BadJSON("half of a surrogate pair") from None
        # What of it is in the window is counted as that moves on.
        self._values_left -= self._text.count("\\", max(at, self._start + len(self._window)), end)
        return value, end

    def _array(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        self._opened.append(items)
        at = self._skip_space(at)
        if self._is_at(at, "]"):
            return items, at + 1
        while True:
            several = self._several(at, "[]", depth)
            if several is not None:
                found, at = several
                items += found
                continue
            value, at = self._value(at, depth)
            items.append(value)
            at = self._skip_space(at)
            if self._is_at(at, "]"):
                return items, at + 1
            at = self._skip(",", at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        fields: dict[str, Any] = {}
        self._opened.append(fields)
        at = self._skip_space(at)
        if self._is_at(at, "}"):
            return fields, at + 1
        while True:
            several = self._several(at, "{}", depth)
            if several is not None:
                found, at = several
                fields.update(found)
                continue
            if not self._is_at(at, '"'):
                raise NotJSON(f"Expecting a name in double quotes at character {at}")
            name, at = self._string(at)
            at = self._skip(":", self._skip_space(at))
            fields[name], at = self._value(at, depth)
            at = self._skip_space(at)
            if self._is_at(at, "}"):
                return fields, at + 1
            at = self._skip(",", at)

    def _several(self, at: int, brackets: str, depth: int) -> tuple[Any, int] | None:
        """As many items of an array or object as the window has; None when that is one, or hard to see."""
        if at < self._single_until:
            return None
        self._move(at)
        cut = self._window.rfind(",")
        for _ in range(_ATTEMPTS):
            if cut <= 0:
                break
            if is_balanced(self._window[:cut]):
                piece = brackets[0] + self._window[:cut] + brackets[1]
                try:
                    found, end = scan(piece, 0, self._scanner)
                except BadJSON:  # one of them: where, is found as they are read one by one
                    break
                if end < len(piece) or not found:
                    break
                check_depth(piece, depth + 1)
                if self._has_surrogates:
                    check_surrogates(piece)
                return found, self._skip_space(at + cut + 1)
            cut = self._window.rfind(",", 0, cut)
        self._single_until = at + WINDOW // 2
        return None

    def _is_at(self, at: int, character: str) -> bool:
        return self._text.startswith(character, at)

    def _skip(self, character: str, at: int) -> int:
        """Behind it, and the space that follows."""
        if not self._is_at(at, character):
            raise NotJSON(f"Expecting {character!r} at character {at}")
        if character == "," and at >= self._start + len(self._window):
            self._values_left -= 1  # behind what is longer than a window
        return self._skip_space(at + 1)

    def _skip_space(self, at: int) -> int:
        while self._text.startswith((" ", "\n", "\r", "\t"), at):
            piece = self._text[at : at + WINDOW]
            left = len(piece.lstrip(_WHITESPACE))
            at += len(piece) - left
            if left:
                break
            self._turn()
        return at
