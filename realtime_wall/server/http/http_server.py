"""The listening socket: who may still come in, who is inside, and how everybody leaves."""

from __future__ import annotations

import contextlib
import resource
import socket
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
from realtime_wall.server.http.client_socket import ClientSocket, accept
from realtime_wall.server.http.handler import Handler
from realtime_wall.server.http.request_head import plain_response
from realtime_wall.server.http.ticket_return import TicketReturns
from realtime_wall.sockets.budgets.visitors import Visitor, Visitors
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.not_for_forks import not_for_forks

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
        self._covered: dict[int, Any] = {}  # watchers of other workers' sockets
        self.idle: set[Handler] = set()  # keep-alive connections between two requests

    @property
    def room(self) -> int:
        """How many more connections it takes."""
        return self.max_connections - self.http_connections - len(Wire.open_sockets)

    def do_read(self) -> tuple[ClientSocket, Any] | None:  # type: ignore[override]  # None it may be
        return accept(self.socket)

    def take(self, connection: Any, passed: PassedConnection) -> None:
        """Go on with a connection that another server has accepted."""
        self.do_handle(connection, passed.peer, passed.arrived, passed.is_far)

    def handle(self, connection: Any, address: Any, arrived: bytes = b"", is_far: bool = False) -> None:
        handler = self.handler_class(connection, address, self)
        handler.serves_once = is_far
        if arrived:
            handler.read_first(arrived)
        handler.handle()

    def do_handle(self, connection: Any, address: Any, arrived: bytes = b"", is_far: bool = False) -> None:
        self._wait_when_many_come()
        visitor = self._visitor(address)
        refusal = FULL if self.room <= 0 else self._refusal(visitor)
        if refusal is not None:
            with contextlib.closing(connection), contextlib.suppress(OSError):
                connection.setblocking(False)
                connection.send(refusal)
            return
        if visitor is not None:
            visitor.connections += 1
        self.http_connections += 1
        not_for_forks(connection)
        super().do_handle(connection, address, arrived, is_far)  # type: ignore[call-arg]

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
        gevent.sleep(0)  # those accepted last begin to wait
        deadline = monotonic() + FIRST_WORD
        self._end_idle(except_new=True)
        while self.idle and monotonic() < deadline and not hurry.wait(0.02):
            pass
        self._end_idle(except_new=False)

    def _end_idle(self, except_new: bool) -> None:
        for handler in list(self.idle):
            if except_new and handler.is_new and monotonic() - handler.waits_since < FIRST_WORD:
                continue
            with contextlib.suppress(OSError):
                handler.socket.shutdown(socket.SHUT_RD)

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
