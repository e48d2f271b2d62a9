"""How is a message deflated once for all clients, and a client's inflated without being blown up?

permessage-deflate (RFC 7692) without context takeover: a message is deflated alone, so that the bytes are the
same for all clients that agreed on the same window, and nothing is kept between two messages of a client.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from realtime_wall.protocol.websocket.frame_writer import binary_frame, text_frame
from realtime_wall.protocol.websocket.frames import (
    FIN,
    LEGAL,
    Binary,
    Deflated,
    FrameEvent,
    FrameReader,
    Text,
    Violation,
)

# Measured: of JSON of some KB the higher levels leave a twentieth less, and from 64 KB on take three times as
# long.
LEVEL = 1
# This takes some 4 ms, in which nobody else is served. What is larger is sent as it is.
LARGEST = 256 * 1024
# The window that every client's bytes can be inflated with, whatever it used.
_WINDOW_BITS = 15

_RSV1 = 0x40
TEXT, BINARY = 0x1, 0x2
# Every message ends with it, so that it does not travel (7.2.1).
_TAIL = b"\x00\x00\xff\xff"
# What may follow a block that is marked as the last one (7.2.3.4).
_BEHIND_THE_LAST = {b"", _TAIL, b"\x00" + _TAIL}


class Framing:
    """How the messages to a client are put into frames, and its own are read: as they are."""

    __slots__ = ()

    # The functions themselves: a method around each took as long as they do.
    text = staticmethod(text_frame)
    binary = staticmethod(binary_frame)

    def reader(self, max_message: int, max_fragments: int) -> FrameReader:
        return FrameReader(max_message, max_fragments)


PLAIN = Framing()


class DeflateFraming(Framing):
    """Deflated from ``min_size`` bytes on, for windows of 2 to the power of ``window_bits``."""

    __slots__ = ("_min_size", "_window_bits")

    def __init__(self, window_bits: int, min_size: int) -> None:
        self._window_bits = window_bits
        self._min_size = min_size

    def text(self, payload: bytes) -> bytes:
        deflated = self._deflate(payload)
        return text_frame(payload) if deflated is None else _marked(text_frame(deflated))

    def binary(self, payload: bytes) -> bytes:
        deflated = self._deflate(payload)
        return binary_frame(payload) if deflated is None else _marked(binary_frame(deflated))

    def reader(self, max_message: int, max_fragments: int) -> FrameReader:
        return DeflateReader(max_message, max_fragments)

    def _deflate(self, payload: bytes) -> bytes | None:
        """None when it is not worth it."""
        if not self._min_size <= len(payload) <= LARGEST:
            return None
        compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -self._window_bits)
        deflated = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return deflated[: -len(_TAIL)] if len(deflated) - len(_TAIL) < len(payload) else None


# All connections of a kind share theirs: by it, they share what is deflated.
deflate_framing = lru_cache(100)(DeflateFraming)


def _marked(frame: bytes) -> bytes:
    return bytes((frame[0] | _RSV1,)) + frame[1:]


class DeflateReader(FrameReader):
    """Reads deflated messages, too; they are left as they are."""

    __slots__ = ("_is_deflated",)

    legal = LEGAL | {fin | opcode | _RSV1 for fin in (0, FIN) for opcode in (TEXT, BINARY)}

    def __init__(self, max_message: int, max_fragments: int) -> None:
        super().__init__(max_message, max_fragments)
        self._is_deflated = False

    def _begin_frame(self, first: int, left: int, mask: bytes) -> None:
        if self._message is None:
            self._is_deflated = bool(first & _RSV1)
        super()._begin_frame(first, left, mask)

    def _extend(self, content: bytes, events: list[FrameEvent]) -> None:
        if not self._is_deflated:
            super()._extend(content, events)
            return
        assert self._message is not None
        self._message += content
        if not self._left and self._first & FIN:
            events.append(Deflated(bytes(self._message), self._is_text))
            self._message = None


def inflate(message: Deflated, max_message: int) -> Text | Binary | Violation:
    """No more is inflated than a message may have."""
    inflater = zlib.decompressobj(-_WINDOW_BITS)
    try:
        data = inflater.decompress(message.data + _TAIL, max_message + 1)
    except zlib.error:
        return Violation(1007, "message cannot be inflated")
    if len(data) > max_message:
        return Violation(1009, f"message larger than {max_message} bytes")
    if inflater.unused_data not in _BEHIND_THE_LAST:
        return Violation(1007, "message cannot be inflated")
    if not message.is_text:
        return Binary(data)
    try:
        return Text(data.decode())
    except UnicodeDecodeError:
        return Violation(1007, "text is not UTF-8")
