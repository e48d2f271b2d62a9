"""What becomes of what a client still sends when it has been refused? (nginx calls it a lingering close.)

It is read and dropped until the client hangs up: to close at once would reset the connection, and the reason
that it was told would be lost. Who sends much all the same is waited for no longer.
"""

from __future__ import annotations

from typing import Protocol

# Bytes that a client may have sent before it knew.
MOST = 1024 * 1024


class RefusedConnection(Protocol):
    """The connection that was refused."""

    def abort(self, reason: str) -> None: ...
    def lost(self, reason: str) -> None: ...


class LingeringClose:
    """A wire's owner."""

    __slots__ = ("_left", "_refused")

    def __init__(self, refused: RefusedConnection) -> None:
        self._refused = refused
        self._left = MOST

    def received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._refused.abort("went on sending after it was refused")

    def lost(self, reason: str) -> None:
        self._refused.lost(reason)
