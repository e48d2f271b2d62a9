"""Any text: read through a small window, it is what it is when it is read at once."""

from collections.abc import Callable

from realtime_wall.protocol import json_pieces
from realtime_wall.protocol.json_input import BadJSON, load_json
from realtime_wall.protocol.json_pieces import LargeJSON

WORDS = [
    *'019[]{}",:-.eE+\\ \n\tntu\x00é',
    *('"a":', '"b"', '{"', '"},', "],", "[[[", "]]]", "1.5,", "1e999", "NaN", "null", "true,"),
    *("\\ud83d", "\\ude00", "\\\\", '\\"', "9" * 30),
]


def parse(data: bytes) -> None:
    text = "".join([WORDS[byte % len(WORDS)] for byte in data[1:]])
    before = json_pieces.WINDOW
    json_pieces.WINDOW = 1 + data[0] % 40 if data else 1
    try:
        assert _read(LargeJSON(text, 5, 100, lambda: None).read) == _read(lambda: load_json(text, 5, 100)), (
            text
        )
    finally:
        json_pieces.WINDOW = before


def _read(read: Callable[[], object]) -> object:
    """The value, or None and no more where it is refused: of several faults another one may be named."""
    try:
        return (read(),)
    except BadJSON:
        return None
