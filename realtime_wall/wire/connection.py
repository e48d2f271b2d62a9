"""One client's bytes: how they leave, how they arrive, and what happens when they do not.

A wire owns a raw non-blocking socket and two event-loop watchers; no greenlet waits for it. Writing is
one system call in the caller's greenlet. What the kernel does not take stays in the outbox, which a
watcher drains; an outbox that is full, or that moves nothing for too long, ends this client and nobody
else (docs/decisions/0003). The client is then expected to return and resume from its cursor.
"""

from __future__ import annotations

import _socket
import contextlib
import logging
import socket as socket_constants
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from time import monotonic
from typing import Any, ClassVar, Protocol

from gevent import get_hub

from realtime_wall.wire.turns import Turns

log = logging.getLogger(__name__)

READ, WRITE = 1, 2
# What is read at once. Small messages cost much for each byte: hundreds of them would hold up everybody.
READ_SIZE, LARGE_READ_SIZE = 4 * 1024, 64 * 1024
# What one drained write may join: large enough to amortise the call, small enough to copy quickly.
COALESCE = 256 * 1024


class Written(IntEnum):
    """What became of a write; the fan-out counts them by index."""

    DROPPED = 0
    QUEUED = 1
    SENT = 2


DROPPED, QUEUED, SENT = Written


class Owner(Protocol):
    """Who a wire works for. Both are called on the event loop: they must not block."""

    def received(self, data: bytes) -> None: ...

    def lost(self, reason: str) -> None:
        """The wire is gone; called once, whoever ended it."""


class Counted(Protocol):
    """Whose connections are counted."""

    connections: int


class UnaskedSender(Protocol):
    """Where the wire's ``send`` is among others that are sent the same (``node/fan_out/fast_lane.py``)."""

    def ask_again(self, member: Any, /) -> None:
        """Send nothing more to this one without asking it."""

    def position_of(self, member: Any, /) -> Any:
        """Up to where it was sent everything."""


