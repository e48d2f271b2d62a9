"""What do MessagePack bytes from a stranger say, if they are harmless?

An array says how long it is before its items come, and a parser makes room for them: five bytes can ask for
gigabytes. So nothing is unpacked before all of it was gone through: how deep it is, how many values it has,
and that each of them is there. The parser is C and cannot be interrupted: it is given what fits into a
window.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack

Turn = Callable[[], None] | None

# What the parser reads at once takes half a millisecond at most.
WINDOW = 4 * 1024
_VALUES_PER_TURN = 1000

# How the stock client's parser writes what JSON has no type for: all as extension 0, told apart by their
# lengths' encoding, which our parser does not show. So two of them are given numbers of their own.
_ARRAY_BUFFER, _DATE, _UNDEFINED = 0, 1, 2


class BadMessagePack(ValueError):
    """Bytes that are refused; ``reason`` says why in a few words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def load_msgpack(
    data: bytes, max_depth: int, max_values: int | None = None, turn: Turn = None, window: int = WINDOW
) -> Any:
    """The value; ``max_depth`` is how many arrays and maps may be inside each other.

    ``max_values`` is how many values it may have; arrays and maps count as three. While more than a
    ``window`` is read, ``turn`` is called again and again, if there is one; else all is read at once.
    """
    found = _Structure(bytearray(data), max_depth, max_values, turn, window)
    found.walk()
    try:
        if turn is None or not found.large:
            return msgpack.unpackb(found.data, ext_hook=_extension)
        unpacker = msgpack.Unpacker(ext_hook=_extension, max_buffer_size=len(data))
        unpacker.feed(found.data)
        return _read(unpacker, found.large, turn)
    except BadMessagePack:
        raise
    except UnicodeDecodeError:
        raise BadMessagePack("text that is no UTF-8") from None
    except (ValueError, msgpack.UnpackException):
        raise BadMessagePack("no MessagePack") from None


def _read(unpacker: Any, large: dict[int, bool], turn: Callable[[], None]) -> Any:
    """As deep as it was allowed to be: no deeper than Python's stack."""
    is_map = large.get(unpacker.tell())
    if is_map is None:
        return unpacker.unpack()
    count = unpacker.read_map_header() if is_map else unpacker.read_array_header()
    if is_map:
        return {unpacker.unpack(): _read_item(unpacker, large, turn, at) for at in range(count)}
    return [_read_item(unpacker, large, turn, at) for at in range(count)]


# Each is a window at most.
_ITEMS_PER_TURN = 16


def _read_item(unpacker: Any, large: dict[int, bool], turn: Callable[[], None], at: int) -> Any:
    if not at % _ITEMS_PER_TURN:
        turn()
    return _read(unpacker, large, turn)


def _extension(code: int, data: bytes) -> Any:
    if code == _ARRAY_BUFFER:
        return bytes(data)
    if code == _UNDEFINED:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int.from_bytes(data, signed=True))
    except OverflowError:
        raise BadMessagePack("a date that is out of range") from None
    # As the same client has it in JSON.
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fixed_sizes() -> list[int]:
    """By its first byte: of how many bytes a value is; 0 where that has to be looked up."""
    sizes = [0] * 256
    for byte in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):  # small numbers, nil, booleans
        sizes[byte] = 1
    for byte in range(0xA0, 0xC0):  # short texts
        sizes[byte] = 1 + byte - 0xA0
    for first in (0xCC, 0xD0):  # whole numbers
        for power in range(4):
            sizes[first + power] = 1 + 2**power
    return sizes


_FIXED_SIZES = _fixed_sizes()
# Of bytes, extensions and texts: how many bytes their length has, and how many stand behind it besides.
_LENGTHS = {
    **{0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0)},
    **{0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)},
    **{0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)},
}
_COUNTS = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}  # of items
_FLOATS = {0xCA: 5, 0xCB: 9}
_NO_BYTE = -1  # where a byte should be
_MAPS = {*range(0x80, 0x90), 0xDE, 0xDF}
_KEYS = {*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB}


class _Structure:
    """A value's arrays and maps, gone through without making any."""

    def __init__(
        self, data: bytearray, max_depth: int, max_values: int | None, turn: Turn, window: int
    ) -> None:
        self.data = data
        self.large: dict[int, bool] = {}  # where those larger than a window begin; whether each is a map
        self._max_depth = max_depth
        self._max_values = len(data) * 3 if max_values is None else max_values
        self._turn = turn
        self._window = window

    def walk(self) -> None:
        data, turn = self.data, self._turn
        outer: list[tuple[int, bool, int]] = []
        # Of the innermost array or map: how many values are to come, whether it is a map, where it began.
        left, is_map, begin = 1, False, -1
        at = values = 0
        while True:
            while not left:
                if not outer:
                    if at != len(data):
                        raise BadMessagePack("more or less than one value")
                    return
                if at - begin > self._window:
                    self.large[begin] = is_map
                left, is_map, begin = outer.pop()
            if at >= len(data):
                raise BadMessagePack("it ends too early")
            byte = data[at]
            if is_map and not left & 1 and byte not in _KEYS:
                raise BadMessagePack("a key that is no text")
            left -= 1
            values += 1
            if values > self._max_values:
                raise BadMessagePack("too many values")
            if turn is not None and not values % _VALUES_PER_TURN:
                turn()
            if size := _FIXED_SIZES[byte]:
                at += size
            elif 0x80 <= byte < 0xA0 or byte in _COUNTS:
                outer.append((left, is_map, begin))
                if len(outer) > self._max_depth:
                    raise BadMessagePack("nested too deeply")
                values, is_map, begin = values + 2, byte in _MAPS, at
                at, left = self._items(byte, at)
            else:
                at = self._end_of_other(byte, at)

    def _items(self, byte: int, at: int) -> tuple[int, int]:
        """Where the items of an array or a map begin, and how many there are."""
        width = _COUNTS.get(byte, 0)
        count = self._number(at + 1, width) if width else byte & 0x0F
        return at + 1 + width, count * 2 if byte in _MAPS else count

    def _end_of_other(self, byte: int, at: int) -> int:
        if byte in _LENGTHS:
            width, more = _LENGTHS[byte]
            if more and self._byte(at + 1 + width) != _ARRAY_BUFFER:
                raise BadMessagePack("an extension type")
            return at + 1 + width + more + self._number(at + 1, width)
        if byte in _FLOATS:
            return self._end_of_float(byte, at)
        if byte == 0xD4 and self._byte(at + 1) == 0:
            self.data[at + 1] = _UNDEFINED
            return at + 3
        if byte == 0xD7 and self._byte(at + 1) == 0:
            self.data[at + 1] = _DATE
            return at + 10
        raise BadMessagePack("an extension type, or no type")

    def _end_of_float(self, byte: int, at: int) -> int:
        """NaN and the infinities are null in JSON; here, too."""
        size, high = _FLOATS[byte], 0x80 if byte == 0xCA else 0xF0
        if self._byte(at + 1) & 0x7F == 0x7F and self._byte(at + 2) >= high:
            self.data[at : at + 3] = (0xC7, size - 3, _UNDEFINED)
        return at + size

    def _byte(self, at: int) -> int:
        return self.data[at] if at < len(self.data) else _NO_BYTE

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self.data[at : at + width])
