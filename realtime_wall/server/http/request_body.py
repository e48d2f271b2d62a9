"""A request body: how long may it take, and can another request follow it on its connection?

pywsgi reads a body whenever it comes and reads whatever the application has left of it, however much
that is. Here both have limits.
"""

from __future__ import annotations

from typing import Any

import gevent
from gevent import pywsgi

# An unread request body up to this size is read and dropped to keep the connection; beyond, it is closed.
DISCARD = 64 * 1024
# Bytes a second; a body that comes slower holds a connection and a greenlet for nothing.
SLOWEST_BODY = 1024


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
        except OSError:  # pywsgi's errors about a malformed body too
            self.broken = True
            raise
        return data

    def _discard(self) -> None:
        if not self.ends_connection():
            super()._discard()  # type: ignore[misc]

    def ends_connection(self) -> bool:
        """Whether the rest of the body is lost, or not worth reading: no request can follow it."""
        if self.chunked_input:
            return self.broken or self.chunk_length != 0
        return self.broken or (self.content_length or 0) - self.position > DISCARD
