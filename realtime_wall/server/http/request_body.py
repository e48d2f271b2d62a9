"""A request body: how is it read, how long may it take, and can another request follow it on its connection?

pywsgi reads a body whenever it comes, takes what it cannot understand of chunks for nothing, and reads
whatever the application has left, however much that is. Here chunks are as RFC 9112 7.1 has them, a body that
is not is answered 400, and time and size have limits.
"""

from __future__ import annotations

import re
from typing import Any

import gevent
from django.core.exceptions import BadRequest
from gevent import pywsgi

from realtime_wall.server.http.request_head import MAX_HEADERS, MAX_REQUEST_LINE, is_header

# An unread request body up to this size is read and dropped to keep the connection; beyond, it is closed.
DISCARD = 64 * 1024
# Bytes a second; a body that comes slower holds a connection and a greenlet for nothing.
SLOWEST_BODY = 1024
# What is read of a chunk in one go: its length is only what a stranger claims.
PIECE = 64 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_EXTENSION = rb"[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"
# Fifteen hexadecimal digits are an exabyte: longer only ever is an attempt to overflow somebody.
_CHUNK_HEAD = re.compile(rb"([0-9A-Fa-f]{1,15})(?:" + _EXTENSION + rb")*\r\n")

# RFC 9110 6.5.1: where it ends, whom it is for, who asks and how to read it is known before; who takes these
# for more than nothing reads another request.
_NO_TRAILERS = {
    *(b"transfer-encoding", b"content-length", b"host", b"trailer", b"authorization", b"cookie"),
    *(b"content-type", b"content-encoding", b"content-range"),
}


class MalformedBody(BadRequest):
    """A body that is not what its head says; Django answers it 400."""


class BodyInput(pywsgi.Input):
    """A request body whose sender may be slow, but not for ever."""

    __slots__ = ("broken", "timeout")
    broken: bool
    timeout: float

    def read(self, length: int | None = None) -> bytes:
        return self._within_time(super().read, length)

    def readline(self, size: int | None = None) -> bytes:
        return self._within_time(super().readline, size)

    def _within_time(self, read: Any, size: int | None) -> bytes:
        left = (self.content_length or 0) - self.position
        wanted = left if size is None or size < 0 else min(size, left)
        patience = self.timeout + wanted / SLOWEST_BODY
        try:
            with gevent.Timeout(patience, TimeoutError("the request body took too long")):
                data: bytes = read(size)
        except MalformedBody:
            self.broken = True
            raise
        except OSError as problem:  # which would be taken for a fault of ours, and mailed to the admins
            self.broken = True
            raise MalformedBody(f"the request body is not complete: {problem}") from problem
        return data

    # pywsgi's: ``chunk_length`` is -1 before the first chunk, 0 behind the last; ``position`` is in the chunk

    def _chunked_read(self, length: int | None = None, use_readline: bool = False) -> bytes:
        self._send_100_continue()  # type: ignore[attr-defined]
        read = self.rfile.readline if use_readline else self.rfile.read
        parts: list[bytes] = []
        while length != 0 and self._has_more_chunks():
            left = self.chunk_length - self.position
            data = read(min(left, PIECE if length is None else length, PIECE))
            if not data:
                raise OSError("the request body ended in the middle of a chunk")
            parts.append(data)
            self.position += len(data)
            if length is not None:
                length -= len(data)
            if self.position == self.chunk_length and self._line() != b"\r\n":
                raise MalformedBody("a chunk is longer than it says")
            if use_readline and data.endswith(b"\n"):
                break
        return b"".join(parts)

    def _has_more_chunks(self) -> bool:
        if self.chunk_length != 0 and self.position >= self.chunk_length:
            head = _CHUNK_HEAD.fullmatch(self._line())
            if head is None:
                raise MalformedBody("a chunk does not begin with its size")
            self.chunk_length, self.position = int(head[1], 16), 0
            if self.chunk_length == 0:
                self._read_trailers()
        return self.chunk_length != 0

    def _read_trailers(self) -> None:
        for _ in range(MAX_HEADERS):
            line = self._line()
            if line == b"\r\n":
                return
            if not is_header(line):
                raise MalformedBody("a trailer is not 'Name: value'")
            if line.partition(b":")[0].lower() in _NO_TRAILERS:
                raise MalformedBody("a trailer says what only a head can")
        raise MalformedBody("too many trailers")

    def _line(self) -> bytes:
        line: bytes = self.rfile.readline(MAX_REQUEST_LINE)
        if not line:
            raise OSError("the request body ended between two chunks")
        return line

    # Afterwards

    def _discard(self) -> None:
        if not self.ends_connection():
            super()._discard()  # type: ignore[misc]

    def ends_connection(self) -> bool:
        """Whether the rest of the body is lost, or not worth reading: no request can follow it."""
        if self.chunked_input:
            return self.broken or self.chunk_length != 0
        return self.broken or (self.content_length or 0) - self.position > DISCARD
