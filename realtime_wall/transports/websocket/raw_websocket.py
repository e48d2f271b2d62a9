"""A WebSocket whose texts and bytes are the project's own protocol: nothing is read into them, or added."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest

from realtime_wall import signals
from realtime_wall.async_functions import result_of
from realtime_wall.auth.django_sessions import session_key_of
from realtime_wall.errors import InvalidMessage, Refuse
from realtime_wall.node.node import Node
from realtime_wall.protocol.websocket.deflate import PLAIN, Framing
from realtime_wall.protocol.websocket.frames import Violation
from realtime_wall.sockets.dispatch.inbox import Inbox
from realtime_wall.sockets.request import forget_parsed, keep
from realtime_wall.transports.websocket.websocket_connection import FramedConnection
from realtime_wall.wire.connection import DROPPED, Wire

log = logging.getLogger(__name__)

NORMAL, GOING_AWAY = 1000, 1001
REFUSED = 3500  # as on the other WebSockets: who is told so stays away


@dataclass(frozen=True, slots=True)
class RawReceivers:
    """The project's functions; the first argument of each is the socket."""

    on_frame: Callable[[RawSocket, str | bytes], object]
    on_connect: Callable[[RawSocket], object] | None = None
    on_disconnect: Callable[[RawSocket], object] | None = None


class RawSocket:
    """What user code has of the client: ``request``, ``kwargs`` of the URL, ``context``, and three verbs."""

    __slots__ = ("_connection", "context", "kwargs", "request")

    def __init__(self, connection: RawWebSocket, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        self._connection = connection
        self.request = request
        self.kwargs = kwargs
        self.context: dict[str, Any] = {}

    def send(self, data: str | bytes) -> bool:
        """Send a text frame, or a binary one; False when the client is gone, or was cut off as too slow.

        InvalidMessage for a text that is no Unicode. Never waits: what the client has not read yet is kept,
        up to ``OUTBOX_SIZE`` bytes.
        """
        framing = self._connection.frames.framing
        if isinstance(data, str):
            try:
                frame = framing.text(data.encode())
            except UnicodeEncodeError as problem:
                raise InvalidMessage(f"cannot be sent: {problem.reason}") from problem
        else:
            frame = framing.binary(bytes(data))
        return self._connection.frames.write(frame) is not DROPPED

    def disconnect(self, code: int = NORMAL, reason: str = "") -> None:
        """Close the connection (RFC 6455 7.4); what was sent before still arrives."""
        self._connection.frames.close(code, reason)

    @property
    def is_behind(self) -> bool:
        """Whether something still waits for the client to read."""
        return self._connection.frames.wire.outbox_size > 0

    def __repr__(self) -> str:
        return f"<RawSocket {self.request.path}>"


class _Frames(FramedConnection):
    """What came before a fault is answered before the close, as by a server that reads and writes in turn."""

    __slots__ = ()
    peer: RawWebSocket

    def fail(self, violation: Violation) -> None:
        self.peer.inbox.put(partial(super().fail, violation))


class RawWebSocket:
    """The peer on the frames, and the end of a listener that a logout or a stop finds."""

    __slots__ = ("_is_refused", "_node", "_receivers", "frames", "inbox", "session_key", "socket")

    def __init__(
        self,
        node: Node,
        wire: Wire,
        request: HttpRequest,
        receivers: RawReceivers,
        kwargs: dict[str, Any],
        framing: Framing,
    ) -> None:
        self.session_key = session_key_of(request)
        self.socket = RawSocket(self, request, kwargs)
        self._node = node
        self._receivers = receivers
        self.frames = _Frames(node, wire, self, framing)
        self.inbox = Inbox(node.pool, self.frames, request)
        self.inbox.account = self.frames.account
        self.inbox.account.belongs_to(self.session_key)
        self._is_refused = False

    def begin(self, arrived: bytes) -> None:
        self._node.listeners.add(self)
        if self._receivers.on_connect is not None:
            self.inbox.put(partial(self._connect, self._receivers.on_connect))
        self.frames.start()
        if arrived:
            self.frames.received(arrived)

    def end(self, reason: str) -> None:
        self.frames.close(GOING_AWAY, reason)

    # As the peer on the frames

    def text(self, text: str) -> None:
        self.inbox.put(partial(self._run, self._receivers.on_frame, text))

    def binary(self, data: bytes) -> None:
        self.inbox.put(partial(self._run, self._receivers.on_frame, data))

    def closed(self, reason: str) -> None:
        self._node.listeners.discard(self)
        if self._receivers.on_disconnect is not None:
            self.inbox.put(partial(self._run, self._receivers.on_disconnect))

    def is_busy(self) -> bool:
        return self.inbox.paused

    @property
    def log_id(self) -> str:
        return f"at {self.socket.request.path}"

    # In the greenlets of receivers

    def _connect(self, on_connect: Callable[[RawSocket], object]) -> None:
        try:
            result_of(on_connect(self.socket))
        except Refuse as refused:
            self._is_refused = True
            reason = refused.data if isinstance(refused.data, str) else "refused"
            self.frames.close(REFUSED, reason)
        except Exception:
            log.exception("%s failed on %r", signals.name_of(on_connect), self.socket)

    def _run(self, receiver: Callable[..., object], *args: object) -> None:
        if self._is_refused:
            return
        try:
            result_of(receiver(self.socket, *args))
        except Exception:
            log.exception("%s failed on %r", signals.name_of(receiver), self.socket)


def open_raw_websocket(
    node: Node,
    request: HttpRequest,
    receivers: RawReceivers,
    kwargs: dict[str, Any],
    wire: Wire,
    arrived: bytes,
    framing: Framing = PLAIN,
) -> None:
    """Serve a connection that the HTTP server handed over."""
    forget_parsed(keep(request))
    RawWebSocket(node, wire, request, receivers, kwargs, framing).begin(arrived)
