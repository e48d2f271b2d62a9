"""A WebSocket that a polling client tries out before it changes over to it."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from realtime_wall.node.node import Node
from realtime_wall.protocol.engineio import PROBE, PacketType, encode_text
from realtime_wall.protocol.frames import text_frame
from realtime_wall.transports.websocket.websocket_connection import FramedConnection, Peer
from realtime_wall.wire.connection import Wire

# A WebSocket that is tried out for longer is no better than none.
PROBE_TIMEOUT = 10.0
PROTOCOL_ERROR = 1002


class Session(Peer, Protocol):
    """Whose client tries it out; afterwards it is the peer on the frames."""

    is_over: bool

    def probed(self) -> None:
        """The client waits for the end of its poll before it changes over."""

    def change_over(self, frames: FramedConnection) -> None: ...
    def probe_failed(self, probe: Probe) -> None: ...


class Probe:
    """A WebSocket that a polling client tries out: ``2probe``, ``3probe``, and then the change."""

    __slots__ = ("_session", "began", "frames", "is_proved")

    def __init__(self, node: Node, wire: Wire, session: Session) -> None:
        self.began = monotonic()
        self.is_proved = False
        self.frames = FramedConnection(node, wire, self)
        self._session = session

    def text(self, text: str) -> None:
        if text == encode_text(PacketType.PING, PROBE):
            self.frames.write(text_frame(encode_text(PacketType.PONG, PROBE).encode()))
            self.is_proved = True
            self._session.probed()
        elif text == encode_text(PacketType.UPGRADE) and not self._session.is_over:
            self.frames.peer = self._session
            self._session.change_over(self.frames)
        else:
            self.frames.close(PROTOCOL_ERROR, "a probe was expected")

    def binary(self, data: bytes) -> None:
        self.frames.close(PROTOCOL_ERROR, "a probe was expected")

    def gone(self, reason: str) -> None:
        self._session.probe_failed(self)

    def is_busy(self) -> bool:
        return False

    @property
    def log_id(self) -> str:
        return self._session.log_id
