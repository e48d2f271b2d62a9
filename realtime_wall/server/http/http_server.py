"""The listening socket: who may still come in, who is inside, and how everybody leaves."""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
from math import inf
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from realtime_wall.auth.trusted_proxies import are_trusted
from realtime_wall.auth.visitor_address import home_of
from realtime_wall.config import Config
from realtime_wall.protocol.rate_limit import TokenBucket, rate
from realtime_wall.server.affinity.owner_routing import OwnerRouting, PassedConnection
from realtime_wall.server.http import access_log, early_handshake, read_ahead
from realtime_wall.server.http.client_socket import accept, as_client_socket
from realtime_wall.server.http.early_handshake import EarlyHandshake
from realtime_wall.server.http.hand_over import Opener, take_wire
from realtime_wall.server.http.handler import Handler, note_proxy
from realtime_wall.server.http.handshake_handler import HandshakeHandler
from realtime_wall.server.http.pending_heads import PendingHeads
from realtime_wall.server.http.request_head import plain_response
from realtime_wall.server.http.ticket_return import TicketReturns
from realtime_wall.sockets.budgets.visitors import Visitor, Visitors
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.not_for_forks import not_for_forks

log = logging.getLogger(__name__)

# Descriptors left for databases, files and the bus when the number of connections is not set.
RESERVED_DESCRIPTORS = 50
# Seconds in which a client that was just accepted sends a request, if it has any.
FIRST_WORD = 1.0
# Of ACCEPT_RATE: how many seconds' worth may come at once.
ACCEPT_BURST = 0.1
TOO_MANY = "too many connections of this address"
FULL = plain_response(503, "this server has no room for another connection", "Retry-After: 5")