class Wire:
    # Of this process, by descriptor: handed-over connections count as connections.
    open_sockets: ClassVar[set[int]] = set()
    turns: ClassVar[Turns] = Turns()

    __slots__ = (
        "_closing",
        "_drained",
        "_lanes",
        "_outbox",
        "_outbox_limit",
        "_reader",
        "_sock",
        "_writer",
        "head",
        "outbox_size",
        "owner",
        "progress",
        "read_size",
        "visitor",
    )

    def __init__(self, fd: int, *, family: int, outbox_limit: int, send_buffer: int) -> None:
        # The C socket itself: gevent's wrapper would add a greenlet switch to each call that waits.
        sock = _socket.socket(family, socket_constants.SOCK_STREAM, 0, fileno=fd)
        sock.setblocking(False)
        # A client that never reads otherwise pins megabytes of kernel memory.
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, send_buffer)
        if family != _socket.AF_UNIX:
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._sock: _socket.socket | None = sock
        self._outbox: deque[bytes] | None = None
        self._outbox_limit = outbox_limit
        self._writer: Any = None
        self._closing: str | None = None
        self._drained: Callable[[], None] | None = None
        self._lanes: tuple[tuple[UnaskedSender, Any], ...] = ()  # with the member that this wire is of
        self.head = b""  # the answer to its handshake, for its owner to write with what is first
        self.outbox_size = 0
        self.progress = 0.0  # when the outbox last moved
        self.read_size = READ_SIZE  # its owner knows when more is well spent
        self.owner: Owner | None = None
        self.visitor: Counted | None = None
        self._reader: Any = get_hub().loop.io(fd, READ)
        Wire.open_sockets.add(fd)

    @property
    def is_open(self) -> bool:
        return self._sock is not None

    def start(self, owner: Owner) -> None:
        self.owner = owner
        self._reader.start(self._readable)

    # Writing

    def write(self, data: bytes) -> Written:
        """Send what the kernel takes now and keep the rest."""
        sock = self._sock
        if sock is None or self._closing is not None:
            return DROPPED
        if self._outbox is not None:
            return self._queue(data)
        try:
            sent = sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as problem:
            self.abort(f"cannot be written to: {problem.strerror}")
            return DROPPED
        return SENT if sent == len(data) else self.sent_partly(data, sent)

    def sent_partly(self, data: bytes, sent: int) -> Written:
        """The kernel took so many bytes: keep the rest."""
        assert self._sock is not None
        self.leave_lanes()
        self._outbox = deque()
        self.progress = monotonic()
        self._writer = get_hub().loop.io(self._sock.fileno(), WRITE)
        self._writer.start(self._writable)
        return self._queue(data[sent:])

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call this once, on the event loop, when the outbox that waits now has left."""
        self._drained = callback

    def _queue(self, data: bytes) -> Written:
        assert self._outbox is not None
        if self.outbox_size + len(data) > self._outbox_limit:
            self.abort("reads too slowly")
            return DROPPED
        self._outbox.append(data)
        self.outbox_size += len(data)
        return QUEUED

    def _writable(self) -> None:
        assert self._sock is not None and self._outbox is not None
        data = self._take(COALESCE)
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as problem:
            self.abort(f"cannot be written to: {problem.strerror}")
            return
        if sent < len(data):
            self._outbox.appendleft(data[sent:])
        if sent:
            self.outbox_size -= sent
            self.progress = monotonic()
        if not self._outbox:
            self._outbox = None
            self._stop(self._writer)
            self._writer = None
            drained, self._drained = self._drained, None
            if self._closing is not None:
                self.abort(self._closing)
            elif drained is not None:
                drained()

    def _take(self, limit: int) -> bytes:
        outbox = self._outbox
        assert outbox is not None
        first = outbox.popleft()
        if not outbox or len(first) >= limit:
            return first
        parts, size = [first], len(first)
        while outbox and size + len(outbox[0]) <= limit:
            parts.append(outbox.popleft())
            size += len(parts[-1])
        return b"".join(parts)

    # Being written to without being asked

    @property
    def send(self) -> Callable[[bytes], int] | None:
        """The system call itself; None while bytes have to wait, or none are taken."""
        is_ready = self._sock is not None and self._outbox is None and self._closing is None
        return self._sock.send if is_ready and self._sock is not None else None

    @property
    def descriptor(self) -> int:
        """To send to many at once, as long as it is in a lane: afterwards another's may have its number."""
        return -1 if self._sock is None else self._sock.fileno()

    def enter_lane(self, lane: UnaskedSender, member: Any) -> None:
        self._lanes += ((lane, member),)

    def leave_lane(self, lane: UnaskedSender, member: Any) -> None:
        """Leave this one alone."""
        self._lanes = tuple(one for one in self._lanes if one != (lane, member))
        lane.ask_again(member)

    def leave_lanes(self) -> None:
        """Something has to be written before what is published, or nothing is to be written any more."""
        lanes, self._lanes = self._lanes, ()
        for lane, member in lanes:
            lane.ask_again(member)

    def sent_up_to(self, member: Any) -> list[Any]:
        """By the lanes that it is in."""
        return [lane.position_of(member) for lane, one in self._lanes if one is member]

    # Reading

    def pause(self) -> None:
        """Stop reading; the client's kernel will make it wait."""
        if self._sock is not None:
            self._reader.stop()
            Wire.turns.leave(self)

    def resume(self) -> None:
        if self._sock is not None and not self._reader.active and not Wire.turns.is_in_line(self):
            self._reader.start(self._readable)

    def _read_in_turn(self) -> None:
        if self._sock is not None:
            self._reader.start(self._readable)
            self._readable(is_its_turn=True)

    def _readable(self, is_its_turn: bool = False) -> None:
        if self._sock is None or self.owner is None:
            return
        if not is_its_turn and not Wire.turns.is_now():
            self._reader.stop()
            Wire.turns.stand_in_line(self, self._read_in_turn)
            return
        try:
            data = self._sock.recv(self.read_size)
        except BlockingIOError:
            return
        except OSError as problem:
            self.abort(f"cannot be read from: {problem.strerror}")
            return
        if not data:
            self.abort("closed by the client")
            return
        try:
            self.owner.received(data)
        except Exception:
            log.exception("a client's bytes could not be handled; it was cut off")
            self.abort("failed here")

    # Ending

    def finish(self, reason: str) -> None:
        """Take nothing more; close as soon as the outbox has left."""
        if self._sock is None:
            return
        if self._outbox is None:
            self.abort(reason)
        elif self._closing is None:  # with an outbox it is in no lane
            self._closing = reason

    def end_writing(self) -> None:
        """Let the client see the end at once, and go on reading until it hangs up.

        To close instead would reset the connection while bytes of the client are unread, and what it was
        told last would be lost with them. With a waiting outbox this does nothing.
        """
        if self._sock is not None and self._outbox is None:
            with contextlib.suppress(OSError):  # it is gone already: reading will tell
                self._sock.shutdown(socket_constants.SHUT_WR)

    def abort(self, reason: str) -> None:
        """Close at once, whatever still waits."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        Wire.turns.leave(self)
        self.leave_lanes()
        self._stop(self._reader)
        self._stop(self._writer)
        self._reader = self._writer = self._outbox = self._drained = None
        self.outbox_size = 0
        Wire.open_sockets.discard(sock.fileno())
        sock.close()
        if self.visitor is not None:
            self.visitor.connections -= 1
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.lost(reason)

    @staticmethod
    def _stop(watcher: Any) -> None:
        if watcher is not None:
            watcher.stop()
            watcher.close()
