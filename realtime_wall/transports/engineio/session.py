"""Engine.IO: one session over polling, a WebSocket, or first the one and then the other.

A session is what lies below Socket.IO: packets go in and out in order, whichever way they travel, and a
heartbeat tells whether the client is still there. How a polling client's requests wait is in ``polling.py``,
the WebSocket that it tries out in ``probe.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Protocol, TypeVar

from realtime_wall.brokers.node_id import shown
from realtime_wall.node.node import Node
from realtime_wall.protocol.engineio import (
    BadPacket,
    Packet,
    PacketType,
    decode_payload,
    decode_text,
    encode_payload,
    encode_text,
    open_text,
)
from realtime_wall.protocol.frames import binary_frame, text_frame
from realtime_wall.transports.engineio.heartbeat import Beat, Heartbeat
from realtime_wall.transports.engineio.polling import Polling
from realtime_wall.transports.engineio.upgrade import PROBE_TIMEOUT, PROTOCOL_ERROR, Probe
from realtime_wall.transports.websocket.websocket_connection import FramedConnection
from realtime_wall.wire.connection import DROPPED, QUEUED, Wire, Written

log = logging.getLogger(__name__)

PING = encode_text(PacketType.PING)
NOOP = encode_text(PacketType.NOOP)
CLOSE = encode_text(PacketType.CLOSE)
# Stock clients put a whole burst into one request; a thousand packets are read in less than a millisecond.
MAX_POSTED = 1000
NORMAL = 1000
# How long a session that its client has closed is still known, for a GET that was under way.
LINGER = 1.0

Heard = TypeVar("Heard")

# The sessions of this process, by sid.
sessions: dict[str, Session] = {}


class Conflict(Exception):  # noqa: N818
    """Two GETs, or two POSTs, of one session at once: the session has ended."""


class Client(Protocol):
    """Who speaks inside the messages. Called on the event loop or in a request: it must not block."""

    def message(self, data: str | bytes) -> None: ...

    def gone(self, reason: str) -> None:
        """The session is over; called once."""

    def is_busy(self) -> bool:
        """Whether it is not read from at the moment, so that its silence proves nothing."""

    @property
    def deadline(self) -> float | None:
        """Until when it has to send what it owes us: its name, or the rest of a packet."""


class Session:
    __slots__ = (
        "_client",
        "_heartbeat",
        "_node",
        "_polling",
        "_probe",
        "due",
        "frames",
        "is_over",
        "owner",
        "sid",
    )

    def __init__(self, node: Node, owner: str) -> None:
        self.sid = node.new_session_id()
        self.owner = owner  # what the handshake's cookies said: no other visitor can use the session
        self.due = 0
        self.is_over = False
        self.frames: FramedConnection | None = None  # once it is on a WebSocket
        self._node = node
        self._client: Client | None = None
        self._heartbeat = Heartbeat(monotonic() + node.config.ping_interval)
        self._polling: Polling | None = None  # of a client that began by it
        self._probe: Probe | None = None

    def begin(self, client: Client, wire: Wire | None = None, arrived: bytes = b"") -> None:
        """Open the session: over a wire, or with the first polling request."""
        config = self._node.config
        self._client = client
        sessions[self.sid] = self
        self.look()
        upgrades = () if wire else ("websocket",)
        hello = open_text(self.sid, upgrades, config.ping_interval, config.ping_timeout, config.message_size)
        if wire is None:
            self._polling = Polling()
            self._queue(hello)
            return
        self.frames = FramedConnection(self._node, wire, self)
        self.frames.start()
        self.frames.write(text_frame(hello.encode()))
        if arrived:
            self.frames.received(arrived)

    # Sending

    def send(self, data: str | bytes, soon: bool = False) -> Written:
        """Send a message; ``soon`` is with what follows, where that saves a call."""
        return self._send_packet(
            data if isinstance(data, bytes) else encode_text(PacketType.MESSAGE, data), soon
        )

    def send_all(self, packets: Iterable[str]) -> Written:
        """Send packets that are written already, to a polling client."""
        written = DROPPED
        for packet in packets:
            written = self._queue(packet)
        return written

    def _send_packet(self, packet: str | bytes, soon: bool = False) -> Written:
        if self.frames is None:
            return self._queue(packet)
        return self.frames.write_soon(_frame(packet)) if soon else self.frames.write(_frame(packet))

    def _queue(self, packet: str | bytes) -> Written:
        if self.is_over or self._polling is None:
            return DROPPED
        if self._polling.outbox_size + len(packet) > self._node.config.outbox_size:
            self.end("reads too slowly")
            return DROPPED
        self._polling.queue(packet)
        return QUEUED

    # As the road of a backlog

    @property
    def is_open(self) -> bool:
        return not self.is_over

    @property
    def outbox_size(self) -> int:
        """What still waits for the client to read."""
        if self.frames is not None:
            return self.frames.wire.outbox_size
        return 0 if self._polling is None else self._polling.outbox_size

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call this once, when what waits now has left."""
        if self.frames is not None:
            self.frames.wire.when_drained(callback)
        elif self._polling is not None:
            self._polling.drained = callback

    def abort(self, reason: str) -> None:
        """End at once, without a goodbye."""
        if self.frames is not None:
            self.frames.abort(reason)
        self.end(reason)

    # The requests of a polling client

    def poll(self) -> str:
        """What a GET is answered: waits until there is something to say, a ping at the latest."""
        polling = self._polling
        if polling is None or polling.is_waiting:
            if polling is not None:
                polling.queue(CLOSE)
            self.end("polled twice at once")
            raise Conflict
        if self.is_over:
            sessions.pop(self.sid, None)
        elif self.frames is None and (self._probe is None or not self._probe.is_proved):
            polling.wait()
        # Of a session that is over, too. No CLOSE: python-socketio's client would take it for a goodbye and
        # stay away. Asking again, a client learns that the session is unknown, and comes back.
        return encode_payload(polling.take() or [NOOP])

    def post(self, body: bytes) -> None:
        """Take the packets of a POST; BadPacket, or Conflict with another POST, ends the session.

        A client whose receivers are behind is kept waiting: it posts nothing else meanwhile.
        """
        polling = self._polling
        if polling is None or polling.is_posting or self.is_over:
            self.end("posted twice at once")
            raise Conflict
        with polling.posting():
            try:
                for packet in decode_payload(body, MAX_POSTED):
                    self._handle(packet)
            except BadPacket as problem:
                self.end(problem.reason)
                raise
            while self.is_busy():
                polling.wait_for_room()

    # Whether the client is read from

    def pause(self) -> None:
        if self.frames is not None:
            self.frames.pause()

    def resume(self) -> None:
        if self.is_busy():  # another namespace of this client is still behind
            return
        if self.frames is not None:
            self.frames.resume()
        if self._polling is not None:
            self._polling.make_room()

    # What the client says

    def text(self, text: str) -> None:
        try:
            self._handle(decode_text(text))
        except BadPacket as problem:
            self.end(problem.reason, PROTOCOL_ERROR)

    def binary(self, data: bytes) -> None:
        self._message(data)

    def _handle(self, packet: Packet) -> None:
        match packet.type:
            case PacketType.MESSAGE:
                self._message(packet.data)
            case PacketType.PONG:
                self._heartbeat.ponged(self._node.config.ping_interval)
            case PacketType.CLOSE:
                self._closed_by_client()
            case _:
                raise BadPacket("a packet that only a server sends")

    def _closed_by_client(self) -> None:
        may_poll = self.frames is None and self._polling is not None and not self._polling.is_waiting
        self.end("closed by the client")
        if may_poll:
            # Its last GET travels on another connection, and may arrive behind the goodbye.
            sessions[self.sid] = self
            self._node.timer_wheel.schedule(self, LINGER)

    def _message(self, data: str | bytes) -> None:
        if self.is_over or self._client is None:
            return
        self.heed(self._client.message, data)

    def heed(self, function: Callable[[Heard], object], heard: Heard) -> None:
        """Give it what the client has said, which may make no sense."""
        try:
            function(heard)
        except BadPacket as problem:
            log.info("session %s: %s", self.log_id, problem.reason)
            self.end(problem.reason, PROTOCOL_ERROR)

    def is_busy(self) -> bool:
        return self._client is not None and self._client.is_busy()

    @property
    def log_id(self) -> str:
        return shown(self.sid)

    # From polling to a WebSocket

    def offer(self, wire: Wire, arrived: bytes) -> None:
        """Try out a WebSocket for this session, if it is not on one already."""
        if self.frames is not None or self.is_over:
            useless = Probe(self._node, wire, self)
            useless.frames.start()
            useless.frames.close(NORMAL, "")
            return
        if self._probe is not None:
            self._probe.frames.abort("replaced by another attempt")
        self._probe = Probe(self._node, wire, self)
        self._probe.frames.start()
        if arrived:
            self._probe.frames.received(arrived)

    def probed(self) -> None:
        """The client waits for the end of its poll before it changes over: let it end."""
        if self._polling is not None:
            self._polling.wake()

    def change_over(self, frames: FramedConnection) -> None:
        """From now on everything goes over the WebSocket, what waits first."""
        assert self._polling is not None
        self._probe, self.frames = None, frames
        waiting, drained = self._polling.hand_over()
        for packet in waiting:
            frames.write(_frame(packet))
        if self.is_busy():
            frames.pause()
        if drained is not None and self.outbox_size:
            frames.wire.when_drained(drained)
        elif drained is not None:
            drained()

    def probe_failed(self, probe: Probe) -> None:
        if self._probe is probe:
            self._probe = None

    # The heartbeat

    def look(self) -> None:
        """Think again about when the next tick has to come."""
        self._node.timer_wheel.schedule(self, 0.0)

    def tick(self, now: float) -> float | None:
        """Ping when it is time; end a session whose client did not answer, or owes us something."""
        if self.is_over or self._client is None:
            sessions.pop(self.sid, None)
            return None
        if self._probe is not None and now > self._probe.began + PROBE_TIMEOUT:
            self._probe.frames.abort("was tried out for too long")
        deadline = self._client.deadline
        if deadline is not None and now >= deadline:
            self.end("did not send in time what was expected")
            return None
        timeout = self._node.config.ping_timeout
        match self._heartbeat.beat(now, timeout, self.is_busy()):
            case Beat.PING:
                self._send_packet(PING)
            case Beat.GONE:
                self.end("did not answer a ping")
                return None
        left = self._heartbeat.seconds_left(now, timeout)
        return left if deadline is None else min(left, deadline - now)

    def is_alive(self) -> bool:
        """Whether its client may still use it; to the moment, where the clockwork looks now and then."""
        if self._heartbeat.is_missed(monotonic(), self._node.config.ping_timeout) and not self.is_busy():
            self.end("did not answer a ping")
        return self.sid in sessions

    # Ending

    def close(self, code: int, reason: str) -> None:
        """Tell the client that the connection ends here, in a way that makes it come back."""
        if self.frames is not None:
            self.frames.close(code, reason)
        else:
            self.end(reason)

    def gone(self, reason: str) -> None:
        self.end(reason)

    def end(self, reason: str, code: int = NORMAL) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.due = 0
        sessions.pop(self.sid, None)
        log.debug("session %s: %s", self.log_id, reason)
        if self._probe is not None:
            self._probe.frames.abort(reason)
        if self.frames is not None:
            self.frames.close(code, "")
        if self._polling is not None:
            self._polling.wake()
            self._polling.make_room()
        client, self._client = self._client, None
        if client is not None:
            client.gone(reason)


def _frame(packet: str | bytes) -> bytes:
    return binary_frame(packet) if isinstance(packet, bytes) else text_frame(packet.encode())
