"""How do the packets of an Engine.IO session travel: over a WebSocket, or by polling (``polling.py``)?

A session has one carrier at a time, and an upgrade swaps it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from realtime_wall.transports.websocket.websocket_connection import FramedConnection
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


class WebSocketCarrier:
    __slots__ = ("_frames",)

    def __init__(self, frames: FramedConnection) -> None:
        self._frames = frames

    def send(self, packet: str | bytes, soon: bool = False) -> Written:
        framing = self._frames.framing
        frame = framing.binary(packet) if isinstance(packet, bytes) else framing.text(packet.encode())
        return self._frames.write_soon(frame) if soon else self._frames.write(frame)

    @property
    def outbox_size(self) -> int:
        return self._frames.wire.outbox_size

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._frames.wire.when_drained(callback)

    def pause(self) -> None:
        self._frames.pause()

    def resume(self) -> None:
        self._frames.resume()

    def close(self, code: int, reason: str) -> None:
        self._frames.close(code, reason)

    def abort(self, reason: str) -> None:
        self._frames.abort(reason)
