"""How do the packets of an Engine.IO session travel?

Over a WebSocket (``websocket_connection.py``), or by polling (``polling.py``). A session has one carrier at a
time, and an upgrade swaps it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from realtime_wall.wire.connection import Written


class Carrier(Protocol):
    def send(self, packet: str | bytes, soon: bool = False) -> Written:
        """Send a packet; ``soon`` is with what follows, where that saves a call."""

    @property
    def outbox_size(self) -> int:
        """What still waits for the client to read."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call this once, when what waits now has left."""

    def pause(self) -> None:
        """Do not read from the client."""

    def resume(self) -> None: ...
    def close(self, code: int, reason: str) -> None:
        """Take nothing more; what waits may still leave."""

    def abort(self, reason: str) -> None:
        """Drop the connection, if there is one."""
