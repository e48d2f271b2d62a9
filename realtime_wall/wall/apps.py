"""The Django app: its tables, its checks, and its feed, which lives as long as the server."""

from django.apps import AppConfig
from django.core import checks

from realtime_wall import signals


class WallConfig(AppConfig):
    name = "realtime_wall.wall"
    label = "realtime_wall_wall"
    verbose_name = "Tweet wall"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Here and not above: both come to the models, which can be imported only now.
        from realtime_wall.wall.checks import check_options
        from realtime_wall.wall.configured_feed import start_feed, stop_feed

        checks.register(check_options)
        signals.server_started.connect(start_feed, weak=False, dispatch_uid="realtime_wall.wall")
        signals.server_stopping.connect(stop_feed, weak=False, dispatch_uid="realtime_wall.wall")
