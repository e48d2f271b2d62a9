"""A WebSocket that a polling client tries out before its session is carried by it."""

from __future__ import annotations

from time import monotonic
from typing import Protocol

from realtime_wall.node.node import Node
from realtime_wall.protocol.engineio import PROBE, EnginePacketType, encode_text
from realtime_wall.protocol.websocket.deflate import Framing
from realtime_wall.protocol.websocket.frame_writer import text_frame
from realtime_wall.transports.websocket.websocket_connection import FramedConnection, Peer
from realtime_wall.wire.connection import Wire

# A WebSocket that is tried out for longer is no better than none.
PROBE_TIMEOUT = 10.0
NORMAL = 1000
PROTOCOL_ERROR = 1002


class Upgradable(Peer, Protocol):
    """The session whose client tries it out; after the upgrade it is the peer on the frames."""

    def probed(self) -> None:
        """The client waits for the end of its poll before it upgrades."""

    def upgrade(self, probe: UpgradeProbe) -> bool:
        """Whether the session is carried by this WebSocket from now on."""

    def probe_failed(self, probe: UpgradeProbe) -> None: ...


class UpgradeProbe:
    """The peer on the frames until then: ``2probe``, ``3probe``, and then the upgrade."""

    __slots__ = ("_deadline", "_session", "frames", "is_answered")

    def __init__(self, node: Node, wire: Wire, session: Upgradable, framing: Framing) -> None:
        self.is_answered = False
        self.frames = FramedConnection(node, wire, self, framing)
        self._session = session
        self._deadline = monotonic() + PROBE_TIMEOUT

    def begin(self, arrived: bytes) -> None:
        self.frames.start()
        if arrived:
            self.frames.received(arrived)

    def decline(self) -> None:
        """The session has no use for it."""
        self.frames.start()
        self.frames.close(NORMAL, "")

    def check_time(self, now: float) -> None:
        if now > self._deadline:
            self.frames.abort("was tried out for too long")

    # As the peer on the frames

    def text(self, text: str) -> None:
        if text == encode_text(EnginePacketType.PING, PROBE):
            self.frames.write(text_frame(encode_text(EnginePacketType.PONG, PROBE).encode()))
            self.is_answered = True
            self._session.probed()
        elif text != encode_text(EnginePacketType.UPGRADE) or not self._session.upgrade(self):
            self.frames.close(PROTOCOL_ERROR, "a probe was expected")

    def binary(self, data: bytes) -> None:
        self.frames.close(PROTOCOL_ERROR, "a probe was expected")

    def closed(self, reason: str) -> None:
        self._session.probe_failed(self)

    def is_busy(self) -> bool:
        return False

    @property
    def log_id(self) -> str:
        return self._session.log_id
