"""Who looks at the site by Socket.IO's admin page, and how does it hear what happens on all servers?

The page is a client in a namespace of its own. While somebody looks, the server that he is on says so to the
others, which send it what happens on theirs; where nobody looks, nothing is sent.
"""

from __future__ import annotations

import logging
from functools import partial
from time import monotonic
from typing import Any

import gevent
from django.http import HttpRequest
from gevent.event import Event as Flag

from realtime_wall import Refuse, cluster, signals
from realtime_wall.api import emit_to, visitor_address
from realtime_wall.errors import InvalidMessage, RealtimeWallError
from realtime_wall.events import Event
from realtime_wall.socketio_admin import admin_commands, admin_login, admin_options, admin_view
from realtime_wall.socketio_admin.admin_login import Viewer
from realtime_wall.socketio_admin.admin_view import ServerStats, line_of, line_of_socket, now

log = logging.getLogger(__name__)

TOPIC = "socketio_admin"
EVERY = 2.0  # seconds between two looks at the figures, as at the stock server
WATCHED_FOR = 3 * EVERY  # so long the word of a server that somebody looks is believed
# Of more sockets the page is given figures only: it keeps each of them, and finds it by going through all.
MOST_SOCKETS = 1000


class AdminNamespace:
    """Of one server."""

    def __init__(self) -> None:
        self._viewers: dict[str, Any] = {}
        self._nobody = Flag()
        self._watched_until = 0.0
        self._topic = cluster.topic(TOPIC, self._receive)

    def stop(self) -> None:
        self._topic.close()
        self._viewers.clear()
        self._nobody.set()

    def enter(self, socket: Any, viewer: Viewer) -> None:
        if viewer.session_id:
            socket.emit("session", viewer.session_id)
        total = sum(server.sockets for server in cluster.servers())
        shows_all = admin_options.current().shows_all_events and total <= MOST_SOCKETS
        socket.emit("config", {"supportedFeatures": admin_view.features(viewer.may_change, shows_all)})
        if shows_all:
            socket.emit("all_sockets", [line_of(one) for one in cluster.sockets()])
        if viewer.may_change:
            receive = partial(_command, viewer.name)
            signals.socket_client_event.connect(receive, sender=socket, weak=False)
        self._viewers[socket.id] = socket
        if len(self._viewers) == 1:
            self._nobody.clear()
            gevent.spawn(self._look)

    def leave(self, socket: Any) -> None:
        if self._viewers.pop(socket.id, None) is not None and not self._viewers:
            self._nobody.set()

    def _look(self) -> None:
        """As long as somebody does."""
        stats = ServerStats()
        while self._viewers:
            try:
                self._topic.send("watched", None)
                for figures in stats.look():
                    emit_to(list(self._viewers.values()), "server_stats", figures)
            except RealtimeWallError as problem:
                log.info("the figures of the servers are not to be had: %s", problem)
            self._nobody.wait(EVERY)

    # Between servers

    def report(self, name: str, *args: Any) -> None:
        """Something has happened here; for whoever looks, wherever."""
        if monotonic() > self._watched_until:
            return
        try:
            self._topic.send(name, args)
        except InvalidMessage:  # bytes, which JSON has none of
            self._topic.send(name, [*args[:2], [str(args[2][0]), "(with bytes)"], *args[3:]])
        except RealtimeWallError as problem:
            log.info("what happened here is not reported to who looks: %s", problem)

    def _receive(self, event: str | None, data: Any, server: str) -> None:
        if event == "watched":
            self._watched_until = monotonic() + WATCHED_FOR
        elif event is not None and self._viewers and admin_options.current().shows_all_events:
            emit_to(list(self._viewers.values()), event, *data)


_here: AdminNamespace | None = None


# Receivers


def start(sender: Any, **_: Any) -> None:
    global _here
    _here = AdminNamespace()


def stop(sender: Any, **_: Any) -> None:
    global _here
    if _here is not None:
        _here.stop()
        _here = None


def connected(sender: Any, request: HttpRequest, **_: Any) -> None:
    options = admin_options.current()
    if _here is None:
        return
    if sender.namespace == options.namespace:
        viewer = admin_login.admit(options, request, sender.auth)
        if viewer is None:
            log.warning("somebody at %s was refused", visitor_address(request))
            raise Refuse("invalid credentials")
        log.info("%s looks at the site", viewer.name)
        _here.enter(sender, viewer)
    _here.report("socket_connected", line_of_socket(sender), now())


def disconnected(sender: Any, **_: Any) -> None:
    if _here is not None:
        _here.leave(sender)
        _here.report("socket_disconnected", sender.namespace, sender.id, "transport close", now())


def subscribed(sender: Any, channel: str, **_: Any) -> None:
    if _here is not None:
        _here.report("room_joined", sender.namespace, channel, sender.id, now())


def unsubscribed(sender: Any, channel: str, **_: Any) -> None:
    if _here is not None:
        _here.report("room_left", sender.namespace, channel, sender.id, now())


def _command(viewer: str, sender: Any, event: Event, **_: Any) -> None:
    if event.name in admin_commands.NAMES:
        admin_commands.perform(viewer, event.name, list(event.args))


def report_events(get_response: Any) -> Any:
    """For ``EVENT_MIDDLEWARE``: the page shows each event that a client sends."""

    def handle(socket: Any, event: Event) -> Any:
        if _here is not None and socket.namespace != admin_options.current().namespace:
            args = [event.name, *event.args]
            _here.report("event_received", socket.namespace, socket.id, args, now())
        return get_response(socket, event)

    return handle