class HTTPServer(WSGIServer):
    """pywsgi's server with a limit on connections, handed-over ones included."""

    handler_class = Handler
    reuse_addr = 1

    def __init__(
        self,
        listener: socket.socket,
        application: Any,
        config: Config,
        routing: OwnerRouting | None = None,
        is_one_of_several: bool = False,
        visitors: Visitors | None = None,
    ) -> None:
        super().__init__(listener, application, log=None, environ={"wsgi.multiprocess": is_one_of_several})
        # For each turn of the event loop: others on the same socket get some, and a storm of clients waits
        # in the kernel. Of a hundred handshakes at once everybody else would have to wait for the last.
        self.max_accept = 1
        self.config = config
        self.routing = routing
        self.visitors = visitors or Visitors(config)
        self._accepts = TokenBucket(rate(config.accept_rate, max(config.accept_rate * ACCEPT_BURST, 1.0)))
        self.max_connections = config.max_connections or _free_descriptors()
        self.returns: TicketReturns | None = None  # of clients that were let in before
        self.stopping = False
        self.http_connections = 0
        self._handshakes = 0  # that are being answered
        self._covered: dict[int, Any] = {}  # watchers of other workers' sockets
        self.idle: set[Handler] = set()  # keep-alive connections between two requests
        self.pending = PendingHeads(config.head_timeout, self._begin, self.do_close)

    @property
    def room(self) -> int:
        """How many more connections it takes."""
        return self.max_connections - self.http_connections - len(Wire.open_sockets)

    def do_read(self) -> tuple[Any, Any] | None:  # type: ignore[override]  # None it may be
        return accept(self.socket)

    def _do_read(self) -> None:
        """As pywsgi's, when its turn has come: to come in is one of the things that clients want."""
        server: Any = self  # of whose attributes the types are known in part
        if Wire.turns.is_now():
            super()._do_read()  # type: ignore[misc]
        elif server._watcher is not None:
            server._watcher.stop()
            Wire.turns.stand_in_line(self, self._accept_in_turn)

    def _accept_in_turn(self) -> None:
        server: Any = self
        if server._watcher is not None:  # it does accept, still or again
            server._watcher.start(self._do_read)
            super()._do_read()  # type: ignore[misc]

    def take(self, connection: Any, passed: PassedConnection) -> None:
        """Go on with a connection that another server has accepted."""
        if self._admit(connection, passed.peer):
            due = monotonic() + self.config.head_timeout
            self._begin(connection, passed.peer, passed.arrived, due, passed.is_far)

    def do_handle(self, connection: Any, address: Any) -> None:
        if self._admit(connection, address):
            self.pending.add(connection, address)

    def _admit(self, connection: Any, address: Any) -> bool:
        self._wait_when_many_come()
        visitor = self._visitor(address)
        refusal = FULL if self.room <= 0 else self._refusal(visitor)
        if refusal is not None:
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.setblocking(False)
                connection.send(refusal)
            return False
        if visitor is not None:
            visitor.connections += 1
        self.http_connections += 1
        return True

    def _begin(self, connection: Any, address: Any, arrived: bytes, due: float, is_far: bool = False) -> None:
        handshake = early_handshake.find(arrived, address, self.config.head_size)
        if handshake is not None and self._is_ours(handshake):
            note_proxy(handshake.environ, self)
            if not self._has_returned(connection, address, handshake):
                self._handshakes += 1
                gevent.spawn(self._shake_hands, connection, address, handshake)
            return
        connection = not_for_forks(as_client_socket(connection))
        gevent.spawn(self._serve, connection, address, arrived, due, is_far)

    def _is_ours(self, handshake: EarlyHandshake) -> bool:
        return self.routing is None or self.routing.owner_of(handshake.request_line.encode("latin-1")) is None

    def _shake_hands(self, connection: Any, address: Any, handshake: EarlyHandshake) -> None:
        try:
            HandshakeHandler(connection, address, self).answer(handshake)
        finally:
            self._handshakes -= 1
            self.do_close(connection, address)

    def _serve(self, connection: Any, address: Any, arrived: bytes, due: float, is_far: bool) -> None:
        try:
            handler = self.handler_class(connection, address, self, read_ahead.reader(connection, arrived))
            handler.head_due, handler.serves_once = due, is_far
            handler.handle()
        finally:
            self.do_close(connection, address)

    def _has_returned(self, connection: Any, address: Any, handshake: EarlyHandshake) -> bool:
        """By a ticket: then the connection is handed over already, without a handler or a request."""
        try:
            found = None if self.returns is None else self.returns.find(handshake)
        except Exception:
            log.exception("a ticket could not be looked at; its client is asked everything")
            return False
        if found is None:
            return False
        access_log.write(found.request_line, 101, None, connection)
        wire = take_wire(connection, self.config, self.visitors.at(found.address), found.head)
        self.do_close(connection, address)
        self._handshakes += 1
        gevent.spawn(self._open_in_turn, found.opener, wire)
        return True

    def _open_in_turn(self, opener: Opener, wire: Wire) -> None:
        try:
            Wire.turns.wait()
            opener(wire, b"")
        finally:
            self._handshakes -= 1

    def do_close(self, connection: Any, address: Any = "", *args: Any) -> None:
        self.http_connections -= 1
        if (visitor := self._visitor(address)) is not None:
            visitor.connections -= 1
        super().do_close(connection, address, *args)

    # Who comes too often

    def _wait_when_many_come(self) -> None:
        """Let a storm of clients wait in the kernel, and serve those who are inside."""
        seconds = self._accepts.take(1, monotonic())
        if seconds > 0 and not self.stopping:
            server: Any = self  # of whose attributes the types are known in part
            server.stop_accepting()
            server._timer = self.loop.timer(seconds)
            server._timer.start(server._start_accepting_if_started)

    def _visitor(self, address: Any) -> Visitor | None:
        """Whose connection it is; a proxy of ours is nobody."""
        peer = address[0] if isinstance(address, tuple) else address
        is_proxy = are_trusted(peer, self.config.trusted_proxies) or peer in self.visitors.proxies
        return None if is_proxy else self.visitors.at(home_of(peer))

    def _refusal(self, visitor: Visitor | None) -> bytes | None:
        seconds = 0 if visitor is None else self.visitors.refuse_connection(visitor)
        return plain_response(429, TOO_MANY, f"Retry-After: {seconds}") if seconds else None

    def cover(self, descriptors: set[int]) -> None:
        """Accept from these sockets of other workers, too, and from no others."""
        for fd in self._covered.keys() - descriptors:
            watcher = self._covered.pop(fd)
            watcher.stop()
            watcher.close()
        for fd in descriptors - self._covered.keys() if not self.stopping else ():
            watcher = self._covered[fd] = self.loop.io(fd, 1)
            watcher.start(self._accept_for_others, fd)

    def _accept_for_others(self, fd: int) -> None:
        listener = socket.socket(fileno=fd)
        listener.setblocking(False)  # on the event loop nothing waits
        try:
            accepted = accept(listener)
        except OSError:
            return  # the client has gone
        finally:
            listener.detach()
        if accepted is not None:
            self.do_handle(*accepted)

    def stop_listening(self, hurry: Event) -> None:
        """Accept nobody any more; answer what was asked, and end the connections that wait for nothing.

        Who was accepted a moment ago is going to ask: another server may serve here, and shall not look as
        if it had refused him.
        """
        self.stopping = True
        self.cover(set())
        self.close()
        deadline = monotonic() + FIRST_WORD
        self._end_idle(except_new=True)
        while self._are_about_to_ask() and monotonic() < deadline and not hurry.wait(0.02):
            pass
        self._end_idle(except_new=False)

    def _are_about_to_ask(self) -> bool:
        """Or have asked for a WebSocket, which is refused from when the server tells its clients to go."""
        return bool(self.idle or self.pending.silent() or self._handshakes)

    def _end_idle(self, except_new: bool) -> None:
        new_since = monotonic() - FIRST_WORD if except_new else inf
        silent = [head.connection for head in self.pending.silent() if head.since < new_since]
        for connection in [*silent, *(handler.socket for handler in self.idle)]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)

    def drain(self, seconds: float, hurry: Event) -> bool:
        """Wait until every connection has ended, or until ``hurry`` is set; False when some had not."""
        deadline = monotonic() + seconds
        while self.http_connections + len(Wire.open_sockets) > 0:
            if monotonic() > deadline or hurry.wait(0.02):
                return False
        return True


def _free_descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - RESERVED_DESCRIPTORS, RESERVED_DESCRIPTORS)
