"""A server's life: start, serve until a signal to stop, drain."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall import signals
from realtime_wall.async_functions import result_of
from realtime_wall.config import Config
from realtime_wall.errors import RealtimeWallError
from realtime_wall.node import session_migration
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.server import after_fork, asyncio_per_greenlet, drain
from realtime_wall.server.affinity.fd_passing import FdPassing
from realtime_wall.server.affinity.owner_routing import OwnerRouting
from realtime_wall.server.affinity.tunnel import Tunnels
from realtime_wall.server.http.health_probe import HealthProbe
from realtime_wall.server.http.http_server import HTTPServer
from realtime_wall.server.http.ticket_return import TicketReturns
from realtime_wall.server.link_factory import make_link
from realtime_wall.server.watchdog import Watchdog
from realtime_wall.server.workers.worker import SupervisorLink
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.revocation.revocation import Listener as RevocableListener
from realtime_wall.sockets.socket import Socket

log = logging.getLogger(__name__)

# RFC 6455 7.4: 1012 tells a client that the service restarts, and that it should come back.
SERVICE_RESTART = 1012
# Seconds in which two signals count as one: Control-C reaches us and the reloader, which passes it on.
ONE_SIGNAL = 0.5
# How long the sessions of disconnected clients wait to be resumed at another server. Stock clients of
# Socket.IO are back after half a second to one and a half.
RECONNECT_TIME = 3.0
# So many collections of the middle generation, five times Python's. A full one looks at all that every
# connection has, 10 us each: while thousands come it would otherwise stop the event loop again and again.
FULL_COLLECTION_AFTER = 50


def serve(
    listener: socket.socket,
    application: Any,
    config: Config,
    on_ready: Callable[[], None],
    link: SupervisorLink | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; a second one ends the drain at once.

    One of several workers has a link to its supervisor.
    """
    stop, hurry = Event(), Event()
    first_signal_at = 0.0

    def on_stop_signal() -> None:
        nonlocal first_signal_at
        if not stop.is_set():
            first_signal_at = monotonic()
            stop.set()
        elif monotonic() - first_signal_at > ONE_SIGNAL:
            hurry.set()

    watchers = [gevent.signal_handler(number, on_stop_signal) for number in (signal.SIGTERM, signal.SIGINT)]
    if link is not None:
        # A terminal that is closed signals all its processes: what is to be done the supervisor decides.
        watchers.append(gevent.signal_handler(signal.SIGHUP, lambda: None))
        link.start()
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        watchers.append(gevent.signal_handler(signal.SIGHUP, on_stop_signal))
    if config.health_path:
        application = HealthProbe(application, config.health_path)
    server = _ServerProcess(listener, application, config, link)
    server.node.on_end = stop.set
    asyncio_per_greenlet.install()
    after_fork.install(server.descriptors)
    server.start()
    _leave_out_what_is_loaded()
    try:
        _send_signal(signals.server_started, server.node)
        on_ready()
        stop.wait()
    finally:
        server.leave(hurry)
        after_fork.uninstall()
        if link is not None:
            link.stop()
        for watcher in watchers:
            watcher.cancel()


def _leave_out_what_is_loaded() -> None:
    """It stays: the garbage collector need not walk it, in one long stall, ever again."""
    if hasattr(gc, "freeze"):  # not PyPy's, which never stops for long
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTION_AFTER)


class _ServerProcess:
    """What a server process has: who serves, who watches, and how connections come in."""

    def __init__(
        self, listener: socket.socket, application: Any, config: Config, link: SupervisorLink | None
    ) -> None:
        self._config = config
        self._link = link
        supervisor = None if link is None else link.place.supervisor
        self.node = Node(config, partial(make_link, config, supervisor))
        queries.register(self.node)
        session_migration.register(self.node)
        self._fd_passing, self._tunnels = FdPassing(config, self.node.address), Tunnels(self.node)
        routing = OwnerRouting(self.node.address, [self._fd_passing.carry, self._tunnels.carry])
        several = link is not None
        self._http_server = HTTPServer(listener, application, config, routing, several, self.node.visitors)
        self._http_server.returns = TicketReturns(self.node, self._http_server)
        self._watchdog = Watchdog(config.slow_receiver)

    def descriptors(self) -> list[int]:
        """Of the sockets that it accepts clients from, of who has asked nothing yet, and the supervisor's."""
        pending = [head.connection.fileno() for head in self._http_server.pending]
        own = [self._http_server.socket.fileno(), *pending]
        return own if self._link is None else [*own, *self._link.place.others, self._link.place.link]

    def start(self) -> None:
        self.node.start()
        self._watchdog.start()
        self._http_server.start()
        self._fd_passing.start(self._http_server.take)
        if self._link is not None:
            self._link.on_cover = self._http_server.cover
        self._tunnels.start(self._http_server)

    def leave(self, hurry: Event) -> None:
        """Drain, and end."""
        node, seconds = self.node, self._config.drain_timeout
        self._http_server.stop_listening(hurry)
        node.stopping = True
        _send_signal(signals.server_stopping, node)
        self._fd_passing.stop()
        deadline, detached_before = monotonic() + seconds, set(node.detached_sessions.all())
        drain.stagger(_disconnects(node), seconds, hurry, self._link.leaving if self._link else 1)
        for disconnect in _disconnects(node):
            disconnect()  # those who were just being let in
        self._tunnels.stop()
        self._http_server.drain(deadline - monotonic(), hurry)
        for connected in connected_sockets:
            session_of(connected).transport.abort("did not answer the close")
        if self._others_stay():
            detached = set(node.detached_sessions.all()) - detached_before
            node.detached_sessions.wait_until_taken(
                detached, min(RECONNECT_TIME, deadline - monotonic()), hurry
            )
        node.detached_sessions.close()
        # What the receivers do about it is theirs to finish: it may be in a database next.
        if not node.pool.wait_until_idle(0 if hurry.is_set() else seconds):
            log.warning("receivers were still running when the server ended")
        node.stop()
        self._watchdog.stop()

    def _others_stay(self) -> bool:
        try:
            return len(self.node.servers()) > (self._link.leaving if self._link else 1)
        except RealtimeWallError:  # the hub has ended, and so this server does
            return False


def _disconnects(node: Node) -> list[Callable[[], None]]:
    def send_away(one: Socket) -> None:
        if one in connected_sockets:  # or it has gone meanwhile
            one.disconnect(SERVICE_RESTART, "the server restarts")

    def end(one: RevocableListener) -> None:
        if one in node.listeners:
            one.end("the server restarts")

    return [
        *(partial(send_away, one) for one in connected_sockets),
        *(partial(end, one) for one in node.listeners),
    ]


def _send_signal(signal_: signals.Signal, node: Node) -> None:
    """Send a signal about the server; a receiver that fails is logged and hurts nobody."""
    for receiver in signal_.receivers_for(node):
        try:
            result_of(receiver(node))
        except Exception:
            log.exception("%r failed on %s", receiver, signal_.name)
