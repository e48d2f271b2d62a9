"""Engine.IO: one session over polling, a WebSocket, or first the one and then the other.

A session is what lies below Socket.IO: packets go in and out in order, whatever carries them
(``carrier.py``), and a heartbeat finds out whether the client is still there. Its states are in
``engine_state.py``, the WebSocket that a polling client tries out in ``upgrade.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import TypeVar

from realtime_wall.brokers.node_id import shown
from realtime_wall.node.node import Node
from realtime_wall.protocol.engineio import (
    MESSAGE,
    PING,
    BadPacket,
    EnginePacket,
    EnginePacketType,
    decode_text,
    open_text,
)
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.sockets.budgets.account import Account
from realtime_wall.transports.engineio.carrier import Carrier
from realtime_wall.transports.engineio.engine_state import (
    CLOSED,
    CLOSING,
    LINGER,
    OPEN,
    OPENING,
    EngineState,
    Upgrading,
    following,
)
from realtime_wall.transports.engineio.heartbeat import Beat, EngineHeartbeat
from realtime_wall.transports.engineio.message_handler import NOBODY, MessageHandler
from realtime_wall.transports.engineio.polling import Conflict, PollingCarrier, handle_in_turns, take_packets
from realtime_wall.transports.engineio.polling_quota import quota
from realtime_wall.transports.engineio.upgrade import NORMAL, PROTOCOL_ERROR, UpgradeProbe
from realtime_wall.transports.websocket.websocket_connection import FramedConnection
from realtime_wall.wire.connection import DROPPED, Wire, Written

log = logging.getLogger(__name__)

Received = TypeVar("Received")

# The sessions of this process, by sid.
sessions: dict[str, EngineSession] = {}


class EngineSession:
    __slots__ = (
        "_carrier",
        "_handler",
        "_heartbeat",
        "_node",
        "_state",
        "account",
        "due",
        "frames",
        "owner",
        "sid",
    )

    def __init__(
        self, node: Node, owner: str, wire: Wire | None = None, address: str = "", framing: Framing = PLAIN
    ) -> None:
        """A session over a wire, or over polling requests, which the polling quota has from the address."""
        self.sid = node.new_session_id()
        self.owner = owner  # what the handshake's cookies said: no other visitor can use the session
        self.due = 0
        # What the carrier writes to, for who delivers one message to thousands; None while it polls.
        self.frames = None if wire is None else FramedConnection(node, wire, self, framing)
        self._node = node
        self._state: EngineState = OPENING
        self._handler: MessageHandler = NOBODY
        self._heartbeat = EngineHeartbeat(monotonic() + node.config.ping_interval)
        self._carrier: Carrier
        if self.frames is not None:
            self._carrier, self.account = self.frames, self.frames.account
        else:
            overflowed = partial(self.end, "reads too slowly")
            released = partial(quota.give_back, address)
            self._carrier = PollingCarrier(node.config.outbox_size, overflowed, released)
            self.account = Account(node.visitors, node.visitors.at(address))

    def begin(self, handler: MessageHandler, arrived: bytes = b"") -> None:
        config = self._node.config
        self._become(OPEN)
        self._handler = handler
        sessions[self.sid] = self
        self.reschedule()
        if self.frames is not None:
            self.frames.start()
        upgrades = ("websocket",) if self.frames is None else ()
        self._carrier.send(
            open_text(self.sid, upgrades, config.ping_interval, config.ping_timeout, config.message_size)
        )
        if arrived and self.frames is not None:
            self.frames.received(arrived)

    def _become(self, state: EngineState) -> None:
        self._state = following(self._state, state)

    # Sending

    def send(self, data: str | bytes, soon: bool = False) -> Written:
        """Send a message; ``soon`` is with what follows, where that saves a call."""
        packet = data if isinstance(data, bytes) else MESSAGE + data
        return self._carrier.send(packet, soon)

    def send_packets(self, packets: Iterable[str], written: Written = DROPPED) -> Written:
        """Send packets that are written already, to a polling client."""
        for packet in packets:
            written = self._carrier.send(packet)
        return written

    # What a backlog asks

    @property
    def framing(self) -> Framing:
        return PLAIN if self.frames is None else self.frames.framing

    @property
    def is_open(self) -> bool:
        return self._state is not CLOSED

    @property
    def outbox_size(self) -> int:
        """What still waits for the client to read."""
        return self._carrier.outbox_size

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call this once, when what waits now has left."""
        self._carrier.when_drained(callback)

    def abort(self, reason: str) -> None:
        """End at once, without a word to the client."""
        self._carrier.abort(reason)
        self.end(reason)

    # The requests of a polling client

    def poll(self) -> str:
        """What a GET is answered: waits until there are packets, a ping at the latest."""
        polling, state = self._polling(), self._state
        if state is CLOSED:
            sessions.pop(self.sid, None)
        at_once = state is CLOSED or (isinstance(state, Upgrading) and state.probe.is_answered)
        try:
            return polling.poll(at_once)
        except Conflict:
            self.end("polled twice at once")
            raise

    def post(self, body: bytes) -> None:
        """Take the packets of a POST; BadPacket, or Conflict with another POST, ends the session.

        A client whose receivers are behind is kept waiting: it posts nothing else meanwhile.
        """
        polling = self._polling()
        if polling.is_posting or self._state is CLOSED:
            self.end("posted twice at once")
            raise Conflict
        with polling.posting():
            try:
                handle_in_turns(take_packets(body, self.account, self._node.config), self._handle)
            except BadPacket as problem:
                log.info("session %s: %s", self.log_id, problem.reason)
                self.end(problem.reason)
                raise
            while self.is_busy() and not polling.is_closed:
                polling.wait_for_room()

    def _polling(self) -> PollingCarrier:
        if not isinstance(self._carrier, PollingCarrier):
            raise Conflict  # it is on a WebSocket
        return self._carrier

    # Whether the client is read from

    def pause(self) -> None:
        self._carrier.pause()

    def resume(self) -> None:
        if not self.is_busy():  # another namespace of this client may still be behind
            self._carrier.resume()

    def is_busy(self) -> bool:
        return self._handler.is_busy()

    # From the client

    def text(self, text: str) -> None:
        try:
            if text[:1] == MESSAGE:
                self._handler.message(text[1:])
            else:
                self._handle(decode_text(text))
        except BadPacket as problem:
            self._refuse(problem)

    def binary(self, data: bytes) -> None:
        self.dispatch(self._handler.message, data)

    def _handle(self, packet: EnginePacket) -> None:
        match packet.type:
            case EnginePacketType.MESSAGE:
                self.dispatch(self._handler.message, packet.data)
            case EnginePacketType.PONG:
                self._heartbeat.ponged(self._node.config.ping_interval)
            case EnginePacketType.CLOSE:
                self._closed_by_client()
            case _:
                raise BadPacket("a packet that only a server sends")

    def dispatch(self, handle: Callable[[Received], object], received: Received) -> None:
        """Handle what the client has sent; when it makes no sense, the session ends."""
        try:
            handle(received)
        except BadPacket as problem:
            self._refuse(problem)

    def _refuse(self, problem: BadPacket) -> None:
        log.info("session %s: %s", self.log_id, problem.reason)
        self.end(problem.reason, PROTOCOL_ERROR)

    def _closed_by_client(self) -> None:
        may_poll = isinstance(self._carrier, PollingCarrier) and not self._carrier.is_polled
        self.end("closed by the client")
        if may_poll:
            # Its last GET travels on another connection, and may arrive behind the close packet.
            sessions[self.sid] = self
            self._node.timer_wheel.schedule(self, LINGER)

    @property
    def log_id(self) -> str:
        return shown(self.sid)

    # From polling to a WebSocket

    def offer(self, wire: Wire, arrived: bytes, framing: Framing = PLAIN) -> None:
        """Try out a WebSocket for this session, if it is not on one already."""
        probe = UpgradeProbe(self._node, wire, self, framing)
        if self.frames is not None or self._state is CLOSED:
            probe.decline()
            return
        earlier = self._state
        self._become(Upgrading(probe))
        if isinstance(earlier, Upgrading):
            earlier.probe.frames.abort("replaced by another attempt")
        probe.begin(arrived)

    def probed(self) -> None:
        """The client waits for the end of its poll before it upgrades: let it end."""
        self._polling().end_poll()

    def upgrade(self, probe: UpgradeProbe) -> bool:
        """From now on everything goes over the WebSocket, what waits first; False when it is too late."""
        if not self._is_trying_out(probe):
            return False
        packets, drained = self._polling().hand_over()
        self._become(OPEN)
        self.frames = self._carrier = probe.frames
        self.frames.peer, self.frames.account = self, self.account
        for packet in packets:
            self._carrier.send(packet)
        if self.is_busy():
            self._carrier.pause()
        if drained is not None and self.outbox_size:
            self._carrier.when_drained(drained)
        elif drained is not None:
            drained()
        return True

    def probe_failed(self, probe: UpgradeProbe) -> None:
        if self._is_trying_out(probe):
            self._become(OPEN)

    def _is_trying_out(self, probe: UpgradeProbe) -> bool:
        return isinstance(self._state, Upgrading) and self._state.probe is probe

    # The heartbeat

    def reschedule(self) -> None:
        """Think again about when the next tick has to come."""
        self._node.timer_wheel.schedule(self, 0.0)

    def tick(self, now: float) -> float | None:
        """Ping when it is time; end a session whose client did not answer, or owes us something."""
        if self._state is CLOSED:  # and its last GET did not come
            sessions.pop(self.sid, None)
            return None
        if self._state is CLOSING:  # the frames have a time limit of their own
            return None
        if isinstance(self._state, Upgrading):
            self._state.probe.check_time(now)
        deadline = self._handler.deadline
        if deadline is not None and now >= deadline:
            self.end("did not send in time what was expected")
            return None
        timeout = self._node.config.ping_timeout
        match self._heartbeat.beat(now, timeout, self.is_busy()):
            case Beat.PING:
                self._carrier.send(PING)
            case Beat.TIMED_OUT:
                self.end("did not answer a ping")
                return None
        left = self._heartbeat.seconds_left(now, timeout)
        return left if deadline is None else min(left, deadline - now)

    def is_alive(self) -> bool:
        """Whether its client may still use it; to the moment, where the timer wheel looks now and then."""
        if self._heartbeat.is_missed(monotonic(), self._node.config.ping_timeout) and not self.is_busy():
            self.end("did not answer a ping")
        return self.sid in sessions

    # Ending

    def close(self, code: int, reason: str) -> None:
        """Close the connection in a way that makes the client come back."""
        if self.frames is None:
            self.end(reason)
        elif self._state is OPEN:
            self._become(CLOSING)
            self.frames.close(code, reason)

    def closed(self, reason: str) -> None:
        """The WebSocket is."""
        self.end(reason)

    def end(self, reason: str, code: int = NORMAL) -> None:
        state = self._state
        if state is CLOSED:
            return
        self._become(CLOSED)
        self.due = 0
        sessions.pop(self.sid, None)
        log.debug("session %s: %s", self.log_id, reason)
        if isinstance(state, Upgrading):
            state.probe.frames.abort(reason)
        self._carrier.close(code, "")
        self.account.close()
        handler, self._handler = self._handler, NOBODY
        handler.session_closed(reason)
