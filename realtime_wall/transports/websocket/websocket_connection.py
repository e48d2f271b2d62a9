"""A WebSocket connection under any protocol: frames, pings of the frame layer, the closing handshake.

What the texts mean is the peer's business: the plain protocol or Engine.IO.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol, cast

from gevent import get_hub

from realtime_wall.node.node import Node
from realtime_wall.protocol.json_input import LARGE
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing, inflate
from realtime_wall.protocol.websocket.frame_writer import close_frame, ping_frame, pong_frame
from realtime_wall.protocol.websocket.frames import (
    Binary,
    Close,
    Deflated,
    FrameEvent,
    FrameReader,
    Ping,
    Pong,
    Text,
    Violation,
    only_text,
)
from realtime_wall.sockets.budgets.account import Account
from realtime_wall.sockets.budgets.visitors import Visitor
from realtime_wall.transports.websocket.late_events import LateEvents
from realtime_wall.transports.websocket.lingering_close import LingeringClose
from realtime_wall.wire.connection import DROPPED, LARGE_READ_SIZE, QUEUED, READ_SIZE, Wire, Written

log = logging.getLogger(__name__)

POLICY_VIOLATION = 1008


class Peer(Protocol):
    """Who speaks over the frames. All are called on the event loop: they must not block."""

    def text(self, text: str) -> None:
        """One of more than ``LARGE`` characters, or bytes, is given in a greenlet: it may take its time."""

    def binary(self, data: bytes) -> None: ...

    def closed(self, reason: str) -> None:
        """The connection is closed or lost; called once, whoever ended it."""

    def is_busy(self) -> bool:
        """Whether it is not read from at the moment, so that its silence proves nothing."""

    @property
    def log_id(self) -> str: ...


class FramedConnection:
    """A wire's owner that reads and writes WebSocket frames."""

    __slots__ = (
        "_begun",
        "_heard",
        "_held",
        "_is_paused",
        "_late",
        "_node",
        "_pinged",
        "_reader",
        "_slowed",
        "account",
        "closing",
        "due",
        "framing",
        "peer",
        "wire",
    )

    def __init__(self, node: Node, wire: Wire, peer: Peer, framing: Framing = PLAIN) -> None:
        self.due = 0
        self.closing = False
        self._node = node
        self.wire = wire
        self.peer = peer
        self.framing = framing
        self._reader: FrameReader | None = None  # most clients say little, or only short texts
        self.account = Account(node.visitors, cast("Visitor | None", wire.visitor))
        self._is_paused = False  # by its peer
        self._slowed: Any = None  # the timer that ends a pause of ours
        self._begun: float | None = None  # when the first bytes of an unfinished message came
        self._heard = monotonic()
        self._pinged = False
        self._held: list[bytes] | None = None
        # What waits behind a large text that is being read.
        self._late: LateEvents | None = None

    def start(self) -> None:
        self.wire.start(self)
        if self.wire.head:
            self.write_soon(self.wire.head)
            self.wire.head = b""
        self._node.timer_wheel.schedule(self, self._node.config.ping_interval)

    # Writing

    def send(self, message: str | bytes, soon: bool = False) -> Written:
        """Send a message; ``soon`` is together with what follows."""
        framing = self.framing
        frame = framing.binary(message) if isinstance(message, bytes) else framing.text(message.encode())
        if soon:
            return self.write_soon(frame)
        return self.write(frame) if self.closing or self._held is not None else self.wire.write(frame)

    def write(self, data: bytes) -> Written:
        if self.closing:  # RFC 6455 5.5.1: nothing follows a close frame
            return DROPPED
        if self._held is not None:
            data = self._take_held() + data
        return self.wire.write(data)

    @property
    def is_ready(self) -> bool:
        """Whether the next frame would go to the wire as it is."""
        return not self.closing and self._held is None

    def write_soon(self, data: bytes) -> Written:
        """Write it together with what follows: with the next write, or when the event loop has its turn."""
        if self.closing:
            return DROPPED
        if self._held is None:
            self.wire.leave_lanes()
            self._held = []
            get_hub().loop.run_callback(self.write_held)
        self._held.append(data)
        return QUEUED

    def write_held(self) -> None:
        if self._held is not None and not self.closing:
            self.wire.write(self._take_held())

    def _take_held(self) -> bytes:
        held, self._held = self._held or (), None
        return b"".join(held)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the client has ``close_timeout`` to answer it."""
        if self.closing:
            return
        self.write(close_frame(code, reason))
        self.wire.leave_lanes()
        self.closing = True
        self.wire.resume()  # a paused wire would never see the client's answer
        self._node.timer_wheel.schedule(self, self._node.config.close_timeout)

    def abort(self, reason: str) -> None:
        self.wire.abort(reason)

    @property
    def outbox_size(self) -> int:
        return self.wire.outbox_size

    def when_drained(self, callback: Callable[[], None]) -> None:
        self.wire.when_drained(callback)

    def pause(self) -> None:
        self._is_paused = True
        self.wire.pause()

    def resume(self) -> None:
        self._is_paused = False
        self._read_on()

    def _read_on(self) -> None:
        """Unless something else still keeps it unread."""
        if not self._is_paused and self._slowed is None and self._late is None:
            self.wire.resume()

    # What a client may send

    def _settle(self, now: float) -> None:
        """Leave it unread while a budget is overdrawn, so that its own kernel makes it wait; or close it."""
        seconds = self.account.settle(now)
        if seconds <= 0 or self.closing:
            return
        exceeded = self.account.exceeded(now, self._node.config.rate_patience)
        if exceeded is not None:
            self._refuse(f"too much: {exceeded}")
        elif self._slowed is None:
            self.wire.pause()
            self._slowed = get_hub().loop.timer(seconds)
            self._slowed.start(self._go_on)

    def _go_on(self) -> None:
        self._stop_slowing()
        if not self.closing:
            self._read_on()

    def _stop_slowing(self) -> None:
        slowed, self._slowed = self._slowed, None
        if slowed is not None:
            slowed.stop()
            slowed.close()

    def _refuse(self, reason: str) -> None:
        """Close it, and hear no more: what it sends until it has hung up is what it was closed for."""
        if self.closing:
            return
        log.warning("socket %s: %s (%s)", self.peer.log_id, reason, POLICY_VIOLATION)
        self._node.visitors.refused += 1
        self.close(POLICY_VIOLATION, reason)
        self.wire.end_writing()
        if self.wire.is_open:
            self.wire.read_size = LARGE_READ_SIZE
            self.wire.owner = LingeringClose(self)

    def _check_message_time(self, now: float) -> None:
        if self._reader is None or not self._reader.is_inside_a_message:
            self._begun = None
        elif self._begun is None:
            self._begun = now
        elif now - self._begun > self._node.config.message_timeout:
            self._refuse("too slow: MESSAGE_TIMEOUT")

    # As the wire's owner

    def received(self, data: bytes) -> None:
        now = self._heard = monotonic()
        reader, text = self._reader, None
        if reader is None:
            text = only_text(data, self._node.config.message_size)
        elif self._late is None:
            text = reader.only_text(data)
        if text is not None:
            if self.account.note_read(1, len(data), now):
                self._settle(now)
            if not self.closing:
                self.peer.text(text)
        else:
            self._received_frames(data, now)
        self.account.seconds += monotonic() - now

    def _received_frames(self, data: bytes, now: float) -> None:
        reader = self._reader
        if reader is None:
            config = self._node.config
            reader = self._reader = self.framing.reader(config.message_size, config.message_fragments)
        events = reader.receive(data)
        is_in_pieces = self._begun is not None or reader.is_inside_a_message
        if is_in_pieces:
            self.wire.read_size = min(max(reader.bytes_left, READ_SIZE), LARGE_READ_SIZE)
        if self.account.note_read(len(events) + reader.fragments, len(data), now):
            self._settle(now)
        if is_in_pieces:
            self._check_message_time(now)
        for event in events:
            if self._late is not None:
                self._late.append(event)
            else:
                self._handle(event)

    def _handle(self, event: FrameEvent) -> None:
        match event:
            case Text():
                if len(event.text) > LARGE and self._late is None:
                    self._handle_late(event)
                elif not self.closing:
                    self.peer.text(event.text)
            case Binary():
                if len(event.data) > LARGE and self._late is None:
                    self._handle_late(event)
                elif not self.closing:
                    self.peer.binary(event.data)
            case Deflated():
                if not self.closing:
                    self._handle_deflated(event)
            case Ping():
                # In order with what else is written; those of one read leave together.
                self.write_soon(pong_frame(event.data))
            case Pong():
                self._pinged = False
            case Close():
                self.close(1000 if event.code == 1005 else event.code, "")
                self.wire.finish("closed by the client")
            case Violation():
                self.fail(event)

    def _handle_deflated(self, message: Deflated) -> None:
        event = inflate(message, self._node.config.message_size)
        if isinstance(event, (Text, Binary)):  # which is kept until its receiver has run
            size = len(event.text) if isinstance(event, Text) else len(event.data)
            self.account.bytes += max(size - len(message.data), 0)
        self._handle(event)

    def _handle_late(self, event: FrameEvent) -> None:
        self.wire.pause()
        self._late = LateEvents(event, self._handle, self._late_are_over)

    def _late_are_over(self, is_broken: bool) -> None:
        self._late = None
        if is_broken:
            self.wire.abort("failed here")
        elif not self.closing:
            self._read_on()

    def fail(self, violation: Violation) -> None:
        """Nothing that follows could be read any more (RFC 6455 7.1.7)."""
        log.info("socket %s: %s (%s)", self.peer.log_id, violation.reason, violation.code)
        self.close(violation.code, violation.reason)
        self.wire.end_writing()  # its answer could not be read any more

    def lost(self, reason: str) -> None:
        log.debug("socket %s: %s", self.peer.log_id, reason)
        self.closing = True  # what else arrived together with the end is too late
        if self._late is not None:
            self._late.clear()
        self.account.close()
        self._stop_slowing()
        self.due = 0
        self.peer.closed(reason)

    # As the timer wheel's

    def tick(self, now: float) -> float | None:
        """Ping a silent client; cut off one that is gone, that stopped reading, or that never closes."""
        config = self._node.config
        if not self.wire.is_open:
            return None
        if self.closing:
            self.wire.abort("did not answer the close")
            return None
        if self.wire.outbox_size and now - self.wire.progress > config.outbox_timeout:
            self.wire.abort("stopped reading")
            return None
        self.account.find_user()
        silent = now - self._heard
        if silent < config.ping_interval or self._slowed is not None or self._is_busy():
            self._pinged = False
            return max(config.ping_interval - silent, 1.0)
        if self._pinged:
            self.wire.abort("did not answer a ping")
            return None
        self._pinged = True
        self.wire.write(ping_frame())
        return config.ping_timeout

    def _is_busy(self) -> bool:
        return self._late is not None or self.peer.is_busy()
