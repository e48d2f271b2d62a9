"""Which messages are in a client's WebSocket bytes?

RFC 6455 as a server hears it; ours are written in ``frame_writer.py``, and its one extension is in
``deflate.py``. Bytes go in, in any pieces, and events come out; there is no socket here. What a header
announces is checked before anything is kept for it, and of a message that arrives slowly one bytearray is
kept, already unmasked.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from websockets.exceptions import ProtocolError
from websockets.frames import Close as ClosePayload

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets was built without its C module
    from websockets.utils import apply_mask


@dataclass(slots=True)
class Text:
    text: str


@dataclass(slots=True)
class Binary:
    data: bytes


@dataclass(slots=True)
class Ping:
    data: bytes


@dataclass(slots=True)
class Pong:
    data: bytes


@dataclass(slots=True)
class Close:
    """The client says goodbye; the code is 1005 when it gave none."""

    code: int
    reason: str


@dataclass(slots=True)
class Violation:
    """The client broke the protocol or a limit; the code is the one to close with."""

    code: int
    reason: str


@dataclass(slots=True)
class Deflated:
    """A message as it came: inflated it may be a thousand times as large, so that is left for its turn."""

    data: bytes
    is_text: bool


FrameEvent = Text | Binary | Deflated | Ping | Pong | Close | Violation

# First bytes: FIN bit and opcode.
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
_RESERVED_BITS = 0x70
LEGAL = frozenset(
    {CONTINUATION, TEXT, BINARY}
    | {FIN | opcode for opcode in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)}
)
_CONTROL = frozenset({FIN | CLOSE, FIN | PING, FIN | PONG})


class Broken(Exception):
    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


def only_text(data: bytes, max_message: int) -> str | None:
    """What a client says first, or next, if that is one short text and nothing else: it nearly always is."""
    length = len(data) - 6
    if not 0 <= length <= 125 or data[0] != FIN | TEXT or data[1] != 0x80 | length or length > max_message:
        return None
    try:
        return apply_mask(data[6:], data[2:6]).decode()
    except UnicodeDecodeError:
        return None


class FrameReader:
    """The receiving half of one connection; between messages it holds no buffer."""

    __slots__ = (
        "_checked",
        "_ended",
        "_first",
        "_frames",
        "_head",
        "_is_text",
        "_left",
        "_mask",
        "_max_fragments",
        "_max_message",
        "_message",
        "fragments",
    )

    legal = LEGAL

    def __init__(self, max_message: int = 1024 * 1024, max_fragments: int = 64) -> None:
        self._max_message = max_message
        self._max_fragments = max_fragments
        self._ended = False
        self.fragments = 0  # frames of the last bytes that are not the whole of a message
        # The start of a frame whose header (for a control frame: whose end) has not arrived.
        self._head = b""
        # The message that is being received, unmasked, and what is known about it.
        self._message: bytearray | None = None
        self._is_text = False
        self._frames = 0
        self._checked = 0
        # The frame of it that is being received: first byte, bytes to come, mask for the next one.
        self._first = 0
        self._left = 0
        self._mask = b""

    @property
    def is_inside_a_message(self) -> bool:
        """Whether the end of a message has not arrived."""
        return self._message is not None

    @property
    def bytes_left(self) -> int:
        """Of the frame that is being received, once its head has arrived."""
        return self._left

    def only_text(self, data: bytes) -> str | None:
        """As the function of that name. None for all others: they are for :meth:`receive`."""
        if self._message is not None or self._head or self._ended:
            return None
        return only_text(data, self._max_message)

    def receive(self, data: bytes) -> list[FrameEvent]:
        """What the next bytes of the client complete; nothing once it said or was told goodbye."""
        events: list[FrameEvent] = []
        self.fragments = 0
        if self._ended:
            return events
        if self._head:
            data = self._head + data
            self._head = b""
        start = 0
        end = len(data)
        try:
            while start < end:
                if self._left:
                    start = self._receive_payload(data, start, events)
                    continue
                after = self._receive_frame(data, start, events)
                if after == start:
                    self._head = data[start:]
                    break
                start = after
        except Broken as broken:
            events.append(Violation(broken.code, broken.reason))
            self._end()
        return events

    def _receive_frame(self, data: bytes, start: int, events: list[FrameEvent]) -> int:
        """Where the frame at ``start`` has been read to; ``start`` when more of it is needed."""
        end = len(data)
        if end - start < 2:
            return start
        first = data[start]
        length = data[start + 1] & 0x7F
        if first not in self.legal or data[start + 1] < 0x80:
            raise Broken(1002, _what_is_wrong(first, self.legal))
        is_control = first in _CONTROL
        if not is_control:
            self._check_order(first)
        elif length > 125:
            raise Broken(1002, "control frame too long")
        payload = start + 6
        if length > 125:
            payload += 2 if length == 126 else 8
            if end < payload - 4:
                return start
            length = _long_length(data[start + 2 : payload - 4])
        if not is_control:
            self._check_size(length)
        if end < payload:
            return start
        mask = data[payload - 4 : payload]
        after = payload + length
        if after > end:
            # A control frame is small, and waits as it is until it is there.
            if is_control:
                return start
            self._begin_frame(first, length, mask)
            return payload
        self._whole_frame(first, apply_mask(data[payload:after], mask), events)
        return end if self._ended else after

    def _whole_frame(self, first: int, content: bytes, events: list[FrameEvent]) -> None:
        if first == FIN | TEXT:
            events.append(Text(_decode(content)))
        elif first == FIN | BINARY:
            events.append(Binary(content))
        elif first in _CONTROL:
            events.append(self._control(first, content))
        else:
            self._begin_frame(first, 0, b"")
            self._extend(content, events)

    def _check_order(self, first: int) -> None:
        """Is this the kind of data frame that may come now?"""
        if first & 0x0F == CONTINUATION:
            if self._message is None:
                raise Broken(1002, "continuation of nothing")
            if self._frames >= self._max_fragments:
                raise Broken(1009, f"message in more than {self._max_fragments} fragments")
        elif self._message is not None:
            raise Broken(1002, "new message inside a fragmented one")

    def _check_size(self, length: int) -> None:
        received = 0 if self._message is None else len(self._message)
        if received + length > self._max_message:
            raise Broken(1009, f"message larger than {self._max_message} bytes")

    def _begin_frame(self, first: int, left: int, mask: bytes) -> None:
        if self._message is None:
            self._message = bytearray()
            self._is_text = first & 0x0F == TEXT
            self._frames = 0
            self._checked = 0
        self._frames += 1
        self.fragments += 1
        self._first = first
        self._left = left
        self._mask = mask

    def _receive_payload(self, data: bytes, start: int, events: list[FrameEvent]) -> int:
        piece = data[start : start + self._left]
        self._left -= len(piece)
        content = apply_mask(piece, self._mask)
        turn = len(piece) & 3
        if turn:
            self._mask = self._mask[turn:] + self._mask[:turn]
        self._extend(content, events)
        return start + len(piece)

    def _extend(self, content: bytes, events: list[FrameEvent]) -> None:
        """Add to the message; at the end of its last frame, it is an event."""
        message = self._message
        assert message is not None
        message += content
        if self._left or not self._first & FIN:
            if self._is_text:
                self._check_text(message, content)
            return
        self._message = None
        events.append(Text(_decode(message)) if self._is_text else Binary(bytes(message)))

    def _check_text(self, message: bytearray, content: bytes) -> None:
        """Fail at the first bytes that are no UTF-8, whatever may follow them; ``content`` came last."""
        if self._checked + len(content) == len(message) and content.isascii():
            self._checked = len(message)  # ten times as fast as to decode it
            return
        # Both are released by name: what is only forgotten still holds the message on PyPy.
        with memoryview(message) as view, view[self._checked :] as unchecked:
            try:
                _, valid = codecs.utf_8_decode(unchecked, "strict", False)
            except UnicodeDecodeError:
                raise Broken(1007, "text is not UTF-8") from None
        self._checked += valid

    def _control(self, first: int, content: bytes) -> FrameEvent:
        if first == FIN | PING:
            return Ping(content)
        if first == FIN | PONG:
            return Pong(content)
        try:
            close = ClosePayload.parse(content)
        except (ProtocolError, UnicodeDecodeError):
            raise Broken(1002, "bad close frame") from None
        self._end()
        return Close(int(close.code), close.reason)

    def _end(self) -> None:
        self._ended = True
        self._message = None


def _long_length(written: bytes) -> int:
    length = int.from_bytes(written, "big")
    if length < (126 if len(written) == 2 else 65536):
        raise Broken(1002, "length not in its shortest form")
    return length


def _decode(content: bytes | bytearray) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Broken(1007, "text is not UTF-8") from None


def _what_is_wrong(first: int, legal: frozenset[int]) -> str:
    if first in legal:
        return "frame not masked"
    if first & _RESERVED_BITS:
        return "reserved bits set"
    if first & 0x07 > 2:
        return "reserved opcode"
    return "fragmented control frame"
