"""What has arrived whole, of bytes that may be cut anywhere: frames, chunks, and the head of an answer.

The server sends the same bytes to many clients, so whatever is made of a whole message is remembered by its
bytes (``Known``): a thousand clients cost a look-up each, not a thousand times the parsing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.oracle.journal import Place

TEXT, CLOSE, PING = 1, 8, 9


class Message(NamedTuple):
    """One published message, as a client hears it."""

    channel: str
    number: int
    when: float  # it was about to be published
    place: Place


def payload(channel: str, number: int, when: float) -> str:
    """What is published."""
    return f"{channel}|{number}|{when:.4f}"


def message_of(text: Any, cursor: str) -> Message:
    channel, number, when = str(text).split("|")
    return Message(channel, int(number), float(when), Place.parse(cursor))


class Known(dict):
    """What a function makes of some bytes, by the bytes."""

    LIMIT = 20_000

    def __init__(self, parse: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, data: bytes) -> Any:
        if len(self) >= self.LIMIT:
            self.clear()
        self[data] = found = self._parse(data)
        return found


class Frames:
    """A server's WebSocket frames: never masked, and here never fragmented."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if start + size > end or start > end:
                break
            opcode = data[at] & 15
            at = start + size
            yield opcode, data[start:at]
        self._rest = data[at:]


def frame(text: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame, with a mask of zeros: the server unmasks all the same."""
    size = len(text)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + b"\0\0\0\0" + text


class Chunks:
    """The body of a chunked answer."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_over = False

    def receive(self, data: bytes) -> bytes:
        if self._rest:
            data = self._rest + data
        at, body = 0, b""
        while (line_end := data.find(b"\r\n", at)) >= 0:
            size = int(data[at:line_end], 16)
            start = line_end + 2
            if size == 0:
                self.is_over = True
                break
            if start + size + 2 > len(data):
                break
            body += data[start : start + size]
            at = start + size + 2
        self._rest = data[at:]
        return body


class Parts:
    """What lies between separators."""

    def __init__(self, separator: bytes) -> None:
        self._separator = separator
        self._rest = b""

    def receive(self, data: bytes) -> list[bytes]:
        *parts, self._rest = (self._rest + data).split(self._separator)
        return parts


class Head(NamedTuple):
    status: int
    fields: dict[str, str]


def head_of(data: bytes) -> Head:
    first, *lines = data.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines)
    return Head(int(first.split()[1]), {name.lower(): value.strip() for name, _, value in fields})


class Item(NamedTuple):
    """What an answer under ``events/`` tells."""

    id: int
    channel: str
    cursor: str
    message: Message | None


def item_of(line: bytes) -> Item:
    fields = json.loads(line)
    message = message_of(fields["text"], fields["cursor"]) if fields["id"] > 0 else None
    if message is not None and message.channel != fields["channel"]:
        raise ValueError(f"a message of {message.channel!r} came as one of {fields['channel']!r}")
    return Item(fields["id"], fields["channel"], fields["cursor"], message)
