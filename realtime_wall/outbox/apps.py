"""The Django app: a table of what is still to be published, and the relay that does it in a server."""

from django.apps import AppConfig

from realtime_wall.node.leader_task import run_on_leader


class OutboxConfig(AppConfig):
    name = "realtime_wall.outbox"
    label = "realtime_wall_outbox"
    verbose_name = "Realtime outbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from realtime_wall.outbox.relay import Relay

        run_on_leader(Relay)
