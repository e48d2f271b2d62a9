"""Engine.IO: one session over polling, a WebSocket, or first the one and then the other.

A session is what lies below Socket.IO: packets go in and out in order, whichever way they travel, and a
heartbeat tells whether the client is still there. The HTTP requests of a polling client wait in greenlets
of their own; a client on a WebSocket costs none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Protocol

from gevent.event import Event

from realtime_wall.node import Node
from realtime_wall.protocol.engineio import (
    MAX_PACKETS,
    PROBE,
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
from realtime_wall.transports.framed import FramedConnection
from realtime_wall.wire.connection import DROPPED, QUEUED, Wire, Written

log = logging.getLogger(__name__)

PING = encode_text(PacketType.PING)
NOOP = encode_text(PacketType.NOOP)
CLOSE = encode_text(PacketType.CLOSE)
PROTOCOL_ERROR = 1002
# Stock clients put a whole burst into one request; a thousand packets are read in less than a millisecond.
MAX_POSTED = 1000
NORMAL = 1000
# A WebSocket that is tried out for longer is no better than none.
PROBE_TIMEOUT = 10.0
# How long a session that its client has closed is still known, for a GET that was under way.
LINGER = 1.0

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
        "_drained",
        "_node",
        "_outbox",
        "_outbox_size",
        "_ping_due",
        "_poll",
        "_posting",
        "_probe",
        "_room",
        "_unanswered",
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
        self._ping_due = 0.0
        self._unanswered = False  # whether a pong is awaited
        # Of a polling client. A list: an empty deque takes ten times as much, and most are on WebSockets.
        self._outbox: list[str | bytes] = []
        self._outbox_size = 0
        self._poll: Event | None = None  # set when a waiting GET has something to answer
        self._posting = False
        self._room: Event | None = None  # set when a POST that waits for the receivers may be answered
        self._probe: Probe | None = None
        self._drained: Callable[[], None] | None = None

    def begin(self, client: Client, wire: Wire | None = None, arrived: bytes = b"") -> None:
        """Open the session: over a wire, or with the first polling request."""
        config = self._node.config
        self._client = client
        self._ping_due = monotonic() + config.ping_interval
        sessions[self.sid] = self
        self.look()
        upgrades = () if wire else ("websocket",)
        hello = open_text(self.sid, upgrades, config.ping_interval, config.ping_timeout, config.message_size)
        if wire is None:
            self._queue(hello)
            return
        self.frames = FramedConnection(self._node, wire, self)
        self.frames.start()
        self.frames.write(text_frame(hello.encode()))
        if arrived:
            self.frames.received(arrived)

    # Sending

    def send(self, data: str | bytes) -> Written:
        """Send a message."""
        if isinstance(data, bytes):
            return self.frames.write(binary_frame(data)) if self.frames else self._queue(data)
        return self._send_packet(encode_text(PacketType.MESSAGE, data))

    def send_all(self, packets: Iterable[str]) -> Written:
        """Send packets that are written already, to a polling client."""
        written = DROPPED
        for packet in packets:
            written = self._queue(packet)
        return written

    def _send_packet(self, packet: str) -> Written:
        return self.frames.write(text_frame(packet.encode())) if self.frames else self._queue(packet)

    def _queue(self, packet: str | bytes) -> Written:
        if self.is_over:
            return DROPPED
        size = len(packet)
        if self._outbox_size + size > self._node.config.outbox_size:
            self.end("reads too slowly")
            return DROPPED
        self._outbox.append(packet)
        self._outbox_size += size
        if self._poll is not None:
            self._poll.set()
        return QUEUED

    # As the road of a backlog

    @property
    def is_open(self) -> bool:
        return not self.is_over

    @property
    def outbox_size(self) -> int:
        """What still waits for the client to read."""
        return self._outbox_size if self.frames is None else self.frames.wire.outbox_size

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call this once, when what waits now has left."""
        if self.frames is None:
            self._drained = callback
        else:
            self.frames.wire.when_drained(callback)

    def abort(self, reason: str) -> None:
        """End at once, without a goodbye."""
        if self.frames is not None:
            self.frames.abort(reason)
        self.end(reason)

    # The requests of a polling client

    def poll(self) -> str:
        """What a GET is answered: waits until there is something to say, a ping at the latest."""
        if self._poll is not None:
            self._outbox.append(CLOSE)
            self.end("polled twice at once")
            raise Conflict
        if self.is_over:
            sessions.pop(self.sid, None)
        changes_over = self.frames is not None or (self._probe is not None and self._probe.is_proved)
        if not self._outbox and not self.is_over and not changes_over:
            self._poll = Event()
            try:
                self._poll.wait()
            finally:
                self._poll = None
        return encode_payload(self._take())

    def _take(self) -> list[str | bytes]:
        packets, self._outbox = self._outbox[:MAX_PACKETS], self._outbox[MAX_PACKETS:]
        self._outbox_size -= sum(map(len, packets))
        self._check_drained()
        # Of a session that is over, too. No CLOSE: python-socketio's client would take it for a goodbye and
        # stay away. Asking again, a client learns that the session is unknown, and comes back.
        return packets or [NOOP]

    def _check_drained(self) -> None:
        if not self.outbox_size and self._drained is not None:
            drained, self._drained = self._drained, None
            drained()

    def post(self, body: bytes) -> None:
        """Take the packets of a POST; BadPacket, or Conflict with another POST, ends the session.

        A client whose receivers are behind is kept waiting: it posts nothing else meanwhile.
        """
        if self._posting or self.is_over:
            self.end("posted twice at once")
            raise Conflict
        self._posting = True
        try:
            for packet in decode_payload(body, MAX_POSTED):
                self._handle(packet)
            while self.is_busy():
                self._room = Event()
                self._room.wait()
        except BadPacket as problem:
            self.end(problem.reason)
            raise
        finally:
            self._room = None
            self._posting = False

    # Whether the client is read from

    def pause(self) -> None:
        if self.frames is not None:
            self.frames.pause()

    def resume(self) -> None:
        if self.is_busy():  # another namespace of this client is still behind
            return
        if self.frames is not None:
            self.frames.resume()
        if self._room is not None:
            self._room.set()

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
                if self._unanswered:
                    self._unanswered = False
                    self._ping_due += self._node.config.ping_interval
            case PacketType.CLOSE:
                self._closed_by_client()
            case _:
                raise BadPacket("a packet that only a server sends")

    def _closed_by_client(self) -> None:
        may_poll = self.frames is None and self._poll is None
        self.end("closed by the client")
        if may_poll:
            # Its last GET travels on another connection, and may arrive behind the goodbye.
            sessions[self.sid] = self
            self._node.clockwork.schedule(self, LINGER)

    def _message(self, data: str | bytes) -> None:
        if self.is_over or self._client is None:
            return
        try:
            self._client.message(data)
        except BadPacket as problem:
            log.info("session %s: %s", self.log_id, problem.reason)
            self.end(problem.reason, PROTOCOL_ERROR)

    def is_busy(self) -> bool:
        return self._client is not None and self._client.is_busy()

    @property
    def log_id(self) -> str:
        return self.sid[:6]

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
        if self._poll is not None:
            self._poll.set()

    def change_over(self, frames: FramedConnection) -> None:
        """From now on everything goes over the WebSocket, what waits first."""
        self._probe, self.frames = None, frames
        if self._poll is not None:
            self._poll.set()
        waiting, self._outbox = self._outbox, []
        for packet in waiting:
            frames.write(binary_frame(packet) if isinstance(packet, bytes) else text_frame(packet.encode()))
        self._outbox_size = 0
        if self.is_busy():
            frames.pause()
        if self.outbox_size and self._drained is not None:
            frames.wire.when_drained(self._drained)
            self._drained = None
        self._check_drained()

    def probe_failed(self, probe: Probe) -> None:
        if self._probe is probe:
            self._probe = None

    # The heartbeat

    def look(self) -> None:
        """Think again about when the next tick has to come."""
        self._node.clockwork.schedule(self, 0.0)

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
        next_beat = self._beat(now)
        if next_beat is None or deadline is None:
            return next_beat
        return min(next_beat, deadline - now)

    def _beat(self, now: float) -> float | None:
        """In how many seconds the heart has to be looked at again."""
        config = self._node.config
        if not self._unanswered:
            if now < self._ping_due:
                return self._ping_due - now
            self._unanswered = True
            self._send_packet(PING)
            return max(self._ping_due + config.ping_timeout - now, 0.0)
        if self.is_busy():
            # The pong may be behind what we do not read: its time begins when we do.
            self._ping_due = now
        if now < self._ping_due + config.ping_timeout:
            return self._ping_due + config.ping_timeout - now
        self.end("did not answer a ping")
        return None

    def is_alive(self) -> bool:
        """Whether its client may still use it; to the moment, where the clockwork looks now and then."""
        if monotonic() >= self._ping_due + self._node.config.ping_timeout and not self.is_busy():
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
        for waiting in (self._poll, self._room):
            if waiting is not None:
                waiting.set()
        client, self._client = self._client, None
        if client is not None:
            client.gone(reason)


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
