"""The Django app: a table of what is still to be published, and the relay that does it in a server."""

from django.apps import AppConfig

from realtime_wall import signals


class OutboxConfig(AppConfig):
    name = "realtime_wall.outbox"
    label = "realtime_wall_outbox"
    verbose_name = "Realtime outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from realtime_wall.outbox import relay

        signals.server_started.connect(relay.start, weak=False, dispatch_uid="realtime_wall.outbox")
        signals.server_stopping.connect(relay.stop, weak=False, dispatch_uid="realtime_wall.outbox")
