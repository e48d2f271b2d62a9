"""The Django app ``realtime_wall.socketio_admin``: the page of ``@socket.io/admin-ui`` shows this site."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from realtime_wall import signals


class SocketIOAdminConfig(AppConfig):
    name = "realtime_wall.socketio_admin"
    label = "realtime_wall_socketio_admin"
    verbose_name = "Socket.IO admin"

    def ready(self) -> None:
        from realtime_wall.socketio_admin.admin_options import check_options

        checks.register(check_options)
        self.connect_receivers()

    def connect_receivers(self) -> None:
        from realtime_wall.socketio_admin import admin_namespace

        for signal, receiver in (
            (signals.server_started, admin_namespace.start),
            (signals.server_stopping, admin_namespace.stop),
            (signals.socket_connected, admin_namespace.connected),
            (signals.socket_disconnected, admin_namespace.disconnected),
            (signals.socket_subscribed, admin_namespace.subscribed),
            (signals.socket_unsubscribed, admin_namespace.unsubscribed),
        ):
            signal.connect(receiver, weak=False, dispatch_uid=(self.name, receiver))
